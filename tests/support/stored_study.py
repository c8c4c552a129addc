"""Leaves a fake study's records under `study/runs`, as a real study would have."""

from pathlib import Path

from lstm_study.records import StudyRecords
from lstm_study.spec import parse_spec
from lstm_study.store import Store


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
