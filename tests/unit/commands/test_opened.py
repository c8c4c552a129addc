"""Which reviews a command opens a study with."""

from pathlib import Path

import pytest

from lstm_study.commands import open_study
from lstm_study.commands.opened import Silent, held, read_corpus, tell_of_machine
from lstm_study.engine.backend import in_force
from lstm_study.errors import SpecError
from lstm_study.spec import parse_spec
from lstm_study.store import Store
from tests.support.fake_study import completed_study, on_backends
from tests.support.stored_study import leave


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


class Told:
    """Keeps what a command says."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def stage(self, name: str, detail: str) -> None:
        self.lines.append(f"{name}: {detail}")

    progress = Silent.progress


def test_a_study_keeps_the_backend_of_its_first_epoch_not_of_its_last_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    leave(on_backends("jax", "tensorflow"), tmp_path)
    with held(open_study("fake.toml"), show=Silent()):
        assert in_force().name == "jax"


@pytest.mark.parametrize(("began", "asked"), [("jax", "tensorflow"), ("tensorflow", "jax")])
def test_a_command_on_another_backend_than_the_study_began_on_says_so(
    began: str, asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_BACKEND", asked)
    leave(on_backends(began, began), tmp_path)
    show = Told()
    with held(open_study("fake.toml"), show=show) as study:
        tell_of_machine(study, show)
    assert (
        f"Machine: trains with {asked}: KERAS_BACKEND is set, though the study began on {began}: "
        "results differ beyond rounding"
    ) in show.lines
