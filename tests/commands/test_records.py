"""Records that are kept: what is copied, what is cut, what is refused."""

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lstm_study import commands
from lstm_study.commands.watch import watch
from lstm_study.errors import RecordError, StoreError
from lstm_study.records import CorpusSummary, Opening, ReviewFacts, StudyRecords
from lstm_study.records.codec import to_json
from lstm_study.records.scrub import Scrubber
from lstm_study.store import Store, predictions
from tests.support.fake_study import ALL_STUDIES, completed_study
from tests.support.fake_trainings import MACHINE
from tests.support.stored_study import MADE, leave


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _left(records: StudyRecords | None = None) -> commands.OpenStudy:
    path = leave(records or completed_study(), Path.cwd())
    study = commands.open_study(path)
    study.store.write_state(MADE)
    return study


def _texts(folder: Path) -> str:
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".gz":
            found.append(f"{path.relative_to(folder)}\n{path.read_text()}")
    return "\n".join(found)


def test_kept_records_are_read_as_the_study_was() -> None:
    study = _left()
    kept = commands.keep(study)
    assert kept.folder == Path("study/reference/fake")
    before, after = study.store.read_all(), Store(kept.folder).read_all()
    assert replace(before, predictions={}, test_labels=None) == replace(
        after, predictions={}, test_labels=None
    )
    assert np.array_equal(before.test_labels, after.test_labels)
    assert before.predictions.keys() == after.predictions.keys()
    for name, array in before.predictions.items():
        assert array.dtype == after.predictions[name].dtype
        assert np.array_equal(array, after.predictions[name])


def test_what_is_large_or_of_one_machine_is_left_behind() -> None:
    study = _left()
    for name in ("checkpoints/b0-00-r0.npz", "models/winner-s1.npz", "live/w.json", "logs/c.log",
                 "study.log", "lock", "chief.json", "chief.token"):  # fmt: skip
        path = study.store.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("large")
    kept = commands.keep(study)
    names = {str(path.relative_to(kept.folder)) for path in kept.folder.rglob("*")}
    assert not {"checkpoints", "models", "live", "logs", "study.log", "lock", "chief.json",
                "chief.token"} & names  # fmt: skip
    assert any(name.startswith("predictions/winner-s1") for name in names)


def test_keeping_twice_gives_the_same_bytes_and_leaves_nothing_beside() -> None:
    study = _left()
    first = {p: p.read_bytes() for p in commands.keep(study).folder.rglob("*") if p.is_file()}
    again = {p: p.read_bytes() for p in commands.keep(study).folder.rglob("*") if p.is_file()}
    assert first == again
    assert [path.name for path in Path("study/reference").iterdir()] == ["fake"]


def test_words_of_reviews_stay_behind_when_the_study_file_leaves_them_out() -> None:
    facts = ALL_STUDIES["compared"]().review_facts
    assert facts is not None
    study = _left()
    study.store.write(facts)
    assert facts.excerpts[0].text in _texts(commands.keep(study).folder)
    export = study.spec.export.model_copy(update={"excerpts": False})
    silent = replace(study, spec=study.spec.model_copy(update={"export": export}))
    kept = Store(commands.keep(silent).folder).read(ReviewFacts)
    assert kept == facts.without_excerpts()


def test_a_copy_of_kept_records_is_kept_again_to_the_byte() -> None:
    kept = commands.keep(_left())
    again = commands.keep(commands.open_kept(kept.folder), folder=Path("again"))
    assert (again.files, again.bytes) == (kept.files, kept.bytes)


def test_no_path_host_or_user_of_the_machine_is_kept() -> None:
    study = completed_study()
    assert study.corpus is not None
    host = "annas-box.example-1a2b"
    secret = "/home/anna/private data/imdb.npz"
    command = f"lstm-study chief fake.toml --bind 10.1.2.3:8476 --data '{secret}'"
    sessions = (
        replace(study.sessions[0], command=command, settings=(f'data.path="{secret}"',)),
        replace(study.sessions[0], stage=f"worker-{host}", machine=MACHINE,
                command="lstm-study worker fake.toml --chief=annas-box.example:8476"),
    )  # fmt: skip
    trials = (replace(study.trials[0], worker=f"{host}-1"), *study.trials[1:])
    opened = _left(
        replace(
            study, sessions=sessions, trials=trials,
            corpus=replace(study.corpus, path="~/.keras/datasets/imdb.npz"),
        )
    )  # fmt: skip
    opened.store.add_opening(Opening(opened_at="", command=command, run_id="winner-s1"))
    text = _texts(commands.keep(opened).folder)
    for word in ("anna", "/home", "10.1.2.3", "8476", "~", ".keras", "private"):
        assert word not in text
    assert '"worker": "machine-2-1"' in text
    assert '"path": "imdb.npz"' in text
    assert "--bind HOST:PORT" in text
    assert "--chief=HOST:PORT" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("--data ../shared/data/imdb.npz", "--data imdb.npz"),
        ("data/../imdb.npz", "data/../imdb.npz"),
        ("study/imdb.toml", "study/imdb.toml"),
        ("128/100, and/or 1 / 2", "128/100, and/or 1 / 2"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ('File "/usr/lib/python3.11/json/x.py", line 3', 'File "json/x.py", line 3'),
        ("file:///home/anna/x.csv", "x.csv"),
        ("read /home/anna/folder/ now", "read folder now"),
    ],
)
def test_paths_from_elsewhere_are_cut_and_nothing_else(text: str, expected: str) -> None:
    assert Scrubber().text(text) == expected


