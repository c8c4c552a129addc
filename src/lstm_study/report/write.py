"""Writes a report's folder, all files or none: the only writer of report files."""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from lstm_study.analysis.answer.verdict import Verdict
from lstm_study.errors import ReportError
from lstm_study.files import replacing, step_after
from lstm_study.folders import drafting, exchange, locked
from lstm_study.records import StudyRecords
from lstm_study.report.content import Content, gather, illustrate
from lstm_study.report.index import render_index
from lstm_study.report.manifest import manifest, markdown, summary
from lstm_study.report.page.html import render
from lstm_study.report.tables.predictions import predictions_columns, predictions_csv_gz
from lstm_study.report.tables.table import dictionary, to_csv

CHOOSE_ANOTHER = "Free space, or choose a folder that you may write to with --out."
EXPORTS = ("optuna.db", "tensorboard/")
OWN = ("report.html", "report.md", "summary.json", "manifest.json", "tables", "figures")


def write_report(
    records: StudyRecords,
    *,
    verdict: Verdict,
    folder: Path,
    made_at: str,
    versions: Mapping[str, str],
    git_commit: str,
    bundle: Path | None,
) -> Path:
    """Writes the report of a study, and returns its page.

    The same records and options give the same bytes. All files are written to a temporary folder
    and then moved, so that a failure leaves an earlier report intact. Other files in the folder,
    such as the model bundle, are not touched.

    Args:
        records: The study's records.
        verdict: Its answer.
        folder: Where the report goes; created if it does not exist.
        made_at: The time, ISO 8601 in UTC.
        versions: Installed packages and their versions.
        git_commit: Of the checkout, or "".
        bundle: The model bundle's folder, if there is one; linked if it is in `folder`.

    Raises:
        ReportError: The folder can't be written to.
    """
    link = bundle.name if bundle is not None and bundle.parent == folder else None
    content = illustrate(
        gather(
            records,
            verdict=verdict,
            made_at=made_at,
            versions=versions,
            git_commit=git_commit,
            bundle=link,
            exports=tuple(name for name in EXPORTS if (folder / name).exists()),
        )
    )
    write_files(render_files(content), folder)
    write_index(folder.parent)
    return folder / "report.html"


def write_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Replaces a report's files, all or none; other files in the folder are not touched.

    What a process that was killed here left beside the folder is deleted.

    Raises:
        ReportError: The folder can't be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder = folder.resolve()  # behind a link it may be on another file system
        with drafting(folder) as draft:
            made, earlier = draft / "made", draft / "earlier"
            for path, data in files.items():
                (made / path).parent.mkdir(parents=True, exist_ok=True)
                (made / path).write_bytes(data)
            earlier.mkdir()
            with locked(folder.parent):
                _swap(made, folder, earlier)
    except OSError as error:
        raise ReportError(
            f"{folder}: the report cannot be written ({error.strerror or error}). "
            f"{step_after(error, otherwise=CHOOSE_ANOTHER)}"
        ) from error


def write_index(folder: Path) -> Path:
    """Writes `index.html`, the list of all reports of a folder, and returns it.

    Raises:
        ReportError: The folder can't be written to.
    """
    path = folder / "index.html"
    with replacing(path, error=ReportError, next_step=CHOOSE_ANOTHER) as temporary:
        temporary.write_text(render_index(folder), encoding="utf-8")
    return path


def render_files(content: Content) -> dict[str, bytes]:
    """Renders every file of the report: path within the folder → bytes."""
    files = {"report.html": render(content).encode()}
    listed = list(content.tables.values())
    packed = predictions_columns(content.records)
    for table in (*listed, dictionary([*listed, *([packed] if packed else [])])):
        files[table.path] = to_csv(table).encode()
    predictions = predictions_csv_gz(content.records)
    if packed is not None and predictions is not None:
        files[packed.path] = predictions
    for picture in content.pictures.values():
        files |= picture.files
    files["report.md"] = markdown(content).encode()
    files["summary.json"] = summary(content).encode()
    digests = {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
    files["manifest.json"] = manifest(content, files=digests).encode()
    return files


def _swap(made: Path, folder: Path, earlier: Path) -> None:
    """Moves each entry of `made` into `folder`; after a failure, restores the earlier ones."""
    exchanged: list[str] = []
    moved: list[Path] = []
    try:
        for name in OWN:
            # In one step where that can be done, so that a reader finds each at every moment.
            if exchange(made / name, folder / name):
                exchanged.append(name)
                continue
            if (folder / name).exists():
                (folder / name).rename(earlier / name)
            moved.append(folder / name)
            if (made / name).exists():
                (made / name).rename(folder / name)
    except OSError:
        for name in exchanged:
            exchange(made / name, folder / name)
        for path in moved:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        for path in earlier.iterdir():
            path.rename(folder / path.name)
        raise
