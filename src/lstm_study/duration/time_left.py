"""How long what is left of a study will take: search, finalists, comparison, model and report.

Every training that is left is priced by its work (`duration.work`) at this machine's pace
(`duration.pace`), and assigned to workers in the order of the plan. What the search will promote,
and which configuration will win, is not known beforehand: the mean of those planned stands for it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from lstm_study.comparison.arms import ComparisonPlan
from lstm_study.comparison.looks import added_seeds
from lstm_study.duration.costs import costs_so_far
from lstm_study.duration.expected_comparison import ExpectedComparison, expected_comparison
from lstm_study.duration.pace import Pace, makespan
from lstm_study.duration.trainings_left import comparison_jobs, finalist_jobs, search_jobs
from lstm_study.records import Control, CorpusSummary, Run, Trial
from lstm_study.records.state import Extent, Live, SearchState
from lstm_study.search.plan_sizes import as_limited, with_further_trials
from lstm_study.search.stage import only_trials, seconds_searched
from lstm_study.spec import StudySpec
from lstm_study.spec.quantities import estimate_in_words
from lstm_study.store import Store

_WRITING_LOADS = 4.0
"""What model and report take together, in times that a worker takes to load."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLeft:
    """Seconds left of each stage, 0 of one that is done, and what the estimate rests on.

    Attributes:
        search: The finalists included.
        comparison: With the classical control.
        writing: Of model and report.
        basis: What the pace was measured with, in words.
    """

    search: float
    comparison: float
    writing: float
    basis: str

    @property
    def whole(self) -> float:
        """Seconds left of the whole study."""
        return self.search + self.comparison + self.writing

    @property
    def sentence(self) -> str:
        """The estimate, its parts and its basis in words."""
        parts = [
            f"{name} {estimate_in_words(seconds)}"
            for name, seconds in (
                ("search", self.search),
                ("comparison", self.comparison),
                ("model and report", self.writing),
            )
            if seconds
        ]
        whole = estimate_in_words(self.whole)
        return f"about {whole} ({', '.join(parts)}), estimated from {self.basis}"


def read_time_left(
    spec: StudySpec,
    store: Store,
    *,
    pace: Pace | None,
    workers: int,
    plan: SearchState | None = None,
    corpus: CorpusSummary | None = None,
    extent: Extent | None = None,
) -> TimeLeft | None:
    """Estimates the time left, from the study's records; None before anything was measured.

    Args:
        spec: The study's.
        store: Its records, begun or not.
        pace: This machine's; None where it was not measured.
        workers: That would share the trainings here; those that are running, if there are any.
        plan: The search's; None for the one that the study wrote down.
        corpus: The reviews in numbers; None for those that the study wrote down.
        extent: How much of the comparison is to be trained now; None for all.
    """
    plan, corpus = plan or store.read_state(SearchState), corpus or store.read(CorpusSummary)
    if plan is None or corpus is None:
        return None
    sessions, trials = store.read_sessions(), store.read_trials()
    return time_left(
        spec,
        corpus=corpus,
        plan=with_further_trials(plan, spec),
        trials=trials,
        runs=store.read_runs(),
        control=store.read(Control),
        pace=pace,
        workers=sessions[-1].workers if sessions and store.holder() else workers,
        more_seeds=added_seeds(store),
        extent=extent,
        live=store.read_live() if store.holder() else {},
        searched_seconds=seconds_searched(sessions, trials),
        only_trials=only_trials(spec, store),
    )


def time_left(
    spec: StudySpec,
    *,
    corpus: CorpusSummary,
    plan: SearchState,
    trials: Sequence[Trial],
    runs: Sequence[Run],
    control: Control | None,
    pace: Pace | None,
    workers: int,
    more_seeds: int = 0,
    extent: Extent | None = None,
    live: Mapping[str, Live] | None = None,
    searched_seconds: float = 0.0,
    only_trials: Collection[str] | None = None,
) -> TimeLeft | None:
    """Estimates seconds left of a study; None where no pace was measured and no step was timed.

    Args:
        spec: The study's.
        corpus: The reviews in numbers.
        plan: The search's schedule.
        trials: Those that began.
        runs: Those that began.
        control: The classical control; None before it began.
        pace: This machine's; None where it was not measured.
        workers: That share the work.
        more_seeds: Seeds that were added to the study file's.
        extent: How much of the comparison is to be trained now; None for all.
        live: Where each worker stands, by its name.
        searched_seconds: Time worked on the search so far, of which it may have a limit.
        only_trials: Ids of the trials that the search may still train; None for all of its plan.
    """
    trained = [run for run in runs if not run.trained_as]
    costs = costs_so_far(spec, corpus, [*trials, *trained], pace=pace, live=live)
    if costs is None:
        return None
    plan = as_limited(plan, spec.search.max_trials)
    finalists = [trial for trial in trials if trial.role == "finalist"]
    jobs = search_jobs(plan, trials, costs, only=only_trials)
    search = _stage_seconds(jobs, trials, costs.pace, workers)
    limit = spec.search.time_limit_seconds
    # What a repair moved aside is trained again whatever the limit.
    if limit is not None and only_trials is None:
        search = min(search, max(0.0, limit - searched_seconds))
    if not trained:
        jobs = finalist_jobs(spec, plan, trials, costs)
        search += _stage_seconds(jobs, finalists, costs.pace, workers, are_loaded=search > 0)
    expected = expected_comparison(
        spec, plan, trials, trained, more_seeds=more_seeds, extent=extent or Extent()
    )
    comparing = comparison_jobs(spec, expected, trained, control, costs)
    return TimeLeft(
        search=search,
        comparison=_stage_seconds(comparing, trained, costs.pace, workers, are_loaded=search > 0),
        writing=_WRITING_LOADS * costs.pace.load_seconds,
        basis=costs.pace.basis,
    )


def read_baseline_seconds(spec: StudySpec, store: Store, *, pace: Pace | None) -> float | None:
    """Estimates the seconds left of the baseline's first run alone; None before anything was timed.

    Args:
        spec: The study's.
        store: Its records.
        pace: This machine's; None where it was not measured.
    """
    corpus = store.read(CorpusSummary)
    if corpus is None:
        return None
    trained = [run for run in store.read_runs() if not run.trained_as]
    costs = costs_so_far(
        spec,
        corpus,
        [*store.read_trials(), *trained],
        pace=pace,
        live=store.read_live(),
    )
    if costs is None:
        return None
    baseline = ComparisonPlan(arms={"baseline": spec.baseline.configuration}, seeds=1)
    expected = ExpectedComparison(plans=(baseline,))
    jobs = comparison_jobs(spec, expected, trained, None, costs)
    return _stage_seconds(jobs, trained, costs.pace, workers=1)


def _stage_seconds(
    jobs: Sequence[float],
    begun: Sequence[Trial | Run],
    pace: Pace,
    workers: int,
    *,
    are_loaded: bool = False,
) -> float:
    """Returns how long workers take for a stage's jobs; they have to load first unless they run.

    Args:
        jobs: Seconds of each.
        begun: The stage's trainings that began.
        pace: The workers'.
        workers: How many share the jobs.
        are_loaded: Whether an earlier stage leaves its workers to this one.
    """
    if not jobs:
        return 0.0
    are_loaded = are_loaded or any(each.status == "running" for each in begun)
    return (0.0 if are_loaded else pace.load_seconds) + makespan(jobs, workers=workers)
