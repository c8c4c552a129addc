"""The tables of how often the verdict errs, and the commands that make them.

    python -m lstm_study.simulation --studies 1000 \\
        --out reports/benchmarks/verdict-simulation
    python -m lstm_study.simulation --study study/reference/imdb --studies 300 \\
        --out reports/benchmarks/verdict-simulation-imdb

The first assumes the variance components, the second takes them from a study's comparison.
"""

import argparse
import csv
from dataclasses import asdict, fields, replace
from pathlib import Path

from lstm_study.analysis.statistics.scenario import Scenario
from lstm_study.errors import StudyError
from lstm_study.seeds import derive
from lstm_study.simulation.error_rates import SEED, ErrorRates, simulate, simulate_looks
from lstm_study.simulation.measured import Measured, Spread, measure_study
from lstm_study.simulation.page import LOOKS, Tables, markdown
from lstm_study.store import Store

SEEDS = (4, 6, 10, 14)
FEWER = (6, 14)
DEVIATIONS = (0.003, 0.005, 0.008, 0.01)
DOCUMENTS = 5_000

_ASSUMED = """\
Accuracy is 86%. Two runs of one arm differ on 9% of the reviews; so do two of different arms in an
A/A (one configuration against itself), and on 12% elsewhere."""
_MEASURED = """\
Taken from the study `{study}`, on {documents:,} test reviews: {candidate}; {reference}; failed runs
are left out. Two runs of one arm differ on {within:.1%} of the reviews, two of different arms on
{between:.1%}. In an A/A both arms are the {name}."""
_SPREAD = """\
the {arm} has an accuracy of {accuracy:.2%} with a σ of {deviation:.2f} (from {runs} runs, which
show it only to be between {low:.2f} and {high:.2f})"""


def assumed() -> Tables:
    """Returns the tables with assumed variance components."""
    return Tables(
        scenarios=scenarios(),
        looked_at=Scenario(
            name="A/A, several looks", documents=DOCUMENTS, candidate_deviation=0.008,
            reference_deviation=0.008,
        ),
        needed=[
            Scenario(name="", between=0.12, candidate_deviation=each, reference_deviation=each)
            for each in DEVIATIONS
        ],
        components=_ASSUMED,
    )  # fmt: skip


def of_study(found: Measured, *, folder: str) -> Tables:
    """Returns the tables with a study's variance components."""
    base = found.scenario
    itself = replace(
        base, name="A/A", between=base.within, candidate_deviation=base.reference_deviation
    )
    equal = replace(base, name="equally good")
    failing = replace(equal, name="equally good, candidate fails in 10%", candidate_failures=0.1)
    seeds = sorted({*SEEDS, found.candidate.runs, found.reference.runs} - {1, 2, 3})
    return Tables(
        scenarios=(
            (itself, seeds),
            (equal, seeds),
            (failing, seeds),
            (replace(equal, name="1 point better", effect=0.01), seeds),
        ),
        looked_at=replace(itself, name="A/A, several looks"),
        needed=[
            replace(
                base,
                candidate_deviation=getattr(found.candidate, each),
                reference_deviation=getattr(found.reference, each),
            )
            for each in ("low", "deviation", "high")
        ],
        components=_MEASURED.format(
            study=found.study,
            documents=base.documents,
            candidate=_in_words(found.candidate),
            reference=_in_words(found.reference),
            within=base.within,
            between=base.between,
            name=found.reference.arm,
        ),
        study=folder,
    )


def _in_words(found: Spread) -> str:
    points = {name: 100 * getattr(found, name) for name in ("deviation", "low", "high")}
    return _SPREAD.format(arm=found.arm, runs=found.runs, accuracy=found.accuracy, **points)


def scenarios() -> tuple[tuple[Scenario, tuple[int, ...]], ...]:
    """Returns what the table shows: scenarios, and the seeds per arm of each."""
    itself = Scenario(
        name="A/A", documents=DOCUMENTS, candidate_deviation=0.008, reference_deviation=0.008
    )
    other = replace(itself, name="equally good, other errors", between=0.12)
    planted = replace(other, name="1 point better", effect=0.01)
    failing = replace(other, candidate_failures=0.1)
    return (
        (itself, SEEDS),
        (replace(itself, documents=300), SEEDS),
        (other, SEEDS),
        (replace(other, documents=25_000), FEWER),
        (replace(other, candidate_deviation=0.012, reference_deviation=0.004,
                 name="equally good, uneven spreads"), FEWER),
        (replace(failing, name="equally good, candidate fails in 10%"), SEEDS),
        (replace(failing, reference_failures=0.1, name="equally good, both fail in 10%"), SEEDS),
        (replace(failing, reference_failures=0.25, candidate_failures=0.25,
                 name="equally good, both fail in 25%"), FEWER),
        (replace(other, tails="heavy", name="equally good, heavy tails"), SEEDS),
        *((replace(other, correlation=each, name=f"equally good, ρ = {each:+.1f}"), FEWER)
          for each in (-0.3, 0.3, 0.5)),
        (replace(planted, documents=25_000), SEEDS),
        (replace(planted, documents=25_000, candidate_failures=0.1, reference_failures=0.1,
                 name="1 point better, both fail in 10%"), FEWER),
        (replace(planted, documents=25_000, candidate_failures=0.5,
                 name="1 point better, fails in 50%"), FEWER),
        (replace(other, documents=2_000, candidate_deviation=0.03, reference_deviation=0.03,
                 name="equally good, wide spreads"), SEEDS),
        (replace(other, documents=2_000, candidate_deviation=0.03, reference_deviation=0.01,
                 name="equally good, one wide spread"), SEEDS),
    )  # fmt: skip


def write_tables(out: Path, *, studies: int, tables: Tables | None = None) -> None:
    """Simulates every scenario and writes `<out>.csv` and `<out>.md`."""
    tables = tables or assumed()
    outcomes = [
        outcome
        for number, (scenario, seeds) in enumerate(tables.scenarios)
        for outcome in simulate(
            scenario, seeds=seeds, studies=studies, seed=derive(SEED, "scenario", number)
        )
    ]
    looked = [simulate_looks(tables.looked_at, looks=looks, studies=studies) for looks in LOOKS]
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(
            file, [field.name for field in fields(ErrorRates)], lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows({key: _plain(value) for key, value in asdict(o).items()} for o in outcomes)
    text = markdown(tables, outcomes, looked, out=out, studies=studies)
    out.with_suffix(".md").write_text(text, encoding="utf-8")


def _plain(value: object) -> object:
    return round(value, 6) if isinstance(value, float) else value


def main() -> None:
    """Runs the commands above."""
    parser = argparse.ArgumentParser(
        description="How often the verdict errs, on simulated studies."
    )
    parser.add_argument("--studies", type=int, default=1_000, help="per scenario")
    parser.add_argument("--study", type=Path, help="take the components from this study's folder")
    parser.add_argument("--out", type=Path, required=True, help="path without .csv and .md")
    arguments = parser.parse_args()
    tables = None
    if arguments.study is not None:
        try:
            tables = of_study(
                measure_study(Store(arguments.study).read_all()), folder=arguments.study.as_posix()
            )
        except StudyError as error:
            parser.exit(1, f"{error}\n")
    write_tables(arguments.out, studies=arguments.studies, tables=tables)


if __name__ == "__main__":
    main()
