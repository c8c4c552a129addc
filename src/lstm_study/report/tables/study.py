"""Tables of what was studied and how: cost, reviews, sessions, openings, versions, settings."""

from collections.abc import Mapping, Sequence

from lstm_study.records import CorpusSummary, Run, StudyRecords, Trial
from lstm_study.report.tables.table import Cell, Column, Table, table
from lstm_study.spec import StudySpec

QUANTILES = ("0", "5", "25", "50", "75", "95", "100")


def study_tables(
    records: StudyRecords, spec: StudySpec, *, versions: Mapping[str, str], git_commit: str
) -> list[Table]:
    """Builds the tables of cost, data and method.

    Args:
        records: The study.
        spec: Its spec.
        versions: Of the packages that write the report.
        git_commit: Of the checkout that writes it, or "".
    """
    return [
        _cost(records),
        _splits(records.corpus),
        _lengths(records.corpus),
        _maxlen_choices(records.corpus, spec),
        _coverage(records.corpus),
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
        Column(name="training_seconds", meaning="Time worked, summed over workers",
               unit="seconds", form="duration"),
        Column(name="session_seconds", meaning="Time that commands were at work",
               unit="seconds", form="duration"),
        Column(name="planned_trials", meaning="Trials the schedule plans", form="count"),
        Column(name="planned_epochs", meaning="Epochs the schedule plans", unit="epochs",
               form="count"),
    )  # fmt: skip
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
                "planned_trials": records.planned_trials if stage == "search" else None,
                "planned_epochs": records.planned_epochs if stage == "search" else None,
            }
        )
    both: dict[str, Cell] = {"stage": "both", "planned_trials": None, "planned_epochs": None}
    for name in ("trainings", "completed", "failed", "epochs", "training_seconds",
                 "session_seconds"):  # fmt: skip
        both[name] = sum(float(row[name] or 0) for row in rows)
    rows.append(both)
    return table("cost", "One stage of the study", columns, rows)


