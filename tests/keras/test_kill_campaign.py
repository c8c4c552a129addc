"""A search killed with SIGKILL at fifty random moments, and its files torn at random bytes.

What is killed is a whole search, see `tests/support/killed_search.py`: `end_to_end` kills real
trainings.
"""

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lstm_study.errors import RecordError, StoreError
from lstm_study.records import Trial
from lstm_study.store import Store
from lstm_study.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from tests.support.killed_search import Moment, Searches, arithmetic, search


def timeless(trial: Trial) -> Trial:
    """A trial's record without the times that no two runs share."""
    epochs = tuple(replace(epoch, ended_at="") for epoch in trial.epochs)
    return replace(trial, epochs=epochs, started_at="", ended_at="")


def table(folder: Path) -> list[Trial]:
    return [timeless(trial) for trial in Store(folder).read_trials()]


@pytest.fixture(scope="module")
def searches():
    """The process whose searches are killed."""
    with Searches() as found:
        yield found


@pytest.fixture(scope="module")
def reference(tmp_path_factory, searches) -> Path:
    """A search that was never interrupted."""
    folder = tmp_path_factory.mktemp("reference")
    searches.finish(folder)
    return folder


def test_a_search_killed_at_fifty_random_moments_is_the_one_that_never_was(
    tmp_path, reference, searches
):
    chance = random.Random(20)
    kills = 0
    while kills < 50:
        folder = tmp_path / str(kills)
        # Two kills before anything is saved, then as many as it takes to the end.
        moments = [Moment(operations=chance.randint(1, 20), saved_first=False) for _ in range(2)]
        for moment in itertools.chain(moments, later_moments(chance)):
            if not searches.killed(folder, moment):
                break
            kills += 1
        assert table(folder) == table(reference)
        assert not list(folder.rglob("*~")), "half-written files are swept up"


def later_moments(chance: random.Random) -> Iterator[Moment]:
    """Moments by which a search has got on."""
    while True:
        yield Moment(operations=chance.randint(1, 150))


def test_every_state_file_torn_at_random_bytes_is_resumed_or_refused_in_a_sentence(
    tmp_path, reference, searches
):
    chance = random.Random(21)
    folder = tmp_path / "torn"
    assert searches.killed(folder, Moment(operations=400))
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".json", ".npz"))
    assert {path.suffix for path in files} == {".json", ".npz"}
    assert len(files) > 12
    refused = resumed = 0
    for path in files:
        whole = path.read_bytes()
        path.write_bytes(whole[: chance.randrange(len(whole))])
        try:
            Store(folder).read_trials()
            if path.suffix == ".npz":
                with pytest.raises(RecordError, match="is damaged"):
                    read_checkpoint(path)
            resumed += 1
            path.write_bytes(whole)
        except StoreError as error:
            assert str(path) in str(error)
            assert "moves it aside: that training is repeated" in str(error)
            refused += 1
            path.unlink()
    assert refused > 5
    searches.finish(folder)
    assert table(folder) == table(reference)


def test_a_torn_checkpoint_is_trained_again_to_the_bit(tmp_path, reference, searches):
    folder = tmp_path / "torn"
    while not list(folder.glob("checkpoints/*-r1.npz")):
        assert searches.killed(folder, Moment(operations=20))
    for path in folder.glob("checkpoints/*.npz"):
        path.write_bytes(path.read_bytes()[:1_000])
    searches.finish(folder)
    assert table(folder) == table(reference)


def test_any_wrong_bit_of_a_checkpoint_is_harmless_or_a_known_error(tmp_path):
    """The archive's readers raise a dozen kinds of errors; one of an unknown kind was once retried
    forever."""
    path = tmp_path / "c.npz"
    variables = (np.arange(3.0), np.ones((2, 2), dtype=np.float32))
    write_checkpoint(path, Checkpoint(epochs=(), variables=variables))
    whole = path.read_bytes()
    refused = 0
    # Changed in place: a file that is written again for each bit goes to the disk each time.
    with path.open("r+b", buffering=0) as file:
        for position, bit in itertools.product(range(len(whole)), range(8)):
            file.seek(position)
            file.write(bytes([whole[position] ^ 1 << bit]))
            try:
                found = read_checkpoint(path)
            except RecordError as error:
                assert str(path) in str(error)
                refused += 1
                continue
            finally:
                file.seek(position)
                file.write(whole[position : position + 1])
            assert found is not None
            assert len(found.variables) <= 2
    assert refused > len(whole)


def test_a_full_disk_ends_in_a_sentence_and_resumes(tmp_path, reference, monkeypatch):
    folder = tmp_path / "full"
    writes = 0
    replace_file = Path.replace

    def full(self, target):
        nonlocal writes
        writes += 1
        if writes == 40:
            raise OSError(28, "No space left on device")
        return replace_file(self, target)

    monkeypatch.setattr("lstm_study.training.training.train", arithmetic)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(StoreError, match=r"No space left on device.*Free space"):
            search(folder)
    assert not list(folder.rglob("*~"))
    search(folder)
    assert table(folder) == table(reference)
