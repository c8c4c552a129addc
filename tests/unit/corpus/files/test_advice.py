"""Options are named as the running command takes them."""

import contextlib
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

from lstm_study.cli.inspection import init
from lstm_study.cli.results import predict
from lstm_study.corpus.files.advice import (
    INIT_FLAGS,
    PREDICT_FLAGS,
    as_flags,
    has_option,
    option,
    reading,
    split_labels,
    way_out,
)
from lstm_study.corpus.files.table import open_table
from lstm_study.spec import DataTable


@pytest.mark.parametrize(
    ("key", "value", "in_a_study", "as_a_flag"),
    [
        ("text_column", "", "data.text_column", "--text-column"),
        ("encoding", "gb18030", 'data.encoding = "gb18030"', "--encoding gb18030"),
        ("drop_empty", True, "data.drop_empty = true", "--drop-empty"),
        ("positive", ("4", "5"), 'data.positive = ["4", "5"]', "--positive 4,5"),
        ("positive", ('a "b"',), 'data.positive = ["a \\"b\\""]', "--positive 'a \"b\"'"),
    ],
)
def test_an_option_is_a_key_in_a_study_and_a_flag_at_a_command(key, value, in_a_study, as_a_flag):
    assert option(key, value) == in_a_study
    with as_flags(INIT_FLAGS):
        assert option(key, value) == as_a_flag
    assert option(key, value) == in_a_study


@pytest.mark.parametrize(("command", "flags"), [(init, INIT_FLAGS), (predict, PREDICT_FLAGS)])
def test_the_flags_that_are_named_are_the_commands_own(command, flags):
    known = set(get_type_hints(command))
    assert set(flags) <= known
    assert set(flags) <= set(DataTable.model_fields)


def test_an_option_that_a_command_lacks_is_not_named():
    assert has_option("label_column")
    with as_flags(PREDICT_FLAGS):
        assert not has_option("label_column")


@pytest.mark.parametrize(
    "labels", [("4", "5"), ("so, so", 'a "b"'), ('"quoted"', "it's"), ("4,0",)]
)
def test_labels_are_read_as_they_are_advised(labels):
    with as_flags(INIT_FLAGS):
        _, value = shlex.split(option("positive", labels))
    assert split_labels(value) == labels


@pytest.mark.parametrize(
    ("names", "advice"),
    [
        (("r.XLSX",), "Save its sheet as CSV (in Excel: CSV UTF-8"),
        (("r.tar.gz",), "Unpack it."),
        (("r.csv.zst",), "Unpack it, with zstd -d."),
        (("r.sqlite",), "Save its table as CSV: sqlite3"),
        (("train.ft.txt.bz2",), "If it is a table, rename it to .csv"),
        (("r.gz",), "Unpack it, or name what is in it"),
        (("r",), "If it is a table"),
        (("r.npz",), "Save it as CSV, JSON lines or Parquet."),
        (("README.md", "model.pkl", "r.ods"), "Save its sheet as CSV (in Excel"),
    ],
)
def test_what_to_do_with_a_file_goes_by_its_kind(names, advice):
    assert way_out(*names).startswith(advice)


MAIL = """\
From: a@example.com
Subject: =?utf-8?q?caf=C3=A9?=
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="=="

--==
Content-Type: text/html; charset=utf-8

<p>A café.</p>
--==
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

A caf=C3=A9.
--==--
"""


def run_advice(suffix: str, folder: Path, **names: str) -> None:
    """Runs the command at the end of what is advised for a kind of file."""
    _, _, command = way_out(f"r{suffix}").partition(": ")
    command = command.split("; sqlite3 FILE")[0].partition("a dump of SQLite: ")[2] or command
    command = command.split("; sqlite3 FILE")[0]
    for name, value in names.items():
        assert name in command
        command = command.replace(name, value)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(command, shell=True, cwd=folder, check=True, env={"PATH": path})


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="needs sqlite3")
@pytest.mark.parametrize("suffix", [".db", ".sql"])
def test_the_commands_for_sqlite_write_its_table(tmp_path, suffix):
    with contextlib.closing(sqlite3.connect(tmp_path / "r.db")) as base:
        base.execute("create table reviews (text, label)")
        base.execute("insert into reviews values ('a fine, \"warm\"\nfilm', 'pos')")
        base.commit()
        (tmp_path / "r.sql").write_text("\n".join(base.iterdump()))
    run_advice(suffix, tmp_path, FILE=f"r{suffix}", TABLE="reviews")
    rows = [tuple(row.values) for row in open_table([tmp_path / "reviews.csv"]).rows()]
    assert rows == [('a fine, "warm"\nfilm', "pos")]


def test_the_command_for_mails_writes_their_plain_texts_beside_them(tmp_path):
    (tmp_path / "mails" / "pos").mkdir(parents=True)
    (tmp_path / "mails" / "pos" / "1.eml").write_text(MAIL)
    run_advice(".eml", tmp_path, FOLDER="mails")
    assert (tmp_path / "mails" / "pos" / "1.txt").read_text("utf-8").strip() == "A café."


def test_the_command_for_a_mailbox_writes_a_table(tmp_path):
    (tmp_path / "r.mbox").write_text(f"From a@example.com Mon Jan  1 00:00:00 2024\n{MAIL}\n" * 2)
    run_advice(".mbox", tmp_path, FILE="r.mbox")
    rows = [tuple(row.values) for row in open_table([tmp_path / "reviews.csv"]).rows()]
    assert [(subject, text.strip()) for subject, text in rows] == [("café", "A café.")] * 2


def test_paths_are_given_as_the_running_command_takes_them():
    assert reading(["my a.csv", "-b.csv"]) == '["my a.csv", "-b.csv"]'
    with as_flags(INIT_FLAGS):
        assert reading(["my a.csv", "-b.csv"]) == "lstm-study init 'my a.csv' ./-b.csv"
    with as_flags(PREDICT_FLAGS):
        assert reading(["a.csv"]) == "a.csv"
