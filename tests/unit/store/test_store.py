"""Study files: whole or as they were, held by one, refused when they are another study's."""

import errno
import json
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from lstm_study.configuration import BASELINE
from lstm_study.errors import ChangedStudyError, RecordError, StoreError
from lstm_study.files import unseal
from lstm_study.records import Control, Failure, Opening, Run, Trial
from lstm_study.records.codec import from_json, to_json
from lstm_study.records.state import ArmsState, SearchState, StudyState
from lstm_study.store import Store
from lstm_study.store.ledger import Ledger
from tests.support.stored_study import EPOCH
from tests.support.tiny import SPEC, spec

TRIAL = Trial(
    trial_id="b2-03-r1", configuration=BASELINE, seed=7, iteration=0, bracket=2, round=1,
    initial_epoch=2, budget_epochs=4, parent="b2-03-r0", epochs=(replace(EPOCH, epoch=3),),
    failure=Failure(kind="bug", message="KeyError: 'ä'", traceback="…"), status="failed",
)  # fmt: skip

RUN = Run(
    run_id="baseline-s1", arm="baseline", seed_index=1, seed=1, configuration=BASELINE,
    protocol_epochs=1,
)  # fmt: skip


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def begin(store: Store, *settings: str, digest: str = "d") -> None:
    """Begins a study, or goes on with it, and leaves a trial: it has something to lose."""
    store.begin(spec(*settings), spec_text=SPEC, settings=settings, data_digest=digest)
    store.write(TRIAL)


def test_a_record_comes_back_as_it_was(tmp_path):
    store = Store(tmp_path)
    store.write(TRIAL)
    assert store.read(Trial, "b2-03-r1") == TRIAL
    assert store.read_trials() == [TRIAL]
    assert store.read(Trial, "b2-04-r1") is None
    assert from_json(to_json(TRIAL), Trial, where="") == TRIAL


def test_a_record_of_another_version_or_kind_is_refused():
    values = json.loads(unseal(to_json(TRIAL))[0])
    with pytest.raises(RecordError, match=r"schema_version must be 1 to 3\. Received: 4"):
        from_json(json.dumps(values | {"schema_version": 4}), Trial, where="x.json")
    with pytest.raises(RecordError, match="its digest is missing"):
        from_json(json.dumps(values), Trial, where="x.json")
    with pytest.raises(RecordError, match="is not a trial record"):
        from_json(json.dumps(values | {"kind": "run"}), Trial, where="x.json")


def test_a_record_from_before_padding_could_be_masked_was_not_masked():
    values = json.loads(unseal(to_json(replace(TRIAL, masked=True)))[0])
    assert from_json(json.dumps(values | {"schema_version": 2}), Trial, where="").masked
    del values["masked"]
    read = from_json(json.dumps(values | {"schema_version": 1}), Trial, where="x.json")
    assert read == replace(TRIAL, masked=False)


def test_a_study_from_before_padding_could_be_masked_is_not_gone_on_with_masked(tmp_path):
    store = Store(tmp_path)
    begin(store, "protocol.masked=false")
    path = tmp_path / "study.json"
    began = json.loads(unseal(path.read_text())[0])
    del began["spec"]["protocol"]["masked"]
    path.write_text(json.dumps(began))
    with pytest.raises(ChangedStudyError, match=r"protocol\.masked was false, is true"):
        begin(store, "protocol.masked=true")
    begin(store, "protocol.masked=false")
    assert store.read_all().spec["protocol"]["masked"] is False


def test_a_number_that_is_none_never_reaches_a_record():
    with pytest.raises(ValueError, match="JSON"):
        to_json(replace(TRIAL, score=float("nan")))


def test_a_torn_record_says_what_is_lost(tmp_path):
    store = Store(tmp_path)
    store.write(TRIAL)
    path = tmp_path / "trials" / "b2-03-r1.json"
    path.write_text(path.read_text()[:100])
    with pytest.raises(RecordError, match=r"b2-03-r1\.json: .* that training is repeated"):
        store.read_trials()


