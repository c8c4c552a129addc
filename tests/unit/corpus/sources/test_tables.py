import csv
import json
from importlib.util import find_spec

import pytest

from lstm_study.corpus.sources.tables import open_rows, read_table
from lstm_study.errors import DataError, DependencyError

COLUMNS = ("text", "label")


def _columns(path, **options):
    return read_table(path, columns=COLUMNS, **options).columns


@pytest.mark.parametrize(
    "content",
    [
        "text,label\nGood café,1\n",
        "label;text\n1;Good café\n",
        "text\tlabel\nGood café\t1\n",
        'id,text,label\r\n7,"Good café",1\r\n',
        " text , label \n\nGood café,1\n\n",
    ],
)
def test_csv_is_read_with_any_usual_delimiter_and_order_of_columns(tmp_path, content):
    path = tmp_path / "reviews.csv"
    path.write_text(content, encoding="utf-8", newline="")
    assert _columns(path) == {"text": ["Good café"], "label": ["1"]}


def test_tsv_and_jsonl_are_read_too(tmp_path):
    tsv, jsonl = tmp_path / "r.tsv", tmp_path / "r.jsonl"
    tsv.write_text("text\tlabel\nGood, really\t1\n", encoding="utf-8")
    record = {"label": True, "text": "Good\u2028really", "more": [1]}
    jsonl.write_text(json.dumps(record, ensure_ascii=False) + "\n\n", encoding="utf-8")
    assert _columns(tsv) == {"text": ["Good, really"], "label": ["1"]}
    assert _columns(jsonl) == {"text": ["Good\u2028really"], "label": [True]}


def test_rows_are_placed_by_line_and_number_even_after_line_breaks_in_quotes(tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_text('text,label\n"one\ntwo",1\n\nthree,0\n', encoding="utf-8")
    table = read_table(path, columns=COLUMNS)
    assert table.place(0) == f"{path}:2 (row 1)"
    assert table.place(1) == f"{path}:5 (row 2)"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1", "cp1252"]
)
def test_the_usual_encodings_are_recognised(tmp_path, encoding, caplog):
    text = "Café – “good”" if encoding == "cp1252" else "Café ñ good"
    path = tmp_path / "reviews.csv"
    path.write_bytes(f"text,label\n{text},1\n".encode(encoding))
    assert _columns(path)["text"] == [text]
    told = [record.message for record in caplog.records]
    assert any(f"read as {encoding}" in line for line in told) == (
        encoding in ("latin-1", "cp1252")
    )


