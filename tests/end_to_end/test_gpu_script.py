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


def call(folder: Path, *parts: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Runs the script with JAX on the CPU and few packages; results go to `out` in the folder."""
    driver, packages, data, scratch = (
        folder / name for name in ("driver", "packages", "data", "scratch")
    )
    for each in (driver, packages, data, scratch):
        each.mkdir()
    (driver / "nvidia-smi").write_text(DRIVER)
    (driver / "nvidia-smi").chmod(0o755)
    # It says where caches are that have no folder of their own.
    (packages / "platformdirs.py").write_text("raise ModuleNotFoundError('platformdirs')")
    (data / "imdb.npz").touch()  # In sizes of a smoke test it is not read.
    return subprocess.run(
        ["tests/benchmarks/gpu.sh", str(folder / "out"), *parts],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={
            **{name: value for name, value in os.environ.items() if name != "LSTM_STUDY_CACHE"},
            "PATH": os.pathsep.join([str(driver), os.environ["PATH"]]),
            "PYTHON": sys.executable,
            "PYTHONPATH": str(packages),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "JAX_PLATFORMS": "cpu",
            "LSTM_STUDY_DATA": str(data),
            "TMPDIR": str(scratch),
            **environment,
        },
    )  # fmt: skip


def test_a_call_tests_and_measures_with_few_packages_and_leaves_nothing_behind(tmp_path):
    done = call(tmp_path, "tests", "gpu-baseline", QUICK="1")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 skipped" in (tmp_path / "out" / "gpu-tests.txt").read_text()
    table = (tmp_path / "out" / "nvidia-card-1-quick.md").read_text()
    assert "wall time, all of test read" in table
    assert table in done.stdout
    assert [*(tmp_path / "scratch").iterdir()] == []


def test_nothing_is_measured_on_a_processor_in_the_name_of_a_gpu(tmp_path):
    done = call(tmp_path, "gpu-baseline", QUICK="")

    assert done.returncode == 1
    assert "JAX does not use the GPU here: nothing is measured." in done.stderr
    assert [*(tmp_path / "out").iterdir()] == []
