"""What each command does, with values in and values out; the command line only shows them."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lstm_study.analysis.search_summary import winner
from lstm_study.errors import ComparisonError, ReportError, SpecError
from lstm_study.progress import Progress, Report, ignore
from lstm_study.provenance import git_commit, now, versions
from lstm_study.records import Run, StudyRecords, Trial
from lstm_study.spec import StudySpec, parse_spec
from lstm_study.store import Store
from lstm_study.workers.crew import Context

if TYPE_CHECKING:
    from lstm_study.analysis.arms import ArmSummary
    from lstm_study.analysis.verdict import Verdict
    from lstm_study.comparison.arms import Plan
    from lstm_study.corpus.types import Corpus

RUNS_FOLDER = Path("study/runs")
REPORTS_FOLDER = Path("reports")


class Show(Protocol):
    """Where commands tell of their progress."""

    def stage(self, name: str, detail: str) -> None:
        """A stage begins, or is found done."""

    def progress(self, progress: Progress) -> None:
        """Where the running stage stands; called a few times a second."""


class Silent:
    """Tells nobody."""

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
        command: The command line at work.
        workers: Workers asked for; None to choose.
    """

    spec: StudySpec
    spec_text: str
    where: str
    settings: tuple[str, ...]
    store: Store
    reports: Path
    command: str
    workers: int | None = None

    @property
    def context(self) -> Context:
        """What stages are told of the command."""
        return Context(
            command=self.command,
            git_commit=git_commit(Path.cwd()),
            settings=self.settings,
            workers=self.workers,
        )


def open_study(
    study: str | Path,
    *,
    data: Path | None = None,
    out: Path = REPORTS_FOLDER,
    settings: Sequence[str] = (),
    command: str = "",
    workers: int | None = None,
) -> OpenStudy:
    """Reads a study file.

    Args:
        study: A path, or the name of a study that comes with the package: "quickstart", "imdb",
            "own-reviews".
        data: Where the reviews are, in place of the spec's `data.path`.
        out: Folder for reports.
        settings: One-off changes, each "table.key=value".
        command: The command line at work, for records.
        workers: Worker processes; None to choose.

    Raises:
        SpecError: The file is missing or breaks rules.
    """
    text, where = _read_study(study)
    if data is not None:
        settings = [*settings, f"data.path={_toml_string(str(data))}"]
    spec = parse_spec(text, where=where, settings=settings)
    return OpenStudy(
        spec=spec,
        spec_text=text,
        where=where,
        settings=tuple(settings),
        store=Store(RUNS_FOLDER / spec.study.name),
        reports=out / spec.study.name,
        command=command,
        workers=workers,
    )


def _read_study(study: str | Path) -> tuple[str, str]:
    path = Path(study)
    if path.is_file():
        try:
            return path.read_text(encoding="utf-8"), str(study)
        except (OSError, UnicodeDecodeError) as error:
            raise SpecError(f"{path}: cannot be read ({error}). Give a TOML file.") from error
    name = path.stem
    packaged = resources.files("lstm_study") / "studies" / f"{name}.toml"
    is_name = str(study) in (name, f"study/{name}.toml")
    if is_name and packaged.is_file():
        return packaged.read_text(encoding="utf-8"), name
    raise SpecError(
        f"{study}: no such study file. Give the path of one, or the name of one that comes with "
        "the package: quickstart, imdb, own-reviews."
    )


def _toml_string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# The stages


@contextmanager
def held(study: OpenStudy, *, fresh: bool = False) -> Iterator[None]:
    """Holds the study for this command, and sweeps up after a killed one.

    Args:
        study: The study.
        fresh: Whether to delete all that it left, and begin again.
    """
    with study.store.hold(study.command):
        if fresh:
            study.store.erase()
        study.store.sweep()
        yield


def begin(study: OpenStudy, *, show: Show) -> "Corpus":
    """Reads the reviews, and begins the study or checks that it is the one that began."""
    corpus = read_corpus(study, show=show)
    study.store.begin(
        study.spec,
        spec_text=study.spec_text,
        settings=study.settings,
        data_digest=corpus.digest,
    )
    study.store.write_corpus(corpus.summary)
    return corpus


