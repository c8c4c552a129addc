"""Which trial comes next: whole searches played through with made-up scores, in milliseconds."""

import random
from collections.abc import Callable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_study.configuration import Configuration
from lstm_study.records import Failure, Trial
from lstm_study.schedule import hyperband
from lstm_study.search.plan import Plan, PlannedBracket, Slot, limited, trial_of
from lstm_study.search.promotion import Resume, Start, needed_checkpoints, startable

Score = Callable[[str, int], float | None]


def plan_of(max_epochs: int = 10, *, space: int = 10_000) -> Plan:
    """A plan with one made-up configuration per slot, as many as the space holds."""
    brackets, drawn = [], 0
    for bracket in hyperband(max_epochs=max_epochs, factor=3):
        count = min(bracket.rounds[0].trials, space - drawn)
        slots = tuple(
            Slot(
                name=f"b{bracket.bracket}-{number:02d}",
                configuration=Configuration(lstm_units=1 + drawn + number),
                seed=1 + drawn + number,
            )
            for number in range(count)
        )
        drawn += count
        if slots:
            brackets.append(PlannedBracket(bracket=limited(bracket, count), slots=slots))
    return Plan(brackets=tuple(brackets), exhausted=drawn == space)


def play(
    plan: Plan, score: Score, *, workers: int = 1, seed: int = 0
) -> tuple[dict[str, Trial], int]:
    """Runs a search: workers finish in random order; returns records and most checkpoints kept."""
    chance = random.Random(seed)
    records: dict[str, Trial] = {}
    running: list[Trial] = []
    most_kept = 0
    while True:
        while len(running) < workers:
            assigned = [item.trial_id for item in running]
            found = startable(plan, records, assigned=assigned, direction="max")
            answer = next(found, None)
            if answer is None:
                break
            assert isinstance(answer, Start)
            assert answer.slot.configuration is not None
            trial = trial_of(
                answer.planned, answer.slot, answer.round, configuration=answer.slot.configuration
            )
            assert trial.trial_id not in records
            records[trial.trial_id] = trial
            running.append(trial)
        most_kept = max(most_kept, len(needed_checkpoints(plan, records, direction="max")))
        if not running:
            return records, most_kept
        trial = running.pop(chance.randrange(len(running)))
        value = score(trial.trial_id.rpartition("-")[0], trial.budget_epochs)
        records[trial.trial_id] = (
            replace(trial, status="completed", score=value)
            if value is not None
            else replace(trial, status="failed", failure=Failure(kind="diverged", message="NaN"))
        )


def counts(records: dict[str, Trial]) -> dict[tuple[int, int], int]:
    found: dict[tuple[int, int], int] = {}
    for trial in records.values():
        found[trial.bracket, trial.round] = found.get((trial.bracket, trial.round), 0) + 1
    return found


def by_hash(name: str, epochs: int) -> float:
    return random.Random(f"{name} {epochs}").random()


def test_what_runs_is_what_the_schedule_plans():
    records, _ = play(plan_of(10), by_hash)
    assert counts(records) == {(2, 0): 12, (2, 1): 4, (2, 2): 2, (1, 0): 6, (1, 1): 2, (0, 0): 4}


def test_the_best_of_a_round_are_promoted_and_keep_their_seed_and_configuration():
    plan = plan_of(10)
    records, _ = play(plan, lambda name, _: float(name[-2:]))
    assert {trial_id for trial_id in records if trial_id.endswith("r1")} == {
        "b2-08-r1", "b2-09-r1", "b2-10-r1", "b2-11-r1", "b1-04-r1", "b1-05-r1",
    }  # fmt: skip
    child, parent = records["b2-11-r1"], records["b2-11-r0"]
    assert (child.parent, child.initial_epoch) == (parent.trial_id, parent.budget_epochs)
    assert (child.seed, child.configuration) == (parent.seed, parent.configuration)


def test_trap_7_two_failures_of_twelve_take_no_slot_from_later_rounds():
    records, _ = play(plan_of(10), lambda n, e: None if n in ("b2-03", "b2-07") else by_hash(n, e))
    assert counts(records)[2, 1] == 4
    assert counts(records)[2, 2] == 2


def test_a_trial_that_fails_after_its_promotion_leaves_its_slot_to_the_next_best():
    def score(name: str, epochs: int) -> float | None:
        return None if (name, epochs) == ("b2-11", 4) else float(name[-2:])

    records, _ = play(plan_of(10), score)
    promoted = {t.trial_id for t in records.values() if (t.bracket, t.round) == (2, 1)}
    assert promoted == {"b2-11-r1", "b2-10-r1", "b2-09-r1", "b2-08-r1", "b2-07-r1"}
    assert counts(records)[2, 2] == 2


def test_trap_8_a_space_of_eight_configurations_still_gets_its_promotions():
    records, _ = play(plan_of(10, space=8), by_hash)
    assert counts(records) == {(2, 0): 8, (2, 1): 4, (2, 2): 2}


