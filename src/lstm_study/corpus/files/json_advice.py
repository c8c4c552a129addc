"""Commands that turn JSON of another shape into JSON lines, and lines that are none."""

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import PurePosixPath
from shlex import quote
from typing import Any, NamedTuple

from lstm_study.corpus.files.column_names import are_positions
from lstm_study.corpus.files.input_files import InputFile

GENERAL = (
    "Write an object per line, or an array of objects; in pandas: "
    "df.to_json(path, orient='records', lines=True)."
)
FLAT = "pandas.json_normalize({value})"
"""Objects as a table, with a column for each value within them."""
_DEEPEST = 4
_TEXT_WORDS = 3
_TO_LINES = 'orient="records", lines=True'
_OPENED = {
    "": ("", 'open("{path}", "rb")'),
    ".gz": ("gzip, ", 'gzip.open("{path}")'),
    ".bz2": ("bz2, ", 'bz2.open("{path}")'),
    ".xz": ("lzma, ", 'lzma.open("{path}")'),
}
_PRINTED = {"": "", ".gz": "gzip -cd", ".bz2": "bzip2 -cd", ".xz": "xz -cd"}
_FEW_LINES = 8
_ASSIGNED = re.compile(r"[\w.$ ]+=\s*[\[{]")
_UNASSIGN = "sed '1s/^[^=]*=//'"


class Inner(NamedTuple):
    """Where a JSON value holds the rows of a table.

    Attributes:
        place: What leads to it: "['data']['tickets']".
        rows: How many rows it has.
        words: Of the longest text in its first row.
        frame: The table, as an expression of pandas with {value} for the value.
    """

    place: str
    rows: int
    words: int
    frame: str


def words_of(value: Any) -> int:
    """Counts the words of an object's longest text; 0 for other values."""
    texts = value.values() if isinstance(value, Mapping) else ()
    return max((len(text.split()) for text in texts if isinstance(text, str)), default=0)


def table_within(value: Any) -> Inner | None:
    """Returns the table with the longest texts in an object; None if it holds none."""
    return max(_tables(value, "", _DEEPEST), key=lambda each: (each.words, each.rows), default=None)


def _tables(value: Any, place: str, depth: int) -> Iterator[Inner]:
    if isinstance(value, list) and value:
        if isinstance(value[0], dict):
            yield Inner(place, len(value), _inner_words(value[0]), FLAT)
        return
    if not isinstance(value, dict) or not value:
        return
    first = next(iter(value.values()))
    rows = value.get("data")
    if isinstance(rows, list) and rows and isinstance(rows[0], list) and "columns" in value:
        yield Inner(
            place,
            len(rows),
            _most_words(rows[0]),
            'pandas.DataFrame({value}["data"], columns={value}["columns"])',
        )
    elif all(isinstance(each, list) for each in value.values()) and not isinstance(
        (first or [None])[0], dict | list
    ):
        lengths = {len(each) for each in value.values()}
        if len(lengths) == 1 and len(value) > 1:
            words = _most_words([each[0] for each in value.values() if each])
            yield Inner(place, lengths.pop(), words, "pandas.DataFrame({value})")
    elif (
        isinstance(first, dict)
        and first
        and all(isinstance(each, dict) and each.keys() == first.keys() for each in value.values())
    ):
        # As pandas writes a table if it is not told how: each column's values by their index.
        if 1 < len(value) < len(first) or are_positions(list(first)):
            words = _most_words([next(iter(each.values())) for each in value.values()])
            yield Inner(place, len(first), words, "pandas.DataFrame({value})")
        elif len(value) > 1:
            yield Inner(
                place,
                len(value),
                _inner_words(first),
                "pandas.json_normalize(list({value}.values()))",
            )
    if depth:
        for name, inner in value.items():
            yield from _tables(inner, f"{place}[{_json(name)}]", depth - 1)


def frame_of_lists(name: str, value: Any) -> str | None:
    """Returns a table of the records in a list that each record has; None if that holds no texts.

    Of a chat that ends with an answer, it is what was asked, as the text, and the answer.
    """
    if not isinstance(value, list) or max(map(words_of, value), default=0) < _TEXT_WORDS:
        return None
    if len(value) > 1 and all(isinstance(each, dict) and "role" in each for each in value):
        asked, answer = (f'each[{_json(name)}][{at}]["content"]' for at in (-2, -1))
        return f'pandas.DataFrame({{"text": {asked}, "label": {answer}}} for each in {{value}})'
    return f"pandas.json_normalize({{value}}, {_json(name)})"


def about_lists(first_line: str, member: InputFile) -> str:
    """Says what to do about a file of lists in place of objects; "" if it is none."""
    value: Any = None
    with suppress(ValueError, RecursionError):
        value = json.loads(first_line)
    is_lines = isinstance(value, list) and bool(value) and not isinstance(value[0], dict | list)
    if is_lines or first_line.lstrip()[1:].lstrip().startswith("[") or first_line.strip() == "[":
        frame = flattened(member, "pandas.DataFrame({value})", is_lines=is_lines)
        return f"Name the values: {frame}"
    return ""


