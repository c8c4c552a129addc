"""What is left to do in a comparison: validation first, then test, and everything once."""

from dataclasses import replace

import pytest

from lstm_study.comparison.arms import ComparisonPlan, own_epoch_run, plan_comparison
from lstm_study.comparison.jobs import Jobs
from lstm_study.comparison.review_facts import compared_runs
from lstm_study.comparison.stage import ComparisonStage
from lstm_study.engine.jobs import JobResult
from lstm_study.errors import ComparisonError
from lstm_study.progress.values import ignore
from lstm_study.records import Control, Epoch, Failure, NearDuplicates, ReviewFacts, Run
from lstm_study.records.state import ArmsState
from lstm_study.spec import StudySpec
from lstm_study.store import Store
from tests.support.fake_spec import fake_spec
from tests.support.fake_study import completed_study

STUDY = completed_study()
DIED = Failure(kind="out_of_memory", message="its worker ended 3 times")
NONE_NEAR = NearDuplicates(
    shingle_words=8, threshold=0.5, test_reviews=10, positions=(), exact=0, other_label=0,
    seconds=0.1,
)  # fmt: skip


def jobs_of(store: Store, spec: StudySpec) -> Jobs:
    for trial in STUDY.trials:
        store.write(trial)
    return Jobs(plan_comparison(spec, STUDY.trials), spec=spec, store=store)


def names(jobs: Jobs) -> list[str]:
    return [job.name for job in jobs.waiting()]


def finish(jobs: Jobs, store: Store, *wanted: str) -> None:
    """Does some of the waiting jobs as a stage would, all of them without names."""
    for job in list(jobs.waiting()):
        if wanted and job.name not in wanted:
            continue
        if job.run is not None:
            jobs.begun(job.run)
        if job.name == "test-reviews":
            store.write(ReviewFacts(lengths=(), unknown=(), runs=compared_runs(store.read_runs())))
            store.write(NONE_NEAR)
        elif job.name == "control":
            store.write(Control(status="completed"))
        else:
            for run in (store.read(Run, job.name), own_epoch_run(store.read(Run, job.name))):
                if run is not None:
                    store.write(replace(run, status="completed", epochs=curve_of(run)))


def fail(jobs: Jobs, store: Store, *wanted: str) -> None:
    """Gives out some of the waiting jobs, in order, whose workers die too often."""
    stage = ComparisonStage(
        plan_comparison(jobs._spec, STUDY.trials), jobs, spec=jobs._spec, store=store, corpus=None,
        report=ignore,
    )  # fmt: skip
    given = []
    while found := stage.due("w1", 1):
        given += found
    for name in wanted:
        assert name in [work.name for work in given]
        stage.take(JobResult(name=name, failure=DIED, is_last=True), worker="w1")


def curve_of(run: Run) -> tuple[Epoch, ...]:
    """A made-up history that is best at epoch 3."""
    return tuple(
        Epoch(
            epoch=number, train_loss=0.5, train_accuracy=0.5, validation_loss=0.5,
            validation_accuracy=0.8 - abs(number - 3) / 100, train_seconds=1.0,
            validation_seconds=1.0, ended_at="",
        )
        for number in range(1, run.protocol_epochs + 1)
    )  # fmt: skip


def test_nothing_opens_test_before_validation_has_fixed_the_own_epochs(tmp_path):
    store, spec = Store(tmp_path), fake_spec(compare__seeds="2")
    jobs = jobs_of(store, spec)
    assert names(jobs) == ["baseline-validation-s1", "winner-validation-s1"]
    assert store.read_state(ArmsState) is None
    finish(jobs, store, "baseline-validation-s1")
    assert names(jobs) == ["winner-validation-s1"]
    finish(jobs, store, "winner-validation-s1")
    assert names(jobs) == ["control", "baseline-s1", "winner-s1", "baseline-s2", "winner-s2"]
    assert store.read_state(ArmsState).own_epochs == {"baseline": 3, "winner": 3}
    given = next(job for job in jobs.waiting() if job.name == "baseline-s1")
    assert given.run.own_epoch == 3
    finish(jobs, store)
    assert names(jobs) == ["test-reviews"]
    finish(jobs, store)
    assert jobs.is_done
    assert store.read(Run, "baseline-own-epoch-s1").trained_as == "baseline-s1"


