"""A study file opened by a command: its spec, its folders, and where progress is shown."""

import json
import os
import shlex
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from lstm_study.analysis.answer.backends import first_backend
from lstm_study.analysis.search.summary import winner
from lstm_study.commands.model import explored, recorded
from lstm_study.corpus.load import load
from lstm_study.corpus.types import Corpus
from lstm_study.engine.backend import choose_backend, in_force, using
from lstm_study.engine.devices import require_gpus, visible_gpus
from lstm_study.engine.dispatch import Context
from lstm_study.errors import (
    ComparisonError,
    DependencyError,
    RecordError,
    ReportError,
    SpecError,
)
from lstm_study.progress.values import Progress, Report, ignore
from lstm_study.provenance import git_commit
from lstm_study.records import Trial
from lstm_study.records.state import SearchState, StudyState
from lstm_study.search.stage import REACHED
from lstm_study.spec import StudySpec, find_study, parse_spec, study_folder
from lstm_study.spec.changes import changes
from lstm_study.spec.sources import SOURCES
from lstm_study.store import Store

RUNS_FOLDER = Path("study/runs")
REPORTS_FOLDER = Path("reports")


class Show(Protocol):
    """Where commands show their progress."""

    def stage(self, name: str, detail: str) -> None:
        """A stage begins, or is found done."""

    def progress(self, progress: Progress) -> None:
        """Where the running stage stands; called a few times a second."""


class Silent:
    """Shows nothing."""

    def stage(self, name: str, detail: str) -> None:
        """Shows nothing."""

    progress = staticmethod(ignore)


@dataclass(frozen=True, kw_only=True)
class OpenStudy:
    """A study file read, and the folders that belong to it.

    Attributes:
        spec: Validated, with one-off settings applied.
        spec_text: The file, verbatim.
        where: What errors and commands call it: the path as given, or a packaged name.
        settings: One-off settings in force.
        store: `study/runs/<name>`.
        reports: `<out>/<name>`.
        command: The running command line.
        workers: Workers asked for; None to choose.
        workers_per_gpu: Workers that share a GPU; None to choose, or without a GPU.
        population: Networks that a worker trains at once, at most; None to choose.
        cluster: The Ray cluster to run on; "" for this machine's processes.
        folder: That paths in the study file start from; none for kept records.
        builder_text: The text of the builder, where it comes from no file; else None.
    """

    spec: StudySpec
    spec_text: str
    where: str
    settings: tuple[str, ...]
    store: Store
    reports: Path
    command: str
    workers: int | None = None
    workers_per_gpu: int | None = None
    population: int | None = None
    cluster: str = ""
    folder: Path = Path()
    builder_text: str | None = None

    @property
    def context(self) -> Context:
        """The running command, as stages see it."""
        commit = git_commit(Path.cwd())
        return Context(command=self.command, git_commit=commit, settings=self.settings)

    def command_line(self, command: str) -> str:
        """Returns the line that runs a command on this study, with the settings in force."""
        settings = (f" --set {shlex.quote(setting)}" for setting in self.settings)
        return f"lstm-study {command} {shlex.quote(self.where)}{''.join(settings)}"


def open_study(
    study: str | Path,
    *,
    data: Path | None = None,
    out: Path = REPORTS_FOLDER,
    settings: Sequence[str] = (),
    command: str = "",
    workers: int | None = None,
    workers_per_gpu: int | None = None,
    population: int | None = None,
    cluster: str = "",
    builder_text: str | None = None,
) -> OpenStudy:
    """Reads a study file.

    Args:
        study: A path, the name of a study that comes with the package, or "" for `./study.toml` or
            else the quick start: see `spec.find_study`.
        data: Where the reviews are, in place of the spec's `data.path`.
        out: Folder for reports.
        settings: One-off changes, each "table.key=value".
        command: As in `OpenStudy`; so are the following.

    Raises:
        SpecError: The file is missing or breaks rules.
        DependencyError: Workers are to share GPUs, and none is visible.
    """
    if not cluster:
        require_gpus(workers_per_gpu)
    text, where = find_study(study)
    if data is not None:
        settings = [*settings, f"data.path={json.dumps(str(data), ensure_ascii=False)}"]
    spec = parse_spec(text, where=where, settings=settings)
    store = Store(RUNS_FOLDER / spec.study.name)
    # A damaged record is for the commands that need it to say.
    with suppress(RecordError):
        spec = _with_paths(recorded(spec, store, where=where), store)
    return OpenStudy(
        spec=spec,
        spec_text=text,
        where=where,
        settings=tuple(settings),
        store=store,
        reports=out / spec.study.name,
        command=command,
        workers=workers,
        workers_per_gpu=workers_per_gpu,
        population=population,
        cluster=cluster,
        folder=study_folder(study),
        builder_text=builder_text,
    )