def _inner_words(value: Any, depth: int = 2) -> int:
    """Counts the words of the longest text in an object and in the objects within it."""
    if not isinstance(value, dict):
        return 0
    inner = [_inner_words(each, depth - 1) for each in value.values()] if depth else []
    return max(words_of(value), *inner, 0)


def _most_words(values: Sequence[Any]) -> int:
    return max((len(each.split()) for each in values if isinstance(each, str)), default=0)


def flattened(member: InputFile, frame: str, *, value: str = "", is_lines: bool = False) -> str:
    """Returns the shell command that writes a file's table as JSON lines.

    Args:
        member: The file.
        frame: The table, as an expression of pandas with {value}.
        value: What leads to the value within the file's: "['data']".
        is_lines: Whether the file has a value per line, which together are a list.
    """
    path = str(member.path)
    if member.inside:
        names, opened = "zipfile, ", f"zipfile.ZipFile({_json(path)}).open({_json(member.inside)})"
        if member.compression:
            return "Unpack it, for a command that does it"
    else:
        names, opened = _OPENED[member.compression]
        opened = opened.replace('"{path}"', _json(path))
    loaded = (
        f"list(map(json.loads, filter(bytes.strip, {opened})))"
        if is_lines
        else f"json.load({opened})"
    )
    code = f"import {names}json, pandas; "
    if frame.count("{value}") > 1:
        code += f"value = {loaded}{value}; "
        table = frame.replace("{value}", "value")
    else:
        table = frame.replace("{value}", loaded + value)
    return f"python -c {quote(f'{code}{table}.to_json({_json(new_name(member))}, {_TO_LINES})')}"


def new_name(member: InputFile) -> str:
    """Returns a name for what is made of a file, in the current folder."""
    name = PurePosixPath(member.inside or member.path.name).name
    return f"{name.split('.')[0]}-flat.jsonl"


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def piped(member: InputFile, command: str) -> str:
    """Returns a shell command that reads a file and writes another."""
    target = quote(new_name(member))
    if member.inside and not member.compression:
        source = f"unzip -p {quote(str(member.path))} {quote(member.inside)}"
    elif member.inside:
        source = f"{_PRINTED[member.compression]} UNPACKED"
    elif member.compression:
        source = f"{_PRINTED[member.compression]} {quote(str(member.path))}"
    else:
        return f"{command} < {quote(str(member.path))} > {target}"
    return f"{source} | {command} > {target}"


def about_line(text: str, member: InputFile) -> str:
    """Says what to do about lines that all are as this one is; "" if it is of no known kind."""
    text = text.strip()
    if text.endswith(",") and _is_object(text[:-1]):
        command = piped(member, "sed 's/,[[:space:]]*$//'")
        return f"Remove the comma behind each object: {command}"
    if _ASSIGNED.match(text):
        return f"Remove what is in front of the bracket: {piped(member, _UNASSIGN)}"
    with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
        if isinstance(ast.literal_eval(text), dict):
            code = (
                "import ast, json, sys; "
                "[print(json.dumps(ast.literal_eval(line))) for line in sys.stdin]"
            )
            return f"It is written as Python does: {piped(member, f'python -c {quote(code)}')}"
    return ""


def about_some_lines(bad: Sequence[int], member: InputFile) -> str:
    """Says how to leave some lines out, which are none."""
    if len(bad) <= _FEW_LINES:
        command = f"sed {quote(';'.join(f'{number}d' for number in bad))}"
    else:
        command = "jq -cR 'fromjson? | objects'"
    return f"Leave {'it' if len(bad) == 1 else 'them'} out: {piped(member, command)}"


def _is_object(text: str) -> bool:
    with suppress(ValueError, RecursionError):
        return isinstance(json.loads(text), dict)
    return False


def first_list(text: str) -> str:
    """Returns what leads to the first list of objects in an object, of which this is the beginning.

    Example:
        >>> first_list('{"meta": {"page": 1}, "data": {"tickets": [{"id": 1, "bo')
        '["data"]["tickets"]'
    """
    decoder, at = json.JSONDecoder(), _behind_blanks(text, 0)
    path: list[str] = []
    with suppress(ValueError, RecursionError, IndexError):
        while True:
            if text[at] == "}":
                if len(path) < 2:
                    return ""
                path.pop()
                at = _behind_blanks(text, at + 1)
                continue
            if text[at] == "{":
                path.append("")
            name, at = decoder.raw_decode(text, _behind_blanks(text, at + 1))
            path[-1] = name
            at = _behind_blanks(text, _behind_blanks(text, at) + 1)  # the colon
            if text[at] == "[" and text[_behind_blanks(text, at + 1)] == "{":
                return "".join(f"[{_json(each)}]" for each in path)
            if text[at] == "{" and text[_behind_blanks(text, at + 1)] == '"':
                continue
            _, at = decoder.raw_decode(text, at)
            at = _behind_blanks(text, at)
    return ""


def _behind_blanks(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\t", "\r", "\n"):
        at += 1
    return at
