"""A crew without its chief: it waits for a stated time, and ends after a stated silence."""

import socket
import threading

import pytest

from lstm_study.errors import SearchError, StaleTermError
from lstm_study.search.link import Link, Pulse, find_chief
from lstm_study.store import Store
from tests.unit.search.test_crews import Clock


@pytest.fixture
def nowhere():
    """An address that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def test_a_worker_says_what_it_waits_for_and_gives_up_after_the_stated_time(tmp_path, nowhere):
    store, said = Store(tmp_path), []
    with pytest.raises(SearchError, match=r"does not answer, for 0\.7 s\. Start the chief"):
        threading.Timer(
            0.2, lambda: store.write_chief({"term": "t", "address": nowhere}, token="x")
        ).start()
        find_chief(store, address="", wait_seconds=0.7, on_wait=said.append, is_done=lambda: False)
    assert said == [
        "no chief has opened this study for workers",
        f"the chief at {nowhere} does not answer",
    ]


def test_a_worker_of_a_search_that_is_done_waits_for_nothing(tmp_path):
    found = find_chief(
        Store(tmp_path), address="", wait_seconds=9, on_wait=print, is_done=lambda: True
    )
    assert found is None


def test_a_crew_whose_chief_ended_in_good_order_ends_at_once(tmp_path, nowhere):
    Store(tmp_path).write_chief({"term": "t"})
    own = Store(tmp_path, term="t", crew="a")
    with Link(nowhere, "token") as link:
        pulse = Pulse(link, crew="a", address=nowhere, check_term=own.check_term)
        assert pulse.beat(), "a chief that does not answer may answer yet"
        Store(tmp_path).end_term()
        pulse.lose("a-w1", -9)  # which makes the next beat due
        with pytest.raises(StaleTermError, match="has ended, or was started anew"):
            pulse.beat()


def test_trap_23_a_crew_whose_chief_is_silent_ends_after_a_stated_time(nowhere, monkeypatch):
    monkeypatch.setenv("LSTM_STUDY_CHIEF_SILENCE_SECONDS", "10")
    clock = Clock()
    with Link(nowhere, "token") as link:
        pulse = Pulse(link, crew="a", address=nowhere, check_term=lambda: None, clock=clock)
        clock.now = 9.0
        assert pulse.beat()
        clock.now = 11.0
        with pytest.raises(SearchError, match="has not answered for 10 s, so these workers ended"):
            pulse.beat()
