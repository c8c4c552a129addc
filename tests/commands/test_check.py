"""`check` names every damaged file, and `--repair` moves it aside and never deletes."""

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from lstm_study.cli.text.studies import check_text
from lstm_study.commands import check, open_study, read_answer, repair
from lstm_study.commands.status import read_status
from lstm_study.errors import RecordError, StoreError
from lstm_study.files import unseal
from lstm_study.records import Control, Opening, Run, Trial
from lstm_study.records.kinds import KINDS, kind_of
from lstm_study.records.state import ArmsState, ReportState, SearchState, SeedsState, VerdictsState
from lstm_study.search import plan_state
from lstm_study.search.plan import Plan
from lstm_study.store import Store
from lstm_study.store.files import CUT
from lstm_study.store.missing_digests import add_missing_digests
from lstm_study.store.snapshot import Snapshot
from lstm_study.training.checkpoint import Checkpoint, read_weights, write_checkpoint
from tests.support.earlier_records import EARLIER_RECORDS
from tests.support.fake_study import completed_study
from tests.support.stored_study import leave, stored

ONE_OF_EACH = {
    "plan.json": "plan.json",
    "arms.json": "arms.json",
    "verdicts.json": "verdicts.json",
    "spec.toml": "spec.toml",
    "corpus.json": "corpus.json",
    "near-duplicates.json": "near-duplicates.json",
    "review-facts.json": "review-facts.json",
    "seeds.json": "seeds.json",
    "report.json": "report.json",
    "control.json": "control.json",
    "openings.jsonl": "openings.jsonl",
    "ledger.jsonl": "ledger.jsonl",
    "runs": "runs/winner-s1.json",
    "trials": "trials/b0-00-r0.json",
    "predictions": "predictions/winner-s2.npy",
    "labels": "predictions/labels.npy",
    "weights": "models/winner-s1.npz",
    "checkpoint": "checkpoints/b2-00-r0.npz",
}


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stored("compared", tmp_path_factory.mktemp("compared"))


@pytest.fixture
def store(compared: Path, tmp_path: Path) -> Store:
    return Store(shutil.copytree(compared, tmp_path / compared.name))


def files(store: Store) -> list[str]:
    return [finding.file for finding in check(store).findings]


def said(store: Store, **options) -> str:
    console = Console(file=io.StringIO(), width=300, no_color=True)
    console.print(check_text(check(store), where="fake.toml", **options))
    return console.file.getvalue()


def test_a_whole_study_has_no_findings(store):
    assert files(store) == []
    assert "0 damaged or missing" in said(store)


@pytest.mark.parametrize("file", ONE_OF_EACH.values(), ids=ONE_OF_EACH)
def test_a_damaged_file_is_found_moved_aside_whole_and_no_longer_in_the_way(store, file):
    path = store.folder / file
    damaged = path.read_bytes()[40:]
    path.write_bytes(damaged)
    found = check(store)
    assert [finding.file for finding in found.findings] == [file]
    assert f"{file}: " in said(store)
    aside = repair(store, found.findings)
    assert (aside / file).read_bytes() == damaged
    assert files(store) == []
    if file not in ("spec.toml", "predictions/labels.npy"):  # Which the next `run` writes again.
        store.read_all()


@pytest.mark.parametrize("file", ONE_OF_EACH.values(), ids=ONE_OF_EACH)
def test_a_missing_file_is_found_and_forgotten_by_the_repair(store, file):
    (store.folder / file).unlink()
    if file.startswith(("checkpoints", "models")):
        assert files(store) == []  # A training starts over; the export says what it lacks.
        return
    assert files(store) == [file]
    repair(store, check(store).findings)
    assert files(store) == []


def test_where_the_record_of_the_reviews_is_damaged_nothing_else_is(tmp_path):
    # A study without predictions, too.
    store = Store(stored("interrupted", tmp_path))
    (store.folder / "corpus.json").write_bytes(b"{")
    assert files(store) == ["corpus.json"]
    repair(store, check(store).findings)
    assert files(store) == []


