"""A study's records in a folder that can be committed and shown, and the report from there.

A folder of kept records has the layout of `study/runs/<name>` (see `store`), without what is large
or of one machine alone: no checkpoints, weights, logs, locks or tokens. Predictions are compressed.
Absolute paths are cut to their last part, crews of other machines lose their host's name, and
addresses host and port: `analysis.neutral`, as in a report. Copied back, it is a study that goes
on.
"""

import gzip
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_study.commands.answer import read_answer
from lstm_study.commands.opened import REPORTS_FOLDER, OpenStudy, Show
from lstm_study.errors import StoreError
from lstm_study.provenance import versions
from lstm_study.records.scrub import last_part, without_folders
from lstm_study.spec import StudySpec
from lstm_study.store import Store, replacing, write_text

REFERENCE_FOLDER = Path("study/reference")

KEPT = (
    "study.json", "spec.toml", "corpus.json", "plan.json", "arms.json", "seeds.json",
    "verdicts.json", "report.json", "control.json", "near-duplicates.json", "review-facts.json",
    "openings.jsonl", "trials/*.json", "runs/*.json", "sessions/*.json", "predictions/*.npy",
    "predictions/*.npy.gz",
)  # fmt: skip
LEFT_OUT = (
    "checkpoints/*", "models/*", "live/*", "logs/*", "study.log", "lock", "chief.json",
    "chief.token",
)  # fmt: skip

