"""Keras's published `imdb.npz` and its word index, downloaded whole or not at all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lstm_study.errors import DataError, DigestError

IMDB_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb.npz"
IMDB_SHA256 = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
WORD_INDEX_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb_word_index.json"
# The only digest that Keras publishes for this file.
WORD_INDEX_MD5 = "bfafd718b763782e994055a2d397834f"

_TIMEOUT_SECONDS = 30
_CHUNK_BYTES = 1 << 16


def download(
    url: str,
    *,
    folder: Path,
    digest: str,
    progress: Callable[[str, int, int], None] | None = None,
) -> Path:
    """Downloads a file, checks its digest, and only then gives it its name.

    Args:
        url: Where it is; the last part names the file.
        folder: Where it goes; made if needed.
        digest: Its SHA-256 in hexadecimal, or "md5:" and its MD5.
        progress: Called with "downloading NAME", bytes received, and bytes in all (0: not known).

    Returns:
        The file's path.

    Raises:
        DigestError: Another file came.
        DataError: Nothing came, or not all of it; nothing is left behind.
    """
    import pooch

    name = url.rsplit("/", 1)[-1]
    advice = "Try again, or give the file's path as data.path."
    # pooch announces each download on standard error; the caller shows progress instead.
    pooch.get_logger().setLevel("WARNING")
    meter = None if progress is None else _Meter(f"downloading {name}", progress)
    downloader = pooch.HTTPDownloader(
        progressbar=meter if meter is not None else False,
        chunk_size=_CHUNK_BYTES,
        timeout=_TIMEOUT_SECONDS,
    )
    try:
        path = pooch.retrieve(
            url, known_hash=digest, fname=name, path=folder, downloader=downloader
        )
    except OSError as error:  # what requests raises are OSErrors too
        raise DataError(f"{url}: could not be downloaded ({_one_line(error)}). {advice}") from error
    except ValueError as error:
        raise DigestError(
            f"{url}: is not the file it should be, and was not kept ({_one_line(error)}). {advice}"
        ) from error
    return Path(path)


class _Meter:
    """What pooch expects of a progress bar: `total`, `update`, `reset`, `close`."""

    def __init__(self, stage: str, progress: Callable[[str, int, int], None]) -> None:
        self.total: int | None = 0
        self._stage, self._progress, self._done = stage, progress, 0

    def update(self, amount: int) -> None:
        # pooch reports whole chunks, the last one too.
        total = int(self.total or 0)
        self._done = min(self._done + amount, total) if total else self._done + amount
        self._progress(self._stage, self._done, total)

    def reset(self) -> None:
        # pooch resets a bar at the end and then fills it once more.
        self._done = 0

    def close(self) -> None:
        pass


def _one_line(error: Any) -> str:
    return " ".join(str(error).split()) or type(error).__name__