def test_with_damaged_predictions_their_run_is_moved_aside_to_be_trained_again(store):
    path = store.folder / "predictions" / "winner-s1.npy"
    path.write_bytes(bytes(path.stat().st_size))
    record = (store.folder / "runs" / "winner-s1.json").read_bytes()
    aside = repair(store, check(store).findings)
    assert (aside / "runs" / "winner-s1.json").read_bytes() == record
    assert store.read(Run, "winner-s1") is None


@pytest.mark.parametrize("file", ["runs/{}.json", "predictions/{}.npy"])
def test_a_lost_mean_of_last_epochs_is_evaluated_again_with_its_training(store, file):
    run, labels = store.read(Run, "winner-s1"), store.read_predictions("labels")
    name = "winner-last-three-s1"
    store.write(replace(run, run_id=name, arm="winner-last-three", trained_as=run.run_id))
    store.write_predictions(name, store.read_predictions(run.run_id), labels)
    (store.folder / file.format(name)).unlink()
    repair(store, check(store).findings)
    assert store.read(Run, name) is None
    assert store.read(Run, run.run_id) is None
    assert check(store).findings == ()


@pytest.mark.parametrize(
    "change", [{"train_loss": 0.5}, {"epoch": 99}], ids=["another training", "another epoch"]
)
def test_the_weights_of_another_run_are_found_and_not_exported(store, change):
    run = store.read(Run, "winner-s1")
    epochs = run.epochs if "epoch" not in change else run.epochs[:-1]
    others = (*epochs[:-1], replace(epochs[-1], **change | {"epoch": epochs[-1].epoch}))
    path = store.weights_path("winner-s1")
    write_checkpoint(path, Checkpoint(epochs=run.epochs, variables=(np.zeros(3),)))
    assert files(store) == []
    assert read_weights(path, run) is not None
    write_checkpoint(path, Checkpoint(epochs=others, variables=(np.zeros(3),)))
    assert files(store) == ["models/winner-s1.npz"]
    with pytest.raises(RecordError, match=r"models/winner-s1\.npz: is of another training"):
        read_weights(path, run)
    repair(store, check(store).findings)
    assert store.read(Run, "winner-s1") is None


def test_after_a_damaged_trial_the_search_is_not_finished(store):
    path = store.folder / "trials" / "b0-00-r0.json"
    path.write_text("{}")
    assert store.read_state(SearchState).stopped == ""
    repair(store, check(store).findings)
    assert store.read_state(SearchState).stopped is None


def test_a_trial_of_an_older_backup_is_found_and_trained_again(store):
    whole = store.read(Trial, "b0-00-r0")
    older = replace(whole, status="running", epochs=(), score=None, score_last_epoch=None,
                    score_best_epoch=None, ended_at="")  # fmt: skip
    store.write(older)
    with pytest.raises(RecordError, match=r"b0-00-r0\.json: has not ended, .* --repair` moves it"):
        store.check_complete()
    assert files(store) == [TRIAL]
    repair(store, check(store).findings)
    assert store.read_state(SearchState).stopped is None
    assert store.lost_trials() == {"b0-00-r0"}
    assert files(store) == []
    # In a search that has not ended, trials may be under way.
    store.write(older)
    assert files(store) == []


def test_an_older_backup_of_a_finalist_or_of_a_trial_that_others_follow_is_found(store):
    plan = store.read_state(SearchState)
    # A limit ended the search: what was being trained then stays as it is.
    store.write_state(replace(plan, stopped="search.time_limit of 1 h is reached"))
    unfinished = {"status": "interrupted", "epochs": (), "score": None, "score_last_epoch": None,
                  "score_best_epoch": None, "ended_at": ""}  # fmt: skip
    child = next(each for each in store.read_trials() if each.parent is not None)
    parent = store.read(Trial, child.parent)
    parents = {each.parent for each in store.read_trials()}
    interrupted = next(each for each in store.read_trials() if each.trial_id not in parents)
    store.write(replace(interrupted, **unfinished))
    assert files(store) == []

    store.write(replace(parent, **unfinished))
    finalist = replace(child, trial_id="f-1-s1", role="finalist", parent=child.trial_id, round=0,
                       initial_epoch=0, bracket=0, **unfinished)  # fmt: skip
    store.write(finalist)
    older = [f"trials/{parent.trial_id}.json", "trials/f-1-s1.json"]
    assert sorted(files(store)) == sorted(older)
    repair(store, check(store).findings)
    # Until they have been trained again, they have not ended.
    store.write(replace(parent, **unfinished))
    store.write(finalist)
    assert files(store) == []