def read_corpus(study: OpenStudy, *, show: Show) -> "Corpus":
    """Reads the reviews, from the cache if they were read before."""
    from lstm_study.corpus.load import load

    show.stage("Data", f"reading the reviews ({study.spec.data.source})")
    corpus = load(study.spec.data, seed=study.spec.study.seed)
    counts = {split.name: split.reviews for split in corpus.summary.splits}
    show.stage(
        "Data",
        ", ".join(f"{count:,} {name}" for name, count in counts.items()) + " reviews",
    )
    return corpus


def search(study: OpenStudy, *, show: Show) -> Trial:
    """Runs the search to its end, and returns the winner.

    Raises:
        SearchError: Workers can't train, or trials fail in a row with an error in the code.
        ComparisonError: No trial completed at the full budget.
    """
    if study.store.read_state("plan").get("stopped") != "":
        _load_keras_tuner(study)
        from lstm_study.search.search import plan_search, run_search

        plan = plan_search(study.spec, study.store)
        show.stage("Search", _plan_in_words(study.store.read_state("plan")))
        run_search(
            study.spec, study.store, plan, context=study.context, report=_telling(study, show)
        )
    stopped = study.store.read_state("plan")["stopped"]
    found = _winner(study)
    show.stage("Search", f"{stopped or 'finished'}; winner {found.trial_id}")
    return found


def compare(study: OpenStudy, *, show: Show, more_seeds: int = 0) -> None:
    """Retrains every arm under the protocol, and evaluates each run once on test.

    Args:
        study: The study.
        show: Where to tell of the progress.
        more_seeds: Seeds to add to those planned so far; written down, and counted as another look
            at the test reviews once a verdict is read.
    """
    from lstm_study.comparison.compare import run_comparison
    from lstm_study.comparison.seeds import add_seeds

    _winner(study)
    if more_seeds:
        show.stage("Comparison", add_seeds(study.spec, study.store, more_seeds, study.command))
    plan = _comparison_plan(study)
    show.stage(
        "Comparison",
        f"{', '.join(plan.arms)}: {plan.seeds} seeds each, runs of "
        f"{study.spec.protocol.epochs} epochs on all training reviews"
        + (f"; {plan.validation_seeds} validation seeds" if plan.validation_seeds else "")
        + ("; the classical control" if plan.control else "")
        + ("; one hyperparameter at a time" if plan.ablation else ""),
    )
    run_comparison(
        plan, study.spec, study.store, context=study.context, report=_telling(study, show)
    )


