"""What `status` shows of a running search: rounds, rate and workers."""

import io
import json
import re
import time
from collections import Counter
from dataclasses import replace
from statistics import fmean

import pytest
from rich.console import Console

from lstm_study.analysis.answer.ablation import ablation_trainings
from lstm_study.cli.text.studies import status_text
from lstm_study.commands import Silent, check, compare, open_study, read_status, repair
from lstm_study.commands.list_studies import list_studies
from lstm_study.commands.outputs import is_report_current
from lstm_study.commands.watch import progress
from lstm_study.records import Control, NearDuplicates, Role, Trial
from lstm_study.records.state import (
    AddedSeeds,
    ArmsState,
    BracketState,
    Extent,
    Live,
    QuickState,
    ReportState,
    RoundState,
    SearchState,
    SeedsState,
    StudyState,
)
from lstm_study.records.trainings import trainings_sha256
from lstm_study.schedule import hyperband
from lstm_study.spec import StudySpec
from lstm_study.store import Store
from lstm_study.store.files import StudyFiles
from tests.support.fake_study import completed_study, interrupted_study
from tests.support.stored_study import MADE, leave, leave_finished


def bracket(number: int, *rounds: tuple[int, int], role: Role = "search") -> BracketState:
    """Makes a bracket of (trials, last epoch) per round."""
    found = tuple(RoundState(trials=n, initial_epoch=0, budget_epochs=to) for n, to in rounds)
    return BracketState(iteration=0, bracket=number, role=role, rounds=found)


PLAN = SearchState(
    trials=31,
    epochs=150,
    exhausted=False,
    brackets=(
        *(
            bracket(each.bracket, *((item.trials, item.budget_epochs) for item in each.rounds))
            for each in hyperband(max_epochs=9, factor=3, iterations=1)
        ),
        bracket(0, (8, 9), role="control"),
    ),
)


NO_OWN_EPOCHS = ArmsState(fixed_at="t", arms={}, own_epochs={})


@pytest.fixture
def store(tmp_path, monkeypatch) -> Store:
    """A search that was interrupted after six trials, in the current folder."""
    monkeypatch.chdir(tmp_path)
    leave(interrupted_study(), tmp_path)
    found = Store(tmp_path / "study/runs/fake")
    found.write_state(PLAN)
    return found


def said() -> str:
    console = Console(file=io.StringIO(), width=1000, no_color=True, highlight=False)
    console.print(status_text(read_status(open_study("fake.toml"))))
    return console.file.getvalue()


def test_it_counts_each_brackets_rounds_and_tells_the_control_from_bracket_0(store):
    lines = [line.strip() for line in said().splitlines()]
    assert "bracket 2: 0 of 9 to epoch 1, 0 of 3 to epoch 3, 0 of 1 to epoch 9" in lines
    assert "bracket 1: 2 of 5 to epoch 3, 1 of 2 to epoch 9" in lines
    assert "bracket 0: 3 of 3 to epoch 9" in lines
    assert "random control: 0 of 8 to epoch 9" in lines


def test_of_a_search_that_nobody_holds_it_shows_no_worker(store):
    store.write_live("w1", Live(training_id="b2-07-r0"))
    assert "b2-07-r0" not in said()


def test_of_a_search_at_work_it_shows_what_each_worker_trains(store):
    at = Live(training_id="b2-07-r0", epochs=1, epoch=1, step=30, steps=250)
    with store.hold("lstm-study search fake.toml"):
        store.write_time_left("Search", 125.0)
        store.write_live("w1", at)
        store.write_live("w2", Live())
        found = said()
    assert "in use by process" in found
    (counts,) = [line for line in found.splitlines() if line.startswith("Search")]
    assert "6 of 31 done" in counts
    assert "epochs a" in counts
    assert "about 2 min 5 s left" in counts
    assert "w1: b2-07-r0 epoch 1 of 1 (30 of 250 steps), vocabulary" in found
    assert "w2: waits for its next training" in found


