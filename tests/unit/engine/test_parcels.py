"""Messages with files, from one machine to another."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np

from lstm_study.engine.jobs import Call, Evaluation, JobResult
from lstm_study.engine.messages import Reply
from lstm_study.engine.parcels import packed, unpacked
from tests.unit.engine.test_dispatch import job


def evaluation(weights: Path) -> Evaluation:
    return Evaluation(
        run_id="winner-s1", probabilities=np.ones(3, dtype=np.float32),
        labels=np.ones(3, dtype=np.int8), weights=weights, test_seconds=1.0,
        predict_1000_seconds=1.0,
    )  # fmt: skip


def travelled(message, folder: Path):
    """Packs a message on one machine, and unpacks it on another."""
    parcel = pickle.loads(pickle.dumps(packed(message)))
    return unpacked(parcel, folder)


def test_an_answers_files_arrive_with_it_under_names_of_the_other_machine(tmp_path):
    checkpoint, weights = tmp_path / "here" / "a.npz", tmp_path / "here" / "w.npz"
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(b"checkpoint")
    weights.write_bytes(b"weights")
    result = JobResult(name="a", checkpoint=checkpoint, evaluation=evaluation(weights))
    found = travelled(result, tmp_path / "there")
    assert found.checkpoint.read_bytes() == b"checkpoint"
    assert found.evaluation.weights.read_bytes() == b"weights"
    assert {found.checkpoint.parent, found.evaluation.weights.parent} == {tmp_path / "there"}
    epoch = travelled(replace(result, evaluation=None), tmp_path / "there")
    assert (epoch.checkpoint.read_bytes(), epoch.evaluation) == (b"checkpoint", None)
    tested = travelled(replace(result, checkpoint=None), tmp_path / "there")
    assert (tested.checkpoint, tested.evaluation.weights.read_bytes()) == (None, b"weights")


def test_jobs_take_their_checkpoints_along_and_keep_their_order(tmp_path):
    own, parents = tmp_path / "own.npz", tmp_path / "parents.npz"
    own.write_bytes(b"own")
    parents.write_bytes(b"parents")
    sent = [replace(job("a"), starts=(own, parents)), Call(name="c", function=len)]
    first, second = travelled(sent, tmp_path / "there")
    assert [path.read_bytes() for path in first.starts] == [b"own", b"parents"]
    assert {path.parent for path in first.starts} == {tmp_path / "there"}
    assert second == sent[1]


def test_what_names_no_file_travels_as_it_is(tmp_path):
    assert travelled(Reply(), tmp_path).test is None
    assert travelled([job("a")], tmp_path) == [job("a")]
