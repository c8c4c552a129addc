"""A first look at a user's files: which column holds the text, which the label, split and group.

Nothing is split or numbered here: `own_files` does that once the columns are known.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from lstm_study.corpus.files.advice import option
from lstm_study.corpus.files.column_names import are_positions, without_names
from lstm_study.corpus.files.columns_of_arrow import class_name, class_names
from lstm_study.corpus.files.layout import check_levels
from lstm_study.corpus.files.rows import MISSING
from lstm_study.corpus.files.table import FileTable, open_table
from lstm_study.corpus.files.text_files import FILE, TEXT
from lstm_study.corpus.sources.columns import (
    GROUP_NAMES,
    ColumnLook,
    column_named,
    garbled_in,
    group_column,
    html_in,
    label_column,
    missing_texts,
    other_texts,
    plain_name,
    read_splits,
    rejected_rows,
    split_column,
    text_column,
    unused_splits,
)
from lstm_study.corpus.sources.label_values import as_number, label_key, label_text
from lstm_study.corpus.sources.labels import Labels
from lstm_study.corpus.sources.other_layouts import way_to_one_table
from lstm_study.corpus.sources.own_rows import LOOK_ROWS
from lstm_study.corpus.sources.polarity import chosen_by_alphabet
from lstm_study.corpus.sources.split_values import role_of_value
from lstm_study.corpus.text.garbled import garbled_word
from lstm_study.corpus.text.tokens import has_no_spaces, split_tokens
from lstm_study.errors import DataError

_MOST_VALUES = 12
_FEW_TEXTS = 20
_TAG = re.compile(
    r"</?(?:a|b|blockquote|br|center|div|em|font|h[1-6]|hr|i|img|li|ol|p|pre|s|small|span|strong"
    r"|sub|sup|table|td|th|tr|u|ul)(?:\s+[\w:-]+=[^<>]{0,500})?\s*/?>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:[A-Za-z]{2,8}|#\d{1,6}|#x[0-9A-Fa-f]{1,5});")
_LONGEST_MISSING = 8
_JOINED, _JOINED_SHARE = 5, 0.02


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
class UserChoices:
    """What a user says about the files; None or empty for what is to be detected.

    `columns` are the names of all columns, of files that do not begin with them.
    """

    text_column: str | None = None
    label_column: str | None = None
    split_column: str | None = None
    group_column: str | None = None
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    encoding: str | None = None
    columns: tuple[str, ...] = ()


def survey(paths: Sequence[Path], *, choices: UserChoices | None = None) -> Survey:
    """Looks at files, folders, zip archives or patterns, and finds out which column is what.

    Raises:
        DataError: The files can't be read; which column is what can't be told; or the labels are
            not two. Each says what to do.
    """
    choices = choices or UserChoices()
    where = ", ".join(map(str, paths))
    table = open_table(paths, encoding=choices.encoding, names=choices.columns)
    if choices.text_column is None:
        table.check_header()
    rows, columns, seen = _look(table, where, label=choices.label_column)
    if not rows:
        raise DataError(f"{where}: must hold reviews. Received: no rows.")
    split = column_named(choices.split_column, columns, where) or split_column(columns)
    is_of_texts = table.members[0].kind == ".txt"
    others = [c for c in columns if c is not split and not (is_of_texts and c.name == FILE)]
    _refuse_texts_without_label(table, where)
    if choices.label_column is None:
        check_levels(table.members, where)
    # Of folders of texts it is known which column is what.
    known = TEXT if is_of_texts else None
    try:
        text = column_named(choices.text_column or known, columns, where)
        text = text or _once(text_column, others, where)
        label = column_named(choices.label_column, columns, where)
        label = label or _once(
            partial(label_column, text=text.name), [c for c in others if c is not text], where
        )
    except DataError as error:
        raise _with_way(error, table, columns) from error
    table.check_columns((text.name, label.name))
    labels = seen[label.name].labels
    if choices.label_column is None and not (choices.columns or are_positions(table.names)):
        _check_label_header(label.name, text.name, labels.counts(), rows, table)
    if choices.columns and not (choices.positive or choices.negative):
        _check_first_label(labels.counts(), where)
    labels.sides(positive=choices.positive, negative=choices.negative, positive_label=None)
    group = column_named(choices.group_column, columns, where) or group_column(
        [c for c in others if c not in (text, label)], rows
    )
    used = (text, label, group)
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
        has_test=_has_test(table, split),
        has_no_spaces=text.has_no_spaces,
        notes=(
            *table.remarks,
            *labels.folded(),
            *(unused_splits(columns) if split is None else read_splits(split)),
            *(
                other_texts(c for c in others if c not in used)
                if choices.text_column is None
                else ()
            ),
            *html_in(text),
            *garbled_in(text),
            *missing_texts(text),
            *rejected_rows(columns, label),
            *_by_alphabet(labels, choices),
        ),
    )


def _once(
    choose: Callable[[Sequence[ColumnLook], str], ColumnLook],
    columns: Sequence[ColumnLook],
    where: str,
) -> ColumnLook:
    """Returns the column that is chosen, rather not one of several of one name.

    Tools write a list of values as such columns: "Labels", "Labels (2)".
    """
    found = choose(columns, where)
    names = {column.name for column in columns}
    twice = {name for name in names if f"{name} (2)" in names}
    if found.name.partition(" (")[0] not in twice:
        return found
    with suppress(DataError):
        return choose([c for c in columns if c.name.partition(" (")[0] not in twice], where)
    return found


def _with_way(error: DataError, table: FileTable, columns: Sequence[ColumnLook]) -> DataError:
    """Returns the error on a table's columns, with what to do if it is one of another layout."""
    encoding = table.encodings[0]
    ways = way_to_one_table(
        table.members[0],
        columns,
        delimiter=table.delimiter,
        encoding="" if encoding is None else encoding.name,
    )
    way = next(ways, "")
    if not way:
        return error
    of_each = " For its first file, and so for each:" if len(table.members) > 1 else ""
    return DataError(f"{error}{of_each} {way}")


