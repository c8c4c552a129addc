"""A shortened comparison: what it trains, what it records, and what may follow it."""

from dataclasses import replace
from pathlib import Path

from lstm_study.comparison.arms import plan_comparison
from lstm_study.comparison.jobs import Jobs
from lstm_study.comparison.quick import record_quick, shortened
from lstm_study.records import Run
from lstm_study.records.state import ArmsState, QuickState
from lstm_study.store import Store
from tests.support.fake_spec import fake_spec
from tests.support.fake_study import completed_study
from tests.support.stored_study import EPOCH, leave

STUDY = completed_study()
SPEC = fake_spec(
    compare__seeds="9", compare__validation_seeds="2", compare__runner_ups="1",
    compare__ablation="true",
)  # fmt: skip
WHOLE = plan_comparison(SPEC, STUDY.trials)


def test_it_trains_the_fewest_seeds_of_a_verdict_for_winner_and_baseline_alone() -> None:
    plan = shortened(WHOLE)
    assert (list(plan.arms), plan.seeds, plan.trainings) == (["baseline", "winner"], 4, 8)
    assert plan.control and plan.near_duplicates
    few = plan_comparison(fake_spec(compare__seeds="2"), STUDY.trials)
    assert shortened(few).seeds == 2


def test_what_it_leaves_out_is_recorded_once_and_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    record_quick(WHOLE, store)
    found = store.read_state(QuickState)
    assert found is not None
    assert found.left_out == ("runner-up-1", "own epochs", "the ablation")
    assert "at first 4 of 9 seeds of winner and baseline, without runner-up-1" in found.in_words
    assert found.in_words.endswith("own epochs are never evaluated")
    store.write_state(replace(found, at="2020-01-01T00:00:00.000Z"))
    record_quick(WHOLE, store)
    assert store.read_state(QuickState).at.startswith("2020")


def test_a_comparison_that_is_no_longer_leaves_nothing_to_record(tmp_path: Path) -> None:
    plain = fake_spec(compare__seeds="4", compare__validation_seeds="0")
    record_quick(plan_comparison(plain, STUDY.trials), Store(tmp_path))
    assert Store(tmp_path).read_state(QuickState) is None


def test_own_epochs_are_given_up_before_test_is_opened_and_all_else_may_follow(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)
    for trial in STUDY.trials:
        store.write(trial)
    jobs = Jobs(shortened(WHOLE), spec=SPEC, store=store)
    waiting = [each.name for each in jobs.waiting() if each.run is not None]
    assert waiting == [f"{arm}-s{n}" for n in range(1, 5) for arm in ("baseline", "winner")]
    assert store.read_state(ArmsState).own_epochs == {}
    _complete(jobs, store)
    whole = Jobs(WHOLE, spec=SPEC, store=store)
    validation = {"baseline-validation", "winner-validation"}
    assert {run.arm for run in _complete(whole, store)} >= validation
    later = _complete(whole, store)
    assert {run.arm for run in later} >= {"baseline", "winner", "runner-up-1"}
    assert all(run.own_epoch is None for run in later)


def test_own_epochs_that_were_given_up_stay_so_where_a_repair_moved_that_aside(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)
    for trial in STUDY.trials:
        store.write(trial)
    record_quick(WHOLE, store)
    _complete(Jobs(shortened(WHOLE), spec=SPEC, store=store), store)
    _complete(Jobs(WHOLE, spec=SPEC, store=store), store)
    for run in store.read_runs():
        if run.trained_on == "train":
            store.write(replace(run, epochs=(replace(EPOCH, epoch=1), replace(EPOCH, epoch=2))))
    store.path(ArmsState).unlink()
    store.ledger.remove("arms.json")
    Jobs(WHOLE, spec=SPEC, store=store)
    assert store.read_state(ArmsState).own_epochs == {}


def _complete(jobs: Jobs, store: Store) -> list[Run]:
    """Completes the runs that are waiting, and returns them."""
    found = [each.run for each in list(jobs.waiting()) if each.run is not None]
    for run in found:
        store.write(replace(jobs.begun(run), status="completed"))
    return found


def test_the_report_names_it_among_the_deviations(tmp_path: Path) -> None:
    leave(STUDY, tmp_path)
    store = Store(tmp_path / "study/runs/fake")
    before = store.read_all().deviations
    record_quick(WHOLE, store)
    found = store.read_state(QuickState)
    assert found is not None
    assert store.read_all().deviations == (*before, found.in_words)