def test_a_folder_that_is_a_file_is_a_sentence(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        Store(tmp_path / "taken" / "a").hold("x").__enter__()


def test_below_a_file_no_study_has_begun_and_nothing_is_called_damaged(tmp_path):
    (tmp_path / "runs").touch()
    store = Store(tmp_path / "runs" / "tiny")
    assert not store.has_begun
    assert store.read_state(SearchState) is None


def test_the_log_of_openings_survives_a_torn_last_line(tmp_path):
    store = Store(tmp_path)
    first = Opening(opened_at="t1", command="c", run_id="baseline-s1")
    second = Opening(opened_at="t2", command="c", run_id="winner-s1")
    store.add_opening(first)
    with (tmp_path / "openings.jsonl").open("a") as file:
        file.write('{"kind": "open')
    assert store.read_openings() == [first]
    store.add_opening(second)
    assert store.read_openings() == [first, second]


def test_a_changed_spec_is_refused_by_the_names_of_its_keys(tmp_path):
    store = Store(tmp_path)
    begin(store)
    begin(store)
    with pytest.raises(ChangedStudyError) as caught:
        begin(store, "search.max_epochs=9", "protocol.batch_size=32")
    assert "protocol.batch_size was 16, is 32; search.max_epochs was 3, is 9" in str(caught.value)
    with pytest.raises(ChangedStudyError, match="the reviews are not those"):
        begin(store, digest="other")


def test_a_refusal_names_the_settings_that_the_study_began_with_and_that_are_left_out(tmp_path):
    store = Store(tmp_path)
    begin(store, "search.max_epochs=9", "data.path='a.csv'")
    with pytest.raises(ChangedStudyError) as caught:
        begin(store)
    assert "It was started with --set search.max_epochs=9: repeat that. Or start over" in str(
        caught.value
    )
    assert "data.path" not in str(caught.value)


def test_a_refusal_asks_for_no_setting_again_that_has_nothing_to_do_with_it(tmp_path):
    store = Store(tmp_path)
    begin(store, "compare.seeds=2", "space.maxlen.choices=[6]")
    with pytest.raises(ChangedStudyError, match=r"is 9\. Change that back, start over"):
        begin(store, "space.maxlen.choices=[6]", "search.max_epochs=9")
    with pytest.raises(ChangedStudyError, match=r"with --set 'space\.maxlen\.choices=.6.': repeat"):
        begin(store, "compare.seeds=3")


@pytest.mark.parametrize(
    "lost",
    [
        TRIAL,
        Control(),
        Opening(opened_at="t", command="c", run_id="winner-s1"),
    ],
)
def test_a_changed_spec_is_taken_until_there_is_something_to_lose(tmp_path, lost):
    store = Store(tmp_path)

    def begin_with(*settings: str) -> tuple[str, ...]:
        return store.begin(spec(*settings), spec_text=SPEC, settings=settings, data_digest="d")

    begin_with()
    plan = SearchState(trials=9, epochs=9, exhausted=False, brackets=(), stopped="a limit")
    store.write_state(plan)
    assert begin_with() == ()
    assert store.read_state(SearchState) == plan, "the same spec's"
    assert begin_with("search.max_epochs=9", "protocol.batch_size=32") == ()
    assert store.read_spec().search.max_epochs == 9
    assert store.read_state(SearchState) is None, "another spec's plan"
    for damage in (Path.unlink, lambda path: path.write_text("{")):
        store.write_state(plan)
        damage(store.path(StudyState))
        begin_with("search.max_epochs=9")
        assert store.read_state(SearchState) is None, "the plan of a spec that is not known"
    store.check_complete()
    if isinstance(lost, Opening):
        store.add_opening(lost)
    else:
        store.write(lost)
    with pytest.raises(ChangedStudyError):
        begin_with()


def test_a_study_whose_only_trial_is_gone_has_begun_all_the_same(tmp_path):
    store = Store(tmp_path)
    begin(store)
    store.path(Trial, TRIAL.trial_id).unlink()
    with pytest.raises(ChangedStudyError):
        begin(store, "search.max_epochs=9")


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        ("compare.seeds=2", "compare.seeds=3", True),
        ("search.max_trials=4", "search.max_trials=6", True),
        ("search.max_trials=6", "search.max_trials=4", False),
        ("search.time_limit='90m'", "search.time_limit='2h'", True),
        ("search.time_limit='2h'", "search.time_limit='90m'", False),
        ("search.disk_limit='900MB'", "search.disk_limit='1GB'", True),
        ("data.path='a.csv'", "data.path='b.csv'", True),
        ("study.title='a'", "study.title='b'", True),
    ],
)
def test_budgets_may_grow_and_never_shrink(tmp_path, before, after, allowed):
    store = Store(tmp_path)
    begin(store, before)
    if allowed:
        begin(store, after)
    else:
        with pytest.raises(ChangedStudyError):
            begin(store, after)