def _refuse_texts_without_label(table: FileTable, where: str) -> None:
    if table.names == (TEXT, FILE):
        raise DataError(
            f"{where}: texts must be in folders that are named by their labels, such as pos/ and "
            "neg/. Received: texts in no such folder."
            + (
                " If each line of a file is a review, rename it, to pos.tsv or neg.tsv, and name "
                f"the column with {option('columns', ('text',))}."
                if len(table.members) <= _FEW_TEXTS
                else ""
            )
        )


def _has_test(table: FileTable, split: ColumnLook | None) -> bool:
    """Returns whether the names of files or a split column say which rows are the test half."""
    if any(member.role == "test" for member in table.members):
        return True
    if split is None:
        return False
    return any(role_of_value(value, split.name) == "test" for value in split.values or ())


def text_column_of(table: FileTable, *, where: str) -> str:
    """Returns the column that holds the texts, as far as its first rows tell.

    Raises:
        DataError: None does, or several may.
    """
    table.check_header()
    _, columns, _ = _look(table, where, most=LOOK_ROWS)
    return text_column(columns, where).name


def _look(
    table: FileTable, where: str, *, label: str | None = None, most: int | None = None
) -> tuple[int, list[ColumnLook], dict[str, "_Seen"]]:
    """Reads all rows, or so many; returns their number, the columns and what was seen of each."""
    seen = {
        name: _Seen(name, where, classes=class_names(table.schema, name), is_label=name == label)
        for name in table.names
    }
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

    def __init__(
        self, name: str, where: str, *, classes: Sequence[str] = (), is_label: bool = False
    ) -> None:
        self.name, self._classes, self._is_label = name, classes, is_label
        self.labels = Labels(name, where)
        self._few = True
        self._keys: dict[int, int] | None = {} if plain_name(name) in GROUP_NAMES else None
        self._order = self._words = self._filled = self._texts = self._characters = self._tokens = 0
        self._entities = self._missing = self._nested = self._looked = 0
        self._tags, self._tag, self._first = 0, "", ""
        self._garbled, self._garbled_word = 0, ""

    def add(self, value: Any, *, is_sample: bool) -> None:
        if is_sample and isinstance(value, str) and value.strip():
            self._filled += 1
            self._first = self._first or value
            self._words += len(value.split())
            self._texts += as_number(value) is None
            self._entities += _ENTITY.search(value) is not None
            if (tag := _TAG.search(value)) is not None:
                self._tags += 1
                self._tag = self._tag or tag[0]
            if word := garbled_word(value):
                self._garbled += 1
                self._garbled_word = self._garbled_word or word
            self._missing += len(value) < _LONGEST_MISSING and not label_text(value)
            self._characters += len("".join(value.split()))
            self._tokens += len(split_tokens(value, "words"))
        if is_sample:
            self._looked += 1
            self._nested += isinstance(value, dict | list)
        if value is MISSING:
            self._order = hash((self._order, -1))
            return
        if self._classes:
            value = class_name(value, self._classes)
        if self._keys is not None and (key := label_key(value)):
            number = hash(key)
            self._keys[number] = self._keys.get(number, 0) + 1
        if self._is_label or (self._few and len(label_text(value)) < 200):
            # Twelve values, and the one that makes them too many.
            code = self.labels.code(value)
            self._few = code < _MOST_VALUES and self._few
            self._order = hash((self._order, code))
        elif self._few:
            self._few = False

    def look(self) -> ColumnLook:
        return ColumnLook(
            name=self.name,
            values=self.labels.counts() if self._few or self._is_label else None,
            words=self._words / self._filled if self._filled else 0.0,
            is_text=self._texts * 2 > self._filled,
            filled_texts=self._filled,
            entities=self._entities,
            tags=self._tags,
            tag=self._tag,
            garbled=self._garbled,
            garbled_word=self._garbled_word,
            missing=self._missing,
            is_nested=self._nested * 2 > self._looked,
            has_no_spaces=has_no_spaces(self._tokens, self._characters, self._filled),
            groups=(len(self._keys), max(self._keys.values())) if self._keys else (0, 0),
            first=self._first,
            order=self._order,
        )


