"""Files, folders, archives, shards and patterns as one table."""

import bz2
import gzip
import json
import lzma
import os
import zipfile
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from lstm_study.corpus.files import decompression, json_records
from lstm_study.corpus.files.columns_of_arrow import class_names
from lstm_study.corpus.files.rows import MISSING
from lstm_study.corpus.files.table import open_table
from lstm_study.errors import DataError
from tests.support.reviews import made_up_reviews, write_csv

ROWS = made_up_reviews(40)
EXPECTED = [[text, str(label)] for text, label in ROWS]


def read(*paths, columns=("text", "label"), **options):
    return [
        [str(value) for value in row.values] for row in open_table(paths, **options).rows(columns)
    ]


@pytest.fixture
def plain(tmp_path) -> bytes:
    return write_csv(tmp_path / "plain.csv", ROWS).read_bytes()


@pytest.mark.parametrize(
    ("suffix", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)]
)
def test_compressed_files_are_read(tmp_path, plain, suffix, pack):
    path = tmp_path / f"r.csv.{suffix}"
    path.write_bytes(pack(plain))
    assert read(path) == EXPECTED
    path.write_bytes(pack(plain)[:-20])
    with pytest.raises(DataError, match="is damaged, cut short"):
        read(path)


def test_zip_archives_are_read_whatever_macos_adds(tmp_path, plain):
    with zipfile.ZipFile(tmp_path / "r.zip", "w") as archive:
        archive.writestr("data/reviews.csv", plain)
        archive.writestr("__MACOSX/data/._reviews.csv", b"\0\5")
        archive.writestr("data/README.md", "read me")
    assert read(tmp_path / "r.zip") == EXPECTED


def test_shards_may_be_empty_and_spell_columns_differently(tmp_path):
    shards = ["", "text,label\na b,1\n", "", "Text,LABEL\nc d,0\n", "label,text\n1,e f\n"]
    for number, content in enumerate(shards):
        (tmp_path / f"part-{number}.csv").write_text(content)
    table = open_table([tmp_path])
    expected = [["a b", "1"], ["c d", "0"], ["e f", "1"]]
    assert [list(row.values) for row in table.rows(("text", "label"))] == expected
    assert [list(row.values) for row in table.rows()] == expected
    assert "2 files without a line, left out" in list(table.remarks)
    for path in tmp_path.iterdir():
        path.write_text("")
    with pytest.raises(DataError, match="must begin with a line of column names"):
        open_table([tmp_path])


def test_an_encrypted_archive_is_refused(tmp_path, plain):
    path = tmp_path / "r.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("r.csv", plain)
    raw = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        raw[raw.index(mark) + offset] |= 1
    path.write_bytes(raw)
    with pytest.raises(DataError, match="encrypted"):
        read(path)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_small_file_that_unpacks_to_very_much_is_refused(tmp_path, pack, monkeypatch):
    monkeypatch.setattr(decompression, "_FREE_BYTES", 1 << 20)
    suffix = {gzip.compress: "gz", bz2.compress: "bz2", lzma.compress: "xz"}[pack]
    path = tmp_path / f"r.csv.{suffix}"
    path.write_bytes(pack(b"text,label\n" + b"a,1\n" * (5 << 16)))
    with pytest.raises(DataError, match="unpacks to more than 1 MiB"):
        read(path)


def test_json_arrays_and_lines_are_read(tmp_path):
    records = [{"text": text, "label": label} for text, label in ROWS]
    array, lines = tmp_path / "r.json", tmp_path / "lines.json"
    array.write_text(json.dumps(records, indent=2), encoding="utf-8")
    lines.write_text("\n\n".join(map(json.dumps, records)), encoding="utf-8")
    assert read(array) == read(lines) == EXPECTED
    array.write_text(json.dumps(records)[:-5], encoding="utf-8")
    with pytest.raises(DataError, match=r"r.json:1: must be an array of objects"):
        read(array)


def test_an_array_is_placed_by_line_and_read_in_pieces(tmp_path):
    records = [{"text": "long " * 9_000, "label": n} for n in range(30)]
    path = tmp_path / "r.json"
    path.write_text("[\n" + ",\n".join(map(json.dumps, records)) + "\n]", encoding="utf-8")
    rows = list(open_table([path]).rows(("label",)))
    assert [(row.line, row.values[0]) for row in rows] == [(n + 2, n) for n in range(30)]


