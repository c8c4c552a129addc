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
    "df.toliteral(path, orient='records', lines=True)."
)
FLAT = "pandas.json_normalize({value})"
"""Objects as a table, with a column for each value within them."""
_DEEPEST = 4
_TEXT_WORDS = 3
_FEW_LINES = 8
_ASSIGNED = re.compile(r"[\w.$ ]+=\s*[\[{]")
_UNASSIGN = r"sed '1s/^[^=]*=//; s/\([]}]\);[[:space:]]*$/\1/'"


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
            yield from _tables(inner, f"{place}[{literal(name)}]", depth - 1)


def frame_of_lists(name: str, value: Any) -> str | None:
    """Returns a table of the records in a list that each record has; None if that holds no texts.

    Of a chat that ends with an answer, it is what was asked, as the text, and the answer.
    """
    if not isinstance(value, list) or max(map(words_of, value), default=0) < _TEXT_WORDS:
        return None
    if len(value) > 1 and all(isinstance(each, dict) and "role" in each for each in value):
        asked, answer = (f'each[{literal(name)}][{at}]["content"]' for at in (-2, -1))
        return f'pandas.DataFrame({{"text": {asked}, "label": {answer}}} for each in {{value}})'
    return f"pandas.json_normalize({{value}}, {literal(name)})"


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
    if text.endswith(",") and _is_object(text[:-1]):
        command = filtered(member, "sed 's/,[[:space:]]*$//'")
        return f"Remove the comma behind each object: {command}"
    if _ASSIGNED.match(text):
        return f"Remove what is around the brackets: {filtered(member, _UNASSIGN)}"
    with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
        if isinstance(ast.literal_eval(text), dict):
            code = "[print(json.dumps(ast.literal_eval(line))) for line in sys.stdin]"
            return f"It is written as Python does: {filtered(member, python_command(code))}"
    return ""


def about_some_lines(bad: Sequence[int], member: InputFile) -> str:
    """Says how to leave some lines out, which are none."""
    if len(bad) <= _FEW_LINES:
        command = f"sed {quote(';'.join(f'{number}d' for number in bad))}"
    else:
        command = "jq -cR 'fromjson? | objects'"
    return f"Leave {'it' if len(bad) == 1 else 'them'} out: {filtered(member, command)}"


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
