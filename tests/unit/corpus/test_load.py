import hashlib
import json
import logging
import tarfile

import numpy as np
import pytest

from lstm_study.corpus.describe import describe
from lstm_study.corpus.load import load
from lstm_study.corpus.sources import imdb_npz, own_files
from lstm_study.corpus.sources.imdb_npz import read_half
from lstm_study.errors import DataError, DigestError
from lstm_study.spec import DataTable
from lstm_study.spec.sources import SOURCES
from tests.support.reviews import (
    archive_files,
    cut_gzip,
    made_up_reviews,
    write_archive,
    write_csv,
    write_npz,
)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LSTM_STUDY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


@pytest.fixture
def own(tmp_path):
    """A study's own CSV of 100 reviews, two of them equal."""
    rows = made_up_reviews(98)
    write_csv(tmp_path / "reviews.csv", [*rows, rows[3], rows[4]])
    return DataTable(source="csv", path="reviews.csv")


def test_a_csv_becomes_a_corpus_with_everything_filled_in(own, tmp_path):
    corpus = load(own, seed=5)
    assert (len(corpus.train), len(corpus.validation), len(corpus.training)) == (64, 16, 80)
    assert (corpus.train.name, corpus.validation.name) == ("train", "validation")
    assert corpus.summary.labels == ("0", "1")
    assert corpus.summary.path == "reviews.csv"
    assert (
        corpus.summary.source_sha256
        == hashlib.sha256((tmp_path / "reviews.csv").read_bytes()).hexdigest()
    )
    assert len(corpus.summary.digest) == 64
    assert [split.reviews for split in corpus.summary.splits] == [64, 16, 20]
    assert sum(count for _, count in corpus.summary.length_counts) == 80
    review = int(corpus.train.document_ids[0]) - 1
    text = made_up_reviews(98)[review][0]
    assert corpus.train[0].tolist() == corpus.vocabulary.encode(text).tolist()
    assert corpus.vocabulary.decode(corpus.train[0]) == text.lower().rstrip(".")


def test_the_test_half_opens_only_after_the_opening_was_told(own, tmp_path):
    corpus = load(own, seed=5)
    told = []
    test = corpus.open_test(on_open=lambda: told.append("opened"))
    assert told == ["opened"]
    assert len(test) == 20
    assert not set(test.document_ids.tolist()) & set(corpus.training.document_ids.tolist())

    def refuse():
        raise RuntimeError("the log is full")

    with pytest.raises(RuntimeError, match="the log is full"):
        corpus.open_test(on_open=refuse)


def test_the_second_start_reads_the_cache_and_gives_the_same(own, tmp_path, monkeypatch):
    first = load(own, seed=5)
    monkeypatch.delattr(own_files, "read_documents")
    second = load(own, seed=5)
    assert second.summary.digest == first.summary.digest
    assert second.train.token_ids.tolist() == first.train.token_ids.tolist()
    assert second.summary == first.summary
    assert isinstance(second.training.token_ids.base, np.memmap)
    assert np.shares_memory(second.validation.token_ids, second.training.token_ids)


def test_another_seed_setting_or_content_is_another_corpus(own, tmp_path):
    digests = {
        load(own, seed=5).summary.digest,
        load(own, seed=6).summary.digest,
    }
    changed = own.model_copy(update={"validation_fraction": 0.3})
    digests.add(load(changed, seed=5).summary.digest)
    write_csv(tmp_path / "reviews.csv", made_up_reviews(100))
    digests.add(load(own, seed=5).summary.digest)
    assert len(digests) == 4


def test_a_torn_cache_entry_is_made_again(own, tmp_path, caplog):
    first = load(own, seed=5)
    (victim,) = (tmp_path / "cache").rglob("training-labels.npy")
    victim.write_bytes(victim.read_bytes()[:-3])
    with caplog.at_level(logging.WARNING):
        assert load(own, seed=5).summary.digest == first.summary.digest
    assert "reading the reviews again" in caplog.text
    assert load(own, seed=5).train.labels.tolist() == first.train.labels.tolist()


