"""Which report and which model in a reports folder were made from this study's records.

A folder may hold those of another study of the same name: a repository's, or an earlier one's.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from lstm_study.commands.open_study import OpenStudy
from lstm_study.errors import RecordError
from lstm_study.export.layout import NETWORK
from lstm_study.files import read_object
from lstm_study.records import Control, Run
from lstm_study.records.state import ReportState
from lstm_study.records.trainings import trainings_sha256
from lstm_study.store import Store


def own_report(study: OpenStudy) -> Path | None:
    """Returns the study's HTML report in its reports folder; None where there is none of it."""
    made, page = study.store.read_state(ReportState), study.reports / "report.html"
    if made is None or not page.is_file():
        return None
    there = read_object(study.reports / "manifest.json").get("made_at")
    return page if there == made.made_at else None


def own_model(study: OpenStudy) -> Path | None:
    """Returns the folder of the study's model bundle; None where there is none of it.

    A bundle is the study's where it holds one of its completed runs, and not one that was trained
    again since.
    """
    folder = study.reports / "model"
    about = read_object(folder / "configuration.json")
    named = about.get("run")
    if not isinstance(named, dict) or not (folder / NETWORK).is_file():
        return None
    runs = {run.run_id: run for run in study.store.read_each(Run)}
    run = runs.get(str(named.get("run_id")))
    if run is None or run.status != "completed":
        return None
    is_of_it = named.get("test_accuracy") == run.test_accuracy
    # Bundles from before they named that time are told by their own.
    of_training = named.get("ended_at")
    is_of_training = of_training == run.ended_at
    if of_training is None:
        is_of_training = str(about.get("made_at", "")) >= run.ended_at
    return folder if is_of_it and is_of_training else None


def is_report_current(store: Store) -> bool:
    """Whether the last report was made from all trainings that have ended, and as now asked for.

    Title and `[export]` may change in a finished study: a command that was killed may have written
    down the new ones alone. Reports and models from before they named theirs are not told by that.
    """
    made = store.read_state(ReportState)
    if made is None:
        return False
    # A damaged record is for the commands that need it to say.
    with suppress(RecordError):
        spec = store.read_spec()
        if made.title not in (None, spec.study.heading):
            return False
        if not dict(made.export or {}).items() <= spec.export.model_dump(mode="json").items():
            return False
    if made.trainings_sha256 is not None:
        return made.trainings_sha256 == _trainings_sha256(store)
    control = store.read(Control)
    ended = [trial.ended_at for trial in store.read_trials()]
    ended += [run.ended_at for run in store.read_runs()]
    last = max([*ended, control.ended_at if control is not None else ""])
    return not last or datetime.fromisoformat(last) <= datetime.fromisoformat(made.made_at)


def is_model_current(study: OpenStudy, model: Path) -> bool:
    """Whether a bundle of the study was made from all trainings that have ended, as asked for.

    See `is_report_current`; what is exported is as the study file says, not as last written down.
    """
    about = read_object(model / "configuration.json")
    of_study = about.get("study")
    of_study = of_study if isinstance(of_study, dict) else {}
    with suppress(RecordError):
        if of_study.get("title") not in (None, study.store.read_spec().study.heading):
            return False
    export = study.spec.export
    asked = {"ensemble": export.ensemble, "temperature": export.calibrate}
    if any(_was_asked_for(about, name) not in (None, is_now) for name, is_now in asked.items()):
        return False
    made_from = of_study.get("trainings_sha256")
    if made_from is not None:
        return bool(made_from == _trainings_sha256(study.store))
    last = max((run.ended_at for run in study.store.read_runs()), default="")
    return str(about.get("made_at", "")) >= last


def _was_asked_for(about: Mapping[str, Any], name: str) -> bool | None:
    """Whether a part of a bundle was asked for: it is there, or why it is not; None if unknown."""
    why_not = about.get(f"no_{name}")
    return None if why_not is None else bool(why_not or about.get(name))


def _trainings_sha256(store: Store) -> str:
    return trainings_sha256(store.read_trials(), store.read_runs(), store.read(Control))
