"""What is done to a search without a network: a second where a real one takes minutes."""

import random
import shutil
from pathlib import Path

from tests.campaigns.damage import Try
from tests.support.killed_search import Moment, Searches
from tests.support.results import differences

_FULL = "No space left on device"


def kill(searches: Searches, folder: Path, draw: random.Random) -> list[Try]:
    """Kills a search at random moments until it gets through; returns a try for each kill."""
    tried = _empty(folder)
    kills, end = 0, "killed"
    while end == "killed":
        # Before anything is saved at first, then after something is, so that it gets on.
        latest = 150 if kills > 1 else 20
        moment = Moment(operations=draw.randint(1, latest), saved_first=kills > 1)
        end = searches.run(tried, moment)
        kills += end == "killed"
    found = _compared(folder, end=end, damage="kill -9")
    return [found] * kills


def fill_disk(searches: Searches, folder: Path, draw: random.Random) -> Try:
    """Fills the disk from some operation on, then makes room and runs the search again."""
    tried = _empty(folder)
    moment = Moment(operations=draw.randint(1, 1_000), saved_first=False, fills_disk=True)
    said = searches.run(tried, moment)
    if _FULL not in said or "Free space" not in said:
        return Try(file="", damage="full disk", outcome="crashed", said=said)
    return _compared(folder, end=searches.run(tried, Moment(operations=10**6)), damage="full disk")


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder / "tried", ignore_errors=True)
    return folder / "tried"


def _compared(folder: Path, *, end: str, damage: str) -> Try:
    if end != "ended":
        return Try(file="", damage=damage, outcome="crashed", said=end)
    different = differences(folder / "peaceful", folder / "tried")
    outcome = "changed" if different or list((folder / "tried").rglob("*~")) else "same"
    return Try(file="", damage=damage, outcome=outcome, said=", ".join(different))
