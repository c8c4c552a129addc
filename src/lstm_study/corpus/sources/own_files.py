"""A user's own reviews: two labels and a text per row, in files of any usual kind.

Rows are read as a stream: token ids are kept, texts are not.
"""

import difflib
import hashlib
import logging
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.documents import TEST, TRAIN, VALIDATION, Documents
from lstm_study.corpus.files.advice import has_surveyed, option
from lstm_study.corpus.files.layout import find_members
from lstm_study.corpus.files.members import InputFile
from lstm_study.corpus.files.names import ROLES, undecided_roles
from lstm_study.corpus.files.parquet import class_name, class_names
from lstm_study.corpus.files.rows import MISSING, close_names
from lstm_study.corpus.files.table import FileTable, Row, not_text, open_table, place_of
from lstm_study.corpus.sources import Located, checked_sha256
from lstm_study.corpus.sources.label_values import label_key
from lstm_study.corpus.sources.labels import Labels
from lstm_study.corpus.text.tokens import number_words, split_tokens
from lstm_study.corpus.types import Split
from lstm_study.errors import DataError
from lstm_study.spec import DataTable
from lstm_study.spec.sources import TokenRule

FEWEST_TOKENS_PER_CHARACTER = 0.1
LOOK_ROWS = 2_000
_FEWEST_LOOK = 20
_NUMBERS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
_FLAG = re.compile(r"(?:is|in)[_ ]?(train|test)(?:ing)?", re.IGNORECASE)
_TRUE, _FALSE = ("1", "true", "yes"), ("0", "false", "no")
_SHOWN = 40

_log = logging.getLogger(__name__)


def locate(data: DataTable, *, cache: Path) -> Located:
    """Finds the files that `data.path` and `data.test_path` name."""
    paths = tuple(Path(path).expanduser() for path in data.paths)
    members = find_members(paths)
    extra = tuple(Path(path).expanduser() for path in data.test_paths)
    sha256 = ""
    if len(members) == 1 and {members[0].path, Path(members[0].given)} & set(paths):
        sha256 = checked_sha256(members[0].path, data.sha256)
    elif data.sha256 is not None:
        raise DataError(
            f"{', '.join(data.paths)}: data.sha256 is one file's. Received: {len(members)} files. "
            "Remove data.sha256."
        )
    return Located(
        paths=paths,
        shown=", ".join(data.paths),
        sha256=sha256,
        content_sha256=_content_sha256(members),
        extra=extra,
        extra_sha256=_content_sha256(find_members(extra)) if extra else "",
    )


def read_texts(split: Split, positions: Sequence[int], *, data: DataTable) -> dict[int, str]:
    """Reads the texts of some reviews again, by their rows."""
    paths, beside = (
        [Path(path).expanduser() for path in given] for given in (data.paths, data.test_paths)
    )
    if split.name == "test" and beside:
        paths, beside = beside, paths
    wanted = {int(split.document_ids[position]): position for position in positions}
    table = open_table(paths, encoding=data.encoding, names=data.columns, beside=beside)
    found = {
        wanted[number]: str(row.values[0])
        for number, row in enumerate(table.rows((data.text_column,)), start=1)
        if number in wanted
    }
    if missing := sorted(set(positions) - found.keys()):
        raise DataError(
            f"{paths[0]}: row {split.document_ids[missing[0]]} is missing, and was there when it "
            "was first read."
        )
    return {position: found[position] for position in positions}


def read_documents(located: Located, *, data: DataTable) -> Documents:
    """Reads reviews from tables or folders of texts.

    They are in the order of their rows; `document_ids` are row numbers, from 1.

    Raises:
        DataError: A row breaks a rule (it is named), or the rows together do.
    """
    reading = _Reading(data, where=located.shown or str(located.path))
    numbered = number_words(
        reading.texts(
            [(located.paths, False), *([(located.extra, True)] if located.extra else [])]
        ),
        rule=reading.rule,
    )
    reading.check()
    sides, names = reading.labels.sides(
        positive=data.positive or (),
        negative=data.negative or (),
        positive_label=data.positive_label,
    )
    if reading.halves:
        what = "1 text holds" if reading.halves == 1 else f"{reading.halves:,} texts hold"
        _log.warning(
            "%s: %s half a character (a lone surrogate), read as a replacement character.",
            reading.where, what,
        )  # fmt: skip
    if not has_surveyed():
        for sentence in reading.labels.folded():
            _log.warning("%s: %s.", reading.where, sentence)
    codes = np.frombuffer(reading.codes, dtype=np.int32)
    side = np.array([*sides, -1], dtype=np.int8)[codes]
    no_label = codes < 0
    other_label = ~no_label & (side < 0)
    no_text = ~no_label & ~other_label & (np.diff(numbered.offsets) == 0)
    if not data.drop_empty:
        reading.refuse_empty(no_text, no_label)
    kept = ~(no_text | no_label | other_label)
    left_out = {
        "without a word": int(no_text.sum()),
        "without a label": int(no_label.sum()),
        "with another label": int(other_label.sum()),
    }
    _warn_of_both_labels(reading, numbered.text_digests, np.where(kept, side, np.int8(-1)))
    documents = Documents(
        where=reading.where,
        numbers=numbered.numbers,
        offsets=numbered.offsets,
        labels=side,
        roles=np.frombuffer(reading.roles, dtype=np.int8),
        document_ids=np.frombuffer(reading.rows, dtype=np.int64),
        words=numbered.words,
        ranked=False,
        label_names=names,
        groups=None if data.group_column is None else np.frombuffer(reading.groups, dtype=np.int64),
        text_digests=numbered.text_digests,
        left_out=tuple((why, count) for why, count in left_out.items() if count),
        rule=reading.rule,
    )
    return documents if kept.all() else documents.where_kept(kept)


