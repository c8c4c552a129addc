"""A search and a comparison whose worker trains jobs together, beside ones that train alone."""

from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from lstm_study import metrics
from lstm_study.comparison.arms import ComparisonPlan, plan_runs, plan_validation_runs
from lstm_study.comparison.jobs import Due, Jobs
from lstm_study.comparison.stage import ComparisonStage
from lstm_study.corpus.load import load
from lstm_study.corpus.types import Corpus
from lstm_study.engine.jobs import Halt, Job
from lstm_study.errors import StoreError
from lstm_study.model.shape_classes import ShapeClass
from lstm_study.progress.values import ignore
from lstm_study.records import Run
from lstm_study.search.oracle import RecordedHyperband
from lstm_study.search.plan import make_plan
from lstm_study.search.stage import SearchStage
from lstm_study.store import Store
from tests.support.engine import Threads, run_stage
from tests.support.on_jax import ON_JAX, WHOLE_FILE_SECONDS, needs_jax, run_on_jax, starts_jax
from tests.support.tiny import spec as tiny_spec

if ON_JAX:
    from lstm_study.engine import population_jobs
    from lstm_study.training.checkpoint import read_checkpoint
    from lstm_study.training.on_device import OnDevice

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
SPEC = tiny_spec(
    "compare.seeds=3", "protocol.epochs=2", "search.max_epochs=3", "search.factor=3",
    "space.pair_vocabulary_size={choices=[0, 20]}", "space.learning_rate_schedule='linear'",
)  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Corpus:
    return load(SPEC.data, seed=SPEC.study.seed, cache=tmp_path_factory.mktemp("cache"))


def searched(folder, corpus, *, capacity: int) -> list:
    """Runs the whole search; the trials by id."""
    store, plan = Store(folder), make_plan(SPEC)
    oracle = RecordedHyperband(spec=SPEC, plan=plan, store=store)
    stage = SearchStage(SPEC, plan, oracle, store, report=ignore)
    run_stage(stage, Threads(store.scratch, capacity=capacity), store, spec=SPEC, corpus=corpus)
    return store.read_trials()


def compared(folder, corpus, *, capacity: int, runs: list[Run] | None = None) -> Store:
    """Runs three seeds of one arm, each evaluated at its own epoch, too, or the runs given."""
    store = Store(folder)
    runs = runs or plan_runs(
        ComparisonPlan(arms={"winner": SPEC.baseline.configuration}, seeds=3), spec=SPEC,
        own_epochs={"winner": 1},
    )  # fmt: skip

    class Given(Jobs):
        def waiting(self):
            due = [Due(name=run.run_id, run=run) for run in runs]
            return iter([each for each in due if store.read(Run, each.name) is None])

    jobs = Given(ComparisonPlan(arms={}, seeds=1), spec=SPEC, store=store)
    stage = ComparisonStage(
        ComparisonPlan(arms={}, seeds=1), jobs, spec=SPEC, store=store, corpus=corpus, report=ignore
    )
    run_stage(stage, Threads(store.scratch, capacity=capacity), store, spec=SPEC, corpus=corpus)
    return store


@needs_jax
def test_a_search_of_populations_has_the_records_of_one_that_trains_alone(
    tmp_path, corpus, monkeypatch
):
    populations = []
    kept = population_jobs.train_population
    monkeypatch.setattr(
        population_jobs,
        "train_population",
        lambda members, **given: populations.append(len(members)) or kept(members, **given),
    )

    ours = searched(tmp_path / "together", corpus, capacity=4)
    alone = searched(tmp_path / "alone", corpus, capacity=1)

    assert max(populations) == 4 and len(populations) < len(ours)
    assert [trial.status for trial in ours] == ["completed"] * len(alone)
    for one, other in zip(ours, alone, strict=True):
        assert (one.trial_id, one.configuration) == (other.trial_id, other.configuration)
        assert one.score == pytest.approx(other.score, abs=0.03)
        assert [epoch.epoch for epoch in one.epochs] == [epoch.epoch for epoch in other.epochs]
        np.testing.assert_allclose(
            [epoch.train_loss for epoch in one.epochs],
            [epoch.train_loss for epoch in other.epochs],
            atol=1e-4,
        )


@needs_jax
def test_runs_trained_together_are_evaluated_at_both_epochs_and_every_opening_is_logged(
    tmp_path, corpus
):
    ours = compared(tmp_path / "together", corpus, capacity=8)
    alone = compared(tmp_path / "alone", corpus, capacity=1)

    runs = {run.run_id: run for run in ours.read_runs()}
    networks = {name for name in runs if "-last-three-" not in name}
    assert (len(networks), len(runs)) == (6, 9)
    for run in runs.values():
        other = alone.read(Run, run.run_id)
        assert (run.status, len(run.epochs)) == ("completed", len(other.epochs))
        found, expected = (
            np.load(each.folder / "predictions" / f"{run.run_id}.npy") for each in (ours, alone)
        )
        np.testing.assert_allclose(found, expected, atol=1e-4)
        assert 0 < run.predict_1000_seconds < 60
        if run.run_id not in networks:
            continue
        weights = [
            read_checkpoint(each.weights_path(run.run_id)).variables for each in (ours, alone)
        ]
        assert [a.shape for a in weights[0]] == [b.shape for b in weights[1]]
    # The mean of the last epochs is evaluated with the last one: no opening of its own.
    assert {each.run_id for each in ours.read_openings()} == networks


