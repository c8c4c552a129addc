"""The files of a bundle's folder, and their digests."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lstm_study.errors import ExportError
from lstm_study.files import read_bytes, sha256_of
from lstm_study.folders import replacing_folder

FORMAT = "lstm-study model bundle"
FORMAT_VERSION = 3

NETWORK = "sentiment-lstm.keras"
NETWORK_H5 = "sentiment-lstm.h5"
ENSEMBLE = "sentiment-lstm-ensemble.keras"
ONNX = "sentiment-lstm.onnx"
TEXT_MODEL = "text-model"
VOCABULARY = "vocabulary.txt"
PAIRS = "pairs.txt"
CONFIGURATION = "configuration.json"
CARD = "MODEL_CARD.md"
EXAMPLE = "example.py"
SUMS = "SHA256SUMS"
BUILDER = "builder.py"

_EXPORT_AGAIN = "Write the bundle again with `lstm-study export`."


@contextmanager
def replacing_bundle(folder: Path) -> Iterator[Path]:
    """Yields a folder that takes the bundle's place, with its sums, when the block ends well.

    Raises:
        ExportError: The folder can't be written, or is neither empty nor a bundle.
    """
    is_free = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    if not is_free and not (folder / SUMS).is_file():
        found = f"a folder without {SUMS}" if folder.is_dir() else "a file"
        raise ExportError(
            f"{folder}: must be empty or a model bundle, since it will be replaced. Received: "
            f"{found}. Move it, or choose another folder with --out."
        )
    advice = "Free space, or choose another folder with --out."
    with replacing_folder(folder, error=ExportError, next_step=advice) as new:
        yield new
        write_sums(new)


def write_sums(folder: Path) -> None:
    """Writes the SHA-256 of every file in the folder, in order of name, beside them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    lines = [f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def read_sums(folder: Path) -> dict[str, str]:
    """Reads the SHA-256 of each file by its name in the folder.

    Raises:
        ExportError: There is no such folder, it is no bundle, or the list is damaged.
    """
    path = folder / SUMS
    try:
        text = _read_soon(path).decode()
    except (OSError, UnicodeDecodeError) as error:
        if not folder.is_dir():
            found = (
                "is a file, and a model is a folder" if folder.exists() else "no such model folder"
            )
            raise ExportError(
                f"{folder}: {found}. Give the folder that `lstm-study export` wrote, such as "
                "reports/quickstart/model; unpack an archive of it first."
            ) from None
        raise _unreadable(path, error) from error
    lines = (line.partition("  ") for line in text.splitlines())
    return {name: digest for digest, _, name in lines}


def when_written(folder: Path) -> int:
    """Returns the time of a bundle's list, which no two bundles share; 0 where there is none."""
    with suppress(OSError):
        return (folder / SUMS).stat().st_mtime_ns
    return 0


def _read_soon(path: Path) -> bytes:
    """Reads a bundle's file; its folder has no name for an instant while it is replaced."""
    for seconds in (0.01, 0.05, 0.2):
        with suppress(FileNotFoundError):
            return read_bytes(path)
        time.sleep(seconds)
    return read_bytes(path)


def checked_file(folder: Path, name: str, sums: dict[str, str]) -> Path:
    """Returns the path of one of the bundle's files once its bytes are found to be whole.

    Raises:
        ExportError: The file is missing, or not the one that was written.
    """
    path = folder / name
    try:
        found = sha256_of(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    if name not in sums:
        raise ExportError(f"{path}: is not listed in {SUMS}. {_EXPORT_AGAIN}")
    if found != sums[name]:
        raise ExportError(
            f"{path}: must have the SHA-256 that {SUMS} gives, {sums[name][:12]}... "
            f"Received: {found[:12]}... The file is damaged or was changed. {_EXPORT_AGAIN}"
        )
    return path


def _unreadable(path: Path, error: OSError | UnicodeDecodeError) -> ExportError:
    if isinstance(error, FileNotFoundError):
        return ExportError(
            f"{path}: is missing, so this model bundle is incomplete. {_EXPORT_AGAIN}"
        )
    reason = (isinstance(error, OSError) and error.strerror) or error
    step = "Correct its permissions." if isinstance(error, PermissionError) else _EXPORT_AGAIN
    return ExportError(f"{path}: cannot be read ({reason}). {step}")