def test_a_search_that_ends_while_it_is_looked_at_leaves_no_older_copy(store):
    whole, ended = store.read(Trial, "b0-00-r0"), store.read_state(SearchState)
    store.write(replace(whole, status="running", score=None, score_last_epoch=None,
                        score_best_epoch=None, ended_at=""))  # fmt: skip
    store.write_state(replace(ended, stopped=None))
    look = Snapshot(store.folder)
    look.read_trials()
    store.write(whole)
    store.write_state(ended)
    look.check_complete()


def test_a_file_that_may_not_be_read_is_no_damaged_one(store, monkeypatch):
    def refuse(path, *, limit):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("lstm_study.store.files.read_bytes", refuse)
    with pytest.raises(StoreError, match=r"Permission denied.* Correct its permissions") as caught:
        check(store)
    assert "--repair" not in str(caught.value)


def flip_line(path: Path, number: int) -> None:
    """Changes a letter of a line."""
    lines = path.read_bytes().split(b"\n")
    lines[number] = lines[number].replace(b"file", b"fule", 1)
    path.write_bytes(b"\n".join(lines))


def losing(store: Store, *lost: str) -> None:
    for file in lost:
        (store.folder / file).unlink()
    repair(store, check(store).findings)


TRIAL = "trials/b0-00-r0.json"


@pytest.mark.parametrize("damage", ["gone", "the first line", "the line that says so", "zeroed"])
def test_a_repaired_study_whose_ledger_is_damaged_later_knows_its_lost_trials(store, damage):
    losing(store, TRIAL)
    assert store.lost_trials() == {"b0-00-r0"}
    path = store.ledger.path
    if damage == "gone":
        path.unlink()
    elif damage == "zeroed":
        path.write_bytes(bytes(path.stat().st_size))
    else:
        flip_line(path, 0 if damage == "the first line" else -2)
    again = Store(store.folder)
    assert "ledger.jsonl" in files(again)
    repair(again, check(again).findings)
    assert files(again) == []
    assert Store(store.folder).lost_trials() == {"b0-00-r0"}


def test_a_trial_that_is_lost_together_with_the_ledger_is_known_to_be_lost(store):
    (store.folder / TRIAL).write_text("{}")
    store.ledger.path.unlink()
    assert files(store) == [TRIAL, "ledger.jsonl"]
    repair(store, check(store).findings)
    assert Store(store.folder).lost_trials() == {"b0-00-r0"}


def test_a_lost_trial_is_known_where_the_plan_and_then_the_ledger_are_lost(store):
    losing(store, TRIAL)
    losing(store, "plan.json")
    plan_state.write_plan(Plan(brackets=(), exhausted=False), store)
    losing(store, "ledger.jsonl")
    assert Store(store.folder).lost_trials() == {"b0-00-r0"}


@pytest.mark.parametrize("line", [0, -2])
def test_a_file_that_is_gone_is_found_beside_a_damaged_ledger(store, line):
    listed = [*store.ledger.files()]
    assert TRIAL in listed[3:-2]
    (store.folder / TRIAL).unlink()
    flip_line(store.ledger.path, line)
    assert sorted(files(Store(store.folder))) == ["ledger.jsonl", TRIAL]


@pytest.mark.parametrize("kept", [0, 3, 9])
def test_a_ledger_that_was_cut_is_found(store, kept):
    lines = store.ledger.path.read_bytes().splitlines(keepends=True)
    store.ledger.path.write_bytes(b"".join(lines[:kept]))
    found = check(Store(store.folder))
    assert [each.problem for each in found.findings] == [CUT]
    with pytest.raises(RecordError, match=r"ledger\.jsonl: does not list all records"):
        Store(store.folder).read_all()
    repair(Store(store.folder), found.findings)
    assert files(Store(store.folder)) == []


