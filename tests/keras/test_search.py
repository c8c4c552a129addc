"""A search that has ended, and of which a trial was lost."""

from dataclasses import replace

import pytest

from lstm_study.commands import check, repair
from lstm_study.corpus.load import load
from lstm_study.corpus.types import Corpus
from lstm_study.progress.values import ignore
from lstm_study.records import Run
from lstm_study.records.state import SearchState
from lstm_study.search.oracle import RecordedHyperband
from lstm_study.search.plan_state import plan_search
from lstm_study.search.search import run_search
from lstm_study.search.stage import SearchStage
from lstm_study.store import Store
from tests.support.engine import CONTEXT, Threads, run_stage
from tests.support.tiny import SPEC, spec

MANY = ("search.tuner='random'", "search.max_trials=9", "search.max_epochs=2")
FEW = ("search.tuner='random'", "search.max_trials=3", "search.max_epochs=2")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Corpus:
    return load(spec().data, seed=spec().study.seed, cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture
def store(tmp_path, corpus) -> Store:
    """A search of which three trials have ended, and whose comparison has begun."""
    store, few = Store(tmp_path), spec(*FEW)
    store.begin(few, spec_text=SPEC, settings=(), data_digest="")
    plan = plan_search(few, store)
    stage = SearchStage(
        few, plan, RecordedHyperband(spec=few, plan=plan, store=store), store, report=ignore
    )
    run_stage(stage, Threads(store.scratch), store, spec=few, corpus=corpus)
    store.write(run_of("winner"))
    return store


def run_of(arm: str) -> Run:
    return Run(
        run_id=f"{arm}-s1", arm=arm, seed_index=1, seed=1,
        configuration=spec(*FEW).baseline.configuration, protocol_epochs=2,
    )  # fmt: skip


def resumed(store: Store, corpus: Corpus, *settings: str) -> str | None:
    """Runs the search to its end, and returns what ended it."""
    study = spec(*settings)
    run_search(
        study, store, plan_search(study, store), engine=Threads(store.scratch), corpus=corpus,
        context=CONTEXT, report=ignore,
    )  # fmt: skip
    state = store.read_state(SearchState)
    assert state is not None
    return state.stopped


def lose(store: Store, *files: str) -> None:
    for file in files:
        (store.folder / file).unlink()
    repair(store, check(store).findings)


def test_a_lost_trial_is_trained_again_where_a_limit_is_reached_and_no_other_is(store, corpus):
    before = store.read_trials()
    lose(store, "trials/b0-01-r0.json")
    limited = (*MANY, "search.time_limit='1s'")
    store.write(replace(store.read_sessions()[0], seconds=9.0))
    assert resumed(store, corpus, *limited) == "search.time_limit of 1s is reached"
    again = store.read_trials()
    assert [each.trial_id for each in again] == [each.trial_id for each in before]
    assert [each.score for each in again] == [each.score for each in before]
    assert store.lost_trials() == set()


def test_a_search_whose_last_trial_was_lost_has_reached_no_limit_but_its_end(store, corpus):
    lose(store, "trials/b0-01-r0.json")
    store.write(replace(store.read_sessions()[0], seconds=9.0))
    assert resumed(store, corpus, *FEW, "search.time_limit='1s'") == ""
    assert len(store.read_trials()) == 3


def test_a_baseline_that_was_trained_before_the_search_does_not_end_it(tmp_path, corpus):
    store = Store(tmp_path)
    store.begin(spec(*FEW), spec_text=SPEC, settings=(), data_digest="")
    store.write(run_of("baseline"))
    assert resumed(store, corpus, *FEW) == ""
    assert len(store.read_trials()) == 3


def test_once_test_was_opened_a_search_whose_plan_was_lost_trains_no_further_trial(store, corpus):
    lose(store, "plan.json")
    assert resumed(store, corpus, *MANY) == (
        "the comparison has begun, so that no further trials start"
    )
    assert len(store.read_trials()) == 3
    assert resumed(store, corpus, *FEW) == ""


def test_a_trial_that_is_gone_together_with_the_ledger_is_missed_and_trained_again(store, corpus):
    lose(store, "plan.json")
    assert resumed(store, corpus, *FEW) == ""
    before = store.read_trials()
    for file in ("trials/b0-01-r0.json", "ledger.jsonl"):
        (store.folder / file).unlink()
    again = Store(store.folder)
    found = check(again)
    assert {each.file for each in found.findings} == {"trials/b0-01-r0.json", "ledger.jsonl"}
    assert found.is_sealed, "it is not of an earlier version"
    repair(again, found.findings)
    assert resumed(again, corpus, *FEW) == ""
    assert [each.score for each in again.read_trials()] == [each.score for each in before]
