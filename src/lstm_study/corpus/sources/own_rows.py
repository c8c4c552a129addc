"""The rows of a user's files, gathered while their texts stream past."""

import difflib
import logging
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.documents import TEST, TRAIN, VALIDATION
from lstm_study.corpus.files.advice import has_surveyed, option
from lstm_study.corpus.files.column_names import close_names
from lstm_study.corpus.files.columns_of_arrow import class_name, class_names
from lstm_study.corpus.files.input_files import InputFile
from lstm_study.corpus.files.names import ROLES, undecided_roles
from lstm_study.corpus.files.rows import MISSING, Row, not_text, place_of
from lstm_study.corpus.files.table import FileTable, open_table
from lstm_study.corpus.sources.label_values import label_key
from lstm_study.corpus.sources.labels import Labels
from lstm_study.corpus.sources.split_values import role_of_value
from lstm_study.corpus.text.tokens import has_no_spaces, split_tokens
from lstm_study.errors import DataError
from lstm_study.spec import DataTable
from lstm_study.spec.sources import TokenRule

LOOK_ROWS = 2_000
"""How many texts are looked at for spaces between their words."""

_NUMBERS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
_SHOWN = 40

_log = logging.getLogger(__name__)


class _FirstRow(NamedTuple):
    """The row that a file begins at, from 0, among those of all files."""

    row: int
    member: InputFile
    table: FileTable


