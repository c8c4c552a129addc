"""Functions that Numba makes machine code of, once on a machine; later processes read it from disk.

`training/runtime.py` says where it is kept; elsewhere Numba keeps it beside the source.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def compiled(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Compiles a function at its first call, to run without the interpreter and its lock.

    Contraction, a multiplication and an addition rounded once, is all that is given up of IEEE's
    rules. Division follows NumPy: with a check for zero no loop could be vectorised.
    """
    made = njit(nogil=True, cache=True, fastmath={"contract"}, error_model="numpy")(function)
    return cast(Callable[_Arguments, _Result], made)