def _with_paths(spec: StudySpec, store: Store) -> StudySpec:
    """Returns a spec that names no path with those that its study began with."""
    began = store.read_state(StudyState) if store.exists else None
    if spec.data.paths or spec.data.test_paths or began is None:
        return spec
    before = began.spec["data"]
    if before["source"] != spec.data.source:
        return spec
    paths = {key: before.get(key) for key in ("path", "test_path")}
    return spec.model_copy(update={"data": spec.data.model_copy(update=paths)})


@contextmanager
def held(
    study: OpenStudy, *, show: Show, fresh: bool = False, trains: bool = True
) -> Iterator[OpenStudy]:
    """Holds the study for this command, cleans up after a killed one, and chooses the backend.

    With `fresh` all that it left is moved away, to begin again.

    Args:
        study: The study.
        show: Where to show progress.
        fresh: Whether to begin again.
        trains: Whether the command trains, and so needs a custom builder.

    Yields:
        The study, with what a custom builder declares.

    Raises:
        LockedError: Another process holds it.
        BuilderError: Its builder can't be used.
        ChangedStudyError: Its builder's file has changed since it began.
    """
    with study.store.hold(study.command):
        if fresh and (before := study.store.move_away()) is not None:
            show.stage("Fresh", f"what the study left is in {before}/ until the new one is done")
        study.store.sweep()
        study.store.log(study.command)
        if not trains:
            yield study
            return
        with using(choose_backend(_began_on(study.store))):
            yield _with_builder(study, show=show, fresh=fresh)


def _began_on(store: Store) -> str:
    """Returns the backend that a study began on; "" before it has trained an epoch."""
    return first_backend([*store.read_trials(), *store.read_runs()], store.read_sessions())


def _with_builder(study: OpenStudy, *, show: Show, fresh: bool) -> OpenStudy:
    spec = study.spec
    if spec.builder is None:
        return study
    if fresh:  # what the study file itself says, not what was recorded
        raw = parse_spec(study.spec_text, where=study.where, settings=study.settings)
        spec = spec.model_copy(update={"model": raw.model, "baseline": raw.baseline})
    is_asked = not spec.model.is_explored
    if is_asked:
        show.stage("Model", f"asking {spec.model.builder} what it declares")
    spec = explored(
        spec,
        folder=study.folder,
        text=study.builder_text,
        where=study.where,
        log_path=study.store.log_path,
    )
    if is_asked:
        names = ", ".join(spec.model.hyperparameters or {}) or "no hyperparameters"
        show.stage("Model", f"{spec.model.builder} declares {names}")
    return replace(study, spec=spec)


def begin(study: OpenStudy, *, show: Show, searches: bool = True) -> Corpus:
    """Reads the reviews, and begins the study or checks that it is the one that began.

    Args:
        study: The study, held by this process.
        show: Where to show what is read, and what changed.
        searches: Whether the command searches, so that a larger limit of the search takes effect.

    Raises:
        RecordError: A file of the study is gone: made again, it would hide what was lost.
        ChangedStudyError: Spec or reviews differ from what the study began with.
        ComparisonError: A limit of the search grew, and the command does not search.
    """
    study.store.check_complete()
    if not searches:
        _check_not_grown(study)
    corpus = read_corpus(study, show=show)
    if study.store.exists and not study.store.ledger.exists:
        show.stage("Records", "of an earlier version: their files get digests now")
    changed = study.store.begin(
        study.spec,
        spec_text=study.spec_text,
        settings=study.settings,
        data_digest=corpus.summary.digest,
    )
    for change in changed:
        show.stage("Spec", f"{change}; what is done stays valid")
    study.store.write(corpus.summary)
    tell_of_machine(study, show)
    return corpus


def tell_of_machine(study: OpenStudy, show: Show) -> None:
    """Says what the study trains with, where that is not the usual or not what it began on."""
    from lstm_study.training.runtime import is_numba_cache_filled

    backend, gpus = in_force(), visible_gpus()
    if backend.name != "jax" and (study.population or 1) > 1:
        raise DependencyError(
            f"--population {study.population}: only JAX trains several networks at once, and "
            f"this study trains with {backend.name} ({backend.reason}). Set KERAS_BACKEND=jax "
            "for a new study, or leave the option out."
        )
    if backend.is_another or backend.name != "tensorflow" or gpus:
        show.stage("Machine", f"trains with {backend.name}: {backend.reason}")
    elif not is_numba_cache_filled():
        show.stage("Machine", "the first training on this machine compiles for some seconds, once")


