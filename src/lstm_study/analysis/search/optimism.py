"""How optimistic the search was about its winner: one configuration's score, three times.

The winner was picked for its score, so that its score is, in part, luck. The same configuration
with fresh seeds on the same validation reviews, and on the test reviews, shows how much.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from lstm_study.analysis.answer.ablation import MASKED_BASELINE
from lstm_study.records import Run, StudyRecords, Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimismRow:
    """One arm's score in the search, on fresh-seed validation, and on test.

    Attributes:
        arm: "winner" or "baseline".
        measure: "accuracy", "loss" or "auc", the objective's.
        in_search: Score of the trial the search ranked; None if the search never tried it.
        trial_id: That trial; "" if there is none.
        trials_ranked: Completed trials at that trial's budget, among which it was ranked.
        fresh_validation: Mean over runs with other seeds, at their last epoch, on the validation
            reviews; None if no run kept any aside.
        fresh_runs: How many runs that is.
        on_test: Mean over completed runs, on test; None if there is none.
        test_runs: How many runs that is.
        optimism: How much better the search made it look than test: positive is optimistic; None if
            either is missing.
    """

    arm: str
    measure: str
    in_search: float | None
    trial_id: str
    trials_ranked: int
    fresh_validation: float | None
    fresh_runs: int
    on_test: float | None
    test_runs: int
    optimism: float | None


_ON_TEST = {"accuracy": "test_accuracy", "loss": "test_loss", "auc": "test_roc_auc"}


def search_optimism(
    records: StudyRecords,
    *,
    arms: Iterable[str] | None = None,
    validation_suffix: str = "-validation",
) -> tuple[OptimismRow, ...]:
    """Makes the table of search optimism; arms that have no run are left out.

    Args:
        records: The study.
        arms: Which arms to show; each is found in the search by its runs' configuration. By default
            the winner and the baseline, which is masked where the winner is.
        validation_suffix: Arms called so after another hold that arm's validation runs.
    """
    measure = str(records.spec["study"]["objective"]).removeprefix("validation_")
    if arms is None:
        is_masked = any(run.arm == MASKED_BASELINE for run in records.runs)
        arms = ("winner", MASKED_BASELINE if is_masked else "baseline")
    rows = []
    for arm in arms:
        runs = [run for run in records.runs if run.arm == arm]
        if not runs:
            continue
        trial = _trial(records, runs[0], measure)
        tests = [
            value
            for run in runs
            if run.status == "completed" and (value := getattr(run, _ON_TEST[measure])) is not None
        ]
        names = (arm, arm + validation_suffix)
        fresh = [
            value
            for run in records.runs
            if run.arm in names
            and run.status == "completed"
            and (value := _validation(run, measure)) is not None
        ]
        in_search = trial.score if trial is not None else None
        on_test = fmean(tests) if tests else None
        rows.append(
            OptimismRow(
                arm=arm,
                measure=measure,
                in_search=in_search,
                trial_id=trial.trial_id if trial is not None else "",
                trials_ranked=_ranked(records, trial),
                fresh_validation=fmean(fresh) if fresh else None,
                fresh_runs=len(fresh),
                on_test=on_test,
                test_runs=len(tests),
                optimism=_optimism(in_search, on_test, measure),
            )
        )
    return tuple(rows)


def _trial(records: StudyRecords, run: Run, measure: str) -> Trial | None:
    """The trial of the run's configuration that the search ranked: largest budget, then score."""
    found = [
        trial
        for trial in records.trials
        if trial.configuration == run.configuration
        # A masked trial says nothing of unmasked runs.
        and trial.masked == run.masked
        and trial.status == "completed"
        and trial.score is not None
    ]
    sign = -1 if measure == "loss" else 1
    return max(
        found, key=lambda trial: (trial.budget_epochs, sign * (trial.score or 0.0)), default=None
    )


def _ranked(records: StudyRecords, trial: Trial | None) -> int:
    if trial is None:
        return 0
    return sum(
        other.status == "completed" and other.budget_epochs == trial.budget_epochs
        for other in records.trials
    )


def _validation(run: Run, measure: str) -> float | None:
    if not run.epochs:
        return None
    value: float | None = getattr(run.epochs[-1], f"validation_{measure}")
    return value


def _optimism(in_search: float | None, on_test: float | None, measure: str) -> float | None:
    if in_search is None or on_test is None:
        return None
    return on_test - in_search if measure == "loss" else in_search - on_test
