"""`check`: reads every file of a study; moves what is damaged aside, to be made again."""

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from lstm_study.arm_names import LAST_EPOCHS_SUFFIX
from lstm_study.errors import RecordError
from lstm_study.provenance import now
from lstm_study.records import Control, Run, Trial
from lstm_study.records.kinds import BY_TYPE, KINDS, Kind, kind_of
from lstm_study.records.session import LedgerEntry
from lstm_study.records.state import Live, SearchState, StudyState
from lstm_study.records.trial_ids import TrialId
from lstm_study.store import Store
from lstm_study.store.files import OUTDATED
from lstm_study.store.missing_digests import add_missing_digests
from lstm_study.training.checkpoint import check_weights, read_checkpoint

_LABELS = "predictions/labels.npy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One file that is damaged or missing.

    Attributes:
        file: Its path below the study's folder.
        problem: What is wrong, in words.
        lost: What moving it aside loses.
    """

    file: str
    problem: str
    lost: str

    @property
    def is_repairable(self) -> bool:
        """Whether a study can be resumed without it: without what it began with it can't."""
        return kind_of(self.file).type is not StudyState

    @property
    def is_made_again(self) -> bool:
        """Whether `run` makes it again; else only a copy brings it back."""
        return kind_of(self.file).is_made_again


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What a check found.

    Attributes:
        folder: The study's.
        files: How many files were read.
        findings: What is wrong with them; empty where nothing is.
        lost: What earlier repairs lost, in sentences.
        passed_over: Files among them that other programs left, such as copies with another name.
        is_sealed: Whether the files carry digests. Damage to those of earlier versions is noticed
            only where it makes a record contradict itself or another one.
    """

    folder: Path
    files: int
    findings: tuple[Finding, ...]
    lost: tuple[str, ...]
    passed_over: tuple[str, ...]
    is_sealed: bool

    @property
    def repairable(self) -> tuple[Finding, ...]:
        """Those that a study can be resumed without."""
        return tuple(finding for finding in self.findings if finding.is_repairable)


def check(store: Store) -> Check:
    """Reads every file of a study; changes none.

    Raises:
        StoreError: No study has begun in the folder.
        RecordError: What the study began with is gone, and so is the list of its files.
    """
    store.check_there_is_one()
    found: dict[str, str] = {}
    _try(found, store.ledger.path.name, store.ledger.files)
    if found:
        store = Store(store.folder)
        store.ledger.salvage()
    files = [(kind, path) for kind in KINDS if _is_read(kind) for path in kind.paths(store.folder)]
    for kind, path in files:
        _try(found, _name(store, path), partial(_read, store, kind, path))
    if not found.keys() & {"study.json", store.ledger.path.name}:
        problem = store.ledger_problem()
        found |= {store.ledger.path.name: problem} if problem else {}
    found |= {file: "is missing" for file in store.missing() if file not in found}
    if "plan.json" not in found:
        found |= {file: OUTDATED for file in store.outdated() if file not in found}
    if store.ledger.path.name in found and "plan.json" not in found:
        found |= dict.fromkeys(_unlisted_trials(store), "is missing")
    labels = None if _LABELS in found else store.read_predictions("labels")
    for name, record in _evaluated(store, found):
        file = f"predictions/{name}.npy"
        if labels is None and not store.ledger.exists:
            found[_LABELS] = "is missing"
        if labels is not None and file not in found:
            _try(found, file, partial(store.read_evaluated, name, record, labels))
    return Check(
        folder=store.folder,
        files=len(files),
        findings=tuple(
            Finding(file=file, problem=problem, lost=_lost_with(file, found))
            for file, problem in found.items()
        ),
        lost=tuple(store.lost_in_words()),
        passed_over=tuple(_passed_over(store)),
        is_sealed=store.ledger.exists or store.ledger.path.name in found,
    )


def repair(store: Store, findings: tuple[Finding, ...]) -> Path:
    """Moves what is damaged aside, with the records of trainings that must be run for it again.

    Nothing is deleted. The next `lstm-study run` makes again what was moved. The study is held by
    this process, and all findings of `check` are repairable.

    Returns:
        The folder that damaged files were moved to.
    """
    aside = store.folder / "damaged" / now().replace(":", "")
    files = {finding.file: None for finding in findings}
    moved, is_ledger_damaged = _moved_before(store, files), store.ledger.path.name in files
    # In a study of an earlier version, a list of what was moved alone would be taken for a cut one.
    if is_ledger_damaged or not store.ledger.exists:
        _move(store, store.ledger.path.name, aside)
        files.pop(store.ledger.path.name, None)
        for trial_id in sorted(moved):
            store.ledger.remove(str(store.path(Trial, trial_id).relative_to(store.folder)))
        add_missing_digests(store, skipping=files)
    for file in [*files, *_dependents(store, list(files))]:
        _move(store, file, aside)
        store.ledger.remove(file)
    trials = {Path(file).stem for file in files if kind_of(file).type is Trial}
    plan = store.read_state(SearchState) if "plan.json" not in files else None
    # What else is gone with the ledger the search finds out, where it may still train.
    resumes = bool(trials) or (is_ledger_damaged and not store.is_compared)
    if plan is not None and (resumes or not moved <= set(plan.moved_aside)):
        stopped = None if resumes else plan.stopped
        store.write_state(replace(plan, stopped=stopped, moved_aside=tuple(sorted(trials | moved))))
    return aside


def _moved_before(store: Store, damaged: Collection[str]) -> set[str]:
    """Returns the ids of trials that earlier repairs moved aside, as far as whole files say it."""
    if store.ledger.path.name in damaged:
        store.ledger.salvage()
    plan = store.read_state(SearchState) if "plan.json" not in damaged else None
    listed = (Path(file) for file in store.ledger.removed() if kind_of(file).type is Trial)
    moved = store.folder.glob(f"damaged/*/{BY_TYPE[Trial].path}")
    return {path.stem for path in (*listed, *moved)}.union(plan.moved_aside if plan else ())


def _unlisted_trials(store: Store) -> set[str]:
    """Returns the files of first-round trials that are gone though the plan says that they began.

    All of them did in a search that ended at its plan, and each that a tuner had proposed.
    """
    plan = store.read_state(SearchState)
    if plan is None:
        return set()
    parsed = (TrialId.parse(path.stem) for path in store.paths(Trial))
    there = [each for each in parsed if each is not None]
    begun = set()
    for bracket in plan.brackets:
        # Any trial of the bracket tells how the others are named.
        of = next((each for each in there if each.is_of(bracket)), None)
        is_proposed = None in bracket.configurations
        if of is not None and (plan.stopped == "" or is_proposed):
            begun |= {
                replace(of, slot=slot, round=0)
                for slot, configuration in enumerate(bracket.configurations)
                if configuration is not None
            }
    gone = (store.path(Trial, str(each)) for each in begun.difference(there))
    return {str(path.relative_to(store.folder)) for path in gone}


def _lost_with(file: str, found: Collection[str]) -> str:
    """Says what moving a file aside loses, beside the others that were found."""
    lost = kind_of(file).lost
    if kind_of(file).type is LedgerEntry and "plan.json" in found:
        return f"{lost}, and so does a trial that an earlier repair found gone"
    return lost


def _passed_over(store: Store) -> Iterator[str]:
    """Yields the files that end as those of some kind do, and are named by no id."""
    for kind in filter(_is_read, KINDS):
        for path in sorted({*store.folder.glob(kind.path)}.difference(kind.paths(store.folder))):
            yield str(path.relative_to(store.folder))


def _is_read(kind: Kind) -> bool:
    named = ("spec", "predictions", "kept predictions", "checkpoint", "weights")
    return kind.type not in (None, Live, LedgerEntry) or kind.name in named


def _read(store: Store, kind: Kind, path: Path) -> None:
    if kind.type is not None:
        store.read_file(kind, path)
    elif kind.name == "spec":
        store.read_spec_text()
    elif kind.folder == "predictions":
        store.read_predictions(path.name.partition(".npy")[0])
    else:
        checkpoint = read_checkpoint(path)
        run = _run_of(store, path) if kind.name == "weights" else None
        if checkpoint is not None and run is not None:
            check_weights(path, checkpoint, run)


def _run_of(store: Store, weights: Path) -> Run | None:
    """Returns the run that has these weights; None where its record is gone or damaged."""
    with suppress(RecordError):
        return store.read(Run, weights.stem)
    return None


def _try(found: dict[str, str], file: str, read: Callable[[], Any]) -> None:
    try:
        read()
    except RecordError as error:
        # The cause is the error without advice on what to do.
        text = str(error.__cause__ if isinstance(error.__cause__, RecordError) else error)
        found[file] = text.partition(": ")[2].rstrip(".") if ": " in text else text


def _name(store: Store, path: Path) -> str:
    return str(path.relative_to(store.folder)).removesuffix(".gz")


def _evaluated(store: Store, found: dict[str, str]) -> Iterator[tuple[str, Run | Control]]:
    """Yields the runs that were evaluated on test, of those whose records are whole."""
    for path in store.paths(Run):
        run = store.read(Run, path.stem) if _name(store, path) not in found else None
        if run is not None and run.test_accuracy is not None:
            yield run.run_id, run
    control = store.read(Control) if "control.json" not in found else None
    if control is not None and control.test_accuracy is not None:
        yield "control", control


def _dependents(store: Store, files: list[str]) -> list[str]:
    """Returns the records of the trainings that must be run again for some files."""
    names = [Path(file).stem for file in files if kind_of(file).name in ("predictions", "weights")]
    if "labels" in names:
        evaluated = list(_evaluated(store, dict.fromkeys(files, "")))
        names += [evaluated[0][0]] if evaluated else []
    # Only with its training is the mean of the last epochs evaluated again.
    lost = [*names, *(Path(file).stem for file in files if kind_of(file).type is Run)]
    names += [each.replace(LAST_EPOCHS_SUFFIX, "") for each in lost if LAST_EPOCHS_SUFFIX in each]
    records = ["control.json" if name == "control" else f"runs/{name}.json" for name in names]
    return [file for file in records if (store.folder / file).exists() and file not in files]


def _move(store: Store, file: str, aside: Path) -> None:
    for path in (store.folder / file, store.folder / f"{file}.gz"):
        if path.exists():
            target = aside / path.relative_to(store.folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
