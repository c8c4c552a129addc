"""A worker process: its link to the process that started it, and the reviews that it reads."""

import subprocess
import sys
from multiprocessing import Pipe

import pytest

from lstm_study.corpus.load import load
from lstm_study.engine.classes import Classes
from lstm_study.engine.messages import SetUp
from lstm_study.engine.process_worker import _study_from
from lstm_study.errors import DataError
from tests.support.fake_spec import fake_spec
from tests.support.reviews import made_up_reviews, write_csv

CODE = """
import sys, time
from lstm_study.engine.process_worker import SocketLink
SocketLink(int(sys.argv[1]))
time.sleep(600)
"""


def _started():
    ours, theirs = Pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, str(theirs.fileno())],
        pass_fds=[theirs.fileno()], stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    theirs.close()
    return ours, process


def test_a_message_that_cannot_be_read_ends_the_worker_with_an_error():
    ours, process = _started()
    ours.send_bytes(b"cno_such_module\nnothing\n.")
    _, printed = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "A message could not be read" in printed
    assert "no_such_module" in printed
    ours.close()


def test_a_worker_ends_quietly_with_the_process_that_started_it():
    ours, process = _started()
    ours.close()
    _, printed = process.communicate(timeout=300)
    assert (process.returncode, printed) == (0, "")


class _Given:
    """A link that has one message for its worker."""

    def __init__(self, message):
        self.receive = lambda: message


def test_a_worker_reads_the_studys_reviews_and_refuses_those_that_replaced_them(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("LSTM_STUDY_CACHE", str(tmp_path / "cache"))
    file = write_csv(tmp_path / "reviews.csv", made_up_reviews(60))
    spec = fake_spec(data__source='"csv"', data__path=f'"{file}"')
    corpus = load(spec.data, seed=spec.study.seed)
    given = SetUp(spec=spec, data_digest=corpus.summary.digest)

    read = _study_from(_Given(given))
    for name in ("train", "validation", "training"):
        expected = getattr(corpus, name)
        assert getattr(read, name).document_ids.tolist() == expected.document_ids.tolist()
    assert read.classes == Classes(spec).planned

    write_csv(file, made_up_reviews(60, seed=2))
    with pytest.raises(DataError, match="not the reviews that the running command has read"):
        _study_from(_Given(given))
