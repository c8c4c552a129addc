"""The only reader and writer of a study's folder, `study/runs/<name>/`.

Every file is replaced whole or appended to by the line, so that a process killed at any moment
leaves each one as it was or as it should be. What there is, and where, is in `records.kinds`.
"""

import json
import shutil
import tomllib
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from pydantic import ValidationError

from lstm_study.errors import ChangedStudyError, RecordError
from lstm_study.files import move, read_bytes, sha256_of, write_text
from lstm_study.provenance import now
from lstm_study.records import (
    Control,
    CorpusSummary,
    NearDuplicates,
    ReviewFacts,
    Run,
    Session,
    StudyRecords,
    Trial,
)
from lstm_study.records.codec import state_from_json, state_to_json
from lstm_study.records.kinds import kind_of
from lstm_study.records.state import Live, QuickState, SearchState, StudyState
from lstm_study.spec import StudySpec
from lstm_study.spec.changes import changes
from lstm_study.store import lock
from lstm_study.store.files import MOST_BYTES, advice
from lstm_study.store.predictions import PredictionFiles
from lstm_study.store.sealing import seal

_SPEC = kind_of("spec.toml")


class Store(PredictionFiles):
    """One study's folder.

    Args:
        folder: `study/runs/<name>`; made when first written to.
    """

    def __repr__(self) -> str:
        return f"Store({str(self.folder)!r})"

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
                seal(self)
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

    def hold(self, command: str) -> AbstractContextManager[None]:
        """Holds the study for one process; others are told which one holds it.

        Raises:
            LockedError: Another process holds it.
        """
        return lock.hold(self.folder, command)

    def holder(self) -> str:
        """Describes the process that holds the study; "" if there is none."""
        return lock.holder(self.folder)

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
        self.write(trial)

    def read_trial(self, trial_id: str) -> Trial | None:
        """Reads one trial's record; None where there is none."""
        return self.read(self.path(Trial, trial_id), Trial)

    def read_trials(self) -> list[Trial]:
        """Reads all trials, in order of id: first bracket first, then round, then slot."""
        return self.read_each(Trial)

    def write_run(self, run: Run) -> None:
        """Writes one run's record, replacing its earlier one."""
        self.write(run)

    def read_run(self, run_id: str) -> Run | None:
        """Reads one run's record; None where there is none."""
        return self.read(self.path(Run, run_id), Run)

    def read_runs(self) -> list[Run]:
        """Reads all runs, in order of arm, then seed index."""
        return sorted(self.read_each(Run), key=lambda run: (run.arm, run.seed_index))

    def write_control(self, control: Control) -> None:
        """Writes the classical control's record."""
        self.write(control)

    def read_control(self) -> Control | None:
        """Reads the classical control's record; None before it began."""
        return self.read(self.path(Control), Control)

    def write_near_duplicates(self, found: NearDuplicates) -> None:
        """Writes which test reviews are near-duplicates of training reviews."""
        self.write(found)

    def read_near_duplicates(self) -> NearDuplicates | None:
        """Reads which test reviews are near-duplicates; None before they were counted."""
        return self.read(self.path(NearDuplicates), NearDuplicates)

    def write_review_facts(self, facts: ReviewFacts) -> None:
        """Writes what a report says about single test reviews."""
        self.write(facts)

    def read_review_facts(self) -> ReviewFacts | None:
        """Reads what a report says about single test reviews; None before it was written."""
        return self.read(self.path(ReviewFacts), ReviewFacts)

    def write_corpus(self, summary: CorpusSummary) -> None:
        """Writes the reviews in numbers."""
        self.write(summary)

    def read_corpus(self) -> CorpusSummary | None:
        """Reads the reviews in numbers; None before they were first read."""
        return self.read(self.path(CorpusSummary), CorpusSummary)

    def write_session(self, session: Session) -> None:
        """Writes one session's record, replacing its earlier one."""
        self.write(session)

    def read_sessions(self) -> list[Session]:
        """Reads all sessions, in order of time."""
        return self.read_each(Session)

    # What stages remember, and where workers stand

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
        plan, quick = self.read_state(SearchState), self.read_state(QuickState)
        return StudyRecords(
            name=spec.study.name,
            title=spec.study.title or spec.study.name,
            spec_text=self.read_spec_text(),
            spec=began.spec,
            deviations=(*spec.deviations, *([quick.in_words] if quick is not None else [])),
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
                data = read_bytes(path, limit=MOST_BYTES)
                text = data.decode()
                tomllib.loads(text)
            except (OSError, ValueError, RecursionError) as error:
                raise RecordError(f"{path}: cannot be read ({error}).") from error
            sha256 = self.ledger.files().get("spec.toml")
            if sha256 is not None and sha256 != sha256_of(path):
                raise RecordError(f"{path}: is not the one that was written.")
        return text

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
