"""Which reviews a command opens a study with."""

from pathlib import Path

import pytest

from lstm_study.commands import open_study
from lstm_study.commands.opened import Silent, read_corpus
from lstm_study.errors import SpecError
from lstm_study.spec import parse_spec
from lstm_study.store import Store
from tests.support.fake_study import completed_study


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study whose file names no data, which began with `--data a/reviews.csv`."""
    monkeypatch.chdir(tmp_path)
    text = completed_study().spec_text
    source = next(line for line in text.splitlines() if line.startswith("source"))
    text = text.replace(source, 'source = "csv"')
    found = tmp_path / "fake.toml"
    found.write_text(text)
    settings = ('data.path="a/reviews.csv"', 'data.test_path="b.csv"')
    spec = parse_spec(text, where="fake.toml", settings=settings)
    store = Store(tmp_path / "study" / "runs" / "fake")
    store.begin(spec, spec_text=text, settings=settings, data_digest="")
    return found


def test_a_study_that_began_with_data_finds_it_again(path: Path) -> None:
    data = open_study(path).spec.data
    assert data.paths == ("a/reviews.csv",)
    assert data.test_paths == ("b.csv",)


def test_data_that_is_given_comes_first(path: Path) -> None:
    assert open_study(path, data=Path("moved.csv")).spec.data.paths == ("moved.csv",)


def test_a_study_that_has_not_begun_has_to_be_told(path: Path) -> None:
    (path.parent / "study").rename(path.parent / "elsewhere")
    study = open_study(path)
    with pytest.raises(SpecError, match=r"data\.path is needed .*Give it with --data"):
        read_corpus(study, show=Silent())


def test_another_source_has_other_paths(path: Path) -> None:
    text = path.read_text().replace('source = "csv"', 'source = "aclimdb"')
    path.write_text("\n".join(x for x in text.splitlines() if not x.startswith("test_fraction")))
    study = open_study(path)
    with pytest.raises(SpecError, match=r"aclimdb.* from https://ai\.stanford\.edu"):
        read_corpus(study, show=Silent())
