"""The only reader and writer of a study's folder, `study/runs/<name>/`.

Every file is replaced whole or appended to by the line, so that a process killed at any moment
leaves each one as it was or as it should be. What there is, and where, is in `records.kinds`.
"""

import fcntl
import gzip
import json
import os
import platform
import shutil
import tomllib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lstm_study.errors import (
    ChangedStudyError,
    LockedError,
    RecordError,
    StoreError,
)
from lstm_study.files import make_folder, move, write_array, write_text
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
from lstm_study.records.codec import from_json, state_from_json, state_to_json, to_json
from lstm_study.records.kinds import BY_TYPE
from lstm_study.records.state import Live, SearchState, StudyState
from lstm_study.spec import StudySpec
from lstm_study.spec.changes import changes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")


class Store:
    """One study's folder.

    Args:
        folder: `study/runs/<name>`; made when first written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

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
        if self.exists:
            allowed = self._changes(spec, data_digest=data_digest)
        write_text(self.folder / "spec.toml", spec_text)
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

    def erase(self) -> None:
        """Deletes all that the study left here, for `--fresh`; call it while holding the study."""
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if path.name == "lock":
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    # Records

    def write_trial(self, trial: Trial) -> None:
        """Writes one trial's record, replacing its earlier one."""
        self._write(trial, trial.trial_id)

    def read_trial(self, trial_id: str) -> Trial | None:
        """Reads one trial's record; None where there is none."""
        return self._read(self.path(Trial, trial_id), Trial)

    def read_trials(self) -> list[Trial]:
        """Reads all trials, in order of id: first bracket first, then round, then slot."""
        return self._read_each(Trial)

    def write_run(self, run: Run) -> None:
        """Writes one run's record, replacing its earlier one."""
        self._write(run, run.run_id)

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
        self._write(session, session.started_at.replace(":", "") + f"-{session.stage}")

    def read_sessions(self) -> list[Session]:
        """Reads all sessions, in order of time."""
        return self._read_each(Session)

    def add_opening(self, opening: Opening) -> None:
        """Logs one opening of the test half, before it is opened."""
        path = self.path(Opening)
        make_folder(self.folder)
        with path.open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            # A line that a kill tore must not be joined to the next one.
            file.truncate(file.read().rfind(b"\n") + 1)
            file.write(to_json(opening).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def read_openings(self) -> list[Opening]:
        """Reads all openings of the test half, in order of time.

        A torn last line is a killed process's, and is passed over.
        """
        path = self.path(Opening)
        if not path.is_file():
            return []
        whole, _, _torn = path.read_bytes().rpartition(b"\n")
        with _advice(Opening):
            return [
                from_json(line.decode(errors="replace"), Opening, where=f"{path}:{number}")
                for number, line in enumerate(whole.splitlines(), start=1)
            ]

    # What stages remember, and where workers stand

    def write_state(self, state: Any) -> None:
        """Writes what a stage must remember: one of the classes of `records.state`."""
        write_text(self.path(type(state)), state_to_json(state))

    def read_state(self, kind: type[T]) -> T | None:
        """Reads what a stage remembers; None where it has not begun.

        Raises:
            RecordError: The file is damaged.
        """
        path = self.path(kind)
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None
        with _advice(kind, "Start over with --fresh"):
            return state_from_json(text, kind, where=str(path))

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
        write_array(self.folder / "predictions" / "labels.npy", labels)
        write_array(self.folder / "predictions" / f"{run_id}.npy", probabilities)

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
        began = self.read_began()
        spec = StudySpec.model_validate(began.spec, strict=False)
        runs = self.read_runs()
        predictions = {
            name: array
            for name in (*(run.run_id for run in runs), "control")
            if (array := self._read_array(name)) is not None
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
            test_labels=self._read_array("labels"),
            control=self.read_control(),
            near_duplicates=self.read_near_duplicates(),
            review_facts=self.read_review_facts(),
        )

    def read_spec_text(self) -> str:
        """Reads the study file that the study began with, verbatim."""
        try:
            text = (self.folder / "spec.toml").read_text(encoding="utf-8")
            tomllib.loads(text)
        except (OSError, ValueError) as error:
            raise RecordError(f"{self.folder / 'spec.toml'}: cannot be read ({error}).") from error
        return text

    def _read_array(self, name: str) -> "NDArray[Any] | None":
        """Reads an array of `predictions/`, compressed or not; None where there is none."""
        import numpy as np

        path = self.folder / "predictions" / f"{name}.npy"
        compressed = path.with_name(f"{path.name}.gz")
        if path.is_file():
            array: NDArray[Any] = np.load(path, allow_pickle=False)
            return array
        if not compressed.is_file():
            return None
        try:
            with gzip.open(compressed) as file:
                unpacked: NDArray[Any] = np.load(file, allow_pickle=False)
                return unpacked
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise RecordError(
                f"{compressed}: is torn ({error}). Get the folder of records again."
            ) from error

    def read_began(self) -> StudyState:
        """Reads what the study began with.

        Raises:
            StoreError: None has begun here.
            RecordError: The file is damaged.
        """
        began = self.read_state(StudyState)
        if began is None:
            raise StoreError(
                f"{self.folder}: no study has begun here. Begin it with `lstm-study run`."
            )
        # A study that began before padding could be masked was not.
        began.spec.get("protocol", {}).setdefault("masked", False)
        return began

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

    def _write(self, record: Any, name: str = "") -> None:
        write_text(self.path(type(record), name), to_json(record) + "\n")

    def _read_each(self, kind: type[T]) -> list[T]:
        found = (self._read(path, kind) for path in self.paths(kind))
        return [record for record in found if record is not None]

    def _read(self, path: Path, kind: type[T]) -> T | None:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None
        with _advice(kind):
            return from_json(text, kind, where=str(path))


@contextmanager
def _advice(kind: type[Any], step: str = "Delete the file to go on") -> Iterator[None]:
    """Adds to an error of reading a file what to do, and what that loses."""
    try:
        yield
    except RecordError as error:
        raise RecordError(f"{error} {step}: {BY_TYPE[kind].lost}.") from error
