"""Tables of how the study was done: cost, sources, sessions, openings, versions, settings."""

from collections.abc import Mapping, Sequence

from lstm_study.records import Run, StudyRecords, Trial
from lstm_study.report.tables.table import Cell, Column, Table, table
from lstm_study.spec import StudySpec


def method_tables(
    records: StudyRecords, spec: StudySpec, *, versions: Mapping[str, str], git_commit: str
) -> list[Table]:
    """Builds the tables of cost and method.

    Args:
        records: The study.
        spec: Its spec.
        versions: Of the packages that write the report.
        git_commit: Of the checkout that writes it, or "".
    """
    return [
        _cost(records),
        _sources(records, git_commit),
        _sessions(records),
        _openings(records),
        _versions(records, versions),
        _settings(spec),
    ]


def _cost(records: StudyRecords) -> Table:
    columns = (
        Column(name="stage", meaning="search, comparison or both"),
        Column(name="trainings", meaning="Trials or runs begun", form="count"),
        Column(name="completed", meaning="Of these, completed", form="count"),
        Column(name="failed", meaning="Of these, failed", form="count"),
        Column(name="epochs", meaning="Epochs trained", unit="epochs", form="count"),
        Column(name="training_seconds", meaning="Training time, summed over workers",
               unit="seconds", form="duration"),
        Column(name="session_seconds", meaning="Time that commands ran",
               unit="seconds", form="duration"),
        Column(name="planned_trials", meaning="Trials planned: the schedule's and the finalists'",
               form="count"),
        Column(name="planned_epochs", meaning="Epochs planned: the schedule's and the finalists'",
               unit="epochs", form="count"),
    )  # fmt: skip
    # Finalists are planned once the schedule has ended.
    finalists = [trial for trial in records.trials if trial.role == "finalist"]
    planned_trials = records.planned_trials + len(finalists)
    planned_epochs = records.planned_epochs + sum(trial.budget_epochs for trial in finalists)
    rows: list[dict[str, Cell]] = []
    stages: tuple[tuple[str, str, Sequence[Trial | Run]], ...] = (
        ("search", "search", records.trials),
        ("comparison", "compare", trainings(records.runs)),
    )
    for stage, session_stage, trained in stages:
        rows.append(
            {
                "stage": stage,
                "trainings": len(trained),
                "completed": sum(item.status == "completed" for item in trained),
                "failed": sum(item.status == "failed" for item in trained),
                "epochs": sum(len(item.epochs) for item in trained),
                "training_seconds": sum(item.seconds for item in trained),
                "session_seconds": sum(
                    item.seconds for item in records.sessions if item.stage == session_stage
                ),
                "planned_trials": planned_trials if stage == "search" else None,
                "planned_epochs": planned_epochs if stage == "search" else None,
            }
        )
    both: dict[str, Cell] = {"stage": "both", "planned_trials": None, "planned_epochs": None}
    for name in ("trainings", "completed", "failed", "epochs", "training_seconds",
                 "session_seconds"):  # fmt: skip
        both[name] = sum(float(row[name] or 0) for row in rows)
    rows.append(both)
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


def _sources(records: StudyRecords, git_commit: str) -> Table:
    columns = (
        Column(name="what", meaning="Fact"),
        Column(name="value", meaning="Its value"),
    )
    corpus = records.corpus
    facts: dict[str, str | None] = {"Study": records.name}
    if corpus is not None:
        facts |= {
            "Source of the reviews": corpus.source,
            "File or folder": corpus.path or "in the package",
            "Labels": f"{corpus.labels[0]} and {corpus.labels[1]}",
            "SHA-256 of the file read": corpus.source_sha256 or None,
            "SHA-256 of token ids, labels and splits": corpus.digest,
        }
    commits = dict.fromkeys(item.git_commit for item in records.sessions if item.git_commit)
    facts |= {
        "Git commit of the study": " ".join(commits) or None,
        "Git commit of the report": git_commit or None,
    }
    return table(
        "sources",
        "One fact about what was run",
        columns,
        ({"what": what, "value": value} for what, value in facts.items()),
    )


def _sessions(records: StudyRecords) -> Table:
    columns = (
        Column(name="started_at", meaning="When it began, ISO 8601, UTC", form="date"),
        Column(name="stage", meaning="search or compare"),
        Column(name="command", meaning="The command line"),
        Column(name="seconds", meaning="How long the command ran", unit="seconds", form="duration"),
        Column(name="workers", meaning="Worker processes", form="count"),
        Column(name="threads", meaning="Threads per worker", form="count"),
        Column(name="backend", meaning="Keras backend"),
        Column(name="devices", meaning="Devices in use"),
        Column(name="processor", meaning="Processor"),
        Column(name="cpu_count", meaning="Processor cores available", form="count"),
        Column(name="memory_bytes", meaning="Memory of the machine", unit="bytes", form="size"),
        Column(name="platform", meaning="Operating system"),
        Column(name="python", meaning="Version of Python"),
        Column(name="git_commit", meaning="Of the checkout it ran in"),
        Column(name="settings", meaning="Changes of the study file on the command line"),
    )
    return table(
        "sessions",
        "One command that worked on the study",
        columns,
        (
            {
                "started_at": item.started_at,
                "stage": item.stage,
                "command": item.command,
                "seconds": item.seconds,
                "workers": item.workers,
                "threads": item.threads,
                "backend": item.machine.backend,
                "devices": ", ".join(item.machine.devices),
                "processor": item.machine.processor,
                "cpu_count": item.machine.cpu_count,
                "memory_bytes": item.machine.memory_bytes or None,
                "platform": item.machine.platform,
                "python": item.machine.python,
                "git_commit": item.git_commit,
                "settings": "; ".join(item.settings),
            }
            for item in records.sessions
        ),
    )


def _openings(records: StudyRecords) -> Table:
    columns = (
        Column(name="opened_at", meaning="When, ISO 8601, UTC", form="date"),
        Column(name="command", meaning="Command that read them"),
        Column(name="run_id", meaning="Run that they were read for"),
    )
    return table(
        "openings",
        "One read of the test reviews",
        columns,
        (
            {"opened_at": item.opened_at, "command": item.command, "run_id": item.run_id}
            for item in records.openings
        ),
    )


def _versions(records: StudyRecords, versions: Mapping[str, str]) -> Table:
    columns = (
        Column(name="package", meaning="Name of the package"),
        Column(name="study", meaning="Version used for training; several if it changed"),
        Column(name="report", meaning="Version used for the report"),
    )
    trained: dict[str, list[str]] = {}
    for session in records.sessions:
        for name, version in session.machine.packages.items():
            if version not in trained.setdefault(name, []):
                trained[name].append(version)
    return table(
        "versions",
        "One package",
        columns,
        (
            {
                "package": name,
                "study": ", ".join(trained.get(name, [])) or None,
                "report": versions.get(name),
            }
            for name in sorted({*trained, *versions})
        ),
    )


def _settings(spec: StudySpec) -> Table:
    columns = (
        Column(name="setting", meaning="Table and key of the study file"),
        Column(name="value", meaning="Its value, including defaults"),
    )
    return table(
        "settings",
        "One setting of the study file",
        columns,
        ({"setting": key, "value": _in_words(value)} for key, value in spec.flat().items()),
    )


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
