"""Row `report`: a report of a thousand trials, step by step, without TensorFlow."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from lstm_study.configuration import Configuration
from lstm_study.records import Epoch, StudyRecords, Trial
from lstm_study.seeds import derive
from lstm_study.spec import StudySpec, parse_spec
from tests.benchmarks.measure import Row, Settings, alternate, compared
from tests.benchmarks.processes import fresh

_EPOCHS = 10
_STEPS = ("tables", "figures", "page and files")
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
Seconds = dict[str, tuple[float, float]]


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


def measure(records: StudyRecords) -> tuple[Seconds, int]:
    """Renders a report once; returns wall and processor seconds of each step, and its bytes."""
    from lstm_study.analysis.answer.verdict import judge
    from lstm_study.report.content import gather, illustrate
    from lstm_study.report.write import render_files

    found: Seconds = {}

    @contextmanager
    def timed(step: str) -> Iterator[None]:
        wall, processor = time.perf_counter(), time.process_time()
        yield
        found[step] = (time.perf_counter() - wall, time.process_time() - processor)

    with timed("whole report"):
        with timed("tables"):
            content = gather(
                records, verdict=judge(records),
                made_at="2025-03-02T10:00:00.000Z", versions={}, git_commit="", bundle=None,
            )  # fmt: skip
        with timed("figures"):
            content = illustrate(content)
        with timed("page and files"):
            files = render_files(content)
    return found, len(files["report.html"])


def report(trials: int) -> dict[str, Any]:
    """Renders a small report, whose imports do not count, then one of so many trials."""
    import sys

    measure(made_up(trials=20, epochs=2))
    found, size = measure(made_up(trials=trials, epochs=_EPOCHS))
    wall, processor = found["whole report"]
    if "tensorflow" in sys.modules:
        raise RuntimeError("a report imported TensorFlow")
    return {
        "wall_s": wall, "processor_s": processor, "size_mb": size / 1e6,
        **{step: found[step][1] for step in _STEPS},
    }  # fmt: skip


def rows(settings: Settings) -> list[Row]:
    """Measures the report."""
    trials = settings.size(1_000, 30)
    found = alternate({"ours": partial(fresh, report, trials=trials)}, rounds=settings.rounds)
    named: dict[str, Any] = {"row": "report", "case": f"{trials:,} trials of {_EPOCHS} epochs"}
    return [
        compared(found, "processor_s", **named, quantity="processor time", unit="s",
                 note="without TensorFlow, as is checked"),
        *(compared(found, step, **named, quantity=f"processor time: {step}", unit="s")
          for step in _STEPS),
        compared(found, "wall_s", **named, quantity="wall time", unit="s"),
        compared(found, "size_mb", **named, quantity="report.html", unit="MB"),
        compared(found, "peak_mb", **named, quantity="peak memory", unit="MB",
                 bound="under 500 MB"),
    ]  # fmt: skip
