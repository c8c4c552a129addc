"""An actor's end of its link, without a cluster."""

from dataclasses import replace

from lstm_study.engine.jobs import JobResult
from lstm_study.engine.messages import Reply
from lstm_study.engine.parcels import packed
from lstm_study.engine.ray_worker import ActorLink
from tests.unit.engine.test_dispatch import job


def test_a_node_keeps_no_file_that_it_sent(tmp_path):
    link = ActorLink(tmp_path / "received")
    checkpoint = tmp_path / "a.npz"
    checkpoint.write_bytes(b"checkpoint")
    link.send(JobResult(name="a", checkpoint=checkpoint))
    assert not checkpoint.exists()
    (parcel,) = link.collect(0.0)
    assert bytes(parcel.files[checkpoint]) == b"checkpoint"
    assert link.collect(0.0) == []


def test_a_node_keeps_a_jobs_checkpoints_until_the_job_ends(tmp_path):
    link, own = ActorLink(tmp_path / "received"), tmp_path / "own.npz"
    own.write_bytes(b"own")
    link.deliver(packed([replace(job("a"), starts=(own,))]))
    (received,) = link.receive()
    link.deliver(packed(Reply()))
    link.receive()
    (start,) = received.starts
    assert start.read_bytes() == b"own"
    link.send(JobResult(name="a", is_last=True))
    assert not start.exists()
