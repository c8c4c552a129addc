"""The plan of a search as it is written down: `plan.json`."""

from lstm_study.records.state import BracketState, RoundState, SearchState
from lstm_study.search.plan import Plan, make_plan
from lstm_study.spec import StudySpec
from lstm_study.store import Store


def plan_search(spec: StudySpec, store: Store) -> Plan:
    """Draws the plan, with what was proposed already, and writes it down."""
    before = store.read_state(SearchState)
    plan = make_plan(spec, store.read_trials(), earlier=before)
    write_plan(plan, store, stopped=before.stopped if before else None)
    return plan


def write_plan(plan: Plan, store: Store, *, stopped: str | None = None) -> None:
    """Writes the plan down, and beside it which trials a repair moved aside."""
    store.write_state(plan_summary(plan, stopped=stopped, moved_aside=store.moved_trials()))


def plan_summary(
    plan: Plan, *, stopped: str | None = None, moved_aside: frozenset[str] = frozenset()
) -> SearchState:
    """Returns the plan in plain numbers, for `plan.json`, displays and reports."""
    return SearchState(
        trials=plan.trials,
        epochs=plan.epochs,
        exhausted=plan.exhausted,
        brackets=tuple(
            BracketState(
                iteration=item.bracket.iteration,
                bracket=item.bracket.bracket,
                role=item.role,
                rounds=tuple(
                    RoundState(
                        trials=each.trials,
                        initial_epoch=each.initial_epoch,
                        budget_epochs=each.budget_epochs,
                    )
                    for each in item.bracket.rounds
                ),
                configurations=tuple(slot.configuration for slot in item.slots),
            )
            for item in plan.brackets
        ),
        stopped=stopped,
        moved_aside=tuple(sorted(moved_aside)),
    )
