"""A benchmark's fresh process: `python -m tests.benchmarks.child MESSAGE`, by `processes.growing`.

The message says which function to call with what. Standard output has one line of JSON for each
case that the function tells of, written at once, and one for what it returns; whatever else is
printed goes to standard error.
"""

import importlib
import inspect
import json
import os
import sys
import threading
from collections.abc import Mapping
from typing import Any, TextIO

from tests.benchmarks.measure import peak_mb


def main() -> None:
    """Makes the call."""
    message = json.loads(sys.argv[1])
    function = getattr(importlib.import_module(message["module"]), message["name"])
    out = _own_output()
    lock = threading.Lock()

    def tell(found: Mapping[str, Any]) -> None:
        with lock:
            out.write(json.dumps(dict(found)) + "\n")
            out.flush()

    tells = {"tell": tell} if "tell" in inspect.signature(function).parameters else {}
    found = function(**message["arguments"], **tells)
    tell({**(found or {}), "peak_mb": peak_mb()})


def _own_output() -> TextIO:
    """Takes standard output away from libraries, C++'s included, and returns it."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return out


if __name__ == "__main__":
    main()
