"""The one loop: what is due goes out, what is lost comes back, and nothing is retried forever."""

import itertools
import time
from collections import deque
from collections.abc import Hashable

import pytest

from lstm_study import clock
from lstm_study.configuration import BASELINE
from lstm_study.engine import dispatch as dispatch_module
from lstm_study.engine.devices import Workers
from lstm_study.engine.dispatch import DEATHS_ALLOWED, SILENCE_VARIABLE, dispatch
from lstm_study.engine.jobs import Halt, Job, JobResult
from lstm_study.engine.messages import Lost, Message, MoreJobs, OpenRequest, Ready, Reply, Stopped
from lstm_study.errors import SearchError, StoreError
from lstm_study.records.state import Live
from lstm_study.spec import ProtocolTable
from lstm_study.store import Store
from tests.support.engine import CONTEXT
from tests.support.stored_study import EPOCH

READY = Ready(backend="tensorflow", devices=("CPU",))
KILLED = Lost(reason="with code -9", is_killed=True)


def job(name: str) -> Job:
    return Job(
        name=name, configuration=BASELINE, protocol=ProtocolTable(), seed=1, masked=False,
        trains_on="train", validates=True, halts=(Halt(epochs=3),),
    )  # fmt: skip


class Made:
    """A stage of jobs that depend on nothing, and a record of all that happened to them."""

    name = "search"

    def __init__(self, *names: str, ticks: int = 10_000) -> None:
        self.waiting = deque(names)
        self.given: list[tuple[str, ...]] = []
        self.likes: list[Hashable] = []
        self.ended: dict[str, JobResult] = {}
        self.seconds: list[float] = []
        self._ticks = ticks

    @property
    def backlog(self) -> int:
        return len(self.waiting)

    def due(self, worker: str, limit: int, *, like: Hashable = None) -> list[Job]:
        self.likes.append(like)
        count = min(limit, len(self.waiting))
        names = tuple(self.waiting.popleft() for _ in range(count))
        self.given += [names] if names else []
        return [job(name) for name in names]

    def take(self, result: JobResult, *, worker: str) -> None:
        if result.is_last:
            self.ended[result.name] = result

    def take_back(self, name: str) -> None:
        self.waiting.appendleft(name)

    def tick(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return len(self.seconds) < self._ticks


class Scripted:
    """An engine whose worker says what a script says: a list of messages for each thing sent."""

    output = "study.log"

    def __init__(self, *script: list[Message], names: tuple[str, ...] = ("w1",)) -> None:
        self.names, self.size = names, Workers(count=len(names), threads=1)
        self.killed: list[str] = []
        self.is_closed = False
        self.replies = 0
        self._script = iter(script)
        self._said: deque[Message] = deque(next(self._script))

    def set_up(self, spec, corpus) -> None:
        """Not needed here."""

    def poll(self, timeout_seconds: float) -> list[tuple[str, Message]]:
        return [("w1", self._said.popleft())] if self._said else []

    def send(self, name, message) -> None:
        self.replies += isinstance(message, Reply)
        self._said.extend(next(self._script, []))

    def grant(self, corpus, log) -> Reply:
        log()
        return Reply()

    def kill(self, name: str) -> None:
        self.killed.append(name)
        self._said.extend([Lost(reason="with code -9", is_killed=True), READY])

    def close(self) -> None:
        self.is_closed = True


def run(stage: Made, engine: Scripted, folder) -> None:
    dispatch(stage, engine, store=Store(folder), corpus=None, context=CONTEXT)


def ended(name: str) -> JobResult:
    return JobResult(name=name, is_last=True)


def test_each_job_goes_out_once_and_the_loop_ends_when_none_is_left(tmp_path):
    stage = Made("a", "b")
    engine = Scripted([READY], [ended("a")], [ended("b")])
    run(stage, engine, tmp_path)
    assert not engine.is_closed, "its workers serve the next stage"
    assert stage.given == [("a",), ("b",)]
    assert set(stage.ended) == {"a", "b"}
    (session,) = Store(tmp_path).read_sessions()
    assert (session.stage, session.workers, session.machine.backend) == ("search", 1, "tensorflow")
    assert stage.seconds == sorted(stage.seconds)
    assert session.seconds == stage.seconds[-1] > 0.0, "the end is recorded, too"


def test_a_worker_that_takes_several_is_given_several_and_all_of_them_are_answered(tmp_path):
    stage = Made("a", "b", "c")
    ready = Ready(backend="jax", devices=("H100",), capacity=2)
    run(stage, Scripted([ready], [ended("b"), ended("a")], [ended("c")]), tmp_path)
    assert stage.given == [("a", "b"), ("c",)]


def test_workers_that_take_several_share_what_is_due(tmp_path):
    """Also with one that is not ready yet: it will be before the first ends."""
    stage = Made(*"abcd")
    ready = Ready(backend="jax", devices=("H100",), capacity=8)
    script = [[ready], [ended("a"), ended("b")], [ended("c")], [ended("d")]]
    run(stage, Scripted(*script, names=("w1", "w2")), tmp_path)
    assert stage.given == [("a", "b"), ("c",), ("d",)]


def test_a_worker_with_room_asks_for_more_like_what_it_is_at_and_is_free_only_without_any(tmp_path):
    stage = Made("a", "b", "c")
    ready = Ready(backend="jax", devices=("H100",), capacity=2)
    asks = MoreJobs(like="class", limit=1)
    script = [[ready], [ended("a"), asks], [ended("b"), ended("c")]]
    run(stage, Scripted(*script), tmp_path)
    assert stage.given == [("a", "b"), ("c",)]
    assert stage.likes == [None, "class", None]
    assert set(stage.ended) == {"a", "b", "c"}


def test_a_job_whose_worker_dies_is_given_out_again_and_fails_the_third_time(tmp_path):
    """Trap 23, and memory that runs out: a kill by the system is told from a crash."""
    stage = Made("a")
    run(stage, Scripted([READY], *[[KILLED, READY]] * 3), tmp_path)
    assert stage.given == [("a",)] * 3
    failure = stage.ended["a"].failure
    assert failure is not None
    assert failure.kind == "out_of_memory"
    assert failure.message == "its worker ended 3 times, the last time with code -9"


def test_deaths_are_counted_from_the_last_epoch_that_ended(tmp_path):
    """A machine that is often taken away costs time and fails nothing, as long as epochs end."""
    stage = Made("a")
    epoch = [
        JobResult(name="a", epochs=(EPOCH,) * number) for number in range(1, 2 * DEATHS_ALLOWED + 1)
    ]
    lives = itertools.chain.from_iterable(([each], [KILLED, READY]) for each in epoch)
    engine = Scripted([READY], *lives, [ended("a")])
    run(stage, engine, tmp_path)
    assert stage.ended["a"].failure is None
    assert len(stage.given) == 2 * DEATHS_ALLOWED + 1
    assert engine.replies == len(epoch), "every epoch is acknowledged"


def test_a_job_that_gets_no_further_than_the_epoch_it_resumed_from_fails(tmp_path):
    stage = Made("a")
    same = [JobResult(name="a", epochs=(EPOCH,))]
    lives = itertools.chain.from_iterable((same, [KILLED, READY]) for _ in range(4))
    run(stage, Scripted([READY], *lives), tmp_path)
    assert stage.given == [("a",)] * 3
    assert stage.ended["a"].failure is not None


def test_a_worker_that_never_begins_ends_the_command(tmp_path):
    with pytest.raises(
        SearchError, match=r"ended 3 times before it could begin.*code 1.*study.log"
    ):
        run(Made("a"), Scripted([Lost(reason="with code 1")] * 3), tmp_path)


def test_what_a_worker_can_not_do_through_no_fault_of_a_job_ends_the_command(tmp_path):
    stopped = Stopped(error=StoreError("the disk is full"))
    with pytest.raises(StoreError, match="the disk is full"):
        run(Made("a"), Scripted([READY], [stopped]), tmp_path)


def test_a_busy_worker_that_is_silent_is_ended_and_an_idle_one_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv(SILENCE_VARIABLE, "0.05")
    monkeypatch.setattr(dispatch_module, "_POLL_SECONDS", 0.01)
    stage = Made("a")
    engine = Scripted([READY], [], [ended("a")])
    run(stage, engine, tmp_path)
    assert engine.killed == ["w1"]
    assert stage.given == [("a",), ("a",)]


def test_no_worker_was_silent_and_no_time_was_worked_while_all_were_suspended(
    tmp_path, monkeypatch
):
    suspended = [0.0]
    monkeypatch.setattr(clock.time, "perf_counter", lambda: time.monotonic() + suspended[0])
    monkeypatch.setattr(clock, "_clock", clock._Clock())
    stage, engine = Made("a"), Scripted([READY], [], [ended("a")])

    def resume(name, message) -> None:
        suspended[0] = 10_000.0
        # Its message comes a little later than the command goes on.
        engine.poll = lambda seconds: [] if time.monotonic() < after else [("w1", ended("a"))]

    after = time.monotonic() + 0.1
    engine.send = resume
    run(stage, engine, tmp_path)
    assert engine.killed == []
    assert stage.ended["a"].failure is None
    assert stage.seconds[-1] < 5


@pytest.mark.parametrize("given", ["soon", "0", "-1", "nan"])
def test_a_silence_that_is_no_number_of_seconds_is_refused(tmp_path, monkeypatch, given):
    monkeypatch.setenv(SILENCE_VARIABLE, given)
    with pytest.raises(SearchError, match=f"must be a number of seconds > 0. Received: {given}"):
        run(Made("a"), Scripted([READY]), tmp_path)


def test_a_worker_is_silent_since_its_last_message_and_its_longest_gap_is_kept(monkeypatch):
    moments = iter([100.0, 130.0, 131.0])
    worker = dispatch_module._Worker(heard_at=90.0)
    monkeypatch.setattr(dispatch_module, "seconds_running", lambda: next(moments))
    for gap in (10.0, 30.0, 30.0):
        worker.hear()
        assert worker.longest_gap == gap
    assert worker.heard_at == 131.0


def test_how_long_a_worker_may_be_silent_follows_its_jobs_pace():
    worker = dispatch_module._Worker()
    assert worker.silence_allowed(None) == 900.0, "before its first step compiling may take long"
    worker.pace(Live(training_id="a", step=1, steps=200))
    assert worker.silence_allowed(None) == 900.0
    worker.pace(Live(training_id="a", step=11, steps=200, timed_steps=10, timed_seconds=5.0))
    assert worker.silence_allowed(None) == 300.0, "three epochs of 100 seconds"
    worker.is_paced, worker.epoch_seconds = True, 0.0
    assert worker.silence_allowed(None) == 120.0
    worker.longest_gap = 30.0
    assert worker.silence_allowed(None) == 300.0
    worker.longest_gap = 500.0
    assert worker.silence_allowed(None) == 900.0
    assert worker.silence_allowed(5.0) == 5.0
    worker.epoch_seconds = 4_000.0
    assert worker.silence_allowed(None) == 4_000.0, "predicting may take an epoch's time"
    assert worker.silence_allowed(900.0) == 900.0


def test_an_opening_is_logged_before_it_is_granted(tmp_path):
    engine = Scripted([READY], [OpenRequest(run_id="winner-s1")], [ended("a")])
    run(Made("a"), engine, tmp_path)
    (opening,) = Store(tmp_path).read_openings()
    assert (opening.run_id, opening.command) == ("winner-s1", CONTEXT.command)
    assert engine.replies == 1


def test_where_a_worker_stands_is_written_and_forgotten_when_it_is_lost(tmp_path):
    store = Store(tmp_path)
    run(Made("a"), Scripted([READY], [Live(training_id="a"), ended("a")]), tmp_path)
    assert store.read_live() == {"w1": Live()}, "it waits"
    run(Made("a", ticks=3), Scripted([READY], [Live(training_id="a"), KILLED]), tmp_path)
    assert store.read_live() == {}


def test_time_without_any_worker_is_not_time_worked(tmp_path, monkeypatch):
    """Trap 17: nor does a `time_limit` run while a cluster has no room for a worker."""
    monkeypatch.setattr(dispatch_module, "_POLL_SECONDS", 0.0)
    stage = Made("a", ticks=3)
    run(stage, Scripted([], names=()), tmp_path)
    assert stage.seconds == [0.0] * 4


def test_a_stage_that_says_stop_ends_the_loop_with_jobs_at_work(tmp_path):
    stage, engine = Made("a", ticks=1), Scripted([READY], [])
    run(stage, engine, tmp_path)
    assert engine.is_closed, "its worker would answer the next stage"
    assert stage.ended == {}
