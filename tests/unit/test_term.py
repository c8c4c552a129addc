"""Only workers of the search at work may write: the fence of decision 7."""

import stat

import pytest

from lstm_study.errors import StaleTermError
from lstm_study.files import replacing
from lstm_study.records.state import Live
from lstm_study.store import Store
from tests.unit.test_store import TRIAL


def test_a_worker_of_an_earlier_term_may_write_no_more(tmp_path):
    chief = Store(tmp_path)
    chief.write_chief({"term": "first"})
    worker = Store(tmp_path, term="first")
    worker.write_trial(TRIAL)
    chief.write_chief({"term": "second"})
    with pytest.raises(StaleTermError, match="has ended, or was started anew"):
        worker.write_trial(TRIAL)
    chief.end_term()
    with pytest.raises(StaleTermError, match="has ended, or was started anew"):
        worker.check_term()
    chief.write_trial(TRIAL)


def test_a_crew_that_was_given_up_may_write_no_more_and_others_may(tmp_path):
    Store(tmp_path).write_chief({"term": "t", "given_up": ["a-1"]})
    Store(tmp_path, term="t").check_term()
    Store(tmp_path, term="t", crew="b-2").check_term()
    with pytest.raises(StaleTermError, match="heard nothing of a-1"):
        Store(tmp_path, term="t", crew="a-1").check_term()


def test_a_crew_given_up_while_it_writes_does_not_replace_what_is_there(tmp_path):
    chief, worker = Store(tmp_path), Store(tmp_path, term="t", crew="a-1")
    chief.write_chief({"term": "t"})
    path = worker.checkpoint_path("b0-00-r0")
    with replacing(path, before=worker.check_term) as temporary:
        temporary.write_text("first")
    with (
        pytest.raises(StaleTermError),
        replacing(path, before=worker.check_term) as temporary,
    ):
        temporary.write_text("second")
        chief.write_chief({"term": "t", "given_up": ["a-1"]})
    assert path.read_text() == "first"
    with pytest.raises(StaleTermError):
        worker.write_live("a-1-w1", Live())
    assert list(tmp_path.rglob("*~")) == []
    assert worker.read_live() == {}


def test_the_token_is_its_owners_alone_and_goes_with_the_chief(tmp_path):
    store = Store(tmp_path)
    assert store.read_token() == ""
    store.write_chief({"term": "t"}, token="secret")
    path = tmp_path / "chief.token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert store.read_token() == "secret"
    assert "secret" not in (tmp_path / "chief.json").read_text()
    store.write_chief({"term": "u"}, token="another")
    assert store.read_token() == "another"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store.sweep()
    assert not path.exists()
    assert store.read_chief() == {}
