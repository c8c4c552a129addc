"""Tables whose texts are in other files, or in a column for each label: how to make one of them."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import combinations, islice
from pathlib import PurePath
from shlex import quote

from lstm_study.corpus.files.advice import way_out
from lstm_study.corpus.files.input_files import COLUMNAR, InputFile
from lstm_study.corpus.sources.columns import ColumnLook
from lstm_study.corpus.sources.polarity import is_opposite

_SUFFIXES = (".txt", ".eml", ".html", ".htm", ".md", ".docx", ".pdf")
_MOST_FILES = 20_000
_TEXT_WORDS = 3.0
_READERS = {
    ".jsonl": "json({path}, lines=True, dtype=False)",
    ".ndjson": "json({path}, lines=True, dtype=False)",
    ".json": "json({path}, dtype=False)",
    ".parquet": "parquet({path})",
    ".arrow": "feather({path})",
    ".feather": "feather({path})",
}
_NEW = 'to_csv("reviews.csv", index=False)'


def way_to_one_table(
    member: InputFile, columns: Sequence[ColumnLook], *, delimiter: str, encoding: str
) -> Iterator[str]:
    """Yields what to do about a table that lacks a column of texts or one of labels.

    Args:
        member: Its first file.
        columns: Its columns.
        delimiter: What separates them, of CSV.
        encoding: Its encoding; "" for one that has none.
    """
    if member.inside:
        return
    table = _read(member, delimiter, encoding)
    for column in columns:
        if column.is_nested and member.kind in COLUMNAR:
            yield "This writes a column for each value in them: " + _python(
                f"import pandas; pandas.json_normalize({table}.to_dict({_text('records')})).{_NEW}"
            )
        if _is_object(column.first):
            yield f"{column.name!r} holds JSON; this writes a column for each value in it: " + (
                _python(
                    "import json, pandas; pandas.json_normalize(list(map(json.loads, "
                    f"{table}[{_text(column.name)}]))).{_NEW}"
                )
            )
    if not any(column.is_text and column.words >= _TEXT_WORDS for column in columns):
        yield from _texts_beside(member, columns, table)
    for one, other in combinations(columns, 2):
        if is_opposite(one.name, other.name) and min(one.words, other.words) >= _TEXT_WORDS:
            names = f"[{_text(one.name)}, {_text(other.name)}]"
            yield (
                f"{one.name!r} and {other.name!r} may be reviews of two labels; this writes them "
                "as one column of texts, with one of labels: "
                + _python(
                    f'import pandas; {table}[{names}].melt(var_name="label", value_name="text")'
                    f".dropna().{_NEW}"
                )
            )
            return


def _texts_beside(member: InputFile, columns: Iterable[ColumnLook], table: str) -> Iterator[str]:
    """Yields how to read the texts of the files that a column names, if they are beside it."""
    folder = member.path.parent
    found: dict[str, set[str]] = {}
    for path in islice(folder.rglob("*"), _MOST_FILES):
        if path.suffix.lower() in _SUFFIXES:
            found.setdefault(path.suffix.lower(), set()).add(path.stem)
    for column in columns:
        stem = PurePath(column.first).stem
        for suffix in _SUFFIXES:
            if stem and stem in found.get(suffix, ()):
                name = _text(column.name)
                before = "" if suffix == ".txt" else f"{way_out(f'a{suffix}')} Then "
                yield (
                    f"{column.name!r} names the files of the texts. {before}"
                    f"{'write' if before else 'Write'} them into the table: "
                    + _python(
                        "import pandas, pathlib; "
                        "files = {each.stem: each for each in "
                        f'pathlib.Path({_text(str(folder))}).rglob("*.txt")}}; '
                        f'table = {table}; table["text"] = '
                        '[files[pathlib.Path(str(name)).stem].read_text("utf-8") '
                        f"for name in table[{name}]]; table.{_NEW}"
                    )
                )
                return


def _read(member: InputFile, delimiter: str, encoding: str) -> str:
    """Returns the expression of pandas that reads a table."""
    path = _text(str(member.path))
    if member.kind in _READERS:
        return f"pandas.read_{_READERS[member.kind].format(path=path)}"
    separator = "" if delimiter in ("", ",") else f", sep={_text(delimiter)}"
    encoded = "" if encoding in ("", "utf-8") else f", encoding={_text(encoding)}"
    return f"pandas.read_csv({path}{separator}{encoded}, dtype=str)"


def _is_object(text: str) -> bool:
    with suppress(ValueError, RecursionError):
        return text.lstrip().startswith("{") and isinstance(json.loads(text), dict)
    return False


def _python(code: str) -> str:
    return f"python -c {quote(code)}"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