def test_reads_that_an_earlier_list_and_log_together_do_not_hold_are_noticed(store):
    assert store.read_all().unlogged_runs == ()
    for path, kept in ((store.ledger.path, 9), (store.path(Opening), 2)):
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:kept]))
    restored = Store(store.folder)
    assert files(restored) == ["ledger.jsonl"]
    repair(restored, check(restored).findings)
    assert files(Store(store.folder)) == []
    records = Store(store.folder).read_all()
    evaluated = {run.run_id for run in records.runs if run.test_accuracy is not None}
    logged = {opening.run_id for opening in records.openings}
    assert {*records.unlogged_runs} == {*evaluated, "control"} - logged


def test_without_ledger_and_plan_it_says_what_is_forgotten(store):
    store.ledger.path.unlink()
    assert "a trial that an earlier repair found gone" not in said(store)
    (store.folder / "plan.json").write_text("{}")
    assert (
        "one that is missing goes unnoticed, and so does a trial that an earlier repair found gone"
        in said(store)
    )


def test_what_the_study_began_with_cannot_be_made_again(store):
    (store.folder / "study.json").unlink()
    found = check(store)
    assert [finding.file for finding in found.findings] == ["study.json"]
    assert found.repairable == ()
    assert "Restore study.json from a copy" in said(store)
    with pytest.raises(RecordError, match=r"study\.json: is missing\. Restore it from a copy"):
        store.read_began()


def test_an_empty_folder_holds_no_study(tmp_path):
    with pytest.raises(StoreError, match="no study has been started here"):
        check(Store(tmp_path))


@pytest.mark.parametrize("file", ["verdicts.json", "near-duplicates.json", "checkpoints", "runs"])
def test_files_of_a_study_without_its_beginning_are_not_taken_into_another_one(
    store, tmp_path, file
):
    # As a copy that was stopped leaves them, and `--fresh` killed while it moves files away.
    rest = Store(tmp_path / "rest")
    rest.folder.mkdir()
    (store.folder / file).rename(rest.folder / file)
    for read in (rest.check_complete, rest.read_began, lambda: check(rest)):
        with pytest.raises(RecordError, match=r"study\.json: is missing\. Restore it from a copy"):
            read()
    assert rest.move_away() is not None
    rest.check_complete()


def test_a_study_of_an_earlier_version_is_whole_and_has_no_digests_yet():
    store = Store(EARLIER_RECORDS)
    found = check(store)
    assert found.findings == ()
    assert found.files > 140
    assert "without digests" in said(store)


def test_an_earlier_studys_files_get_digests_and_are_listed(tmp_path):
    for path in EARLIER_RECORDS.rglob("*"):
        if path.is_file():
            target = tmp_path / path.relative_to(EARLIER_RECORDS)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(path.read_bytes())
    store = Store(tmp_path)
    before = store.read_all()
    add_missing_digests(store)
    after = store.read_all()
    assert (before.trials, before.runs, before.openings) == (
        after.trials, after.runs, after.openings,
    )  # fmt: skip
    for kind in KINDS:
        for path in tmp_path.glob(kind.path) if kind.type and not kind.is_lines else ():
            assert unseal(path.read_text().rstrip("\n"))[1], path
    assert check(store).is_sealed
    run = tmp_path / "runs" / "winner-s1.json"
    values = json.loads(unseal(run.read_text().rstrip("\n"))[0])
    run.write_text(json.dumps(values | {"test_accuracy": 0.9}))
    assert files(store) == ["runs/winner-s1.json"]


