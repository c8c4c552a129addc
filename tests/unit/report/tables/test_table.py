"""Tests of tables and of the CSV they become."""

import csv
import io
from types import SimpleNamespace

import numpy as np
import pytest

from lstm_study.report.tables.table import Column, cells_of, dictionary, safe_cell, table, to_csv

COLUMNS = (
    Column(name="name", meaning="Its name"),
    Column(name="value", meaning="Its value", unit="share", form="percent"),
)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_text_that_a_spreadsheet_would_run_gets_a_leading_quote(text: str) -> None:
    assert safe_cell(text) == "'" + text


@pytest.mark.parametrize(
    ("value", "cell"),
    [(-0.5, "-0.5"), (3, "3"), (None, ""), ("a=b", "a=b"), ("", "")],
)
def test_numbers_and_harmless_texts_stay_as_they_are(value: float | str | None, cell: str) -> None:
    assert safe_cell(value) == cell


def test_csv_quotes_commas_quotes_and_lines_so_that_it_reads_back() -> None:
    text = 'a,"b"\nc'
    written = to_csv(table("t", "One", COLUMNS, [{"name": text, "value": 0.25}]))
    assert list(csv.reader(io.StringIO(written))) == [["name", "value"], [text, "0.25"]]


def test_nan_and_infinity_become_empty_and_numpy_numbers_python_ones() -> None:
    made = table(
        "t",
        "One",
        COLUMNS,
        [{"name": "a", "value": float("nan")}, {"name": "b", "value": np.float64(0.5)}],
    )
    assert made.column("value") == [None, 0.5]
    assert type(made.value(1, "value")) is float


def test_a_row_is_also_an_object_and_its_truth_values_are_words() -> None:
    made = table("t", "One", COLUMNS, [SimpleNamespace(name=True, value=2, other="not a column")])
    assert made.rows == (("yes", 2),)
    assert cells_of(None, COLUMNS, name="a") == {"name": "a", "value": None}


def test_a_row_without_a_column_is_a_bug_and_not_an_empty_cell() -> None:
    with pytest.raises(KeyError):
        table("t", "One", COLUMNS, [{"name": "a"}])


def test_the_data_dictionary_explains_every_column() -> None:
    explained = dictionary([table("t", "One thing", COLUMNS, [])])
    assert explained.rows == (
        ("t.csv", "One thing", "name", "Its name", ""),
        ("t.csv", "One thing", "value", "Its value", "share"),
    )
