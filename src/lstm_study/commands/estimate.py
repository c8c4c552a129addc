"""How long a study will take, said before anything is trained."""

import tempfile
from pathlib import Path

from lstm_study.commands.open_study import OpenStudy, Show
from lstm_study.duration.pace import Pace
from lstm_study.duration.pace_measurement import is_measurable, kept_pace, machine_pace
from lstm_study.duration.time_left import TimeLeft, read_time_left, time_left
from lstm_study.engine.backend import in_force
from lstm_study.engine.devices import Workers, choose_workers
from lstm_study.records import CorpusSummary
from lstm_study.records.state import Extent, SearchState
from lstm_study.spec import StudySpec


def estimate(
    study: OpenStudy,
    corpus: CorpusSummary,
    *,
    show: Show,
    extent: Extent | None = None,
    is_new: bool = False,
) -> TimeLeft | None:
    """Estimates how long the study, or what is left of it, will take.

    Draws the search's plan and times training steps on this machine, unless that was done today.

    Args:
        study: The study, begun or not.
        corpus: Its reviews in numbers.
        show: Where to say that steps are timed.
        extent: How much of the comparison is to be trained now; None for all.
        is_new: Whether it will start over, ignoring an earlier study of its name.

    Returns:
        None where no pace is known before the first epochs: on a GPU, on a cluster, with JAX, or
        with a custom builder.
    """
    size = workers_here(study)
    pace = pace_of(study, size)
    is_lstm = study.spec.builder is None
    if pace is None and not study.cluster and is_lstm and is_measurable(size):
        show.stage("Time", "timing training steps on this machine, some seconds once a day")
        pace = machine_pace(size)
    if pace is None and (is_new or not study.store.exists):
        return None
    if is_new:
        return time_left(
            study.spec,
            corpus=corpus,
            plan=_drawn_plan(study.spec),
            trials=(),
            runs=(),
            control=None,
            pace=pace,
            workers=size.count,
            extent=extent,
        )
    return read_time_left(
        study.spec,
        study.store,
        pace=pace,
        plan=study.store.read_state(SearchState) or _drawn_plan(study.spec),
        corpus=corpus,
        workers=size.count,
        extent=extent,
    )


def time_left_of(
    study: OpenStudy, *, plan: SearchState | None = None, extent: Extent | None = None
) -> TimeLeft | None:
    """Estimates what is left of a study that has begun; measures nothing.

    The options are those of `read_time_left`.
    """
    size = workers_here(study)
    return read_time_left(
        study.spec,
        study.store,
        pace=pace_of(study, size),
        workers=size.count,
        plan=plan,
        extent=extent,
    )


def time_left_in_words(left: TimeLeft | None) -> str:
    """Says an estimate in one sentence, or why there is none."""
    if left is None:
        return "not known before the first epochs"
    return left.sentence


def time_in_words(study: OpenStudy, corpus: CorpusSummary, *, show: Show) -> str:
    """Says how long a study will take; see `estimate`."""
    return time_left_in_words(estimate(study, corpus, show=show))


def load_keras_tuner(spec: StudySpec, log_path: Path) -> None:
    """Imports what the oracle needs, with TensorFlow's messages going to a log."""
    from lstm_study.training.console import redirect_output
    from lstm_study.training.runtime import skip_optional_imports

    # Keras Tuner's Bayesian optimisation fits scikit-learn's Gaussian process.
    needed = ["sklearn"] if spec.search.tuner == "bayesian" else []
    with redirect_output(log_path), skip_optional_imports(*needed):
        import keras_tuner  # noqa: F401 - imported for its side effect on the log alone


def pace_of(study: OpenStudy, size: Workers) -> Pace | None:
    """Returns this machine's pace where it was measured and applies to the study; else None."""
    # A custom builder makes networks of which the machine's pace says nothing.
    return None if study.cluster or study.spec.builder else kept_pace(size)


def workers_here(study: OpenStudy) -> Workers:
    """Returns the workers that a stage with many trainings gets here."""
    return choose_workers(
        study.workers,
        jobs=1_000,
        backend=in_force().name,
        workers_per_gpu=study.workers_per_gpu,
    )


def _drawn_plan(spec: StudySpec) -> SearchState:
    from lstm_study.search.plan_state import plan_summary

    with tempfile.TemporaryDirectory() as folder:
        load_keras_tuner(spec, Path(folder) / "log")
    from lstm_study.search.plan import make_plan

    return plan_summary(make_plan(spec))