@dataclass(eq=False)
class OwnRows:
    """Reads rows as a stream of texts, and gathers everything else of them on the way.

    Attributes:
        data: How to read.
        where: What errors call all of it.
        codes: Of each row's label, as `labels` numbers them; -1 for none.
        roles: The split of each row: `TRAIN`, `VALIDATION` or `TEST`.
        rows: The number of each row, from 1, within the files of one path.
        groups: The group of each row; -1 for none.
        lone_surrogates: How many texts hold half a character.
    """

    data: DataTable
    where: str
    codes: "array[int]" = field(default_factory=lambda: array("i"))
    roles: "array[int]" = field(default_factory=lambda: array("b"))
    rows: "array[int]" = field(default_factory=lambda: array("q"))
    groups: "array[int]" = field(default_factory=lambda: array("q"))
    _lines: "array[int]" = field(default_factory=lambda: array("q"))
    _first_rows: list[_FirstRow] = field(default_factory=list)
    _missing: dict[str, tuple[int, str]] = field(default_factory=dict)
    _group_numbers: dict[str, int] = field(default_factory=dict)
    _roles_said: set[Any] = field(default_factory=set)
    lone_surrogates: int = 0
    _characters: int = 0
    _tokens: int = 0
    _looked: int = 0

    def __post_init__(self) -> None:
        self.rule: TokenRule = self.data.token_rule
        self.labels = Labels(self.data.label_column, self.where)

    def texts(self, parts: Sequence[tuple[Sequence[Path], bool]]) -> Iterator[bytes]:
        """Yields the texts of all rows; the rest of each row is gathered on the way."""
        for paths, is_test in parts:
            first = len(self.roles)
            table = open_table(
                paths,
                encoding=self.data.encoding,
                names=self.data.columns,
                beside=[path for other, _ in parts if other is not paths for path in other],
            )
            for member, encoding in table.guesses:
                _log.warning(
                    "%s: is not UTF-8; read as %s. %s sets another.",
                    member, encoding, option("encoding"),
                )  # fmt: skip
            if not has_surveyed():
                for note in (*table.found, *(() if is_test else table.split_notes)):
                    _log.warning("%s: %s.", ", ".join(map(str, paths)), note)
            names = [self.data.text_column, self.data.label_column]
            classes = class_names(table.schema, self.data.label_column)
            split_column = None if is_test else self.data.split_column
            split_names = class_names(table.schema, split_column or "")
            optional = [split_column, self.data.group_column]
            for number, row in enumerate(
                table.rows([*names, *(name for name in optional if name)]), start=1
            ):
                text, label, *rest = row.values
                self._note(row, number, table)
                self.codes.append(self._code(class_name(label, classes), row))
                part = class_name(rest.pop(0), split_names) if split_column else None
                self.roles.append(TEST if is_test else self._role(part, row))
                if self.data.group_column is not None:
                    self.groups.append(self._group(rest.pop(0)))
                yield self._text(text, row)
            if len(self.roles) == first:
                where = ", ".join(map(str, paths))
                raise DataError(f"{where}: must hold reviews. Received: no rows.")
            self._check_roles(before_test=first if is_test else None)

    def check(self) -> None:
        """Refuses files without rows, keys that most records lack, and texts without spaces."""
        rows = len(self.codes)
        if not rows:
            raise DataError(f"{self.where}: must hold reviews. Received: no rows.")
        for name, (count, first) in self._missing.items():
            if count == rows:
                names = self._first_rows[0].table.names
                raise DataError(close_names(name, names, where=self.where))
            if not self.data.drop_empty:
                raise DataError(
                    f"{first}: {count:,} of {rows:,} rows lack {name!r}, this one first. Leave "
                    f"them out with {option('drop_empty', True)}, or name another column."
                )
        if self.data.tokens is None and has_no_spaces(self._tokens, self._characters, self._looked):
            raise DataError(
                f"{self.where}: its texts have {self._characters / max(1, self._tokens):.0f} "
                "characters to a word, as in a language that is written without spaces. Study "
                f"characters with {option('tokens', 'characters')}; or put spaces between the "
                f"words first; or, if these are words, say so with {option('tokens', 'words')}."
            )

    def refuse_empty(self, no_text: NDArray[np.bool_], no_label: NDArray[np.bool_]) -> None:
        """Refuses rows without a word or without a label; the first of them is named."""
        bad = np.flatnonzero(no_text | no_label)
        if not len(bad):
            return
        first = int(bad[0])
        counts = [
            f"{int(which.sum()):,} without a {what}"
            for what, which in (("word", no_text), ("label", no_label))
            if which.any()
        ]
        what = (
            f"the text must hold words. Received: {self._text_at(first)[:_SHOWN]!r}"
            if no_text[first]
            else "the label must not be empty (nan and null count as empty)"
        )
        kinds = f", {' and '.join(counts)}" if len(counts) > 1 else ""
        rows = "is 1 such row" if len(bad) == 1 else f"are {len(bad):,} such rows"
        raise DataError(
            f"{self.place(first)}: {what}. There {rows}{kinds}. Leave them "
            f"out with {option('drop_empty', True)}, or fill them in."
        )

    def _note(self, row: Row, number: int, table: FileTable) -> None:
        if not self._first_rows or self._first_rows[-1].member is not row.member:
            self._first_rows.append(_FirstRow(len(self._lines), row.member, table))
        self._lines.append(row.line or 0)
        self.rows.append(number)

    def _code(self, label: Any, row: Row) -> int:
        if label is MISSING:
            self._miss(self.data.label_column, row)
            return -1
        return self.labels.code(label, row)

    def _role(self, value: Any, row: Row) -> int:
        if self.data.split_column is None:
            return _NUMBERS.get(row.member.role, TRAIN)
        role = role_of_value(value, self.data.split_column)
        if not role:
            name = str(value).strip().lower()
            near = difflib.get_close_matches(name, ROLES, n=1)
            raise DataError(
                f"{row.place}: {self.data.split_column} must be train, validation or test. "
                f"Received: {value!r}." + (f" Did you mean {near[0]!r}?" if near else "")
            )
        self._roles_said.add(value)
        return _NUMBERS[role]

    def _group(self, value: Any) -> int:
        """Returns the number of a group; -1 for none, which is a group of its own."""
        key = "" if value is MISSING else label_key(value)
        return self._group_numbers.setdefault(key, len(self._group_numbers)) if key else -1

    def _text(self, value: Any, row: Row) -> bytes:
        if value is MISSING:
            self._miss(self.data.text_column, row)
            return b""
        if value is None or value != value:  # noqa: PLR0124 - NaN
            return b""
        if not isinstance(value, str):
            raise DataError(not_text(value, row.place))
        if self._looked < LOOK_ROWS:
            self._looked += 1
            self._characters += len("".join(value.split()))
            self._tokens += len(split_tokens(value, self.rule))
        try:
            return value.encode("utf-8")
        except UnicodeEncodeError:
            # Half a character, as programs leave it that cut texts at a number of bytes.
            self.lone_surrogates += 1
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()

    def _miss(self, name: str, row: Row) -> None:
        count, first = self._missing.get(name, (0, row.place))
        self._missing[name] = (count + 1, first)

    def _check_roles(self, *, before_test: int | None) -> None:
        """Checks what split columns say; `before_test` rows come before a test file's own."""
        undecided = undecided_roles(map(label_key, self._roles_said))
        if undecided and self.data.test_path is None:
            raise DataError(
                f"{self.where}: {self.data.split_column} must say which rows are the test half. "
                f"Received: {' and '.join(map(repr, undecided))} beside each other. Rename one of "
                "them to 'test', or both to 'validation'."
            )
        if before_test is not None and TEST in self.roles[:before_test]:
            raise DataError(
                f"{self.where}: the test half must be given in one way. Received: rows of the "
                f"split test, and {option('test_path')}. Remove one."
            )

    def place(self, row: int) -> str:
        """Returns what an error calls a row, from 0 among those of all files."""
        first = self._first_row(row)
        return place_of(first.member, self._lines[row] or None, row - first.row + 1)

    def _text_at(self, row: int) -> str:
        """Reads a row's text again."""
        first = self._first_row(row)
        rows = first.table.rows((self.data.text_column,))
        of_file = (again for again in rows if again.member is first.member)
        return str(next(islice(of_file, row - first.row, None)).values[0] or "")

    def _first_row(self, row: int) -> _FirstRow:
        return next(first for first in reversed(self._first_rows) if first.row <= row)