def test_of_a_comparison_at_work_it_shows_the_classical_control_by_its_parts(store):
    at = Live(training_id="control", step=2, steps=9)
    with store.hold("lstm-study compare fake.toml"):
        store.write_time_left("Comparison", 125.0)
        store.write_live("w1", at)
        found = said()
    assert "w1: control part 3 of 9, logistic regression over words and pairs of words" in found


def test_of_a_copy_it_names_the_process_of_the_other_machine(store):
    """As of a study that a GPU box trains, and that is copied to a laptop now and then."""
    (store.folder / "lock").write_text("process 7 on box (`lstm-study run fake.toml`)\n")
    assert re.search(r"In use +not on this machine; by process 7 on box \(`lstm-study run", said())
    headline = progress(open_study("fake.toml"))["headline"]
    assert headline.startswith("No command is running on this machine, but process 7 on box")
    with store.hold("lstm-study search fake.toml"):
        assert "not on this machine" not in said()


def test_before_an_epoch_has_ended_it_says_no_pace(store):
    found = read_status(open_study("fake.toml"))
    search = replace(found.stages[0], done=0, epochs=0, seconds=8.0)
    console = Console(file=io.StringIO(), width=1000)
    console.print(status_text(replace(found, stages=(search,))))
    assert "0 of 31 done" in console.file.getvalue()
    assert "8 s spent" in console.file.getvalue()
    assert "epochs a" not in console.file.getvalue()


def test_of_a_worker_that_sends_nothing_it_says_for_how_long(store):
    at = Live(training_id="b2-07-r0", epochs=1, epoch=1, step=30, steps=250, at=time.time() - 125)
    with store.hold("lstm-study search fake.toml"):
        store.write_time_left("Search", 125.0)
        store.write_live("w1", at)
        found = said()
    assert re.search(r"\(30 of 250 steps\), silent for 2 min \d+ s; replaced if it stays", found)


def test_only_a_report_that_was_made_from_its_records_is_its_report(store, tmp_path):
    folder = tmp_path / "reports" / "fake"
    (folder / "model").mkdir(parents=True)
    (folder / "report.html").write_text("")
    (folder / "model" / "sentiment-lstm.keras").write_text("")
    for made_at in ("2026-01-01", "2026-01-02"):
        (folder / "manifest.json").write_text(json.dumps({"made_at": made_at}))
        assert re.search(r"Report +not written yet *\nModel +not written yet", said())
    store.write_state(ReportState(made_at="2026-01-02", versions={}, git_commit="", model=""))
    for made_at in ("2026-01-01", "2026-01-02"):
        (folder / "manifest.json").write_text(json.dumps({"made_at": made_at}))
        is_last = made_at == "2026-01-02"
        assert ("reports/fake/report.html" in said()) == is_last
        assert bool(re.search(r"Report +in another folder: give it with --out", said())) != is_last


def test_only_a_bundle_of_one_of_its_runs_is_its_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = completed_study()
    leave(study, tmp_path)
    folder = tmp_path / "reports" / "fake" / "model"
    folder.mkdir(parents=True)
    (folder / "sentiment-lstm.keras").write_text("")
    run = next(run for run in study.runs if run.arm == "winner")
    own = {"run_id": run.run_id, "test_accuracy": run.test_accuracy}
    for about, is_own in (
        ({"made_at": run.ended_at, "run": own}, True),
        ({"made_at": run.started_at, "run": own}, False),
        ({"made_at": run.ended_at, "run": own | {"test_accuracy": 0.5}}, False),
        ({"made_at": run.ended_at, "run": own | {"run_id": "winner-s9"}}, False),
        ({}, False),
    ):
        (folder / "configuration.json").write_text(json.dumps(about))
        assert (read_status(open_study("fake.toml")).model != "") == is_own


