"""Several files as one table: the way in for `init`, `data`, `run` and `predict`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from lstm_study.corpus.files.advice import has_option, option
from lstm_study.corpus.files.arrow import open_arrow
from lstm_study.corpus.files.column_names import (
    check_columns,
    check_names,
    check_same_columns,
    columns_in_file_names,
    index_of_widest,
    with_text_columns,
    without_columns,
)
from lstm_study.corpus.files.decompression import encoding_of, open_bytes
from lstm_study.corpus.files.delimited import open_delimited
from lstm_study.corpus.files.encodings import Encoding
from lstm_study.corpus.files.input_files import COLUMNAR, TEXT_KIND, InputFile
from lstm_study.corpus.files.json_records import open_json
from lstm_study.corpus.files.layout import find_files
from lstm_study.corpus.files.other_kinds import FIRST_BYTES, refuse_other_kinds
from lstm_study.corpus.files.parquet import open_parquet
from lstm_study.corpus.files.rows import MISSING, OpenFile, Row
from lstm_study.corpus.files.text_files import FILE, LABEL, TEXT, encoding_of_texts, read_text_file
from lstm_study.errors import DataError


@dataclass(frozen=True, eq=False, kw_only=True)
class FileTable:
    """The files that a path names, as one table.

    Attributes:
        members: Its files.
        encodings: Of each file; None of Parquet and Arrow.
        names: Its columns: those of the file that has the most, and those that names of files say.
        delimiter: Of the file that has the most columns, if that is CSV; "" of others.
        line_end: The same.
        value_in_header: The same: a name that looks like a value, so that names may be missing.
        notes: What reading noticed → how often; complete when the rows were read.
        proposed_names: The same: names for the columns, if names are missing.
        given_names: Of the columns of files that do not begin with them.
        schema: The same, if that is Parquet or Arrow: a `pyarrow.Schema`.
        empty: How many further files hold nothing, not even names of columns.
        headers: The columns of each file; () for texts.
        found: What was noticed when the files were found, in sentences.
        split_notes: The same of their splits.
    """

    members: tuple[InputFile, ...]
    encodings: tuple[Encoding | None, ...]
    names: tuple[str, ...]
    delimiter: str = ""
    line_end: str = ""
    value_in_header: str = ""
    proposed_names: tuple[str, ...] = ()
    given_names: tuple[str, ...] = ()
    notes: dict[str, int] = field(default_factory=dict)
    schema: Any = None
    empty: int = 0
    headers: tuple[tuple[str, ...], ...] = ()
    found: tuple[str, ...] = ()
    split_notes: tuple[str, ...] = ()
    _at: list[Callable[[], int]] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """The sizes of its files in all."""
        return sum(path.stat().st_size for path in {member.path for member in self.members})

    @property
    def done_bytes(self) -> int:
        """How many of them were read so far, about."""
        return min(self.bytes, sum(position() for position in self._at))

    @property
    def guesses(self) -> tuple[tuple[InputFile, Encoding], ...]:
        """The files whose encoding is a guess."""
        return tuple(
            (member, encoding)
            for member, encoding in zip(self.members, self.encodings, strict=True)
            if encoding is not None and encoding.is_guess
        )

    def check_header(self) -> None:
        """Refuses a file if its first line seems to be a review; for use if no column was named.

        Raises:
            DataError: It does.
        """
        check_names(self.members[0], self.value_in_header, self.proposed_names)

    @property
    def remarks(self) -> Iterator[str]:
        """What a person should know of how the rows were read, in sentences."""
        yield from self.found
        if has_option("split_column"):
            yield from self.split_notes
        for member, encoding in self.guesses[:3]:
            yield f"{member} is read as {encoding}; name another with {option('encoding')}"
        for what, count in self.notes.items():
            if count == 1:
                first, _, rest = what.partition(" ")
                yield f"1 {first.removesuffix('s')} {rest.replace('that span ', 'that spans ')}"
            elif count:
                yield f"{count:,} {what}"
            elif what.startswith("quotes"):
                yield what

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[Row]:
        """Yields the rows of all files, in their order.

        With no columns asked for they are all of the table; a file that lacks one of them has
        `MISSING` there.

        Raises:
            DataError: A file lacks a column, or a row is malformed.
        """
        if columns is not None:
            self.check_columns(columns)
        self.notes.clear()
        self._at.clear()
        if self.empty:
            self.notes["files without a line, left out"] = self.empty
        for member, encoding in zip(self.members, self.encodings, strict=True):
            if member.kind == ".txt":
                yield read_text_file(member, encoding, names=self.names, wanted=columns)
                continue
            with self._open(member, columns, encoding) as rows:
                self._at.append(rows.position)
                each = rows.each
                if columns is None and rows.names != self.names:
                    each = self._fitted(rows)
                for number, (line, values) in enumerate(each, start=1):
                    yield Row(member, line, number, values)
                for note, count in rows.notes.items():
                    self.notes[note] = self.notes.get(note, 0) + count
                # A file that is closed has no position any more.
                self._at[-1] = partial(int, 0 if member.inside else member.path.stat().st_size)

    def check_columns(self, columns: Sequence[str]) -> None:
        """Refuses tables if some lack a column that others have.

        Raises:
            DataError: One does. Records of JSON may lack any.
        """
        if self.headers and "json" not in self.members[0].kind:
            check_columns(
                self.members,
                self.headers,
                [name for name in columns if name not in self._in_file_names],
            )

    @cached_property
    def _in_file_names(self) -> tuple[str, ...]:
        """The columns that file names give."""
        return columns_in_file_names(self.members)

    @cached_property
    def _widest(self) -> InputFile:
        """The file that the table takes its columns from."""
        return self.members[index_of_widest(self.members, self.headers)]

    @contextmanager
    def _open(
        self,
        member: InputFile,
        columns: Sequence[str] | None,
        encoding: Encoding | None,
    ) -> Iterator[OpenFile]:
        """Opens a file; what its name says is in its rows, too."""
        said, is_shard = self._in_file_names, member is not self._widest
        own = None if columns is None else [name for name in columns if name not in said]
        with _open_member(member, own, encoding, names=self.given_names, is_shard=is_shard) as rows:
            if not said:
                yield rows
                return
            values = [dict(member.columns).get(name, MISSING) for name in said]
            names = (*(rows.names if own is None else own), *said)
            places = [names.index(name) for name in (names if columns is None else columns)]
            each = (
                (line, [all_values[place] for place in places])
                for line, row in rows.each
                for all_values in ([*row, *values],)
            )
            yield replace(rows, names=(*rows.names, *said), each=each)

    def _fitted(self, rows: OpenFile) -> Iterator[tuple[int | None, list[Any]]]:
        """Yields rows of a file with other columns as those of the first one."""
        known = {name.casefold() for name in self.names}
        if more := sum(name.casefold() not in known for name in rows.names):
            note = f"columns that {self._widest.name} does not have, left out"
            self.notes[note] = self.notes.get(note, 0) + more
        places = {name: place for place, name in enumerate(rows.names)}
        folded = {name.casefold(): place for name, place in places.items()}
        found = [places.get(name, folded.get(name.casefold())) for name in self.names]
        for line, values in rows.each:
            yield line, [MISSING if place is None else values[place] for place in found]


def open_table(
    paths: Sequence[Path],
    *,
    encoding: str | None = None,
    names: Sequence[str] | None = None,
    labelled: bool = True,
    beside: Sequence[Path] = (),
) -> FileTable:
    """Finds the files that some paths name, their encodings and their columns.

    Each is a file, a zip archive, a folder or a pattern; `encoding` is that of all of them, and
    `names` are their columns, if they are CSV without a header line. Both may be meant for the
    files of other paths, which are read `beside` these. Unless they are to be `labelled`, texts
    beside folders of labels are read, too: see `find_files`.

    Raises:
        DataError: There is nothing to read, or it cannot be read.
    """
    layout = find_files(paths, labelled=labelled)
    # Programs that write shards leave empty ones.
    found = layout.members
    members = tuple(member for member in found if _has_content(member)) or found[:1]
    if names and not _may_lack_names(members[0]):
        if not any(_may_lack_names(member) for member in _found(beside)):
            raise DataError(
                f"{members[0]}: its columns have names. Remove {option('columns')}, which is for "
                "CSV and TSV without a line of them."
            )
        names = None
    if members[0].kind == ".txt":
        labels = (
            (LABEL,) if any(member.label for member in members) else columns_in_file_names(members)
        )
        return FileTable(
            members=members,
            encodings=(encoding_of_texts(members, encoding),) * len(members),
            names=(TEXT, *labels, FILE),
            found=layout.notes,
            split_notes=layout.split_notes,
        )
    encodings = _encodings(members, encoding, beside=beside)
    each: list[OpenFile] = []
    for member, encoding_of_it in zip(members, encodings, strict=True):
        with _open_member(member, None, encoding_of_it, names=names or ()) as rows:
            each.append(rows)
    headers = [rows.names for rows in each]
    widest = each[index_of_widest(members, headers)]
    if len(set(headers)) > 1 and all(rows.value_in_header for rows in each):
        check_names(members[0], each[0].value_in_header, each[0].proposed_names)
    check_same_columns(members, headers, where=", ".join(map(str, paths)))
    members = tuple(without_columns(member, headers) for member in members)
    said = columns_in_file_names(members)
    return FileTable(
        members=members,
        encodings=encodings,
        names=(*widest.names, *said),
        delimiter=widest.delimiter,
        line_end=widest.line_end,
        value_in_header=widest.value_in_header,
        proposed_names=widest.proposed_names,
        given_names=tuple(names or ()),
        schema=with_text_columns(widest.schema, said),
        empty=len(found) - len(members),
        headers=tuple(headers),
        found=layout.notes,
        split_notes=layout.split_notes,
    )


def _found(paths: Sequence[Path]) -> Sequence[InputFile]:
    return find_files(paths).members if paths else ()


def _encodings(
    members: Sequence[InputFile], given: str | None, *, beside: Sequence[Path]
) -> tuple[Encoding | None, ...]:
    """Returns the encoding of each table; None of Parquet and Arrow, which have none.

    Raises:
        DataError: One was given, and no file has any.
    """
    if members[0].kind not in COLUMNAR:
        return tuple(encoding_of(member, given) for member in members)
    if given is not None and all(member.kind in COLUMNAR for member in _found(beside)):
        kind = "Parquet" if members[0].kind == ".parquet" else "Arrow"
        raise DataError(f"{members[0]}: {kind} has no encoding. Remove {option('encoding')}.")
    return (None,) * len(members)


def _may_lack_names(member: InputFile) -> bool:
    """Whether a file may not begin with the names of its columns, as CSV."""
    return "json" not in member.kind and member.kind not in (*COLUMNAR, TEXT_KIND)


@contextmanager
def _open_member(
    member: InputFile,
    columns: Sequence[str] | None,
    encoding: Encoding | None,
    *,
    names: Sequence[str] = (),
    is_shard: bool = False,
) -> Iterator[OpenFile]:
    if encoding is None:
        opener = open_parquet if member.kind == ".parquet" else open_arrow
        with opener(member, columns) as rows:
            yield rows
        return
    member = replace(member, encoding=encoding.name)
    if "json" in member.kind:
        with open_json(member, columns, encoding) as rows:
            yield rows
    else:
        with open_delimited(member, columns, encoding, names=names, is_shard=is_shard) as rows:
            yield rows


def _has_content(member: InputFile) -> bool:
    """Returns whether a file is not empty; refuses one that is plainly no table."""
    if member.kind == ".txt":
        return True  # an empty text is a row without text, for its own rule
    with open_bytes(member) as raw:
        first = raw.read(FIRST_BYTES)
    refuse_other_kinds(str(member), first, suffix=member.kind)
    return bool(first)
