"""A first look at a user's files: which column holds the text, which the label, split and group.

Nothing is split or numbered here: `own_files` does that once the columns are known.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from lstm_study.corpus.files.advice import option
from lstm_study.corpus.files.members import ROLES
from lstm_study.corpus.files.rows import MISSING, are_positions, close_names
from lstm_study.corpus.files.table import FILE, TEXT, Table, open_table
from lstm_study.corpus.sources.labels import (
    Labels,
    as_number,
    is_arbitrary,
    label_key,
    label_text,
    order_labels,
)
from lstm_study.corpus.sources.own_files import LOOK_ROWS, has_no_spaces
from lstm_study.corpus.text.tokens import split_tokens
from lstm_study.errors import DataError

TEXT_NAMES = ("text", "review", "review_text", "reviewtext", "content", "comment", "tweet",
              "message", "body", "sentence", "document", "rezension", "kommentar")  # fmt: skip
LABEL_NAMES = ("label", "sentiment", "polarity", "target", "class", "category", "rating",
               "stars", "score", "overall", "bewertung", "sterne", "y")  # fmt: skip
SPLIT_NAMES = ("split", "set", "fold", "partition", "subset")
GROUP_NAMES = ("product", "product_id", "productid", "parent_asin", "asin", "item", "item_id",
               "movie", "movie_id", "film", "title", "business_id", "app", "hotel", "book", "user",
               "user_id", "userid", "reviewer", "reviewerid", "reviewer_id", "author")  # fmt: skip
_MOST_VALUES = 12
_TEXT_WORDS = 3.0
_TIMES_LONGER = 3.0
_FEWEST_GROUPS = 20
_LARGEST_GROUP = 0.1
_JOINED, _JOINED_SHARE = 5, 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnLook:
    """One column at a glance.

    Attributes:
        name: Its name.
        values: Distinct values as text → rows that have it, spellings of one label taken together,
            empty ones left out; None where there are more than twelve.
        words: Words per value, the mean of the first rows.
        is_text: Whether the first rows hold text, and not numbers.
        has_no_spaces: Whether its texts look as if they were written without spaces.
        groups: Distinct values and the rows of the most frequent one, of a column that is named as
            one of groups; (0, 0) of others.
    """

    name: str
    values: dict[str, int] | None
    words: float
    is_text: bool
    has_no_spaces: bool = False
    groups: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was found in a user's files.

    Attributes:
        paths: The paths given.
        files: How many files they name.
        encoding: To be named in a study; "" where it need not be.
        rows: Reviews in all.
        columns: All columns, in order.
        text_column: The one that holds the text.
        label_column: The one that holds the label.
        split_column: The one that marks train, validation and test; None without one.
        group_column: The one whose groups belong into one split; None without one.
        has_test: Whether a column, folders or names of files mark test rows.
        has_no_spaces: Whether the texts are written without spaces between words.
        notes: What a person should know of how the files were read, in sentences.
    """

    paths: tuple[Path, ...]
    files: int
    encoding: str
    rows: int
    columns: tuple[ColumnLook, ...]
    text_column: str
    label_column: str
    split_column: str | None
    group_column: str | None
    has_test: bool
    has_no_spaces: bool
    notes: tuple[str, ...]

    @property
    def label_counts(self) -> dict[str, int]:
        """The labels → rows."""
        return next(c.values for c in self.columns if c.name == self.label_column) or {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a user says of the files; None or empty for what is to be detected."""

    text_column: str | None = None
    label_column: str | None = None
    split_column: str | None = None
    group_column: str | None = None
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    encoding: str | None = None


def survey(paths: Sequence[Path], *, choices: Choices | None = None) -> Survey:
    """Looks at files, folders, zip archives or patterns, and finds out which column is what.

    Raises:
        DataError: The files can't be read; which column is what can't be told; or the labels are
            not two. Each says what to do.
    """
    choices = choices or Choices()
    where = ", ".join(map(str, paths))
    table = open_table(paths, encoding=choices.encoding)
    if choices.text_column is None:
        table.check_header()
    rows, columns, seen = _look(table, where, label=choices.label_column)
    if not rows:
        raise DataError(f"{where}: must hold reviews. Received: no rows.")
    split = _named(choices.split_column, columns, where) or next(
        (c for c in columns if _is_split(c)), None
    )
    others = [c for c in columns if c is not split]
    if table.names == (TEXT, FILE):
        raise DataError(
            f"{where}: texts must be in folders that are named by their labels, such as pos/ and "
            "neg/. Received: texts in no such folder."
        )
    text = _named(choices.text_column, columns, where) or _text_column(others, where)
    label = _named(choices.label_column, columns, where) or _label_column(
        [c for c in others if c is not text], where, text.name
    )
    labels = seen[label.name].labels
    if choices.label_column is None and not are_positions(table.names):
        _check_label_header(label.name, labels.counts(), rows, where)
    labels.sides(positive=choices.positive, negative=choices.negative, positive_label=None)
    group = _named(choices.group_column, columns, where) or _group_column(
        [c for c in others if c not in (text, label)], rows
    )
    roles = {member.role for member in table.members}
    return Survey(
        paths=tuple(paths),
        files=len(table.members),
        encoding=_encoding_to_name(table, choices.encoding),
        rows=rows,
        columns=tuple(columns),
        text_column=text.name,
        label_column=label.name,
        split_column=split.name if split is not None else None,
        group_column=None if group is None else group.name,
        has_test="test" in roles
        or (split is not None and any(_role(v) == "test" for v in split.values or ())),
        has_no_spaces=text.has_no_spaces,
        notes=(
            *table.remarks,
            *labels.folded(),
            *(_unused_split(columns) if split is None else ()),
            *_by_alphabet(labels, choices),
        ),
    )


def text_column_of(table: Table, *, where: str) -> str:
    """Returns the column that holds the texts, as far as its first rows tell.

    Raises:
        DataError: None does, or several may.
    """
    table.check_header()
    _, columns, _ = _look(table, where, most=LOOK_ROWS)
    return _text_column(columns, where).name


def _look(
    table: Table, where: str, *, label: str | None = None, most: int | None = None
) -> tuple[int, list[ColumnLook], dict[str, "_Seen"]]:
    """Reads all rows, or so many; returns their number, the columns and what was seen of each."""
    seen = {name: _Seen(name, where, is_label=name == label) for name in table.names}
    columns = list(seen.values())
    count = 0
    for row in islice(table.rows(), most):
        is_sample = count < LOOK_ROWS
        for column, value in zip(columns, row.values, strict=True):
            column.add(value, is_sample=is_sample)
        count += 1
    return count, [each.look() for each in columns], seen


class _Seen:
    """Counts one column's values as they pass; all of them, if it is known to be the label."""

    def __init__(self, name: str, where: str, *, is_label: bool = False) -> None:
        self.name, self._is_label = name, is_label
        self.labels = Labels(name, where)
        self._few = True
        self._keys: dict[int, int] | None = {} if _plain(name) in GROUP_NAMES else None
        self._words = self._filled = self._texts = self._characters = self._tokens = 0

    def add(self, value: Any, *, is_sample: bool) -> None:
        if is_sample and isinstance(value, str) and value.strip():
            self._filled += 1
            self._words += len(value.split())
            self._texts += as_number(value) is None
            self._characters += len("".join(value.split()))
            self._tokens += len(split_tokens(value, "words"))
        if value is MISSING:
            return
        if self._keys is not None and (key := label_key(value)):
            number = hash(key)
            self._keys[number] = self._keys.get(number, 0) + 1
        if self._is_label or (self._few and len(label_text(value)) < 200):
            # Twelve values, and the one that makes them too many.
            self._few = self.labels.code(value) < _MOST_VALUES and self._few
        elif self._few:
            self._few = False

    def look(self) -> ColumnLook:
        return ColumnLook(
            name=self.name,
            values=self.labels.counts() if self._few or self._is_label else None,
            words=self._words / self._filled if self._filled else 0.0,
            is_text=self._texts * 2 > self._filled,
            has_no_spaces=has_no_spaces(self._tokens, self._characters, self._filled),
            groups=(len(self._keys), max(self._keys.values())) if self._keys else (0, 0),
        )


def _check_label_header(name: str, counts: Mapping[str, int], rows: int, where: str) -> None:
    """Refuses a file whose first line has one of the labels in the place of a column's name.

    A few rows of that name are header lines of files that were joined: the labels are refused.
    """
    same = sum(n for label, n in counts.items() if label_key(label) == label_key(name))
    if same > max(_JOINED, _JOINED_SHARE * rows):
        raise DataError(
            f"{where}: must begin with a line of column names. Received: {name[:40]!r}, which "
            f"{same:,} rows below have as their label. Add one, such as text,label."
        )


def _named(name: str | None, columns: Sequence[ColumnLook], where: str) -> ColumnLook | None:
    if name is None:
        return None
    found = [column for column in columns if column.name == name]
    if not found:
        raise DataError(close_names(name, [column.name for column in columns], where=where))
    return found[0]


def _text_column(columns: Sequence[ColumnLook], where: str) -> ColumnLook:
    texts = [
        c for c in columns if c.is_text and (c.values is None or c.words > 1 or c.has_no_spaces)
    ]
    found = _by_name(texts, TEXT_NAMES)
    if found is not None:
        return found
    texts = sorted(
        (c for c in texts if c.words >= _TEXT_WORDS or c.has_no_spaces), key=lambda c: -c.words
    )
    if not texts:
        raise DataError(
            f"{where}: no column looks like reviews. Received: {_names(columns)}. "
            f"Name it with {option('text_column')}."
        )
    if len(texts) > 1 and texts[0].words < _TIMES_LONGER * texts[1].words:
        raise DataError(
            f"{where}: {_names(texts)} may each hold the reviews. Name the one with "
            f"{option('text_column')}."
        )
    return texts[0]


def _label_column(columns: Sequence[ColumnLook], where: str, text: str) -> ColumnLook:
    if not columns:
        raise DataError(
            f"{where}: must have a column of texts and one of labels. Received: one column, "
            f"{text[:40]!r}. Between columns must stand a comma, a semicolon, a tab or a bar."
        )
    known = [c for c in columns if c.values]
    mixed = [c for c in known if len(c.values or ()) > 1]
    two = [c for c in mixed if len(c.values or ()) == 2]
    # A column that is named for it, but has not two labels, is refused for what it holds: stars
    # beside "verified: yes or no" are not to be passed over.
    for candidates in (two, mixed, known):
        found = _by_name(candidates, LABEL_NAMES)
        if found is not None:
            return found
    for candidates in (two, mixed):
        if len(candidates) == 1:
            return candidates[0]
    if mixed:
        shown = ", ".join(f"{c.name[:30]!r} ({len(c.values or ())} labels)" for c in two or mixed)
        raise DataError(
            f"{where}: {shown} may each hold the label. Name the one with {option('label_column')}."
        )
    raise DataError(
        f"{where}: no column holds two labels. Received: {_names(columns)}. Name the label's with "
        f"{option('label_column')}."
    )


def _group_column(columns: Sequence[ColumnLook], rows: int) -> ColumnLook | None:
    """Returns a column of groups: many of them, with repeats, none of them large."""
    fitting = [
        c
        for c in columns
        if _FEWEST_GROUPS <= c.groups[0] <= 0.98 * rows and c.groups[1] <= _LARGEST_GROUP * rows
    ]
    return _by_name(fitting, GROUP_NAMES)


def _by_name(columns: Iterable[ColumnLook], names: Sequence[str]) -> ColumnLook | None:
    """Returns the column that has one of the names, or ends with one: `airline_sentiment`."""
    by_name = {_plain(column.name): column for column in columns}
    by_end = {name.rpartition("_")[2]: column for name, column in reversed(by_name.items())}
    found = (table[name] for table in (by_name, by_end) for name in names if name in table)
    return next(found, None)


def _plain(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.lower())


def _is_split(column: ColumnLook) -> bool:
    return _is_like_split(column) and all(_role(v) for v in column.values or ())


def _is_like_split(column: ColumnLook) -> bool:
    """Returns whether a column is named as one of splits, and holds the name of one."""
    is_named = column.name.lower() in SPLIT_NAMES
    return is_named and any(_role(v) for v in column.values or ())


def _unused_split(columns: Iterable[ColumnLook]) -> Iterable[str]:
    for column in columns:
        if _is_like_split(column) and not _is_split(column):
            others = [v for v in column.values or () if not _role(v)]
            yield (
                f"{column.name!r} is not used as the split: it holds {others[0]!r} and not only "
                "train, validation and test; correct it if the splits are to be kept"
            )


def _role(value: str) -> str:
    return ROLES.get(value.strip().lower(), "")


def _by_alphabet(labels: Labels, choices: Choices) -> Iterable[str]:
    names = list(labels.counts())
    if len(names) == 2 and not choices.positive and not choices.negative and is_arbitrary(names):
        low, high = order_labels((names[0], names[1]), positive_label=None, where="")
        yield (
            f"{high!r} is taken as the positive label by its place in the alphabet; name another "
            f"with {option('positive', (low,))}"
        )


def _encoding_to_name(table: Table, given: str | None) -> str:
    if given is not None:
        return given
    names = {encoding.name for encoding in table.encodings if encoding is not None}
    is_plain = names <= {"utf-8", "utf-8-sig", "utf-16", "utf-32"}
    return "" if is_plain or len(names) > 1 else names.pop()


def _names(columns: Iterable[ColumnLook]) -> str:
    names = [repr(column.name[:30]) for column in columns]
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "") if names else "no columns"
