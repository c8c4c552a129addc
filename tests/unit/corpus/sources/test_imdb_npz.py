import json
import resource
import zipfile

import numpy as np
import pytest

from lstm_study.corpus.sources.imdb_npz import read_documents, read_word_index
from lstm_study.corpus.sources.source import Located
from lstm_study.errors import DataError
from tests.support.reviews import Bomb, npy_bytes, npy_with_pickle, write_npz


def read(path):
    return read_documents(Located(paths=(path,), shown="", sha256="", content_sha256=""))


def test_reviews_keep_the_files_order_ranks_and_rows(tmp_path):
    lists = np.empty(2, dtype=object)
    lists[0], lists[1] = [3, 1], [2]
    path = write_npz(tmp_path / "imdb.npz", x_train=lists, y_train=np.array([1, 0]))
    documents = read(path)
    assert documents.numbers[:3].tolist() == [3, 1, 2]
    assert documents.offsets[:3].tolist() == [0, 2, 3]
    assert documents.labels[:2].tolist() == [1, 0]
    assert documents.document_ids[:3].tolist() == [0, 1, 0]
    assert documents.words is None


def test_a_hostile_pickle_in_the_file_is_refused_and_runs_nothing(tmp_path):
    bomb = npy_with_pickle(Bomb(tmp_path / "ran"), rows=40)
    path = write_npz(tmp_path / "imdb.npz", x_test=bomb)
    with pytest.raises(DataError, match=r"imdb.npz: x_test: .* it asks for pathlib"):
        read(path)
    assert not (tmp_path / "ran").exists()


def test_a_hostile_pickle_in_the_labels_is_not_read(tmp_path):
    path = write_npz(
        tmp_path / "imdb.npz", y_train=npy_with_pickle(Bomb(tmp_path / "ran"), rows=40)
    )
    with pytest.raises(DataError, match="y_train: must hold labels 0 and 1"):
        read(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"y_train": np.arange(40) % 3}, "one label per review, 0 or 1"),
        ({"y_train": np.arange(39) % 2}, "same length"),
        ({"y_test": npy_bytes(np.arange(40) % 2)[:-9]}, r"y_test: .* Received: 311 bytes"),
        ({"x_train": np.zeros((40, 5), dtype=np.int64)}, "x_train: must be an array of lists"),
        ({"x_train": b"nonsense"}, "x_train: is not a NumPy array"),
    ],
)
def test_a_member_that_is_not_what_it_should_be_is_named(tmp_path, replaced, message):
    with pytest.raises(DataError, match=message):
        read(write_npz(tmp_path / "imdb.npz", **replaced))


def test_rank_0_is_refused(tmp_path):
    lists = np.empty(2, dtype=object)
    lists[0], lists[1] = [0, 1], [2]
    path = write_npz(tmp_path / "imdb.npz", x_train=lists, y_train=np.array([1, 0]))
    with pytest.raises(DataError, match=r"ranks from 1. Received: 0 to 2"):
        read(path)


def test_missing_damaged_and_foreign_files_are_told_apart(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "imdb.npz")
    (tmp_path / "noise.npz").write_bytes(b"noise")
    with pytest.raises(DataError, match=r"is damaged, or not an .npz file"):
        read(tmp_path / "noise.npz")
    np.savez(tmp_path / "other.npz", images=np.zeros(3))
    with pytest.raises(DataError, match="must hold x_train and y_train"):
        read(tmp_path / "other.npz")
    whole = write_npz(tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"is damaged, or not an .npz file"):
        read(tmp_path / "cut.npz")


def test_a_word_index_must_be_whole_and_reach_the_highest_rank(tmp_path):
    path = tmp_path / "imdb_word_index.json"
    path.write_text(json.dumps({"film": 2, "the": 1}), encoding="utf-8")
    assert read_word_index(path, highest=2) == ("the", "film")
    with pytest.raises(DataError, match=r"reach rank 3. Received: 2 words"):
        read_word_index(path, highest=3)
    path.write_text(json.dumps({"film": 3, "the": 1}), encoding="utf-8")
    with pytest.raises(DataError, match="must number its words"):
        read_word_index(path, highest=1)
    path.write_text("[]x", encoding="utf-8")
    with pytest.raises(DataError, match="is not a word index"):
        read_word_index(path, highest=1)


def test_files_that_would_fill_the_memory_are_refused_at_once(tmp_path):
    # Binary PUT with an index of four billion: one byte of pickle, gigabytes of room.
    memo = b"\x80\x04]r\xff\xff\xff\xf0."
    header = npy_with_pickle([], rows=40)
    pickled = header[: header.index(b"\x80")] + memo
    bytes_8 = header[: header.index(b"\x80")] + b"\x80\x05\x96" + (5 << 30).to_bytes(8, "little")
    zeros = tmp_path / "zeros.npz"
    with zipfile.ZipFile(zeros, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x_train.npy", bytes(80 << 20))
        archive.writestr("y_train.npy", b"")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for path in (
        write_npz(tmp_path / "memo.npz", x_train=pickled),
        write_npz(tmp_path / "bytes.npz", x_train=bytes_8),
        zeros,
    ):
        with pytest.raises(DataError, match=r"Do not trust this file|another pickle"):
            read(path)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 300 << 10


def test_labels_of_another_size_than_their_header_says_are_refused(tmp_path):
    raw = npy_bytes(np.arange(40) % 2).replace(b"(40,)", b"(99,)")
    path = write_npz(tmp_path / "a.npz", y_train=raw)
    with pytest.raises(DataError, match="Received: 320 bytes"):
        read(path)
