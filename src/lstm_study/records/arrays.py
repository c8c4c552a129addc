"""Test probabilities and labels on disk: one NumPy array a file, compressed in kept records."""

import gzip
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_study.errors import RecordError
from lstm_study.files import array_from, read_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HEADER_BYTES = 4_096
_NUMBER_BYTES = 8


def read_array(path: Path, *, most: int) -> "NDArray[Any] | None":
    """Reads an array, or its compressed copy; None where there is neither.

    Args:
        path: The `.npy` file; its compressed copy is at the same path with ".gz".
        most: Numbers it may hold: nothing larger is unpacked.

    Raises:
        RecordError: It is damaged, or holds more.
    """
    limit = _HEADER_BYTES + _NUMBER_BYTES * most
    packed = path.with_name(f"{path.name}.gz")
    found = path if path.exists() or not packed.exists() else packed
    try:
        if found is path:
            return array_from(read_bytes(path, limit=limit))
        with packed.open("rb") as file, gzip.GzipFile(fileobj=file) as unpacked:
            read_bytes(packed, limit=limit)
            data = unpacked.read(limit + 1)
            if len(data) > limit:
                raise ValueError(f"holds more than {limit:,} bytes")
            return array_from(data)
    except FileNotFoundError:
        return None
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise RecordError(f"{found}: {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    return str(error) if type(error) is ValueError else f"is damaged ({error})"
