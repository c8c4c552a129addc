"""Every source has its row and its module, and the packaged study names it."""

from importlib import resources
from inspect import signature
from typing import Any

import pytest
from pydantic import ValidationError

from lstm_study.corpus.sources.source import SourceModule, module_of
from lstm_study.spec import DataTable
from lstm_study.spec.sources import SOURCES, sources_where


@pytest.mark.parametrize("name", SOURCES)
def test_every_row_names_a_module_with_the_three_functions(name: str) -> None:
    module = module_of(name)
    for function in ("locate", "read_documents", "read_texts"):
        expected = [p for p in signature(getattr(SourceModule, function)).parameters if p != "self"]
        assert list(signature(getattr(module, function)).parameters) == expected


@pytest.mark.parametrize("name", SOURCES)
def test_a_study_file_may_name_it_and_the_packaged_one_says_so(name: str) -> None:
    assert DataTable(source=name, path="there").source == name
    study = resources.files("lstm_study") / "studies" / "imdb.toml"
    assert f'"{name}"' in study.read_text(encoding="utf-8")


def test_errors_list_sources_by_what_they_have() -> None:
    assert sources_where(has_test=False) == "reviews, csv"
    assert sources_where(is_own=True) == "csv"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"source": "imdb", "tokens": "characters"}, "only applies to sources that hold texts"),
        ({"source": "imdb", "group_column": "film"}, "must not be set"),
        ({"source": "aclimdb", "path": "a", "group_column": "title"}, 'must be "film"'),
        ({"source": "aclimdb", "path": ["a", "b"]}, "must be one path"),
        ({"source": "reviews", "positive": ["1"]}, "only applies to data.source csv"),
        ({"source": "reviews", "columns": ["text"]}, "only applies to data.source csv"),
        ({"source": "csv", "columns": "text,label"}, "must be a list of the columns' names"),
        ({"source": "csv", "columns": ["", " "]}, "must name a column"),
        ({"source": "csv", "columns": ["text", "", "", "text"]}, "must name each column once"),
    ],
)
def test_keys_that_do_not_fit_a_source_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DataTable(**settings)


def test_labels_may_be_numbers_and_one_may_stand_alone() -> None:
    data = DataTable(source="csv", path=["a.csv", "b.csv"], positive=[4, 5.0, "five"], negative="1")
    assert (data.positive, data.negative) == (["4", "5.0", "five"], ["1"])
    assert (data.paths, data.test_paths) == (("a.csv", "b.csv"), ())
    assert data.token_rule == "words"
    assert DataTable(source="aclimdb", path="a", group_column="film").token_rule == "keras"


def test_labels_that_are_taken_together_are_named_for_their_side():
    data = DataTable(source="csv", path="a.csv", positive=[4, 5], negative="1")
    assert data.sides(("1", "positive")) == (("1",), ("4", "5"))
    # Two spellings of one label, which is its own name.
    data = DataTable(source="csv", path="a.csv", positive=["pos", "POS"])
    assert data.sides(("neg", "pos")) == (("neg",), ("pos",))
