"""Reads and writes the files of a study's folder by their kinds."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from lstm_study.errors import LockedError, RecordError, StoreError
from lstm_study.files import read_bytes, synchronise_names, unseal, write_text
from lstm_study.records import Control, Opening, Run, Session, Trial
from lstm_study.records.codec import from_json, state_from_json, state_to_json, to_json
from lstm_study.records.kinds import BY_TYPE, KINDS, Kind, kind_of
from lstm_study.records.lines import append_line, read_lines
from lstm_study.records.session import LedgerEntry
from lstm_study.records.state import ReportState, SearchState, StudyState
from lstm_study.store.ledger import Ledger
from lstm_study.store.lock import is_in_place, other_machines_process
from lstm_study.store.repair_advice import repair_advice

T = TypeVar("T")

MOST_BYTES = 2**26
OUTDATED = "has not ended, though what followed it has begun: it is an older copy"
NOT_LAST = (
    "is not the one that ledger.jsonl lists: it is another study's, or one of the two is an "
    "earlier copy"
)
CUT = "does not list all records: its last lines are missing, or it is an earlier copy"
_TO_LOSE = (Trial, Run, Control, Opening)


class StudyFiles:
    """The files of one study's folder, each of the kind that `records.kinds` declares."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = Ledger(folder)
        self.lock: str | None = None
        """What this process wrote into the study's lock; None where it does not hold it."""

    @property
    def exists(self) -> bool:
        """Whether the study has been opened by a command: its settings are recorded."""
        return (self.folder / "study.json").is_file()

    @property
    def has_begun(self) -> bool:
        """Whether the study has something to lose: a trial, a run, or an opening of test."""
        if any(path.is_file() for kind in _TO_LOSE for path in self.paths(kind)):
            return True
        try:
            files = self.ledger.files()
        except RecordError:
            return True
        return any(kind_of(file).type in _TO_LOSE for file in files)

    @property
    def is_read_only(self) -> bool:
        """Whether this user may not write the study's files, such as another user's."""
        paths = (self.folder, self.ledger.path)
        return any(path.exists() and not os.access(path, os.W_OK) for path in paths)

    def path(self, kind: type[Any], name: str = "") -> Path:
        """Returns where a record or state is kept, by its class and, where it has one, its id."""
        return self.folder / BY_TYPE[kind].path.replace("*", name)

    def paths(self, kind: type[Any]) -> list[Path]:
        """Returns where all records of a kind are, in order of their ids."""
        return BY_TYPE[kind].paths(self.folder)

    def write(self, record: Any) -> None:
        """Writes a record, replacing its earlier one, and lists its file."""
        path = self.path(type(record), _name_of(record))
        self._write(path, to_json(record) + "\n", is_final=_is_final(record))

    def check_in_place(self) -> None:
        """Checks before a write that the folder this process holds still has its name.

        Else the study would go on in a new folder, with a part of its records.

        Raises:
            StoreError: It was moved, deleted or replaced.
            LockedError: A process of another machine holds it, too.
        """
        if self.lock is None or is_in_place(self.folder, self.lock):
            return
        if other := other_machines_process(self.folder):
            raise LockedError(
                f"{self.folder}: is in use by {other} now, too: on this file system a machine does "
                "not see another one's locks. What has finished is saved. Wait for the other "
                "process, or end it, then run the same command again."
            )
        raise StoreError(
            f"{self.folder}: was moved, deleted or replaced while this command worked on it. "
            "If you moved it, delete what has its name now, move it back, and run the same command "
            "again."
        )

    def _write(self, path: Path, text: str, *, is_final: bool) -> None:
        """Writes a record or state; a final one is listed with its digest.

        A listed one is replaced once its new digest is announced, and that is confirmed afterwards:
        after a kill in between the list tells why the file is another.
        """
        self.check_in_place()
        file = str(path.relative_to(self.folder))
        digest = _digest_in(text) if is_final else ""
        if file in self.ledger.files():
            self.ledger.note(file, digest)
            write_text(path, text)
            if self.ledger.is_unconfirmed(file):
                # Else a power failure could bring the earlier one back, beside a list that says no.
                synchronise_names(path.parent)
                self.ledger.confirm(file)
        else:
            write_text(path, text)
            self.ledger.note(file, digest)

    def read_each(self, kind: type[T]) -> list[T]:
        """Reads all records of a kind, in order of their ids."""
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

    def read(self, kind: type[T], name: str = "") -> T | None:
        """Reads a record, by its class and, where it has one, its id; None where there is none.

        Raises:
            RecordError: It is damaged.
        """
        return self._read(self.path(kind, name), kind)

    def _read(self, path: Path, kind: type[T]) -> T | None:
        text, is_last_written = self._listed_text(path, kind)
        with repair_advice(kind):
            if text is None:
                return None
            record = from_json(text, kind, where=str(path))
            if (own := _name_of(record)) not in ("", path.stem):
                raise RecordError(f"{path}: is the record of {own}.")
            if not is_last_written:
                raise RecordError(f"{path}: {NOT_LAST}.")
            return record

    def _listed_text(self, path: Path, kind: type[Any]) -> tuple[str | None, bool]:
        """Reads a text, and whether it is the one that the ledger lists, if that says."""
        while True:
            before = self.ledger.size
            with repair_advice(kind):
                text = _text(path)
            is_listed = text is None or self._is_listed(path, text)
            # Another process may be writing both.
            if self.ledger.size == before:
                return text, is_listed

    def _is_listed(self, path: Path, text: str) -> bool:
        file = str(path.relative_to(self.folder))
        # A damaged ledger is refused by `check_complete`.
        with suppress(RecordError):
            return self.ledger.allows(file, _digest_in(text))
        return True

    def write_state(self, state: Any) -> None:
        """Writes what a stage must remember: one of the classes of `records.state`."""
        self._write(self.path(type(state)), state_to_json(state), is_final=_is_final(state))

    def read_state(self, kind: type[T]) -> T | None:
        """Reads what a stage remembers; None where it has not begun.

        Raises:
            RecordError: The file is damaged.
        """
        path = self.path(kind)
        text, is_last_written = self._listed_text(path, kind)
        with repair_advice(kind):
            if text is None:
                return None
            state = state_from_json(text, kind, where=str(path))
            if not is_last_written:
                raise RecordError(f"{path}: {NOT_LAST}.")
            return state

    def add_opening(self, opening: Opening) -> None:
        """Logs one opening of the test half, before it is opened."""
        self.check_in_place()
        self.ledger.note("openings.jsonl", append_line(self.path(Opening), opening))

    def read_openings(self) -> list[Opening]:
        """Reads all openings of the test half, in order of time."""
        path, last = self.path(Opening), self.ledger.files().get("openings.jsonl")
        with repair_advice(Opening):
            found = read_lines(path, Opening)
            if last is not None and last not in found:
                raise RecordError(f"{path}: its last lines are missing.")
        return list(found.values())

    @property
    def is_remainder(self) -> bool:
        """Whether the folder holds files of a study, but neither `study.json` nor the ledger.

        An interrupted copy leaves such a folder, and so does `--fresh` if it is killed while it
        moves files away.
        """
        if self.exists or self.ledger.exists:
            return False
        return any(kind.paths(self.folder) for kind in KINDS if _is_of_begun(kind))

    def check_there_is_one(self) -> None:
        """Refuses a folder in which no study has begun.

        Raises:
            RecordError: What it began with is gone, or the ledger beside it is damaged.
            StoreError: None has begun.
        """
        if self.is_remainder:
            with repair_advice(StudyState):
                raise RecordError(f"{self.path(StudyState)}: is missing.")
        # The study file's text is listed first: a kill may have left no more.
        if not self.exists and not self.ledger.files().keys() - {"spec.toml"}:
            raise StoreError(
                f"{self.folder}: no study has been started here. Start one with `lstm-study run`, "
                "in Python with run()."
            )

    def read_began(self) -> StudyState:
        """Reads what the study began with.

        Raises:
            StoreError: None has begun here.
            RecordError: The file is damaged.
        """
        self.check_there_is_one()
        began = self.read_state(StudyState)
        if began is None:
            with repair_advice(StudyState):
                raise RecordError(f"{self.path(StudyState)}: is missing.")
        # A study that began before padding could be masked was not.
        began.spec.get("protocol", {}).setdefault("masked", False)
        return began

    def check_complete(self) -> None:
        """Makes sure that every file that was written is there, and is no earlier copy.

        Whether a file is damaged is checked by its reader.

        Raises:
            RecordError: One is missing, or an earlier copy.
        """
        if self.is_remainder:
            self.check_there_is_one()
        if problem := self.ledger_problem():
            with repair_advice(LedgerEntry):
                raise RecordError(f"{self.ledger.path}: {problem}.")
        for file in self.missing():
            with repair_advice(kind_of(file)):
                raise RecordError(f"{self.folder / file}: is missing.")
        for file in self.outdated():
            with repair_advice(kind_of(file)):
                raise RecordError(f"{self.folder / file}: {OUTDATED}.")

    def ledger_problem(self) -> str:
        """Says that the ledger is missing or truncated; "" where it is whole, or never was.

        Raises:
            RecordError: It is damaged.
        """
        if not self.exists or self.read_began().schema_version == 1:
            return ""
        if not self.ledger.exists:
            return "is missing"
        # Before the list is read: another process may be writing both.
        trainings = [path for kind in (Trial, Run) for path in self.paths(kind)]
        listed = self.ledger.files()
        unlisted = [path for path in trainings if str(path.relative_to(self.folder)) not in listed]
        # A file is listed once it is written: a kill leaves one that is not, until it is resumed.
        is_cut = len(unlisted) > 1 or not (listed or self.ledger.removed())
        return CUT if is_cut else ""

    def missing(self) -> list[str]:
        """Returns the files that were written and are gone, as paths below the folder."""
        return [
            file
            for file in self.ledger.files()
            if not (self.folder / file).exists() and not (self.folder / f"{file}.gz").exists()
        ]

    def is_moved_aside(self, kind: type[Any]) -> bool:
        """Whether a repair moved the only file of a kind aside, and it was not made again."""
        file = BY_TYPE[kind].path
        # A damaged ledger is refused by `check_complete`.
        with suppress(RecordError):
            return file in self.ledger.removed() and not (self.folder / file).exists()
        return False

    def lost_in_words(self) -> list[str]:
        """Says of each file that a repair moved aside, and that nothing makes again, what is lost.

        One that was put back from a copy is there and not listed.

        Raises:
            RecordError: The ledger is damaged.
        """
        listed = self.ledger.files()
        return [
            f"A repair moved {file} aside, and nothing makes it again: {kind_of(file).lost}."
            for file in sorted(self.ledger.removed())
            if not kind_of(file).is_made_again
            and (file in listed or not (self.folder / file).exists())
        ]

    def moved_trials(self) -> frozenset[str]:
        """Returns the ids of trials that a repair ever moved aside, or found gone.

        The ledger lists them, and the plan, which has them where the ledger was damaged later.
        """
        removed = {Path(file).stem for file in self.ledger.removed() if kind_of(file).type is Trial}
        plan = self.read_state(SearchState)
        return frozenset(removed.union(plan.moved_aside if plan is not None else ()))

    def outdated(self) -> list[str]:
        """Returns the trials that have not ended though others show that they had, as `missing`.

        A backup that was restored in part leaves such: where the search has ended to its plan,
        where another trial continues it, and of finalists where the winner has runs. Where a limit
        ended the search, others may have been interrupted.
        """
        plan = self.read_state(SearchState)
        if plan is None:
            return []
        trials = list(self._whole_trials(path.stem for path in self.paths(Trial)))
        is_ended = plan.stopped == ""
        has_winner = any(path.stem.startswith("winner-") for path in self.paths(Run))
        # What a repair moved aside is trained again.
        moved = self.moved_trials()
        parents = {trial.parent for trial in trials}
        found = [
            trial.trial_id
            for trial in trials
            if not trial.has_ended
            and (
                (is_ended and trial.role != "finalist")
                or (trial.trial_id in parents and trial.trial_id not in moved)
                or (has_winner and trial.role == "finalist" and trial.trial_id not in moved)
            )
        ]
        # One that was running when it was read may have ended since, and been continued.
        return [
            str(self.path(Trial, trial.trial_id).relative_to(self.folder))
            for trial in self._whole_trials(found)
            if not trial.has_ended
        ]

    def _whole_trials(self, ids: Iterable[str]) -> Iterator[Trial]:
        """Reads trials; damaged ones, which are for their reader, are left out."""
        for trial_id in ids:
            with suppress(RecordError):
                if (trial := self.read(Trial, trial_id)) is not None:
                    yield trial