def read_corpus(study: OpenStudy, *, show: Show) -> Corpus:
    """Reads the reviews, from the cache if they were read before.

    Raises:
        SpecError: Their path is neither given, nor known from the study's begin.
        DataError: They can't be read.
    """
    data = study.spec.data
    source = SOURCES[data.source]
    if source.needs_path and not data.paths:
        raise SpecError(
            f'{study.where}: data.path is needed when data.source is "{data.source}" '
            f"({source.about}). Give it with --data, or in the file."
        )
    show.stage("Data", f"reading the reviews ({study.spec.data.source})")
    corpus = load(study.spec.data, seed=study.spec.study.seed)
    counts = {split.name: split.reviews for split in corpus.summary.splits}
    show.stage(
        "Data",
        ", ".join(f"{count:,} {name}" for name, count in counts.items()) + " reviews",
    )
    return corpus


def as_run(study: OpenStudy) -> OpenStudy:
    """Returns a study with the spec that `run` would go on with, or the one it was run with.

    That is the one it was run with where `run` would refuse the study file's; where the reviews lie
    and what is exported may change at any time, and is the study file's.
    """
    before, given = recorded_spec(study), study.spec
    spec = before.model_dump(mode="json")
    if not changes(spec, given, is_compared=study.store.is_compared).refused:
        return study
    where = {"path": given.data.path, "test_path": given.data.test_path}
    data = before.data.model_copy(update=where)
    return replace(study, spec=before.model_copy(update={"data": data, "export": given.export}))


def recorded_spec(study: OpenStudy) -> StudySpec:
    """Returns the spec that a study was run with; the study file's before it has begun."""
    if study.store.has_begun or study.store.holder():
        # A damaged record is for the commands that need it to say.
        with suppress(RecordError):
            if study.store.exists:
                return study.store.read_spec()
    return study.spec


def check_writable(folder: Path) -> None:
    """Makes sure, before hours of training, that the report can be written in the end.

    Raises:
        ReportError: It can't.
    """
    existing = folder
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise ReportError(
            f"{folder}: cannot be written to ({existing} is not a folder you may write to). "
            "Choose another with --out DIR."
        )


def free_bytes(folder: Path) -> int:
    """Returns the free disk space where a folder is, or will be."""
    while not folder.exists():
        folder = folder.absolute().parent
    return shutil.disk_usage(folder).free


def winner_of(study: OpenStudy) -> Trial:
    trials = study.store.read_trials()
    found = winner(trials, study.spec.study.direction, max_epochs=study.spec.search.max_epochs)
    if found is None:
        raise ComparisonError(
            f"{study.store.folder}: no trial completed {study.spec.search.max_epochs} epochs, so "
            f"there is no winner. {_way_to_a_winner(study)}"
        )
    return found


def check_searched(study: OpenStudy) -> None:
    """Makes sure that test is not opened for a winner that the rest of a search may replace.

    Raises:
        ComparisonError: The search has not ended.
    """
    plan = study.store.read_state(SearchState)
    if (plan is None or plan.stopped is None) and not study.store.is_compared:
        raise ComparisonError(
            f"{study.store.folder}: the search has not ended, so its winner may still be another. "
            f"{_way_to_a_winner(study)}"
        )


def _check_not_grown(study: OpenStudy) -> None:
    if not study.store.has_begun:
        return
    before = study.store.read_began()
    found = changes(before.spec, study.spec, is_compared=study.store.is_compared)
    if found.searches_on:
        grown = "; ".join(each for each in found.allowed if each.startswith("search."))
        raise ComparisonError(
            f"{study.store.folder}: {grown}. With that the search resumes, so its winner may still "
            f"be another. Run `{study.command_line('search')}` first, or leave the limit as it was."
        )


def _way_to_a_winner(study: OpenStudy) -> str:
    """Says what to do where no trial completed the full budget."""
    plan = study.store.read_state(SearchState)
    if plan is None or plan.stopped is None:
        return f"Run `{study.command_line('search')}` to its end."
    if limit := REACHED.match(plan.stopped):
        key = limit["key"]
        return (
            f"The search ended before: {plan.stopped}. Give it more: raise {key} in the study "
            f"file, or add --set {key}=VALUE, and run the same command again."
        )
    return (
        f"The search has ended, and `{study.command_line('status')}` shows what failed. Start "
        "over with --fresh once that is mended."
    )


def telling(study: OpenStudy, show: Show) -> Report:
    """Shows a stage's progress here, logs what ends, and leaves the time left for `status`."""
    logged = 0

    def tell(progress: Progress) -> None:
        nonlocal logged
        study.store.write_time_left(progress.stage, progress.remaining_seconds)
        for ended in progress.ended[logged:]:
            score = f"failed: {ended.score}" if ended.failed else ended.score
            study.store.log(f"{progress.stage}: {ended.training_id} {score}  {ended.detail}")
        logged = len(progress.ended)
        show.progress(progress)

    return tell
