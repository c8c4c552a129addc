"""Tables of how the study was done: cost, sources, sessions, openings, versions, settings."""

import math
from collections.abc import Mapping, Sequence

from lstm_study.records import Run, StudyRecords, Trial
from lstm_study.report.tables.table import Column, Table, cells_of, table
from lstm_study.spec import StudySpec


def method_tables(
    records: StudyRecords, spec: StudySpec, *, versions: Mapping[str, str], git_commit: str
) -> list[Table]:
    """Builds the tables of cost and method; version and commit are those that write the report."""
    return [
        _cost(records),
        _sources(records, spec, git_commit),
        _sessions(records),
        _openings(records),
        _versions(records, versions),
        _settings(spec),
    ]


def _cost(records: StudyRecords) -> Table:
    columns = (
        Column("stage", "search, comparison or both"),
        Column("trainings", "Trials or runs begun", form="count"),
        Column("completed", "Of these, completed", form="count"),
        Column("failed", "Of these, failed", form="count"),
        Column("epochs", "Epochs trained", unit="epochs", form="count"),
        Column("training_seconds", "Training time, summed over workers", form="duration"),
        Column("session_seconds", "Time that commands ran", form="duration"),
        Column("planned_trials", "Trials planned: the schedule's and the finalists'", form="count"),
        Column("planned_epochs", "Epochs planned: the schedule's and the finalists'",
               unit="epochs", form="count"),
    )  # fmt: skip
    stages: dict[str, tuple[str, Sequence[Trial | Run]]] = {
        "search": ("search", records.trials),
        "comparison": ("compare", trainings(records.runs)),
    }
    sums = {
        stage: {
            "trainings": len(trained),
            "completed": sum(item.status == "completed" for item in trained),
            "failed": sum(item.status == "failed" for item in trained),
            "epochs": sum(len(item.epochs) for item in trained),
            "training_seconds": math.fsum(item.seconds for item in trained),
            "session_seconds": math.fsum(
                item.seconds for item in records.sessions if item.stage == session_stage
            ),
        }
        for stage, (session_stage, trained) in stages.items()
    }
    sums["both"] = {
        name: math.fsum(each[name] for each in sums.values()) for name in sums["search"]
    }
    rows = [cells_of(None, columns, stage=stage, **each) for stage, each in sums.items()]
    # Finalists are planned once the schedule has ended.
    finalists = [trial for trial in records.trials if trial.role == "finalist"]
    rows[0] |= {
        "planned_trials": records.planned_trials + len(finalists),
        "planned_epochs": records.planned_epochs + sum(each.budget_epochs for each in finalists),
    }
    return table("cost", "One stage of the study", columns, rows)


def trainings(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Returns one run for each training: the one evaluated after the most epochs.

    A run at an arm's own epoch shares its epochs with the run it was trained as.
    """
    longest: dict[str, Run] = {}
    for run in runs:
        name = run.trained_as or run.run_id
        if name not in longest or len(run.epochs) > len(longest[name].epochs):
            longest[name] = run
    return tuple(longest.values())


def _sources(records: StudyRecords, spec: StudySpec, git_commit: str) -> Table:
    columns = (
        Column("what", "Fact"),
        Column("value", "Its value"),
    )
    corpus = records.corpus
    facts: dict[str, str | None] = {"Study": records.name}
    if corpus is not None:
        facts |= {
            "Source of the reviews": corpus.source,
            "File or folder": corpus.path or "in the package",
            "Labels": " and ".join(
                name if side == (name,) else f"{name} ({', '.join(side)})"
                for name, side in zip(corpus.labels, spec.data.sides(corpus.labels), strict=True)
            ),
            "SHA-256 of the file read": corpus.source_sha256 or None,
            "SHA-256 of token ids, labels and splits": corpus.digest,
        }
    commits = dict.fromkeys(item.git_commit for item in records.sessions if item.git_commit)
    facts |= {
        "Git commit of the study": " ".join(commits) or None,
        "Git commit of the report": git_commit or None,
    }
    rows = ({"what": what, "value": value} for what, value in facts.items())
    return table("sources", "One fact about what was run", columns, rows)


def _sessions(records: StudyRecords) -> Table:
    columns = (
        Column("started_at", "When it began, ISO 8601, UTC", form="date"),
        Column("stage", "search or compare"),
        Column("command", "The command line"),
        Column("seconds", "How long the command ran", form="duration"),
        Column("workers", "Worker processes", form="count"),
        Column("threads", "Threads per worker", form="count"),
        Column("backend", "Keras backend"),
        Column("devices", "Devices in use"),
        Column("processor", "Processor"),
        Column("cpu_count", "Processor cores available", form="count"),
        Column("memory_bytes", "Memory of the machine", form="size"),
        Column("platform", "Operating system"),
        Column("python", "Version of Python"),
        Column("git_commit", "Of the checkout it ran in"),
        Column("settings", "Changes of the study file on the command line"),
    )
    rows = (
        cells_of(item.machine, columns)
        | cells_of(item, columns)
        | {
            "devices": ", ".join(item.machine.devices),
            "memory_bytes": item.machine.memory_bytes or None,
            "settings": "; ".join(item.settings),
        }
        for item in records.sessions
    )
    return table("sessions", "One command that worked on the study", columns, rows)


def _openings(records: StudyRecords) -> Table:
    columns = (
        Column("opened_at", "When, ISO 8601, UTC", form="date"),
        Column("command", "Command that read them"),
        Column("run_id", "Run that they were read for"),
    )
    return table("openings", "One read of the test reviews", columns, records.openings)


def _versions(records: StudyRecords, versions: Mapping[str, str]) -> Table:
    columns = (
        Column("package", "Name of the package"),
        Column("study", "Version used for training; several if it changed"),
        Column("report", "Version used for the report"),
    )
    trained: dict[str, list[str]] = {}
    for session in records.sessions:
        for name, version in session.machine.packages.items():
            if version not in trained.setdefault(name, []):
                trained[name].append(version)
    rows = (
        {
            "package": name,
            "study": ", ".join(trained.get(name, [])) or None,
            "report": versions.get(name),
        }
        for name in sorted({*trained, *versions})
    )
    return table("versions", "One package", columns, rows)


def _settings(spec: StudySpec) -> Table:
    columns = (
        Column("setting", "Table and key of the study file"),
        Column("value", "Its value, including defaults"),
    )
    rows = ({"setting": key, "value": _in_words(value)} for key, value in spec.flat().items())
    return table("settings", "One setting of the study file", columns, rows)


def _in_words(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, Mapping):
        return ", ".join(
            f"{key} = {_in_words(item)}" for key, item in value.items() if item is not None
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(str(_in_words(item)) for item in value) + "]"
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e5 else repr(value)
    return str(value)
