"""Names of columns: those that a table has, which files lack one, and which one may be meant."""

import difflib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lstm_study.corpus.files.advice import has_option, option, reading
from lstm_study.corpus.files.input_files import (
    SHOWN,
    InputFile,
    listed,
)
from lstm_study.errors import DataError


def are_positions(names: Sequence[str]) -> bool:
    """Returns whether names are 0, 1, 2 …, as pandas writes them for columns that have none."""
    return list(names) == [str(place) for place in range(len(names))]


def without_names(where: object, value: str, names: Sequence[str], *, why: str = "") -> str:
    """Says that a file has no line of column names, and how to name the columns."""
    return (
        f"{where}: must begin with a line of column names. Received: {value[:40]!r}, "
        f"{why or 'which looks like a value'}. Name the columns in their order with "
        f"{option('columns', tuple(names))}"
    )


def close_names(name: str, names: Sequence[str], *, where: str) -> str:
    """Says that a column does not exist, which ones do, and which one may be meant."""
    by_lower = {other.lower(): other for other in reversed(names)}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    shown = ", ".join(repr(other[:30]) for other in names[:8]) or "no columns"
    options = [
        option(key)
        for key in ("text_column", "label_column", "split_column", "group_column")
        if has_option(key)
    ]
    named = f"{', '.join(options[:-1])} or {options[-1]}" if len(options) > 1 else options[0]
    return (
        f"{where}: must have a column {name!r}. Received: {shown}"
        + (", ..." if len(names) > 8 else "")
        + ". "
        + (f"Did you mean {by_lower[near[0]]!r}? " if near else "")
        + f"Name the column with {named}."
    )


def check_same_columns(
    members: Sequence[InputFile], headers: Sequence[Sequence[str]], *, where: str
) -> None:
    """Refuses tables that are not parts of one table.

    Raises:
        DataError: They share less than half of the columns of the smallest.
    """
    folded = [frozenset(map(str.casefold, names)) for names in headers]
    if 2 * len(frozenset.intersection(*folded)) >= min(map(len, folded)):
        return
    alike: dict[frozenset[str], list[int]] = {}
    for number, names in enumerate(folded):
        alike.setdefault(names, []).append(number)
    groups = sorted(alike.values(), key=lambda group: not may_be_reviews(headers[group[0]]))
    said = [
        f"{_shown(headers[group[0]])} ({listed([members[number].name for number in group])})"
        for group in groups[:SHOWN]
    ]
    said += [f"{len(groups) - SHOWN:,} others"] if len(groups) > SHOWN else []
    raise DataError(
        f"{where}: must hold tables of the same columns. Received: {'; '.join(said)}. Give those "
        f"that hold the reviews, such as {reading([members[groups[0][0]].given])}; or give all the "
        "same columns."
    )


def check_columns(
    members: Sequence[InputFile], headers: Sequence[Sequence[str]], columns: Sequence[str]
) -> None:
    """Refuses tables if some lack a column that others have.

    Raises:
        DataError: One does; the others are named, as they are to be given.
    """
    folded = [set(map(str.casefold, names)) for names in headers]
    for column in columns:
        having = [column.casefold() in names for names in folded]
        if all(having) or not any(having):
            continue
        lacks = having.index(False)
        whole = [
            member.given
            for member, names in zip(members, folded, strict=True)
            if {each.casefold() for each in columns} <= names
        ]
        others = [member.name for member, has in zip(members, having, strict=True) if not has]
        if not whole:
            advice = "Write one table that has all columns"
        elif len(whole) <= SHOWN:
            advice = f"Leave such files out: {reading(whole)}"
        else:
            advice = f"Leave such files out: {listed(others)}"
        raise DataError(
            f"{members[lacks]}: must have a column {column!r}, as {members[having.index(True)]} "
            f"has. Received: {_shown(headers[lacks])}. {advice}."
        )


def may_be_reviews(names: Sequence[str]) -> bool:
    """Returns whether a column is named as one of reviews."""
    words = ("text", "review", "comment", "message", "content", "tweet", "sentence")
    return any(word in name.casefold() for name in names for word in words)


def _shown(names: Sequence[str]) -> str:
    return ", ".join(repr(name[:30]) for name in names[:SHOWN]) + ", ..." * (len(names) > SHOWN)


def check_names(member: InputFile, value: str, proposed: Sequence[str]) -> None:
    if value:
        raise DataError(
            f"{without_names(member, value, proposed)}; or, if it has the names, give the texts' "
            f"with {option('text_column')}."
        )


def index_of_widest(members: Sequence[InputFile], headers: Sequence[Sequence[str]]) -> int:
    """Returns the index of the file that has the most columns.

    Ties go to a file with columns that may be reviews, then to one of training reviews.
    """
    return max(
        range(len(members)),
        key=lambda at: (len(headers[at]), may_be_reviews(headers[at]), members[at].role == "train"),
    )


def columns_in_file_names(members: Sequence[InputFile]) -> tuple[str, ...]:
    """Returns the columns that file names give, such as `label` of `label=pos/`."""
    return tuple(dict.fromkeys(name for member in members for name, _ in member.columns))


def without_columns(member: InputFile, headers: Sequence[Sequence[str]]) -> InputFile:
    """Returns a file without the columns of its name that a table has itself."""
    own = {name.casefold() for names in headers for name in names}
    columns = tuple(each for each in member.columns if each[0].casefold() not in own)
    return replace(member, columns=columns)


def with_text_columns(schema: Any, names: Sequence[str]) -> Any:
    """Returns a schema of Arrow with columns of text behind its own."""
    if schema is not None and names:
        import pyarrow

        for name in names:
            schema = schema.append(pyarrow.field(name, pyarrow.string()))
    return schema