@pytest.mark.parametrize("pattern", ["trials/*.json", "runs/*.json", "predictions/*", "plan.json"])
def test_a_repaired_study_of_an_earlier_version_lists_all_that_is_there(tmp_path, pattern):
    shutil.copytree(EARLIER_RECORDS, tmp_path / "imdb")
    store = Store(tmp_path / "imdb")
    victim = sorted(store.folder.glob(pattern))[0]
    victim.write_bytes(victim.read_bytes()[:50])
    repair(store, check(store).findings)
    _begin_again(store)
    found = check(Store(store.folder))
    assert (found.findings, found.is_sealed) == ((), True)


def _begin_again(store: Store) -> None:
    began = store.read_began()
    store.begin(
        store.read_spec(),
        spec_text=store.read_spec_text(),
        settings=began.settings,
        data_digest=began.data_digest,
    )


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("before", ["an interrupted command", "a report"])
def test_an_earlier_study_with_some_digests_gets_the_others(tmp_path, monkeypatch, before):
    shutil.copytree(EARLIER_RECORDS, tmp_path / "imdb")
    store = Store(tmp_path / "imdb")
    if before == "a report":
        store.write_state(store.read_state(ReportState))
    else:
        with monkeypatch.context() as patched:
            patched.setattr(Store, "read_predictions", _interrupt)
            with pytest.raises(KeyboardInterrupt):
                _begin_again(store)
    assert store.ledger.exists
    _begin_again(Store(store.folder))
    found = Store(store.folder)
    assert (check(found).findings, found.ledger_problem()) == ((), "")
    assert {"predictions/labels.npy", "trials/b0-00-r0.json"} <= found.ledger.files().keys()


LEFT_BY_OTHERS = {
    "macOS": "._{name}",
    "rsync": ".{name}.Ab3dEf",
    "Nextcloud": "{stem} (conflicted copy 2026-01-02 030405){suffix}",
    "Syncthing": "{stem}.sync-conflict-20260102-030405-ABCDEFG{suffix}",
    "Windows": "{stem} - Copy{suffix}",
    "Google Drive": "{stem} (1){suffix}",
    "an editor": "{name}~",
}


@pytest.mark.parametrize("pattern", LEFT_BY_OTHERS.values(), ids=LEFT_BY_OTHERS)
def test_files_that_other_programs_left_are_passed_over(store, pattern):
    before = store.read_all()
    left = []
    for path in sorted(each for each in store.folder.rglob("*") if each.is_file()):
        name = pattern.format(name=path.name, stem=path.stem, suffix=path.suffix)
        (path.with_name(name)).write_bytes(
            b"\0\5\26\7" if name.startswith(".") else path.read_bytes()
        )
        left.append(str(path.with_name(name).relative_to(store.folder)))
    assert files(store) == []
    assert Store(store.folder).read_all().trials == before.trials
    assert Store(store.folder).read_runs() == list(before.runs)
    found = set(check(store).passed_over)
    assert found <= set(left)
    if pattern.startswith("._"):
        assert "trials/._b0-00-r0.json" in found
        assert "Not this study's, and passed over: trials/._" in said(store)


def test_what_only_a_copy_brings_back_is_named_once_it_is_moved_aside(store):
    losing = ("seeds.json", "plan.json")
    for file in losing:
        (store.folder / file).unlink()
    found = check(store)
    aside = repair(store, found.findings)
    console = Console(file=io.StringIO(), width=300, no_color=True)
    console.print(check_text(found, where="fake.toml", aside=aside))
    text = console.file.getvalue()
    assert "Make the others again with: lstm-study run fake.toml" in text
    path = store.folder / "seeds.json"
    assert f"seeds.json can't be made again: if you have a copy of it, put that at {path}" in text
    assert "plan.json can't" not in text


def test_what_a_repair_lost_is_told_from_then_on_by_check_status_and_verdict(
    store, tmp_path, monkeypatch
):
    (store.folder / "verdicts.json").unlink()
    repair(store, check(store).findings)
    lost = "A repair moved verdicts.json aside, and nothing makes it again: the number of looks at "
    monkeypatch.chdir(tmp_path)
    path = leave(completed_study(), tmp_path)
    study = replace(open_study(path), store=Store(store.folder))
    for _ in range(2):  # a verdict writes the file again, but not the looks that were lost
        assert lost in said(Store(store.folder))
        assert lost in read_status(study).problem
        assert lost in " ".join(read_answer(study).verdict.notes)
        assert (store.folder / "verdicts.json").exists()


