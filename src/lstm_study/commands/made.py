"""Which report and which model in a reports folder were made from this study's records.

A folder may hold those of another study of the same name: a repository's, or an earlier one's.
"""

import json
from pathlib import Path
from typing import Any

from lstm_study.commands.opened import OpenStudy
from lstm_study.export.layout import NETWORK
from lstm_study.records import Run
from lstm_study.records.state import ReportState


def own_report(study: OpenStudy) -> Path | None:
    """Returns the study's HTML report in its reports folder; None where there is none of it."""
    made, page = study.store.read_state(ReportState), study.reports / "report.html"
    if made is None or not page.is_file():
        return None
    there = _read(study.reports / "manifest.json").get("made_at")
    return page if there == made.made_at else None


def own_model(study: OpenStudy) -> Path | None:
    """Returns the folder of the study's model bundle; None where there is none of it.

    A bundle is the study's where it holds one of its completed runs.
    """
    folder = study.reports / "model"
    about = _read(folder / "configuration.json")
    named = about.get("run")
    if not isinstance(named, dict) or not (folder / NETWORK).is_file():
        return None
    runs = {run.run_id: run for run in study.store.read_each(Run)}
    run = runs.get(str(named.get("run_id")))
    if run is None or run.status != "completed":
        return None
    is_of_it = named.get("test_accuracy") == run.test_accuracy
    return folder if is_of_it and str(about.get("made_at", "")) >= run.ended_at else None


def _read(path: Path) -> dict[str, Any]:
    """Returns what a JSON file says; nothing where it can't be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