def test_a_limit_may_be_lifted_and_then_a_search_that_had_ended_goes_on(tmp_path):
    store = Store(tmp_path)
    begin(store, "search.max_trials=4")
    ended = SearchState(trials=4, epochs=4, exhausted=False, brackets=(), stopped="")
    store.write_state(ended)
    begin(store, "search.max_trials=4", "study.title='a'")
    assert store.read_state(SearchState) == ended
    begin(store)
    assert store.read_state(SearchState) == replace(ended, stopped=None)


def test_a_comparison_begins_with_its_arms_or_with_a_run_that_is_not_the_baselines(tmp_path):
    store, planned = Store(tmp_path / "trained"), Store(tmp_path / "planned")
    store.write(RUN)
    assert not store.is_compared, "a baseline may be trained before the search"
    store.write(replace(RUN, arm="winner", run_id="winner-s1"))
    assert store.is_compared
    planned.write_state(ArmsState(fixed_at="t", arms={"winner": BASELINE}, own_epochs={}))
    assert planned.is_compared


def test_trials_and_runs_are_read_in_the_order_of_their_numbers(tmp_path):
    store = Store(tmp_path)
    trials = ["b2-99-r0", "b2-100-r0", "b2-100-r1", "b10-00-r0"]
    runs = [("baseline", 1), ("baseline", 2), ("baseline", 10), ("winner", 1)]
    for trial_id in trials:
        store.write(replace(TRIAL, trial_id=trial_id))
    for arm, index in runs:
        store.write(replace(RUN, run_id=f"{arm}-s{index}", arm=arm, seed_index=index))
    assert [each.trial_id for each in store.read_trials()] == trials
    assert [(each.arm, each.seed_index) for each in store.read_runs()] == runs


def test_starting_over_moves_all_but_the_lock_aside_until_the_new_study_is_done(tmp_path):
    store = Store(tmp_path / "tiny")
    with store.hold("x"):
        begin(store)
        store.write(TRIAL)
        store.write_predictions("r", np.zeros(2, dtype=np.float32), np.zeros(2, dtype=np.int8))
        before = store.move_away()
        assert before is not None
        assert names_in(store.folder) == ["lock"]
        assert Store(before).read_trials() == [TRIAL]
        assert store.move_away() is None
        (tmp_path / "tiny.before-mine").mkdir()
        store.delete_moved_away()
        assert names_in(tmp_path) == ["tiny", "tiny.before-mine"]


@pytest.mark.parametrize("moves", range(1, 7))
def test_starting_over_that_is_killed_leaves_no_study_that_others_take_for_one(
    tmp_path, monkeypatch, moves
):
    store, left = Store(tmp_path / "tiny"), moves
    begin(store)
    store.write(TRIAL)
    store.write_predictions("r", np.zeros(2, dtype=np.float32), np.zeros(2, dtype=np.int8))
    rename = Path.rename

    def killed(path, target):
        nonlocal left
        if not left:
            raise KeyboardInterrupt
        left -= 1
        return rename(path, target)

    monkeypatch.setattr(Path, "iterdir", lambda path: iter(sorted(path.glob("*"), reverse=True)))
    monkeypatch.setattr(Path, "rename", killed)
    with suppress(KeyboardInterrupt):
        store.move_away()
    if names_in(store.folder):
        with pytest.raises(
            RecordError, match=r"study\.json: is missing\..* start over with --fresh"
        ):
            Store(store.folder).check_complete()


def test_sweeping_deletes_what_a_kill_left_half_written(tmp_path):
    store = Store(tmp_path)
    store.write(TRIAL)
    (tmp_path / "trials" / ".b2-03-r1.json.1-2~").write_text("half")
    for folder in (store.scratch / "w1", tmp_path / "live"):
        folder.mkdir(parents=True)
        (folder / "left").touch()
    store.sweep()
    assert names_in(tmp_path / "trials") == ["b2-03-r1.json"]
    assert names_in(tmp_path) == ["ledger.jsonl", "trials"]


