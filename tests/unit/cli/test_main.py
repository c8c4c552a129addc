"""How the console script begins and ends."""

import subprocess
import sys

CODE = """
import atexit, sys, types
from lstm_study import cli
sys.modules["tensorflow"] = types.ModuleType("tensorflow")
atexit.register(print, "temporary files are deleted")
sys.argv = ["lstm-study", "--version"]
cli.main()
"""


def test_what_libraries_do_at_exit_is_done_though_teardown_is_skipped():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == ["temporary files are deleted"]
