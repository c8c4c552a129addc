"""A benchmark's fresh process: `python -m tests.benchmarks.child`, called by `measure.fresh`.

Reads from standard input which function to call with what, and prints what it returned as one line
of JSON, the last one.
"""

import importlib
import json
import sys

from tests.benchmarks.measure import peak_mb


def main() -> None:
    """Makes the call."""
    message = json.load(sys.stdin)
    function = getattr(importlib.import_module(message["module"]), message["name"])
    found = function(**message["arguments"])
    print(json.dumps(found | {"peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