@pytest.mark.parametrize("kind", [SeedsState, VerdictsState])
def test_a_copy_that_is_put_back_after_a_repair_is_read(store, kind):
    before = store.path(kind).read_bytes()
    store.path(kind).unlink()
    repair(store, check(store).findings)
    store.path(kind).write_bytes(before)
    assert files(Store(store.folder)) == []
    assert Store(store.folder).lost_in_words() == []
    assert Store(store.folder).read_state(kind) is not None


def test_the_advice_of_a_check_is_quoted_for_the_shell(store):
    (store.folder / "plan.json").write_text("{}")
    console = Console(file=io.StringIO(), width=300, no_color=True)
    console.print(check_text(check(store), where="my reviews.toml"))
    assert "lstm-study check 'my reviews.toml' --repair" in console.file.getvalue()


EARLIER_COPIES = {
    "verdicts.json": VerdictsState(),
    "seeds.json": SeedsState(),
    "arms.json": ArmsState(fixed_at="t", arms={}, own_epochs={}),
    "plan.json": SearchState(trials=3, epochs=9, exhausted=False, brackets=(), stopped=""),
}


@pytest.mark.parametrize("file", EARLIER_COPIES)
def test_an_earlier_copy_of_a_state_is_found(store, file):
    now = store.read_state(type(EARLIER_COPIES[file]))
    store.write_state(EARLIER_COPIES[file])
    earlier = (store.folder / file).read_bytes()
    store.write_state(now)
    assert files(store) == []
    (store.folder / file).write_bytes(earlier)
    assert files(store) == [file]
    with pytest.raises(RecordError, match=rf"{file}: is not the one that ledger\.jsonl lists"):
        Store(store.folder).read_state(type(now))
    repair(store, check(store).findings)
    assert files(store) == []


@pytest.mark.parametrize("file", ["trials/b0-00-r0.json", "runs/winner-s1.json", "control.json"])
def test_a_record_of_another_study_with_the_same_names_is_found(store, file, tmp_path):
    other = Store(tmp_path / "other")
    kind = kind_of(file).type
    record = store.read(kind, "" if kind is Control else Path(file).stem)
    other.write(replace(record, worker="w9"))
    shutil.copyfile(other.folder / file, store.folder / file)
    assert files(store) == [file]


def test_a_state_that_is_newer_than_the_list_is_not_called_the_earlier_one(store):
    listed = store.ledger.path.read_bytes()
    store.write_state(VerdictsState())
    store.ledger.path.write_bytes(listed)
    with pytest.raises(RecordError, match="one of the two is an earlier copy"):
        Store(store.folder).read_state(VerdictsState)
    assert files(Store(store.folder)) == ["verdicts.json"]


def test_a_kill_between_list_and_state_loses_nothing(store, monkeypatch):
    looks = store.read_state(VerdictsState).looks
    with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
        killed.setattr("lstm_study.store.files.write_text", _killed)
        store.write_state(VerdictsState(looks=(*looks, *looks)))
    resumed = Store(store.folder)
    assert files(resumed) == []
    assert resumed.read_state(VerdictsState).looks == looks
    resumed.write_state(VerdictsState(looks=(*looks, *looks)))
    assert len(Store(store.folder).read_state(VerdictsState).looks) == 2 * len(looks)


def _killed(*_):
    raise KeyboardInterrupt


def test_a_digest_whose_line_was_lost_makes_no_file_an_earlier_copy(store):
    looks = store.read_state(VerdictsState).looks
    store.write_state(VerdictsState(looks=(*looks, *looks)))
    lines = store.ledger.path.read_bytes().splitlines()
    lines[-1] = lines[-1][:-30]
    store.ledger.path.write_bytes(b"\n".join([*lines, b""]))
    assert files(Store(store.folder)) == ["ledger.jsonl"]