def test_what_the_verdict_needs_is_run_before_every_further_arm(tmp_path):
    store = Store(tmp_path)
    spec = fake_spec(
        compare__seeds="2", compare__runner_ups="1", compare__ablation="true",
        protocol__masked="true",
    )  # fmt: skip
    jobs = jobs_of(store, spec)
    finish(jobs, store, "baseline-validation-s1", "winner-validation-s1")
    first = [
        "control", "baseline-s1", "winner-s1", "baseline-s2", "winner-s2",
        "baseline-masked-s1", "baseline-masked-s2", "runner-up-1-s1", "runner-up-1-s2",
        "baseline-masked-validation-s1",
    ]  # fmt: skip
    assert names(jobs)[: len(first)] == first
    assert all(name.startswith("ablation-1-") for name in names(jobs)[len(first) :])
    finish(jobs, store, *first[:5])
    assert names(jobs)[:2] == ["test-reviews", "baseline-masked-s1"]


def test_a_stopped_comparison_resumes_where_it_was(tmp_path):
    store, spec = Store(tmp_path), fake_spec(compare__seeds="2")
    finish(jobs_of(store, spec), store)
    finish(jobs_of(store, spec), store, "control", "baseline-s1")
    assert names(jobs_of(store, spec)) == ["winner-s1", "baseline-s2", "winner-s2"]


def test_own_epochs_once_fixed_stay_whatever_becomes_of_the_validation_runs(tmp_path):
    store, spec = Store(tmp_path), fake_spec(compare__seeds="2")
    finish(jobs_of(store, spec), store)
    list(jobs_of(store, spec).waiting())
    store.write(replace(store.read(Run, "baseline-validation-s1"), epochs=()))
    jobs = jobs_of(store, spec)
    given = next(job for job in jobs.waiting() if job.name == "baseline-s1")
    assert given.run.own_epoch == 3


def test_failed_validation_leaves_an_arm_without_an_own_epoch_and_the_rest_goes_on(tmp_path):
    store, spec = Store(tmp_path), fake_spec(compare__seeds="1")
    jobs = jobs_of(store, spec)
    fail(jobs, store, "baseline-validation-s1")
    finish(jobs, store, "winner-validation-s1")
    given = {job.name: job.run for job in jobs.waiting()}
    assert given["baseline-s1"].own_epoch is None
    assert given["winner-s1"].own_epoch == 3


def test_a_baseline_run_that_was_there_before_is_evaluated_at_its_own_epoch_too(tmp_path):
    store, spec = Store(tmp_path), fake_spec(compare__seeds="1")
    run = next(run for run in STUDY.runs if run.run_id == "baseline-s1")
    store.write(run)
    finish(jobs_of(store, spec), store)
    jobs = jobs_of(store, spec)
    assert "baseline-s1" in names(jobs)
    jobs.begun(next(job.run for job in jobs.waiting() if job.name == "baseline-s1"))
    found = store.read(Run, "baseline-s1")
    assert (found.status, found.own_epoch) == ("completed", 3)


def test_a_worker_that_died_too_often_fails_all_evaluations_of_its_training(tmp_path):
    store, spec = Store(tmp_path), fake_spec(compare__seeds="1")
    store.begin(spec, spec_text=STUDY.spec_text, settings=(), data_digest="")
    finish(jobs_of(store, spec), store)
    jobs = jobs_of(store, spec)
    fail(jobs, store, "baseline-s1", "control")
    assert store.read(Run, "baseline-s1").failure == DIED
    assert store.read(Run, "baseline-own-epoch-s1").failure == DIED
    assert store.read(Control).failure == DIED
    assert names(jobs) == ["winner-s1"]
    finish(jobs, store)
    with pytest.raises(ComparisonError, match=r"test reviews could not be described: .* 3 times"):
        fail(jobs, store, "test-reviews")


