"""How long search and comparison together will take, from the pace of the trainings so far."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from lstm_study.analysis.search.summary import winner
from lstm_study.commands.opened import OpenStudy
from lstm_study.configuration import Configuration
from lstm_study.progress.estimate import mean_length, step_work
from lstm_study.records import CorpusSummary, Epoch, Run, Trial
from lstm_study.records.state import SearchState
from lstm_study.spec import StudySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLeft:
    """Seconds left of each stage; 0 of one that is done."""

    search: float
    comparison: float

    @property
    def both(self) -> float:
        """Seconds left of the study, without its report and its model."""
        return self.search + self.comparison


def read_time_left(study: OpenStudy, *, runs_planned: int) -> TimeLeft | None:
    """Estimates the time left; None before any epoch has ended.

    Args:
        study: The study.
        runs_planned: Trainings that the comparison plans.
    """
    sessions = study.store.read_sessions()
    return time_left(
        study.spec,
        trials=study.store.read_trials(),
        runs=[run for run in study.store.read_runs() if not run.trained_as],
        plan=study.store.read_state(SearchState),
        corpus=study.store.read(CorpusSummary),
        workers=sessions[-1].workers if sessions else 1,
        runs_planned=runs_planned,
    )


def time_left(
    spec: StudySpec,
    *,
    trials: list[Trial],
    runs: list[Run],
    plan: SearchState | None,
    corpus: CorpusSummary | None,
    workers: int,
    runs_planned: int,
) -> TimeLeft | None:
    """Estimates seconds left of search and comparison; None before any epoch has ended.

    What is left of the search is as costly by the epoch as the mean configuration so far. In the
    comparison half of the runs are of the baseline, half of the winner so far; they train on the
    validation reviews, too, which makes their epochs longer.

    Args:
        spec: The study's.
        trials: Those that began.
        runs: Those that began; one for each training.
        plan: The search's schedule.
        corpus: The reviews in numbers.
        workers: That share the work.
        runs_planned: Trainings that the comparison plans.
    """

    def work(configuration: Configuration, *, masked: bool) -> float:
        steps = None
        if masked and corpus is not None:
            steps = mean_length(corpus.length_counts, maxlen=configuration.maxlen)
        return step_work(configuration, batch_size=spec.protocol.batch_size, steps=steps)

    longer = _longer(corpus)

    searched = [(work(each.configuration, masked=each.masked), each.epochs) for each in trials]
    compared_runs = [
        (
            (longer if each.trained_on == "training" else 1.0)
            * work(each.configuration, masked=each.masked),
            each.epochs,
        )
        for each in runs
    ]
    of_search = _pace(searched, with_validation=True) or _pace(compared_runs)
    # The comparison's own pace is the better guide to it, once there is one.
    of_comparison = _pace(compared_runs) or _pace(searched)
    if of_search is None or of_comparison is None:
        return None
    masked = spec.protocol.masked
    begun = {trial.configuration for trial in trials} or {spec.baseline.configuration}
    typical = fmean(work(each, masked=masked) for each in begun)
    epochs = max(0, plan.epochs - sum(len(trial.epochs) for trial in trials)) if plan else 0
    if plan is not None and plan.stopped is not None:
        epochs = 0
    best = winner(trials, spec.study.direction, max_epochs=spec.search.max_epochs)
    trained = typical if best is None else work(best.configuration, masked=masked)
    base = spec.baseline.configuration
    # In the order of training: each arm with its runs, and the work of one.
    compared = spec.compare
    arms = [
        ("baseline", compared.seeds, work(base, masked=False)),
        ("winner", compared.seeds, trained),
        ("baseline-masked", compared.seeds if masked else 0, work(base, masked=True)),
        ("runner-up", compared.runner_ups * compared.seeds, typical),
        ("validation", 2 * compared.validation_seeds, trained),
    ]
    planned = sum(count for _, count, _ in arms) or 1
    done = sum(len(run.epochs) / run.protocol_epochs for run in runs)
    epochs_left = left = 0.0
    for _, count, of_an_epoch in arms:
        # Seeds that were added, and arms that were not trained, change all in proportion.
        mine = count * runs_planned / planned
        ended = min(mine, max(0.0, done - left))
        left += mine
        epochs_left += (mine - ended) * of_an_epoch
    return TimeLeft(
        search=epochs * typical * of_search / max(1, workers),
        comparison=longer * spec.protocol.epochs * epochs_left * of_comparison / max(1, workers),
    )


def _pace(
    trainings: Iterable[tuple[float, tuple[Epoch, ...]]], *, with_validation: bool = False
) -> float | None:
    """Returns seconds of an epoch per unit of work; None before any has ended."""
    seconds = work = 0.0
    for of_a_step, epochs in trainings:
        for epoch in epochs:
            seconds += epoch.train_seconds + with_validation * epoch.validation_seconds
            work += of_a_step
    return seconds / work if work else None


def _longer(corpus: CorpusSummary | None) -> float:
    """Returns by how much an epoch of the comparison has more steps than one of the search."""
    if corpus is None:
        return 1.0
    reviews = {split.name: split.reviews for split in corpus.splits}
    train = reviews.get("train", 0)
    return (train + reviews.get("validation", 0)) / train if train else 1.0