@needs_jax
def test_reading_test_again_for_a_lack_of_memory_opens_it_no_second_time(
    tmp_path, corpus, monkeypatch
):
    kept, lacks = OnDevice.read, [True]

    def read(self, split, **given):
        if split.name == "test" and lacks:
            lacks.pop()
            raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate")
        return kept(self, split, **given)

    monkeypatch.setattr(OnDevice, "read", read)

    store = compared(tmp_path, corpus, capacity=4)

    assert not lacks
    assert {run.status for run in store.read_runs()} == {"completed"}
    opened = [each.run_id for each in store.read_openings()]
    assert len(opened) == len(set(opened)) == 6


@needs_jax
def test_a_temperature_is_fitted_on_validation_and_never_on_what_a_run_is_tested_on(
    tmp_path, corpus, monkeypatch
):
    kept, fitted = population_jobs.fit_temperature, []

    def fit_temperature(labels, probabilities):
        np.testing.assert_array_equal(labels, corpus.validation.labels)
        found = kept(labels, probabilities)
        fitted.append((found, pytest.approx(metrics.log_loss(labels, probabilities), rel=1e-5)))
        return found

    monkeypatch.setattr(population_jobs, "fit_temperature", fit_temperature)
    begin = population_jobs._PopulationJobs.begin
    monkeypatch.setattr(
        population_jobs._PopulationJobs,
        "begin",
        lambda self, job: begin(self, replace(job, calibrates=True)),
    )
    arms = dict.fromkeys(("baseline", "winner"), SPEC.baseline.configuration)
    plan = ComparisonPlan(arms=arms, seeds=2, validation_seeds=2)
    tested = plan_runs(plan, spec=SPEC, own_epochs={"winner": 1})
    validated = plan_validation_runs(plan, spec=SPEC)

    store = compared(tmp_path, corpus, capacity=4, runs=[*tested, *validated])

    runs = store.read_runs()
    assert {run.status for run in runs} == {"completed"}
    found = [run for run in runs if run.test_accuracy is None]
    assert {run.run_id for run in found} == {run.run_id for run in validated}
    for run in found:
        assert (run.temperature, run.epochs[-1].validation_loss) in fitted
    assert len(fitted) == len(found) == 4


@needs_jax
def test_a_member_that_fails_is_recorded_as_it_is_alone_and_the_others_go_on(
    tmp_path, corpus, monkeypatch
):
    """The first trial's checkpoint is poisoned: it diverges in its first step."""
    kept = population_jobs._best_start

    def poisoned(job):
        start, where = kept(job)
        if job.name.endswith("00-r0") or poisoned.done:
            return start, where
        poisoned.done = True
        from lstm_study.training.checkpoint import Checkpoint
        from lstm_study.training.on_device import Training, initial_variables

        training = Training(
            configuration=job.configuration, protocol=job.protocol, seed=job.seed, epochs=1,
            masked=job.masked,
        )  # fmt: skip
        variables = [np.array(each) for each in initial_variables(training)]
        variables[0][:] = np.nan
        return Checkpoint(epochs=(), variables=tuple(variables)), ""

    poisoned.done = False
    monkeypatch.setattr(population_jobs, "_best_start", poisoned)

    trials = searched(tmp_path, corpus, capacity=4)

    (failed,) = [trial for trial in trials if trial.status == "failed"]
    assert failed.failure.kind == "diverged"
    assert failed.failure.message == "the loss became nan at step 1 of epoch 1."
    assert {trial.status for trial in trials if trial is not failed} == {"completed"}


@needs_jax
def test_a_checkpoint_of_another_network_costs_time_and_not_the_training(
    tmp_path, corpus, monkeypatch
):
    from lstm_study.training.checkpoint import Checkpoint, write_checkpoint

    path = tmp_path / "other.npz"
    write_checkpoint(path, Checkpoint(epochs=(), variables=(np.zeros(3),)))
    kept = population_jobs._best_start
    monkeypatch.setattr(
        population_jobs, "_best_start", lambda job: kept(replace(job, starts=(path, *job.starts)))
    )

    trials = searched(tmp_path / "study", corpus, capacity=4)

    assert {trial.status for trial in trials} == {"completed"}


@needs_jax
@pytest.mark.parametrize(
    ("error", "is_the_jobs"),
    [
        (ValueError("a bug"), True),
        (StoreError("the disk is full"), False),
        (RuntimeError("CUDA_ERROR_LAUNCH_FAILED: unspecified launch failure"), False),
    ],
)
def test_an_error_of_the_population_ends_each_of_its_jobs_unless_no_job_is_at_fault(
    tmp_path, monkeypatch, error, is_the_jobs
):
    def train_population(members, **_):
        assert len(members) == 2
        raise error

    monkeypatch.setattr(population_jobs, "train_population", train_population)
    configuration = SPEC.baseline.configuration
    shape = ShapeClass.of(configuration, batch_size=SPEC.protocol.batch_size)
    jobs = [
        Job(
            name=name, configuration=configuration, protocol=SPEC.protocol, seed=1, masked=False,
            trains_on="train", validates=True, halts=(Halt(epochs=1),), shape=shape,
        )
        for name in ("one", "other")
    ]  # fmt: skip
    sent = []
    link = SimpleNamespace(send=sent.append)
    given = {"link": link, "reviews": SimpleNamespace(train=None, validation=None)}

    with nullcontext() if is_the_jobs else pytest.raises(type(error), match=str(error)):
        population_jobs.train_together(jobs, scratch=tmp_path, capacity=2, **given)

    failed = [(each.name, each.failure.kind, each.is_last) for each in sent]
    assert failed == ([("one", "bug", True), ("other", "bug", True)] if is_the_jobs else [])


@pytest.mark.timeout(WHOLE_FILE_SECONDS)
@starts_jax
def test_all_of_this_holds_in_a_process_on_jax():
    run_on_jax(__file__)
