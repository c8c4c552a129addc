"""Shell commands that errors give: each makes of a user's file one that can be read.

They write to the current folder, and never to the file that they read.
"""

import json
from functools import partial
from pathlib import PurePosixPath
from shlex import quote

from lstm_study.corpus.files.input_files import InputFile

literal = partial(json.dumps, ensure_ascii=False)
"""Writes a text as Python and JSON do, in double quotes."""
_MODULES = ("ast", "bz2", "gzip", "json", "lzma", "pandas", "pathlib", "pyarrow", "sys", "zipfile")
_OPENED = {
    "": 'open({path}, "rb")',
    ".gz": "gzip.open({path})",
    ".bz2": "bz2.open({path})",
    ".xz": "lzma.open({path})",
}
_PRINTED = {".gz": "gzip -cd", ".bz2": "bzip2 -cd", ".xz": "xz -cd"}


def python_command(code: str) -> str:
    """Returns the command that runs code, with the modules that it names imported.

    Example:
        >>> python_command("print(json.dumps([]))")
        "python -c 'import json; print(json.dumps([]))'"
    """
    names = ", ".join(name for name in _MODULES if f"{name}." in code)
    return f"python -c {quote(f'import {names}; {code}')}"


def to_json_lines(member: InputFile, table: str, *, value: str = "", is_lines: bool = False) -> str:
    """Returns the command that writes a JSON file's table as JSON lines.

    Args:
        member: The file.
        table: An expression of pandas with {value} for the value that holds the rows.
        value: What leads to that within the file's own: '["data"]'.
        is_lines: Whether the file has a value per line, which together are a list.
    """
    if step := _first_step(member):
        return step
    path = literal(str(member.path))
    opened = _OPENED[member.compression].format(path=path)
    if member.inside:
        opened = f"zipfile.ZipFile({path}).open({literal(member.inside)})"
    loaded = f"json.load({opened})"
    if is_lines:
        loaded = f"list(map(json.loads, filter(bytes.strip, {opened})))"
    loaded, before = f"{loaded}{value}", ""
    if table.count("{value}") > 1:
        loaded, before = "value", f"value = {loaded}; "
    target = literal(new_name(member, "-flat.jsonl"))
    written = f'.to_json({target}, orient="records", lines=True)'
    return python_command(f"{before}{table.replace('{value}', loaded)}{written}")


def filtered(member: InputFile, command: str) -> str:
    """Returns the command that sends a file through another one, and writes JSON lines."""
    if step := _first_step(member):
        return step
    path, target = quote(str(member.path)), quote(new_name(member, "-flat.jsonl"))
    if member.inside:
        return f"unzip -p {path} {quote(member.inside)} | {command} > {target}"
    if member.compression:
        return f"{_PRINTED[member.compression]} {path} | {command} > {target}"
    return f"{command} < {path} > {target}"


def rewritten_in_utf8(member: InputFile) -> str:
    """Says how to write a file in UTF-8, which the other commands read."""
    target = new_name(member, f"-utf8{member.path.suffix}")
    command = python_command(
        f"pathlib.Path({literal(target)}).write_text(pathlib.Path({literal(str(member.path))})"
        f'.read_text({literal(member.encoding)}), "utf-8")'
    )
    return f"write it in UTF-8 first, and give that file: {command}"


def _first_step(member: InputFile) -> str:
    """Says what to do before a command can read a file; "" for nothing."""
    is_utf8 = member.encoding in ("", "utf-8", "utf-8-sig")
    is_packed_twice = bool(member.inside and member.compression)
    if is_packed_twice or (member.is_packed and not is_utf8):
        return "unpack it first, then this error gives the command"
    return "" if is_utf8 else rewritten_in_utf8(member)


def new_name(member: InputFile, end: str) -> str:
    """Returns a name for what is made of a file, in the current folder."""
    name = PurePosixPath(member.inside or member.path.name).name
    name = name[: len(name) - len(member.compression)]
    return f"{PurePosixPath(name).stem}{end}"
