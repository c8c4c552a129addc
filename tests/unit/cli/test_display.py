"""One display for all workers: a live block at a terminal, plain lines elsewhere."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from lstm_study.cli import display
from lstm_study.cli.display import Bar, Display
from lstm_study.progress.values import EndedTraining, Progress, Running


def running(worker: str, training_id: str, *, step: int) -> Running:
    return Running(
        worker=worker, training_id=training_id, detail="maxlen 500, 128/100", epoch=2, epochs=4,
        step=step, steps=100,
    )  # fmt: skip


PROGRESS = Progress(
    stage="Search",
    done=3,
    total=30,
    failed=1,
    running=(running("w1", "b2-03-r0", step=50), running("w2", "b2-04-r0", step=75)),
    ended=(
        EndedTraining(training_id="b2-01-r0", detail="64/32", score="81.25%", failed=False),
        EndedTraining(training_id="b2-02-r0", detail="64/64", score="diverged", failed=True),
    ),
    best="81.25% at epoch 2 (b2-01-r0)",
    elapsed_seconds=200,
    remaining_seconds=None,
)


def shown(*progresses: Progress, terminal: bool) -> str:
    out = io.StringIO()
    console = Console(
        file=out, force_terminal=terminal, width=120, height=30, no_color=True, highlight=False
    )
    with Display(console) as show:
        show.stage("Search", "30 trials")
        for progress in progresses:
            show.progress(progress)
    return out.getvalue()


CONTROL = Running(
    worker="w3", training_id="control", detail="logistic regression", epoch=0, epochs=0, step=2,
    steps=9,
)  # fmt: skip


def test_a_worker_that_trains_no_network_is_shown_by_its_parts(monkeypatch):
    alone = replace(PROGRESS, running=(CONTROL,), ended=())
    line = [line for line in shown(alone, terminal=True).splitlines() if "w3" in line][-1]
    assert "control" in line and "part 3 of 9" in line and "logistic regression" in line
    monkeypatch.setattr(display, "_HEARTBEAT_SECONDS", 0)
    found = shown(alone, alone, terminal=False)
    assert "running: control part 3 of 9 · " in found
    assert "no worker is training" not in found


def test_a_terminal_shows_each_workers_trial_in_one_block_and_the_best_so_far():
    found = shown(PROGRESS, terminal=True)
    block = found[found.rindex("3 of 30 done") :]
    assert "1 failed" in block
    assert "3 min 20 s spent · time left not known yet" in block
    (first,) = [line for line in block.splitlines() if "w1" in line]
    (second,) = [line for line in block.splitlines() if "w2" in line]
    assert "b2-03-r0" in first
    assert "b2-04-r0" in second
    assert "epoch 2 of 4" in first
    assert "best so far 81.25% at epoch 2 (b2-01-r0)" in block


def test_elsewhere_each_training_that_ended_is_a_line_and_told_once():
    lines = shown(PROGRESS, PROGRESS, terminal=False).splitlines()
    assert lines[0].split() == ["Search", "30", "trials"]
    assert "b2-08-r1 is slot 8 of bracket 2" in lines.pop(1)
    assert len(lines) == 3
    assert "2 of 30" in lines[1]
    assert "b2-01-r0" in lines[1]
    assert "3 of 30" in lines[2]
    assert "failed: diverged" in lines[2]
    assert lines[2].endswith("3 min 20 s spent, time left not known yet")


def test_a_search_of_several_passes_explains_the_names_that_its_trials_have():
    ended = tuple(replace(each, training_id=f"i0-{each.training_id}") for each in PROGRESS.ended)
    found = shown(replace(PROGRESS, ended=ended), terminal=False)
    assert "i1-b2-08-r1 is slot 8 of bracket 2, pass 2 (i0 is the first), after one" in found


def test_runs_of_one_configuration_name_it_once_and_trials_always():
    ended = (
        EndedTraining(training_id="winner-s1", detail="64/32", score="84.00%", failed=False),
        EndedTraining(training_id="winner-s2", detail="64/32", score="85.00%", failed=False),
        EndedTraining(training_id="baseline-s1", detail="128/100", score="83.00%", failed=False),
    )
    compared = replace(PROGRESS, stage="Comparison", ended=ended, best="")
    lines = shown(compared, terminal=False).splitlines()[1:]
    assert ["64/32" in line for line in lines] == [True, False, False]
    assert "85.00% · 3 min 20 s spent" in lines[1]
    assert "128/100" in lines[2]
    searched = shown(replace(compared, stage="Search"), terminal=False)
    assert searched.count("64/32") == 2


def test_elsewhere_a_line_now_and_then_says_what_each_worker_is_at(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(display, "_HEARTBEAT_SECONDS", -1.0)
    last = shown(PROGRESS, terminal=False).splitlines()[-1]
    assert "b2-03-r0 epoch 2 of 4 (50%); b2-04-r0 epoch 2 of 4 (75%)" in last


def bar(*, terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=120, no_color=True, highlight=False)
    with Bar(console) as shown:
        shown.show("predicting", 0, 200)
        shown.show("predicting", 50, 200)
    return out.getvalue()


def test_a_long_call_is_a_bar_with_the_time_left_at_a_terminal():
    assert "predicting 25% · about 0 s left" in bar(terminal=True)


def test_a_long_call_is_a_line_a_minute_elsewhere(monkeypatch: pytest.MonkeyPatch):
    assert bar(terminal=False) == ""
    monkeypatch.setattr(display, "_HEARTBEAT_SECONDS", -1.0)
    assert bar(terminal=False).splitlines()[-1].startswith("predicting 25%")


def test_a_worker_that_sends_nothing_for_a_minute_is_said_to_be_silent():
    frozen = replace(running("w1", "b2-03-r0", step=50), silent_seconds=130.0)
    found = shown(replace(PROGRESS, running=(frozen,)), terminal=True)
    assert "silent for 2 min 10 s; replaced if it stays so" in found
    assert "silent" not in shown(PROGRESS, terminal=True)
