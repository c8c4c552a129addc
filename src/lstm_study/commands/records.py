"""A study's records in a folder that can be committed and shown, and the report from there.

A folder of kept records has the layout of `study/runs/<name>` without what is large or belongs to
one machine: no checkpoints, weights, logs or locks (`records.kinds` says which). Predictions are
compressed, and paths, host names and addresses are removed as from a report (`records.scrub`).
Copied back to `study/runs`, it is a study that can be resumed.
"""

import gzip
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lstm_study.commands.answer import read_answer
from lstm_study.commands.open_study import REPORTS_FOLDER, OpenStudy, Show
from lstm_study.commands.outputs import is_report_current
from lstm_study.errors import StoreError
from lstm_study.files import make_folder, read_bytes, replacing, write_text
from lstm_study.folders import replacing_folder
from lstm_study.provenance import versions
from lstm_study.records import ReviewFacts
from lstm_study.records.codec import state_to_json, to_json
from lstm_study.records.kinds import KINDS, Kind
from lstm_study.records.lines import append_line, read_lines
from lstm_study.records.scrub import Scrubber
from lstm_study.records.state import ReportState
from lstm_study.spec import StudySpec
from lstm_study.store import Store
from lstm_study.store.missing_digests import add_missing_digests

REFERENCE_FOLDER = Path("study/reference")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRecords:
    """A folder of kept records: where it is, and how large."""

    folder: Path
    files: int
    bytes: int


def keep(study: OpenStudy, *, folder: Path | None = None) -> KeptRecords:
    """Copies a study's records to a folder, in place of an earlier copy.

    Finished or not, its report must be up to date. The folder is `study/reference/<name>` if not
    given.

    Raises:
        StoreError: The study has not begun, its report is older than its records, or the folder
            holds something else.
    """
    source, folder = study.store.folder, folder or REFERENCE_FOLDER / study.spec.study.name
    _check_report(study)
    _check_target(folder, study.spec.study.name)
    store = study.store
    scrubber = Scrubber.of(store.read_trials(), store.read_runs(), store.read_sessions())
    with replacing_folder(
        folder, next_step="Choose a folder that you may write to with --to FOLDER."
    ) as draft:
        for kind in KINDS:
            # The copy gets a ledger of its own.
            for path in kind.paths(source) if kind.is_kept and kind.name != "ledger" else ():
                name = scrubber.text(str(path.relative_to(source)))
                _copy(store, kind, path, draft / name, scrubber)
        _leave_out_excerpts(Store(draft), study.spec)
        add_missing_digests(Store(draft))
    found = [path for path in folder.rglob("*") if path.is_file()]
    return KeptRecords(
        folder=folder, files=len(found), bytes=sum(path.stat().st_size for path in found)
    )


def open_kept(folder: Path, *, out: Path = REPORTS_FOLDER) -> OpenStudy:
    """Opens kept records as a study whose folder they are; needs neither study file nor reviews.

    Raises:
        StoreError: It holds no records.
    """
    store = Store(folder)
    if not store.exists:
        raise StoreError(
            f"{folder}: must be a folder of records. Make one with "
            "`lstm-study records STUDY.toml --to FOLDER`."
        )
    records = store.read_all()
    return OpenStudy(
        spec=store.read_spec(),
        spec_text=records.spec_text,
        where=str(folder),
        settings=records.settings,
        store=store,
        reports=out / records.name,
        command="",
    )


def report_kept(study: OpenStudy, *, show: Show) -> tuple[Path, tuple[str, ...]]:
    """Writes the report that the study's last one was, byte for byte; writes no record.

    Returns:
        The HTML file, and notes for the terminal.

    Raises:
        StoreError: The records do not say what their report was made with.
    """
    from lstm_study.report.write import write_report

    made = _made_with(study)
    show.stage("Report", "drawing figures and tables")
    answer = read_answer(study, is_noted=False)
    model = study.reports / made.model if made.model else None
    page = write_report(
        answer.records,
        verdict=answer.verdict,
        folder=study.reports,
        made_at=made.made_at,
        versions=made.versions,
        git_commit=made.git_commit,
        bundle=model,
    )
    notes = []
    if not study.store.ledger.exists:
        notes.append(
            "these records were written by an earlier version, without digests: a changed number "
            "is detected only if it contradicts another one"
        )
    if others := _other_versions(made.versions):
        notes.append(
            "figures and last digits may differ from the first report, which was made with "
            + ", ".join(others)
        )
    if model is not None and not model.is_dir():
        notes.append(f"the page links to {model}/, which is not included in the records")
    return page, tuple(notes)


def _copy(store: Store, kind: Kind, path: Path, target: Path, scrubber: Scrubber) -> None:
    if kind.is_lines:
        for each in read_lines(path, kind.type).values():
            append_line(target, scrubber.record(each))
    elif kind.is_record:
        write_text(target, to_json(scrubber.record(store.read_file(kind, path))) + "\n")
    elif kind.type is not None:
        write_text(target, state_to_json(scrubber.record(store.read_file(kind, path))))
    elif path.suffix == ".npy":
        with (
            replacing(target.with_name(f"{target.name}.gz")) as temporary,
            temporary.open("wb") as file,
            gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed,
        ):
            packed.write(path.read_bytes())
    elif path.suffix == ".gz":
        make_folder(target.parent)
        shutil.copyfile(path, target)
    else:
        write_text(target, scrubber.text(path.read_text(encoding="utf-8")))


def _leave_out_excerpts(copy: Store, spec: StudySpec) -> None:
    """Removes words of reviews from a copy, where they may not be published."""
    facts = copy.read(ReviewFacts)
    if facts is not None and not spec.export.excerpts:
        copy.write(facts.without_excerpts())


def _made_with(study: OpenStudy) -> ReportState:
    made = study.store.read_state(ReportState)
    if made is None:
        raise StoreError(
            f"{study.store.folder}: holds no report.json, which says when and with what the "
            "report was made. Write the report with `lstm-study report STUDY.toml` first."
        )
    return made


def _check_report(study: OpenStudy) -> None:
    store = study.store
    store.read_spec_text()
    made_at = _made_with(study).made_at
    if not is_report_current(store):
        raise StoreError(
            f"{store.folder}: the report of {made_at} is out of date: trainings or settings have "
            f"changed since. Write it again with `{study.command_line('report')}` first."
        )


def _check_target(folder: Path, name: str) -> None:
    """Refuses a folder that holds anything but an earlier copy of the same study's records."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        held = json.loads(read_bytes(folder / "study.json"))["spec"]["study"]
        is_earlier = held["name"] == name
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        is_earlier = False
    known = {kind.folder for kind in KINDS if kind.is_kept}
    foreign = [] if not is_earlier else [p.name for p in folder.iterdir() if p.name not in known]
    if not is_earlier or foreign:
        what = f"{', '.join(sorted(foreign))} beside records" if foreign else "something else"
        raise StoreError(
            f"{folder}: must be a new folder, or hold only earlier records of {name!r}. "
            f"Received: {what}. Choose another with --to FOLDER."
        )


def _other_versions(recorded: Mapping[str, str]) -> list[str]:
    """Names the packages that the first report was made with in another version."""
    installed = versions()
    drawing = ("lstm-study", "numpy", "pandas", "scipy", "optuna", "matplotlib", "seaborn")
    return [
        f"{name} {recorded[name]} (here {installed.get(name, 'none')})"
        for name in drawing
        if name in recorded and recorded[name] != installed.get(name)
    ]
