"""Looks at the machine: versions, backend, devices, memory, disk, and what a study would use."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from lstm_study.commands import REPORTS_FOLDER, RUNS_FOLDER, free_bytes
from lstm_study.commands.begin import existing_part
from lstm_study.corpus.cache import CACHE_VARIABLE, cache_folder
from lstm_study.engine.backend import VARIABLE, Backend, choose_backend
from lstm_study.engine.devices import BYTES_PER_WORKER, Workers, choose_workers
from lstm_study.errors import DataError
from lstm_study.provenance import machine
from lstm_study.records import Machine
from lstm_study.spec.quantities import counted

_PROBE = """
import json, sys
from lstm_study.errors import StudyError
from lstm_study.training.runtime import configure
try:
    runtime = configure(threads=1, tells_why_no_gpu=True)
    found = {"backend": runtime.backend, "devices": runtime.devices}
    if runtime.backend == "jax":
        from lstm_study.configuration import BASELINE
        from lstm_study.model.lstm.members import sweeps_for
        from lstm_study.model.shape_classes import ShapeClass
        from lstm_study.training.runtime import population_limit
        shape = ShapeClass.of(BASELINE, batch_size=64)
        sweeps, why = sweeps_for(shape.lstm_units)
        found["members"] = population_limit(None, member_bytes=shape.member_bytes)
        found["sweeps"] = f"{sweeps.name} ({why})"
    print(json.dumps(found))
except StudyError as error:
    print(json.dumps({"error": str(error)}))
"""
_PROBE_SECONDS = 120
# The last line of a traceback.
_ERROR = re.compile(r"[\w.]*Error: ")
# What TensorFlow says, after time and place; what is missing comes first.
_OF_TENSORFLOW = re.compile(r"\] ((?:Could not load dynamic|Cannot dlopen|failed call to).*)")


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What was found, as (name, value) rows."""

    rows: tuple[tuple[str, str], ...]


def examine() -> Examination:
    """Looks at the machine; the backend is tried in a separate process."""
    host = machine()
    chosen = choose_backend()
    probed = _probe(chosen)
    size = choose_workers(None, jobs=1_000, backend=chosen.name)
    lacks_gpu = size.gpus and probed.devices.lower() == "cpu"
    rows = [
        ("Python", host.python),
        ("Packages", ", ".join(f"{name} {version}" for name, version in host.packages.items())),
        ("System", host.platform),
        ("Processor", f"{host.processor}, {host.cpu_count} usable"),
        ("Memory", _gib(host.memory_bytes)),
        ("Backend", f"{probed.backend}: {chosen.reason}" if probed.devices else probed.backend),
        ("Devices", probed.devices),
        *([("No GPU", _no_gpu(probed.stderr))] if lacks_gpu else []),
        ("Cache", _cache()),
        ("Records", _place(RUNS_FOLDER)),
        ("Reports", _place(REPORTS_FOLDER)),
        ("A study uses", _workers(size)),
        ("Because", _why(size, host)),
        *([("At once", probed.population)] if probed.population else []),
    ]
    return Examination(rows=tuple(rows))


def _cache() -> str:
    try:
        return _place(cache_folder(None), remedy=f": set {CACHE_VARIABLE} to another folder")
    except DataError as error:
        return str(error)


def _place(folder: Path, remedy: str = "") -> str:
    """Describes a folder that files are written to, or will be."""
    if not os.access(existing_part(folder), os.W_OK | os.X_OK):
        return f"{folder}/ (can't be written{remedy})"
    return f"{folder}/ ({_gib(free_bytes(folder))} free)"


def _workers(size: Workers) -> str:
    workers = counted(size.count, "worker")
    workers += f" of {counted(size.threads, 'thread')}"
    if not size.gpus:
        return f"{workers} (--workers N chooses another number)"
    gpus = counted(len(size.gpus), "GPU")
    return (
        f"{workers} on {gpus}, {size.on_a_gpu} on each "
        f"(--workers-per-gpu K chooses another number): {', '.join(size.gpus)}"
    )


def _why(size: Workers, host: Machine) -> str:
    """Says which of cores, memory and GPUs decided, and what was measured."""
    if size.gpus:
        return (
            "one worker per GPU; the cores are divided among them as threads. Several workers may "
            "share a GPU: raise --workers-per-gpu as long as trials per minute increase"
        )
    if size.count < host.cpu_count:
        return (
            f"{_gib(host.memory_bytes)} of memory are enough for "
            f"{counted(size.count, 'worker')} of {_gib(BYTES_PER_WORKER)}; busy workers share the "
            f"{host.cpu_count} cores"
        )
    return (
        "one worker per core: the steps of an LSTM depend on each other, so more threads help "
        "little. Busy workers also use the cores of idle ones. Measured by "
        "`python -m tests.benchmarks --only workers`"
    )


def _no_gpu(complaint: str) -> str:
    """Says why the backend does not use the GPU: with the last error of what it printed."""
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    errors = [line for line in lines if _ERROR.match(line)]
    said = errors or _OF_TENSORFLOW.findall(complaint)[:1] or lines or ["no message"]
    return f"CUDA does not start, and a study would not either: {said[-1]}"


class _Probed(NamedTuple):
    """What another process found.

    Attributes:
        backend: Its name and version, or why it can't start.
        devices: Their names; "" where the backend can't start.
        population: How many networks a worker trains at once, in words; "" on TensorFlow.
        stderr: What else the process printed.
    """

    backend: str
    devices: str = ""
    population: str = ""
    stderr: str = ""


def _probe(chosen: Backend) -> _Probed:
    """Asks another process for backend, devices and populations."""
    try:
        result = subprocess.run(  # noqa: S603
            [sys.executable, "-P", "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=False,
            env=os.environ | {VARIABLE: chosen.name},
        )
    except subprocess.TimeoutExpired:
        return _Probed("did not answer within two minutes")
    lines = [line for line in result.stdout.splitlines() if line.startswith("{")]
    if not lines:
        last = (result.stderr.strip().splitlines() or ["no output"])[-1]
        return _Probed(f"cannot start: {last}")
    found = json.loads(lines[-1])
    if "error" in found:
        return _Probed(found["error"])
    return _Probed(
        backend=found["backend"],
        devices=", ".join(found["devices"]),
        population=_population(found),
        stderr=result.stderr,
    )


def _population(found: Mapping[str, Any]) -> str:
    """Says how many networks a worker on JAX trains at once; "" on TensorFlow."""
    if "members" not in found:
        return ""
    return (
        f"{found['members']} networks of the baseline's size in a worker (--population N bounds "
        f"it), the LSTM by {found['sweeps']}"
    )


def _gib(size: int) -> str:
    return f"{size / 1024**3:.1f} GiB"
