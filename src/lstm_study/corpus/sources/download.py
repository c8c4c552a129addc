"""Keras's published `imdb.npz` and its word index, downloaded whole or not at all."""

from pathlib import Path
from typing import Any

from lstm_study.corpus.cache import CACHE_VARIABLE
from lstm_study.errors import DataError, DigestError
from lstm_study.files import step_after

IMDB_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb.npz"
IMDB_SHA256 = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
WORD_INDEX_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb_word_index.json"
# The only digest that Keras publishes for this file.
WORD_INDEX_MD5 = "bfafd718b763782e994055a2d397834f"

_TIMEOUT_SECONDS = 30


def download(url: str, *, folder: Path, digest: str) -> Path:
    """Downloads a file to a folder, checks its digest, and only then gives it its name.

    One that is there already and has that digest is not downloaded again.

    The digest is its SHA-256 in hexadecimal, or "md5:" and its MD5.

    Raises:
        DigestError: Another file came.
        DataError: Nothing came, or not all of it; nothing is left behind.
    """
    import pooch

    name = url.rsplit("/", 1)[-1]
    if (folder / name).exists() and not (folder / name).is_file():
        raise DataError(f"{folder / name}: must be a file. Delete it: it will be downloaded again.")
    advice = "Try again, or give the file's path with --data, or as data.path."
    # pooch announces each download on standard error.
    pooch.get_logger().setLevel("WARNING")
    downloader = pooch.HTTPDownloader(timeout=_TIMEOUT_SECONDS)
    try:
        path = pooch.retrieve(
            url, known_hash=digest, fname=name, path=folder, downloader=downloader
        )
    except OSError as error:  # what requests raises are OSErrors too, without a number
        if error.errno is not None:
            step = f"Free space, or set {CACHE_VARIABLE} to another folder."
            raise DataError(
                f"{folder / name}: cannot be written ({error.strerror}). "
                f"{step_after(error, otherwise=step)}"
            ) from error
        raise DataError(f"{url}: could not be downloaded ({_one_line(error)}). {advice}") from error
    except ValueError as error:
        raise DigestError(
            f"{url}: is not the file it should be, and was not kept ({_one_line(error)}). {advice}"
        ) from error
    return Path(path)


def _one_line(error: Any) -> str:
    return " ".join(str(error).split()) or type(error).__name__