def test_a_file_that_differs_from_what_was_run_is_said_to_and_counts_only_if_it_may(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    path = leave_finished(completed_study(), tmp_path)
    assert re.search(r"Comparison +8 of 8 done", said())
    assert "differs" not in said()
    path.write_text(path.read_text().replace("seeds = 4", "seeds = 2", 1))
    assert re.search(r"Comparison +8 of 8 done", said())
    assert "differs from what the study was run with" in said()
    assert "with, and all below describes the run: compare.seeds was 4, is 2." in said()
    path.write_text(path.read_text().replace("seeds = 2", "seeds = 6", 1))
    assert re.search(r"Comparison +8 of 12 done", said()), "seeds may be added"
    assert "with, which `run` will use: compare.seeds was 4, is 6." in said()


def test_settings_that_a_study_was_run_with_are_named_where_they_are_left_out(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    path = leave_finished(completed_study(), tmp_path)
    text, store = path.read_text(), Store(tmp_path / "study/runs/fake")
    began = replace(store.read_began(), settings=("compare.seeds=4", 'data.path="a.csv"'))
    store.write_state(began)
    path.write_text(text.replace("seeds = 4", "seeds = 2", 1))
    assert "It was run with --set compare.seeds=4." in " ".join(said().split())
    with_them = read_status(open_study("fake.toml", settings=["compare.seeds=4"]))
    assert with_them.differences == ()


@pytest.mark.parametrize("is_at_work", [True, False])
def test_a_quick_comparison_is_counted_by_what_it_trains(tmp_path, monkeypatch, is_at_work):
    monkeypatch.chdir(tmp_path)
    study = completed_study()
    text = study.spec_text.replace("seeds = 4", "seeds = 9", 1)
    leave_finished(replace(study, spec_text=text), tmp_path)
    store = Store(tmp_path / "study/runs/fake")
    store.write_state(NO_OWN_EPOCHS)
    assert re.search(r"Comparison +8 of 18 done", said())
    if is_at_work:
        with store.hold("lstm-study run fake.toml --quick"):
            store.write_extent(Extent(most_seeds=4, primary_only=True))
            found = said()
    else:
        store.write_state(QuickState(at="t", seeds=4, planned=9, left_out=()))
        assert read_status(open_study("fake.toml")).state == "finished"
        found = said()
    assert re.search(r"Comparison +8 of 8 done \(of 18 of the whole comparison\)", found)


@pytest.mark.parametrize(
    ("options", "extent"),
    [
        ({"quick": True}, Extent(most_seeds=4, primary_only=True)),
        ({"only_seeds": 2}, Extent(most_seeds=2)),
        ({}, Extent()),
    ],
)
def test_a_comparison_writes_down_how_much_of_it_is_trained(tmp_path, monkeypatch, options, extent):
    monkeypatch.chdir(tmp_path)
    study = completed_study()
    leave_finished(study, tmp_path)
    opened = open_study("fake.toml")
    opened.store.write(
        NearDuplicates(
            shingle_words=8, threshold=0.5, test_reviews=9, positions=(), exact=0, other_label=0,
            seconds=1.0,
        )
    )  # fmt: skip
    with opened.store.hold("lstm-study compare fake.toml"):
        compare(opened, None, show=Silent(), **options)
        assert opened.store.read_extent() == extent


def test_a_whole_run_that_was_killed_before_its_next_training_is_no_finished_quick_study(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    study = completed_study()
    text = study.spec_text.replace("seeds = 4", "seeds = 9", 1)
    leave_finished(replace(study, spec_text=text), tmp_path)
    store = Store(tmp_path / "study/runs/fake")
    store.write_state(NO_OWN_EPOCHS)
    store.write_state(QuickState(at="t", seeds=4, planned=9, left_out=()))
    store.write_extent(Extent(most_seeds=4, primary_only=True))
    assert read_status(open_study("fake.toml")).state == "finished"
    store.write_extent(Extent())
    assert re.search(r"Comparison +8 of 18 done,", said())
    assert read_status(open_study("fake.toml")).state == "interrupted"


def test_each_record_is_read_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    leave_finished(completed_study(), tmp_path)
    read, paths = StudyFiles._read, []

    def counted(self, path, kind):
        paths.append(path)
        return read(self, path, kind)

    monkeypatch.setattr(StudyFiles, "_read", counted)
    assert read_status(open_study("fake.toml")).state == "finished"
    of_trainings = Counter(path for path in paths if path.parent.name in ("trials", "runs"))
    assert len(of_trainings) == 23 + 8
    assert set(of_trainings.values()) == {1}


def test_the_rest_of_a_comparison_that_was_quick_is_counted_once_it_has_begun(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    study = completed_study(seeds=5)
    leave_finished(replace(study, spec_text=study.spec_text.replace("= 4", "= 9", 1)), tmp_path)
    store = Store(tmp_path / "study/runs/fake")
    store.write_state(QuickState(at="t", seeds=4, planned=9, left_out=()))
    assert re.search(r"Comparison +10 of 18 done,", said())
    assert read_status(open_study("fake.toml")).state == "interrupted"


def test_a_search_that_a_limit_ended_says_which(store):
    store.write_state(replace(PLAN, stopped="search.time_limit of 5s is reached"))
    assert re.search(r"Search +6 of 31 done \(search.time_limit of 5s is reached\)", said())


def test_a_report_that_was_made_from_all_trainings_is_current_whatever_its_clock_said(store):
    runs = store.read_runs()
    own = trainings_sha256(store.read_trials(), runs, store.read(Control))
    early = replace(MADE, made_at="1970-01-01T00:00:00.000Z", trainings_sha256=own)
    store.write_state(early)
    assert is_report_current(store)
    late = replace(MADE, made_at="2999-01-01T00:00:00.000Z")
    store.write_state(replace(late, trainings_sha256=own))
    (trial, *_) = store.read_trials()
    store.write(replace(trial, ended_at="2026-01-01T00:00:09.000Z"))
    assert not is_report_current(store)
    store.write_state(late)
    assert is_report_current(store), "one of an earlier version is told by its time"


def test_a_lost_trial_counts_in_the_time_left_where_the_time_limit_is_used_up(store, tmp_path):
    path = tmp_path / "fake.toml"
    limited = path.read_text().replace("rerank = 0", 'rerank = 0\ntime_limit = "1s"')
    path.write_text(limited)
    began = store.read_began()
    search = began.spec["search"] | {"time_limit": "1s"}
    store.write_state(replace(began, spec=began.spec | {"search": search}))
    store.write_state(replace(PLAN, stopped="search.time_limit of 1s is reached"))
    (first, *_) = store.read_trials()
    store.path(Trial, first.trial_id).unlink()
    before = read_status(open_study("fake.toml")).time_left
    assert before is not None and before.search == 0.0
    repair(store, check(store).findings)
    after = read_status(open_study("fake.toml")).time_left
    assert after is not None
    own = sum(each.train_seconds + each.validation_seconds for each in first.epochs)
    assert own / 2 < after.search < 4 * own, "loading included"


@pytest.mark.parametrize("tuner", ["random", "bayesian", "grid"])
def test_a_search_that_is_given_more_trials_is_counted_with_them_before_it_resumes(
    tmp_path, monkeypatch, tuner
):
    monkeypatch.chdir(tmp_path)
    few = f'rerank = 0\ntuner = "{tuner}"\nmax_trials = 4\ncontrol = "random"'
    study = interrupted_study()
    path = leave(replace(study, spec_text=study.spec_text.replace("rerank = 0", few)), tmp_path)
    search, control = bracket(0, (4, 9)), bracket(0, (4, 9), role="control")
    plan = SearchState(
        trials=8, epochs=72, exhausted=False, brackets=(search, control), stopped=""
    )  # fmt: skip
    Store(tmp_path / "study/runs/fake").write_state(plan)
    assert re.search(r"Search +6 of 8 done", said())
    path.write_text(path.read_text().replace("max_trials = 4", "max_trials = 7"))
    assert re.search(r"Search +6 of 14 done", said())
    assert "bracket 0: 3 of 7 to epoch 9" in said()
    assert "random control: 0 of 7 to epoch 9" in said()


@pytest.mark.parametrize(("most", "total"), [(10, 25), (5, 20), (40, 31)])
def test_a_limit_below_the_schedule_is_how_many_trials_are_to_come(
    tmp_path, monkeypatch, most, total
):
    monkeypatch.chdir(tmp_path)
    study = interrupted_study()
    limited = study.spec_text.replace("rerank = 0", f"rerank = 0\nmax_trials = {most}")
    leave(replace(study, spec_text=limited), tmp_path)
    Store(tmp_path / "study/runs/fake").write_state(PLAN)
    # The control's 8 are not limited, and 7 of the search's have begun that the limit leaves out.
    assert re.search(rf"Search +6 of {total} done", said())
    (listed,) = list_studies(tmp_path / "study/runs")
    assert listed.planned_trials == total


def test_trainings_of_finalists_are_a_line_of_their_own_and_no_trials_of_the_list(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    study = completed_study()
    best = study.trials[-1]
    finalists = tuple(
        replace(best, trial_id=f"f-1-s{seed}", role="finalist", status=status, parent=best.trial_id)
        for seed, status in ((1, "completed"), (2, "completed"), (3, "interrupted"))
    )
    leave(replace(study, trials=(*study.trials, *finalists)), tmp_path)
    assert "finalists, with fresh seeds: 2 of 3" in said()
    (listed,) = list_studies(tmp_path / "study/runs")
    assert listed.trials == len(study.trials)


def test_a_file_that_is_gone_is_said_with_what_to_do(store):
    assert "Records" not in said()
    (first, *_) = store.read_trials()
    store.path(Trial, first.trial_id).unlink()
    assert re.search(
        rf"Records +\S+/{first.trial_id}\.json: is missing\. .*lstm-study check", said()
    )
    repair(store, check(store).findings)
    assert "Records" not in said()


def test_what_is_left_of_a_study_without_its_settings_is_said(store):
    store.path(StudyState).unlink()
    store.ledger.path.unlink()
    assert re.search(r"study\.json: is missing\. .*--fresh", said())


def test_a_search_whose_plan_was_lost_is_not_said_to_be_still_to_begin(store):
    store.path(SearchState).unlink()
    assert re.search(r"Search +6 done", said())


def test_before_a_search_has_ended_the_trainings_of_an_ablation_are_planned_too(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    totals = []
    study = interrupted_study()
    for name, added in (("without", ""), ("with", "\nablation = true")):
        text = study.spec_text.replace("validation_seeds = 1", "validation_seeds = 1" + added)
        leave(replace(study, name=name, spec_text=text), tmp_path)
        Store(tmp_path / "study/runs" / name).write_state(PLAN)
        totals.append(read_status(open_study(f"{name}.toml")).stages[1].total)
    without, with_it = totals
    # How many hyperparameters of each possible winner differ from the baseline's.
    baseline = StudySpec.model_validate(dict(study.spec), strict=False).baseline.configuration
    steps = fmean(ablation_trainings(baseline, trial.configuration) for trial in study.trials)
    assert with_it - without == round(steps) > 0


def test_a_repaired_trial_leaves_seeds_that_were_added_among_those_planned(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = completed_study(seeds=6)
    text = study.spec_text.replace("seeds = 6", "seeds = 4")
    leave_finished(replace(study, spec_text=text), tmp_path)
    found = Store(tmp_path / "study/runs/fake")
    found.write_state(SeedsState(added=(AddedSeeds(seeds=2, added_at="t", command="c"),)))
    assert re.search(r"Comparison +12 of 12 done", said())
    found.path(Trial, study.trials[3].trial_id).unlink()
    repair(found, check(found).findings)
    assert re.search(r"Comparison +12 of 12 done", said())


def test_a_damaged_ledger_keeps_nobody_from_reading_where_a_compared_study_stands(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    leave_finished(completed_study(), tmp_path)
    path = Store(tmp_path / "study/runs/fake").ledger.path
    path.write_bytes(path.read_bytes().replace(b"trials/b", b"trials/x", 1))
    assert read_status(open_study("fake.toml")).state == "finished"
    (listed,) = list_studies(tmp_path / "study/runs")
    assert (listed.state, listed.verdict) == ("finished", "cannot say"), "no look was noted"