def test_the_test_reviews_are_described_again_once_there_are_more_runs_to_differ(tmp_path):
    store, spec = Store(tmp_path), fake_spec(compare__seeds="1", compare__control="false")
    for _ in range(3):
        finish(jobs_of(store, spec), store)
    assert jobs_of(store, spec).is_done
    more = Jobs(plan_comparison(spec, STUDY.trials, more_seeds=1), spec=spec, store=store)
    assert names(more) == ["baseline-s2", "winner-s2"]
    finish(more, store)
    assert names(more) == ["test-reviews"]


def test_a_study_compared_before_there_were_facts_of_reviews_is_not_opened_for_them(tmp_path):
    store, spec = Store(tmp_path), fake_spec(compare__seeds="1", compare__control="false")
    for _ in range(3):
        finish(jobs_of(store, spec), store)
    (tmp_path / "review-facts.json").unlink()
    assert jobs_of(store, spec).is_done


@pytest.mark.parametrize("kind", [ArmsState, ReviewFacts])
def test_what_a_repair_moved_aside_of_a_finished_comparison_is_made_again(tmp_path, kind):
    store, spec = Store(tmp_path), fake_spec(compare__seeds="1", compare__control="false")
    for _ in range(3):
        finish(jobs_of(store, spec), store)
    before = store.path(kind).read_bytes()
    store.path(kind).unlink()
    store.ledger.remove(store.path(kind).name)
    plan = plan_comparison(spec, STUDY.trials)
    assert not Jobs(plan, spec=spec, store=store, is_read_only=True).is_done
    assert not store.path(kind).exists()
    finish(jobs_of(store, spec), store)
    assert Jobs(plan, spec=spec, store=store, is_read_only=True).is_done
    if kind is ReviewFacts:
        assert store.path(kind).read_bytes() == before
    else:
        assert store.read_state(kind).own_epochs == {"baseline": 3, "winner": 3}


def test_excerpts_that_were_left_out_and_are_asked_for_later_are_due(tmp_path):
    store, spec = Store(tmp_path), fake_spec(compare__seeds="1", compare__control="false")
    for _ in range(3):
        finish(jobs_of(store, spec), store)
    store.write(store.read(ReviewFacts).without_excerpts())
    hidden = spec.model_copy(update={"export": spec.export.model_copy(update={"excerpts": False})})
    assert jobs_of(store, hidden).is_done
    assert names(jobs_of(store, spec)) == ["test-reviews"]
    finish(jobs_of(store, spec), store)
    assert jobs_of(store, spec).is_done


def test_the_ablation_goes_step_by_step_and_needs_no_training_for_its_last(tmp_path):
    store = Store(tmp_path)
    spec = fake_spec(compare__seeds="1", compare__ablation="true", compare__control="false")
    jobs = jobs_of(store, spec)
    planned = plan_comparison(spec, STUDY.trials).trainings
    first = [name for name in names(jobs) if name.startswith("ablation-1-")]
    assert len(first) > 1
    finish(jobs, store)
    assert not any(name.startswith("ablation-1-") for name in names(jobs))
    assert sum(name.startswith("ablation-2-") for name in names(jobs)) == len(first) - 1
    for _ in range(len(first)):
        finish(jobs, store)
    assert jobs.is_done
    trained = [run for run in store.read_runs() if not run.trained_as]
    assert len(trained) == planned


def test_another_winner_than_the_one_that_was_tested_is_refused(tmp_path):
    store, spec = Store(tmp_path), fake_spec()
    run = next(run for run in STUDY.runs if run.run_id == "winner-s1")
    store.write(replace(run, configuration=run.configuration.with_values(lstm_units=7)))
    with pytest.raises(ComparisonError, match=r"winner.*another ranking.*--fresh"):
        jobs_of(store, spec)


def test_one_arm_alone_needs_no_search_and_no_validation(tmp_path):
    store, spec = Store(tmp_path), fake_spec()
    plan = ComparisonPlan(arms={"baseline": spec.baseline.configuration}, seeds=1)
    assert names(Jobs(plan, spec=spec, store=store)) == ["baseline-s1"]
    assert store.read_state(ArmsState) is None
