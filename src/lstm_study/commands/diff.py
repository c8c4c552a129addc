"""`diff`: puts several studies side by side in one page."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lstm_study.commands.answer import read_records, verdict_at_its_look
from lstm_study.commands.open_study import REPORTS_FOLDER, RUNS_FOLDER, OpenStudy, open_study
from lstm_study.commands.records import open_kept
from lstm_study.errors import ReportError
from lstm_study.provenance import now, versions
from lstm_study.store import Store

_NAMED = 3


def open_any(study: str | Path, *, out: Path = REPORTS_FOLDER) -> OpenStudy:
    """Opens a study file, a packaged study, or a folder of records, kept or of another checkout.

    A study file of another folder that was not run from here is taken with what was run there.

    Raises:
        SpecError: There is none of them.
    """
    if (Path(study) / "study.json").is_file():
        return open_kept(Path(study), out=out)
    opened = open_study(study, out=out)
    if Path(study).is_file() and not opened.store.folder.exists():
        beside = Path(study).resolve().parent
        for folder in (beside, beside.parent):
            if (run_there := folder / RUNS_FOLDER / opened.spec.study.name).is_dir():
                return replace(opened, store=Store(run_there))
    return opened


def make_diff(studies: Sequence[OpenStudy]) -> Path:
    """Writes several studies side by side, and returns the HTML file.

    Raises:
        ReportError: There are fewer than two, or two of them are one study.
    """
    from lstm_study.report.diff import write_diff as write

    if len(studies) < 2:
        raise ReportError(
            f"diff: needs two studies or more. Received: {len(studies)}. "
            "Name study files, packaged studies or folders of records."
        )
    seen: dict[Path, OpenStudy] = {}
    for study in studies:
        folder = study.store.folder.resolve()
        if folder in seen:
            raise ReportError(
                f"{study.where}: must be another study than {seen[folder].where}. "
                f"Both have study.name = {study.spec.study.name!r}."
            )
        seen[folder] = study
    records = [read_records(study) for study in studies]
    names = [study.spec.study.name for study in studies]
    shown = names if len(names) <= _NAMED else [names[0], f"{len(names) - 1}-others"]
    return write(
        records,
        verdicts=list(map(verdict_at_its_look, studies, records)),
        folder=studies[0].reports.parent / "-beside-".join(shown),
        made_at=now(),
        versions=versions(),
    )
