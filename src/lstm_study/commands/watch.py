"""`watch`: serves a study's report and its progress to this machine while the study runs."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_study.analysis.search.summary import best_by_budget, full_curve, objective_of
from lstm_study.commands.answer import read_records, verdict_at_its_look
from lstm_study.commands.open_study import OpenStudy, as_run
from lstm_study.commands.status import StageStatus, Status, read_status
from lstm_study.corpus.files.advice import argument
from lstm_study.files import open_regular
from lstm_study.progress.follow import CALLS, score_in_words
from lstm_study.provenance import git_commit, now, versions
from lstm_study.records import Run, Trial
from lstm_study.records.kinds import KINDS
from lstm_study.spec.quantities import counted, duration_in_words

if TYPE_CHECKING:
    from lstm_study.report.serve import ReportServer

PORT = 8765
_LOG_LINES, _LOG_BYTES = 12, 16_000
# What TensorFlow writes whenever it is imported, before it can be told not to.
_NOISE = re.compile(r"I\d{4} |WARNING: All log messages before absl|.*failed call to cuInit")


def watch(
    study: OpenStudy, *, port: int = PORT, tell: Callable[[str], None] = lambda reason: None
) -> "ReportServer":
    """Prepares the server of a study's report on this machine; call `serve` on what it returns.

    Nothing is written: the verdict on the page is not recorded as a look at the test reviews, but
    its interval is as wide as that of a recorded one. Where a report can't be made, `tell` is
    called with the reason, once for as long as that is the same; the next look may find the records
    whole.

    Raises:
        StoreError: The study has not begun.
        ReportError: The port is taken.
    """
    from lstm_study.report.page.html import render_live
    from lstm_study.report.serve import ReportServer

    study.store.read_spec_text()
    installed, commit = versions(), git_commit(Path.cwd())

    def render() -> Mapping[str, bytes]:
        from lstm_study.report.content import gather, illustrate
        from lstm_study.report.write import render_files

        records = read_records(study)
        content = gather(
            records,
            verdict=verdict_at_its_look(study, records),
            made_at=now(),
            versions=installed,
            git_commit=commit,
            bundle=None,
        )
        return render_files(illustrate(content))

    return ReportServer(
        page=render_live(study.spec.study.heading),
        fingerprint=lambda: _fingerprint(study),
        render=render,
        progress=lambda: progress(study),
        port=port,
        tell=tell,
    )


def progress(study: OpenStudy) -> dict[str, Any]:
    """Returns where the study stands, as the live page shows it."""
    status, study = read_status(study), as_run(study)
    return {
        "headline": _headline(status),
        "stages": [_stage(study, each) for each in status.stages],
        "best": list(_best(study)),
        "running": list(_running(study)) if status.holder else [],
        "log": _last_lines(study.store.log_path),
    }


def _headline(status: Status) -> str:
    left = ""
    if status.time_left is not None:
        left = f" Time left: {status.time_left.sentence}."
    if status.holder:
        return f"Running: {status.holder}.{left}"
    if status.state == "finished":
        return "The study is finished."
    if status.on_another_machine:
        return (
            f"No command is running on this machine, but {status.on_another_machine} is, unless "
            f"that was killed.{left}"
        )
    return f"No command is running.{left} Resume with: lstm-study run {argument(status.where)}"


def _stage(study: OpenStudy, stage: StageStatus) -> dict[str, Any]:
    facts = [stage.remark] if stage.remark else []
    if stage.seconds:
        facts.append(f"{duration_in_words(stage.seconds)} so far, {counted(stage.epochs, 'epoch')}")
    if stage.remaining_seconds:
        facts.append(f"about {duration_in_words(stage.remaining_seconds)} left")
    if stage.failed:
        facts.append(f"{stage.failed} failed")
    name = "search" if stage.name == "Search" else "compare"
    sessions = [each for each in study.store.read_sessions() if each.stage == name]
    if sessions:
        last = sessions[-1]
        workers = counted(last.workers, "worker")
        facts.append(f"{workers} on {', '.join(last.machine.devices) or 'cpu'}")
    return {
        "name": stage.name, "done": stage.done, "total": stage.total, "facts": facts,
        "what": "trials" if stage.name == "Search" else "runs",
    }  # fmt: skip


def _best(study: OpenStudy) -> Iterator[str]:
    """Names the best trial at the full budget, which can win, and the best at a smaller one."""
    full = study.spec.search.max_epochs
    found = best_by_budget(study.store.read_trials(), study.spec.study.direction)
    shown = [("Best at the full budget", found.get(full))]
    shown += [
        (f"Best after epoch {budget}", trial) for budget, trial in found.items() if budget < full
    ][:1]
    for words, best in shown:
        if best is not None:
            score = score_in_words(best, objective=study.spec.study.objective)
            yield f"{words}: {best.trial_id}, {score} ({best.configuration.description})"


def _running(study: OpenStudy) -> Iterator[dict[str, Any]]:
    trials = {trial.trial_id: trial for trial in study.store.read_trials()}
    runs = {run.run_id: run for run in study.store.read_runs()}
    objective = study.spec.study.objective
    for worker, at in sorted(study.store.read_live().items()):
        found: Trial | Run | None = trials.get(at.training_id) or runs.get(at.training_id)
        curve: list[float | None] = []
        if isinstance(found, Trial):
            curve = [objective_of(epoch, objective) for epoch in full_curve(found, trials)]
        elif found is not None:
            curve = [epoch.train_accuracy for epoch in found.epochs]
        yield {
            "worker": worker,
            "training_id": at.training_id,
            "configuration": found.configuration.description
            if found is not None
            else CALLS.get(at.training_id, ""),
            "epoch": at.epoch,
            "epochs": at.epochs,
            "step": at.step,
            "steps": at.steps,
            "curve": [value for value in curve if value is not None],
        }


def _last_lines(path: Path) -> list[str]:
    """Returns the last lines of a log file that say something; none where it can't be read."""
    try:
        with open_regular(path) as file:
            file.seek(max(0, path.stat().st_size - _LOG_BYTES))
            lines = file.read().decode("utf-8", errors="replace").splitlines()
            return [line for line in lines if not _NOISE.match(line)][-_LOG_LINES:]
    except OSError:
        return []


def _fingerprint(study: OpenStudy) -> str:
    """Returns a text that differs whenever a file that the report depends on does.

    Every file is replaced whole, so that its folder's time changes with it, or appended to.
    """
    root = study.store.folder
    watched = {kind.folder for kind in KINDS if kind.is_watched}
    return " ".join(_changed_at(root / name) for name in sorted(watched))


def _changed_at(path: Path) -> str:
    try:
        found = path.stat()
    except FileNotFoundError:
        return "-"
    return f"{found.st_mtime_ns}:{found.st_size}"
