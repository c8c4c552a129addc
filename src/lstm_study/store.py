"""The only reader and writer of what a study leaves while it runs: `study/runs/<name>/`.

Every file is replaced whole or appended to by the line, so that a process killed at any moment
leaves each one as it was or as it should be. The layout::

    study.json            what the study began with: spec, settings, digest of the data
    spec.toml             the study file, verbatim
    corpus.json           the reviews in numbers
    plan.json             the search's schedule, and what came of it
    arms.json             the comparison's arms and their own epochs, once they are fixed
    seeds.json            seeds added after the first comparison
    verdicts.json         each look at the verdict with more seeds than the last
    report.json           what the last report was made with: time, versions, commit, model
    trials/ID.json        one record per trial
    runs/ID.json          one record per run
    control.json          the classical control's record
    near-duplicates.json  test reviews that stand nearly word for word in training
    review-facts.json     lengths, unknown words and excerpts of the test reviews
    predictions/ID.npy    test probabilities of one run; labels.npy: the test labels. In records
                           that were kept (`commands.keep`) they are compressed: ID.npy.gz
    checkpoints/ID.npz    the last epoch of a training that may go on
    models/ID.npz         the weights of a finished run
    scratch/WORKER/       checkpoints that a worker wrote, until they are moved to their place
    live/WORKER.json      where a worker stands now; not a record, may be lost
    sessions/TIME.json    one record per command
    openings.jsonl        one record per opening of the test half
    study.log             everything TensorFlow and the workers say
    lock                  held by the one process that works on the study
"""

