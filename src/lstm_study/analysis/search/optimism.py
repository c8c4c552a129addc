"""How optimistic the search was about its winner: one configuration's score, three times.

The winner was picked for its score, so that its score is, in part, luck: its trial's, or among
finalists the mean of their fresh trainings. The same configuration with fresh seeds on the same
validation reviews, and on the test reviews, shows how much.
"""

from dataclasses import dataclass
from statistics import fmean

from lstm_study.analysis.search.summary import finalists, searched
from lstm_study.arm_names import MASKED_BASELINE, VALIDATION_SUFFIX
from lstm_study.objectives import OBJECTIVES
from lstm_study.records import Run, StudyRecords, Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimismRow:
    """One arm's score in the search, on fresh-seed validation, and on test.

    Its fields are columns of `tables/optimism.csv`. Fresh runs are evaluated on validation at their
    last epoch. What is missing is None, and "" for `trial_id`. `optimism` is from the score that it
    was picked for; a positive one is optimistic.
    """

    arm: str
    measure: str
    in_search: float | None
    trial_id: str
    trials_ranked: int
    as_finalist: float | None
    fresh_validation: float | None
    fresh_runs: int
    on_test: float | None
    test_runs: int
    optimism: float | None


def search_optimism(records: StudyRecords) -> tuple[OptimismRow, ...]:
    """Makes the table of search optimism: the winner, and the baseline, masked where the winner is.

    Each is found in the search by its runs' configuration; one without a run is left out.
    """
    objective = str(records.spec["study"]["objective"])
    metric = OBJECTIVES[objective]
    is_masked = any(run.arm == MASKED_BASELINE for run in records.runs)
    sign = 1 if metric.direction == "max" else -1
    means = {each.trial_id: each.mean for each in finalists(records.trials)}
    rows = []
    for arm in ("winner", MASKED_BASELINE if is_masked else "baseline"):
        runs = [run for run in records.runs if run.arm == arm]
        if not runs:
            continue
        trial = _trial(records, runs[0], sign)
        tests = [
            value
            for run in runs
            if run.status == "completed" and (value := getattr(run, metric.on_test)) is not None
        ]
        names = (arm, arm + VALIDATION_SUFFIX)
        fresh = [
            value
            for run in records.runs
            if run.arm in names and run.status == "completed" and run.epochs
            and (value := getattr(run.epochs[-1], objective)) is not None
        ]  # fmt: skip
        in_search = trial.score if trial is not None else None
        as_finalist = means.get(trial.trial_id) if trial is not None else None
        picked_for = in_search if as_finalist is None else as_finalist
        on_test = fmean(tests) if tests else None
        rows.append(
            OptimismRow(
                arm=arm,
                measure=metric.name,
                in_search=in_search,
                trial_id=trial.trial_id if trial is not None else "",
                trials_ranked=_ranked(records, trial),
                as_finalist=as_finalist,
                fresh_validation=fmean(fresh) if fresh else None,
                fresh_runs=len(fresh),
                on_test=on_test,
                test_runs=len(tests),
                optimism=None
                if picked_for is None or on_test is None
                else sign * (picked_for - on_test),
            )
        )
    return tuple(rows)


def _trial(records: StudyRecords, run: Run, sign: int) -> Trial | None:
    """The trial of the run's configuration that the search ranked: largest budget, then score."""
    found = [
        trial
        for trial in searched(records.trials)
        if trial.configuration == run.configuration
        # A masked trial says nothing of unmasked runs.
        and trial.masked == run.masked
        and trial.status == "completed"
        and trial.score is not None
    ]
    return max(
        found, key=lambda trial: (trial.budget_epochs, sign * (trial.score or 0.0)), default=None
    )


def _ranked(records: StudyRecords, trial: Trial | None) -> int:
    if trial is None:
        return 0
    return sum(
        other.status == "completed" and other.budget_epochs == trial.budget_epochs
        for other in searched(records.trials)
    )
