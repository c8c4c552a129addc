"""Where compiled programs are cached on disk: Numba's and JAX's."""

import hashlib
import os
from pathlib import Path
from typing import Any

from lstm_study import model
from lstm_study.corpus.cache import cache_folder

_MIN_JAX_COMPILE_SECONDS = 0.3


def use_numba_cache() -> None:
    """Caches Numba's compilations in `numba_cache_folder`, unless NUMBA_CACHE_DIR names another."""
    os.environ.setdefault("NUMBA_CACHE_DIR", str(numba_cache_folder()))


def numba_cache_folder() -> Path:
    """Returns the folder of Numba's cache, another for each version of the compiled source.

    Numba by itself keeps using a cached function after a function that it calls has changed in
    another file.
    """
    files = sorted(Path(model.__file__).parent.rglob("*.py"))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    return cache_folder(None) / "numba" / digest[:16]


def is_numba_cache_filled() -> bool:
    """Whether an earlier training on this machine compiled the Numba kernels."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR", numba_cache_folder()))
    return any(folder.rglob("*.nbc"))


def use_jax_cache(jax: Any) -> None:
    """Caches JAX's programs beside the encoded reviews, unless JAX has another folder for them.

    JAX compiles the whole training step for each model. Programs of equal shapes and rates then
    come from disk: those of a promotion, of a comparison's seeds, of another worker.
    """
    if jax.config.jax_compilation_cache_dir is None:
        jax.config.update("jax_compilation_cache_dir", str(cache_folder(None) / "jax"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", _MIN_JAX_COMPILE_SECONDS)
