"""The table of how often the verdict errs, and the command that makes it.

    python -m lstm_study.analysis.simulation --studies 2000 \\
        --out reports/benchmarks/verdict-simulation
"""

import argparse
import csv
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np

from lstm_study.analysis.error_rates import (
    RESAMPLES,
    SEED,
    Outcome,
    simulate,
    simulate_looks,
)
from lstm_study.analysis.generative import Scenario, true_components
from lstm_study.analysis.power import power_to_find, seeds_to_settle, smallest_difference
from lstm_study.seeds import derive

SEEDS = (2, 3, 6, 10)
LOOKS = (6, 12)
DEVIATIONS = (0.003, 0.005, 0.0055, 0.006, 0.0075, 0.01)

_HEAD = """\
{studies:,} made-up studies per scenario, seed {seed}, {resamples:,} resamples each; made by
`python -m lstm_study.analysis.simulation --studies {studies} --out
reports/benchmarks/verdict-simulation`. Studies with fewer seeds are the first runs of those with
more. A share of 5% is uncertain by ±{chance}.

Accuracy is 86%. Two runs of one arm read 9% of the reviews differently; so do two of different arms
in an A/A (one configuration against itself), and 12% elsewhere. σ is the standard deviation of
accuracy over seeds, candidate / reference, in percentage points; coverage is of the 95% interval,
and ± its mean half width. *Plain* is the coverage of the uncorrected percentile bootstrap, on fewer
studies (see the .csv), which the verdict does not use.
"""

_SEEDS_NEEDED = """
Looked at again: an A/A (σ 0.5) judged with {first} seeds at 95%, then, where nothing was shown,
with {second} at 97.5%, is called better or worse in {looked} of the studies.

## Seeds needed, by calculation

From the same model (12% read differently by the two arms, 25,000 reviews) with
`lstm_study.analysis.power`, which the table above checks: the true difference, in points, that is
found in 80% of studies; the chance of finding 1 point with 6 seeds per arm; and the seeds per arm
that find 1 point in 80%.

| σ | found in 80% with 3 | with 6 | with 10 | 1 point found with 6 | seeds for 1 point |
| --: | --: | --: | --: | --: | --: |"""


def scenarios() -> tuple[tuple[Scenario, tuple[int, ...]], ...]:
    """Returns what the table shows: scenarios, and the seeds per arm of each."""
    small = Scenario(name="A/A", candidate_deviation=0.005, reference_deviation=0.005)
    large = replace(small, candidate_deviation=0.01, reference_deviation=0.01)
    other = replace(small, name="equally good, other reviews", between=0.12)
    uneven = replace(other, candidate_deviation=0.01, name="equally good, uneven seeds")
    planted = replace(other, name="1 point better", effect=0.01)
    return (
        (small, SEEDS),
        (large, (3, 6, 10)),
        (other, (3, 6, 10)),
        (uneven, (3, 6, 10)),
        (replace(other, documents=1_000), (3, 6, 10)),
        (planted, SEEDS),
        (replace(planted, candidate_deviation=0.0075, reference_deviation=0.0075), (6, 10)),
        (replace(planted, candidate_deviation=0.01, reference_deviation=0.01), (6, 10)),
    )


def write_tables(out: Path, *, studies: int, percentile_studies: int, seed: int = SEED) -> None:
    """Simulates every scenario and writes `<out>.csv` and `<out>.md`."""
    outcomes = [
        outcome
        for number, (scenario, seeds) in enumerate(scenarios())
        for outcome in simulate(
            scenario,
            seeds=seeds,
            studies=studies,
            seed=derive(seed, "scenario", number),
            percentile_studies=percentile_studies if scenario.name == "A/A" else 0,
        )
    ]
    looked = simulate_looks(
        Scenario(name="A/A, looked at again", candidate_deviation=0.005, reference_deviation=0.005),
        looks=LOOKS,
        studies=studies,
        seed=seed,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(
            file, [field.name for field in fields(Outcome)], lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows({key: _plain(value) for key, value in asdict(o).items()} for o in outcomes)
    text = _markdown(outcomes, looked, studies=studies, seed=seed)
    out.with_suffix(".md").write_text(text, encoding="utf-8")


def _plain(value: object) -> object:
    return round(value, 6) if isinstance(value, float) else value


def _markdown(outcomes: Sequence[Outcome], looked: float, *, studies: int, seed: int) -> str:
    chance = 1.96 * np.sqrt(0.05 * 0.95 / studies)
    lines = [
        "# How often the verdict errs",
        "",
        _HEAD.format(studies=studies, seed=seed, resamples=RESAMPLES, chance=f"{chance:.1%}"),
        "| scenario | reviews | σ | seeds per arm | better | worse | coverage | ± points | plain |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    lines += [
        f"| {o.scenario} | {o.documents:,} | {o.candidate_deviation_points:g} / "
        f"{o.reference_deviation_points:g} | {o.seeds} | {o.better:.1%} | {o.worse:.1%} | "
        f"{o.coverage:.1%} | {o.half_width_points:.2f} | "
        + (f"{o.percentile_coverage:.1%} |" if o.percentile_coverage is not None else "|")
        for o in outcomes
    ]
    lines.append(_SEEDS_NEEDED.format(first=LOOKS[0], second=LOOKS[1], looked=f"{looked:.1%}"))
    for deviation in DEVIATIONS:
        parts = true_components(
            Scenario(
                name="",
                between=0.12,
                candidate_deviation=deviation,
                reference_deviation=deviation,
            ),
            seeds=6,
        )
        found = " | ".join(
            f"{100 * smallest_difference(parts, seeds=seeds):.2f}" for seeds in (3, 6, 10)
        )
        lines.append(
            f"| {100 * deviation:g} | {found} | {power_to_find(parts, difference=0.01):.0%} | "
            f"{seeds_to_settle(parts, difference=0.01)} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Runs the command above."""
    parser = argparse.ArgumentParser(description="How often the verdict errs, on made-up studies.")
    parser.add_argument("--studies", type=int, default=2_000, help="per scenario")
    parser.add_argument("--percentile-studies", type=int, default=200, help="per A/A scenario")
    parser.add_argument("--out", type=Path, required=True, help="path without .csv and .md")
    arguments = parser.parse_args()
    write_tables(
        arguments.out, studies=arguments.studies, percentile_studies=arguments.percentile_studies
    )


if __name__ == "__main__":
    main()
