"""The long campaigns, by hand: python -m tests.campaigns --minutes 30

Damages, kills and forges studies at random for so long, and writes what came of it to
reports/benchmarks/campaigns.md. A seed gives the same attempts in the same order.
"""

import argparse
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from lstm_study.commands import check, open_kept, read_answer
from lstm_study.errors import StudyError
from lstm_study.provenance import now
from lstm_study.store import Store
from tests.campaigns import whole
from tests.campaigns.damage import HELD, Try, answer, attempt
from tests.campaigns.forgery import forge
from tests.support.stored_study import stored

TABLE = Path("reports/benchmarks/campaigns.md")
_SHARES = {"damage": 0.25, "forgery": 0.15, "whole": 0.6}
_FORGED = "a forged value"
_INTRODUCTION = """\
# Studies under attack

`python -m tests.campaigns --minutes {minutes:g} --seed {seed}`, {ended}.

Each attempt ends as one of: *same* (the study is, to the bit, what it would have been), *refused*
(one sentence that names the file), or it failed. A *whole* attempt trains a small study to its end
after what was done to it, and compares every record and prediction.

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
        _INTRODUCTION.format(minutes=options.minutes, seed=options.seed, ended=now()[:10])
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
    while time.monotonic() < end:
        name = draw.choice(list(whole.ATTEMPTS))
        found.append(whole.ATTEMPTS[name](peaceful, half, folder / "tried", draw))
    return found


_CAMPAIGNS: dict[str, Callable[[Path, random.Random, float], list[Try]]] = {
    "damage": _damages,
    "forgery": _forgeries,
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
