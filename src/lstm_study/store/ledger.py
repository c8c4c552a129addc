"""Which files a study has written, so that one that is missing or replaced is noticed."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from lstm_study.records.kinds import BY_TYPE, kind_of
from lstm_study.records.lines import append_line, read_lines, whole_lines
from lstm_study.records.session import LedgerEntry
from lstm_study.store.repair_advice import repair_advice


class Ledger:
    """The list of the files of a study's folder, appended to whenever one is first written."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / BY_TYPE[LedgerEntry].path
        self._size_read = 0
        self._files: dict[str, str] = {}
        self._removed: set[str] = set()
        self._unconfirmed: dict[str, set[str]] = {}
        """The digests that a file had before the listed one, which may not be written yet."""

    @property
    def exists(self) -> bool:
        """Whether there is one: studies of earlier versions have none."""
        return self.path.is_file()

    def files(self) -> dict[str, str]:
        """Returns the files there should be, each with its SHA-256, or the digest it ends with.

        It is "" for one that is still to change, and for those of earlier versions.

        Raises:
            RecordError: The list is damaged.
        """
        self._read()
        return self._files

    def removed(self) -> set[str]:
        """Returns the files that were ever taken off the list, made again or not.

        Raises:
            RecordError: The list is damaged.
        """
        self._read()
        return self._removed

    def is_unconfirmed(self, file: str) -> bool:
        """Whether the listed content of a file is not confirmed yet.

        Raises:
            RecordError: The list is damaged.
        """
        self._read()
        return file in self._unconfirmed

    def allows(self, file: str, digest: str) -> bool:
        """Whether a file that ends with this digest is the one that was written last.

        Until the listed content is confirmed, the one before it may still be there: a kill may have
        kept it from being replaced, more than once.

        Raises:
            RecordError: The list is damaged.
        """
        self._read()
        known = {self._files.get(file, ""), *self._unconfirmed.get(file, ())}
        return "" in known or digest in known

    def salvage(self) -> None:
        """From now on reads only the undamaged lines of a damaged list; the file stays as it is.

        Of what replaced a record, or a state, the line may be lost: the digests of these are left
        out.
        """
        self._take(
            entry if kind_of(entry.file).is_listed_by_hash else replace(entry, sha256="")
            for entry in whole_lines(self.path, LedgerEntry)
        )

    def note(self, file: str, sha256: str = "") -> None:
        """Lists a file, with the SHA-256 of its content or the digest it ends with."""
        if self.files().get(file) != sha256:
            self._append(LedgerEntry(file=file, sha256=sha256))

    def confirm(self, file: str) -> None:
        """Lists a file again, as it was noted, now that this is its content."""
        self._append(LedgerEntry(file=file, sha256=self.files()[file]))

    def remove(self, file: str) -> None:
        """Takes a file off the list that is to be made again, and notes that it was."""
        if file in self.files() or file not in self.removed():
            self._append(LedgerEntry(file=file, is_removed=True))

    def _read(self) -> None:
        if self.size != self._size_read:
            with repair_advice(LedgerEntry):
                entries = read_lines(self.path, LedgerEntry).values()
            self._take(entries)

    def _take(self, entries: Iterable[LedgerEntry]) -> None:
        self._files, self._removed, self._unconfirmed = {}, set(), {}
        for entry in entries:
            self._apply(entry)
        self._size_read = self.size

    def _append(self, entry: LedgerEntry) -> None:
        self._read()
        append_line(self.path, entry)
        self._apply(entry)
        self._size_read = self.size

    def _apply(self, entry: LedgerEntry) -> None:
        before = self._files.get(entry.file)
        if entry.is_removed:
            self._files.pop(entry.file, None)
            self._unconfirmed.pop(entry.file, None)
            self._removed.add(entry.file)
            return
        self._files[entry.file] = entry.sha256
        if before is None or before == entry.sha256:
            self._unconfirmed.pop(entry.file, None)
        else:
            self._unconfirmed.setdefault(entry.file, set()).add(before)

    @property
    def size(self) -> int:
        """How many bytes the list has."""
        return self.path.stat().st_size if self.exists else 0