def _comparison_plan(study: OpenStudy) -> "Plan":
    from lstm_study.comparison.arms import plan_comparison
    from lstm_study.comparison.seeds import added_seeds

    return plan_comparison(
        study.spec, study.store.read_trials(), more_seeds=added_seeds(study.store)
    )


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a finished study says.

    Attributes:
        verdict: Winner against baseline.
        records: All that the study left.
        winner: The trial that won the search; None before there is one.
        arms: Every arm that was evaluated on test.
        without_near_duplicates: The verdict on the test reviews that have no near-duplicate in
            training; None where all have none, or none were counted.
        report: The HTML report; None before it was written.
        model: The model bundle's folder; None before it was written.
    """

    verdict: "Verdict"
    records: StudyRecords
    arms: tuple["ArmSummary", ...]
    without_near_duplicates: "Verdict | None"
    winner: Trial | None
    report: Path | None
    model: Path | None

    @property
    def failed_trials(self) -> int:
        """Trials and runs that failed, the control included."""
        control = self.records.control
        failed = sum(trial.status == "failed" for trial in self.records.trials)
        failed += sum(run.status == "failed" for run in self.records.runs)
        return failed + (control is not None and control.status == "failed")


def read_answer(study: OpenStudy) -> Answer:
    """Reads what the study says so far.

    The first verdict, and each one on more seeds than the last, is written down as a look at the
    test reviews; see `comparison.seeds`.
    """
    from lstm_study.analysis.arms import arms_from_records, summarise
    from lstm_study.comparison.seeds import look
    from lstm_study.comparison.verdicts import judge_study, judge_without_near_duplicates

    records = study.store.read_all()
    report = study.reports / "report.html"
    model = study.reports / "model"
    looks = look(records, study.store)
    without = judge_without_near_duplicates(records, spec=study.spec, looks=looks)
    arms = arms_from_records(records).values()
    return Answer(
        verdict=judge_study(
            records, spec=study.spec, store=study.store, looks=looks, without=without
        ),
        records=records,
        winner=winner(
            records.trials, study.spec.study.direction, max_epochs=study.spec.search.max_epochs
        ),
        arms=tuple(summarise(arm) for arm in arms),
        without_near_duplicates=without,
        report=report if report.is_file() else None,
        model=model if (model / "sentiment-lstm.keras").is_file() else None,
    )


def write_report(study: OpenStudy, *, show: Show) -> Path:
    """Writes the report from the records, and returns the HTML file."""
    from lstm_study.report.write import write_report as write

    show.stage("Report", "drawing figures and tables")
    answer = read_answer(study)
    paths = write(
        answer.records,
        verdict=answer.verdict,
        folder=study.reports,
        made_at=now(),
        versions=versions(),
        git_commit=git_commit(Path.cwd()),
        bundle=answer.model,
    )
    return paths.html


def write_bundle(study: OpenStudy, *, arm: str = "winner", show: Show) -> Path:
    """Writes the model bundle of an arm's middle run, and returns its folder.

    The run is never chosen by test: see `export.choose_run`.

    Raises:
        ComparisonError: The arm has no completed run.
    """
    from lstm_study.corpus.load import load
    from lstm_study.export import choose_run
    from lstm_study.export import write_bundle as write
    from lstm_study.training.runtime import output_to

    answer = read_answer(study)
    if not any(run.arm == arm and run.status == "completed" for run in answer.records.runs):
        raise ComparisonError(
            f"{study.store.folder}: the {arm} has no completed run to export. "
            f"Run `lstm-study compare {study.where}` first."
        )
    run = choose_run(answer.records, arm=arm).run
    weights = _weights_of(study, run)
    show.stage("Export", f"the {arm}'s run with seed {run.seed_index}, chosen without test")
    corpus = load(study.spec.data, seed=study.spec.study.seed)
    folder = study.reports / ("model" if arm == "winner" else f"{arm}-model")
    with output_to(study.store.log_path):
        write(
            run=run,
            weights=weights,
            ensemble=_members(study, answer.records) if arm == "winner" else None,
            vocabulary=corpus.vocabulary,
            labels=corpus.labels,
            records=answer.records,
            verdict_sentence=answer.verdict.sentence,
            folder=folder,
            made_at=now(),
            versions=versions(),
        )
    return folder


def _weights_of(study: OpenStudy, run: Run) -> tuple[Any, ...]:
    from lstm_study.training.checkpoint import read_checkpoint

    path = study.store.weights_path(run.run_id)
    found = read_checkpoint(path)
    if found is None:
        raise ComparisonError(f"{path}: is gone. Start over with --fresh to train it again.")
    return found.variables


def _members(study: OpenStudy, records: StudyRecords) -> list[tuple[Run, tuple[Any, ...]]] | None:
    """Returns the winner's completed runs with their weights, if the study wants an ensemble."""
    if not study.spec.export.ensemble:
        return None
    runs = [run for run in records.runs if run.arm == "winner" and run.status == "completed"]
    return [(run, _weights_of(study, run)) for run in runs]


# The commands that are more than one stage


def run(study: OpenStudy, *, fresh: bool, show: Show) -> tuple[Answer, bool]:
    """Runs every stage that is not done yet.

    Returns:
        What the study says, and whether it was finished already.
    """
    if not fresh and is_finished(study):
        return read_answer(study), True
    check_writable(study.reports)
    with held(study, fresh=fresh):
        begin(study, show=show)
        search(study, show=show)
        compare(study, show=show)
        write_bundle(study, show=show)
        write_report(study, show=show)
    return read_answer(study), False


