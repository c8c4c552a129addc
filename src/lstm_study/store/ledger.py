"""Which files a study has written, so that one that is missing or replaced is noticed."""

from pathlib import Path

from lstm_study.records.kinds import BY_TYPE
from lstm_study.records.lines import append_line, read_lines
from lstm_study.records.session import LedgerEntry


class Ledger:
    """The list of the files of a study's folder, appended to whenever one is first written."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / BY_TYPE[LedgerEntry].path
        self._known: tuple[int, dict[str, str]] = (0, {})

    @property
    def exists(self) -> bool:
        """Whether there is one: studies of earlier versions have none."""
        return self.path.is_file()

    def files(self) -> dict[str, str]:
        """Returns the files there should be, each with its SHA-256; "" where it carries its own.

        Raises:
            RecordError: The list is damaged.
        """
        if self._size() != self._known[0]:
            files: dict[str, str] = {}
            for entry in read_lines(self.path, LedgerEntry).values():
                _apply(entry, files)
            self._known = (self._size(), files)
        return self._known[1]

    def ignore(self) -> None:
        """Reads no list from now on, for it is damaged; the file stays as it is."""
        self._known = (self._size(), {})

    def note(self, file: str, sha256: str = "") -> None:
        """Lists a file that was written; without the SHA-256 of one that carries its own digest."""
        if self.files().get(file) != sha256:
            self._append(LedgerEntry(file=file, sha256=sha256))

    def remove(self, file: str) -> None:
        """Takes a file off the list that is to be made again."""
        if file in self.files():
            self._append(LedgerEntry(file=file, is_removed=True))

    def removed(self) -> set[str]:
        """Returns the files that were ever taken off the list, made again or not."""
        if not self.exists:
            return set()
        entries = read_lines(self.path, LedgerEntry).values()
        return {entry.file for entry in entries if entry.is_removed}

    def _append(self, entry: LedgerEntry) -> None:
        files = self.files()
        append_line(self.path, entry)
        _apply(entry, files)
        self._known = (self._size(), files)

    def _size(self) -> int:
        return self.path.stat().st_size if self.exists else 0


def _apply(entry: LedgerEntry, files: dict[str, str]) -> None:
    if entry.is_removed:
        files.pop(entry.file, None)
    else:
        files[entry.file] = entry.sha256
