"""How long a report of a thousand trials takes: `python -m tests.benchmarks.thousand_trials`.

Draws the same made-up study three times in one process and writes the medians, with the machine,
to `reports/benchmarks/report.md` and `.csv`. The first drawing's imports are measured apart.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lstm_study.configuration import Configuration
from lstm_study.provenance import machine
from lstm_study.records import Epoch, Machine, StudyRecords, Trial
from lstm_study.report.tables.table import Column, table, to_csv
from lstm_study.seeds import derive
from lstm_study.spec import StudySpec, parse_spec

REPEATS = 3
SPEC = """
[study]
name = "benchmark"
seed = 1
objective = "validation_accuracy"
[data]
source = "reviews"
test_fraction = 0.2
validation_fraction = 0.2
[space]
vocabulary_size = {{ choices = [5000, 10000, 20000] }}
maxlen = {{ min = 80, max = 200, step = 20 }}
embedding_dim = {{ choices = [16, 32, 64] }}
lstm_units = {{ min = 16, max = 128, step = 16 }}
dropout = {{ min = 0.0, max = 0.5 }}
recurrent_dropout = {{ min = 0.0, max = 0.5 }}
[search]
tuner = "random"
max_trials = {trials}
max_epochs = {epochs}
"""
Timings = dict[str, tuple[float, float]]


def made_up(*, trials: int, epochs: int) -> StudyRecords:
    """Returns a study of so many completed trials, each of so many epochs; no run was compared."""
    spec = parse_spec(SPEC.format(trials=trials, epochs=epochs), where="benchmark.toml")
    return StudyRecords(
        name=spec.study.name, title="A benchmark", spec_text="", spec=spec.model_dump(mode="json"),
        deviations=(), settings=(), corpus=None, planned_trials=trials,
        planned_epochs=trials * epochs, runs=(), sessions=(), openings=(), predictions={},
        test_labels=None,
        trials=tuple(_trial(number, epochs, spec) for number in range(trials)),
    )  # fmt: skip


def _trial(number: int, epochs: int, spec: StudySpec) -> Trial:
    drawn = random.Random(derive(spec.study.seed, "benchmark", number))
    configuration = Configuration(
        vocabulary_size=drawn.choice([5000, 10000, 20000]), maxlen=drawn.randrange(80, 201, 20),
        embedding_dim=drawn.choice([16, 32, 64]), lstm_units=drawn.randrange(16, 129, 16),
        dropout=drawn.uniform(0, 0.5), recurrent_dropout=drawn.uniform(0, 0.5),
    )  # fmt: skip
    began = datetime(2025, 3, 1, tzinfo=UTC) + timedelta(minutes=number // 4)
    height = 0.8 + configuration.maxlen / 2000 - configuration.dropout / 20
    history = tuple(
        Epoch(
            epoch=epoch, train_loss=1 / (1 + epoch), train_accuracy=1 - 0.5 / (1 + epoch),
            validation_loss=0.5 - value / 4, validation_accuracy=value, train_seconds=4.0,
            validation_seconds=0.5, ended_at=_stamp(began + timedelta(seconds=5 * epoch)),
        )
        for epoch in range(1, epochs + 1)
        for value in [height - 0.3 / (1 + epoch) + drawn.gauss(0, 0.004)]
    )  # fmt: skip
    score = history[-1].validation_accuracy
    return Trial(
        trial_id=f"b0-{number:04d}-r0", configuration=configuration, seed=number + 1, iteration=0,
        bracket=0, round=0, initial_epoch=0, budget_epochs=epochs, status="completed",
        epochs=history, parameter_count=configuration.parameter_count, score=score,
        score_last_epoch=score, score_best_epoch=score, worker=f"worker-{number % 4 + 1}",
        started_at=_stamp(began), ended_at=_stamp(began + timedelta(seconds=55)), seconds=45.0,
    )  # fmt: skip


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def measure(records: StudyRecords) -> tuple[Timings, int]:
    """Renders a report once, and returns the wall and processor seconds of each step, and bytes."""
    from lstm_study.analysis.answer.verdict import judge
    from lstm_study.report.content import gather, illustrate
    from lstm_study.report.write import render_files

    found: Timings = {}

    @contextmanager
    def timed(step: str) -> Iterator[None]:
        wall, processor = time.perf_counter(), time.process_time()
        yield
        found[step] = (time.perf_counter() - wall, time.process_time() - processor)

    with timed("whole report"):
        with timed("tables"):
            content = gather(
                records, verdict=judge(records, seed=records.spec["study"]["seed"]),
                made_at="2025-03-02T10:00:00.000Z", versions={}, git_commit="", bundle=None,
            )  # fmt: skip
        with timed("figures"):
            content = illustrate(content)
        with timed("page and files"):
            files = render_files(content)
    return found, len(files["report.html"])


def run(*, trials: int, epochs: int, folder: Path, tell: Callable[[str], None]) -> None:
    """Measures, and writes `report.md` and `report.csv` into a folder."""
    records = made_up(trials=trials, epochs=epochs)
    first, size = measure(made_up(trials=20, epochs=2))
    timings: list[Timings] = []
    for _ in range(REPEATS):
        found, size = measure(records)
        timings.append(found)
    rows = [
        {
            "step": step,
            "wall_seconds": round(statistics.median(item[step][0] for item in timings), 2),
            "processor_seconds": round(statistics.median(item[step][1] for item in timings), 2),
        }
        for step in timings[0]
    ]
    columns = (
        Column(name="step", meaning="Part of the work"),
        Column(name="wall_seconds", meaning=f"Median of {REPEATS}", unit="seconds"),
        Column(name="processor_seconds", meaning=f"Median of {REPEATS}", unit="seconds"),
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.csv").write_text(to_csv(table("report", "One step", columns, rows)))
    opening = (
        f"{trials:,} trials of {epochs} epochs, median of {REPEATS} in one process. The page is "
        f"{size / 1e6:.2f} MB, and the process took {_peak_bytes() / 1e6:.0f} MB of memory at "
        f"most. Machine: {_in_words(machine())}. Made by "
        "`python -m tests.benchmarks.thousand_trials`."
    )
    closing = (
        "A first small report in the same process, with the imports of matplotlib, seaborn and "
        f"optuna, took {first['whole report'][0]:.2f} s. Wall seconds are longer than processor "
        "seconds where other work ran beside."
    )
    lines = [
        "# A report of many trials",
        "",
        opening,
        "",
        "| step | wall seconds | processor seconds |",
        "| --- | --: | --: |",
        *(
            f"| {row['step']} | {row['wall_seconds']:.2f} | {row['processor_seconds']:.2f} |"
            for row in rows
        ),
        "",
        closing,
    ]
    (folder / "report.md").write_text("\n".join(lines) + "\n")
    tell("\n".join(lines))


def _peak_bytes() -> int:
    """Returns the most memory this process has held, imports and all."""
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _in_words(found: Machine) -> str:
    return f"{found.processor or 'unknown processor'}, {found.cpu_count} processors"


def main() -> None:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(description="How long a report of many trials takes.")
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path("reports/benchmarks"))
    options = parser.parse_args()
    run(trials=options.trials, epochs=options.epochs, folder=options.out, tell=_say)


def _say(text: str) -> None:
    import sys

    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