def is_finished(study: OpenStudy) -> bool:
    """Whether every stage of this very spec is done, and report and model are there."""
    if not study.store.exists:
        return False
    state = study.store.read_state("study")
    same_spec = state.get("spec") == study.spec.model_dump(mode="json")
    searched = "stopped" in study.store.read_state("plan")
    compared = searched and _is_compared(study)
    written = (study.reports / "report.html").is_file() and (
        study.reports / "model" / "sentiment-lstm.keras"
    ).is_file()
    return bool(same_spec and searched and compared and written and _is_up_to_date(study))


def _is_up_to_date(study: OpenStudy) -> bool:
    """Whether the report was written after the last run ended: seeds may have been added since."""
    last = max((run.ended_at for run in study.store.read_runs()), default="")
    written = (study.reports / "report.html").stat().st_mtime
    return not last or datetime.fromisoformat(last).timestamp() <= written


def _is_compared(study: OpenStudy) -> bool:
    from lstm_study.comparison.jobs import Jobs

    try:
        _winner(study)
        return Jobs(_comparison_plan(study), spec=study.spec, store=study.store).is_done
    except ComparisonError:
        # What keeps it from being compared is told by the stage that does it.
        return False


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


def baseline(
    study: OpenStudy, *, epochs: int | None, fresh: bool, show: Show, summary: Callable[[str], None]
) -> tuple[Any, Path]:
    """Trains the documented baseline alone, evaluates it, and saves it.

    With the protocol's own epochs it is the comparison's first baseline run. With others it is a
    study of its own, so that it never mixes with the comparison.

    Args:
        study: The study.
        epochs: Epochs to train; None for the protocol's.
        fresh: Whether to train again what is done.
        show: Where to tell of the progress.
        summary: Receives the model's summary, as Keras prints it.

    Returns:
        The run's record, and the folder with the saved model.
    """
    from lstm_study.comparison.arms import Plan
    from lstm_study.comparison.compare import run_comparison

    one_seed = study.spec.compare.model_copy(update={"seeds": 1})
    if epochs is not None and epochs != study.spec.protocol.epochs:
        name = f"{study.spec.study.name}-baseline-{epochs}-epochs"
        spec = study.spec.model_copy(
            update={
                "study": study.spec.study.model_copy(update={"name": name}),
                "protocol": study.spec.protocol.model_copy(update={"epochs": epochs}),
                "compare": one_seed,
            }
        )
        study = replace(
            study,
            spec=spec,
            settings=(*study.settings, f"protocol.epochs={epochs}"),
            store=Store(RUNS_FOLDER / name),
            reports=study.reports.parent / name,
        )
    check_writable(study.reports)
    with held(study, fresh=fresh and epochs is not None):
        begin(study, show=show)
        configuration = study.spec.baseline.configuration
        summary(_model_summary(study))
        run_comparison(
            Plan(arms={"baseline": configuration}, seeds=1),
            study.spec,
            study.store,
            context=study.context,
            report=_telling(study, show),
        )
        found = study.store.read_run("baseline-s1")
        assert found is not None
        if found.status == "failed":
            assert found.failure is not None
            raise ComparisonError(
                f"The baseline failed ({found.failure.kind}): {found.failure.message}. "
                f"More is in {study.store.log_path}."
            )
        folder = write_bundle(study, arm="baseline", show=show)
    return found, folder


def _model_summary(study: OpenStudy) -> str:
    from lstm_study.training.runtime import output_to

    lines: list[str] = []
    with output_to(study.store.log_path):
        from lstm_study.model.builder import build_network

        network = build_network(study.spec.baseline.configuration, seed=study.spec.study.seed)
        network.summary(print_fn=lambda line, **_: lines.append(line))
    return "\n".join(lines)


def _load_keras_tuner(study: OpenStudy) -> None:
    """Imports what the chief needs, with TensorFlow's remarks going to the study's log."""
    from lstm_study.training.runtime import output_to

    with output_to(study.store.log_path):
        import keras_tuner  # noqa: F401 - imported for its side effect on the log alone


