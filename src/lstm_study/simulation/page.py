"""The page on how often the verdict errs, in Markdown."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lstm_study.analysis.statistics.power import (
    MOST_SEEDS,
    power_to_find,
    seeds_to_settle,
    smallest_difference,
)
from lstm_study.analysis.statistics.scenario import Scenario, true_components
from lstm_study.simulation.error_rates import RESAMPLES, Outcome

LOOKS = (6, 12)

_MADE_BY = """\
{studies:,} made-up studies per scenario, seed {seed}, {resamples:,} resamples each; made by
`python -m lstm_study.simulation {study}--studies {studies} --out {out}`. Studies with
fewer seeds are the first runs of those with more. A share of 5% is uncertain by ±{chance}."""
_WORDS = """\
{components} σ is the standard deviation of accuracy over seeds, candidate / reference, in
percentage points; coverage is of the 95% interval, and ± its mean half width. *Plain* is the
coverage of the uncorrected percentile bootstrap, on fewer studies (see the .csv), which the verdict
does not use."""
_LOOKED = """\
Looked at again: an A/A (σ {deviation}) judged with {first} seeds at 95%, then, where nothing was
shown, with {second} at 97.5%, is called better or worse in {looked} of the studies."""
_CALCULATED = """\
From the same model ({between} read differently by the two arms, {documents:,} reviews) with
`lstm_study.analysis.statistics.power`, which the table above checks: the true difference, in
points, that is found in 80% of studies; the chance of finding 1 point with 6 seeds per arm; and the
seeds per arm that find 1 point in 80%."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What is simulated and calculated.

    Attributes:
        scenarios: Scenarios, and the seeds per arm of each.
        looked_at: The A/A that is looked at twice.
        needed: Scenarios whose power is calculated.
        components: Where the variance components are from, in words.
        study: The study's folder as the command has it; "" without one.
    """

    scenarios: Sequence[tuple[Scenario, Sequence[int]]]
    looked_at: Scenario
    needed: Sequence[Scenario]
    components: str
    study: str = ""


def markdown(
    tables: Tables,
    outcomes: Sequence[Outcome],
    looked: float,
    *,
    out: Path,
    studies: int,
    seed: int,
) -> str:
    """Writes the page.

    Args:
        tables: What was simulated.
        outcomes: What came of it.
        looked: Share of the studies that were looked at twice and showed something.
        out: Path without suffix.
        studies: How many were made up per scenario.
        seed: Of the whole simulation.
    """
    chance = 1.96 * np.sqrt(0.05 * 0.95 / studies)
    lines = [
        "# How often the verdict errs",
        "",
        _paragraph(
            _MADE_BY,
            studies=studies,
            seed=seed,
            resamples=RESAMPLES,
            study=f"--study {tables.study} " if tables.study else "",
            out=_shown(out),
            chance=f"{chance:.1%}",
        ),
        "",
        _paragraph(_WORDS, components=tables.components),
        "",
        "| scenario | reviews | σ | seeds per arm | better | worse | coverage | ± points | plain |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    lines += [
        f"| {o.scenario} | {o.documents:,} | {o.candidate_deviation_points:.3g} / "
        f"{o.reference_deviation_points:.3g} | {o.seeds} | {o.better:.1%} | {o.worse:.1%} | "
        f"{o.coverage:.1%} | {o.half_width_points:.2f} | "
        + (f"{o.percentile_coverage:.1%} |" if o.percentile_coverage is not None else "|")
        for o in outcomes
    ]
    lines += [
        "",
        _paragraph(
            _LOOKED,
            first=LOOKS[0],
            second=LOOKS[1],
            looked=f"{looked:.1%}",
            deviation=f"{100 * tables.looked_at.reference_deviation:.3g}",
        ),
        "",
        "## Seeds needed, by calculation",
        "",
        _paragraph(
            _CALCULATED,
            between=f"{100 * tables.needed[0].between:.3g}%",
            documents=tables.needed[0].documents,
        ),
        "",
        "| σ | found in 80% with 3 | with 6 | with 10 | 1 point found with 6 | seeds for 1 point |",
        "| --: | --: | --: | --: | --: | --: |",
    ]
    lines += [_needed(scenario) for scenario in tables.needed]
    return "\n".join(lines) + "\n"


def _paragraph(text: str, **values: object) -> str:
    return textwrap.fill(text.format(**values), 100, break_long_words=False, break_on_hyphens=False)


def _needed(scenario: Scenario) -> str:
    """Writes a row of what seeds would do at a scenario's components."""
    parts = true_components(scenario, seeds=6)
    found = " | ".join(
        f"{100 * smallest_difference(parts, seeds=seeds):.2f}" for seeds in (3, 6, 10)
    )
    deviations = {scenario.candidate_deviation: None, scenario.reference_deviation: None}
    needed = seeds_to_settle(parts, difference=0.01)
    return (
        f"| {' / '.join(f'{100 * each:.3g}' for each in deviations)} | {found} | "
        f"{power_to_find(parts, difference=0.01):.0%} | "
        f"{f'over {MOST_SEEDS:,}' if needed is None else needed} |"
    )


def _shown(out: Path) -> str:
    """Names the tables' path as a command in the project's folder would, wherever it lies."""
    folder = Path("reports/benchmarks")
    return (folder / out.name).as_posix()
