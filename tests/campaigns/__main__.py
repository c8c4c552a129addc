"""The long campaigns, by hand: python -m tests.campaigns --minutes 30

Damages, kills and forges studies at random for so long, and writes what came of it to
reports/benchmarks/campaigns.md. A seed gives the same attempts in the same order.
"""

import argparse
import itertools
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lstm_study.commands import check, open_kept, read_answer
from lstm_study.errors import StudyError
from lstm_study.provenance import git_commit, now
from lstm_study.store import Store
from tests.campaigns import orders, searching, whole
from tests.campaigns.damage import HELD, Try, answer, attempt
from tests.campaigns.forgery import forge
from tests.support.forked_commands import ForkedCommands
from tests.support.killed_search import Searches
from tests.support.stored_study import stored

TABLE = Path("reports/benchmarks/campaigns.md")
_SHARES = {"damage": 0.15, "forgery": 0.1, "search": 0.15, "orders": 0.15, "whole": 0.45}
_INTRODUCTION = """\
# Studies under attack

`python -m tests.campaigns --minutes {minutes:g} --seed {seed}`, {ended}, commit {commit}.

Each attempt ends as one of: *same* (the study is, to the bit, what it would have been), *refused*
(one sentence that names the file), or it failed. *damage* and *forgery* change one file of a
finished or an interrupted study, and read it. *search* kills a search without a network again and
again, or fills its disk from some operation on, and then lets it end. *whole* does things to the
real commands on a small study, which they then train to its end. *orders* runs commands in any
order without a network, with settings that change, kills and damages in between. The last three
compare every record and prediction with those of an undisturbed study.

| attempt | tried | same | refused | failed |
| --- | ---: | ---: | ---: | ---: |
"""


def main() -> None:
    """Runs all campaigns, and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found: list[tuple[str, Try]] = []
    with tempfile.TemporaryDirectory() as name:
        for campaign, share in _SHARES.items():
            end = time.monotonic() + 60.0 * options.minutes * share
            draw = random.Random(f"{campaign} {options.seed}")
            folder = Path(name) / campaign
            folder.mkdir()
            for made in _CAMPAIGNS[campaign](folder, draw, end):
                found.append((campaign, made))
                if made.outcome not in HELD:
                    print(campaign, made, flush=True)
    TABLE.write_text(
        _INTRODUCTION.format(
            minutes=options.minutes,
            seed=options.seed,
            ended=now()[:10],
            commit=git_commit(Path.cwd())[:10],
        )
        + "\n".join(_rows(found))
        + "\n",
        encoding="utf-8",
    )
    print(TABLE.read_text(encoding="utf-8"))


def _damages(folder: Path, draw: random.Random, end: float) -> list[Try]:
    studies = {}
    for name in ("compared", "interrupted"):
        (folder / name).mkdir()
        study = stored(name, folder / name)
        studies[study] = answer(study)
    found = []
    while time.monotonic() < end:
        study, before = draw.choice(list(studies.items()))
        found.append(attempt(study, folder, before, draw))
    return found


def _forgeries(folder: Path, draw: random.Random, end: float) -> list[Try]:
    study = stored("compared", folder)
    found = []
    while time.monotonic() < end:
        copy = folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(study, copy)
        file, _, said = forge(copy, draw).partition(": ")
        try:
            check(Store(copy))
            read_answer(open_kept(copy, out=folder / "reports"), is_noted=False)
            made = Try(file=file, damage="a forged value", outcome="same", said=said)
        except StudyError as error:
            made = Try(file=file, damage="a forged value", outcome="refused", said=str(error))
        except Exception as error:  # noqa: BLE001 - what crashes is what is looked for
            made = Try(
                file=file, damage="a forged value", outcome="crashed", said=f"{said}: {error}"
            )
        found.append(made)
    return found


def _wholes(folder: Path, draw: random.Random, end: float) -> list[Try]:
    peaceful, half = whole.prepare(folder, draw)
    found = []
    for attempt_one in itertools.cycle(whole.attempts()):
        if time.monotonic() >= end:
            return found
        try:
            made = attempt_one(peaceful, half, folder / "tried", draw)
        except Exception as error:  # noqa: BLE001 - one attempt must not end the campaign
            made = Try(file="", damage=attempt_one.__name__, outcome="crashed", said=repr(error))
        print(f"{now()} whole: {made.damage}: {made.outcome}", flush=True)
        found.append(made)
    return found


def _orders(folder: Path, draw: random.Random, end: float) -> list[Try]:
    found: list[Try] = []
    with ForkedCommands() as commands:
        while time.monotonic() < end:
            made = Try(file="", damage="commands in any order", outcome="same", said="")
            try:
                orders.one_order(commands, folder / "tried", random.Random(draw.random()))
            except orders.BrokenError as error:
                made = replace(made, outcome="changed", said=str(error))
            found.append(made)
    return found


def _searches(folder: Path, draw: random.Random, end: float) -> list[Try]:
    found: list[Try] = []
    with Searches() as searches:
        searches.finish(folder / "peaceful")
        while time.monotonic() < end:
            found += searching.kill(searches, folder, draw)
            found.append(searching.fill_disk(searches, folder, draw))
    return found


_CAMPAIGNS: dict[str, Callable[[Path, random.Random, float], list[Try]]] = {
    "damage": _damages,
    "forgery": _forgeries,
    "search": _searches,
    "orders": _orders,
    "whole": _wholes,
}


def _rows(found: list[tuple[str, Try]]) -> list[str]:
    counts: dict[tuple[str, str], Counter[str]] = {}
    for campaign, made in found:
        counts.setdefault((campaign, made.damage), Counter())[made.outcome] += 1
    rows = []
    for (campaign, damage), count in sorted(counts.items()):
        failed = sum(number for outcome, number in count.items() if outcome not in HELD)
        rows.append(
            f"| {campaign}: {damage} | {count.total()} | {count['same']} | {count['refused']} "
            f"| {failed} |"
        )
    return rows


if __name__ == "__main__":
    main()