def test_the_last_one_left_of_a_round_that_failed_is_trained_to_the_end():
    records, _ = play(
        plan_of(10), lambda n, e: by_hash(n, e) if n[:3] != "b2-" or n == "b2-05" else None
    )
    assert counts(records) == {(2, 0): 12, (2, 1): 1, (2, 2): 1, (1, 0): 6, (1, 1): 2, (0, 0): 4}


def test_a_search_in_which_everything_fails_ends():
    records, _ = play(plan_of(10), lambda *_: None)
    assert counts(records) == {(2, 0): 12, (1, 0): 6, (0, 0): 4}


def test_ties_go_to_the_smaller_network_and_then_to_the_lower_id():
    plan = plan_of(10)
    first = plan.brackets[0]
    slots = tuple(
        replace(slot, configuration=replace(slot.configuration, lstm_units=20 - min(index, 7)))
        for index, slot in enumerate(first.slots)
    )
    records, _ = play(
        Plan(brackets=(replace(first, slots=slots),), exhausted=False), lambda *_: 0.5
    )
    promoted = sorted(trial_id for trial_id in records if trial_id.endswith("r1"))
    assert promoted == ["b2-07-r1", "b2-08-r1", "b2-09-r1", "b2-10-r1"]


def test_trap_10_each_trial_carries_the_bracket_it_belongs_to_when_workers_overlap():
    records, _ = play(plan_of(10), by_hash, workers=5, seed=3)
    assert all(trial.trial_id.startswith(f"b{trial.bracket}-") for trial in records.values())


@settings(max_examples=30)
@given(
    workers=st.integers(1, 8),
    seed=st.integers(0, 10_000),
    fails=st.sets(st.sampled_from([f"b2-{n:02d}" for n in range(12)]), max_size=11),
)
def test_neither_workers_nor_the_order_they_finish_in_change_what_is_tried(workers, seed, fails):
    def score(name: str, epochs: int) -> float | None:
        return None if name in fails and epochs == 2 else by_hash(name, epochs)

    alone, _ = play(plan_of(10), score)
    together, _ = play(plan_of(10), score, workers=workers, seed=seed)
    assert alone == together


def test_a_trial_that_lost_its_worker_is_what_the_next_free_worker_gets():
    plan = plan_of(10)
    records, _ = play(plan, by_hash)
    records["b1-02-r0"] = replace(records["b1-02-r0"], status="running", score=None)
    assert list(startable(plan, records, assigned=[], direction="max")) == [
        Resume(trial=records["b1-02-r0"])
    ]
    assert list(startable(plan, records, assigned=["b1-02-r0"], direction="max")) == []


def test_once_a_limit_is_reached_trials_that_began_are_ended_and_none_is_started():
    plan = plan_of(10)
    lost = trial_of(plan.brackets[0], plan.brackets[0].slots[3], 0, configuration=Configuration())
    found = startable(
        plan, {lost.trial_id: lost}, assigned=[], direction="max", most=0
    )  # fmt: skip
    assert list(found) == [Resume(trial=lost)]


def test_trap_21_checkpoints_are_kept_only_while_a_trial_to_come_can_need_them():
    plan = plan_of(10)
    records, most_kept = play(plan, by_hash)
    assert needed_checkpoints(plan, records, direction="max") == set()
    assert most_kept <= 6, "four that may be promoted, and those being trained"


def test_the_checkpoint_of_a_trial_that_may_be_promoted_is_kept_until_its_child_ended():
    plan = Plan(brackets=plan_of(10).brackets[:1], exhausted=False)
    (bracket,) = plan.brackets

    def trial(number: int, round_number: int, *, score: float | None = None) -> Trial:
        slot = bracket.slots[number]
        begun = trial_of(bracket, slot, round_number, configuration=slot.configuration)
        return begun if score is None else replace(begun, status="completed", score=score)

    def needed(*others: Trial) -> set[str]:
        records = {each.trial_id: each for each in (*first, *others)}
        return needed_checkpoints(plan, records, direction="max")

    first = [trial(number, 0, score=number / 100) for number in range(12)]
    best = {"b2-08-r0", "b2-09-r0", "b2-10-r0", "b2-11-r0"}
    assert needed() == best
    assert needed(trial(11, 0)) == {*best, "b2-07-r0"}, "one is still running"
    assert needed(trial(11, 1)) == {*best, "b2-11-r1"}
    assert needed(trial(11, 1, score=0.5)) == best - {"b2-11-r0"} | {"b2-11-r1"}
    last = (trial(11, 1, score=0.5), trial(11, 2))
    assert needed(*last) == best - {"b2-11-r0"} | {"b2-11-r1", "b2-11-r2"}
    ended = (last[0], trial(11, 2, score=0.5))
    assert needed(*ended) == best - {"b2-11-r0"}
