"""The only reader and writer of a study's folder, `study/runs/<name>/`.

Every file is replaced whole or appended to by the line, so that a process killed at any moment
leaves each one as it was or as it should be. What there is, and where, is in `records.kinds`.
"""

import shlex
import shutil
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from lstm_study.arm_names import is_of_baseline
from lstm_study.errors import ChangedStudyError, RecordError, StoreError
from lstm_study.files import move, open_log, read_bytes, sha256_of, write_text
from lstm_study.printable import printable
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
from lstm_study.records.kinds import kind_of
from lstm_study.records.state import ArmsState, QuickState, SearchState, StudyState
from lstm_study.records.trial_ids import in_order
from lstm_study.spec import StudySpec
from lstm_study.spec.changes import Changes, changes
from lstm_study.store import lock
from lstm_study.store.files import MOST_BYTES
from lstm_study.store.live import LiveFiles
from lstm_study.store.missing_digests import add_missing_digests
from lstm_study.store.predictions import PredictionFiles
from lstm_study.store.repair_advice import repair_advice

_SPEC = kind_of("spec.toml")


class Store(PredictionFiles, LiveFiles):
    """One study's folder, `study/runs/<name>`; it is made when first written to."""

    def __repr__(self) -> str:
        return f"Store({str(self.folder)!r})"

    @property
    def log_path(self) -> Path:
        """The study's log file."""
        return self.folder / "study.log"

    def log(self, line: str) -> None:
        """Appends a line to the log, printable and with its time; it may be lost."""
        with suppress(OSError, StoreError):
            self.check_in_place()
            with open_log(self.log_path) as file:
                file.write(f"{now()[:19]}Z {printable(line, keep='')}\n".encode())

    @property
    def scratch(self) -> Path:
        """Where workers leave checkpoints and weights until `adopt` moves them."""
        return self.folder / "scratch"

    # Beginning, resuming and holding a study

    def begin(
        self, spec: StudySpec, *, spec_text: str, settings: tuple[str, ...], data_digest: str
    ) -> tuple[str, ...]:
        """Begins the study, or checks that it is the one that began here.

        A study that has nothing to lose yet begins again, with any spec. In one that has begun,
        some settings may still change: see `changes.changes`. The text is the study file's,
        verbatim; `settings` are the one-off changes that the spec has beside it.

        Returns:
            The changes that are allowed, in sentences.

        Raises:
            ChangedStudyError: Spec or data differ from what the study began with; names the keys.
        """
        began = StudyState(
            spec=spec.model_dump(mode="json"), settings=settings, data_digest=data_digest
        )
        allowed: tuple[str, ...] = ()
        if self.has_begun:
            found = self._changes(spec, settings=settings, data_digest=data_digest)
            allowed = found.allowed
            if found.searches_on and (search := self.read_state(SearchState)) is not None:
                self.write_state(replace(search, stopped=None))
            # A study of an earlier version, also where adding digests was interrupted.
            if not self.ledger.exists or self.read_began().schema_version == 1:
                add_missing_digests(self)
        elif self.path(SearchState).exists() and self._began_otherwise(began):
            self.ledger.remove(self.path(SearchState).name)
            self.path(SearchState).unlink()  # another spec's search
        write_text(self.folder / "spec.toml", spec_text)
        self.ledger.note("spec.toml", sha256_of(self.folder / "spec.toml"))
        self.write_state(began)
        return allowed

    @property
    def has_spec_and_corpus(self) -> bool:
        """Whether `spec.toml` and `corpus.json` are there: a repair may have moved them aside.

        Each command that trains writes both again when it begins.
        """
        return (self.folder / "spec.toml").is_file() and self.path(CorpusSummary).is_file()

    def _began_otherwise(self, now_begun: StudyState) -> bool:
        """Whether a study that has nothing to lose yet began with another spec."""
        try:
            before = self.read_state(StudyState)
        except RecordError:
            return True
        return before is None or before.spec != now_begun.spec

    def _changes(self, spec: StudySpec, *, settings: tuple[str, ...], data_digest: str) -> Changes:
        """Returns what changed in a study that has begun; refuses changes that are not allowed."""
        before = self.read_began()
        found = changes(before.spec, spec, is_compared=self.is_compared)
        refused = list(found.refused)
        if before.data_digest != data_digest:
            refused.append("the reviews are not those that the study was started with")
        if refused:
            keys = {each.partition(" ")[0] for each in found.refused}
            left_out = [
                f"--set {shlex.quote(each)}"
                for each in self.settings_left_out(settings)
                if _key_of(each) in keys
            ]
            step = "Change that back, start"
            if left_out:
                step = f"It was started with {' '.join(left_out)}: repeat that. Or start"
            raise ChangedStudyError(
                f"{self.folder}: the study was started with other settings: {'; '.join(refused)}. "
                f"{step} over with --fresh (in Python, run(fresh=True)), or give study.name a new "
                "name."
            )
        return found

    @property
    def is_compared(self) -> bool:
        """Whether the comparison has begun: a baseline may have been trained before the search."""
        return self.path(ArmsState).is_file() or any(
            not is_of_baseline(path.stem) for path in self.paths(Run)
        )

    def settings_left_out(self, settings: Sequence[str]) -> tuple[str, ...]:
        """Returns the one-off settings that the study was run with and that are not among these."""
        return tuple(
            each
            for each in self.read_began().settings
            if each not in settings and not each.startswith("data.path=")
        )

    @contextmanager
    def hold(self, command: str) -> Iterator[None]:
        """Holds the study for one process; others are told which one holds it.

        Raises:
            LockedError: Another process holds it.
        """
        with lock.hold(self.folder, command) as held:
            self.lock = held
            try:
                yield
            finally:
                self.lock = None

    def holder(self) -> str:
        """Describes the process that holds the study; "" if there is none."""
        return lock.holder(self.folder)

    def on_another_machine(self) -> str:
        """Describes the process of another machine that may hold it, or was killed; else ""."""
        return "" if self.holder() else lock.other_machines_process(self.folder)

    def move_away(self) -> Path | None:
        """Moves all that the study left to a folder beside it, for `--fresh`; the lock stays.

        What a killed command did not move is no study any more: what it began with goes first, then
        the ledger.
        """
        first = [self.path(StudyState), self.ledger.path]
        paths = [path for path in self.folder.iterdir() if path.name != "lock"]
        if not paths:
            return None
        paths.sort(key=lambda path: first.index(path) if path in first else len(first))
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

    def read_trials(self) -> list[Trial]:
        """Reads all trials, in order of id: by bracket, then by slot, then by round."""
        return sorted(self.read_each(Trial), key=lambda trial: in_order(trial.trial_id))

    def lost_trials(self) -> set[str]:
        """Returns the ids of trials that a repair moved aside and that have not ended again."""
        ended = [each for each in self.read_trials() if each.has_ended]
        return set(self.moved_trials() - {trial.trial_id for trial in ended})

    def read_runs(self) -> list[Run]:
        """Reads all runs, in order of arm, then seed index."""
        return sorted(self.read_each(Run), key=lambda run: (run.arm, run.seed_index))

    def read_sessions(self) -> list[Session]:
        """Reads all sessions, in order of time."""
        return self.read_each(Session)

    # Size and clean-up

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
        """Where a training that may be resumed keeps its last epoch."""
        return self.folder / "checkpoints" / f"{training_id}.npz"

    def adopt(self, scratch: Path, path: Path) -> None:
        """Moves a file that a worker wrote, whole, to its place.

        Raises:
            StoreError: It can't be moved.
        """
        move(scratch, path)

    def weights_path(self, run_id: str) -> Path:
        """Where a finished run keeps its weights."""
        return self.folder / "models" / f"{run_id}.npz"

    # All records

    def read_all(self) -> StudyRecords:
        """Reads all records at one moment.

        Raises:
            StoreError: The study has not begun.
            RecordError: A record is damaged.
        """
        began, spec = self.read_began(), self.read_spec()
        self.check_complete()
        runs, control = self.read_runs(), self.read(Control)
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
            title=spec.study.heading,
            spec_text=self.read_spec_text(),
            spec=began.spec,
            deviations=(*spec.deviations, *([quick.in_words] if quick is not None else [])),
            settings=began.settings,
            corpus=self.read(CorpusSummary),
            planned_trials=plan.trials if plan else 0,
            planned_epochs=plan.epochs if plan else 0,
            planned_control=plan.trials_of("control") if plan else 0,
            stopped=(plan.stopped or "") if plan else "",
            trials=tuple(self.read_trials()),
            runs=tuple(runs),
            sessions=tuple(self.read_sessions()),
            openings=tuple(self.read_openings()),
            predictions=predictions,
            test_labels=labels,
            control=control,
            near_duplicates=self.read(NearDuplicates),
            review_facts=self.read(ReviewFacts),
        )

    def read_spec_text(self) -> str:
        """Reads the study file that the study began with, verbatim.

        Raises:
            StoreError: No study has been started here.
            RecordError: It is missing, or was changed after it was written.
        """
        self.check_there_is_one()
        path, sha256 = self.folder / "spec.toml", self.ledger.files().get("spec.toml")
        with repair_advice(_SPEC):
            try:
                data = read_bytes(path, limit=MOST_BYTES)
                text = data.decode()
                tomllib.loads(text)
            except (OSError, ValueError, RecursionError) as error:
                raise RecordError(f"{path}: cannot be read ({error}).") from error
            if sha256 is not None and sha256 != sha256_of(path):
                raise RecordError(f"{path}: was changed after it was written.")
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


def _key_of(setting: str) -> str:
    """Returns the "table.key" that a one-off setting changes, or of which it changes a part."""
    return ".".join(setting.partition("=")[0].strip().split(".")[:2])
