"""Keras's `imdb.npz`: frequency ranks per review, pickled. It holds no texts."""

import contextlib
import io
import json
import logging
import os
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.cache import CACHE_VARIABLE
from lstm_study.corpus.documents import TEST, TRAIN, Documents
from lstm_study.corpus.home_folder import with_home
from lstm_study.corpus.sources.download import (
    IMDB_SHA256,
    IMDB_URL,
    WORD_INDEX_MD5,
    WORD_INDEX_URL,
    download,
)
from lstm_study.corpus.sources.plain_pickle import read_ragged
from lstm_study.corpus.sources.source import Located, checked_sha256
from lstm_study.corpus.types import Split
from lstm_study.errors import DataError
from lstm_study.files import array_from, array_header, sha256_of
from lstm_study.spec import DataTable

LABEL_NAMES = ("negative", "positive")
_MEMBER_LIMIT_BYTES = 2**31 - 1
_FREE_BYTES, _MOST_TIMES = 1 << 26, 100
_MAX_RANK = 2**31 - 1 - 1_000

_log = logging.getLogger(__name__)


def locate(data: DataTable, *, cache: Path) -> Located:
    """Finds `imdb.npz` where it is given or in Keras's cache, or downloads it to ours."""
    downloads = cache / "downloads"
    if data.paths:
        path = with_home(data.paths[0])
        path = path / "imdb.npz" if path.is_dir() else path
        sha256 = checked_sha256(path, data.sha256)
    else:
        path = _found("imdb.npz", _keras_folder()) or _download(IMDB_URL, downloads, IMDB_SHA256)
        sha256 = checked_sha256(path, data.sha256 or IMDB_SHA256)
    extra = _word_index(path, sha256, downloads=downloads)
    return Located(
        paths=(path,),
        shown=data.paths[0] if data.paths else str(path),
        sha256=sha256,
        content_sha256=sha256,
        extra=() if extra is None else (extra,),
        extra_sha256="" if extra is None else checked_sha256(extra, None),
    )


def read_documents(located: Located, *, data: DataTable | None = None) -> Documents:
    """Reads an `imdb.npz` whole, in the file's order; words only with its word index.

    Raises:
        DataError: Either file is missing, damaged or not what it should be.
    """
    path = located.path
    train, train_offsets, train_labels = read_half(path, "train")
    test, test_offsets, test_labels = read_half(path, "test")
    ranks = np.concatenate([train, test])
    words = None
    if located.extra:
        words = read_word_index(located.extra[0], highest=int(ranks.max(initial=0)))
    rows = [np.arange(len(train_labels)), np.arange(len(test_labels))]
    return Documents(
        where=str(path),
        numbers=ranks,
        offsets=np.concatenate([train_offsets, test_offsets[1:] + train_offsets[-1]]),
        labels=np.concatenate([train_labels, test_labels]),
        roles=np.repeat(
            np.array([TRAIN, TEST], dtype=np.int8), [len(train_labels), len(test_labels)]
        ),
        document_ids=np.concatenate(rows),
        words=words,
        ranked=True,
        label_names=LABEL_NAMES,
    )


def read_texts(split: Split, positions: Sequence[int], *, data: DataTable) -> dict[int, str]:
    """Returns {}: the file holds no texts."""
    return {}


def read_half(
    path: Path, name: str
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int8]]:
    """Reads "train" or "test": ranks, flat; offsets; labels.

    Raises:
        DataError: The file is missing, damaged, or holds anything but such reviews.
    """
    advice = 'Give Keras\'s imdb.npz, or data.source "aclimdb", "reviews" or "csv".'
    try:
        with zipfile.ZipFile(path) as archive:
            raw = _member(archive, f"x_{name}.npy", where=str(path))
            raw_labels = _member(archive, f"y_{name}.npy", where=str(path))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file. {advice}") from None
    except KeyError as error:
        raise DataError(f"{path}: must hold x_{name} and y_{name} ({error}). {advice}") from error
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError,
            RuntimeError) as error:  # fmt: skip
        raise DataError(f"{path}: is damaged, or not an .npz file ({error}). {advice}") from error
    ranks, offsets = read_ragged(
        _pickle_of(raw, where=f"{path}: x_{name}"),
        where=f"{path}: x_{name}",
        is_known=sha256_of(path) == IMDB_SHA256,
    )
    if len(ranks) and not 1 <= int(ranks.min()) <= int(ranks.max()) <= _MAX_RANK:
        raise DataError(
            f"{path}: x_{name} must hold ranks from 1. "
            f"Received: {ranks.min()} to {ranks.max()}. {advice}"
        )
    labels = _labels(raw_labels, where=f"{path}: y_{name}")
    if len(labels) != len(offsets) - 1 or len(labels) == 0:
        raise DataError(
            f"{path}: x_{name} and y_{name} must have the same length, 1 or more. "
            f"Received: {len(offsets) - 1} reviews, {len(labels)} labels. {advice}"
        )
    return ranks, offsets, labels


