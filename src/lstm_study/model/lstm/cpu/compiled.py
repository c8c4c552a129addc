"""Numba compilation, cached on disk.

`training/runtime.py` sets the folder of that cache; without it Numba writes beside the source.
"""

from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

from numba import njit

from lstm_study.model.lstm.cpu.code_cache import CodeCache

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def compiled(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Compiles a function with Numba at its first call; it releases the GIL.

    The only relaxation of IEEE arithmetic is contraction: a multiplication and an addition may be
    rounded once. Division follows NumPy, since a check for zero would prevent vectorisation.
    """
    # Without Numba's runtime (`_nrt`) views are not reference-counted, which takes 8% of a step at
    # 160 × 32/32. A function that allocates an array then fails to compile.
    options = {"fastmath": {"contract"}, "error_model": "numpy", "_nrt": False}
    made = njit(nogil=True, cache=True, **options)(function)
    cache = made._cache
    cache._cache_file = CodeCache(
        Path(cache.cache_path),
        name=cache._impl.filename_base,
        stamp=cache._impl.locator.get_source_stamp(),
    )
    return cast(Callable[_Arguments, _Result], made)
