"""Faster imports of Keras and TensorFlow."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Keras and TensorFlow import these if they are installed, for interfaces that are not used here.
_OPTIONAL = ("jax", "matplotlib", "PIL", "sklearn")


@contextmanager
def skip_optional_imports(*needed: str) -> Iterator[None]:
    """Makes optional dependencies of Keras and TensorFlow unimportable in a `with` block.

    They serve a scikit-learn interface, plots, image files and a converter of JAX models, and take
    a third of the import's time. After the block they can be imported as usual.

    Args:
        *needed: Modules to leave importable, beside the backend and those already imported.
    """
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    kept = {backend, *needed, *sys.modules}
    skipped = [name for name in _OPTIONAL if name not in kept]
    # None makes `import` raise ModuleNotFoundError.
    sys.modules.update(dict.fromkeys(skipped))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in skipped:
            del sys.modules[name]