def test_an_array_on_one_line_is_read_in_linear_time(tmp_path, monkeypatch):
    texts = list[str]()

    class Counting(json.JSONDecoder):
        def raw_decode(self, s: str, idx: int = 0):
            if not texts or s is not texts[-1]:
                texts.append(s)
            return super().raw_decode(s, idx)

    records = [{"text": "words " * 40, "label": n} for n in range(2_000)]
    path = tmp_path / "r.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    table = open_table([path])
    monkeypatch.setattr(json, "JSONDecoder", Counting)
    assert [row.values[0] for row in table.rows(("label",))] == list(range(2_000))
    # The first 1,000 are read twice, for the names of their keys.
    assert path.stat().st_size < sum(map(len, texts)) < 2 * path.stat().st_size


def test_an_array_on_one_line_may_be_longer_than_a_line_of_other_files(tmp_path, monkeypatch):
    monkeypatch.setattr(json_records, "LINE_LIMIT", 1_000)
    monkeypatch.setattr(json_records, "_CHUNK", 100)
    records = [{"text": "words " * 10 * (n % 9), "label": n} for n in range(99)]
    (tmp_path / "r.json").write_text(json.dumps(records), encoding="utf-8")
    rows = open_table([tmp_path / "r.json"]).rows(("label",))
    assert [row.values[0] for row in rows] == list(range(99))


def test_indented_objects_that_follow_one_another_are_read(tmp_path):
    records = [json.dumps({"text": f"a {n}", "label": n}, indent=1) for n in range(3)]
    (tmp_path / "r.json").write_text("\n\n".join(records))
    rows = list(open_table([tmp_path / "r.json"]).rows(("label",)))
    assert [(row.line, row.values[0]) for row in rows] == [(1, 0), (6, 1), (11, 2)]


@pytest.mark.parametrize("start", ["{", "[{"])
def test_an_object_that_is_too_long_is_refused_with_the_limit(tmp_path, monkeypatch, start):
    monkeypatch.setattr(json_records, "LINE_LIMIT", 1_000)
    monkeypatch.setattr(json_records, "_CHUNK", 100)
    (tmp_path / "r.json").write_text(f'{start}\n"text": "{"words " * 900}"\n')
    with pytest.raises(
        DataError, match=r"r.json:1: .*longer than 1,000 char.* Write an object per"
    ):
        open_table([tmp_path / "r.json"])


def test_a_key_that_a_record_lacks_is_told_apart_from_an_empty_one(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_text('{"label": 1}\n{"text": null, "label": 2, "more": 3}\n', encoding="utf-8")
    table = open_table([path])
    assert table.names == ("label", "text", "more")
    assert [row.values[0] for row in table.rows(("text",))] == [MISSING, None]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "x", "label": 1}\n{"text": ', "r.jsonl:2: must be one JSON object"),
        ('{"text": \n{"text": "x"}\n', "r.jsonl:1: must be one JSON object"),
        ('{"text": "x\n{"text": "x"}\n', "r.jsonl:1: must be one JSON object .Unterminated string"),
        ('{"text": "x"}{"text": "x"}\n', "r.jsonl:1: must be one JSON object .Extra data"),
        ('{\n"text": "x"\n}\n{\n"text":\n}\n', "r.jsonl:4: must be one JSON object"),
        ('{\n"text": "x"\n},\n', r"r.jsonl:3: must be one JSON object\. Received: ',"),
        ("[1]\n", "r.jsonl:1: must be an array of objects. Received: '1]"),
        ("[" * 100_000, "must be an array of objects"),
        ('{"a":' * 100_000, "must be one JSON object"),
        ('{"text": ' + "9" * 100_000 + "}", "must be one JSON object"),
    ],
)
def test_malformed_json_is_one_line(tmp_path, content, message):
    path = tmp_path / "r.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_folders_of_texts_have_their_folders_as_labels_and_splits(tmp_path):
    for number, (text, label) in enumerate(ROWS):
        half = "test" if number < 10 else "train"
        path = tmp_path / half / ("pos" if label else "neg") / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tmp_path / "README.md").write_text("read me")
    (tmp_path / ".DS_Store").write_text("x")
    table = open_table([tmp_path])
    rows = list(table.rows())
    assert table.names == ("text", "label", "file")
    assert {(row.member.role, str(row.values[1])) for row in rows} == {
        ("train", "pos"), ("train", "neg"), ("test", "pos"), ("test", "neg"),
    }  # fmt: skip
    assert sorted(str(row.values[0]) for row in rows) == sorted(text for text, _ in ROWS)
    assert rows[0].place == str(tmp_path / "test" / "neg" / "0.txt")


