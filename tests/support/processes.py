"""Code that has to run in a separate process."""

import os
import subprocess
import sys
from pathlib import Path


def in_a_process(code: str, cache: Path, **environment: str) -> list[str]:
    """Runs code in another process, and returns the words it prints."""
    settings = {"KERAS_BACKEND": "tensorflow", "LSTM_STUDY_CACHE": str(cache)} | environment
    inherited = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=inherited | settings, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return done.stdout.split()
