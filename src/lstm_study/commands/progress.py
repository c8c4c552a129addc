"""A stage's progress while it runs: shown, logged, with the time left."""

import time
from collections.abc import Callable
from dataclasses import replace

from lstm_study.commands.estimate import pace_of, workers_here
from lstm_study.commands.open_study import OpenStudy, Show
from lstm_study.duration.time_left import read_baseline_seconds, read_time_left
from lstm_study.progress.values import Progress, Report
from lstm_study.records.state import Extent

_EVERY_SECONDS = 5.0


def progress_with_time_left(
    study: OpenStudy, show: Show, *, extent: Extent | None = None
) -> Report:
    """Shows the progress of a stage, with the time left of it and of the whole study.

    Args:
        study: The study, held by this process.
        show: Where to show it.
        extent: How much of the comparison is to be trained now; None for all.
    """
    size = workers_here(study)
    pace = pace_of(study, size)

    def seconds_left(stage: str) -> tuple[float | None, float | None]:
        left = read_time_left(study.spec, study.store, pace=pace, workers=size.count, extent=extent)
        if left is None:
            return None, None
        return left.comparison if stage == "Comparison" else left.search, left.whole

    return _with_seconds_left(study, show, seconds_left)


def baseline_progress(study: OpenStudy, show: Show) -> Report:
    """Shows the progress of the baseline's first run alone, with the time left of it."""
    pace = pace_of(study, workers_here(study))
    return _with_seconds_left(
        study, show, lambda _: (read_baseline_seconds(study.spec, study.store, pace=pace), None)
    )


def _with_seconds_left(
    study: OpenStudy,
    show: Show,
    seconds_left: Callable[[str], tuple[float | None, float | None]],
) -> Report:
    """Shows progress with an estimate that is renewed every few seconds.

    Args:
        study: The study, held by this process.
        show: Where to show it.
        seconds_left: Returns, for a stage's title, the seconds left of it and of the whole study.
    """
    tell = reporting(study, show)
    of_stage: float | None = None
    of_study: float | None = None
    due, done = 0.0, 0

    def show_progress(progress: Progress) -> None:
        nonlocal of_stage, of_study, due, done
        is_last = done < progress.done == progress.total
        done = progress.done
        if (moment := time.monotonic()) >= due or is_last:
            of_stage, of_study = seconds_left(progress.stage)
            # Reading hundreds of records takes long enough to do it more rarely.
            due = moment + max(_EVERY_SECONDS, 50 * (time.monotonic() - moment))
        tell(replace(progress, remaining_seconds=of_stage, study_seconds=of_study))

    return show_progress


def reporting(study: OpenStudy, show: Show) -> Report:
    """Shows a stage's progress, logs trainings that end, and writes the time left for `status`."""
    logged = 0

    def report(progress: Progress) -> None:
        nonlocal logged
        study.store.write_time_left(progress.stage, progress.remaining_seconds)
        for ended in progress.ended[logged:]:
            score = f"failed: {ended.score}" if ended.failed else ended.score
            study.store.log(f"{progress.stage}: {ended.training_id} {score}  {ended.detail}")
        logged = len(progress.ended)
        show.progress(progress)

    return report