def test_shards_patterns_and_several_files_are_one_table(tmp_path):
    for shard in range(4):
        write_csv(tmp_path / f"part-{shard}.csv", ROWS[shard * 10 : shard * 10 + 10])
    assert read(tmp_path) == EXPECTED
    assert read(tmp_path / "part-*.csv") == EXPECTED
    assert read(*(tmp_path / f"part-{shard}.csv" for shard in range(4))) == EXPECTED
    with pytest.raises(DataError, match="no file matches this pattern"):
        read(tmp_path / "shard-*.csv")


def test_parquet_shards_say_their_split_by_their_names(tmp_path):
    texts, labels = zip(*ROWS, strict=True)
    parts = {
        "train-00000-of-00002": slice(0, 15),
        "train-00001-of-00002": slice(15, 30),
        "test-00000-of-00001": slice(30, 40),
    }
    for name, part in parts.items():
        table = pyarrow.table({"text": texts[part], "label": labels[part]})
        pyarrow.parquet.write_table(table, tmp_path / f"{name}.parquet")
    rows = list(open_table([tmp_path]).rows(("text",)))
    assert [row.member.role for row in rows] == ["test"] * 10 + ["train"] * 30
    with pytest.raises(DataError, match=r"column 'txt'.*Did you mean 'text'"):
        read(tmp_path, columns=("txt",))
    with pytest.raises(DataError, match="Parquet has no encoding"):
        read(tmp_path, encoding="utf-8")
    (tmp_path / "train-00000-of-00002.parquet").write_bytes(b"PAR1" * 9)
    with pytest.raises(DataError, match="is damaged, or not a Parquet file"):
        read(tmp_path)


def write_arrow(path: Path, table: pyarrow.Table, *, is_stream: bool) -> None:
    opener = pyarrow.ipc.new_stream if is_stream else pyarrow.ipc.new_file
    with opener(path, table.schema) as writer:
        writer.write_table(table)


@pytest.mark.parametrize("is_stream", [True, False])
def test_arrow_is_read_as_a_stream_and_as_a_file_with_the_names_of_its_classes(tmp_path, is_stream):
    texts, labels = zip(*ROWS, strict=True)
    table = pyarrow.table(
        {"text": texts, "label": [int(each) for each in labels]},
        metadata={"huggingface": '{"info": {"features": {"label": {"names": ["neg", "pos"]}}}}'},
    )
    # As Hugging Face's `save_to_disk` lays it out.
    for split, rows in (("train", table.slice(0, 30)), ("test", table.slice(30))):
        (tmp_path / split).mkdir()
        path = tmp_path / split / "data-00000-of-00001.arrow"
        write_arrow(path, rows, is_stream=is_stream)
        (tmp_path / split / "state.json").write_text("{}")
    found = open_table([tmp_path])
    rows = list(found.rows(("text",)))
    assert sorted(row.values[0] for row in rows) == sorted(texts)
    assert [row.member.role for row in rows] == ["test"] * 10 + ["train"] * 30
    assert class_names(found.schema, "label") == ("neg", "pos")
    assert found.done_bytes > 0
    with pytest.raises(DataError, match=r"column 'txt'.*Did you mean 'text'"):
        read(tmp_path, columns=("txt",))
    with pytest.raises(DataError, match="Arrow has no encoding"):
        read(tmp_path, encoding="utf-8")


@pytest.mark.parametrize("rest", [b"", b"ARROW1\0\0", b"\xff\xff\xff\xff\x10"])
def test_damaged_and_packed_arrow_is_refused(tmp_path, rest):
    (tmp_path / "r.arrow").write_bytes(rest)
    with pytest.raises(DataError, match=r"r\.arrow: is damaged, or not an Arrow file"):
        read(tmp_path / "r.arrow")
    (tmp_path / "r.feather.gz").write_bytes(gzip.compress(rest + b"ARROW1"))
    with pytest.raises(DataError, match=r"feather\.gz: .*Unpack it first"):
        read(tmp_path / "r.feather.gz")


def test_feather_of_categories_is_read_in_small_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("lstm_study.corpus.files.arrow.BATCH_ROWS", 3)
    labels = pyarrow.array(["pos", "neg"] * 5).dictionary_encode()
    table = pyarrow.table({"text": [f"text {n}" for n in range(10)], "label": labels})
    write_arrow(tmp_path / "r.feather", table, is_stream=False)
    rows = [tuple(row.values) for row in open_table([tmp_path / "r.feather"]).rows()]
    assert rows == [(f"text {n}", ("pos", "neg")[n % 2]) for n in range(10)]


