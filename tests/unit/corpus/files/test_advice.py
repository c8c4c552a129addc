"""Options are named as the running command takes them."""

import shlex
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
        (("r.XLSX",), "Save it as CSV (in Excel: CSV UTF-8)."),
        (("r.tar.gz",), "Unpack it."),
        (("r.csv.zst",), "Unpack it, with zstd -d."),
        (("r.sqlite",), "Save its table as CSV, with sqlite3"),
        (("train.ft.txt.bz2",), "If it is a table, rename it to .csv"),
        (("r.gz",), "Unpack it, or name what is in it"),
        (("r",), "If it is a table"),
        (("r.pkl",), "Save it as CSV, JSON lines or Parquet."),
        (("README.md", "model.pkl", "r.ods"), "Save it as CSV (in Excel"),
    ],
)
def test_what_to_do_with_a_file_goes_by_its_kind(names, advice):
    assert way_out(*names).startswith(advice)


def test_paths_are_given_as_the_running_command_takes_them():
    assert reading(["my a.csv", "-b.csv"]) == '["my a.csv", "-b.csv"]'
    with as_flags(INIT_FLAGS):
        assert reading(["my a.csv", "-b.csv"]) == "lstm-study init 'my a.csv' ./-b.csv"
    with as_flags(PREDICT_FLAGS):
        assert reading(["a.csv"]) == "a.csv"
