"""The one door to the test reviews: what is not logged is not read.

No other module of the package calls `Corpus.open_test`; `tests/unit/engine/test_opening.py` and a
contract in `pyproject.toml` check that.
"""

from collections.abc import Callable

from lstm_study.corpus.types import Corpus, Split
from lstm_study.engine.messages import Link, OpenRequest, Reply
from lstm_study.provenance import now
from lstm_study.records import Opening
from lstm_study.store import Store


def log_opening(store: Store, *, run_id: str, command: str) -> None:
    """Logs an opening of the test reviews with the study: the dispatcher's side.

    They are opened for a run, by its id, for "control" or for "test-reviews".

    Raises:
        StoreError: The log can't be written.
    """
    store.add_opening(Opening(opened_at=now(), command=command, run_id=run_id))


def read_test(corpus: Corpus, log: Callable[[], None]) -> Split:
    """Reads the test reviews once `log` returned; an error in it leaves them unread."""
    return corpus.open_test(on_open=log)


def request_test(link: Link, corpus: Corpus, *, run_id: str) -> Split:
    """Reads the test reviews once the dispatcher has logged it: a worker's side."""

    def log() -> None:
        _requested(link, run_id)

    return read_test(corpus, log)


def receive_test(link: Link, *, run_id: str) -> Split:
    """Receives the test reviews from the dispatcher, once it has logged it: a worker's side.

    For workers of other machines, which have no corpus.
    """
    test = _requested(link, run_id).test
    assert test is not None, "an engine of other machines sends the test reviews with its reply"
    return test


def _requested(link: Link, run_id: str) -> Reply:
    link.send(OpenRequest(run_id=run_id))
    reply = link.receive()
    assert isinstance(reply, Reply), f"a request is answered by a reply, not by {reply!r}"
    return reply