def _telling(study: OpenStudy, show: Show) -> Report:
    """Shows progress here, and leaves the time left where `status` finds it."""

    def tell(progress: Progress) -> None:
        study.store.write_live(
            "supervisor", {"training_id": "", progress.stage: progress.remaining_seconds}
        )
        show.progress(progress)

    return tell


def _winner(study: OpenStudy) -> Trial:
    trials = study.store.read_trials()
    found = winner(trials, study.spec.study.direction, max_epochs=study.spec.search.max_epochs)
    if found is None:
        raise ComparisonError(
            f"{study.store.folder}: no trial completed {study.spec.search.max_epochs} epochs, so "
            f"there is no winner. Run `lstm-study search {study.where}`; "
            f"`lstm-study status {study.where}` shows what failed."
        )
    return found


def _plan_in_words(plan: dict[str, Any]) -> str:
    parts = []
    for bracket in plan["brackets"]:
        rounds = " → ".join(f"{r['trials']} to epoch {r['to']}" for r in bracket["rounds"])
        parts.append(f"bracket {bracket['bracket']}: {rounds}")
    note = " (the space holds no more configurations)" if plan["exhausted"] else ""
    return f"{plan['trials']} trials, {plan['epochs']} epochs{note}: " + "; ".join(parts)


def free_bytes(folder: Path) -> int:
    """Returns the free disk space where a folder is, or will be."""
    while not folder.exists():
        folder = folder.absolute().parent
    return shutil.disk_usage(folder).free


@dataclass(frozen=True, kw_only=True)
class StageStatus:
    """One stage: trainings done and planned, failures and what runs, in words."""

    name: str
    done: int
    total: int
    failed: int
    seconds: float
    remaining_seconds: float | None
    running: tuple[str, ...]
    failures: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Status:
    """Where a study stands."""

    name: str
    where: str
    begun: bool
    holder: str
    stages: tuple[StageStatus, ...]
    report: str
    model: str


def read_status(study: OpenStudy) -> Status:
    """Reads where a study stands, whoever works on it."""
    store = study.store
    report, model = study.reports / "report.html", study.reports / "model"
    holder = store.holder()
    planned = store.read_state("plan")
    runs = [run for run in store.read_runs() if not run.trained_as]
    return Status(
        name=study.spec.study.name,
        where=study.where,
        begun=store.exists,
        holder=holder,
        stages=(
            _stage_status(study, "Search", store.read_trials(), planned.get("trials", 0)),
            _stage_status(study, "Comparison", runs, _runs_planned(study)),
        ),
        report=str(report) if report.is_file() else "",
        model=f"{model}/" if model.is_dir() else "",
    )


def _runs_planned(study: OpenStudy) -> int:
    """How many trainings the comparison plans, as far as is known before the search ended."""
    try:
        _winner(study)
    except ComparisonError:
        plan = study.spec.compare
        return (2 + plan.runner_ups) * plan.seeds + 2 * plan.validation_seeds
    return _comparison_plan(study).trainings


def _stage_status(
    study: OpenStudy, name: str, records: Sequence[Trial] | Sequence[Run], total: int
) -> StageStatus:
    from lstm_study.workers.watch import describe, item_of

    stage = "search" if name == "Search" else "compare"
    items = [item_of(record, score=lambda _: "completed") for record in records]
    live = study.store.read_live() if study.store.holder() else {}
    by_id = {item.training_id: item for item in items if not item.ended}
    return StageStatus(
        name=name,
        done=sum(item.ended for item in items),
        total=total,
        failed=sum(item.failed for item in items),
        seconds=sum(s.seconds for s in study.store.read_sessions() if s.stage == stage),
        remaining_seconds=live.get("supervisor", {}).get(name),
        running=tuple(
            f"{values['training_id']} epoch {values['epoch']} of {values['epochs']} "
            f"({values['step']} of {values['steps']} steps), "
            f"{describe(by_id[values['training_id']].configuration)}"
            for values in live.values()
            if values["training_id"] in by_id
        ),
        failures=tuple(f"{item.training_id} failed: {item.score}" for item in items if item.failed),
    )
