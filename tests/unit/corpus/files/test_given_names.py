"""CSV and TSV that do not begin with a line of column names: a user names the columns."""

import gzip
from pathlib import Path

import pytest

from lstm_study.corpus.files.advice import INIT_FLAGS, as_flags, split_names
from lstm_study.corpus.files.table import open_table
from lstm_study.errors import DataError

NAMES = ("label", "text")


def _written(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8", newline="")
    return path


def _rows(path: Path, names: tuple[str, ...] = NAMES) -> list[list[str]]:
    return [list(row.values) for row in open_table([path], names=names).rows(NAMES)]


@pytest.mark.parametrize(
    ("name", "content", "names"),
    [
        ("r.csv", "1,Good film\n0,Bad film\n", "label,text"),
        ("r.csv", '"Good film","1"\r\n"Bad film","0"\r\n', "text,label"),
        ("r.csv", "Good film;1\nBad film;0", "text,label"),
        ("r.tsv", '1\tGood film\n\n0\tBad film\n', "label,text"),
        ("r.csv", "sep=|\n1|Good film\n0|Bad film\n", "label,text"),
        ("r.csv", "1,4711,NO_QUERY,Good film\n0,4712,NO_QUERY,Bad film\n", "label,,,text"),
        ("r.csv", "7,1,Good film,,\n8,0,Bad film,,\n", "id,label,text"),
        ("r.csv", "\ufeff1,Good film\n0,Bad film\n", " label , text "),
    ],
)  # fmt: skip
def test_the_first_line_is_a_row(tmp_path, name, content, names):
    path = _written(tmp_path / name, content)
    assert _rows(path, split_names(names)) == [["1", "Good film"], ["0", "Bad film"]]


def test_lines_are_counted_from_the_first(tmp_path):
    path = _written(tmp_path / "r.csv", "1,a b\n0,c d\n1,e,f\n")
    assert [row.line for row in open_table([path], names=("label", "text", "")).rows(NAMES)][2] == 3
    with as_flags(INIT_FLAGS), pytest.raises(DataError) as caught:
        _rows(path)
    assert str(caught.value) == (
        f"{path}:3 (row 3): must have 2 fields, one for each name in --columns. Received: 3, in "
        "'1,e,f'. Name each column, and put texts that hold the delimiter in quotes."
    )


def test_a_column_without_a_name_is_left_out_without_a_word(tmp_path):
    lines = [f"{n % 2},{'x' * (n % 3 == 0)},some words" for n in range(60)]
    table = open_table(
        [_written(tmp_path / "r.csv", "\n".join(lines))], names=("label", "", "text")
    )
    assert table.names == NAMES
    assert len(list(table.rows())) == 60
    assert list(table.remarks) == []


def test_shards_and_compressed_files_have_the_same_names(tmp_path):
    for number in range(2):
        content = f"{number},some words\n".encode() * 3
        (tmp_path / f"part-{number}.csv.gz").write_bytes(gzip.compress(content))
    assert [label for label, _ in _rows(tmp_path)] == ["0"] * 3 + ["1"] * 3


def test_what_the_names_of_files_say_is_a_column_beside_those_that_are_named(tmp_path):
    _written(tmp_path / "pos.csv", "some words\nother words\n")
    _written(tmp_path / "neg.csv", "more words\n")
    table = open_table([tmp_path], names=("text",))
    assert [row.values for row in table.rows()] == [
        ["more words", "negative"], ["some words", "positive"], ["other words", "positive"]
    ]  # fmt: skip


def test_a_first_line_of_the_given_names_is_no_row(tmp_path):
    assert _rows(_written(tmp_path / "r.csv", "Label,Text\n1,a b\n")) == [["1", "a b"]]


def test_names_and_encodings_are_refused_where_no_file_can_use_them(tmp_path):
    own = _written(tmp_path / "r.jsonl", '{"label": 1, "text": "a b"}')
    other = _written(tmp_path / "other.jsonl", '{"label": 0, "text": "c d"}')
    for beside in ([], [other]):
        with pytest.raises(DataError, match=r"have names\. Remove data\.columns"):
            open_table([own], names=NAMES, beside=beside)


def test_names_that_only_other_files_need_are_for_those(tmp_path):
    own = _written(tmp_path / "r.jsonl", '{"label": 1, "text": "a b"}')
    unnamed = _written(tmp_path / "r.csv", "1,c d\n")
    table = open_table([own], names=NAMES, beside=[unnamed])
    assert [list(row.values) for row in table.rows(NAMES)] == [[1, "a b"]]


@pytest.mark.parametrize(
    ("row", "names"),
    [
        ("this film was as good as the {n}. one,{label}", "text,label"),
        ('"0","146{n}","Mon Apr 06","NO_QUERY","user{n}","is upset {n}"',
         "label,column2,column3,column4,column5,text"),
        ('"{label}","a title","this film was as good as the {n}. one"', "label,column2,text"),
        ("{n}\tnice {n}\t{label}", "column1,text,label"),
        ("this film was as good as the {n}. one", "text"),
    ],
)  # fmt: skip
def test_a_file_without_names_is_refused_with_names_for_it(tmp_path, row, names):
    rows = (row.format(n=n, label=n // 40) for n in range(60))
    table = open_table([_written(tmp_path / "r.csv", "\n".join(rows))])
    with as_flags(INIT_FLAGS), pytest.raises(DataError, match=f"--columns {names}; or"):
        table.check_header()
    with pytest.raises(DataError, match=r"with data\.columns = .*; or, if it has"):
        list(table.rows(("no such column",)))


def test_shards_without_names_are_refused_as_files_without_them(tmp_path):
    for number in range(2):
        lines = (f"this film {number} was as good as the {n}. one" for n in range(9))
        _written(tmp_path / f"{number}.csv", "\n".join(lines))
    with pytest.raises(DataError, match=r"line of column names\. Received: 'this film 0 was"):
        open_table([tmp_path])
