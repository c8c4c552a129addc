"""JSON of another shape is refused with a command that writes JSON lines; each is run here."""

import bz2
import contextlib
import gzip
import json
import lzma
import os
import shlex
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import pytest

from lstm_study.corpus.files import json_records
from lstm_study.corpus.files.json_advice import first_list, table_within
from lstm_study.corpus.files.table import open_table
from lstm_study.errors import DataError

RECORDS = [
    {"text": f"a {word} film of no. {number}", "label": number % 2}
    for number, word in enumerate(("fine", "dull", "café", "“warm”"))
]
TEXTS = [each["text"] for each in RECORDS]
LABELS = [each["label"] for each in RECORDS]
BY_ID = {f"T{number}": {**each, "by": {"name": "A"}} for number, each in enumerate(RECORDS)}
BY_INDEX = {
    name: {str(number): each[name] for number, each in enumerate(RECORDS)}
    for name in ("text", "label")
}
CHATS = [
    {
        "messages": [
            {"role": "system", "content": "Is it good or bad, or neither of the two?"},
            {"role": "user", "content": each["text"]},
            {"role": "assistant", "content": str(each["label"])},
        ]
    }
    for each in RECORDS
]


def lines(values) -> str:
    return "".join(f"{json.dumps(each)}\n" for each in values)


def refused(path: Path, **options) -> str:
    with pytest.raises(DataError) as caught:
        list(open_table([path], **options).rows())
    message = str(caught.value)
    assert "\n" not in message
    return message


def follow(message: str, folder: Path) -> Path:
    """Runs the command at a message's end in a folder, and returns the file that it writes."""
    start = max(message.rfind(f": {name} ") for name in ("sed", "python", "gzip", "unzip", "jq"))
    command = message[start + 2 :]
    parts = shlex.split(command)
    if parts[0] == "python" and "<" not in parts and "|" not in parts:
        # In a process that ends with it, the command need not close the file.
        with contextlib.chdir(folder), warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            exec(parts[2], {})
    else:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        subprocess.run(command, shell=True, cwd=folder, check=True, env={"PATH": path})
    (written,) = folder.glob("*-flat.jsonl")
    return written


def values(path: Path, *columns: str) -> list[list[str]]:
    return [[str(value) for value in row.values] for row in open_table([path]).rows(columns)]


EXPECTED = [[text, str(label)] for text, label in zip(TEXTS, LABELS, strict=True)]


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("r.json", json.dumps({"data": {"tickets": RECORDS, "n": 4}, "meta": {}}), None),
        ("r.json", json.dumps({"data": {"tickets": RECORDS, "n": 4}}, indent=1), None),
        ("r.json", json.dumps([{"data": {"tickets": RECORDS}}]), None),
        ("my r's.json", json.dumps({'it"s': {"tickets": RECORDS}}), None),
        ("r.json", json.dumps(BY_ID), None),
        ("r.json", json.dumps({"rows": BY_ID}), None),
        ("r.json", json.dumps(BY_INDEX), None),
        ("r.json", json.dumps({"text": TEXTS, "label": LABELS}), None),
        (
            "r.json",
            json.dumps(
                {
                    "columns": ["text", "label"],
                    "index": [0, 1, 2, 3],
                    "data": [list(each.values()) for each in RECORDS],
                }
            ),
            None,
        ),
        ("r.json", json.dumps([list(each.values()) for each in RECORDS]), ("0", "1")),
        ("r.json", json.dumps([list(each.values()) for each in RECORDS], indent=1), ("0", "1")),
        ("r.jsonl", lines(list(each.values()) for each in RECORDS), ("0", "1")),
        ("r.jsonl", lines({"tickets": RECORDS[at : at + 2]} for at in (0, 2)), None),
        (
            "r.jsonl",
            lines({"_source": each} for each in RECORDS).replace("\n", "\n\n"),
            ("_source.text", "_source.label"),
        ),
        (
            "r.json",
            json.dumps([{"_source": each} for each in RECORDS]),
            ("_source.text", "_source.label"),
        ),
        (
            "r.jsonl",
            lines({"turns": [{"text": t}], "id": {"n": 1}, "label": y} for t, y in EXPECTED),
            None,
        ),
        ("r.jsonl", lines(CHATS), None),
        ("r.json", json.dumps(CHATS), None),
        ("r.jsonl", lines(RECORDS).replace("\n", ",\n"), None),
        ("r.jsonl", "".join(f"{each}\n" for each in RECORDS), None),
        ("r.json", f"window.YTD.tweets.part0 = {json.dumps(RECORDS)}", None),
        ("r.json", f"var reviews = {json.dumps(RECORDS)};\n", None),
    ],
)
def test_the_command_that_a_refusal_gives_writes_what_is_read(tmp_path, name, content, columns):
    (tmp_path / name).write_text(content, encoding="utf-8")
    written = follow(refused(tmp_path / name), tmp_path)
    assert values(written, *(columns or ("text", "label"))) == EXPECTED


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"data": RECORDS}, ensure_ascii=False),
        "".join(f"{each}\n" for each in RECORDS),
    ],
)
def test_a_file_that_is_not_in_utf_8_is_written_so_before(tmp_path, encoding, content):
    (tmp_path / "r.jsonl").write_text(content, encoding=encoding)
    message = refused(tmp_path / "r.jsonl", encoding=encoding)
    assert ": write it in UTF-8 first, and give that file: python -c" in message
    parts = shlex.split(message[message.rindex(": python -c ") + 2 :])
    with contextlib.chdir(tmp_path):
        exec(parts[2], {})
    written = follow(refused(tmp_path / "r-utf8.jsonl"), tmp_path)
    assert values(written, "text", "label") == EXPECTED


