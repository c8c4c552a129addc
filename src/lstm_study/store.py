"""The only reader and writer of a study's folder, `study/runs/<name>/`.

Every file is replaced whole or appended to by the line, so that a process killed at any moment
leaves each one as it was or as it should be. What there is, and where, is in `records.kinds`.
"""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import tomllib
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from lstm_study.errors import (
    ChangedStudyError,
    LockedError,
    RecordError,
    StoreError,
)
from lstm_study.files import (
    digest_of,
    make_folder,
    move,
    read_bytes,
    sha256_of,
    write_array,
    write_text,
)
from lstm_study.ledger import Ledger
from lstm_study.provenance import now
from lstm_study.records import (
    Control,
    CorpusSummary,
    NearDuplicates,
    Opening,
    ReviewFacts,
    Run,
    Session,
    StudyRecords,
    Trial,
)
from lstm_study.records.arrays import read_array
from lstm_study.records.codec import from_json, state_from_json, state_to_json, to_json
from lstm_study.records.kinds import BY_TYPE, KINDS, Kind, kind_of
from lstm_study.records.lines import append_line, read_lines
from lstm_study.records.sense import of_predictions
from lstm_study.records.session import LedgerEntry
from lstm_study.records.state import Live, SearchState, StudyState
from lstm_study.spec import StudySpec
from lstm_study.spec.changes import changes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")

_MOST_BYTES = 2**26
_MOST_REVIEWS = 2**22
_SPEC, _PREDICTIONS = (kind_of(name) for name in ("spec.toml", "predictions/labels.npy"))


