"""`tests/benchmarks/gpu.sh` without a GPU: a driver that names one, and JAX on the CPU."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CARD = "NVIDIA Card 1"
DRIVER = f"""#!/bin/sh
[ "$1" = -L ] && echo "GPU 0: {CARD} (UUID: GPU-1)" || echo "{CARD}"
"""


def test_a_call_tests_and_measures_with_few_packages_and_leaves_nothing_behind(tmp_path):
    driver, packages, data, scratch = (
        tmp_path / name for name in ("driver", "packages", "data", "scratch")
    )
    for folder in (driver, packages, data, scratch):
        folder.mkdir()
    (driver / "nvidia-smi").write_text(DRIVER)
    (driver / "nvidia-smi").chmod(0o755)
    # Where these caches would be elsewhere.
    (packages / "platformdirs.py").write_text("raise ModuleNotFoundError('platformdirs')")
    (data / "imdb.npz").touch()  # In sizes of a smoke test it is not read.

    done = subprocess.run(
        ["tests/benchmarks/gpu.sh", str(tmp_path / "out"), "tests", "gpu-baseline"],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={
            **{name: value for name, value in os.environ.items() if name != "LSTM_STUDY_CACHE"},
            "PATH": os.pathsep.join([str(driver), os.environ["PATH"]]),
            "PYTHON": sys.executable,
            "PYTHONPATH": str(packages),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "JAX_PLATFORMS": "cpu",
            "LSTM_STUDY_DATA": str(data),
            "QUICK": "1",
            "TMPDIR": str(scratch),
        },
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 skipped" in (tmp_path / "out" / "gpu-tests.txt").read_text()
    table = (tmp_path / "out" / "nvidia-card-1-quick.md").read_text()
    assert "wall time, all of test read" in table
    assert table in done.stdout
    assert [*scratch.iterdir()] == []
