"""What every source of reviews has: three functions, and where its files are."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from lstm_study.corpus.documents import Documents
from lstm_study.corpus.types import Split
from lstm_study.errors import DataError, DigestError
from lstm_study.files import sha256_of
from lstm_study.spec import DataTable
from lstm_study.spec.sources import SOURCES


@dataclass(frozen=True, kw_only=True)
class Located:
    """Where the reviews are.

    Attributes:
        paths: The file or folder of reviews, or several.
        shown: What a report calls it: as it was given, or as it was found; "" if packaged.
        sha256: Of the file; "" for a folder.
        content_sha256: Of what is read: the file's, or that of all reviews in the folder.
        extra: The word index of `imdb`, or the test files of `csv`.
        extra_sha256: Of their content; "" without any.
    """

    paths: tuple[Path, ...]
    shown: str
    sha256: str
    content_sha256: str
    extra: tuple[Path, ...] = ()
    extra_sha256: str = ""

    @property
    def path(self) -> Path:
        """The first of `paths`, where there can be only one."""
        return self.paths[0]


def checked_sha256(path: Path, expected: str | None) -> str:
    """Returns a file's SHA-256, which must be the one expected, where one is.

    Raises:
        DataError: There is no such file, or it cannot be read.
        DigestError: Its digest is another one.
    """
    if not path.is_file():
        received = "a folder" if path.is_dir() else "a device or a pipe" if path.exists() else ""
        if received:
            raise DataError(f"{path}: must be a file. Received: {received}.")
        raise DataError(
            f"{path}: no such file. Give the path of your data with --data, or as data.path (a "
            f"relative one is taken from the current folder, {Path.cwd()})."
        )
    try:
        sha256 = sha256_of(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error}).") from error
    if expected is not None and sha256 != expected:
        raise DigestError(
            f"{path}: its SHA-256 must be {expected}. Received: {sha256}. "
            "Download it again, or give the digest of this file as data.sha256."
        )
    return sha256


class SourceModule(Protocol):
    """The three functions that every module of a source has."""

    def locate(self, data: DataTable, *, cache: Path) -> Located:
        """Finds the files and checks their digests.

        Raises:
            DataError: There is no such file, or it is not the one it should be.
            DependencyError: The source needs a package that is not installed.
        """

    def read_documents(self, located: Located, *, data: DataTable) -> Documents:
        """Reads every review, in the source's order.

        Raises:
            DataError: The files cannot be read, or hold something else.
        """

    def read_texts(
        self, split: Split, positions: Sequence[int], *, data: DataTable
    ) -> dict[int, str]:
        """Reads the texts of some reviews of a split again: position → text, {} if it has none.

        Raises:
            DataError: The files are gone, or are not what they were.
        """


def module_of(source: str) -> SourceModule:
    """Returns the module of a source that `spec.sources` has a row for."""
    return cast(SourceModule, import_module(f"{__package__}.{SOURCES[source].module}"))
