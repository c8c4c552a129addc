"""What an error that Ray raises means for a study: a worker is lost, or the command ends."""

import textwrap
from typing import Any

from lstm_study.engine.messages import Lost, Stopped
from lstm_study.errors import SearchError, StoreError


def ended_with(error: Exception, of_ray: Any, *, address: str) -> Lost | Stopped:
    """Says whether an error means that an actor is lost, or else what ends the command.

    Args:
        error: What came of calling an actor, or of unpacking what it sent.
        of_ray: `ray.exceptions`. An error within an actor's method arrives as a `RayTaskError` that
            is of the error's own class, too.
        address: The cluster's.

    Source: ray 2.60, `ray/exceptions.py`.
    """
    lost = (
        of_ray.RayActorError, of_ray.WorkerCrashedError, of_ray.NodeDiedError,
        of_ray.ObjectLostError, of_ray.OutOfMemoryError,
    )  # fmt: skip
    if isinstance(error, lost):
        out_of_memory = "OutOfMemory" in str(error) or "OOM" in str(error)
        return Lost(
            reason=in_a_line(error),
            is_killed=out_of_memory or isinstance(error, of_ray.OutOfMemoryError),
        )
    if isinstance(error, of_ray.OutOfDiskError | of_ray.ObjectStoreFullError):
        return Stopped(
            error=StoreError(
                f"--cluster {address}: a node's disk or Ray's object store is full "
                f"({in_a_line(error)}). Free space there, then run the same command again."
            )
        )
    is_of_connection = isinstance(error, of_ray.RayError | ConnectionError)
    if is_of_connection and not isinstance(error, of_ray.RayTaskError):
        return Stopped(
            error=SearchError(
                f"--cluster {address}: the cluster failed ({in_a_line(error)}). All finished "
                "epochs are saved. Make sure that it runs, then run the same command again."
            )
        )
    return Stopped(error=error)


def in_a_line(error: Exception) -> str:
    """What an error says first; where it repeats another machine's traceback, that one's end."""
    lines = str(error).strip().splitlines()
    if not lines:
        return type(error).__name__
    is_traceback = any(line.startswith("Traceback (most recent call last)") for line in lines)
    return textwrap.shorten(lines[-1 if is_traceback else 0], 200, placeholder=" …")