def read_word_index(path: Path, *, highest: int) -> tuple[str, ...]:
    """Reads the words of a word index in order of rank: JSON, word → rank from 1 without gaps.

    It must reach the highest rank in the reviews.

    Raises:
        DataError: The file is not such an index, or another file's.
    """
    try:
        ranks = json.loads(path.read_text(encoding="utf-8"))
        words = sorted(ranks, key=ranks.__getitem__)
        whole = [ranks[word] for word in words] == list(range(1, len(words) + 1))
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path}: is not a word index ({error}). Move it away, or download it again."
        ) from error
    if not whole or highest > len(words):
        raise DataError(
            f"{path}: must number its words 1, 2, 3, ... and reach rank {highest}. "
            f"Received: {len(words)} words. It may belong to another imdb.npz: move it away."
        )
    return tuple(words)


def _member(archive: zipfile.ZipFile, name: str, *, where: str) -> bytes:
    info = archive.getinfo(name)
    size, limit = info.file_size, max(_FREE_BYTES, _MOST_TIMES * info.compress_size)
    if size > min(limit, _MEMBER_LIMIT_BYTES):
        raise DataError(
            f"{where}: {name} must unpack to at most {min(limit, _MEMBER_LIMIT_BYTES):,} bytes, "
            f"for it is {info.compress_size:,} packed. Received: {size:,}. Do not trust this file."
        )
    return archive.read(name)


def _pickle_of(raw: bytes, *, where: str) -> bytes:
    file = io.BytesIO(raw)
    try:
        _, _, dtype = array_header(file)
    except ValueError as error:
        raise DataError(f"{where}: is not a NumPy array ({error}).") from error
    if dtype != np.dtype(object):
        raise DataError(f"{where}: must be an array of lists. Received: an array of {dtype}.")
    return file.read()


def _labels(raw: bytes, *, where: str) -> NDArray[np.int8]:
    try:
        labels = array_from(raw)
    except ValueError as error:
        raise DataError(f"{where}: must hold labels 0 and 1. The array {error}.") from error
    if labels.ndim != 1 or labels.dtype.kind not in "iub" or not np.isin(labels, (0, 1)).all():
        raise DataError(f"{where}: must hold one label per review, 0 or 1.")
    return labels.astype(np.int8)


def _word_index(path: Path, sha256: str, *, downloads: Path) -> Path | None:
    """Returns the word index of an `imdb.npz`: beside it, or Keras's own for Keras's own file."""
    name = "imdb_word_index.json"
    if sha256 != IMDB_SHA256:
        return _found(name, path.parent)
    # One that was downloaded is used where its digest is right, and downloaded again where not.
    found = _found(name, *(each for each in (path.parent, _keras_folder()) if each != downloads))
    if found is not None:
        return found
    try:
        return _download(WORD_INDEX_URL, downloads, f"md5:{WORD_INDEX_MD5}")
    except DataError as error:
        _log.warning("%s: the words of its token ids are unknown: %s", path, error)
        return None


def _download(url: str, folder: Path, digest: str) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"{folder}: the cache must be a folder that can be written ({error}). "
            f"Set {CACHE_VARIABLE} to another one."
        ) from error
    return download(url, folder=folder, digest=digest)


def _found(name: str, *folders: Path) -> Path | None:
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def _keras_folder() -> Path:
    named = Path(os.environ.get("KERAS_HOME") or "~/.keras")
    with contextlib.suppress(RuntimeError):  # Without a home folder there is none.
        named = named.expanduser()
    return named / "datasets"