def test_an_encoding_that_is_given_is_the_one_used(tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_bytes("text,label\nпривет,1\n".encode("cp1251"))
    assert _columns(path, encoding="cp1251")["text"] == ["привет"]


@pytest.mark.parametrize(
    ("raw", "encoding", "message"),
    [
        (b"text,label\ngood,1\ncaf\xe9,1\n", "utf-8", r"r.csv:3: is not utf-8 \(byte 0xe9\)"),
        (b"text,label\n", "klingon", "encoding that Python knows. Received: 'klingon'"),
        (b"\x7fELF\0\0\0", None, "holds zero bytes"),
        (b"\xff\xfea", "utf-16", "is not utf-16"),
    ],
)
def test_bytes_that_do_not_fit_the_encoding_are_found_by_line(tmp_path, raw, encoding, message):
    path = tmp_path / "r.csv"
    path.write_bytes(raw)
    with pytest.raises(DataError, match=message):
        read_table(path, columns=COLUMNS, encoding=encoding)


def test_a_byte_order_mark_is_no_part_of_the_first_column_even_where_utf_8_is_given(tmp_path):
    path, lines = tmp_path / "reviews.csv", tmp_path / "reviews.jsonl"
    path.write_bytes("text,label\ngood,1\n".encode("utf-8-sig"))
    lines.write_bytes('{"text": "good", "label": "1"}\n'.encode("utf-8-sig"))
    for each in (path, lines):
        assert _columns(each, encoding="utf-8") == {"text": ["good"], "label": ["1"]}


def test_bytes_that_are_no_text_deep_in_the_file_are_found_too(tmp_path):
    path = tmp_path / "r.csv"
    path.write_bytes(b"text,label\n" + b"good word,1\n" * 200_000 + b"caf\xe9,1\n")
    with pytest.raises(DataError, match=r"r\.csv:200002: is not utf-8"):
        read_table(path, columns=COLUMNS, encoding="utf-8")
    assert _columns(path)["text"][-1] == "café"


@pytest.mark.parametrize("name", ["r.csv", "r.jsonl"])
def test_all_columns_are_read_where_none_are_named(tmp_path, name):
    path = tmp_path / name
    content = {
        "r.csv": "id;text;label\n7;good, really;1\n",
        "r.jsonl": '{"id": "7", "text": "good, really", "label": "1"}\n{"id": "8"}\n',
    }[name]
    path.write_text(content, encoding="utf-8")
    with open_rows(path, columns=None) as rows:
        assert rows.names == ["id", "text", "label"]
        found = [list(values) for _, values in rows.each]
    assert found[0] == ["7", "good, really", "1"]
    assert found[1:] == ([["8", None, None]] if name == "r.jsonl" else [])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "r.csv",
            "txt,label\nx,1\n",
            r"column 'text'. Received: 'txt', 'label'. Did you mean 'txt'",
        ),
        ("r.csv", "", "must have a column 'text'. Received: no columns"),
        ("r.csv", "text,label,text\nx,1,y\n", "one column 'text'. Received: 2 of them"),
        (
            "r.csv",
            "text,label\nx,1\ny,z,0\n",
            r"r.csv:3 \(row 2\): must have 2 fields.*Received: 3",
        ),
        ("r.csv", 'text,label\n"x,1\ny,0\n', r"r.csv:\d: is not well formed"),
        ("r.jsonl", '{"text": "x", "label": 1}\n{"text": ', "r.jsonl:2: must be one JSON object"),
        ("r.jsonl", "[1]\n", "r.jsonl:1: must be one JSON object. Received: list"),
        ("r.jsonl", '{"tex": "x", "label": 1}\n', "r.jsonl:1: must have a column 'text'.*'tex'"),
        ("r.xlsx", "x", r"must end in .csv, .* Received: '.xlsx'"),
    ],
)
def test_malformed_files_get_one_line_that_says_where(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        read_table(path, columns=COLUMNS)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_a_known_error(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_table(tmp_path / "reviews.csv", columns=COLUMNS)


def test_long_texts_are_read_and_the_csv_modules_limit_is_left_as_it_was(tmp_path):
    before = csv.field_size_limit()
    path = tmp_path / "reviews.csv"
    path.write_text(f"text,label\n{'word ' * 60_000},1\n", encoding="utf-8")
    assert len(_columns(path)["text"][0]) == 300_000
    assert csv.field_size_limit() == before


@pytest.mark.skipif(find_spec("pyarrow") is not None, reason="pyarrow is installed")
def test_parquet_without_pyarrow_says_what_to_install(tmp_path):
    path = tmp_path / "reviews.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(DependencyError, match="Run: pip install pyarrow"):
        read_table(path, columns=COLUMNS)


@pytest.mark.skipif(find_spec("pyarrow") is None, reason="pyarrow is not installed")
def test_parquet_is_read_and_its_errors_name_rows_and_columns(tmp_path):
    import pyarrow
    import pyarrow.parquet

    path = tmp_path / "reviews.parquet"
    table = pyarrow.table({"label": [1, 0], "text": ["good", None], "more": [1.5, 2.5]})
    pyarrow.parquet.write_table(table, path)
    read = read_table(path, columns=COLUMNS)
    assert read.columns == {"text": ["good", None], "label": [1, 0]}
    assert read.place(1) == f"{path} (row 2)"
    with pytest.raises(DataError, match=r"column 'txt'.*Did you mean 'text'"):
        read_table(path, columns=("txt",))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match="is damaged, or no Parquet file"):
        read_table(path, columns=COLUMNS)
