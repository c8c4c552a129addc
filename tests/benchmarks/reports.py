"""Row `report`: a report of a thousand trials, and how its cost grows with their number."""

from functools import partial
from typing import Any

from tests.benchmarks.measure import Row, Settings, alternate, compared, fresh
from tests.benchmarks.thousand_trials import made_up, measure

_EPOCHS = 10


def report(trials: int) -> dict[str, Any]:
    """Draws a small report, whose imports do not count, then one of so many trials; a process."""
    import sys

    measure(made_up(trials=20, epochs=2))
    timings, size = measure(made_up(trials=trials, epochs=_EPOCHS))
    wall, processor = timings["whole report"]
    if "tensorflow" in sys.modules:
        raise RuntimeError("a report imported TensorFlow")
    return {"wall_s": wall, "processor_s": processor, "size_mb": size / 1e6}


def rows(settings: Settings) -> list[Row]:
    """Measures the report; without TensorFlow."""
    trials = settings.size(1_000, 30)
    found = alternate({"ours": partial(fresh, report, trials=trials)}, rounds=settings.rounds)
    named: dict[str, Any] = {"row": "report", "case": f"{trials:,} trials of {_EPOCHS} epochs"}
    return [
        compared(found, "processor_s", **named, quantity="processor time", unit="s",
                 note="without TensorFlow, as is checked"),
        compared(found, "wall_s", **named, quantity="wall time", unit="s"),
        compared(found, "size_mb", **named, quantity="report.html", unit="MB"),
        compared(found, "peak_mb", **named, quantity="peak memory", unit="MB",
                 bound="under 500 MB"),
    ]  # fmt: skip
