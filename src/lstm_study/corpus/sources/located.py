"""The files of a source, found and checked."""

from dataclasses import dataclass
from pathlib import Path

from lstm_study.errors import DataError, DigestError
from lstm_study.files import sha256_of


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


def given(path: str, base: Path) -> Path:
    """Returns the path that a study file names."""
    return base / Path(path).expanduser()


def checked_sha256(path: Path, expected: str | None) -> str:
    """Returns a file's SHA-256, which must be the one expected, where one is.

    Raises:
        DataError: There is no such file, or it cannot be read.
        DigestError: Its digest is another one.
    """
    if not path.is_file():
        received = "a folder" if path.is_dir() else "no file" if path.exists() else ""
        if received:
            raise DataError(f"{path}: must be a file. Received: {received}.")
        raise DataError(
            f"{path}: no such file. Give the path of your data as data.path (a relative one is "
            f"taken from the current folder, {Path.cwd()})."
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
