"""Which arms a study asks for, and which of them lack runs."""

from dataclasses import replace

from lstm_study.analysis.answer.planned_arms import planned_arms, seeds_so_far, unfinished_arms
from tests.support.fake_spec import fake_spec
from tests.support.fake_study import completed_study

SPEC = fake_spec(compare__seeds="4", compare__runner_ups="1")
STUDY = completed_study(seeds=4)


def with_seeds_added(seeds: int):
    """The study with further runs of baseline and winner, numbered from 5 on."""
    first = {run.arm: run for run in STUDY.runs if run.arm in ("baseline", "winner")}
    more = [
        replace(run, run_id=f"{arm}-s{4 + number}", seed_index=4 + number)
        for arm, run in first.items()
        for number in range(1, seeds + 1)
    ]
    return replace(STUDY, runs=(*STUDY.runs, *more))


def test_further_arms_without_runs_are_told_of_once_winner_and_baseline_have_theirs():
    further = [
        arm for arm in planned_arms(SPEC, STUDY.trials, ()) if arm not in ("baseline", "winner")
    ]
    assert further
    assert unfinished_arms(SPEC, STUDY) == dict.fromkeys(further, 0)

    lacking = replace(STUDY, runs=STUDY.runs[1:])
    assert unfinished_arms(SPEC, lacking) == {}


def test_added_seeds_are_asked_of_every_arm():
    added = with_seeds_added(3)

    assert seeds_so_far(SPEC, STUDY) == 4
    assert seeds_so_far(SPEC, added) == 7
    further = set(unfinished_arms(SPEC, STUDY))
    runs = tuple(
        replace(run, arm=arm, run_id=f"{arm}-s{run.seed_index}")
        for arm in further
        for run in added.runs
        if run.arm == "baseline" and run.seed_index <= 6
    )
    assert unfinished_arms(SPEC, replace(added, runs=(*added.runs, *runs))) == dict.fromkeys(
        further, 6
    )


def test_a_run_that_failed_has_ended():
    failed = replace(STUDY.runs[0], status="failed")

    assert unfinished_arms(SPEC, replace(STUDY, runs=(failed, *STUDY.runs[1:])))
