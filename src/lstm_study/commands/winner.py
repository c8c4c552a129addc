"""The search's winner, and what to do where there is none yet."""

from lstm_study.analysis.search.summary import winner
from lstm_study.commands.open_study import OpenStudy
from lstm_study.errors import ComparisonError
from lstm_study.records import Trial
from lstm_study.records.state import SearchState
from lstm_study.search.stage import REACHED
from lstm_study.spec.changes import changes
from lstm_study.spec.quantities import counted


def winner_of(study: OpenStudy) -> Trial:
    """Returns the search's winner.

    Raises:
        ComparisonError: No trial has completed the full budget.
    """
    found = winner(
        study.store.read_trials(),
        study.spec.study.direction,
        max_epochs=study.spec.search.max_epochs,
        runs=study.store.read_runs(),
    )
    if found is None:
        raise ComparisonError(
            f"{study.store.folder}: no trial completed "
            f"{counted(study.spec.search.max_epochs, 'epoch')}, so "
            f"there is no winner. {_way_to_a_winner(study)}"
        )
    return found


def check_searched(study: OpenStudy) -> None:
    """Makes sure that test is not opened for a winner that the rest of a search may replace.

    Raises:
        ComparisonError: The search has not ended.
    """
    plan = study.store.read_state(SearchState)
    if (plan is None or plan.stopped is None) and not study.store.is_compared:
        raise ComparisonError(
            f"{study.store.folder}: the search has not ended, so its winner may still change. "
            f"{_way_to_a_winner(study)}"
        )


def check_not_grown(study: OpenStudy) -> None:
    """Makes sure that a command that does not search is given no larger limit of the search.

    Raises:
        ComparisonError: With a larger limit the search resumes.
    """
    if not study.store.has_begun:
        return
    before = study.store.read_began()
    found = changes(before.spec, study.spec, is_compared=study.store.is_compared)
    if found.searches_on:
        grown = "; ".join(each for each in found.allowed if each.startswith("search."))
        raise ComparisonError(
            f"{study.store.folder}: {grown}. With that the search resumes, so its winner may still "
            f"change. Run `{study.command_line('search')}` first, or leave the limit as it was."
        )


def _way_to_a_winner(study: OpenStudy) -> str:
    """Says what to do where no trial completed the full budget."""
    plan = study.store.read_state(SearchState)
    if plan is None or plan.stopped is None:
        return f"Run `{study.command_line('search')}` to its end."
    if limit := REACHED.match(plan.stopped):
        key = limit["key"]
        return (
            f"The search was stopped before that: {plan.stopped}. Raise {key} in the study "
            f"file, or add --set {key}=VALUE, and run the same command again."
        )
    return (
        f"The search has ended, and `{study.command_line('status')}` shows what failed. Start "
        "over with --fresh once that is fixed."
    )
