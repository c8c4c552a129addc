"""Which reviews a command opens a study with."""

import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lstm_study.commands import open_study
from lstm_study.commands.answer import read_answer
from lstm_study.commands.begin import begin, read_corpus, show_machine
from lstm_study.commands.diff import open_any
from lstm_study.commands.export import export_arm
from lstm_study.commands.open_study import Silent, as_run, held
from lstm_study.commands.winner import winner_of
from lstm_study.engine.backend import in_force
from lstm_study.errors import ComparisonError, RecordError, SpecError
from lstm_study.records.state import SearchState
from lstm_study.search.stage import limit_reached
from lstm_study.spec import parse_spec
from lstm_study.store import Store
from tests.support.fake_study import completed_study, interrupted_study, on_backends
from tests.support.stored_study import leave, stored

# The package has a function of the module's name.
BEGIN = sys.modules["lstm_study.commands.begin"]


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


@pytest.mark.parametrize("below", ["", "study"])
def test_a_study_of_another_folder_is_compared_as_it_was_run_there(
    path: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    here = path.parent / "here"
    here.mkdir()
    moved = path.rename(path.parent / below / path.name)
    monkeypatch.chdir(here)
    there = path.parent / "study" / "runs" / "fake"
    file = Path("..") / moved.relative_to(path.parent)
    assert open_any(file).store.folder.resolve() == there.resolve()
    (here / "study" / "runs" / "fake").mkdir(parents=True)
    assert open_any(file).store.folder == Path("study/runs/fake")


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
    monkeypatch.setattr(BEGIN, "visible_gpus", tuple)
    leave(on_backends(began, began), tmp_path)
    show = Told()
    with held(open_study("fake.toml"), show=show) as study:
        show_machine(study, show)
    assert (
        f"Machine: trains with {asked}: KERAS_BACKEND is set, though the study began on {began}: "
        "results differ beyond rounding"
    ) in show.lines


@pytest.mark.parametrize(
    ("usable", "cluster", "says"),
    [
        ((), "", "jax on the CPU, since it has no CUDA"),
        (("GPU-1",), "", "jax"),
        ((), "head", "jax"),
    ],
)
def test_a_gpu_that_the_backend_has_no_cuda_for_is_said_to_be_idle(
    usable: tuple[str, ...],
    cluster: str,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr(BEGIN, "visible_gpus", lambda: ("GPU-1",))
    monkeypatch.setattr(BEGIN, "usable_gpus", lambda backend: usable)
    leave(completed_study(), tmp_path)
    show = Told()
    show_machine(replace(open_study("fake.toml"), cluster=cluster), show)
    assert show.lines == [f"Machine: trains with {says}: KERAS_BACKEND is set"]


def _without_winner(folder: Path, *, stopped: str | None) -> str:
    """Returns what is said of a search in which no trial completed the full budget."""
    study = completed_study()
    short = tuple(trial for trial in study.trials if trial.budget_epochs < 9)
    leave(replace(study, trials=short, runs=()), folder)
    opened = open_study("fake.toml")
    opened.store.write_state(
        SearchState(trials=23, epochs=99, exhausted=False, brackets=(), stopped=stopped)
    )
    with pytest.raises(ComparisonError, match="no trial completed 9 epochs") as caught:
        winner_of(opened)
    return str(caught.value)


@pytest.mark.parametrize(
    ("key", "limit"),
    [("search.time_limit", "5s"), ("search.disk_limit", "1MB"), ("search.max_trials", 1)],
)
def test_a_search_that_a_limit_ended_without_a_winner_needs_a_larger_one(
    key: str, limit: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = _without_winner(tmp_path, stopped=limit_reached(key, limit))
    assert f"{key} of {limit} is reached" in said
    assert f"Raise {key} in the study file, or add --set {key}=VALUE, and run the same" in said
    assert "failed" not in said and "lstm-study search" not in said


def test_a_search_that_is_not_over_is_to_be_run_and_one_that_failed_to_be_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "Run `lstm-study search fake.toml` to its end." in _without_winner(
        tmp_path, stopped=None
    )
    said = _without_winner(tmp_path, stopped="")
    assert "`lstm-study status fake.toml` shows what failed. Start over with --fresh" in said


@pytest.mark.parametrize(
    "lost", ["arms.json", "verdicts.json", "ledger.jsonl", "plan.json", "trials/*.json"]
)
def test_a_study_of_which_a_file_is_gone_is_not_gone_on_with_as_if_it_had_never_been(
    lost: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = stored("completed", tmp_path)
    gone = sorted(folder.glob(lost))[0]
    gone.unlink()
    before = sorted(folder.rglob("*"))
    said = rf"{gone.name}: is missing\. `lstm-study check STUDY\.toml --repair`"
    with pytest.raises(RecordError, match=said):
        begin(open_study("fake.toml"), show=Silent())
    assert sorted(folder.rglob("*")) == before


def test_a_command_that_is_advised_has_the_settings_in_force_and_can_be_pasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    leave(interrupted_study(), tmp_path).rename("my study.toml")
    settings = ["study.title='a b'", "compare.seeds=5"]
    said = open_study("my study.toml", settings=settings).command_line("run")
    argv = ["run", "my study.toml", "--set", settings[0], "--set", settings[1]]
    assert shlex.split(said) == ["lstm-study", *argv]


def test_a_comparison_takes_up_no_larger_limit_of_a_search_that_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study = completed_study()
    text = study.spec_text.replace("rerank = 0", "rerank = 0\nmax_trials = 23")
    path = leave(replace(study, spec_text=text, runs=()), tmp_path)
    path.write_text(text.replace("max_trials = 23", "max_trials = 30"))
    opened = open_study("fake.toml")
    before = opened.store.read_began()
    with pytest.raises(ComparisonError, match="was 23, is 30"):
        begin(opened, show=Silent(), searches=False)
    assert opened.store.read_began() == before


def test_an_answer_is_of_what_was_run_where_the_file_says_another_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = leave(completed_study(), tmp_path)
    found = read_answer(open_study("fake.toml"), is_noted=False).verdict
    text = path.read_text().replace("seeds = 4", "seeds = 6", 1)
    path.write_text(text.replace("epochs = 5", "epochs = 7", 1))
    changed = open_study("fake.toml", data=Path("elsewhere"), settings=["export.excerpts=false"])
    assert (changed.spec.compare.seeds, changed.spec.protocol.epochs) == (6, 7)
    assert read_answer(changed, is_noted=False).verdict == found
    run = as_run(changed).spec
    assert (run.compare.seeds, run.protocol.epochs) == (4, 5)
    assert (run.data.path, run.export.excerpts) == ("elsewhere", False)


def test_an_export_before_there_is_a_model_names_the_command_that_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    leave(interrupted_study(), tmp_path)
    with pytest.raises(ComparisonError, match=r"Run `lstm-study run fake\.toml` first"):
        export_arm(open_study("fake.toml"), show=Silent())


@pytest.mark.parametrize(
    ("data", "expected"), [(None, "a/reviews.csv"), (Path("moved.csv"), "moved.csv")]
)
def test_reviews_that_were_run_are_where_they_were_where_the_file_says_another_source(
    path: Path, data: Path | None, expected: str
) -> None:
    (first, *_) = completed_study().trials
    open_study(path).store.write(first)
    other = 'source = "aclimdb"\npath = "elsewhere"'
    text = path.read_text().replace('source = "csv"', other)
    path.write_text("\n".join(x for x in text.splitlines() if not x.startswith("test_fraction")))
    found = as_run(open_study(path, data=data)).spec.data
    assert (found.source, found.paths, found.test_paths) == ("csv", (expected,), ("b.csv",))


def test_reviews_that_were_moved_are_where_the_file_says_even_if_it_says_another_study(
    path: Path,
) -> None:
    (first, *_) = completed_study().trials
    open_study(path).store.write(first)
    moved = 'source = "csv"\npath = "moved.csv"\ntest_path = "moved-b.csv"'
    text = path.read_text().replace('source = "csv"', moved)
    path.write_text(text.replace("epochs = 5", "epochs = 7", 1))
    found = as_run(open_study(path)).spec
    assert found.protocol.epochs == 5
    assert (found.data.paths, found.data.test_paths) == (("moved.csv",), ("moved-b.csv",))
