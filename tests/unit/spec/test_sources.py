"""Every source has its row and its module, and the packaged study names it."""

from importlib import resources
from inspect import signature

import pytest

from lstm_study.corpus.sources import SourceModule, module_of
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