import fcntl
import gzip
import json
import os
import platform
import secrets
import shutil
import tomllib
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_study.errors import (
    ChangedStudyError,
    LockedError,
    RecordError,
    StoreError,
)
from lstm_study.records import (
    Control,
    CorpusSummary,
    NearDuplicates,
    Opening,
    RecordT,
    ReviewFacts,
    Run,
    Session,
    StudyRecords,
    Trial,
    from_json,
    to_json,
)
from lstm_study.spec import StudySpec
from lstm_study.spec.changes import changes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LOST: Mapping[type[Any], str] = {
    Trial: "its trial is trained again, and nothing else is lost",
    Run: "its run is trained again, and nothing else is lost",
    Control: "the control is trained again, and nothing else is lost",
    NearDuplicates: "they are counted again, and nothing is lost",
    ReviewFacts: "the report tells less of single test reviews, and nothing else is lost",
    CorpusSummary: "it is written again, and nothing is lost",
    Session: "the time it counted is lost, and nothing else",
    Opening: "the log of test openings is lost, and nothing else",
}


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
        began = {
            "schema_version": 1,
            "spec": spec.model_dump(mode="json"),
            "settings": list(settings),
            "data_digest": data_digest,
        }
        allowed: tuple[str, ...] = ()
        if self.exists:
            allowed = self._changes(spec, data_digest=data_digest)
        write_text(self.folder / "spec.toml", spec_text)
        write_text(self.folder / "study.json", json.dumps(began, indent=1))
        return allowed

    def _changes(self, spec: StudySpec, *, data_digest: str) -> tuple[str, ...]:
        """Says what changed in a study that began, where all of it may; refuses it by name else."""
        before = self._began()
        is_compared = (self.folder / "arms.json").is_file() or any(
            (self.folder / "runs").glob("*.json")
        )
        found = changes(before["spec"], spec, is_compared=is_compared)
        refused = list(found.refused)
        if before["data_digest"] != data_digest:
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
        _make_folder(self.folder)
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
        path = self.folder / "trials" / f"{trial.trial_id}.json"
        write_text(path, to_json(trial) + "\n")

    def read_trial(self, trial_id: str) -> Trial | None:
        """Reads one trial's record; None where there is none."""
        return self._read(self.folder / "trials" / f"{trial_id}.json", Trial)

    def read_trials(self) -> list[Trial]:
        """Reads all trials, in order of id: first bracket first, then round, then slot."""
        return [
            record
            for path in sorted((self.folder / "trials").glob("*.json"))
            if (record := self._read(path, Trial)) is not None
        ]

    def write_run(self, run: Run) -> None:
        """Writes one run's record, replacing its earlier one."""
        write_text(self.folder / "runs" / f"{run.run_id}.json", to_json(run) + "\n")

    def read_run(self, run_id: str) -> Run | None:
        """Reads one run's record; None where there is none."""
        return self._read(self.folder / "runs" / f"{run_id}.json", Run)

    def read_runs(self) -> list[Run]:
        """Reads all runs, in order of arm, then seed index."""
        found = [
            record
            for path in (self.folder / "runs").glob("*.json")
            if (record := self._read(path, Run)) is not None
        ]
        return sorted(found, key=lambda run: (run.arm, run.seed_index))

    def write_control(self, control: Control) -> None:
        """Writes the classical control's record."""
        write_text(self.folder / "control.json", to_json(control) + "\n")

    def read_control(self) -> Control | None:
        """Reads the classical control's record; None before it began."""
        return self._read(self.folder / "control.json", Control)

    def write_near_duplicates(self, found: NearDuplicates) -> None:
        """Writes which test reviews stand nearly word for word in training."""
        write_text(self.folder / "near-duplicates.json", to_json(found) + "\n")

    def read_near_duplicates(self) -> NearDuplicates | None:
        """Reads which test reviews stand nearly word for word in training."""
        return self._read(self.folder / "near-duplicates.json", NearDuplicates)

    def write_review_facts(self, facts: ReviewFacts) -> None:
        """Writes what a report tells of single test reviews."""
        write_text(self.folder / "review-facts.json", to_json(facts) + "\n")

    def read_review_facts(self) -> ReviewFacts | None:
        """Reads what a report tells of single test reviews; None before it was written."""
        return self._read(self.folder / "review-facts.json", ReviewFacts)

    def write_corpus(self, summary: CorpusSummary) -> None:
        """Writes the reviews in numbers."""
        write_text(self.folder / "corpus.json", to_json(summary) + "\n")

    def read_corpus(self) -> CorpusSummary | None:
        """Reads the reviews in numbers; None before they were first read."""
        return self._read(self.folder / "corpus.json", CorpusSummary)

    def write_state(self, name: str, values: Mapping[str, Any]) -> None:
        """Writes what a stage must remember: "plan", "arms", "seeds", "verdicts", "report"."""
        write_text(self.folder / f"{name}.json", json.dumps(values, indent=1))

    def read_state(self, name: str) -> dict[str, Any]:
        """Reads what a stage remembers; empty where it has not begun.

        Raises:
            RecordError: The file is torn.
        """
        path = self.folder / f"{name}.json"
        try:
            values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise RecordError(f"{path}: is torn ({error}). Start over with --fresh.") from error
        return values

    def write_session(self, session: Session) -> None:
        """Writes one session's record, replacing its earlier one."""
        name = session.started_at.replace(":", "") + f"-{session.stage}.json"
        write_text(self.folder / "sessions" / name, to_json(session) + "\n")

    def read_sessions(self) -> list[Session]:
        """Reads all sessions, in order of time."""
        return [
            record
            for path in sorted((self.folder / "sessions").glob("*.json"))
            if (record := self._read(path, Session)) is not None
        ]

    def add_opening(self, opening: Opening) -> None:
        """Logs one opening of the test half, before it is opened."""
        path = self.folder / "openings.jsonl"
        _make_folder(self.folder)
        with path.open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            # A line that a kill tore must not swallow the next one.
            file.truncate(file.read().rfind(b"\n") + 1)
            file.write(to_json(opening).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def read_openings(self) -> list[Opening]:
        """Reads all openings of the test half, in order of time."""
        return self._read_lines(self.folder / "openings.jsonl", Opening)

    def write_live(self, worker: str, values: Mapping[str, Any]) -> None:
        """Writes where a worker stands; not synchronised to disk, for it may be lost."""
        path = self.folder / "live" / f"{worker}.json"
        write_text(path, json.dumps(values), durable=False)

    def read_live(self) -> dict[str, dict[str, Any]]:
        """Reads where each worker stands."""
        found = {}
        for path in (self.folder / "live").glob("*.json"):
            try:
                found[path.stem] = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
        return found

    def forget_live(self, worker: str) -> None:
        """Deletes where a worker stood, once it is gone."""
        (self.folder / "live" / f"{worker}.json").unlink(missing_ok=True)

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
        _make_folder(path.parent)
        try:
            scratch.replace(path)
        except OSError as error:
            raise StoreError(
                f"{path}: cannot be written ({error.strerror or error}). "
                "Free space or mend the folder's permissions, then run the same command again."
            ) from error

    def weights_path(self, run_id: str) -> Path:
        """Where a finished run keeps its weights."""
        return self.folder / "models" / f"{run_id}.npz"

    # The whole

    def read_all(self) -> StudyRecords:
        """Reads all records at one moment.

        Raises:
            StoreError: The study has not begun.
            RecordError: A record is torn.
        """
        began = self._began()
        spec = StudySpec.model_validate(began["spec"], strict=False)
        runs = self.read_runs()
        predictions = {
            name: array
            for name in (*(run.run_id for run in runs), "control")
            if (array := self._read_array(name)) is not None
        }
        plan = self.read_state("plan")
        return StudyRecords(
            name=spec.study.name,
            title=spec.study.title or spec.study.name,
            spec_text=self.read_spec_text(),
            spec=began["spec"],
            deviations=tuple(spec.deviations),
            settings=tuple(began["settings"]),
            corpus=self.read_corpus(),
            planned_trials=plan.get("trials", 0),
            planned_epochs=plan.get("epochs", 0),
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
                f"{compressed}: is torn ({error}). Get the folder of records anew."
            ) from error

    def _began(self) -> dict[str, Any]:
        path = self.folder / "study.json"
        try:
            began: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise StoreError(
                f"{self.folder}: no study has begun here. Begin it with `lstm-study run`."
            ) from None
        except (OSError, ValueError) as error:
            raise RecordError(
                f"{path}: cannot be read ({error}). Start over with --fresh."
            ) from error
        # A study that began before padding could be masked was not.
        began["spec"].get("protocol", {}).setdefault("masked", False)
        return began

    def _read(self, path: Path, kind: type[RecordT]) -> RecordT | None:
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            text = ""
        try:
            return from_json(text, kind, where=str(path))
        except RecordError as error:
            raise RecordError(f"{error} Delete the file to go on: {_LOST[kind]}.") from error

    def _read_lines(self, path: Path, kind: type[RecordT]) -> list[RecordT]:
        """Reads a file of one record a line; a torn last line is a kill's, and is passed over."""
        if not path.is_file():
            return []
        whole, _, _torn = path.read_bytes().rpartition(b"\n")
        try:
            return [
                from_json(line.decode(errors="replace"), kind, where=f"{path}:{number}")
                for number, line in enumerate(whole.splitlines(), start=1)
            ]
        except RecordError as error:
            raise RecordError(f"{error} Delete the file to go on: {_LOST[kind]}.") from error


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Writes a text file whole or not at all; see `replacing`.

    Raises:
        StoreError: The disk is full, or the folder can't be written to.
    """
    with replacing(path, durable=durable) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_array(path: Path, array: "NDArray[Any]") -> None:
    """Writes one NumPy array whole or not at all, without pickles."""
    import numpy as np

    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Yields a temporary file beside `path` that takes its place when the block ends well.

    Args:
        path: The file to replace; its folder is made.
        durable: Whether to wait until the bytes are on the disk.

    Raises:
        StoreError: The disk is full, or the folder can't be written to.
    """
    _make_folder(path.parent)
    try:
        temporary = path.parent / f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}~"
        temporary.touch(exist_ok=False)
        try:
            yield temporary
            if durable:
                with temporary.open("rb") as file:
                    os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written ({error.strerror or error}). "
            "Free space or mend the folder's permissions, then run the same command again."
        ) from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{folder}: cannot be made ({error.strerror or error}). "
            "Choose a folder that you may write to."
        ) from error
