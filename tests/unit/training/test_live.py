"""Where a training stands, as its worker sends it."""

import threading
import time

import pytest

from lstm_study.records.state import Live
from lstm_study.training import live as module
from lstm_study.training.epochs import Step
from lstm_study.training.live import CallReporter, LiveReporter


@pytest.fixture
def clock(monkeypatch):
    """The seconds that a reporter finds, in a list of one."""
    moment = [1_000.0]
    monkeypatch.setattr(module, "seconds_running", lambda: moment[0])
    return moment


def step(number: int, *, epoch: int = 1) -> Step:
    return Step(epoch=epoch, step=number, steps=10, train_loss=0.5, train_accuracy=0.75)


def test_a_step_is_sent_twice_a_second_and_the_last_of_an_epoch_always(clock):
    sent: list[Live] = []
    before = time.time()
    report = LiveReporter(sent.append, training_id="b0-00-r0", epochs=3)
    for number in range(1, 11):
        report(step(number))
        clock[0] += 0.125
    assert [live.step for live in sent] == [1, 5, 9, 10]
    assert {(live.training_id, live.epochs, live.steps) for live in sent} == {("b0-00-r0", 3, 10)}
    assert {live.train_accuracy for live in sent} == {0.75}
    assert all(before <= live.at <= time.time() for live in sent)


def test_steps_are_timed_from_the_end_of_an_epochs_first_which_compiles(clock):
    sent: list[Live] = []
    report = LiveReporter(sent.append, training_id="b0-00-r0", epochs=3)
    for number, epoch in ((1, 1), (4, 1), (10, 1), (2, 2), (3, 2)):
        report(step(number, epoch=epoch))
        clock[0] += 2.0
    assert [(live.epoch, live.timed_steps, live.timed_seconds) for live in sent] == [
        (1, 0, 0.0), (1, 3, 2.0), (1, 9, 4.0), (2, 0, 0.0), (2, 1, 2.0),
    ]  # fmt: skip


def test_the_time_that_sending_takes_is_not_the_trainings():
    """A suspended command (Ctrl-Z) does not read what its workers send, until they wait for it."""
    report = LiveReporter(lambda _: time.sleep(0.3), training_id="b0-00-r0", epochs=1)
    began = module.seconds_running()
    report(step(1))
    assert module.seconds_running() - began < 0.2


def test_a_call_tells_its_parts_and_that_it_lives_until_it_ends(monkeypatch):
    monkeypatch.setattr(module, "_HEARTBEAT_SECONDS", 0.01)
    sent: list[Live] = []
    with CallReporter(sent.append, name="control") as tell:
        tell(1, 9)
        while len(sent) < 3:
            time.sleep(0.01)
        tell(2, 9)
    assert {(live.training_id, live.steps, live.epochs) for live in sent} == {("control", 9, 0)}
    steps = [live.step for live in sent]
    assert steps == sorted(steps) and set(steps) == {1, 2}
    ended = len(sent)
    time.sleep(0.05)
    assert len(sent) == ended


def test_what_a_call_computes_while_its_heartbeat_waits_to_be_sent_is_its_time(monkeypatch):
    monkeypatch.setattr(module, "_HEARTBEAT_SECONDS", 0.01)
    waits, may_end = threading.Event(), threading.Event()

    def send(_: Live) -> None:
        waits.set()
        may_end.wait()

    with CallReporter(send, name="control"):
        waits.wait()
        began = module.seconds_running()
        time.sleep(0.05)
        took = module.seconds_running() - began
        may_end.set()
    assert took >= 0.05
