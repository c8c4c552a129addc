"""Where a study file is found."""

import os
from pathlib import Path

import pytest

from lstm_study.errors import SpecError
from lstm_study.spec import find_study, load_spec, packaged_studies
from tests.support.tiny import SPEC

ROOT = Path(__file__).resolve().parents[3]


def test_a_bare_run_takes_the_folders_own_study_and_else_the_quick_start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_study("")[1] == "quickstart"
    (tmp_path / "study.toml").write_text(SPEC)
    assert find_study("") == (SPEC, "study.toml")


def test_a_packaged_study_is_found_by_name_and_a_file_of_that_path_comes_first(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "src" / "lstm_study" / "studies" / "imdb.toml").read_text()
    assert find_study("imdb") == find_study("study/imdb.toml") == (text, "imdb")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "imdb.toml").write_text(SPEC)
    assert find_study("study/imdb.toml") == (SPEC, "study/imdb.toml")
    with pytest.raises(SpecError, match=r"other/imdb\.toml: no such study file.*quickstart"):
        find_study("other/imdb.toml")


def test_the_checkout_shows_every_packaged_study_under_study():
    assert {path.stem for path in (ROOT / "study").glob("*.toml")} == set(packaged_studies())
    for name in packaged_studies():
        assert load_spec(ROOT / "study" / f"{name}.toml").study.name == name
        assert find_study(name)[0] == (ROOT / "study" / f"{name}.toml").read_text()


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_study_file_of_a_windows_editor_is_read(tmp_path, mark, end):
    (tmp_path / "mine.toml").write_bytes(mark + SPEC.encode().replace(b"\n", end))
    assert find_study(tmp_path / "mine.toml")[0] == SPEC


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_not_called_missing(tmp_path, make):
    make(tmp_path / "mine")
    with pytest.raises(SpecError, match=r"mine: must be a file\. Received: a "):
        find_study(tmp_path / "mine")


def test_a_file_too_large_for_a_study_is_refused_unread(tmp_path):
    (tmp_path / "reviews.csv").write_bytes(b"x" * (2 << 20))
    with pytest.raises(SpecError, match="1 MB at most"):
        load_spec(tmp_path / "reviews.csv")