def test_records_newer_than_the_report_are_refused() -> None:
    study = _left()
    study.store.write_state(replace(MADE, made_at="2025-03-01T00:00:00.000Z"))
    with pytest.raises(StoreError, match="is out of date: trainings or settings have changed"):
        commands.keep(study)


def test_a_study_without_a_report_is_refused() -> None:
    study = commands.open_study(leave(completed_study(), Path.cwd()))
    with pytest.raises(StoreError, match="lstm-study report STUDY"):
        commands.keep(study)


def test_a_folder_with_anything_else_is_refused_and_left_alone() -> None:
    study = _left()
    folder = Path("elsewhere")
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(StoreError, match="something else"):
        commands.keep(study, folder=folder)
    kept = commands.keep(study)
    (kept.folder / "thesis.txt").write_text("mine")
    with pytest.raises(StoreError, match=r"thesis\.txt beside records"):
        commands.keep(study)
    assert (kept.folder / "thesis.txt").read_text() == "mine"


def test_another_studys_records_are_refused() -> None:
    kept = commands.keep(_left())
    other = _left(replace(completed_study(), name="other"))
    with pytest.raises(StoreError, match="only earlier records of 'other'"):
        commands.keep(other, folder=kept.folder)


def test_torn_predictions_are_named() -> None:
    kept = commands.keep(_left())
    path = kept.folder / "predictions" / "winner-s1.npy.gz"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(RecordError, match=r"winner-s1\.npy\.gz: is damaged"):
        Store(kept.folder).read_all()
    path.write_bytes(gzip.compress(b"no array"))
    with pytest.raises(RecordError, match=r"winner-s1\.npy\.gz: is not a complete array"):
        Store(kept.folder).read_all()
    path.write_bytes(gzip.compress(bytes(10**7)))
    with pytest.raises(RecordError, match=r"winner-s1\.npy\.gz: holds more than 20,096 bytes"):
        Store(kept.folder).read_all()


def test_what_a_made_up_corpus_promises_does_not_let_predictions_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = commands.keep(_left())
    store = Store(kept.folder)
    corpus = store.read(CorpusSummary)
    assert corpus is not None
    splits = [replace(each, reviews=10**9) for each in corpus.splits]
    path = store.path(CorpusSummary)
    path.write_text(to_json(replace(corpus, splits=tuple(splits))) + "\n")
    (kept.folder / "predictions" / "winner-s1.npy.gz").write_bytes(gzip.compress(bytes(10**7)))
    monkeypatch.setattr(predictions, "_MOST_REVIEWS_PACKED", 2_000)
    with pytest.raises(RecordError, match=r"winner-s1\.npy\.gz: holds more than 20,096 bytes"):
        store.read_predictions("winner-s1")


def test_a_folder_without_records_is_refused() -> None:
    with pytest.raises(StoreError, match="must be a folder of records"):
        commands.open_kept(Path("nothing"))


def test_the_report_of_kept_records_shows_an_excerpt_with_slashes_as_the_studys_own_does() -> None:
    facts = ALL_STUDIES["compared"]().review_facts
    assert facts is not None
    excerpt = replace(facts.excerpts[0], text="either /good or /bad, rated 7/10")
    study = _left()
    study.store.write(replace(facts, excerpts=(excerpt,)))
    kept = Store(commands.keep(study).folder).read(ReviewFacts)
    assert kept is not None
    assert kept.excerpts == (excerpt,)


def test_settings_that_hold_a_path_are_cut_in_the_spec_too() -> None:
    study = _left()
    began = study.store.read_began()
    began.spec["data"]["path"] = "/home/anna/my reviews.csv"
    study.store.write_state(began)
    kept = commands.keep(study)
    assert Store(kept.folder).read_all().spec["data"]["path"] == "my reviews.csv"


def test_of_a_study_that_has_not_begun_nothing_is_kept_or_served() -> None:
    opened = commands.open_study("quickstart")
    for command in (commands.keep, watch):
        with pytest.raises(StoreError, match=r"no study has been started here\. Start one with"):
            command(opened)