def test_an_unwritable_cache_is_one_line(own, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(DataError, match="Set LSTM_STUDY_CACHE to") as caught:
        load(own, seed=5, cache=tmp_path / "file")
    assert "\n" not in str(caught.value)


def test_a_digest_that_is_given_is_checked_and_both_are_named(own, tmp_path):
    sha256 = hashlib.sha256((tmp_path / "reviews.csv").read_bytes()).hexdigest()
    load(own.model_copy(update={"sha256": sha256}), seed=5)
    with pytest.raises(DigestError, match=f"must be {'0' * 64}. Received: {sha256}"):
        load(own.model_copy(update={"sha256": "0" * 64}), seed=5)


@pytest.mark.parametrize("source", SOURCES)
def test_a_missing_file_is_one_line_that_names_it(tmp_path, source):
    with pytest.raises(DataError, match=r"missing.csv: no such file"):
        load(DataTable(source=source, path="missing.csv"), seed=5)


def test_archive_and_folder_are_one_corpus(tmp_path):
    write_archive(tmp_path / "acl.tar.gz", archive_files())
    with tarfile.open(tmp_path / "acl.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    archived = load(DataTable(source="aclimdb", path="acl.tar.gz"), seed=5)
    folder = load(DataTable(source="aclimdb", path="aclImdb"), seed=5)
    assert archived.summary.digest == folder.summary.digest
    assert (len(archived.summary.source_sha256), folder.summary.source_sha256) == (64, "")
    assert archived.train.ratings.tolist() == [8 if one else 3 for one in archived.train.labels]
    assert len(archived.open_test(on_open=lambda: None)) == 40
    with pytest.raises(DataError, match=r"data.sha256 is a file's"):
        load(DataTable(source="aclimdb", path="aclImdb", sha256="0" * 64), seed=5)


def test_a_truncated_archive_leaves_nothing_in_the_cache(tmp_path):
    cut_gzip(write_archive(tmp_path / "acl.tar.gz", archive_files()), share=0.6)
    with pytest.raises(DataError, match="is truncated or damaged"):
        load(DataTable(source="aclimdb", path="acl.tar.gz"), seed=5)
    assert not list((tmp_path / "cache").rglob("*"))


def test_an_npz_keeps_its_own_ranks_and_finds_the_words_beside_it(tmp_path):
    path = write_npz(tmp_path / "imdb.npz")
    corpus = load(DataTable(source="imdb", path="imdb.npz"), seed=5)
    assert corpus.vocabulary is None
    ranks, offsets, _ = read_half(path, "train")
    for place, row in enumerate(corpus.training.document_ids):
        own = ranks[offsets[row] : offsets[row + 1]]
        assert corpus.training[place].tolist() == [1, *(own + 3)], "as Keras's load_data"
    assert len(corpus.open_test(on_open=lambda: None)) == 40
    index = {f"word{rank}": rank for rank in range(1, 61)}
    (tmp_path / "imdb_word_index.json").write_text(json.dumps(index), encoding="utf-8")
    named = load(DataTable(source="imdb", path="."), seed=5)
    assert named.vocabulary.word(4) == "word1"
    assert named.summary.digest == corpus.summary.digest


def test_an_npz_in_kerass_cache_is_found_and_its_digest_checked(tmp_path, monkeypatch):
    folder = tmp_path / "keras" / "datasets"
    folder.mkdir(parents=True)
    path = write_npz(folder / "imdb.npz")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(DigestError, match=sha256):
        load(DataTable(source="imdb"), seed=5)
    corpus = load(DataTable(source="imdb", sha256=sha256), seed=5)
    assert corpus.summary.path == str(path)


def test_without_a_file_the_published_one_is_downloaded_with_its_words(tmp_path, monkeypatch):
    asked = []

    def download(url, *, folder, digest):
        asked.append((url, digest))
        if url == imdb_npz.IMDB_URL:
            return write_npz(folder / "imdb.npz")
        raise DataError("no network")

    monkeypatch.setattr(imdb_npz, "download", download)
    with pytest.raises(DigestError, match=imdb_npz.IMDB_SHA256):
        load(DataTable(source="imdb"), seed=5)
    assert asked == [(imdb_npz.IMDB_URL, imdb_npz.IMDB_SHA256)]
    (found,) = (tmp_path / "cache" / "downloads").iterdir()
    monkeypatch.setattr(imdb_npz, "IMDB_SHA256", hashlib.sha256(found.read_bytes()).hexdigest())
    corpus = load(DataTable(source="imdb"), seed=5)
    assert asked[-1][0] == imdb_npz.WORD_INDEX_URL
    assert corpus.vocabulary is None


def test_what_was_downloaded_and_is_damaged_is_downloaded_again(tmp_path, monkeypatch):
    asked = []

    def download(url, *, folder, digest):
        asked.append(url)
        if url == imdb_npz.IMDB_URL:
            return write_npz(folder / "imdb.npz")
        raise DataError("no network")

    (tmp_path / "cache" / "downloads").mkdir(parents=True)
    path = write_npz(tmp_path / "cache" / "downloads" / "imdb.npz")
    monkeypatch.setattr(imdb_npz, "IMDB_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setattr(imdb_npz, "download", download)
    path.write_bytes(b"damaged")
    (path.parent / "imdb_word_index.json").write_text("damaged")
    assert load(DataTable(source="imdb"), seed=5).vocabulary is None
    assert asked == [imdb_npz.IMDB_URL, imdb_npz.WORD_INDEX_URL]


def test_the_packaged_reviews_digest_is_checked(tmp_path):
    rows = [(text, label, "imdb") for text, label in made_up_reviews(20)]
    write_csv(tmp_path / "other.csv", rows, header=("text", "label", "source"))
    with pytest.raises(DigestError, match="d4acac55"):
        load(DataTable(source="reviews", path="other.csv"), seed=5)


def test_a_description_shows_training_reviews_of_both_labels(own, tmp_path):
    corpus = load(own, seed=5)
    description = describe(corpus, samples=5, words=4)
    assert [sample.label for sample in description.samples].count("1") == 2
    assert len(description.samples) == 5
    train = set(map(str, corpus.train.document_ids))
    assert {sample.document_id for sample in description.samples} <= train
    rows = made_up_reviews(98)
    rows += [rows[3], rows[4]]
    for sample in description.samples:
        text, label = rows[int(sample.document_id) - 1]
        assert sample.text == " ".join(text.lower().rstrip(".").split()[:4])
        assert sample.label == str(label)
        assert sample.tokens == len(text.split()) + 1
        assert sample.is_cut
    assert [2 * split.positive == split.reviews for split in description.summary.splits] == [
        True
    ] * 3
    assert description.frequent_words == corpus.vocabulary.words[:20]
    assert description.summary == corpus.summary