@pytest.mark.parametrize("file", ["ledger.jsonl", "openings.jsonl"])
def test_a_disk_that_is_full_when_a_line_is_appended_is_said_in_a_sentence(
    tmp_path, monkeypatch, file
):
    store, open_file = Store(tmp_path), Path.open

    def full(path, *arguments, **options):
        if path.name == file:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return open_file(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(StoreError, match=rf"{file}: cannot be written \(No space.*Free space"):
        store.add_opening(Opening(opened_at="t", command="c", run_id="winner-s1"))


def test_a_line_of_the_log_is_one_line_that_does_nothing_to_a_terminal(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.log("run --data 'a\x1b[2Jb\nc'")
    store.log("again")
    first, second = store.log_path.read_text().splitlines()
    assert "\x1b" not in first
    assert second.endswith("Z again")


def test_a_study_that_is_being_written_to_is_not_taken_for_one_whose_ledger_was_cut(
    tmp_path, monkeypatch
):
    store, reader = Store(tmp_path), Store(tmp_path)
    begin(store)
    paths = Store.paths

    def meanwhile(self, kind):
        found = paths(self, kind)
        for number in range(3):
            store.write(replace(TRIAL, trial_id=f"b2-0{number}-r1", parent=f"b2-0{number}-r0"))
        return found

    assert reader.ledger.files()
    monkeypatch.setattr(Store, "paths", meanwhile)
    assert reader.ledger_problem() == ""


def test_an_error_of_a_damaged_ledger_says_what_to_do_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "tiny")
    begin(store)
    store.write_predictions("r", np.zeros(2, dtype=np.float32), np.zeros(2, dtype=np.int8))
    path = store.ledger.path
    path.write_bytes(path.read_bytes().replace(b"spec", b"sqec", 1))
    reader = Store(store.folder)
    for read in (
        reader.check_complete,
        reader.read_spec_text,
        partial(reader.read_predictions, "r"),
    ):
        with pytest.raises(RecordError, match=r"ledger\.jsonl:\d+: is not a complete") as caught:
            read()
        assert str(caught.value).count("`lstm-study check STUDY.toml --repair`") == 1


def test_the_list_of_files_grows_by_what_is_new_and_keeps_what_was_ever_taken_off(tmp_path):
    ledger, other = Ledger(tmp_path), Ledger(tmp_path)
    assert (ledger.exists, ledger.files(), ledger.removed()) == (False, {}, set())
    ledger.note("a", "1")
    ledger.note("a", "1")
    assert len(ledger.path.read_text().splitlines()) == 1, "what is listed is not listed again"
    assert other.files() == {"a": "1"}
    other.note("b")
    other.remove("a")
    other.remove("a")
    assert len(other.path.read_text().splitlines()) == 3
    assert ledger.removed() == {"a"}, "another process took it off"
    assert ledger.files() == {"b": ""}
    ledger.note("a", "2")
    assert (ledger.files(), ledger.removed()) == ({"b": "", "a": "2"}, {"a"})
    ledger.remove("a")
    assert Ledger(tmp_path).files() == {"b": ""}, "it was made again, and is taken off again"
    ledger.remove("gone before it was listed")
    assert Ledger(tmp_path).removed() == {"a", "gone before it was listed"}


def test_of_a_damaged_list_the_whole_lines_are_read_on_request(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.note("predictions/a.npy", "1")
    ledger.note("predictions/b.npy", "2")
    lines = ledger.path.read_text().splitlines(keepends=True)
    damaged = f"{lines[0]}{lines[1].replace('/b', '/c', 1)}"
    ledger.path.write_text(damaged)
    found = Ledger(tmp_path)
    with pytest.raises(RecordError):
        found.files()
    found.salvage()
    assert found.files() == {"predictions/a.npy": "1"}
    assert found.path.read_text() == damaged


def test_a_study_that_was_killed_as_it_began_has_not_been_started(tmp_path, monkeypatch):
    store = Store(tmp_path / "study")
    with monkeypatch.context() as patched:
        patched.setattr(Store, "write_state", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            begin(store)
    assert names_in(store.folder) == ["ledger.jsonl", "spec.toml"]
    with pytest.raises(StoreError, match="no study has been started here"):
        store.check_there_is_one()
    begin(store)
    store.check_there_is_one()
    store.path(StudyState).unlink()
    with pytest.raises(RecordError, match=r"study\.json: is missing"):
        store.read_began()


def test_kills_between_announcing_a_record_and_writing_it_leave_the_earlier_one_valid(
    tmp_path, monkeypatch
):
    store = Store(tmp_path)
    begin(store)
    path = store.path(Trial, TRIAL.trial_id)
    first, *others, last = (replace(TRIAL, seed=seed) for seed in range(4))
    store.write(first)
    earlier = path.read_text()
    for killed in others:
        with monkeypatch.context() as patched:
            patched.setattr("lstm_study.store.files.write_text", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                store.write(killed)
        # The next command lists another file first.
        store.add_opening(Opening(opened_at=str(killed.seed), command="c", run_id="r"))
        assert Store(tmp_path).read_trials() == [first]
    store.write(last)
    assert Store(tmp_path).read_trials() == [last]
    path.write_text(earlier)
    with pytest.raises(RecordError, match="earlier copy"):
        Store(tmp_path).read_trials()
