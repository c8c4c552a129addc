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
from lstm_study.simulation.error_rates import SEED, ErrorRates

LOOKS = ((5, 10, 15), (4, 6, 8, 10, 12, 14, 16, 18, 20))
# Bounds that the verdict must keep, as shares; the simulation's own error is added to them.
MOST_ERRORS = 0.06
COVERAGE = (0.93, 0.97)

_MADE_BY = """\
{studies:,} simulated studies per scenario, seed {seed}; made by `python -m lstm_study.simulation
{study}--studies {studies} --out {out}`. Studies with fewer seeds are the first runs of those with
more. A share of 5% is uncertain by ±{chance}."""
_WORDS = """\
{components} σ is the standard deviation of accuracy over seeds, candidate / reference, in
percentage points. *Better* and *worse* are of runs that did not fail; *fails* is the share of
studies that say that one arm fails more often; *coverage* is of the 95% interval, and ± its mean
half width; *unsaid* is the share with too few runs left. *Uncorrected* is the share called better
or worse if failed runs are left in and runs are not paired, which the verdict does not do. Runs
fail with an accuracy of 60% to 70%; heavy tails are Student's t with 3 degrees of freedom; ρ is
the correlation of runs with one seed index."""
_HEADS = (
    "| scenario | reviews | σ | seeds per arm | better | worse | fails | coverage | ± points | "
    "unsaid | uncorrected |"
)
_KEPT = """\
Where the arms are equally good, at most {most:.0%} are to be called better or worse, and coverage
is to be {low:.0%} to {high:.0%}, the simulation's chance (±{chance}) aside. {found}"""
_LOOKED = """\
Several looks: an A/A (σ {deviation}) judged with {looks} seeds until a difference is shown, each at
its level, shows one in {looked} of the studies."""
_CALCULATED = """\
From the same model (the two arms differ on {between} of {documents:,} reviews) with
`lstm_study.analysis.statistics.power`, which the table above checks: the true difference, in
points, that is found in 80% of studies; the chance of finding 1 point with 14 seeds per arm; and
the seeds per arm that find 1 point in 80%. Runs of one seed count as independent here; where they
resemble each other, as a report estimates them to, its comparison shows smaller differences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The scenarios that are simulated and calculated.

    Attributes:
        scenarios: Scenarios, and the seeds per arm of each.
        looked_at: The A/A that is looked at several times.
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
    outcomes: Sequence[ErrorRates],
    looked: Sequence[float],
    *,
    out: Path,
    studies: int,
) -> str:
    """Writes the page.

    `looked` is the share of the studies that showed something at some look, for each of `LOOKS`.
    """
    chance = 1.96 * np.sqrt(0.05 * 0.95 / studies)
    lines = [
        "# How often the verdict errs",
        "",
        _paragraph(
            _MADE_BY,
            studies=studies,
            seed=SEED,
            study=f"--study {tables.study} " if tables.study else "",
            out=f"reports/benchmarks/{out.name}",
            chance=f"{chance:.1%}",
        ),
        "",
        _paragraph(_WORDS, components=tables.components),
        "",
        _HEADS,
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
        *map(_row, outcomes),
        "",
        _paragraph(
            _KEPT,
            most=MOST_ERRORS,
            low=COVERAGE[0],
            high=COVERAGE[1],
            chance=f"{chance:.1%}",
            found=exceptions(outcomes, chance=chance),
        ),
        "",
    ]
    for looks, share in zip(LOOKS, looked, strict=True):
        lines += [
            _paragraph(
                _LOOKED,
                looks=", ".join(map(str, looks)),
                looked=f"{share:.1%}",
                deviation=f"{100 * tables.looked_at.reference_deviation:.3g}",
            ),
            "",
        ]
    lines += [
        "## Seeds needed, by calculation",
        "",
        _paragraph(
            _CALCULATED,
            between=f"{100 * tables.needed[0].between:.3g}%",
            documents=tables.needed[0].documents,
        ),
        "",
        "| σ | found in 80% with 4 | with 6 | with 14 | 1 point with 14 | seeds for 1 point |",
        "| --: | --: | --: | --: | --: | --: |",
    ]
    lines += [_needed(scenario) for scenario in tables.needed]
    return "\n".join(lines) + "\n"


def exceptions(outcomes: Sequence[ErrorRates], *, chance: float) -> str:
    """Says in which rows false verdicts or coverage are not what they should be."""
    found = []
    for o in outcomes:
        where = f"{o.scenario}, {o.seeds} seeds, {o.documents:,} reviews"
        if o.effect_points == 0 and o.better + o.worse > MOST_ERRORS + chance:
            found.append(f"{where}: {o.better + o.worse:.1%} false verdicts")
        if o.coverage is not None and not (
            COVERAGE[0] - chance <= o.coverage <= COVERAGE[1] + chance
        ):
            found.append(f"{where}: coverage {o.coverage:.1%}")
    return "Not so: " + "; ".join(found) + "." if found else "So it is in every row."


def _row(o: ErrorRates) -> str:
    coverage = "" if o.coverage is None else f"{o.coverage:.1%}"
    half_width = "" if o.half_width_points is None else f"{o.half_width_points:.2f}"
    return (
        f"| {o.scenario} | {o.documents:,} | {o.candidate_deviation_points:.3g} / "
        f"{o.reference_deviation_points:.3g} | {o.seeds} | {o.better:.1%} | {o.worse:.1%} | "
        f"{o.more_often + o.less_often:.1%} | {coverage} | {half_width} | {o.unsaid:.1%} | "
        f"{o.uncorrected:.1%} |"
    )


def _paragraph(text: str, **values: object) -> str:
    return textwrap.fill(text.format(**values), 100, break_long_words=False, break_on_hyphens=False)


def _needed(scenario: Scenario) -> str:
    """Writes a row of what seeds would do at a scenario's components."""
    parts = true_components(scenario, seeds=14)
    found = " | ".join(
        f"{100 * smallest_difference(parts, seeds=seeds):.2f}" for seeds in (4, 6, 14)
    )
    deviations = {scenario.candidate_deviation: None, scenario.reference_deviation: None}
    needed = seeds_to_settle(parts, difference=0.01)
    return (
        f"| {' / '.join(f'{100 * each:.3g}' for each in deviations)} | {found} | "
        f"{power_to_find(parts, difference=0.01):.0%} | "
        f"{f'over {MOST_SEEDS:,}' if needed is None else needed} |"
    )
