"""Commands that read records and show them in other ways: exports, two studies, a live page.

None of them writes under `study/runs`, so each may run beside a search.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lstm_study.commands import OpenStudy
from lstm_study.errors import ReportError
from lstm_study.provenance import git_commit, now, versions
from lstm_study.records.kinds import KINDS

if TYPE_CHECKING:
    from lstm_study.report.serve import Watch

PORT = 8765


def write_optuna(study: OpenStudy) -> Path:
    """Writes the search as an Optuna storage into the report's folder, and returns the file."""
    from lstm_study.report.formats.optuna import write_optuna as write

    return write(study.store.read_all(), folder=study.reports)


def write_tensorboard(study: OpenStudy) -> Path:
    """Writes TensorBoard's event files into the report's folder, and returns theirs."""
    from lstm_study.report.formats.tensorboard import write_tensorboard as write

    return write(study.store.read_all(), folder=study.reports)


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


def watch(study: OpenStudy, *, port: int = PORT) -> "Watch":
    """Prepares to serve the study's report on this machine; call `serve` on what it returns.

    The verdict on the page is not recorded as a look, but its interval is as wide as that of one.

    Raises:
        StoreError: The study has not begun.
        ReportError: The port is taken.
    """
    from lstm_study.report.serve import Watch

    study.store.read_spec_text()
    installed, commit = versions(), git_commit(Path.cwd())

    def render(version: str) -> Mapping[str, bytes]:
        from lstm_study.analysis.answer.verdict import judge
        from lstm_study.comparison.looks import look
        from lstm_study.report.content import gather, illustrate
        from lstm_study.report.write import render_files

        records = study.store.read_all()
        content = gather(
            records,
            verdict=judge(records, seed=study.spec.study.seed, looks=look(records, study.store)),
            made_at=now(),
            versions=installed,
            git_commit=commit,
            bundle=None,
        )
        return render_files(illustrate(content), version=version)

    return Watch(fingerprint=lambda: _fingerprint(study), render=render, port=port)


def _fingerprint(study: OpenStudy) -> str:
    """Returns a text that differs whenever a file that the report depends on does.

    Every file is replaced whole, so that its folder's time changes with it, or appended to.
    """
    root = study.store.folder
    watched = {kind.folder for kind in KINDS if kind.is_watched}
    return " ".join(_changed_at(root / name) for name in sorted(watched))


def _changed_at(path: Path) -> str:
    try:
        found = path.stat()
    except FileNotFoundError:
        return "-"
    return f"{found.st_mtime_ns}:{found.st_size}"
