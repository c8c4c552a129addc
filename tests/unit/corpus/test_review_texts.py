"""Texts of single reviews, read again from every kind of source, and their excerpts."""

import numpy as np
import pytest

from lstm_study.corpus.load import load
from lstm_study.corpus.review_texts import excerpts, source_texts, token_texts
from lstm_study.corpus.text.tokens import split_tokens
from lstm_study.corpus.types import Corpus, Split
from lstm_study.errors import DataError
from lstm_study.spec import DataTable
from tests.support.reviews import (
    archive_files,
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


def opened(corpus: Corpus) -> Split:
    return corpus.open_test(on_open=lambda: None)


def check_each_text_is_the_review_at_its_position(data: DataTable) -> None:
    corpus = load(data, seed=5)
    test = opened(corpus)
    positions = [0, 3, len(test) - 1]
    texts = source_texts(test, positions, data=data)
    assert list(texts) == positions
    for position, text in texts.items():
        known = [word for word in split_tokens(text) if word in corpus.vocabulary.ids]
        assert corpus.vocabulary.decode(test[position]).split() == known
        assert text[0].isupper(), "the source's own text, not the words of its tokens"


def test_the_texts_of_a_csv_are_its_own_rows(tmp_path):
    write_csv(tmp_path / "reviews.csv", made_up_reviews(98))
    check_each_text_is_the_review_at_its_position(DataTable(source="csv", path="reviews.csv"))


def test_the_texts_of_a_test_file_of_its_own_are_that_files_rows(tmp_path):
    write_csv(tmp_path / "reviews.csv", made_up_reviews(80))
    write_csv(tmp_path / "later.csv", made_up_reviews(20, seed=9))
    data = DataTable(source="csv", path="reviews.csv", test_path="later.csv")
    check_each_text_is_the_review_at_its_position(data)


@pytest.mark.parametrize("unpacked", [False, True])
def test_the_texts_of_the_archive_and_of_its_folder_are_its_files(tmp_path, unpacked):
    files = archive_files()
    write_archive(tmp_path / "aclImdb.tar.gz", files)
    for name, content in files.items() if unpacked else ():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    data = DataTable(source="aclimdb", path="aclImdb" if unpacked else "aclImdb.tar.gz")
    check_each_text_is_the_review_at_its_position(data)


def test_a_review_that_is_gone_from_its_archive_is_named(tmp_path):
    files = archive_files()
    write_archive(tmp_path / "aclImdb.tar.gz", files)
    data = DataTable(source="aclimdb", path="aclImdb.tar.gz")
    test = opened(load(data, seed=5))
    kept = {name: content for name, content in files.items() if "/test/neg/" not in name}
    write_archive(tmp_path / "aclImdb.tar.gz", kept)
    with pytest.raises(DataError, match=r"test/neg/0 is missing"):
        source_texts(test, [0], data=data)


def test_imdb_has_no_texts_of_its_own(tmp_path):
    write_npz(tmp_path / "imdb.npz")
    data = DataTable(source="imdb", path="imdb.npz")
    assert source_texts(opened(load(data, seed=5)), [0], data=data) == {}


def test_token_texts_are_the_words_of_a_reviews_two_ends(tmp_path):
    write_csv(tmp_path / "reviews.csv", made_up_reviews(98))
    corpus = load(DataTable(source="csv", path="reviews.csv"), seed=5)
    test = opened(corpus)
    (text,) = token_texts(test, [2], vocabulary=corpus.vocabulary).values()
    assert text == corpus.vocabulary.decode(test[2])
    long = Split(
        name="test", token_ids=np.tile(test[2], 50), offsets=np.array([0, 50 * len(test[2])]),
        labels=test.labels[:1], document_ids=test.document_ids[:1],
    )  # fmt: skip
    (words,) = token_texts(long, [0], vocabulary=corpus.vocabulary).values()
    assert len(words.split()) <= 120


def test_an_excerpt_is_a_reviews_front_and_end_at_whole_words():
    text = "front " + "x" * 300 + " word " * 60 + "the end."
    (short,) = excerpts({7: text}).values()
    assert short.startswith("front … word")
    assert short.endswith("the end.")
    assert len(short) <= 283


def test_an_excerpt_holds_no_breaks_and_nothing_that_cannot_be_printed():
    text = "Good.<br />\n<BR>Fine\x00\u202e\u061c\ud800\u200bend <script>"
    assert excerpts({1: text}) == {1: "Good. Fine end <script>"}


def test_an_excerpt_keeps_emoji_and_joiners_whatever_this_python_calls_printable():
    # The first is of Unicode 17, newer than any Python that is allowed.
    text = "\U0001faea 👩\u200d👧 می\u200cخواهم won\xadder \ue000"
    assert excerpts({1: text}) == {1: text}
