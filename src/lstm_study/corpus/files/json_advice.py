"""Commands that turn JSON of another shape into JSON lines, and lines that are none."""

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from shlex import quote
from typing import Any, NamedTuple

from lstm_study.corpus.files.column_names import are_positions
from lstm_study.corpus.files.input_files import InputFile
from lstm_study.corpus.files.shell_commands import (
    filtered,
    literal,
    python_command,
    to_json_lines,
)

GENERAL = (
    "Write an object per line, or an array of objects; in pandas: "
    "df.to_json(path, orient='records', lines=True)."
)
FLAT = "pandas.json_normalize({value})"
"""Objects as a table, with a column for each value within them."""
_DEEPEST = 4
TEXT_WORDS = 3
"""A value of fewer words is taken for none of the reviews' texts."""
FEW_LINES = 8
"""How many lines are left out by their numbers."""
_ASSIGNED = re.compile(r"[\w.$ ]+=\s*[\[{]")
_UNASSIGN = r"sed '1s/^[^=]*=//; s/\([]}]\);[[:space:]]*$/\1/'"


class Inner(NamedTuple):
    """Where a JSON value holds the rows of a table.

    Attributes:
        place: What leads to it: '["data"]["tickets"]'.
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
    found = _as_table(value)
    if found is not None:
        yield found._replace(place=place)
    if depth and isinstance(value, dict):
        for name, inner in value.items():
            yield from _tables(inner, f"{place}[{literal(name)}]", depth - 1)


def _as_table(value: Any) -> Inner | None:
    """Returns a value's rows, if it is itself a table: one of the shapes that pandas writes."""
    if isinstance(value, list):
        return _of_rows(value, FLAT) if value and isinstance(value[0], dict) else None
    if not isinstance(value, dict) or not value:
        return None
    columns, rows = list(value.values()), value.get("data")
    if "columns" in value and isinstance(rows, list) and rows and isinstance(rows[0], list):
        frame = 'pandas.DataFrame({value}["data"], columns={value}["columns"])'
        return Inner("", len(rows), _most_words(rows[0]), frame)
    if all(isinstance(each, list) for each in columns):
        return _of_lists(columns)
    return _of_objects(columns)


def _of_lists(columns: Sequence[list[Any]]) -> Inner | None:
    """Returns the table of which these are the columns; None if each may be a table itself."""
    is_of_values = bool(columns[0]) and not isinstance(columns[0][0], dict | list)
    if not is_of_values or len(columns) < 2 or len({len(each) for each in columns}) > 1:
        return None
    words = _most_words([each[0] for each in columns])
    return Inner("", len(columns[0]), words, "pandas.DataFrame({value})")


def _of_objects(values: Sequence[Any]) -> Inner | None:
    """Returns the table of which these are the columns or the rows; None if they are neither."""
    first = values[0]
    if not first or not all(
        isinstance(each, dict) and each.keys() == first.keys() for each in values
    ):
        return None
    # As pandas writes a table if it is not told how: each column's values by their index.
    if 1 < len(values) < len(first) or are_positions(list(first)):
        words = _most_words([next(iter(each.values())) for each in values])
        return Inner("", len(first), words, "pandas.DataFrame({value})")
    if len(values) > 1:
        return _of_rows(values, "pandas.json_normalize(list({value}.values()))")
    return None


def _of_rows(rows: Sequence[Any], frame: str) -> Inner:
    return Inner("", len(rows), _inner_words(rows[0]), frame)


def frame_of_lists(name: str, record: Mapping[str, Any]) -> str | None:
    """Returns a table of the records in a list that each record has; None if that holds no texts.

    Each gets the plain values beside the list, such as a label. Of a chat that ends with an answer,
    it is what was asked, as the text, and the answer.
    """
    value = record[name]
    if not isinstance(value, list) or max(map(words_of, value), default=0) < TEXT_WORDS:
        return None
    if len(value) > 1 and all(isinstance(each, dict) and "role" in each for each in value):
        asked, answer = (f'each[{literal(name)}][{at}]["content"]' for at in (-2, -1))
        return f'pandas.DataFrame({{"text": {asked}, "label": {answer}}} for each in {{value}})'
    inner = {key for each in value if isinstance(each, dict) for key in each}
    beside = [
        key
        for key, each in record.items()
        if key not in inner and not isinstance(each, dict | list)
    ]
    meta = f', {json.dumps(beside, ensure_ascii=False)}, errors="ignore"' if beside else ""
    return f"pandas.json_normalize({{value}}, {literal(name)}{meta})"


def about_lists(first_line: str, member: InputFile) -> str:
    """Says what to do about a file of lists in place of objects; "" if it is none."""
    value: Any = None
    with suppress(ValueError, RecursionError):
        value = json.loads(first_line)
    is_lines = isinstance(value, list) and bool(value) and not isinstance(value[0], dict | list)
    if is_lines or first_line.lstrip()[1:].lstrip().startswith("[") or first_line.strip() == "[":
        frame = to_json_lines(member, "pandas.DataFrame({value})", is_lines=is_lines)
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


def about_line(text: str, member: InputFile) -> str:
    """Says what to do about lines that all are as this one is; "" if it is of no known kind."""
    text = text.strip()
    if text.endswith(",") and is_object(text[:-1]):
        command = filtered(member, "sed 's/,[[:space:]]*$//'")
        return f"Remove the comma behind each object: {command}"
    if _ASSIGNED.match(text):
        return f"Remove what is around the brackets: {filtered(member, _UNASSIGN)}"
    with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
        if isinstance(ast.literal_eval(text), dict):
            code = "[print(json.dumps(ast.literal_eval(line))) for line in sys.stdin]"
            return f"It is written as Python does: {filtered(member, python_command(code))}"
    return ""


def about_some_lines(bad: Sequence[int], count: int, member: InputFile) -> str:
    """Says how to leave out lines that are no objects.

    Args:
        bad: Their numbers; not all if there are more than `FEW_LINES`.
        count: How many there are.
        member: The file.
    """
    if count <= FEW_LINES:
        command = f"sed {quote(';'.join(f'{number}d' for number in bad))}"
    else:
        command = "jq -cR 'fromjson? | objects'"
    return f"Leave {'it' if count == 1 else 'them'} out: {filtered(member, command)}"


def is_object(text: str) -> bool:
    """Whether a text is one JSON object."""
    with suppress(ValueError, RecursionError):
        return text.lstrip().startswith("{") and isinstance(json.loads(text), dict)
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
                return "".join(f"[{literal(each)}]" for each in path)
            if text[at] == "{" and text[_behind_blanks(text, at + 1)] == '"':
                continue
            _, at = decoder.raw_decode(text, at)
            at = _behind_blanks(text, at)
    return ""


def _behind_blanks(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\t", "\r", "\n"):
        at += 1
    return at
