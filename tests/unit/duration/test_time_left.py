"""How long a study will take, said before and while it runs: on recorded and on made-up paces."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lstm_study.analysis.answer.ablation import ablation_trainings
from lstm_study.arm_names import LAST_EPOCHS
from lstm_study.commands import open_study
from lstm_study.comparison.arms import plan_comparison
from lstm_study.configuration import Configuration
from lstm_study.duration.costs import Costs
from lstm_study.duration.expected_comparison import expected_comparison
from lstm_study.duration.pace import Pace
from lstm_study.duration.time_left import TimeLeft, read_baseline_seconds, read_time_left, time_left
from lstm_study.duration.trainings_left import comparison_jobs
from lstm_study.records import Run, Trial
from lstm_study.records.state import BracketState, Extent, Live, RoundState, SearchState
from lstm_study.schedule import hyperband
from lstm_study.spec import StudySpec
from tests.support import own
from tests.support.earlier_records import EARLIER_RECORDS
from tests.support.fake_study import completed_study
from tests.support.replay import Replay, replay_of
from tests.support.stored_study import leave

STUDY = completed_study()
SPEC = StudySpec.model_validate(dict(STUDY.spec), strict=False)
PACE = Pace(points=((1e8, 2e-11), (1e10, 1e-11)), load_seconds=3.0, setup_seconds=0.5)
PLAN = SearchState(
    trials=STUDY.planned_trials,
    epochs=STUDY.planned_epochs,
    exhausted=False,
    brackets=tuple(
        BracketState(
            iteration=0,
            bracket=each.bracket,
            rounds=tuple(
                RoundState(
                    trials=item.trials,
                    initial_epoch=item.initial_epoch,
                    budget_epochs=item.budget_epochs,
                )
                for item in each.rounds
            ),
        )
        for each in hyperband(max_epochs=SPEC.search.max_epochs, factor=SPEC.search.factor)
    ),
)


@pytest.fixture(scope="module")
def reference() -> Replay:
    return replay_of(EARLIER_RECORDS)


def _left(
    trials: list[Trial],
    runs: list[Run],
    *,
    pace: Pace | None = PACE,
    workers: int = 1,
    stopped: str | None = None,
    extent: Extent | None = None,
    spec: StudySpec = SPEC,
    searched_seconds: float = 0.0,
    only_trials: Collection[str] | None = None,
) -> TimeLeft | None:
    assert STUDY.corpus is not None
    return time_left(
        spec, corpus=STUDY.corpus, plan=replace(PLAN, stopped=stopped), trials=trials, runs=runs,
        control=None, pace=pace, workers=workers, extent=extent,
        searched_seconds=searched_seconds, only_trials=only_trials,
    )  # fmt: skip


def _arms(
    spec: StudySpec, trials: list[Trial], runs: Sequence[Run] = ()
) -> Mapping[str, Sequence[Configuration]]:
    return expected_comparison(spec, PLAN, trials, runs, extent=Extent()).arms


def _found(*arguments: list, **options: object) -> TimeLeft:
    found = _left(*arguments, **options)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_without_a_pace_nothing_is_said_before_an_epoch_has_ended() -> None:
    assert _left([], [], pace=None) is None
    assert _left([replace(STUDY.trials[0], epochs=())], [], pace=None) is None
    assert _left([STUDY.trials[0]], [], pace=None) is not None


def test_a_measured_pace_gives_every_part_before_anything_is_trained() -> None:
    found = _found([], [])
    assert min(found.search, found.comparison, found.writing) > 0
    assert found.whole == found.search + found.comparison + found.writing
    assert found.sentence.startswith("about ")
    assert "search" in found.sentence and "comparison" in found.sentence


def test_a_finished_study_has_nothing_left_to_train() -> None:
    spec = SPEC.model_copy(update={"compare": SPEC.compare.model_copy(update={"control": False})})
    found = _found(list(STUDY.trials), list(STUDY.runs), stopped="", spec=spec)
    assert found.search == 0.0
    # The fake study has no validation runs, no masked baseline and no runner-ups.
    of_others = _found(list(STUDY.trials), [], stopped="", spec=spec).comparison
    assert found.comparison < of_others


def test_the_trainings_left_of_an_ablation_are_those_that_its_plan_counts() -> None:
    asked = StudySpec.model_validate(
        dict(completed_study(compare__ablation="true").spec), strict=False
    )
    plan, trials = replace(PLAN, stopped=""), list(STUDY.trials)
    assert STUDY.corpus is not None
    costs = Costs(asked, STUDY.corpus)
    costs.pace = PACE
    without, with_it = (
        comparison_jobs(
            each, expected_comparison(each, plan, trials, extent=Extent()), [], None, costs
        )
        for each in (SPEC, asked)
    )
    compared = plan_comparison(asked, trials)
    steps = ablation_trainings(compared.arms["baseline"], compared.arms["winner"])
    assert len(with_it) - len(without) == steps > 0
    assert len(with_it) - asked.compare.control == compared.trainings


def test_a_search_that_was_ended_early_has_no_time_left() -> None:
    found = _found(list(STUDY.trials[:5]), list(STUDY.runs[:1]), stopped="time limit")
    assert found.search == 0.0
    assert found.comparison > 0.0


def test_the_time_limit_of_a_search_bounds_what_is_left_of_it() -> None:
    search = SPEC.search.model_copy(update={"time_limit": "1s", "rerank": 0})
    assert _found([], [], spec=SPEC.model_copy(update={"search": search})).search == 1.0


def test_what_was_searched_already_is_taken_from_the_limit_unless_a_repair_asks_for_trials() -> (
    None
):
    search = SPEC.search.model_copy(update={"time_limit": "10s", "rerank": 0})
    spec = SPEC.model_copy(update={"search": search})
    assert _found([], [], spec=spec, searched_seconds=4.0).search == 6.0
    assert _found([], [], spec=spec, searched_seconds=11.0).search == 0.0
    first = STUDY.trials[0].trial_id
    again = _found([], [], spec=spec, searched_seconds=11.0, only_trials=[first]).search
    assert PACE.load_seconds < again < _found([], []).search


def test_finalists_are_to_be_trained_until_a_run_of_the_comparison_has_begun() -> None:
    trials, run = list(STUDY.trials), next(run for run in STUDY.runs if run.arm == "winner")
    search = SPEC.search.model_copy(update={"rerank": 3})
    spec = SPEC.model_copy(update={"search": search})
    with_finalists = _found(trials, [], stopped="", spec=spec).search
    assert with_finalists > _found(trials, [], stopped="").search == 0.0
    assert _found(trials, [run], stopped="", spec=spec).search == 0.0
    # One that was evaluated in another's training is none that was trained.
    alias = replace(run, trained_as="winner-s9")
    assert _found(trials, [alias], stopped="", spec=spec).search == with_finalists


def test_workers_of_the_search_go_on_to_the_comparison_and_load_once() -> None:
    slow = replace(PACE, load_seconds=PACE.load_seconds + 100.0)
    before, after = (_found([], [], pace=pace) for pace in (PACE, slow))
    assert after.search - before.search == pytest.approx(100.0)
    # Other parts of it are reckoned in times that a worker takes to load, too.
    assert after.comparison < before.comparison + 100.0
    assert after.writing - before.writing == pytest.approx(4 * 100.0)
    trials = list(STUDY.trials)
    before, after = (_found(trials, [], pace=pace, stopped="") for pace in (PACE, slow))
    assert after.search == before.search == 0.0
    assert after.comparison > before.comparison + 100.0


def test_the_estimate_in_words_has_the_stages_that_are_left_and_its_basis() -> None:
    found = TimeLeft(search=7_200.0, comparison=0.0, writing=40.0, basis="the pace so far")
    assert found.sentence == (
        "about 2 h 0 min (search 2 h 0 min, model and report 40 s), estimated from the pace so far"
    )


def test_the_workers_are_those_of_the_running_command_else_those_that_would_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sessions = (*STUDY.sessions[:-1], replace(STUDY.sessions[-1], workers=3))
    leave(replace(STUDY, runs=(), predictions={}, sessions=sessions), tmp_path)
    study = open_study("fake.toml")
    spec, store = study.spec, study.store
    assert (
        read_time_left(spec, store, pace=PACE, workers=1) is None
    )  # Its plan is not written down.
    plan = replace(PLAN, stopped="")
    assert read_time_left(spec, store, pace=PACE, workers=1, plan=plan) is not None
    store.write_state(plan)
    one, eight = (read_time_left(spec, store, pace=PACE, workers=count) for count in (1, 8))
    with store.hold("lstm-study run"):
        running = read_time_left(spec, store, pace=PACE, workers=1)
    assert one is not None and eight is not None and running is not None
    assert eight.comparison < running.comparison < one.comparison


def test_a_limit_of_trials_bounds_what_is_left_of_a_hyperband_search() -> None:
    limited = SPEC.search.model_copy(update={"max_trials": 5, "rerank": 0})
    spec = SPEC.model_copy(update={"search": limited})
    whole = SPEC.model_copy(update={"search": limited.model_copy(update={"max_trials": None})})
    # The first ones of the plan.
    ended = [each for each in STUDY.trials if each.bracket == 2 and each.round == 0][:5]
    assert 0.0 < _found([], [], spec=spec).search < _found([], [], spec=whole).search / 2
    assert _found(ended, [], spec=spec).search == 0.0 < _found(ended, [], spec=whole).search


def test_more_workers_share_the_work_and_fewer_seeds_are_less_of_it() -> None:
    one, two = (_found([], [], workers=count) for count in (1, 2))
    assert one.comparison / 2.2 < two.comparison < one.comparison / 1.5
    few = _found([], [], extent=Extent(most_seeds=1))
    quick = _found([], [], extent=Extent(most_seeds=1, primary_only=True))
    assert quick.comparison < few.comparison < one.comparison
    assert quick.search == one.search


def test_work_in_progress_counts_by_what_is_left_of_it() -> None:
    (running, *_) = [trial for trial in STUDY.trials if len(trial.epochs) > 2]
    halved = replace(running, epochs=running.epochs[:1], status="running")
    others = [trial for trial in STUDY.trials if trial is not running]
    assert _found([*others, halved], []).search > _found([*others, running], []).search


@pytest.mark.parametrize("share", [0.0, 0.05, 0.25, 0.5])
def test_at_a_steady_pace_the_reference_study_is_predicted_within_30_per_cent(
    reference: Replay, share: float
) -> None:
    pace = reference.steady_pace()
    steady = reference.at_a_steady_pace(pace, spread=0.3)
    assert steady.said(share, pace=pace) == pytest.approx(1.0, abs=0.3)


def test_a_pace_that_was_measured_wrong_is_corrected_by_the_first_epochs(
    reference: Replay,
) -> None:
    pace = reference.steady_pace()
    wrong = replace(pace, points=tuple((work, 3 * each) for work, each in pace.points))
    steady = reference.at_a_steady_pace(pace, spread=0.3)
    assert steady.said(0.0, pace=wrong) > 2.5
    assert steady.said(0.05, pace=wrong) == pytest.approx(1.0, abs=0.3)


def test_from_its_own_times_the_reference_study_is_known_as_far_as_its_pace_was() -> None:
    # Its search ran 1.39 times slower for its work than its comparison a day later, which nobody
    # could know. Beforehand, from the pace of the whole, it is within 30%.
    recorded = replay_of(EARLIER_RECORDS)
    assert recorded.said(0.0, pace=recorded.steady_pace()) == pytest.approx(1.0, abs=0.3)
    assert 1.3 < recorded.said(0.05, pace=None) < 1.8
    assert recorded.said(0.75, pace=None) == pytest.approx(1.0, abs=0.3)


def test_a_builder_of_ones_own_is_estimated_without_an_arm_of_a_recipe() -> None:
    learned = own.explored().model
    declared = {k: v for k, v in learned.hyperparameters.items() if k != "learning_rate"}
    spec = own.explored().model_copy(
        update={"model": learned.model_copy(update={"hyperparameters": declared})}
    )
    assert "baseline-recipe" not in _arms(spec, [])


def test_of_a_search_that_a_repair_lets_resume_the_compared_winner_stays_known() -> None:
    opened = SPEC.model_dump(mode="json")
    opened["space"] |= {"learning_rate": {"min": 0.001, "max": 0.01}}
    spec = StudySpec.model_validate(opened, strict=False)
    baseline = spec.baseline.configuration
    trials = [
        replace(each, configuration=each.configuration.with_values(learning_rate=0.002))
        for each in STUDY.trials
    ]
    before = _arms(spec, trials)
    assert len(before["winner"]) > 1 and "baseline-recipe" in before
    (run, *_) = [run for run in STUDY.runs if run.arm == "winner"]
    for rate, recipe in ((baseline.learning_rate, None), (0.004, baseline)):
        winner = run.configuration.with_values(learning_rate=rate)
        arms = _arms(spec, trials, [replace(run, configuration=winner)])
        assert arms["winner"] == [winner]
        expected = recipe and [recipe.with_values(learning_rate=0.004)]
        assert arms.get("baseline-recipe") == expected


def test_of_the_baseline_alone_its_first_steps_tell_how_long_the_rest_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = next(run for run in STUDY.runs if run.run_id == "baseline-s1")
    running = replace(run, status="running", epochs=(), test_accuracy=None)
    leave(replace(STUDY, trials=(), runs=(running,), predictions={}), tmp_path)
    study = open_study("fake.toml")
    assert read_baseline_seconds(study.spec, study.store, pace=None) is None
    # 49 steps in 98 s: an epoch of 100 takes 200 s. Half of the first is done.
    at = Live(training_id="baseline-s1", epochs=run.protocol_epochs, epoch=1, step=50, steps=100,
              timed_steps=49, timed_seconds=98.0)  # fmt: skip
    study.store.write_live("w1", at)
    assert STUDY.corpus is not None
    reviews = {split.name: split.reviews for split in STUDY.corpus.splits}
    # The last epochs are evaluated on test each, which costs 27% of a training for each review.
    evaluation = 0.27 * 200 * reviews["test"] / (reviews["train"] + reviews["validation"])
    expected = 200 * (run.protocol_epochs - 0.5) + LAST_EPOCHS * evaluation + 0.7
    assert read_baseline_seconds(study.spec, study.store, pace=None) == pytest.approx(expected)


def test_the_time_left_of_the_baseline_alone_is_not_that_of_the_whole_comparison(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    leave(replace(STUDY, runs=(), predictions={}), tmp_path)
    study = open_study("fake.toml")
    study.store.write_state(replace(PLAN, stopped=""))
    whole, alone = (
        read_time_left(study.spec, study.store, pace=PACE, workers=1),
        read_baseline_seconds(study.spec, study.store, pace=PACE),
    )
    assert whole is not None and alone is not None
    assert 0 < alone < whole.comparison / 4
