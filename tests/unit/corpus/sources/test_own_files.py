import json

import numpy as np
import pandas as pd
import pytest

from lstm_study.corpus.documents import TEST, TRAIN, VALIDATION
from lstm_study.corpus.sources.own_files import read_documents
from lstm_study.corpus.sources.source import Located
from lstm_study.errors import DataError
from lstm_study.spec import DataTable
from tests.support.reviews import write_csv


def table(**settings) -> DataTable:
    return DataTable(source="csv", path="reviews.csv", **settings)


def read(path, *, test_path=None, **settings):
    located = Located(
        paths=(path,),
        shown="",
        sha256="",
        content_sha256="",
        extra=() if test_path is None else (test_path,),
    )
    tests = {} if test_path is None else {"test_path": str(test_path)}
    return read_documents(located, data=table(**tests, **settings))


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


def test_columns_and_encoding_are_for_the_files_that_need_them(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text("caf\u00e9,1\nbad,0\n", encoding="cp1252")
    settings = {"columns": ["text", "label"], "encoding": "cp1252"}
    frame = pd.DataFrame({"label": [1, 0], "text": ["good", "dull"]})
    frame.to_parquet(tmp_path / "test.parquet")
    frame[["text", "label"]].to_csv(tmp_path / "test.csv", index=False)
    for other in (tmp_path / "test.parquet", tmp_path / "test.csv"):
        documents = read(path, test_path=other, **settings)
        assert documents.roles.tolist() == [TRAIN, TRAIN, TEST, TEST]
        assert documents.labels.tolist() == [1, 0, 1, 0]
        assert documents.words == ("caf\u00e9", "bad", "good", "dull")
    with pytest.raises(DataError, match="Parquet has no encoding"):
        read(tmp_path / "test.parquet", test_path=tmp_path / "test.parquet", encoding="cp1252")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [("good", "1"), ("fine", "1")],
            r"r.csv: label must hold two labels. Received: '1' \(2 rows, the first: ",
        ),
        (
            [("a", "1"), ("b", "0"), ("c", "x")],
            r"must hold two labels. Received 3: .*'x' \(1 row, the first: .*r.csv:4 \(row 3\)\)",
        ),
        ([("a", "1"), ("", "0")], r"r.csv:3 \(row 2\): the text must hold words. Received: ''"),
        (
            [("a", "1"), (" ?! ", "0"), ("", "1"), (" ", "1")],
            r"r.csv:3 \(row 2\): the text must hold words. .* There are 3 such rows",
        ),
        (
            [("a", "1"), ("b", " "), ("c", "0")],
            r"r.csv:3 \(row 2\): the label must not be empty .*\. There is 1 such row",
        ),
        ([], "must hold reviews. Received: no rows"),
    ],
)
def test_rows_that_cannot_be_used_are_named_in_one_line(tmp_path, rows, message):
    with pytest.raises(DataError, match=message) as caught:
        read(write_csv(tmp_path / "r.csv", rows))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["parquet", "json", "csv"])
def test_the_text_without_words_is_the_one_that_is_shown(tmp_path, suffix):
    frame = pd.DataFrame({"text": ["good", "bad", "?!", "..."], "label": [1, 0, 1, 0]})
    for name, rows in (("a", frame[:2]), ("b", frame)):
        if suffix == "json":
            rows.to_json(tmp_path / f"{name}.json", orient="records")
        elif suffix == "csv":
            rows.to_csv(tmp_path / f"{name}.csv", index=False)
        else:
            rows.to_parquet(tmp_path / f"{name}.parquet")
    for path in (tmp_path / f"b.{suffix}", tmp_path):
        with pytest.raises(DataError, match=r"\(row 3\): the text must .* '\?!'\. There are 2"):
            read(path)


@pytest.mark.parametrize("empty", ["r.csv", "test.csv"])
def test_a_file_with_a_header_alone_beside_another_is_named(tmp_path, empty):
    rows = [("good", "1"), ("bad", "0")]
    path, test_path = (
        write_csv(tmp_path / name, [] if name == empty else rows) for name in ("r.csv", "test.csv")
    )
    with pytest.raises(DataError, match=f"{empty}: must hold reviews. Received: no rows"):
        read(path, test_path=test_path)