@pytest.mark.parametrize(
    ("suffix", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)]
)
def test_of_a_compressed_file_the_command_unpacks_it(tmp_path, suffix, pack):
    (tmp_path / f"r.json.{suffix}").write_bytes(pack(json.dumps({"data": RECORDS}).encode()))
    written = follow(refused(tmp_path / f"r.json.{suffix}"), tmp_path)
    assert values(written, "text", "label") == EXPECTED


def test_of_an_archive_the_command_reads_what_is_in_it(tmp_path):
    with zipfile.ZipFile(tmp_path / "r.zip", "w") as archive:
        archive.writestr("in/r.json", json.dumps({"data": RECORDS}))
    written = follow(refused(tmp_path / "r.zip"), tmp_path)
    assert values(written, "text", "label") == EXPECTED


@pytest.mark.parametrize("packed", [False, True])
def test_a_few_lines_that_are_no_objects_are_counted_and_left_out(tmp_path, packed):
    broken = [*lines(RECORDS).splitlines(), "Traceback (most recent call last):", "[1]"]
    broken.insert(2, '{"text": "cut off')
    path = tmp_path / f"r.jsonl{'.gz' * packed}"
    content = "\n".join(broken).encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    message = refused(path)
    assert ":3: must be one JSON object (Unterminated string" in message
    assert "3 of 7 lines are not an object." in message
    assert values(follow(message, tmp_path), "text", "label") == EXPECTED


def test_many_such_lines_are_left_out_by_their_kind(tmp_path):
    text = lines(RECORDS * 5) + "no object\n" * 9
    (tmp_path / "r.jsonl").write_text(text, encoding="utf-8")
    message = refused(tmp_path / "r.jsonl")
    assert (
        "9 of 29 lines are not an object. Leave them out: jq -cR 'fromjson? | objects' <" in message
    )


def test_what_is_no_json_at_all_is_refused_with_what_pandas_would_write(tmp_path):
    (tmp_path / "r.jsonl").write_text("one\ntwo\n", encoding="utf-8")
    assert refused(tmp_path / "r.jsonl").endswith(
        "in pandas: df.to_json(path, orient='records', lines=True)."
    )


def test_in_an_object_that_is_too_long_the_list_is_found_by_its_beginning(tmp_path, monkeypatch):
    monkeypatch.setattr(json_records, "LINE_LIMIT", 300)
    monkeypatch.setattr(json_records, "_CHUNK", 100)
    content = {"meta": {"next": None, "ids": [1, 2], "none": {}}, "data": {"tickets": RECORDS * 9}}
    for number, indent in enumerate((None, 1)):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "r.json").write_text(json.dumps(content, indent=indent))
        message = refused(folder / "r.json")
        assert "none longer than 300 characters" in message
        assert 'Write the list in ["data"]["tickets"] alone' in message
        written = follow(message, folder)
        monkeypatch.setattr(json_records, "LINE_LIMIT", 1 << 20)
        assert values(written, "text", "label") == EXPECTED * 9
        monkeypatch.setattr(json_records, "LINE_LIMIT", 300)


@pytest.mark.parametrize("text", ["{", "{}", '{"a": 1}', '{"a": [1], "b": {"c": "d"}} ', "[1]", ""])
def test_a_beginning_without_a_list_of_objects_names_none(text):
    assert first_list(text) == ""


@pytest.mark.parametrize(
    "value", [{}, [], {"text": "a b c"}, {"a": {}, "b": {}}, {"a": [], "b": []}, {"a": [[]]}]
)
def test_what_holds_no_table_is_told(value):
    found = table_within(value)
    assert found is None or found.words == 0
