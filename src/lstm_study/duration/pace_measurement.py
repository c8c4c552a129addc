"""How fast this machine trains, measured before a study in a few seconds, and kept for a day.

What was measured while other programs were running is kept for ten minutes only.

As many processes as a study would have workers time training steps of three sizes at once, so that
contention between workers is part of the measurement. On a GPU nothing is measured: there networks
train in populations, and their pace is known after the first epochs.
"""

import json
import logging
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lstm_study.clock import seconds_running
from lstm_study.configuration import Configuration
from lstm_study.corpus.cache import cache_folder
from lstm_study.duration.pace import Pace
from lstm_study.duration.work import step_work
from lstm_study.engine.backend import in_force
from lstm_study.engine.devices import Workers
from lstm_study.files import make_folder, read_bytes, write_text
from lstm_study.provenance import machine, versions
from lstm_study.spec import ProtocolTable

TIMING_VARIABLE = "LSTM_STUDY_TIMING"
"""An environment variable: "off" where no steps are to be timed."""

log = logging.getLogger(__name__)

_KEPT_SECONDS = 24 * 3600
_KEPT_BUSY_SECONDS = 600
_BUSY_LOAD = 0.5
_MOST_PROCESSES = 8
_MOST_SECONDS = 120
_STEP_SECONDS = 0.4
_BATCH_SIZE = 64
_SHAPES = (
    Configuration(vocabulary_size=2_000, maxlen=20, embedding_dim=16, lstm_units=16),
    Configuration(vocabulary_size=10_000, maxlen=160, embedding_dim=64, lstm_units=32),
    Configuration(),
)


def is_measurable(size: Workers) -> bool:
    """Whether a pace can be measured beforehand: with TensorFlow on a CPU, unless it is off.

    Args:
        size: The workers that a study would have.
    """
    is_off = os.environ.get(TIMING_VARIABLE) == "off"
    return not is_off and not size.gpus and in_force().name == "tensorflow"


def kept_pace(size: Workers) -> Pace | None:
    """Returns the pace that `machine_pace` measured; None where there is none that still holds."""
    if not is_measurable(size):
        return None
    try:
        kept = json.loads(read_bytes(_path()))
        longest = _KEPT_BUSY_SECONDS if kept["is_busy"] else _KEPT_SECONDS
        if kept["of"] == _described(size) and 0 <= time.time() - kept["at"] < longest:
            return _pace(kept["measured"], at=kept["at"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass  # There is none, or one of another version: it is measured again.
    return None


def machine_pace(size: Workers) -> Pace | None:
    """Measures this machine's pace, and keeps it: for a day if nothing else was running.

    Returns:
        None where steps could not be timed, which the log says.
    """
    is_busy = _is_busy()
    measured, at = _measure(size), time.time()
    if measured is None:
        return None
    kept = {"of": _described(size), "at": at, "is_busy": is_busy, "measured": measured}
    make_folder(_path().parent)
    write_text(_path(), json.dumps(kept))
    return _pace(measured, at=at)


def _is_busy() -> bool:
    """Whether other work has kept a good part of the cores busy during the last minute."""
    if not hasattr(os, "getloadavg"):
        return False
    return os.getloadavg()[0] > _BUSY_LOAD * (os.cpu_count() or 1)


def _path() -> Path:
    return cache_folder(None) / "pace.json"


def _described(size: Workers) -> dict[str, Any]:
    found = machine()
    return {
        "processor": found.processor,
        "cpus": found.cpu_count,
        "workers": size.count,
        "threads": size.threads,
        "packages": versions(("lstm-study", "tensorflow", "keras", "numba")),
    }


def _pace(measured: Mapping[str, Any], *, at: float) -> Pace:
    moment = time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
    return Pace(
        points=tuple((work, each) for work, each in measured["points"]),
        load_seconds=measured["load_seconds"],
        setup_seconds=measured["setup_seconds"],
        basis=f"training steps timed on this machine at {moment}",
    )


def _measure(size: Workers) -> dict[str, Any] | None:
    """Times steps in several processes, and returns the means of what they measured."""
    command = [sys.executable, "-P", "-m", "lstm_study.duration.pace_measurement"]
    processes = [
        subprocess.Popen(  # noqa: S603
            [*command, str(size.threads), str(time.time())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(min(size.count, _MOST_PROCESSES))
    ]
    found = []
    try:
        for process in processes:
            output, errors = process.communicate(timeout=_MOST_SECONDS)
            if process.returncode:
                why = (errors.strip().splitlines() or [f"code {process.returncode}"])[-1]
                log.warning("Training steps could not be timed: %s", why[:300])
                return None
            found.append(json.loads(output.splitlines()[-1]))
    except subprocess.TimeoutExpired:
        log.warning("Training steps could not be timed within %d s.", _MOST_SECONDS)
        return None
    finally:
        for process in processes:
            with process:  # closes its pipes, and waits for its end
                process.kill()
    return {
        "points": [
            (points[0][0], statistics.fmean(each for _, each in points))
            for points in zip(*(each["points"] for each in found), strict=True)
        ],
        "load_seconds": statistics.fmean(each["load_seconds"] for each in found),
        "setup_seconds": statistics.fmean(each["setup_seconds"] for each in found),
    }


def main() -> None:
    """Times steps with so many threads, and prints what they took as one line of JSON."""
    from lstm_study.training.runtime import configure

    configure(threads=int(sys.argv[1]))
    load_seconds = time.time() - float(sys.argv[2])
    timed = [_time_steps(shape) for shape in _SHAPES]
    # The first training may compile.
    setups = [setup for setup, _ in timed[1:]]
    points = []
    for shape, (_, seconds) in zip(_SHAPES, timed, strict=True):
        work = step_work(shape, batch_size=_BATCH_SIZE)
        points.append((work, seconds / work))
    found = {
        "points": points,
        "load_seconds": load_seconds,
        "setup_seconds": statistics.fmean(setups),
    }
    sys.stdout.write(json.dumps(found) + "\n")


def _time_steps(configuration: Configuration) -> tuple[float, float]:
    """Returns the seconds until the end of a training's first step, and of one after it."""
    from lstm_study.training.training import traced_model

    random = np.random.default_rng(1)
    shape = (_BATCH_SIZE, configuration.maxlen)
    tokens = random.integers(4, configuration.vocabulary_size, shape, dtype=np.int32)
    labels = random.integers(0, 2, (_BATCH_SIZE, 1)).astype(np.float32)
    began = seconds_running()
    model = traced_model(configuration, protocol=ProtocolTable(epochs=1), seed=1, steps=100)
    model.train_on_batch(tokens, labels)
    setup = seconds_running() - began
    seconds: list[float] = []
    while len(seconds) < 3 or sum(seconds) < _STEP_SECONDS:
        began = seconds_running()
        model.train_on_batch(tokens, labels)
        seconds.append(seconds_running() - began)
    return setup, statistics.fmean(seconds)


if __name__ == "__main__":
    main()
