"""Machine-readable files, and a summary for pull requests."""

import json
import math
from collections.abc import Mapping
from typing import Any

from lstm_study.report.content import Content
from lstm_study.report.tables.method import trainings

FORMAT_VERSION = 1
_SESSION = ("command", "stage", "started_at", "seconds", "workers", "threads", "git_commit",
            "settings")  # fmt: skip
_MACHINE = ("python", "platform", "processor", "cpu_count", "memory_bytes", "backend", "devices")


def manifest(content: Content, *, files: Mapping[str, str]) -> str:
    """Writes what is needed to repeat or audit the study, with the SHA-256 of each file."""
    records, corpus = content.records, content.records.corpus
    value: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "study": records.name,
        "title": records.title,
        "made_at": content.made_at,
        "git_commit": content.git_commit,
        "versions": dict(sorted(content.versions.items())),
        "spec": dict(records.spec),
        "spec_text": records.spec_text,
        "settings": list(records.settings),
        "deviations": list(records.deviations),
        "data": None
        if corpus is None
        else {
            "source": corpus.source,
            "path": corpus.path,
            "source_sha256": corpus.source_sha256,
            "digest": corpus.digest,
            "reviews": {split.name: split.reviews for split in corpus.splits},
        },
        "seeds": {
            "study": content.spec.study.seed,
            "trials": {trial.trial_id: trial.seed for trial in records.trials},
            "runs": {run.run_id: run.seed for run in records.runs},
        },
        "schedule": {
            "planned_trials": records.planned_trials,
            "planned_epochs": records.planned_epochs,
        },
        "durations_seconds": {
            "search_training": math.fsum(trial.seconds for trial in records.trials),
            "comparison_training": math.fsum(run.seconds for run in trainings(records.runs)),
            "sessions": math.fsum(session.seconds for session in records.sessions),
        },
        "sessions": [
            _fields(session, _SESSION)
            | {
                "machine": _fields(session.machine, _MACHINE)
                | {"packages": dict(sorted(session.machine.packages.items()))}
            }
            for session in records.sessions
        ],
        "openings": [
            _fields(item, ("opened_at", "command", "run_id")) for item in records.openings
        ],
        "files": dict(sorted(files.items())),
    }
    return _json(value)


def summary(content: Content) -> str:
    """Writes the answer, the arms and the cost as JSON; shares are in [0, 1]."""
    tables = content.tables
    value = {
        "format_version": FORMAT_VERSION,
        "study": content.records.name,
        "title": content.records.title,
        "made_at": content.made_at,
        "verdict": tables["verdict"].records()[0],
        "notes": tables["notes"].column("note"),
        "arms": {str(row["arm"]): row for row in tables["comparison"].records()},
        "cost": {str(row["stage"]): row for row in tables["cost"].records()},
    }
    return _json(value)


def markdown(content: Content) -> str:
    """Writes a summary to paste into a pull request."""
    tables = content.tables
    comparison, cost = tables["comparison"], tables["cost"]
    lines = [
        f"## {_plain(content.records.title)}",
        "",
        f"**{_plain(content.verdict.headline)}** {_plain(content.verdict.details)}",
        "",
        *(_advice_line(row) for row in tables["advice"].records()),
        *([""] if tables["advice"].rows else []),
        "| arm | label | parameters | seeds | test accuracy | lowest | highest | per epoch |",
        "| --- | --- | --: | --: | --: | --: | --: | --: |",
    ]
    shown = ("arm", "label", "parameter_count", "seeds", "test_accuracy_mean", "test_accuracy_low",
             "test_accuracy_high", "seconds_per_epoch")  # fmt: skip
    lines += [
        "| " + " | ".join(_plain(comparison.text(row, name)) for name in shown) + " |"
        for row in range(len(comparison.rows))
    ]
    lines += _of_failed_runs(content)
    search = (
        f"Search: {cost.text(0, 'completed')} of {cost.text(0, 'planned_trials')} planned "
        f"trials completed, {cost.text(0, 'failed')} failed, {cost.text(0, 'epochs')} "
        f"epochs. All trainings, added up: {cost.text(2, 'training_seconds')}."
    )
    lines += ["", search]
    lines += ["", *(f"- {_plain(str(note))}" for note in tables["notes"].column("note"))]
    return "\n".join(lines).rstrip() + "\n"


def _of_failed_runs(content: Content) -> list[str]:
    """Says which runs the table's means include and differences do not; no lines if there are none.

    Runs without a result, such as those that diverged, are in neither.
    """
    comparison, failed = content.tables["comparison"], content.tables["failed_runs"]
    listed = [
        f"{failed.text(row, 'run_id')} ({failed.text(row, 'test_accuracy')}, "
        f"{failed.text(row, 'reason')})"
        for row in range(len(failed.rows))
        if failed.value(row, "test_accuracy") is not None
    ]
    if not listed:
        return []
    means = [
        f"{comparison.text(row, 'arm')} {comparison.text(row, 'test_accuracy_kept')}"
        for row in range(len(comparison.rows))
        if comparison.value(row, "left_out")
        and comparison.value(row, "test_accuracy_kept") is not None
    ]
    text = (
        f"Failed runs, which the means above include and differences leave out: "
        f"{'; '.join(listed)}."
    )
    if means:
        text += f" Means without them: {', '.join(means)}."
    return ["", _plain(text)]


def _advice_line(row: Mapping[str, Any]) -> str:
    command = f" `{row['command']}`" if row["command"] else ""
    return f"- {_plain(str(row['sentence']))}{command}"


def _fields(item: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(item, name) for name in names}


def _plain(text: str) -> str:
    """Escapes HTML and Markdown table characters."""
    for mark, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|"), ("\n", " ")):
        text = text.replace(mark, safe)
    return text


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