def test_another_label_in_the_test_file_is_refused(tmp_path):
    path = write_csv(tmp_path / "r.csv", [("good", "1"), ("bad", "0")])
    other = write_csv(tmp_path / "test.csv", [("good", "1"), ("bad", "maybe")])
    with pytest.raises(
        DataError, match=r"Received 3: '1' .* 'maybe' \(1 row, the first: .*test.csv:3"
    ):
        read(path, test_path=other)


def test_a_split_that_is_not_one_is_refused_with_the_nearest(tmp_path):
    rows = [("good", "1", "train"), ("bad", "0", "tset")]
    path = write_csv(tmp_path / "r.csv", rows, header=("text", "label", "split"))
    with pytest.raises(DataError, match=r"r.csv:3 \(row 2\): split must be .* Did you mean 'test'"):
        read(path, split_column="split")


def test_a_test_half_given_twice_is_refused(tmp_path):
    rows = [("good", "1", "train"), ("bad", "0", "test")]
    path = write_csv(tmp_path / "r.csv", rows, header=("text", "label", "split"))
    other = write_csv(tmp_path / "test.csv", [("good", "1")])
    with pytest.raises(DataError, match=r"in one way. Received: rows of the split test, and"):
        read(path, test_path=other, split_column="split")


def test_a_test_file_is_added_to_a_study_by_one_key_whatever_the_fraction(tmp_path):
    path = write_csv(tmp_path / "r.csv", [("good", "1"), ("bad", "0")])
    other = write_csv(tmp_path / "test.csv", [("fine", "1")])
    documents = read(path, test_path=other, test_fraction=0.3)
    assert documents.roles.tolist() == [TRAIN, TRAIN, TEST]


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
    ],
)
def test_values_of_other_types_are_refused(tmp_path, record, message):
    records = [{"text": "good", "label": 1}, {"text": "bad", "label": 0}, record]
    path = tmp_path / "r.jsonl"
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read(path)


def test_half_a_character_is_a_replacement_sign_and_is_counted(tmp_path, caplog):
    path = tmp_path / "r.jsonl"
    path.write_text(
        '{"text": "good \\ud83d", "label": 1}\n{"text": "bad \\ud83d\\ude00", "label": 0}'
    )
    documents = read(path)
    assert [documents.words[number] for number in documents.numbers] == [
        "good", "\ufffd", "bad", "\U0001f600",
    ]  # fmt: skip
    assert "1 text holds half a character" in caplog.text


def test_rows_without_a_word_or_a_label_are_left_out_where_that_is_asked(tmp_path):
    rows = [("good", "1"), ("!", "0"), ("bad", "0"), ("", "1"), ("fine", " "), ("dull", "0")]
    path = write_csv(tmp_path / "r.csv", rows)
    documents = read(path, drop_empty=True)
    assert documents.document_ids.tolist() == [1, 3, 6]
    assert documents.left_out == (("without a word", 2), ("without a label", 1))
    assert np.diff(documents.offsets).tolist() == [1, 1, 1]
    with pytest.raises(DataError, match=r"r.csv:3 .*2 without a word and 1 without a label") as no:
        read(path)
    assert "data.drop_empty = true" in str(no.value)


def test_keys_that_records_lack_are_counted_and_the_first_is_named(tmp_path):
    records = [{"text": "good", "label": n % 2} for n in range(20)]
    for place in (7, 11):
        del records[place]["text"]
    path = tmp_path / "r.jsonl"
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    with pytest.raises(DataError, match=r"r.jsonl:8 \(row 8\): 2 of 20 rows lack 'text'"):
        read(path)
    assert len(read(path, drop_empty=True).labels) == 18
    with pytest.raises(DataError, match=r"must have a column 'txt'. .* Did you mean 'text'"):
        read(path, text_column="txt")