def trainings(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Returns one run for each training: of its evaluations, the one after most epochs.

    A run at an arm's own epoch has its epochs in common with the run whose training it is of.
    """
    longest: dict[str, Run] = {}
    for run in runs:
        name = run.trained_as or run.run_id
        if name not in longest or len(run.epochs) > len(longest[name].epochs):
            longest[name] = run
    return tuple(longest.values())


def _splits(corpus: CorpusSummary | None) -> Table:
    columns = (
        Column(name="split", meaning="train (validation left out), validation or test"),
        Column(name="reviews", meaning="Reviews in it", unit="reviews", form="count"),
        Column(name="positive", meaning="Reviews labelled positive", unit="reviews", form="count"),
        Column(name="positive_share", meaning="Their share", unit="share", form="share"),
        Column(name="tokens", meaning="Tokens, start tokens included", unit="tokens",
               form="count"),
        *(
            Column(name=f"length_{quantile}", unit="tokens", form="count",
                   meaning=f"Tokens per review, {quantile}% quantile")
            for quantile in QUANTILES
        ),
        Column(name="duplicates", meaning="Reviews whose text stands earlier in the same split",
               unit="reviews", form="count"),
        Column(name="duplicates_across", unit="reviews", form="count",
               meaning="Test reviews whose exact text also stands in train or validation"),
    )  # fmt: skip
    rows = []
    for split in corpus.splits if corpus else ():
        lengths = dict(
            zip((f"length_{quantile}" for quantile in QUANTILES), split.length_quantiles,
                strict=False)
        )  # fmt: skip
        rows.append(
            dict.fromkeys(f"length_{quantile}" for quantile in QUANTILES)
            | lengths
            | {
                "split": split.name,
                "reviews": split.reviews,
                "positive": split.positive,
                "positive_share": split.positive / split.reviews if split.reviews else None,
                "tokens": split.tokens,
                "duplicates": split.duplicates,
                "duplicates_across": corpus.duplicates_across
                if corpus and split.name == "test"
                else None,
            }
        )
    return table("splits", "One split of the reviews", columns, rows)


def _lengths(corpus: CorpusSummary | None) -> Table:
    columns = (
        Column(name="from_tokens", meaning="The bin's reviews are longer than this",
               unit="tokens", form="count"),
        Column(name="to_tokens", meaning="And at most this long", unit="tokens", form="count"),
        Column(name="reviews", meaning="Training reviews in the bin", unit="reviews",
               form="count"),
    )  # fmt: skip
    counts = corpus.length_counts if corpus else ()
    starts = [0, *(end for end, _ in counts)]
    return table(
        "lengths",
        "One bin of review lengths",
        columns,
        (
            {"from_tokens": start, "to_tokens": end, "reviews": reviews}
            for start, (end, reviews) in zip(starts, counts, strict=False)
        ),
    )


def _maxlen_choices(corpus: CorpusSummary | None, spec: StudySpec) -> Table:
    """Estimates by linear interpolation within a bin how many reviews each maxlen cuts."""
    columns = (
        Column(name="maxlen", meaning="A value of maxlen", unit="tokens", form="count"),
        Column(name="used_by", meaning="search, baseline or both"),
        Column(name="cut_share", unit="share", form="share",
               meaning="Training reviews that are longer, estimated from the bins"),
    )  # fmt: skip
    dimension = spec.space.dimensions()["maxlen"].model_dump()
    searched = dimension.get("choices") or [
        dimension[end] for end in ("min", "max", "value") if end in dimension
    ]
    users = {int(value): "search" for value in searched}
    base = spec.baseline.configuration.maxlen
    users[base] = "both" if base in users else "baseline"
    counts = corpus.length_counts if corpus else ()
    return table(
        "maxlen_choices",
        "One value of maxlen",
        columns,
        (
            {
                "maxlen": value,
                "used_by": users[value],
                "cut_share": _longer_share(counts, value),
            }
            for value in sorted(users)
        )
        if corpus
        else (),
    )


def _longer_share(counts: tuple[tuple[int, int], ...], length: int) -> float | None:
    total = sum(reviews for _, reviews in counts)
    if not total:
        return None
    longer, start = 0.0, 0
    for end, reviews in counts:
        if start >= length:
            longer += reviews
        elif end > length:
            longer += reviews * (end - length) / (end - start)
        start = end
    return longer / total


def _coverage(corpus: CorpusSummary | None) -> Table:
    columns = (
        Column(name="vocabulary_size", meaning="Most frequent token ids kept", unit="token ids",
               form="count"),
        Column(name="coverage", meaning="Share of validation tokens that they hold", unit="share",
               form="share"),
    )  # fmt: skip
    return table(
        "coverage",
        "One vocabulary size",
        columns,
        (
            {"vocabulary_size": size, "coverage": value}
            for size, value in (corpus.coverage if corpus else ())
        ),
    )


def _sources(records: StudyRecords, git_commit: str) -> Table:
    columns = (
        Column(name="what", meaning="What is told"),
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
        Column(name="seconds", meaning="Time worked", unit="seconds", form="duration"),
        Column(name="workers", meaning="Worker processes", form="count"),
        Column(name="threads", meaning="Threads per worker", form="count"),
        Column(name="backend", meaning="Keras backend"),
        Column(name="devices", meaning="Devices in use"),
        Column(name="processor", meaning="Processor"),
        Column(name="cpu_count", meaning="Processors it could use", form="count"),
        Column(name="memory_bytes", meaning="Memory of the machine", unit="bytes", form="size"),
        Column(name="platform", meaning="Operating system"),
        Column(name="python", meaning="Version of Python"),
        Column(name="git_commit", meaning="Of the checkout it ran in"),
        Column(name="settings", meaning="One-off changes in force"),
    )
    return table(
        "sessions",
        "One command at work on the study",
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
        Column(name="command", meaning="By what command"),
        Column(name="run_id", meaning="For which run"),
    )
    return table(
        "openings",
        "One opening of the test half",
        columns,
        (
            {"opened_at": item.opened_at, "command": item.command, "run_id": item.run_id}
            for item in records.openings
        ),
    )


def _versions(records: StudyRecords, versions: Mapping[str, str]) -> Table:
    columns = (
        Column(name="package", meaning="Name on the package index"),
        Column(name="study", meaning="Version that trained; several if it changed"),
        Column(name="report", meaning="Version that wrote the report"),
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
        Column(name="value", meaning="The value in force, defaults included"),
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
