"""Which files a study has written, so that one that is missing or replaced is noticed."""

from collections.abc import Iterable
from pathlib import Path

from lstm_study.records.kinds import BY_TYPE
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

    @property
    def exists(self) -> bool:
        """Whether there is one: studies of earlier versions have none."""
        return self.path.is_file()

    def files(self) -> dict[str, str]:
        """Returns the files there should be, each with its SHA-256; "" where it carries its own.

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

    def salvage(self) -> None:
        """From now on reads only the undamaged lines of a damaged list; the file stays as it is."""
        self._take(whole_lines(self.path, LedgerEntry))

    def note(self, file: str, sha256: str = "") -> None:
        """Lists a file that was written; without the SHA-256 of one that carries its own digest."""
        if self.files().get(file) != sha256:
            self._append(LedgerEntry(file=file, sha256=sha256))

    def remove(self, file: str) -> None:
        """Takes a file off the list that is to be made again, and notes that it was."""
        if file in self.files() or file not in self.removed():
            self._append(LedgerEntry(file=file, is_removed=True))

    def _read(self) -> None:
        if self._size() != self._size_read:
            with repair_advice(LedgerEntry):
                entries = read_lines(self.path, LedgerEntry).values()
            self._take(entries)

    def _take(self, entries: Iterable[LedgerEntry]) -> None:
        self._files, self._removed = {}, set()
        for entry in entries:
            self._apply(entry)
        self._size_read = self._size()

    def _append(self, entry: LedgerEntry) -> None:
        self._read()
        append_line(self.path, entry)
        self._apply(entry)
        self._size_read = self._size()

    def _apply(self, entry: LedgerEntry) -> None:
        if entry.is_removed:
            self._files.pop(entry.file, None)
            self._removed.add(entry.file)
        else:
            self._files[entry.file] = entry.sha256

    def _size(self) -> int:
        return self.path.stat().st_size if self.exists else 0
