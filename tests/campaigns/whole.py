"""What is done to a whole study while its commands run; in the end it must be the one it would be.

The study is real and small. Each attempt starts from a copy of the study when it was interrupted,
and is compared, to the bit, with an undisturbed one.
"""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.campaigns.damage import DAMAGES, Try, damageable
from tests.support.commands import LSTM_STUDY, environment, lstm_study, start, workers_of
from tests.support.results import differences
from tests.support.tiny import SPEC

Attempt = Callable[[Path, Path, Path, random.Random], Try]
RUN = ("run", "tiny.toml", "--workers", "1")
RECORDS = Path("study/runs/tiny")
_LIMIT_SECONDS = 1_800
_STEPS = 40
_PAGE_BYTES = 4_096
_COMPILER = shutil.which("cc") or ""
_SET_CLOCK = Path(__file__).with_name("set_clock.c")


def prepare(folder: Path, draw: random.Random) -> tuple[Path, Path]:
    """Makes the study twice, once finished and once killed in the middle; returns both folders."""
    whole, half = folder / "whole", folder / "half"
    for each in (whole, half):
        each.mkdir()
        (each / "tiny.toml").write_text(SPEC)
    done = lstm_study(*RUN, cwd=whole, timeout=_LIMIT_SECONDS)
    assert done.code == 0, done.err
    _killed(half, steps=draw.randint(_STEPS // 4, _STEPS // 2))
    assert differences(whole / RECORDS, half / RECORDS), "it was to be interrupted"
    return whole, half


def kill(whole: Path, half: Path, scratch: Path, draw: random.Random) -> Try:
    """Kills the command again and again, at any moment, until it gets through."""
    folder = _copy(half, scratch)
    for _ in range(draw.randint(1, 3)):
        _killed(folder, steps=draw.randint(0, _STEPS))
    return _end(folder, whole, file="", damage="kill -9")


def damage(whole: Path, half: Path, scratch: Path, draw: random.Random) -> Try:
    """Damages one file of the interrupted study, repairs it if it is refused, and runs it."""
    folder = _copy(half, scratch)
    path = draw.choice(damageable(folder / RECORDS))
    damaging = draw.choice(DAMAGES)
    damaging(path, draw)
    name = str(path.relative_to(folder / RECORDS))
    done = lstm_study(*RUN, cwd=folder, timeout=_LIMIT_SECONDS)
    if done.code == 1 and path.name in done.err and "Traceback" not in done.err:
        if path.name == "study.json":
            return Try(file=name, damage=damaging.__name__, outcome="refused", said=done.err)
        lstm_study("check", "tiny.toml", "--repair", cwd=folder)
    return _end(folder, whole, file=name, damage=f"{damaging.__name__}, then run")


def two(whole: Path, half: Path, scratch: Path, draw: random.Random) -> Try:
    """Starts the same command twice: one waits in a sentence, the other gets through."""
    folder = _copy(half, scratch)
    first = start(*RUN, cwd=folder)
    second = lstm_study(*RUN, cwd=folder, timeout=_LIMIT_SECONDS)
    _, error = first.communicate(timeout=_LIMIT_SECONDS)
    refused = [text for text in (second.err, error) if "is in use by process" in text]
    found = _end(folder, whole, file="", damage="two commands")
    if len(refused) != 1 and first.returncode + second.code != 0:
        return Try(file="", damage="two commands", outcome="crashed", said=second.err + error)
    return found


def clock(whole: Path, half: Path, scratch: Path, draw: random.Random) -> Try:
    """Runs with a clock that is set by days while it runs, forwards or backwards."""
    folder = _copy(half, scratch)
    days = draw.choice((-1, 1)) * draw.randint(1, 40)
    library, offset = half.parent / "set_clock.so", folder / "offset"
    compiler = [_COMPILER, "-O1", "-shared", "-fPIC", "-o", library, _SET_CLOCK]
    subprocess.run(compiler, check=True)
    offset.write_text("0")
    process = subprocess.Popen(
        [*LSTM_STUDY, *RUN],
        cwd=folder,
        env=environment() | {"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(offset)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _wait_for_steps(folder, process, draw.randint(1, _STEPS))
    offset.write_text(str(86_400 * days))
    code = process.wait(timeout=_LIMIT_SECONDS)
    damage = "clock set forwards" if days > 0 else "clock set backwards"
    if code:
        return Try(file="", damage=damage, outcome="crashed", said=f"exit code {code}")
    return _end(folder, whole, file="", damage=damage)


def full_disk(whole: Path, half: Path, scratch: Path, draw: random.Random) -> Try:
    """Runs on a file system with little room, until it is full; then makes room and goes on."""
    folder = _copy(half, scratch)
    disk = folder / "study"
    kept = folder / "kept"
    disk.rename(kept)
    disk.mkdir()
    pages = sum(
        -(-path.stat().st_size // _PAGE_BYTES) for path in kept.rglob("*") if path.is_file()
    )
    size = _PAGE_BYTES * (pages + draw.randint(2, 30))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], check=True)
    try:
        shutil.copytree(kept, disk, dirs_exist_ok=True)
        full = lstm_study(*RUN, cwd=folder, timeout=_LIMIT_SECONDS)
        subprocess.run(["mount", "-o", "remount,size=100m", disk], check=True)
        if full.code and "No space left on device" not in full.err:
            return Try(file="", damage="full disk", outcome="crashed", said=full.err)
        damage = "full disk" if full.code else "full disk that was not filled"
        return _end(folder, whole, file="", damage=damage)
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def attempts() -> list[Attempt]:
    """Returns what can be done on this machine; says what can't."""
    found = [kill, damage, two]
    if _COMPILER:
        found.append(clock)
    else:
        print("There is no C compiler: the clock is NOT set.")
    if os.geteuid() == 0:
        found.append(full_disk)
    else:
        print("Only root can mount a small disk: it is NOT filled.")
    return found


def _copy(half: Path, scratch: Path) -> Path:
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(half, scratch)
    return scratch


def _killed(folder: Path, *, steps: int) -> None:
    """Kills the command and its workers once they have changed so many files, or at its start."""
    process = start(*RUN, cwd=folder)
    _wait_for_steps(folder, process, steps)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    for worker in workers_of(folder):
        os.kill(worker, signal.SIGKILL)


def _wait_for_steps(folder: Path, process: "subprocess.Popen[str]", steps: int) -> None:
    """Waits until a command has changed files so many times, or has ended."""
    seen: dict[Path, int] = {}
    while steps > 0 and process.poll() is None:
        found = _versions(folder / RECORDS)
        steps -= sum(seen.get(path) != version for path, version in found.items()) if seen else 0
        seen = found or seen
        time.sleep(0.02)


def _versions(folder: Path) -> dict[Path, int]:
    """Returns a number for each file that changes when it is replaced."""
    found = {}
    for name in ("trials", "checkpoints", "runs", "predictions"):
        for path in (folder / name).glob("*"):
            with suppress(FileNotFoundError):
                found[path] = path.stat().st_ino
    return found


def _end(folder: Path, whole: Path, *, file: str, damage: str) -> Try:
    done = lstm_study(*RUN, cwd=folder, timeout=_LIMIT_SECONDS)
    if "Traceback" in done.err or done.code not in (0, 1):
        return Try(file=file, damage=damage, outcome="crashed", said=done.err)
    if done.code:
        return Try(file=file, damage=damage, outcome="refused without its name", said=done.err)
    different = differences(whole / RECORDS, folder / RECORDS)
    outcome = "changed" if different else "same"
    return Try(file=file, damage=damage, outcome=outcome, said=", ".join(different))