def _warn_of_both_labels(
    reading: "_Reading", digests: NDArray[np.uint64], side: NDArray[np.int8]
) -> None:
    """Logs how many texts occur with both labels; a review that is left out has side -1."""
    _, text_of = np.unique(digests, return_inverse=True)
    has_both = np.isin(text_of, text_of[side == 0]) & np.isin(text_of, text_of[side == 1])
    reviews = np.flatnonzero(has_both & (side >= 0))
    if len(reviews):
        texts = len(np.unique(text_of[reviews]))
        what = "1 text has" if texts == 1 else f"{texts:,} texts have"
        _log.warning(
            "%s: %s one label in some reviews and the other one in others, %s reviews in all, the "
            "first: %s. No model can classify all of them correctly.",
            reading.where, what, f"{len(reviews):,}", reading.place(int(reviews[0])),
        )  # fmt: skip


@dataclass(eq=False)
class _Reading:
    """What is gathered while texts stream past.

    Attributes:
        data: How to read.
        where: What errors call all of it.
    """

    data: DataTable
    where: str
    codes: "array[int]" = field(default_factory=lambda: array("i"))
    roles: "array[int]" = field(default_factory=lambda: array("b"))
    rows: "array[int]" = field(default_factory=lambda: array("q"))
    groups: "array[int]" = field(default_factory=lambda: array("q"))
    _lines: "array[int]" = field(default_factory=lambda: array("q"))
    _members: list[tuple[int, InputFile, FileTable]] = field(default_factory=list)
    _missing: dict[str, tuple[int, str]] = field(default_factory=dict)
    _group_numbers: dict[str, int] = field(default_factory=dict)
    _roles_said: set[Any] = field(default_factory=set)
    halves: int = 0
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
                names = self._members[0][2].names
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
        if not self._members or self._members[-1][1] is not row.member:
            self._members.append((len(self._lines), row.member, table))
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
        role = role_of(value, self.data.split_column)
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
            self.halves += 1
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
        start, member, _ = next(each for each in reversed(self._members) if each[0] <= row)
        return place_of(member, self._lines[row] or None, row - start + 1)

    def _text_at(self, row: int) -> str:
        """Reads a row's text again."""
        _, member, table = next(each for each in reversed(self._members) if each[0] <= row)
        for again in table.rows((self.data.text_column,)):
            if again.member is member and (again.line or 0) == self._lines[row]:
                return str(again.values[0] or "")
        return ""


def role_of(value: Any, column: str) -> str:
    """Returns what a value of a split column says: train, validation or test; "" for neither.

    Example:
        >>> role_of("Dev", "split"), role_of(True, "is_train"), role_of("0", "is_train")
        ('validation', 'train', 'test')
    """
    name = label_key(value)
    flag = _FLAG.fullmatch(column)
    if flag is None or name in ROLES:
        return ROLES.get(name, "")
    roles = ("test", "train") if flag[1].lower() == "train" else ("train", "test")
    return roles[name in _TRUE] if name in (*_TRUE, *_FALSE) else ""


def has_no_spaces(tokens: int, characters: int, texts: int) -> bool:
    """Returns whether texts look as if nothing separated their words."""
    return texts >= _FEWEST_LOOK and tokens < FEWEST_TOKENS_PER_CHARACTER * characters


def _content_sha256(members: Sequence[InputFile]) -> str:
    """Returns a SHA-256 of all that is read: contents, and what the names say."""
    digest = hashlib.sha256()
    by_path: dict[Path, str] = {}
    for member in members:
        if member.path not in by_path:
            by_path[member.path] = checked_sha256(member.path, None)
        name: tuple[object, ...]
        name = (member.inside, member.kind, member.compression, member.role, member.label)
        name += member.columns
        digest.update(f"{name}\0{by_path[member.path]}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
