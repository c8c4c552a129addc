"""A study file opened by a command: its spec, its folders, and where progress is shown."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from lstm_study.analysis.answer.backends import first_backend
from lstm_study.commands.custom_builder import explored, recorded
from lstm_study.engine.backend import choose_backend, using
from lstm_study.engine.devices import require_gpus
from lstm_study.engine.dispatch import Context
from lstm_study.errors import RecordError, SearchError, SpecError
from lstm_study.progress.values import Progress, ignore
from lstm_study.provenance import git_commit
from lstm_study.records.state import StudyState
from lstm_study.spec import StudySpec, find_study, parse_spec, study_folder
from lstm_study.spec.changes import changes
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
        SearchError: There are to be no workers.
        DependencyError: Workers are to share GPUs, and none is visible.
    """
    if workers is not None and workers < 1:
        raise SearchError(
            f"workers must be an integer >= 1, or None to choose. Received: {workers}."
        )
    if isinstance(settings, str | Mapping):
        raise SpecError(
            'settings must be a list of "table.key=value". Received: '
            f'{settings!r} ({type(settings).__name__}). Write ["search.max_epochs=4"], for example.'
        )
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
            show.stage("Fresh", f"the earlier study is kept in {before}/ until the new one is done")
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
        show.stage("Model", f"reading the hyperparameters that {spec.model.builder} declares")
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


def as_run(study: OpenStudy) -> OpenStudy:
    """Returns a study with the spec that `run` would continue with, or the one it was run with.

    That is the one it was run with where `run` would refuse the study file's; where the reviews lie
    and what is exported may change at any time, and is the study file's. Where that names another
    source, its paths are of other reviews, and only what `--data` gives counts.
    """
    before, given = recorded_spec(study), study.spec
    spec = before.model_dump(mode="json")
    if not changes(spec, given, is_compared=study.store.is_compared).refused:
        return study
    where = {"path": given.data.path, "test_path": given.data.test_path}
    if given.data.source != before.data.source:
        is_given = any(setting.startswith("data.path=") for setting in study.settings)
        where = {"path": given.data.path} if is_given else {}
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