def _is_of_begun(kind: Kind) -> bool:
    """Whether a file of a kind is written only once a study has begun."""
    return kind.name != "spec" and (kind.is_kept or kind.name in ("checkpoint", "weights"))


def _is_final(record: Any) -> bool:
    """Whether a record or state is not to change with the next epoch, proposal or command."""
    match record:
        case Trial() | Run() | Control():
            return record.has_ended
        case SearchState():
            return record.stopped is not None
    # What a study began with can't be made again: an earlier copy is better than none.
    return not isinstance(record, Session | StudyState | ReportState)


def _digest_in(text: str) -> str:
    """Returns the digest that a text ends with; "" without one, or where it does not match."""
    with suppress(ValueError):
        return unseal(text.rstrip("\n"))[1]
    return ""


def _name_of(record: Any) -> str:
    """Returns the record's id, which names its file; "" for the only one of its kind."""
    match record:
        case Trial() | Run():
            return record.training_id
        case Session():
            return f"{record.started_at.replace(':', '')}-{record.stage}"
    return ""


def _text(path: Path) -> str | None:
    """Reads a text; None where there is none. Its reader refuses bytes that are not UTF-8."""
    try:
        return read_bytes(path, limit=MOST_BYTES).decode(errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise RecordError(f"{path}: cannot be read ({error}).") from error
