"""The time of a study, said before it and while it runs; and the pace that is kept for a day."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lstm_study.commands import Silent, open_study, progress
from lstm_study.commands.estimate import estimate, time_left_in_words, time_left_of
from lstm_study.commands.progress import progress_with_time_left
from lstm_study.duration import pace_measurement
from lstm_study.duration.pace_measurement import TIMING_VARIABLE, kept_pace
from lstm_study.engine.devices import Workers
from lstm_study.progress.values import Progress
from lstm_study.records import CorpusSummary
from lstm_study.records.state import BracketState, RoundState, SearchState
from tests.support.fake_study import interrupted_study
from tests.support.stored_study import leave

SIZE = Workers(count=2, threads=1)
MEASURED = {"points": [[1e8, 2e-11], [1e10, 1e-11]], "load_seconds": 4.0, "setup_seconds": 0.7}


class Recorded(Silent):
    """Keeps the last progress that it was shown."""

    def __init__(self) -> None:
        self.shown: list[Progress] = []

    def progress(self, progress: Progress) -> None:  # type: ignore[override]
        self.shown.append(progress)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pace that was measured just now, in a cache of its own; the file."""
    monkeypatch.setenv("LSTM_STUDY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv(TIMING_VARIABLE, "on")
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setattr(pace_measurement, "_measure", lambda size: MEASURED)
    monkeypatch.setattr(pace_measurement, "_is_busy", lambda: False)
    assert pace_measurement.machine_pace(SIZE) is not None
    return tmp_path / "cache" / "pace.json"


def test_a_pace_is_kept_for_a_day_for_so_many_workers_on_one_machine(kept: Path) -> None:
    found = kept_pace(SIZE)
    assert found is not None
    assert found.points == ((1e8, 2e-11), (1e10, 1e-11))
    assert found.basis.startswith("training steps timed on this machine at 2")
    assert kept_pace(Workers(count=3, threads=1)) is None
    assert kept_pace(Workers(count=2, threads=1, gpus=("GPU-0",))) is None
    written = json.loads(kept.read_text())
    kept.write_text(json.dumps(written | {"at": time.time() - 25 * 3600}))
    assert kept_pace(SIZE) is None


def test_a_pace_measured_beside_other_work_is_measured_again_soon(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace_measurement, "_is_busy", lambda: True)
    pace_measurement.machine_pace(SIZE)
    assert kept_pace(SIZE) is not None
    written = json.loads(kept.read_text())
    kept.write_text(json.dumps(written | {"at": time.time() - 3600}))
    assert kept_pace(SIZE) is None
    kept.write_text(json.dumps(written | {"at": time.time() - 3600, "is_busy": False}))
    assert kept_pace(SIZE) is not None


@pytest.mark.parametrize("text", ["", "[]", '{"of": 1}', "{"])
def test_a_file_of_something_else_is_no_pace(kept: Path, text: str) -> None:
    kept.write_text(text)
    assert kept_pace(SIZE) is None


def test_where_steps_are_not_timed_it_says_so(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TIMING_VARIABLE, "off")
    assert kept_pace(SIZE) is None
    assert not pace_measurement.is_measurable(SIZE)
    assert time_left_in_words(None) == "not known before the first epochs"


def test_while_a_stage_runs_the_time_left_of_it_and_of_the_whole_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    leave(interrupted_study(), tmp_path)
    study, show = open_study("fake.toml"), Recorded()
    at = Progress(stage="Search", done=6, total=23, failed=0, running=(), ended=(), best="",
                  elapsed_seconds=60, remaining_seconds=None)  # fmt: skip
    rounds = (RoundState(trials=9, initial_epoch=0, budget_epochs=1),)
    bracket = BracketState(iteration=0, bracket=2, rounds=rounds)
    plan = SearchState(trials=9, epochs=9, exhausted=False, brackets=(bracket,))
    study.store.write_state(plan)
    with study.store.hold("lstm-study run fake.toml"):
        progress_with_time_left(study, show)(at)
        left = time_left_of(study)
    assert left is not None
    assert left.basis == "the pace so far"
    assert show.shown[0].remaining_seconds == pytest.approx(left.search)
    assert show.shown[0].study_seconds == pytest.approx(left.whole)
    corpus = study.store.read(CorpusSummary)
    assert corpus is not None
    assert estimate(study, corpus, show=show, is_new=True) is None


def test_after_the_last_training_of_a_stage_the_time_left_is_estimated_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    leave(interrupted_study(), tmp_path)
    show, study = Recorded(), open_study("fake.toml")
    found = iter([9.0, 0.0])
    monkeypatch.setattr(progress, "read_baseline_seconds", lambda *_, **__: next(found))
    report = progress.baseline_progress(study, show)
    at = Progress(stage="Comparison", done=0, total=1, failed=0, running=(), ended=(), best="",
                  elapsed_seconds=60)  # fmt: skip
    for done in (0, 0, 1, 1):
        report(replace(at, done=done))
    assert [each.remaining_seconds for each in show.shown] == [9.0, 9.0, 0.0, 0.0]
