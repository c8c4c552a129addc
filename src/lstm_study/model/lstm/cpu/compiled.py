"""Numba compilation, cached on disk.

`training/runtime.py` sets the folder of that cache; without it Numba writes beside the source.
"""

import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

from numba import config, njit

from lstm_study.model.lstm.cpu.code_cache import CodeCache

log = logging.getLogger(__name__)

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
    uncached = njit(nogil=True, **options)(function)
    named = config.CACHE_DIR
    try:
        made = njit(nogil=True, cache=True, **options)(function)
    except RuntimeError:  # Numba found no folder that it may write to
        _say_that_nothing_is_kept(named)
        return cast(Callable[_Arguments, _Result], uncached)
    cache = made._cache
    if named and not Path(cache.cache_path).is_relative_to(named):
        # Numba turned to a folder beside the source, shared by all versions of what it calls.
        _say_that_nothing_is_kept(named)
        return cast(Callable[_Arguments, _Result], uncached)
    cache._cache_file = CodeCache(
        Path(cache.cache_path),
        name=cache._impl.filename_base,
        stamp=cache._impl.locator.get_source_stamp(),
    )
    return cast(Callable[_Arguments, _Result], made)


@functools.cache
def _say_that_nothing_is_kept(named: str) -> None:
    """Says it once, not for each function."""
    log.warning(
        "%s: cannot be written. Until then each process compiles the kernels itself.",
        named or "NUMBA_CACHE_DIR",
    )
