"""`watch`: serves a study's report to this machine while the study runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lstm_study.commands.opened import OpenStudy
from lstm_study.provenance import git_commit, now, versions
from lstm_study.records.kinds import KINDS

if TYPE_CHECKING:
    from lstm_study.report.serve import Watch

PORT = 8765


def watch(study: OpenStudy, *, port: int = PORT) -> "Watch":
    """Prepares the server of a study's report on this machine; call `serve` on what it returns.

    Nothing is written: the verdict on the page is not recorded as a look at the test reviews, but
    its interval is as wide as that of a recorded one.

    Raises:
        StoreError: The study has not begun.
        ReportError: The port is taken.
    """
    from lstm_study.report.serve import Watch

    study.store.read_spec_text()
    installed, commit = versions(), git_commit(Path.cwd())

    def render(version: str) -> Mapping[str, bytes]:
        from lstm_study.analysis.answer.verdict import judge
        from lstm_study.comparison.looks import standing
        from lstm_study.report.content import gather, illustrate
        from lstm_study.report.write import render_files

        records = study.store.read_all()
        at = standing(records, study.spec, study.store)
        content = gather(
            records,
            verdict=judge(records, looks=at.looks, level=at.level, kept=at.kept),
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