def test_a_name_says_a_split_only_where_there_is_a_training_part(tmp_path):
    write_csv(tmp_path / "test.csv", ROWS)
    (row, *_) = open_table([tmp_path]).rows()
    assert row.member.role == ""


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("r.xlsx", r"must end in .csv, .* Received: '.xlsx'. Save its sheet as CSV"),
        ("r.txt", "must end in .csv"),
        ("missing.csv", "no such file or folder"),
    ],
)
def test_what_is_no_table_is_refused_by_name(tmp_path, name, message):
    if not name.startswith("missing"):
        (tmp_path / name).write_text("x")
    with pytest.raises(DataError, match=message):
        read(tmp_path / name)


def test_a_relative_path_says_what_it_is_relative_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from pathlib import Path

    with pytest.raises(DataError, match=f"relative to the current folder, {tmp_path}"):
        read(Path("reviews.csv"))


def test_a_pipe_in_place_of_a_file_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "r.csv")
    with pytest.raises(DataError, match="a device or a pipe"):
        read(tmp_path / "r.csv")


def test_tables_of_several_kinds_are_refused_with_a_pattern_that_works(tmp_path):
    write_csv(tmp_path / "r.csv", ROWS)
    (tmp_path / "r.jsonl").write_text('{"text": "x"}\n')
    with pytest.raises(DataError, match=r"1 .csv, 1 .jsonl. Give a pattern, such as '.*\*.csv'"):
        read(tmp_path)
    assert read(tmp_path / "*.csv") == EXPECTED


def test_a_folder_of_texts_may_begin_with_markup(tmp_path):
    for label, text in (("neg", "<html>a dull film</html>"), ("pos", "<?xml?> a fine film")):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.txt").write_text(text)
    assert len(list(read(tmp_path))) == 2


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="must hold reviews"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (gzip.compress(b"text,label\n", mtime=0), r"compressed by gzip \(.gz\)"),
        (b"PK\x03\x04rest", r"a spreadsheet \(.xlsx\)"),
        (b"PAR1rest", "a Parquet file"),
        (b"ARROW1\0\0rest", "an Arrow file .* Rename it"),
        (b"\xd0\xcf\x11\xe0rest", r"a spreadsheet \(.xls\), .* Save the table"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_called_by_what_it_is(tmp_path, content, what):
    (tmp_path / "r.csv").write_bytes(content)
    with pytest.raises(DataError, match=what):
        read(tmp_path / "r.csv")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer.* pull"),
        (b"\n<!DOCTYPE html>\n<html>", "a web page, .* Download the file itself"),
        (b"\xef\xbb\xbf<HTML><body>", "a web page"),
        (b'<?xml version="1.0"?>', "XML, .* Save the table as CSV"),
        (b"SQLite format 3\0\x10", "an SQLite database"),
        (b"ARROW1\0\0", "an Arrow"),
        (b"\x28\xb5\x2f\xfd\x04", "compressed by Zstandard, .* Unpack it"),
    ],
)
@pytest.mark.parametrize("name", ["r.csv", "r.parquet", "r.jsonl"])
def test_what_only_has_the_name_of_a_table_is_refused_for_what_it_is(tmp_path, name, content, what):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=rf"{name}: is {what}") as caught:
        open_table([tmp_path / name])
    assert "\n" not in str(caught.value)


def test_an_archive_of_many_texts_is_opened_once(tmp_path):
    with zipfile.ZipFile(tmp_path / "texts.zip", "w") as archive:
        for number in range(50):
            archive.writestr(f"{'pos' if number % 2 else 'neg'}/{number}.txt", f"film {number}")
    decompression._archive.cache_clear()
    table = open_table([tmp_path / "texts.zip"])
    assert sum(1 for _ in table.rows(("text",))) == 50
    assert decompression._archive.cache_info().misses == 1


@pytest.mark.parametrize("between", ["\n", "", " \n\n ", "\n" * 70_000])
def test_arrays_that_follow_one_another_are_read(tmp_path, between):
    arrays = between.join(json.dumps([{"text": f"a {n}"}, {"text": f"b {n}"}]) for n in range(3))
    (tmp_path / "r.json").write_text(arrays)
    rows = [row.values[0] for row in open_table([tmp_path / "r.json"]).rows(("text",))]
    assert rows == ["a 0", "b 0", "a 1", "b 1", "a 2", "b 2"]


