"""Tables whose texts are in other files, or in a column for each label: how to make one of them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import combinations, islice, product
from pathlib import Path, PurePath

from lstm_study.corpus.files.advice import way_out
from lstm_study.corpus.files.input_files import COLUMNAR, InputFile
from lstm_study.corpus.files.json_advice import is_object
from lstm_study.corpus.files.shell_commands import literal, new_name, python_command
from lstm_study.corpus.sources.columns import ColumnLook
from lstm_study.corpus.sources.polarity import has_opinions

_SUFFIXES = (".txt", ".eml", ".html", ".htm", ".md", ".docx", ".pdf")
_MOST_FILES = 20_000
_TEXT_WORDS = 3.0
_ARROW_FILE = b"ARROW1"
_READERS = {
    ".jsonl": "pandas.read_json({path}, lines=True, dtype=False)",
    ".ndjson": "pandas.read_json({path}, lines=True, dtype=False)",
    ".json": "pandas.read_json({path}, dtype=False)",
    ".parquet": "pandas.read_parquet({path})",
}


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
    write = f".to_csv({literal(new_name(member, '-table.csv'))}, index=False)"
    for column in columns:
        if column.is_nested and member.kind in COLUMNAR:
            rows = f'{table}.to_dict("records")'
            yield "This writes a column for each value in them: " + python_command(
                f"pandas.json_normalize({rows}){write}"
            )
        if is_object(column.first):
            rows = f"list(map(json.loads, {table}[{literal(column.name)}].dropna()))"
            yield (
                f"{column.name!r} holds JSON; this writes a column for each value in it: "
                + python_command(f"pandas.json_normalize({rows}){write}")
            )
    if not any(column.is_text and column.words >= _TEXT_WORDS for column in columns):
        yield from _texts_beside(member, columns, table, write)
    for one, other in combinations(columns, 2):
        if has_opinions((one.name, other.name)) and min(one.words, other.words) >= _TEXT_WORDS:
            names = f"[{literal(one.name)}, {literal(other.name)}]"
            yield (
                f"{one.name!r} and {other.name!r} may be reviews of two labels; this writes them "
                "as one column of texts, with one of labels: "
                + python_command(
                    f'{table}[{names}].melt(var_name="label", value_name="text").dropna(){write}'
                )
            )
            return


def _texts_beside(
    member: InputFile, columns: Iterable[ColumnLook], table: str, write: str
) -> Iterator[str]:
    """Yields how to read the texts of the files that a column names, if they are beside it."""
    folder = member.path.parent
    paths = [path for path in islice(folder.rglob("*"), _MOST_FILES) if path.suffix]
    for suffix, column in product(_SUFFIXES, columns):
        stems = Counter(path.stem for path in paths if path.suffix.lower() == suffix)
        files = _files_named(folder, column.first, suffix, stems)
        if files:
            before = "" if suffix == ".txt" else f"{way_out(f'a{suffix}')} Then "
            yield (
                f"{column.name!r} names the files of the texts. {before}"
                f"{'write' if before else 'Write'} them into the table: "
                + python_command(
                    f'{files[0]}table = {table}; table["text"] = [{files[1]}.read_text("utf-8") '
                    f"for name in map(str, table[{literal(column.name)}])]; table{write}"
                )
            )
            return


def _files_named(
    folder: Path, name: str, suffix: str, stems: Mapping[str, int]
) -> tuple[str, str] | None:
    """Returns code that comes first, and code that finds the text of each name, as .txt.

    Names are paths within the folder, with a suffix or without it; or else stems of files anywhere
    below it. None where no file has the name, or where several have one stem.

    Args:
        folder: Of the table.
        name: The first one.
        suffix: Of the files.
        stems: Of all such files below the folder, and how many have each.
    """
    if not name or not stems:
        return None
    where = literal(str(folder))
    if name.lower().endswith(suffix) and _is_file(folder / name):
        of_text = "" if suffix == ".txt" else '.with_suffix(".txt")'
        return "", f"pathlib.Path({where}, name){of_text}"
    if _is_file(folder / f"{name}{suffix}"):
        return "", f'pathlib.Path({where}, name + ".txt")'
    if PurePath(name).stem not in stems or max(stems.values()) > 1:
        return None
    before = f'files = {{each.stem: each for each in pathlib.Path({where}).rglob("*.txt")}}; '
    return before, "files[pathlib.Path(name).stem]"


def _is_file(path: Path) -> bool:
    with suppress(OSError, ValueError):  # It may be a long text.
        return path.is_file()
    return False


def _read(member: InputFile, delimiter: str, encoding: str) -> str:
    """Returns the expression of pandas that reads a table."""
    path = literal(str(member.path))
    if member.kind in _READERS:
        return _READERS[member.kind].format(path=path)
    if member.kind in COLUMNAR:
        with member.path.open("rb") as file:
            is_file = file.read(len(_ARROW_FILE)) == _ARROW_FILE
        opener = f"pyarrow.ipc.open_{'file' if is_file else 'stream'}"
        return f"{opener}(pyarrow.memory_map({path})).read_pandas()"
    separator = "" if delimiter in ("", ",") else f", sep={literal(delimiter)}"
    encoded = "" if encoding in ("", "utf-8") else f", encoding={literal(encoding)}"
    return f"pandas.read_csv({path}{separator}{encoded}, dtype=str)"
