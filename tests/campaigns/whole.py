"""What is done to a whole study while its commands run; in the end it must be the one it would be.

The study is real and small. Each attempt starts from a copy of the study when it was interrupted,
and is compared, to the bit, with the one that was left in peace.
"""

import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

from tests.campaigns.damage import DAMAGES, Try, damageable
from tests.support.commands import LSTM_STUDY, environment, lstm_study, start, workers_of
from tests.support.results import differences
from tests.support.tiny import SPEC

RUN = ("run", "tiny.toml", "--workers", "1")
RECORDS = Path("study/runs/tiny")
_LONGEST_SECONDS = 12.0
_LIBFAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


def prepare(folder: Path, draw: random.Random) -> tuple[Path, Path]:
    """Makes the study twice, once finished and once killed in the middle; returns both folders."""
    whole, half = folder / "whole", folder / "half"
    for each in (whole, half):
        each.mkdir()
        (each / "tiny.toml").write_text(SPEC)
    done = lstm_study(*RUN, cwd=whole, timeout=900)
    assert done.code == 0, done.err
    while not list((half / RECORDS / "trials").glob("*.json")):
        _killed(half, seconds=draw.uniform(8.0, _LONGEST_SECONDS))
    return whole, half


def kill(whole: Path, half: Path, scratch: Path, draw: random.Random) -> Try:
    """Kills the command again and again, at any moment, until it gets through."""
    folder = _copy(half, scratch)
    for _ in range(draw.randrange(1, 4)):
        _killed(folder, seconds=draw.uniform(0.2, _LONGEST_SECONDS))
    return _end(folder, whole, file="", damage="kill -9")


def damage(whole: Path, half: Path, scratch: Path, draw: random.Random) -> Try:
    """Damages one file of the interrupted study, repairs it if it is refused, and runs it."""
    folder = _copy(half, scratch)
    path = draw.choice(damageable(folder / RECORDS))
    damaging = draw.choice(DAMAGES)
    damaging(path, draw)
    name = str(path.relative_to(folder / RECORDS))
    done = lstm_study(*RUN, cwd=folder, timeout=900)
    if done.code == 1 and path.name in done.err and "Traceback" not in done.err:
        if path.name == "study.json":
            return Try(file=name, damage=damaging.__name__, outcome="refused", said=done.err)
        lstm_study("check", "tiny.toml", "--repair", cwd=folder)
    return _end(folder, whole, file=name, damage=f"{damaging.__name__}, then run")


def two(whole: Path, half: Path, scratch: Path, draw: random.Random) -> Try:
    """Starts the same command twice: one waits in a sentence, the other gets through."""
    folder = _copy(half, scratch)
    first = start(*RUN, cwd=folder)
    second = lstm_study(*RUN, cwd=folder, timeout=900)
    _, error = first.communicate(timeout=900)
    refused = [text for text in (second.err, error) if "is being worked on by process" in text]
    found = _end(folder, whole, file="", damage="two commands")
    if len(refused) != 1 and first.returncode + second.code != 0:
        return Try(file="", damage="two commands", outcome="crashed", said=second.err + error)
    return found


def clock(whole: Path, half: Path, scratch: Path, draw: random.Random) -> Try:
    """Runs with a clock that jumps by days, forwards or backwards."""
    folder = _copy(half, scratch)
    step = f"{draw.choice('+-')}{draw.randrange(1, 40)}d"
    faked = environment() | {"LD_PRELOAD": str(_LIBFAKETIME), "FAKETIME": step}
    subprocess.run([*LSTM_STUDY, *RUN], cwd=folder, env=faked, timeout=900, check=False,
                   capture_output=True)  # fmt: skip
    return _end(folder, whole, file="", damage=f"clock {step[0]}")


ATTEMPTS = {"kill": kill, "damage": damage, "two": two}
if _LIBFAKETIME.is_file():
    ATTEMPTS["clock"] = clock


def _copy(half: Path, scratch: Path) -> Path:
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(half, scratch)
    return scratch


def _killed(folder: Path, *, seconds: float) -> None:
    process = start(*RUN, cwd=folder)
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        for worker in workers_of(folder):
            os.kill(worker, signal.SIGKILL)


def _end(folder: Path, whole: Path, *, file: str, damage: str) -> Try:
    done = lstm_study(*RUN, cwd=folder, timeout=900)
    if "Traceback" in done.err or done.code not in (0, 1):
        return Try(file=file, damage=damage, outcome="crashed", said=done.err)
    if done.code:
        return Try(file=file, damage=damage, outcome="refused without its name", said=done.err)
    different = differences(whole / RECORDS, folder / RECORDS)
    outcome = "changed" if different else "same"
    return Try(file=file, damage=damage, outcome=outcome, said=", ".join(different))
