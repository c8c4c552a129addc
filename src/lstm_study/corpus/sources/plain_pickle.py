"""Lists of integers out of a pickled NumPy object array, and nothing else.

A pickle is a program. This reader knows the three names that a NumPy object array is made of, and
replaces each by a harmless stand-in: no function of NumPy, or of anything else, is ever
called with what the file says. Every other name is refused before it is looked up.
"""

import io
import pickle
from itertools import chain
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lstm_study.errors import DataError


def read_ragged(
    raw: bytes, *, where: str, is_known: bool = False
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Reads a pickled one-dimensional object array of lists of integers.

    Args:
        raw: The pickle, without the header of the `.npy` file around it.
        where: What errors call it.
        is_known: Whether the file's digest was checked. Others are read by Python's own
            unpickler in Python, which takes six times as long: the one in C makes room for as many
            objects as the pickle says it remembers, gigabytes in a file of a kilobyte.

    Returns:
        The integers of all lists, int32, flat; and offsets, int64 [lists + 1].

    Raises:
        DataError: The pickle asks for anything else, or holds anything else.
    """
    try:
        array = (_QuickReader if is_known else _Reader)(io.BytesIO(raw)).load()
    # A hostile or damaged pickle may raise anything.
    except Exception as error:
        received = str(error) or type(error).__name__
        raise DataError(
            f"{where}: must hold lists of integers and nothing else. Received: {received}. "
            "Do not trust this file: download it again."
        ) from error
    if not isinstance(array, _Array) or not isinstance(array.items, list):
        raise DataError(f"{where}: must be a NumPy object array. Received: another pickle.")
    return _flat(array.items, limit=len(raw), where=where)


def _flat(
    lists: list[Any], *, limit: int, where: str
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    if any(type(numbers) is not list for numbers in lists):
        raise DataError(f"{where}: must hold one list of integers per review.")
    offsets = np.zeros(len(lists) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, lists), dtype=np.int64, count=len(lists)), out=offsets[1:])
    total = int(offsets[-1])
    # Each integer takes at least a byte, unless the pickle refers to one list many times.
    if total > limit:
        raise DataError(f"{where}: holds more integers than bytes. Do not trust this file.")
    if not set(map(type, chain.from_iterable(lists))) <= {int}:
        raise DataError(f"{where}: must hold lists of integers. Received: something else in them.")
    try:
        flat = np.fromiter(chain.from_iterable(lists), dtype=np.int32, count=total)
    except OverflowError as error:
        raise DataError(f"{where}: holds an integer beyond 32 bits.") from error
    return flat, offsets


class _Array:
    """Replaces the array: keeps the items it is given."""

    __slots__ = ("items",)

    def __init__(self, *_: object) -> None:
        self.items: object = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.items = state[4]


class _Inert:
    """Replaces `numpy.ndarray` and `numpy.dtype`: accepts anything, does nothing."""

    __slots__ = ()

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


_STAND_INS: dict[tuple[str, str], type] = {
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): _Inert,
    ("numpy", "dtype"): _Inert,
}


def _stand_in(module: str, name: str) -> Any:
    try:
        return _STAND_INS[module, name]
    except KeyError:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None


class _QuickReader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _stand_in(module, name)


class _Reader(pickle._Unpickler):
    # Room for a bytearray is made before its bytes are read.
    dispatch: ClassVar[dict[int, Any]] = {
        opcode: function
        for opcode, function in pickle._Unpickler.dispatch.items()
        if opcode != pickle.BYTEARRAY8[0]
    }

    def find_class(self, module: str, name: str) -> Any:
        return _stand_in(module, name)
