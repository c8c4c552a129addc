"""`diff`: puts two studies side by side in one page."""

from pathlib import Path

from lstm_study.commands.opened import OpenStudy
from lstm_study.errors import ReportError
from lstm_study.provenance import now, versions


def write_diff(first: OpenStudy, second: OpenStudy) -> Path:
    """Writes two studies side by side, and returns the HTML file.

    Raises:
        ReportError: Both are one study.
    """
    from lstm_study.report.diff import write_diff as write

    if first.store.folder.resolve() == second.store.folder.resolve():
        raise ReportError(
            f"{second.where}: must be another study than the first. "
            f"Both have study.name = {second.spec.study.name!r}."
        )
    name = f"{first.spec.study.name}-beside-{second.spec.study.name}"
    return write(
        first.store.read_all(),
        second.store.read_all(),
        folder=first.reports.parent / name,
        made_at=now(),
        versions=versions(),
    )
