import pickle

import numpy as np
import pytest

from lstm_study.corpus.sources.plain_pickle import read_ragged
from lstm_study.errors import DataError
from tests.support.reviews import Bomb


def ragged(lists) -> np.ndarray:
    array = np.empty(len(lists), dtype=object)
    array[:] = lists
    return array


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_lists_of_integers_come_out_flat(protocol):
    array = np.empty(3, dtype=object)
    array[0], array[1], array[2] = [3, 1], [], [70_000]
    flat, offsets = read_ragged(pickle.dumps(array, protocol=protocol), where="x")
    assert flat.tolist() == [3, 1, 70_000]
    assert flat.dtype == np.int32
    assert offsets.tolist() == [0, 2, 2, 3]


def test_a_hostile_pickle_is_refused_and_runs_nothing(tmp_path):
    target = tmp_path / "ran"
    for payload in (Bomb(target), ragged([[1], Bomb(target)])):
        raw = pickle.dumps(payload)
        with pytest.raises(DataError, match=r"imdb.npz: .* it asks for pathlib"):
            read_ragged(raw, where="imdb.npz")
        assert not target.exists()
    pickle.loads(pickle.dumps(Bomb(target)))
    assert target.exists(), "the bomb is a dud: this test could not fail"


@pytest.mark.parametrize(
    "name",
    ["os.system", "builtins.eval", "numpy.load", "numpy.fromfile", "numpy._core.multiarray.scalar"],
)
def test_every_other_name_is_refused(name):
    module, _, function = name.rpartition(".")
    raw = f"c{module}\n{function}\n(S'x'\ntR.".encode()
    with pytest.raises(DataError, match=f"it asks for {name}"):
        read_ragged(raw, where="x")


def test_what_stands_in_for_numpy_takes_any_argument_and_does_nothing():
    raw = b"cnumpy\nndarray\n((I99999999999\nI99999999999\ntS'f8'\ntR."
    with pytest.raises(DataError, match="must be a NumPy object array"):
        read_ragged(raw, where="x")


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ([[1.5], [2]], "something else in them"),
        ([["1"], [2]], "something else in them"),
        ([[[1]], [2]], "something else in them"),
        ([(1, 2), [2]], "one list of integers per review"),
        ([[2**40], [1]], "beyond 32 bits"),
    ],
)
def test_anything_but_lists_of_integers_is_refused(lists, message):
    array = np.empty(2, dtype=object)
    array[0], array[1] = lists
    with pytest.raises(DataError, match=message):
        read_ragged(pickle.dumps(array), where="x")


def test_one_list_that_stands_in_for_thousands_is_refused():
    array = np.empty(5_000, dtype=object)
    array[:] = [list(range(300))] * 5_000
    with pytest.raises(DataError, match="more integers than bytes"):
        read_ragged(pickle.dumps(array), where="x")


@pytest.mark.parametrize("raw", [b"", b"\x80\x04", b"]q\x00.", b"\xff\xff"])
def test_torn_pickles_are_refused(raw):
    with pytest.raises(DataError):
        read_ragged(raw, where="x")
