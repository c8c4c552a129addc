import json

import pytest

from lstm_study.corpus.documents import TEST, TRAIN, VALIDATION
from lstm_study.corpus.sources.located import Located
from lstm_study.corpus.sources.own_files import read_documents
from lstm_study.errors import DataError
from lstm_study.spec import DataTable
from tests.support.reviews import write_csv


def table(**settings) -> DataTable:
    return DataTable(source="csv", path="reviews.csv", **settings)


def read(path, *, test_path=None, **settings):
    located = Located(path=path, shown="", sha256="", content_sha256="", extra=test_path)
    return read_documents(located, data=table(**settings))


def test_named_columns_any_two_labels_and_a_split_column_are_read(tmp_path):
    rows = [("Lovely film", "yay", "Train"), ("Dull", "nay", "dev"), ("Fine film", "yay", "TEST")]
    path = write_csv(tmp_path / "r.csv", rows, header=("review", "verdict", "part"))
    documents = read(
        path,
        text_column="review",
        label_column="verdict",
        split_column="part",
        positive_label="nay",
    )
    assert documents.label_names == ("yay", "nay")
    assert documents.labels.tolist() == [0, 1, 0]
    assert documents.roles.tolist() == [TRAIN, VALIDATION, TEST]
    assert documents.document_ids.tolist() == [1, 2, 3]
    assert documents.words == ("lovely", "film", "dull", "fine")


def test_a_second_file_is_the_test_half_and_its_labels_may_be_written_otherwise(tmp_path):
    path = write_csv(tmp_path / "r.csv", [("good", "1"), ("bad", "0")])
    other = tmp_path / "test.jsonl"
    records = [{"text": "good", "label": 1}, {"text": "bad", "label": 0.0}]
    other.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    documents = read(path, test_path=other)
    assert documents.roles.tolist() == [TRAIN, TRAIN, TEST, TEST]
    assert documents.labels.tolist() == [1, 0, 1, 0]
    assert documents.document_ids.tolist() == [1, 2, 1, 2]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [("good", "1"), ("fine", "1")],
            r"r.csv: must hold two labels. Received: '1' in all 2 rows",
        ),
        ([("a", "1"), ("b", "0"), ("c", "x")], r"r.csv:4 \(row 3\): .* '1' or '0'. Received: 'x'"),
        ([("a", "1"), ("", "0")], r"r.csv:3 \(row 2\): the text must hold words. Received: ''"),
        (
            [("a", "1"), (" ?! ", "0"), ("", "1"), (" ", "1")],
            r"r.csv:3 \(row 2\): the text must hold words. .*, and 2 more rows like it",
        ),
        ([("a", "1"), ("b", " ")], r"r.csv:3 \(row 2\): the label must not be empty"),
        ([], "must hold reviews. Received: a header and no rows"),
    ],
)
def test_rows_that_cannot_be_used_are_named_in_one_line(tmp_path, rows, message):
    with pytest.raises(DataError, match=message) as caught:
        read(write_csv(tmp_path / "r.csv", rows))
    assert "\n" not in str(caught.value)


def test_an_error_in_the_test_file_names_the_test_file(tmp_path):
    path = write_csv(tmp_path / "r.csv", [("good", "1"), ("bad", "0")])
    other = write_csv(tmp_path / "test.csv", [("good", "1"), ("bad", "maybe")])
    with pytest.raises(DataError, match=r"test.csv:3 \(row 2\): .* Received: 'maybe'"):
        read(path, test_path=other)


def test_a_split_that_is_not_one_is_refused_with_the_nearest(tmp_path):
    rows = [("good", "1", "train"), ("bad", "0", "tset")]
    path = write_csv(tmp_path / "r.csv", rows, header=("text", "label", "split"))
    with pytest.raises(DataError, match=r"r.csv:3 \(row 2\): split must be .* Did you mean 'test'"):
        read(path, split_column="split")


def test_a_test_half_given_twice_is_refused(tmp_path):
    rows = [("good", "1", "train"), ("bad", "0", "test")]
    path = write_csv(tmp_path / "r.csv", rows, header=("text", "label", "split"))
    with pytest.raises(DataError, match=r"in one way. Received: rows that split calls test and"):
        read(path, split_column="split", test_fraction=0.5)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (
            {"text": 5, "label": 1},
            r"r.jsonl:3 \(row 3\): the text must be text. Received: 5 \(int\)",
        ),
        ({"text": None, "label": 1}, r"r.jsonl:3 \(row 3\): the text must hold words"),
        ({"text": "a", "label": None}, r"r.jsonl:3 \(row 3\): the label must not be empty"),
        ({"text": "a", "label": float("nan")}, r"r.jsonl:3 \(row 3\): the label must not be empty"),
        ({"text": "\ud800", "label": 1}, r"r.jsonl:3 \(row 3\): the text holds half a character"),
    ],
)
def test_values_of_other_types_are_refused(tmp_path, record, message):
    records = [{"text": "good", "label": 1}, {"text": "bad", "label": 0}, record]
    path = tmp_path / "r.jsonl"
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read(path)