_PATH_KEYS = ("path", "test_path")
_CREW = re.compile(r"^(.+-[0-9a-f]{4})(?:-|$)")
_ADDRESS = re.compile(r"(--(?:bind|chief)[ =])\S+:\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A folder of kept records: where it is, and how large."""

    folder: Path
    files: int
    bytes: int


def keep(study: OpenStudy, *, folder: Path | None = None) -> Kept:
    """Copies a study's records to a folder, in place of an earlier copy.

    Args:
        study: The study; finished or not, its report must be up to date.
        folder: Where to; `study/reference/<name>` if not given.

    Raises:
        StoreError: The study has not begun, its report is older than its records, or the folder
            holds something else.
    """
    source, folder = study.store.folder, folder or REFERENCE_FOLDER / study.spec.study.name
    _check_report(study)
    _check_target(folder, study.spec.study.name)
    cut = Cutting(crews_of(study.store))
    draft = folder.parent / f".{folder.name}.{os.getpid()}~"
    try:
        for path in _kept_paths(source):
            name = cut.text(str(path.relative_to(source)))
            _copy(path, draft / name, cut)
        _leave_out_excerpts(Store(draft), study.spec)
        earlier = draft.with_name(f"{draft.name}earlier")
        if folder.exists():
            folder.rename(earlier)
        draft.rename(folder)
        shutil.rmtree(earlier, ignore_errors=True)
    except OSError as error:
        raise StoreError(
            f"{folder}: cannot be written ({error.strerror or error}). Choose a folder that you "
            "may write to with --to FOLDER."
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    found = [path for path in folder.rglob("*") if path.is_file()]
    return Kept(folder=folder, files=len(found), bytes=sum(path.stat().st_size for path in found))


def open_kept(folder: Path, *, out: Path = REPORTS_FOLDER) -> OpenStudy:
    """Opens kept records as a study whose folder they are; needs neither study file nor reviews.

    Args:
        folder: What `keep` wrote.
        out: Folder for reports.

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
        spec=StudySpec.model_validate(dict(records.spec), strict=False),
        spec_text=records.spec_text,
        where=str(folder),
        settings=records.settings,
        store=store,
        reports=out / records.name,
        command="",
    )


def report_kept(study: OpenStudy, *, show: Show) -> tuple[Path, tuple[str, ...]]:
    """Writes the report that the study's last one was, byte for byte; writes no record.

    Args:
        study: From `open_kept`.
        show: Where to tell of the progress.

    Returns:
        The HTML file, and what a reader of the terminal must know.

    Raises:
        StoreError: The records do not say what their report was made with.
    """
    from lstm_study.report.write import write_report

    made = _made_with(study)
    show.stage("Report", "drawing figures and tables")
    answer = read_answer(study, is_noted=False)
    model = study.reports / made["model"] if made["model"] else None
    paths = write_report(
        answer.records,
        verdict=answer.verdict,
        folder=study.reports,
        made_at=made["made_at"],
        versions=made["versions"],
        git_commit=made["git_commit"],
        bundle=model,
    )
    notes = []
    if others := _other_versions(made["versions"]):
        notes.append(
            "drawings and last digits may differ from the first report, which was made with "
            + ", ".join(others)
        )
    if model is not None and not model.is_dir():
        notes.append(f"the page links to {model}/, which is not there: it is no part of records")
    return paths.html, tuple(notes)


class Cutting:
    """Takes out of texts what names a machine or its owner.

    Args:
        crews: Names of the crews of other machines, each of which holds its host's name.
    """

    def __init__(self, crews: tuple[str, ...] = ()) -> None:
        self._crews = {name: f"machine-{number}" for number, name in enumerate(crews, start=2)}

    def text(self, text: str) -> str:
        """Returns a text with paths cut to their last part, and without hosts.

        Example:
            >>> Cutting().text("lstm-study run study/imdb.toml --data /home/anna/imdb.npz")
            'lstm-study run study/imdb.toml --data imdb.npz'
        """
        for name, neutral in self._crews.items():
            text = text.replace(name, neutral)
        text = _ADDRESS.sub(r"\1HOST:PORT", text)
        return without_folders(text)

    def value(self, value: Any) -> Any:
        """Does the same to every string in a JSON value."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {key: self._item(key, item) for key, item in value.items()}
        return value

    def _item(self, key: str, value: Any) -> Any:
        if key in _PATH_KEYS and isinstance(value, str):
            return last_part(value)
        return self.value(value)


def crews_of(store: Store) -> tuple[str, ...]:
    """Returns the names of the crews of other machines that worked on a study."""
    workers = [trial.worker for trial in store.read_trials()]
    workers += [session.stage.removeprefix("worker-") for session in store.read_sessions()]
    return tuple(sorted({found[1] for worker in workers if (found := _CREW.match(worker))}))


def _kept_paths(source: Path) -> list[Path]:
    return sorted({path for pattern in KEPT for path in source.glob(pattern)})


def _leave_out_excerpts(copy: Store, spec: StudySpec) -> None:
    """Takes words of reviews out of a copy, where they may not leave."""
    facts = copy.read_review_facts()
    if facts is not None and not spec.export.excerpts:
        copy.write_review_facts(facts.without_excerpts())


def _copy(path: Path, target: Path, cut: Cutting) -> None:
    if path.suffix == ".json":
        _write_json(path, target, cut)
    elif path.suffix == ".npy":
        with (
            replacing(target.with_name(f"{target.name}.gz")) as temporary,
            temporary.open("wb") as file,
            gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed,
        ):
            packed.write(path.read_bytes())
    elif path.suffix == ".gz":
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    elif path.suffix == ".jsonl":
        lines = path.read_text(encoding="utf-8").splitlines()
        write_text(target, "".join(f"{_line(line, cut)}\n" for line in lines))
    else:
        write_text(target, cut.text(path.read_text(encoding="utf-8")))


def _write_json(path: Path, target: Path, cut: Cutting) -> None:
    text = path.read_text(encoding="utf-8")
    values = json.loads(text)
    cleaned = cut.value(values)
    if cleaned != values:
        is_record = "kind" in values
        text = json.dumps(cleaned, ensure_ascii=False, indent=None if is_record else 1)
        text += "\n" if is_record else ""
    write_text(target, text)


def _line(line: str, cut: Cutting) -> str:
    return json.dumps(cut.value(json.loads(line)), ensure_ascii=False)


def _made_with(study: OpenStudy) -> dict[str, Any]:
    made = study.store.read_state("report")
    if not made:
        raise StoreError(
            f"{study.store.folder}: holds no report.json, which says when and with what the "
            "report was made. Write the report with `lstm-study report STUDY.toml` first."
        )
    return made


def _check_report(study: OpenStudy) -> None:
    store = study.store
    store.read_spec_text()
    made_at = _made_with(study)["made_at"]
    control = store.read_control()
    ended = [trial.ended_at for trial in store.read_trials()]
    ended += [run.ended_at for run in store.read_runs()]
    ended += [control.ended_at] if control is not None else []
    if max(ended, default="") > made_at:
        raise StoreError(
            f"{store.folder}: the report of {made_at} is older than the last training. Write it "
            f"anew with `lstm-study report {study.where}` first."
        )


def _check_target(folder: Path, name: str) -> None:
    """Refuses a folder that holds anything but an earlier copy of the same study's records."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        held = json.loads((folder / "study.json").read_text(encoding="utf-8"))["spec"]["study"]
        is_earlier = held["name"] == name
    except (OSError, ValueError, LookupError, TypeError):
        is_earlier = False
    known = {pattern.partition("/")[0] for pattern in KEPT}
    foreign = [] if not is_earlier else [p.name for p in folder.iterdir() if p.name not in known]
    if not is_earlier or foreign:
        what = f"{', '.join(sorted(foreign))} beside records" if foreign else "something else"
        raise StoreError(
            f"{folder}: must be a new folder, or hold earlier records of {name!r} alone. "
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
