"""Damage to one file of a study, and what reading the study then says.

Every damage must end in one of two ways: the study reads as before, or it is refused with a
sentence that names the file.
"""

import os
import pickle
import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from lstm_study.errors import RecordError, StudyError
from lstm_study.records.kinds import KINDS
from lstm_study.records.state import ArmsState, SearchState, SeedsState, VerdictsState
from lstm_study.store import Store
from lstm_study.training.checkpoint import read_checkpoint

Outcome = Literal["same", "refused", "refused without its name", "changed", "crashed"]
STATES = (SearchState, ArmsState, SeedsState, VerdictsState)
HELD = ("same", "refused")


def flip(path: Path, draw: random.Random) -> None:
    """Flips one bit."""
    data = bytearray(path.read_bytes())
    bit = draw.randrange(8 * len(data))
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(bytes(data))


def cut(path: Path, draw: random.Random) -> None:
    """Cuts the file off somewhere."""
    data = path.read_bytes()
    path.write_bytes(data[: draw.randrange(len(data))])


def delete(path: Path, draw: random.Random) -> None:
    """Deletes the file."""
    del draw
    path.unlink()


def zero(path: Path, draw: random.Random) -> None:
    """Zeroes a part of the file, at times all of it."""
    data = bytearray(path.read_bytes())
    start = draw.choice((0, draw.randrange(len(data))))
    size = draw.choice((512, len(data)))
    data[start : start + size] = bytes(len(data[start : start + size]))
    path.write_bytes(bytes(data))


def exchange(path: Path, draw: random.Random) -> None:
    """Puts another file of the same folder in its place."""
    others = sorted(other for other in path.parent.iterdir() if other.is_file())
    shutil.copyfile(draw.choice(others), path.with_name(f"{path.name}.other"))
    path.with_name(f"{path.name}.other").replace(path)


def pipe(path: Path, draw: random.Random) -> None:
    """Puts a pipe in its place, which nobody ever writes to."""
    del draw
    path.unlink()
    os.mkfifo(path)


DAMAGES: tuple[Callable[[Path, random.Random], None], ...] = (
    flip, flip, flip, cut, cut, delete, zero, exchange, pipe,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One damage: to which file, of which kind, and what came of it."""

    file: str
    damage: str
    outcome: Outcome
    said: str


def damageable(folder: Path) -> list[Path]:
    """Returns the files of a study that say something: not the lock, logs and live state."""
    left_out = {"lock", "log", "machine log", "live"}
    kinds = [kind for kind in KINDS if kind.name not in left_out]
    return sorted({path for kind in kinds for path in folder.glob(kind.path) if path.is_file()})


def answer(folder: Path) -> bytes:
    """Returns all that verdict, report and the next command are computed from.

    Raises:
        StudyError: The study is refused.
    """
    store = Store(folder)
    records = store.read_all()
    arrays = {name: array.tobytes() for name, array in records.predictions.items()}
    labels = None if records.test_labels is None else records.test_labels.tobytes()
    states = [store.read_state(kind) for kind in STATES]
    weights = [
        _trained(store.weights_path(run.run_id))
        for run in records.runs
        if run.run_id == "winner-s1"
    ]
    found: Any = (replace(records, predictions={}, test_labels=None), arrays, labels, states)
    return pickle.dumps((repr(found), weights))


def checkpoints(folder: Path) -> dict[str, bytes]:
    """Returns what trainings can be resumed from; one that can't be read starts over."""
    found = {}
    for path in folder.glob("checkpoints/*.npz"):
        with suppress(RecordError):
            found[path.name] = _trained(path)
    return found


def _trained(path: Path) -> bytes:
    found = read_checkpoint(path)
    if found is None:
        raise RecordError(f"{path}: is not there.")
    return repr(found.epochs).encode() + b"".join(each.tobytes() for each in found.variables)


def attempt(folder: Path, scratch: Path, before: bytes, draw: random.Random) -> Try:
    """Damages one file of a copy of a study, and reads it.

    Args:
        folder: The study, left as it is.
        scratch: Where its copy goes; deleted.
        before: Its answer.
        draw: What chooses the file and the damage.
    """
    copy = scratch / "copy" / folder.name
    shutil.copytree(folder, copy, copy_function=os.link)
    try:
        path = draw.choice(damageable(copy))
        damage = draw.choice(DAMAGES)
        # The copy's files are links to the study's: this one must be a file of its own.
        shutil.copyfile(path, path.with_name("own~"))
        path.with_name("own~").replace(path)
        damage(path, draw)
        name = str(path.relative_to(copy))
        outcome, said = _outcome(copy, path, before)
        if checkpoints(copy).items() - checkpoints(folder).items():
            outcome = "changed"
        return Try(file=name, damage=damage.__name__, outcome=outcome, said=said)
    finally:
        shutil.rmtree(scratch / "copy")


def _outcome(copy: Path, path: Path, before: bytes) -> tuple[Outcome, str]:
    try:
        after = answer(copy)
    except StudyError as error:
        said = str(error)
        is_whole = path.name in said and "\n" not in said
        return ("refused" if is_whole else "refused without its name"), said
    except Exception as error:  # noqa: BLE001 - what crashes is what is looked for
        return "crashed", f"{type(error).__name__}: {error}"
    return ("same" if after == before else "changed"), ""