def test_what_follows_an_array_is_not_passed_over(tmp_path):
    (tmp_path / "r.json").write_text('[{"text": "a"}]\n{"text": "b"}')
    with pytest.raises(DataError, match=r"r\.json:2: .* Received: .* behind an array"):
        list(open_table([tmp_path / "r.json"]).rows(("text",)))


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("content", [{"text": {"0": "a"}, "label": {"0": 1}}, {"data": []}])
def test_columns_in_place_of_records_are_refused_with_a_way_out(tmp_path, content, indent):
    (tmp_path / "r.json").write_text(json.dumps(content, indent=indent))
    with pytest.raises(DataError, match=r"one object, of .*orient=.records., lines=True"):
        open_table([tmp_path / "r.json"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[["a b", 1], ["c d", 0]]', r"array of objects. Received: .*Name the values: python -c"),
        (
            '{"version": "1.0", "data": [{"text": "a b"}, {"text": "c d"}]}',
            r"one object, which has 2 of them in \[\"data\"\].*open\(.*r\.json.*\)\)\[\"data\"\]",
        ),
        (
            '\n{"version": "1.0",\n"data": [\n{"text": "a b"},\n{"text": "c d"}\n]\n}\n',
            r"one object, which has 2 of them in \[\"data\"\].*open\(.*r\.json.*\)\)\[\"data\"\]",
        ),
        (
            '{"review": {"text": "a b c"}, "label": 1}\n{"review": {"text": "d"}, "label": 0}',
            r"texts inside of the objects 'review'\. Flatten them: python -c .*json_normalize",
        ),
        (
            '[{"id": 1, "data": {"text": "a b c"}, "annotations": []}, {"id": 2}]',
            r"inside of the objects 'data'\. If Label Studio wrote it, export JSON-MIN or CSV",
        ),
    ],
)
def test_records_and_texts_inside_other_objects_are_refused_with_a_way_out(
    tmp_path, content, message
):
    (tmp_path / "r.json").write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        open_table([tmp_path / "r.json"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "record",
    [
        {"text": "a b", "images": [{"url": "x"}, {"url": "y"}]},
        {"text": "a b c d", "user": {"name": "A B C"}},
        {"text": "a", "user": {"name": "A B"}},
    ],
)
def test_a_record_may_hold_objects_beside_its_text(tmp_path, record):
    (tmp_path / "r.jsonl").write_text(json.dumps(record))
    assert [row.values[0] for row in open_table([tmp_path / "r.jsonl"]).rows(("text",))]


def test_keys_of_late_records_are_counted(tmp_path):
    lines = ['{"text": "a"}'] * 1_001 + ['{"text": "b", "late": 1}']
    (tmp_path / "r.jsonl").write_text("\n".join(lines))
    table = open_table([tmp_path / "r.jsonl"])
    assert len(list(table.rows())) == 1_002
    assert list(table.remarks) == ["1 key that only records after the first 1,000 have, left out"]


def test_a_file_may_lack_columns_of_the_first_and_have_others(tmp_path):
    (tmp_path / "a.csv").write_text("text,note\na,x\n")
    (tmp_path / "b.csv").write_text("more,text\ny,b\n")
    table = open_table([tmp_path])
    assert [list(row.values) for row in table.rows()] == [["a", "x"], ["b", MISSING]]
    assert list(table.remarks) == ["1 column that a.csv does not have, left out"]
    with pytest.raises(DataError, match=r"b\.csv: must have a column 'note'"):
        list(table.rows(("note",)))


def test_parquet_may_hold_text_as_bytes_but_not_two_columns_of_one_name(tmp_path):
    column = pyarrow.array([b"caf\xc3\xa9", None])
    pyarrow.parquet.write_table(pyarrow.table({"text": column}), tmp_path / "r.parquet")
    table = open_table([tmp_path / "r.parquet"])
    assert [row.values[0] for row in table.rows(("text",))] == ["café", None]
    twice = pyarrow.table([column, column], names=["text", "text"])
    pyarrow.parquet.write_table(twice, tmp_path / "r.parquet")
    with pytest.raises(DataError, match=r"one column 'text'\. Received: 2 of them"):
        list(open_table([tmp_path / "r.parquet"]).rows(("text",)))


def test_of_files_with_as_many_columns_one_of_training_reviews_says_which(tmp_path):
    (tmp_path / "sample_submission.csv").write_text("id,label\n1,0\n")
    (tmp_path / "test.csv").write_text("id,text\n1,a b\n")
    (tmp_path / "train.csv").write_text("text,label\na b,0\n")
    with pytest.raises(DataError, match="must hold tables of the same columns"):
        open_table([tmp_path])
    table = open_table([tmp_path / "sample_submission.csv", tmp_path / "train.csv"])
    assert table.names == ("text", "label")
    with pytest.raises(DataError, match=r"sample_submission\.csv: must have a column 'text'"):
        table.check_columns(("text", "label"))
    assert open_table([tmp_path / "test.csv", tmp_path / "train.csv"]).names == ("text", "label")