class Store:
    """One study's folder.

    Args:
        folder: `study/runs/<name>`; made when first written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = Ledger(folder)

    def __repr__(self) -> str:
        return f"Store({str(self.folder)!r})"

    @property
    def exists(self) -> bool:
        """Whether the study has begun."""
        return (self.folder / "study.json").is_file()

    @property
    def log_path(self) -> Path:
        """The study's log file."""
        return self.folder / "study.log"

    @property
    def scratch(self) -> Path:
        """Where workers leave checkpoints and weights until `adopt` moves them."""
        return self.folder / "scratch"

    # Beginning, resuming and holding a study

    def begin(
        self, spec: StudySpec, *, spec_text: str, settings: tuple[str, ...], data_digest: str
    ) -> tuple[str, ...]:
        """Begins the study, or checks that it is the one that began here.

        Some settings may change all the same: see `changes.changes`.

        Args:
            spec: The validated study file.
            spec_text: The same, verbatim.
            settings: One-off `--set` changes that `spec` holds.
            data_digest: `CorpusSummary.digest` of the reviews.

        Returns:
            What changed and may.

        Raises:
            ChangedStudyError: Spec or data differ from what the study began with; names the keys.
        """
        began = StudyState(
            spec=spec.model_dump(mode="json"), settings=settings, data_digest=data_digest
        )
        allowed: tuple[str, ...] = ()
        if self.exists or self.ledger.exists:
            allowed = self._changes(spec, data_digest=data_digest)
            if not self.ledger.exists:
                self.seal()
        write_text(self.folder / "spec.toml", spec_text)
        self.ledger.note("spec.toml", sha256_of(self.folder / "spec.toml"))
        self.write_state(began)
        return allowed

    def _changes(self, spec: StudySpec, *, data_digest: str) -> tuple[str, ...]:
        """Says what changed in a study that began, where all of it may; refuses it by name else."""
        before = self.read_began()
        is_compared = (self.folder / "arms.json").is_file() or any(
            (self.folder / "runs").glob("*.json")
        )
        found = changes(before.spec, spec, is_compared=is_compared)
        refused = list(found.refused)
        if before.data_digest != data_digest:
            refused.append("the reviews are not those that the study began with")
        if refused:
            raise ChangedStudyError(
                f"{self.folder}: the study began with another spec: {'; '.join(refused)}. "
                "Start over with --fresh, or give study.name a new name."
            )
        return found.allowed

    @contextmanager
    def hold(self, command: str) -> Iterator[None]:
        """Holds the study for one process; others are told which one holds it.

        Raises:
            LockedError: Another process holds it.
        """
        make_folder(self.folder)
        with (self.folder / "lock").open("a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.seek(0)
                holder = file.read().strip() or "another process"
                raise LockedError(
                    f"{self.folder}: is being worked on by {holder}. "
                    "Wait for it, or end it, then run the same command again."
                ) from None
            file.seek(0)
            file.truncate()
            file.write(f"process {os.getpid()} on {platform.node()} (`{command}`)\n")
            file.flush()
            try:
                yield
            finally:
                file.seek(0)
                file.truncate()

    def holder(self) -> str:
        """Says who holds the study; "" if nobody does."""
        path = self.folder / "lock"
        if not path.is_file():
            return ""
        with path.open("r", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return file.read().strip() or "another process"
        return ""

    def move_away(self) -> Path | None:
        """Moves all that the study left beside its folder, for `--fresh`; the lock stays held.

        Returns:
            The folder it was moved to; None where there was nothing.
        """
        paths = [path for path in self.folder.iterdir() if path.name != "lock"]
        if not paths:
            return None
        before = self.folder.with_name(f"{self.folder.name}.before-{now().replace(':', '')}")
        before.mkdir()
        for path in paths:
            path.rename(before / path.name)
        return before

    def delete_moved_away(self) -> None:
        """Deletes what `move_away` moved, once the study that replaces it is done."""
        for before in self.folder.parent.glob(f"{self.folder.name}.before-[0-9]*Z"):
            shutil.rmtree(before, ignore_errors=True)

    # Records

    def write_trial(self, trial: Trial) -> None:
        """Writes one trial's record, replacing its earlier one."""
        self._write(trial)

    def read_trial(self, trial_id: str) -> Trial | None:
        """Reads one trial's record; None where there is none."""
        return self._read(self.path(Trial, trial_id), Trial)

    def read_trials(self) -> list[Trial]:
        """Reads all trials, in order of id: first bracket first, then round, then slot."""
        return self._read_each(Trial)

    def write_run(self, run: Run) -> None:
        """Writes one run's record, replacing its earlier one."""
        self._write(run)

    def read_run(self, run_id: str) -> Run | None:
        """Reads one run's record; None where there is none."""
        return self._read(self.path(Run, run_id), Run)

    def read_runs(self) -> list[Run]:
        """Reads all runs, in order of arm, then seed index."""
        return sorted(self._read_each(Run), key=lambda run: (run.arm, run.seed_index))

    def write_control(self, control: Control) -> None:
        """Writes the classical control's record."""
        self._write(control)

    def read_control(self) -> Control | None:
        """Reads the classical control's record; None before it began."""
        return self._read(self.path(Control), Control)

    def write_near_duplicates(self, found: NearDuplicates) -> None:
        """Writes which test reviews are near-duplicates of training reviews."""
        self._write(found)

    def read_near_duplicates(self) -> NearDuplicates | None:
        """Reads which test reviews are near-duplicates; None before they were counted."""
        return self._read(self.path(NearDuplicates), NearDuplicates)

    def write_review_facts(self, facts: ReviewFacts) -> None:
        """Writes what a report says about single test reviews."""
        self._write(facts)

    def read_review_facts(self) -> ReviewFacts | None:
        """Reads what a report says about single test reviews; None before it was written."""
        return self._read(self.path(ReviewFacts), ReviewFacts)

    def write_corpus(self, summary: CorpusSummary) -> None:
        """Writes the reviews in numbers."""
        self._write(summary)

    def read_corpus(self) -> CorpusSummary | None:
        """Reads the reviews in numbers; None before they were first read."""
        return self._read(self.path(CorpusSummary), CorpusSummary)

    def write_session(self, session: Session) -> None:
        """Writes one session's record, replacing its earlier one."""
        self._write(session)

    def read_sessions(self) -> list[Session]:
        """Reads all sessions, in order of time."""
        return self._read_each(Session)

    def add_opening(self, opening: Opening) -> None:
        """Logs one opening of the test half, before it is opened."""
        self.ledger.note("openings.jsonl", append_line(self.path(Opening), opening))

    def read_openings(self) -> list[Opening]:
        """Reads all openings of the test half, in order of time."""
        path, last = self.path(Opening), self.ledger.files().get("openings.jsonl")
        with advice(Opening):
            found = read_lines(path, Opening)
            if last is not None and last not in found:
                raise RecordError(f"{path}: its last lines are missing.")
        return list(found.values())

    # What stages remember, and where workers stand

    def write_state(self, state: Any) -> None:
        """Writes what a stage must remember: one of the classes of `records.state`."""
        path = self.path(type(state))
        write_text(path, state_to_json(state))
        self.ledger.note(path.name)

    def read_state(self, kind: type[T]) -> T | None:
        """Reads what a stage remembers; None where it has not begun.

        Raises:
            RecordError: The file is damaged.
        """
        path = self.path(kind)
        with advice(kind):
            text = _text(path)
            return state_from_json(text, kind, where=str(path)) if text is not None else None

    def write_live(self, worker: str, live: Live) -> None:
        """Writes where a worker stands; not synchronised to disk, for it may be lost."""
        path = self.path(Live, worker)
        write_text(path, state_to_json(live), durable=False)

    def read_live(self) -> dict[str, Live]:
        """Reads where each worker stands."""
        found = {}
        for path in self.paths(Live):
            with suppress(OSError, RecordError):
                found[path.stem] = state_from_json(path.read_text(), Live, where=str(path))
        return found

    def forget_live(self, worker: str) -> None:
        """Deletes where a worker stood, once it is gone."""
        self.path(Live, worker).unlink(missing_ok=True)

    def write_time_left(self, stage: str, seconds: float | None) -> None:
        """Writes how long a stage will take, for `read_time_left`; it may be lost."""
        path = self.folder / "live" / "time-left"
        write_text(path, json.dumps({stage: seconds}), durable=False)

    def read_time_left(self) -> dict[str, float | None]:
        """Reads how long the stage at work will take, by its name; empty where none is."""
        try:
            left: dict[str, float | None] = json.loads(
                (self.folder / "live" / "time-left").read_text()
            )
        except (OSError, ValueError):
            return {}
        return left

    def used_bytes(self) -> int:
        """How much disk the study's folder takes."""
        total = 0
        for path in self.folder.rglob("*"):
            # A file may be replaced or deleted while it is looked at.
            with suppress(OSError):
                total += path.stat().st_size
        return total

    def sweep(self) -> None:
        """Deletes what a killed process left half-written; call it while holding the study."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        shutil.rmtree(self.folder / "live", ignore_errors=True)
        for path in self.folder.rglob(".*~"):
            path.unlink(missing_ok=True)

    # Arrays

    def write_predictions(
        self, run_id: str, probabilities: "NDArray[np.float32]", labels: "NDArray[np.int8]"
    ) -> None:
        """Writes one run's test probabilities, float32 [reviews], and the labels, int8 [reviews].

        The order of reviews is the test half's own, the same for every run of a study.
        """
        for name, array in (("labels", labels), (run_id, probabilities)):
            write_array(self.folder / "predictions" / f"{name}.npy", array)
            self.ledger.note(f"predictions/{name}.npy", digest_of(array))

    def checkpoint_path(self, training_id: str) -> Path:
        """Where a training that may go on keeps its last epoch."""
        return self.folder / "checkpoints" / f"{training_id}.npz"

    def adopt(self, scratch: Path, path: Path) -> None:
        """Moves a file that a worker wrote, and synchronised to disk, to its place.

        Raises:
            StoreError: It can't be moved.
        """
        move(scratch, path)

    def weights_path(self, run_id: str) -> Path:
        """Where a finished run keeps its weights."""
        return self.folder / "models" / f"{run_id}.npz"

    # The whole

    def read_all(self) -> StudyRecords:
        """Reads all records at one moment.

        Raises:
            StoreError: The study has not begun.
            RecordError: A record is damaged.
        """
        began, spec = self.read_began(), self.read_spec()
        self.check_complete()
        runs, control = self.read_runs(), self.read_control()
        evaluated: dict[str, Run | Control] = {
            run.run_id: run for run in runs if run.test_accuracy is not None
        }
        if control is not None and control.test_accuracy is not None:
            evaluated["control"] = control
        labels = self.read_predictions("labels")
        predictions = {
            name: self.read_evaluated(name, run, labels) for name, run in evaluated.items()
        }
        plan = self.read_state(SearchState)
        return StudyRecords(
            name=spec.study.name,
            title=spec.study.title or spec.study.name,
            spec_text=self.read_spec_text(),
            spec=began.spec,
            deviations=tuple(spec.deviations),
            settings=began.settings,
            corpus=self.read_corpus(),
            planned_trials=plan.trials if plan else 0,
            planned_epochs=plan.epochs if plan else 0,
            trials=tuple(self.read_trials()),
            runs=tuple(runs),
            sessions=tuple(self.read_sessions()),
            openings=tuple(self.read_openings()),
            predictions=predictions,
            test_labels=labels,
            control=control,
            near_duplicates=self.read_near_duplicates(),
            review_facts=self.read_review_facts(),
        )

    def read_spec_text(self) -> str:
        """Reads the study file that the study began with, verbatim.

        Raises:
            RecordError: It is missing, or is not the one that was written.
        """
        path = self.folder / "spec.toml"
        with advice(_SPEC):
            try:
                data = read_bytes(path, limit=_MOST_BYTES)
                text = data.decode()
                tomllib.loads(text)
            except (OSError, ValueError, RecursionError) as error:
                raise RecordError(f"{path}: cannot be read ({error}).") from error
            sha256 = self.ledger.files().get("spec.toml")
            if sha256 is not None and sha256 != hashlib.sha256(data).hexdigest():
                raise RecordError(f"{path}: is not the one that was written.")
        return text

    def read_predictions(self, name: str) -> "NDArray[Any] | None":
        """Reads one run's test probabilities, or "labels"; None where there are none.

        Raises:
            RecordError: They are damaged, or not those that were written.
        """
        path = self.folder / "predictions" / f"{name}.npy"
        corpus = self.read_corpus()
        tests = [split.reviews for split in corpus.splits if split.name == "test"] if corpus else []
        with advice(_PREDICTIONS):
            array = read_array(path, most=sum(tests) or _MOST_REVIEWS)
            digest = self.ledger.files().get(f"predictions/{name}.npy")
            if array is not None and digest is not None and digest_of(array) != digest:
                raise RecordError(f"{path}: holds other numbers than were written.")
        return array

    def read_evaluated(
        self, name: str, record: Run | Control, labels: "NDArray[Any] | None"
    ) -> "NDArray[Any]":
        """Reads the test probabilities of a run that was evaluated.

        Raises:
            RecordError: They are missing, damaged, or not those of the run's record.
        """
        path = self.folder / "predictions" / f"{name}.npy"
        found = self.read_predictions(name)
        with advice(_PREDICTIONS):
            for file, array in ((path.with_name("labels.npy"), labels), (path, found)):
                if array is None:
                    raise RecordError(f"{file}: is missing, and {name} was evaluated on test.")
            assert labels is not None
            assert found is not None
            if reason := of_predictions(record, found, labels):
                raise RecordError(f"{path}: {reason}.")
        return found

    def check_complete(self) -> None:
        """Makes sure that every file that was written is there; not that it is whole.

        Raises:
            RecordError: One is missing.
        """
        if self.is_ledger_missing:
            with advice(LedgerEntry):
                raise RecordError(f"{self.ledger.path}: is missing.")
        for file in self.missing():
            with advice(kind_of(file)):
                raise RecordError(f"{self.folder / file}: is missing.")

    @property
    def is_ledger_missing(self) -> bool:
        """Whether the study is of a version that lists its files, and the list is gone."""
        is_listed = self.exists and self.read_began().schema_version > 1
        return is_listed and not self.ledger.exists

    def missing(self) -> list[str]:
        """Returns the files that were written and are gone, as paths below the folder."""
        return [
            file
            for file in self.ledger.files()
            if not (self.folder / file).exists() and not (self.folder / f"{file}.gz").exists()
        ]

    def seal(self, *, skipping: Collection[str] = ()) -> None:
        """Gives every file its digest, and lists it: of a study that has no ledger.

        Args:
            skipping: Files to leave as they are, for they are damaged.
        """
        for kind in KINDS:
            for path in sorted(self.folder.glob(kind.path)) if kind.is_kept else ():
                file = str(path.relative_to(self.folder)).removesuffix(".gz")
                if file in skipping or kind.type is LedgerEntry:
                    continue
                if kind.is_lines:
                    self.ledger.note(file, next(reversed(read_lines(path, kind.type)), ""))
                elif kind.is_record:
                    write_text(path, to_json(self.read_file(kind, path)) + "\n")
                    self.ledger.note(file)
                elif kind.type is not None:
                    self.write_state(self.read_file(kind, path))
                elif kind.name == "spec":
                    self.ledger.note(file, sha256_of(path))
                else:
                    array = self.read_predictions(Path(file).stem)
                    assert array is not None
                    self.ledger.note(file, digest_of(array))

    def read_began(self) -> StudyState:
        """Reads what the study began with.

        Raises:
            StoreError: None has begun here.
            RecordError: The file is damaged.
        """
        began = self.read_state(StudyState)
        if began is None and self.ledger.exists:
            with advice(StudyState):
                raise RecordError(f"{self.path(StudyState)}: is missing.")
        if began is None:
            raise StoreError(
                f"{self.folder}: no study has begun here. Begin it with `lstm-study run`."
            )
        # A study that began before padding could be masked was not.
        began.spec.get("protocol", {}).setdefault("masked", False)
        return began

    def read_spec(self) -> StudySpec:
        """Reads the settings that the study began with.

        Raises:
            RecordError: They are no study's.
        """
        try:
            return StudySpec.model_validate(self.read_began().spec, strict=False)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise RecordError(
                f"{self.path(StudyState)}: spec.{place} is not valid ({first['msg']}). "
                "Read it with the version of lstm-study that wrote it."
            ) from error

    # Files by kind

    def path(self, kind: type[Any], name: str = "") -> Path:
        """Returns where a record or state is kept.

        Args:
            kind: Its class.
            name: Its id, where there may be several.
        """
        return self.folder / BY_TYPE[kind].path.replace("*", name)

    def paths(self, kind: type[Any]) -> list[Path]:
        """Returns where all records of a kind are, in order of their ids."""
        return sorted(self.folder.glob(BY_TYPE[kind].path))

    def _write(self, record: Any) -> None:
        path = self.path(type(record), _name_of(record))
        write_text(path, to_json(record) + "\n")
        self.ledger.note(str(path.relative_to(self.folder)))

    def _read_each(self, kind: type[T]) -> list[T]:
        found = (self._read(path, kind) for path in self.paths(kind))
        return [record for record in found if record is not None]

    def read_file(self, kind: Kind, path: Path) -> Any:
        """Reads one file of a kind that has a class; a list, where it holds a record a line."""
        if kind.is_lines:
            return self.read_openings()
        found = self._read(path, kind.type) if kind.is_record else self.read_state(kind.type)
        if found is None:
            raise RecordError(f"{path}: is missing.")
        return found

    def _read(self, path: Path, kind: type[T]) -> T | None:
        with advice(kind):
            text = _text(path)
            if text is None:
                return None
            record = from_json(text, kind, where=str(path))
            if (own := _name_of(record)) not in ("", path.stem):
                raise RecordError(f"{path}: is the record of {own}.")
            return record


def _name_of(record: Any) -> str:
    """Returns a record's id, which its file is named by; "" of the only one of its kind."""
    match record:
        case Trial():
            return record.trial_id
        case Run():
            return record.run_id
        case Session():
            return f"{record.started_at.replace(':', '')}-{record.stage}"
    return ""


def _text(path: Path) -> str | None:
    """Reads a text; None where there is none. A wrong byte is left for its reader to refuse."""
    try:
        return read_bytes(path, limit=_MOST_BYTES).decode(errors="replace")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RecordError(f"{path}: cannot be read ({error}).") from error


@contextmanager
def advice(kind: Any) -> Iterator[None]:
    """Adds to an error of reading a file of a kind what to do, and what that loses."""
    try:
        yield
    except RecordError as error:
        found = BY_TYPE[kind] if isinstance(kind, type) else kind
        step = "`lstm-study check STUDY.toml --repair` moves it aside"
        if found.type is StudyState:
            step = "Restore it from a copy, or start over with --fresh"
        raise RecordError(f"{error} {step}: {found.lost}.") from error
