"""Where each source's files are: given, found, or downloaded; each with its digest checked."""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lstm_study.corpus.cache import writing
from lstm_study.corpus.sources import aclimdb, packaged
from lstm_study.corpus.sources.download import (
    IMDB_SHA256,
    IMDB_URL,
    WORD_INDEX_MD5,
    WORD_INDEX_URL,
    download,
)
from lstm_study.errors import DataError, DigestError
from lstm_study.files import sha256_of
from lstm_study.spec import DataTable

Progress = Callable[[str, int, int], None]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Source:
    """The files of a source, found and checked.

    Attributes:
        path: The file or folder of reviews.
        shown: How a report calls it: as it was given, or as it was found; "" if packaged.
        sha256: Of the file; "" for a folder.
        content_sha256: Of what is read: the file's, or that of all reviews in the folder.
        extra: The word index of `imdb`, or the test file of `csv`.
        extra_sha256: Its SHA-256; "" without one.
    """

    path: Path
    shown: str
    sha256: str
    content_sha256: str
    extra: Path | None = None
    extra_sha256: str = ""


def locate(data: DataTable, *, base: Path, cache: Path, progress: Progress | None = None) -> Source:
    """Finds the files that `[data]` asks for.

    Args:
        data: The spec's table.
        base: Folder that relative paths are resolved against.
        cache: Where downloads are kept.
        progress: Called during a download.

    Raises:
        DataError: There is no such file.
        DigestError: It is not the file it should be.
    """
    if data.source == "imdb":
        return _imdb(data, base=base, cache=cache, progress=progress)
    if data.source == "reviews":
        path = packaged.packaged_csv() if data.path is None else given(data.path, base)
        sha256 = _checked(path, data.sha256 or packaged.CSV_SHA256)
        return Source(path=path, shown=data.path or "", sha256=sha256, content_sha256=sha256)
    if data.path is None:
        raise DataError(
            'data.path is needed for data.source "aclimdb". Get aclImdb_v1.tar.gz from '
            "https://ai.stanford.edu/~amaas/data/sentiment/ and give its path."
        )
    path = given(data.path, base)
    if data.source == "aclimdb" and path.is_dir():
        return _folder(path, data)
    sha256 = _checked(path, data.sha256)
    extra = None if data.test_path is None else given(data.test_path, base)
    return Source(
        path=path,
        shown=data.path,
        sha256=sha256,
        content_sha256=sha256,
        extra=extra,
        extra_sha256="" if extra is None else _checked(extra, None),
    )


def given(path: str, base: Path) -> Path:
    """Returns the path that a study file names."""
    return base / Path(path).expanduser()


def _checked(path: Path, expected: str | None) -> str:
    """Returns a file's SHA-256, checked if one is expected."""
    try:
        sha256 = sha256_of(path)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file. Give the path of your data as data.path.") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error}).") from error
    if expected is not None and sha256 != expected:
        raise DigestError(
            f"{path}: its SHA-256 must be {expected}. Received: {sha256}. "
            "Get the file anew, or give the digest of this one as data.sha256."
        )
    return sha256


def _folder(path: Path, data: DataTable) -> Source:
    if data.sha256 is not None:
        raise DataError(
            f"{path}: data.sha256 fits a file. Received: a folder. Remove it, or give the archive."
        )
    return Source(
        path=path, shown=data.path or "", sha256="", content_sha256=aclimdb.folder_sha256(path)
    )


def _imdb(data: DataTable, *, base: Path, cache: Path, progress: Progress | None) -> Source:
    downloads = cache / "downloads"
    if data.path is not None:
        path = given(data.path, base)
        path = path / "imdb.npz" if path.is_dir() else path
        sha256 = _checked(path, data.sha256)
    else:
        path = _found("imdb.npz", _keras_folder(), downloads) or _download(
            IMDB_URL, downloads, IMDB_SHA256, progress
        )
        sha256 = _checked(path, data.sha256 or IMDB_SHA256)
    extra = _word_index(path, sha256, downloads=downloads, progress=progress)
    return Source(
        path=path,
        shown=data.path or str(path),
        sha256=sha256,
        content_sha256=sha256,
        extra=extra,
        extra_sha256="" if extra is None else _checked(extra, None),
    )


def _word_index(
    path: Path, sha256: str, *, downloads: Path, progress: Progress | None
) -> Path | None:
    """Returns the word index of an `imdb.npz`: beside it, or Keras's own for Keras's own file."""
    name = "imdb_word_index.json"
    if sha256 != IMDB_SHA256:
        return _found(name, path.parent)
    found = _found(name, path.parent, _keras_folder(), downloads)
    if found is not None:
        return found
    try:
        return _download(WORD_INDEX_URL, downloads, f"md5:{WORD_INDEX_MD5}", progress)
    except DataError as error:
        _log.warning("%s: the words of its ids are not known: %s", path, error)
        return None


def _download(url: str, folder: Path, digest: str, progress: Progress | None) -> Path:
    with writing(folder):
        pass
    return download(url, folder=folder, digest=digest, progress=progress)


def _found(name: str, *folders: Path) -> Path | None:
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def _keras_folder() -> Path:
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "datasets"
