"""How many workers a search can use, known before its plan is drawn."""

import subprocess
import sys
from dataclasses import replace

import pytest

from lstm_study.configuration import BASELINE
from lstm_study.search.plan import make_plan, trial_of
from lstm_study.search.plan_sizes import slots_at_most, with_further_trials
from lstm_study.search.plan_state import plan_summary
from lstm_study.spec import StudySpec
from tests.support.tiny import spec

GRID = ("search.tuner=grid", "space.dropout=0.2", "space.recurrent_dropout=0.2")


@pytest.mark.parametrize(
    "settings",
    [
        (),
        ("search.max_epochs=27", "search.iterations=2"),
        ("search.max_epochs=9", "search.control=random"),
        ("search.tuner=random", "search.max_trials=7"),
        ("search.tuner=bayesian", "search.max_trials=5", "search.control=random"),
        GRID,
        (*GRID, "search.max_trials=3"),
    ],
)
def test_as_many_slots_are_foreseen_as_the_plan_then_has(settings):
    study = spec(*settings)
    assert slots_at_most(study) == make_plan(study).most_slots


@pytest.mark.parametrize("tuner", ["random", "bayesian"])
def test_a_search_whose_limit_grew_past_a_hundred_trials_still_finds_its_own(tuner):
    def limited_to(count: int) -> StudySpec:
        settings = f"search.tuner={tuner}", f"search.max_trials={count}", "search.control=random"
        return spec(*settings)

    few, many = (make_plan(limited_to(count)) for count in (3, 120))
    begun = [
        trial_of(bracket, slot, 0, configuration=slot.configuration or BASELINE)
        for bracket in few.brackets
        for slot in bracket.slots
    ]
    later = make_plan(limited_to(120), begun)
    for before, after, unlimited in zip(few.brackets, later.brackets, many.brackets, strict=True):
        begun_slots = after.slots[: len(before.slots)]
        assert [(each.name, each.seed) for each in begun_slots] == [
            (each.name, each.seed) for each in before.slots
        ]
        assert all(slot.configuration is not None for slot in begun_slots)
        assert len(after.slots) == len(unlimited.slots) == 120
        assert len({slot.name for slot in after.slots}) == 120
        assert unlimited.slots[0].name.endswith("-000")


SMALL = ("space.vocabulary_size=50", "space.maxlen=8", "space.embedding_dim=4", *GRID[1:])


@pytest.mark.parametrize("baseline", ["true", "false"])
@pytest.mark.parametrize("tuner", ["random", "grid"])
@pytest.mark.parametrize("space", [(), SMALL])
def test_what_a_larger_limit_adds_is_foreseen_without_drawing_it(tuner, space, baseline):
    def limited_to(count: int) -> StudySpec:
        first = GRID if tuner == "grid" else ("search.tuner=random",)
        return spec(*first, *space, f"search.max_trials={count}", "search.control=random",
                    f"search.include_baseline={baseline}")  # fmt: skip

    study = limited_to(9)
    foreseen = with_further_trials(plan_summary(make_plan(limited_to(1))), study)
    then = plan_summary(make_plan(study))
    assert (foreseen.trials, foreseen.epochs) == (then.trials, then.epochs)


@pytest.mark.parametrize("small", [(), SMALL])
def test_of_a_hyperband_search_a_larger_limit_adds_to_the_random_control_alone(small):
    settings = ("search.max_epochs=9", "search.control=random", *small)
    few, many = (spec(*settings, f"search.max_trials={count}") for count in (2, 12))
    foreseen = with_further_trials(plan_summary(make_plan(few)), many)
    then = plan_summary(make_plan(many))
    assert (foreseen.trials, foreseen.epochs) == (then.trials, then.epochs)
    assert foreseen.trials_of("control") >= 1


def test_only_a_search_of_one_round_that_has_not_ended_grows_with_its_limit():
    few = spec("search.tuner=random", "search.max_trials=2")
    many = spec("search.tuner=random", "search.max_trials=9")
    plan = plan_summary(make_plan(few))
    assert with_further_trials(plan, many).trials == 9
    for other in (replace(plan, exhausted=True), replace(plan, stopped="")):
        assert with_further_trials(other, many) == other
    schedule = plan_summary(make_plan(spec("search.max_trials=2")))
    assert with_further_trials(schedule, spec("search.max_trials=9")) == schedule


def test_the_random_control_is_as_many_full_trainings_as_the_searchs_epochs_pay_for():
    study = spec("search.max_epochs=9", "search.control=random")
    *search, control = make_plan(study).brackets
    assert tuple(search) == make_plan(spec("search.max_epochs=9")).brackets
    (whole,) = control.bracket.rounds
    assert (control.role, whole.initial_epoch, whole.budget_epochs) == ("control", 0, 9)
    epochs = sum(each.bracket.epochs for each in search)
    assert len(control.slots) == whole.trials == epochs // 9
    assert control.slots[0].name == "c-00"


def test_a_space_that_holds_less_has_fewer():
    study = spec("search.max_epochs=27", *SMALL)
    assert make_plan(study).most_slots == 2 < slots_at_most(study)


def test_it_is_foreseen_without_keras_tuner_so_that_workers_start_before_it_is_loaded():
    code = (
        "import sys; from lstm_study.search.plan_sizes import slots_at_most; "
        "from tests.support.tiny import spec; slots_at_most(spec()); "
        "slots_at_most(spec('search.tuner=random', 'search.max_trials=7')); "
        "print('keras' in sys.modules or 'keras_tuner' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
