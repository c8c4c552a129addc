"""The table of kinds: everything that a study leaves is in it, once."""

from fnmatch import fnmatch

from lstm_study.commands import keep, open_study
from lstm_study.commands.watch import _fingerprint
from lstm_study.records.kinds import KINDS
from lstm_study.store import Store
from tests.support.fake_study import ALL_STUDIES
from tests.support.stored_study import MADE, leave


def kinds_of(name: str) -> list[str]:
    return [kind.name for kind in KINDS if fnmatch(name, kind.path)]


def test_every_file_of_a_study_is_of_one_kind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = open_study(leave(ALL_STUDIES["compared"](), tmp_path))
    study.store.write_state(MADE)
    with study.store.hold("x"):
        pass
    for folder in (study.store.folder, keep(study).folder):
        names = [str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()]
        assert len(names) > 30
        assert {name: len(kinds_of(name)) for name in names} == dict.fromkeys(names, 1)


def test_only_what_is_declared_as_kept_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = open_study(leave(ALL_STUDIES["compared"](), tmp_path))
    study.store.write_state(MADE)
    for kind in KINDS:
        path = study.store.folder / kind.path.replace("*", "x")
        if not kind.is_kept:
            path.parent.mkdir(exist_ok=True)
            path.write_text("large")
    folder = keep(study).folder
    kept = {name for p in folder.rglob("*") if p.is_file()
            for name in kinds_of(str(p.relative_to(folder)))}  # fmt: skip
    assert kept <= {kind.name for kind in KINDS if kind.is_kept}


def test_a_page_that_is_watched_is_drawn_again_when_anything_it_shows_changes(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    records = ALL_STUDIES["compared"]()
    study = open_study(leave(records, tmp_path))
    store: Store = study.store
    facts, near, control = records.review_facts, records.near_duplicates, records.control
    assert facts is not None
    assert near is not None
    assert control is not None
    changes = {
        "trials": lambda: store.write(records.trials[0]),
        "runs": lambda: store.write(records.runs[0]),
        "review facts": lambda: store.write(facts),
        "near-duplicates": lambda: store.write(near),
        "control": lambda: store.write(control),
    }
    for name, change in changes.items():
        before = _fingerprint(study)
        assert _fingerprint(study) == before
        change()
        assert _fingerprint(study) != before, name
