"""Leaves a fake study's records under `study/runs`, as a real study would have."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from lstm_study.records import Epoch, NearDuplicates, StudyRecords
from lstm_study.records.state import (
    AddedSeeds,
    ArmsState,
    Look,
    ReportState,
    SearchState,
    SeedsState,
    VerdictsState,
)
from lstm_study.spec import parse_spec
from lstm_study.store import Store
from lstm_study.training.checkpoint import Checkpoint, write_checkpoint
from tests.support.fake_study import ALL_STUDIES, TEST_REVIEWS

MADE = ReportState(
    made_at="2025-03-03T10:00:00.000Z", versions={"keras": "3.15.0"}, git_commit="", model="model"
)
NO_NEAR_DUPLICATES = NearDuplicates(
    shingle_words=8, threshold=0.5, test_reviews=TEST_REVIEWS, positions=(), exact=0, other_label=0,
    seconds=0.4,
)  # fmt: skip
EPOCH = Epoch(
    epoch=1, train_loss=0.5, train_accuracy=0.7, validation_loss=0.4, validation_accuracy=0.8,
    train_seconds=1.5, validation_seconds=0.5, ended_at="2026-01-01T00:00:00.000Z",
)  # fmt: skip


def leave(records: StudyRecords, folder: Path) -> Path:
    """Writes a study file and its records below a folder, and returns the study file.

    Args:
        records: The study; its spec is that of its text, but for the name.
        folder: Where commands will run.
    """
    text = records.spec_text.replace('name = "fake"', f'name = "{records.name}"')
    spec = parse_spec(text, where="fake.toml")
    path = folder / f"{records.name}.toml"
    path.write_text(text)
    store = Store(folder / "study" / "runs" / records.name)
    digest = records.corpus.digest if records.corpus else ""
    store.begin(spec, spec_text=text, settings=(), data_digest=digest)
    if records.corpus is not None:
        store.write(records.corpus)
    for trial in records.trials:
        store.write(trial)
    for run in records.runs:
        store.write(run)
        if run.run_id in records.predictions and records.test_labels is not None:
            store.write_predictions(
                run.run_id, records.predictions[run.run_id], records.test_labels
            )
    for session in records.sessions:
        store.write(session)
    for opening in records.openings:
        store.add_opening(opening)
    if records.control is not None:
        store.write(records.control)
        if "control" in records.predictions and records.test_labels is not None:
            store.write_predictions("control", records.predictions["control"], records.test_labels)
    if records.near_duplicates is not None:
        store.write(records.near_duplicates)
    if records.review_facts is not None:
        store.write(records.review_facts)
    return path


def leave_finished(records: StudyRecords, folder: Path) -> Path:
    """Leaves a study of which nothing is left to train: its search and its report are written down.

    Its comparison has no validation runs and no classical control.
    """
    text = records.spec_text.replace(
        "validation_seeds = 1", "validation_seeds = 0\ncontrol = false"
    )
    path = leave(replace(records, spec_text=text), folder)
    store = Store(folder / "study" / "runs" / records.name)
    store.write(records.near_duplicates or NO_NEAR_DUPLICATES)
    store.write_state(
        SearchState(
            trials=len(records.trials), epochs=150, exhausted=False, brackets=(), stopped=""
        )
    )
    store.write_state(MADE)
    return path


def stored(name: str, folder: Path) -> Path:
    """Leaves a fake study with every kind of file, and returns its folder."""
    records = ALL_STUDIES[name]()
    leave(records, folder)
    store = Store(folder / "study" / "runs" / records.name)
    stopped = "" if all(trial.has_ended for trial in records.trials) else None
    store.write_state(
        SearchState(trials=31, epochs=150, exhausted=False, brackets=(), stopped=stopped)
    )
    arms = {"baseline": records.trials[0].configuration}
    store.write_state(ArmsState(fixed_at="t", arms=arms, own_epochs={"baseline": 3}))
    store.write_state(SeedsState(added=(AddedSeeds(seeds=2, added_at="t", command="c"),)))
    store.write_state(VerdictsState(looks=(Look(at="t", seeds={"baseline": 4}, kind="better"),)))
    store.write_state(ReportState(made_at="t", versions={}, git_commit="", model=""))
    checkpoint = Checkpoint(epochs=_history(), variables=_variables())
    write_checkpoint(store.checkpoint_path("b2-00-r0"), checkpoint)
    if any(run.run_id == "winner-s1" for run in records.runs):
        write_checkpoint(store.weights_path("winner-s1"), replace(checkpoint, epochs=()))
    return store.folder


def _history() -> tuple[Epoch, ...]:
    return (EPOCH, replace(EPOCH, epoch=2))


def _variables() -> tuple[np.ndarray, ...]:
    draw = np.random.default_rng(0)
    return draw.normal(size=(9, 4)).astype(np.float32), draw.integers(9, size=3), np.array(1.5)
