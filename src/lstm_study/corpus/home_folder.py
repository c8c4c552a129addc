"""Paths that begin with `~`, where there may be no home folder."""

from pathlib import Path

from lstm_study.errors import DataError


def with_home(path: str) -> Path:
    """Returns a path with this user's home folder in place of a leading `~`.

    Raises:
        DataError: The user has none, as in a container without HOME.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise DataError(
            f"{path}: there is no such home folder. Set HOME, or give the whole path."
        ) from None