def _check_first_label(counts: Mapping[str, int], where: str) -> None:
    """Refuses a third label that the first line alone has: a name that the column had already.

    Args:
        counts: How many rows have each label, the first row's label first.
        where: The files.
    """
    (name, rows), *others = counts.items()
    if len(others) > 1 and rows == 1 and min(count for _, count in others) > 1:
        raise DataError(
            f"{where}: the first line has the label {name[:40]!r}, and no other line has it: it "
            f"may hold the columns' names. If so, leave out {option('columns')}; if not, say which "
            f"labels are {option('positive')} and which {option('negative')}."
        )


def _check_label_header(
    name: str, text: str, counts: Mapping[str, int], rows: int, table: FileTable
) -> None:
    """Refuses a file if its first line has a label in the place of a column's name.

    A few rows with that label are the headers of concatenated files: the check of the labels
    refuses those. A column may have the name of one of its labels ("spam") if the text column's
    name is one word.
    """
    if text.isidentifier():
        return
    same = sum(n for label, n in counts.items() if label_key(label) == label_key(name))
    if same > max(_JOINED, _JOINED_SHARE * rows):
        known = {text: "text", name: "label"}
        names = [
            known.get(each, f"column{place}") for place, each in enumerate(table.names, start=1)
        ]
        why = f"which {same:,} rows below have as their label"
        lacking = without_names(table.members[0], name, names, why=why)
        raise DataError(
            f"{lacking}; or, if it is one, name the label's with {option('label_column')}."
        )


def _by_alphabet(labels: Labels, choices: UserChoices) -> Iterable[str]:
    names = list(labels.counts())
    is_named = bool(choices.positive or choices.negative)
    if len(names) == 2 and (sentence := chosen_by_alphabet(names, is_named=is_named)):
        yield sentence


def _encoding_to_name(table: FileTable, given: str | None) -> str:
    if given is not None:
        return given
    names = {encoding.name for encoding in table.encodings if encoding is not None}
    is_plain = names <= {"utf-8", "utf-8-sig", "utf-16", "utf-32"}
    return "" if is_plain or len(names) > 1 else names.pop()
