"""Which backend a command trains with, chosen before any is imported."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lstm_study.engine.cuda import way_to_cuda
from lstm_study.engine.devices import usable_gpus, visible_gpus

VARIABLE = "KERAS_BACKEND"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A backend, and why it is the one.

    Attributes:
        name: "tensorflow" or "jax", or what KERAS_BACKEND says.
        reason: In words.
        is_another: Whether it is not the one that the study began on.
    """

    name: str
    reason: str
    is_another: bool = False


def choose_backend(earlier: str = "") -> Backend:
    """Chooses the backend to train with: the one that the study began on, if it has begun."""
    if asked := os.environ.get(VARIABLE):
        reason = f"{VARIABLE} is set"
        is_another = bool(earlier) and earlier != asked
        if is_another:
            reason += f", though the study began on {earlier}: results differ beyond rounding"
        return Backend(name=asked, reason=reason, is_another=is_another)
    if earlier:
        return Backend(name=earlier, reason="the study began on it")
    if not visible_gpus():
        return Backend(name="tensorflow", reason="no GPU is visible")
    if usable_gpus("jax"):
        return Backend(name="jax", reason="a GPU is visible, and JAX with CUDA is installed")
    return Backend(
        name="tensorflow",
        reason="JAX, which trains many networks at once on a GPU, has no CUDA here. "
        f"{way_to_cuda('jax')}",
    )


_in_force: list[Backend] = []


@contextmanager
def using(backend: Backend) -> Iterator[None]:
    """Sets the backend of this process and of the workers it starts, for one command."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = backend.name
    _in_force.append(backend)
    try:
        yield
    finally:
        _in_force.pop()
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def in_force() -> Backend:
    """Returns the backend of the running command, or the one that a new study would get."""
    return _in_force[-1] if _in_force else choose_backend()
