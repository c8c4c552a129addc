"""Which trainings of a search are left, each with the configurations that it may have."""

from dataclasses import replace

import pytest

from lstm_study.commands.search import end_in_words
from lstm_study.configuration import BASELINE
from lstm_study.duration.expected_comparison import expected_comparison
from lstm_study.duration.trainings_left import finalist_jobs, search_jobs
from lstm_study.records import Trial
from lstm_study.records.state import BracketState, Extent, RoundState, SearchState
from lstm_study.search.plan_sizes import as_limited, trials_at_most
from tests.support.tiny import spec

A, B, C, OTHER = (BASELINE.with_values(lstm_units=units) for units in (1, 2, 3, 9))


def bracket(number, rounds, *configurations, role="search"):
    states = tuple(
        RoundState(trials=trials, initial_epoch=first, budget_epochs=last)
        for trials, first, last in rounds
    )
    return BracketState(
        iteration=0, bracket=number, role=role, rounds=states, configurations=configurations
    )


def trial(trial_id, configuration, *, status="completed", role="search", **values):
    number = int(trial_id[1]) if trial_id[0] == "b" else 0
    return Trial(
        trial_id=trial_id, configuration=configuration, seed=1, iteration=0, bracket=number,
        round=int(trial_id[-1]), initial_epoch=0, budget_epochs=2, role=role, status=status,
        **values,
    )  # fmt: skip


PLAN = SearchState(
    trials=8, epochs=24, exhausted=False,
    brackets=(
        bracket(1, [(3, 0, 2), (1, 2, 6)], A, B, C),
        bracket(0, [(2, 0, 6)], None, None),
        bracket(0, [(2, 0, 6)], OTHER, OTHER, role="control"),
    ),
)  # fmt: skip
TRIALS = [
    trial("b1-00-r0", A),
    trial("b1-01-r0", B, status="running"),
    trial("c-00-r0", OTHER, role="control"),
]


class Named:
    """Costs that name each training instead of its seconds."""

    def rest(self, begun):
        return f"the rest of {begun.trial_id}"

    def training(self, candidates, epochs, *, is_validated):
        assert is_validated
        return [*candidates], epochs


def left(trials=TRIALS, plan=PLAN, **given):
    return search_jobs(plan, trials, Named(), **given)


def test_each_trial_that_is_left_may_have_the_configurations_of_its_slot_or_bracket():
    control = ([OTHER], 6)
    assert left() == [
        "the rest of b1-01-r0", ([C], 2), ([A, B, C], 4),
        *[([A, B, C], 6)] * 2, control,
    ]  # fmt: skip
    # A trial of another bracket takes no slot, and one of a further round none of the first.
    begun = [*TRIALS, trial("b0-00-r0", B), trial("b1-00-r1", A, status="running")]
    assert left(begun) == [
        "the rest of b1-01-r0", ([C], 2), "the rest of b1-00-r1", ([B], 6), control
    ]  # fmt: skip
    assert left(plan=replace(PLAN, stopped="")) == []


@pytest.mark.parametrize(("most", "further"), [(0, 0), (2, 0), (3, 1), (4, 2), (99, 4)])
def test_a_limit_of_trials_counts_those_of_the_search_alone(most, further):
    found = left(plan=as_limited(PLAN, most))
    assert found[0] == "the rest of b1-01-r0" and found[-1] == ([OTHER], 6)
    assert len(found) == 2 + further


def test_a_trial_that_replaces_a_failed_one_is_left_and_counted_beside_the_limit():
    study = spec("search.max_trials=4")
    begun = [trial(f"b1-0{slot}-r0", each) for slot, each in enumerate((A, B, C))]
    assert len(left(begun, as_limited(PLAN, 4))) == 1 + 2
    assert trials_at_most(PLAN, study, begun) == 4 + 2
    failed = trial("b1-00-r1", A, status="failed")
    assert left([*begun, failed], as_limited(PLAN, 4)) == [([A, B, C], 4), *[([OTHER], 6)] * 2]
    assert trials_at_most(PLAN, study, [*begun, failed]) == 5 + 2
    ended = [*begun, failed, trial("b1-01-r1", B)]
    assert left(ended, as_limited(PLAN, 4)) == [([OTHER], 6)] * 2
    assert trials_at_most(PLAN, study, ended) == 5 + 2
    # One that failed in the first round is not replaced, nor is one where no other is left.
    others = [replace(each, status="failed") for each in begun]
    assert trials_at_most(PLAN, study, others[:1]) == 4 + 2
    assert trials_at_most(PLAN, study, others) == 3 + 2


def test_the_first_line_of_a_search_says_how_many_of_its_trials_a_limit_leaves():
    control = "search.control=random"
    assert (
        end_in_words(PLAN, spec(control)) == end_in_words(PLAN, spec("search.max_trials=6")) == ""
    )
    whole = "search.max_epochs=6"
    said = end_in_words(PLAN, spec(control, whole, "search.max_trials=4"))
    assert said == "; it ends after 4 (search.max_trials), then comes the random control"
    said = end_in_words(PLAN, spec(whole, "search.max_trials=3"))
    assert said.startswith("; it ends after 3 (search.max_trials). So no trial will have 6 epochs")
    assert said.endswith("that takes search.max_trials = 4 or more")


def test_what_follows_a_search_that_a_limit_cuts_is_expected_from_what_it_leaves():
    study = spec("search.rerank=3", "search.max_epochs=6", "compare.runner_ups=2")
    few = spec("search.rerank=3", "search.max_epochs=6", "compare.runner_ups=2",
               "search.max_trials=3")  # fmt: skip
    assert len(finalist_jobs(study, PLAN, [], Named())) == 9
    assert finalist_jobs(few, PLAN, [], Named()) == []
    assert "runner-up-2" in expected_comparison(study, PLAN, [], extent=Extent()).arms
    assert "runner-up-1" not in expected_comparison(few, PLAN, [], extent=Extent()).arms


def test_of_a_repair_only_the_named_trials_are_left():
    named = {"b1-00-r0", "b1-01-r0", "b1-02-r0", "b1-00-r1", "c-01-r0", "f-1-s1"}
    assert left(only=named) == [([A], 4), "the rest of b1-01-r0", ([C], 2), ([OTHER], 6)]


def test_finalists_are_the_best_of_a_search_that_has_ended():
    study = spec("search.rerank=3", "search.max_epochs=6")

    def finalists(trials, stopped=None):
        return finalist_jobs(study, replace(PLAN, stopped=stopped), trials, Named())

    assert finalists(TRIALS) == [([A, B, C], 6)] * 9, "the random control cannot win"
    ended = [
        trial(f"b0-0{slot}-r0", each, score=score, ended_at=f"{slot}")
        for slot, (each, score) in enumerate([(A, 0.7), (B, 0.9), (B, 0.8), (C, 0.6)])
    ]
    ended = [replace(each, budget_epochs=6) for each in ended]
    assert finalists(ended, stopped="") == [([B, A, C], 6)] * 9
    assert finalists(ended[1:3], stopped="") == []
    one = [
        trial("f-1-s1", A, role="finalist", status="running"),
        trial("f-1-s2", A, role="finalist"),
    ]
    assert finalists([*ended, *one], stopped="") == ["the rest of f-1-s1"]