def test_texts_without_spaces_are_refused_with_two_ways_out_that_work(tmp_path):
    rows = [("这部电影非常好看演员也出色剧情感人" * 2, n % 2) for n in range(40)]
    path = write_csv(tmp_path / "r.csv", rows)
    with pytest.raises(DataError, match=r"34 characters to a word") as caught:
        read(path)
    assert 'data.tokens = "characters"' in str(caught.value)
    assert read(path, tokens="characters").words[:3] == ("这", "部", "电")
    assert len(read(path, tokens="words").words) == 1


def test_spaces_and_control_characters_of_every_kind_separate_words(tmp_path):
    rows = [("one\r\ntwo\u00a0three\u2009four\x0bfive\u200bsix\x00seven\u3000eight", 1), ("a", 0)]
    documents = read(write_csv(tmp_path / "r.csv", rows))
    assert documents.words[:8] == (
        "one", "two", "three", "four", "five", "six", "seven", "eight",
    )  # fmt: skip


def test_groups_are_numbered_by_a_column_and_none_is_a_group_of_its_own(tmp_path):
    rows = [("good", 1, "B1"), ("bad", 0, "b1 "), ("fine", 1, ""), ("dull", 0, "B2")]
    path = write_csv(tmp_path / "r.csv", rows, header=("text", "label", "product"))
    assert read(path, group_column="product").groups.tolist() == [0, 0, -1, 1]


def test_folders_say_labels_and_splits(tmp_path):
    for half in ("train", "test"):
        for label in ("pos", "neg"):
            (tmp_path / half / label).mkdir(parents=True)
            (tmp_path / half / label / "1.txt").write_text(f"{half} {label}")
    documents = read(tmp_path)
    assert documents.label_names == ("neg", "pos")
    assert documents.roles.tolist() == [TEST, TEST, TRAIN, TRAIN]
    assert documents.labels.tolist() == [0, 1, 0, 1]


def test_labels_left_out_are_counted(tmp_path):
    path = write_csv(tmp_path / "r.csv", [(f"word{n}", n % 5 + 1) for n in range(50)])
    documents = read(path, positive=["4", "5"], negative=["1", "2"])
    assert documents.left_out == (("with another label", 10),)
    assert sorted(documents.labels.tolist()) == [0] * 20 + [1] * 20


def test_dev_and_eval_beside_each_other_leave_open_which_is_the_test_half(tmp_path):
    rows = [("a", "pos", "train"), ("b", "neg", "dev"), ("c", "pos", "Eval")]
    header = ("text", "label", "split")
    path = write_csv(tmp_path / "r.csv", rows, header=header)
    with pytest.raises(DataError, match=r"split must say .* Received: 'dev' and 'eval' .* 'test'"):
        read(path, split_column="split")
    other = write_csv(tmp_path / "test.csv", [("d", "neg")])
    assert read(path, test_path=other, split_column="split").roles.tolist()[2] == VALIDATION
    path = write_csv(tmp_path / "r.csv", [*rows, ("d", "neg", "test")], header=header)
    found = read(path, split_column="split").roles.tolist()
    assert found == [TRAIN, VALIDATION, VALIDATION, TEST]


def test_a_column_that_says_whether_a_row_is_for_training_is_a_split(tmp_path):
    rows = [("good", "1", "True"), ("bad", "0", "False")]
    path = write_csv(tmp_path / "r.csv", rows, header=("text", "label", "is_train"))
    assert read(path, split_column="is_train").roles.tolist() == [TRAIN, TEST]
    path = write_csv(tmp_path / "r.csv", rows, header=("text", "label", "Is Test"))
    assert read(path, split_column="Is Test").roles.tolist() == [TEST, TRAIN]


def test_texts_with_both_labels_are_counted(tmp_path, caplog):
    rows = [("good", 1), ("fine film", 1), ("bad", 0), ("fine  film", 0), ("bad", 0), ("good", "")]
    read(write_csv(tmp_path / "r.csv", rows), drop_empty=True)
    assert "1 text has one label in some reviews and the other one in others, 2 rev" in caplog.text
    assert f"the first: {tmp_path / 'r.csv'}:3 (row 2). No model can" in caplog.text
    caplog.clear()
    read(write_csv(tmp_path / "r.csv", [*rows[:3], ("bad", 0), ("good", 1)]))
    assert caplog.text == ""
