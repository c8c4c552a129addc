"""A folder that is replaced whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lstm_study.errors import ExportError
from lstm_study.export.layout import SUMS


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Yields an empty folder beside `folder` that takes its place when the block ends well.

    A process killed meanwhile leaves the earlier folder under its own name or, during the exchange
    itself, under a hidden name from which the next call restores it.

    Args:
        folder: The bundle to replace; the folder it lies in is made.

    Raises:
        ExportError: It can't be written, or holds something that is no bundle.
    """
    new, old = folder.parent / f".{folder.name}.new~", folder.parent / f".{folder.name}.old~"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _recover(folder, new=new, old=old)
        _refuse_strangers(folder)
        new.mkdir()
        try:
            yield new
            _synchronise(new)
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
        finally:
            _recover(folder, new=new, old=old)
    except OSError as error:
        raise ExportError(
            f"{folder}: the model cannot be written ({error.strerror or error}). "
            "Free space, or choose another folder with --out."
        ) from error


def _recover(folder: Path, *, new: Path, old: Path) -> None:
    """Puts an earlier bundle back that lost its name, and deletes what is left over."""
    if old.exists() and not folder.exists():
        old.rename(folder)
    for left_over in (new, old):
        shutil.rmtree(left_over, ignore_errors=True)


def _refuse_strangers(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not (folder / SUMS).is_file():
        raise ExportError(
            f"{folder}: must be empty or a model bundle, for it would be replaced. Received: a "
            f"folder without {SUMS}. Move what it holds, or choose another with --out."
        )


def _synchronise(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
