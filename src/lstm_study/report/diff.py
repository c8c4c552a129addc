"""Several studies side by side, in the report's style: one HTML file and its tables.

The winner of each study is compared with the first study's, with an interval, if both are known to
have been tested on the same reviews. If not, the page says so first and gives no difference. As in
a verdict, runs that failed are left out, and it takes four others of each winner.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lstm_study.analysis.answer.arms import Arm, arms_from_records
from lstm_study.analysis.answer.verdict import Verdict, judge
from lstm_study.analysis.statistics.failures import failed_runs, without_runs
from lstm_study.analysis.statistics.intervals import Difference, difference_between
from lstm_study.analysis.statistics.power import LEAST_SEEDS
from lstm_study.configuration import HYPERPARAMETERS
from lstm_study.records import StudyRecords
from lstm_study.report import numbers
from lstm_study.report.content import Content, gather
from lstm_study.report.figures import studies as studies_figures
from lstm_study.report.page.html import environment, frame, writers
from lstm_study.report.tables.arms import space_in_words
from lstm_study.report.tables.columns import DIFFERENCE, INTERVAL
from lstm_study.report.tables.table import (
    Cell,
    Column,
    Table,
    cells_of,
    dictionary,
    table,
    to_csv,
)
from lstm_study.report.write import write_files

SECTIONS = (
    ("answer", "At a glance"),
    ("arms", "Arms"),
    ("search", "Searches"),
    ("settings", "Settings that differ"),
)
STUDY = Column("study", "Name of the study, with a letter if several share it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the studies: its label on the page, its records and its tables."""

    label: str
    content: Content


def write_diff(
    studies: Sequence[StudyRecords],
    *,
    folder: Path,
    made_at: str,
    versions: Mapping[str, str],
    verdicts: Sequence[Verdict] = (),
) -> Path:
    """Writes the comparison of several studies; equal records give equal bytes.

    Differences are each study minus the first.

    Args:
        studies: Their records.
        folder: Where to write.
        made_at: Time of the page, ISO 8601 in UTC.
        versions: Versions of the packages that render it.
        verdicts: The studies' own, at the level of their last look; without them each is judged as
            at a single look.

    Returns:
        The HTML file.

    Raises:
        ReportError: The folder can't be written to.
    """
    files = diff_files(studies, made_at=made_at, versions=versions, verdicts=verdicts)
    write_files(files, folder)
    return folder / "report.html"


def diff_files(
    studies: Sequence[StudyRecords],
    *,
    made_at: str,
    versions: Mapping[str, str],
    verdicts: Sequence[Verdict] = (),
) -> dict[str, bytes]:
    """Renders every file of the comparison: path within the folder → bytes; see `write_diff`."""
    sides = [
        Side(
            label=label,
            content=gather(
                records, verdict=verdict, made_at=made_at, versions=versions,
                git_commit="", bundle=None,
            ),
        )
        for label, records, verdict in zip(
            _labels(studies), studies, verdicts or map(judge, studies), strict=True
        )
    ]  # fmt: skip
    tables = {item.name: item for item in _tables(sides)}
    drawn = [
        studies_figures.winners(tables["arms"], tables["runs"]),
        studies_figures.searches(tables["best_so_far"], objective=_objective(sides)),
    ]
    pictures = {item.name: item for item in drawn if item is not None}
    found = tables["difference"]
    page = environment().get_template("diff.html.j2").render(
        tables=tables, sides=sides, sections=SECTIONS, made_at=made_at, date=numbers.date,
        compared=[row for row, value in enumerate(found.column("difference")) if value is not None],
        others=[row for row, value in enumerate(found.column("same_reviews")) if value != "yes"],
        all_others=set(found.column("same_reviews")) == {"no"},
        same_objective=_objective(sides) != "",
        winner_heads={f"winner_{place}": side.label for place, side in enumerate(sides, start=1)}
        | {f"searched_{place}": f"searched, {side.label}" for place, side in enumerate(sides, 1)},
        setting_heads={f"in_{place}": side.label for place, side in enumerate(sides, start=1)},
        **writers(tables, pictures),
        **frame(),
    )  # fmt: skip
    files = {"report.html": page.encode()}
    listed = list(tables.values())
    for item in (*listed, dictionary(listed)):
        files[item.path] = to_csv(item).encode()
    for picture in pictures.values():
        files |= picture.files
    return files


def _labels(studies: Sequence[StudyRecords]) -> list[str]:
    """Returns the studies' names, with a letter where several have one name."""
    names = [records.name for records in studies]
    return [
        f"{name} ({chr(ord('A') + place)})" if names.count(name) > 1 else name
        for place, name in enumerate(names)
    ]


def _objective(sides: list[Side]) -> str:
    """Returns the objective that all share, or ""."""
    found = {side.content.spec.study.objective for side in sides}
    return found.pop() if len(found) == 1 else ""


def _tables(sides: list[Side]) -> list[Table]:
    return [
        _studies(sides),
        _difference(sides),
        _joined(sides, "comparison", "arms", "One arm of one study"),
        _joined(sides, "runs", "runs", "One run of one study"),
        _hyperparameters(sides),
        _joined(sides, "best_so_far", "best_so_far", "One search at the end of one trial"),
        _settings(sides),
    ]


def _joined(sides: list[Side], name: str, new: str, title: str) -> Table:
    """Concatenates the studies' tables of one name, with the study as first column.

    The columns are those of all studies. A hyperparameter that a study does not open has its
    documented value there, in rows that have a configuration.
    """
    columns = (STUDY, *_union([side.content.tables[name].columns for side in sides]))
    rows: list[dict[str, Cell]] = []
    for side in sides:
        unopened = {each.name: _unopened(side, each.name) for each in columns}
        core = set(side.content.spec.hyperparameters)
        for row in side.content.tables[name].records():
            has_configuration = any(row.get(each) is not None for each in core)
            filled = unopened if has_configuration else dict.fromkeys(unopened)
            rows.append(filled | _in_form(row, side.content.tables[name], columns)
                        | {"study": side.label})  # fmt: skip
    return table(new, title, columns, rows)


def _union(several: Sequence[Sequence[Column]]) -> list[Column]:
    """Merges columns by name; those that the first lacks follow the one they follow elsewhere.

    Columns of one name and different formats, as two builders may declare them, hold text.
    """
    found: list[Column] = []
    for columns in several:
        place = 0
        for column in columns:
            names = [each.name for each in found]
            if column.name not in names:
                found.insert(place, column)
                place += 1
                continue
            place = names.index(column.name)
            if found[place].form != column.form:
                found[place] = replace(found[place], form="text", unit="")
            place += 1
    return found


def _in_form(row: dict[str, Cell], origin: Table, columns: Sequence[Column]) -> dict[str, Cell]:
    """Returns a row's cells, written out where only the joined column holds text."""
    forms = {column.name: column.form for column in columns}
    return {
        name: numbers.show(value, form)
        if forms[name] == "text" and (form := origin.form(name)) != "text" and value is not None
        else value
        for name, value in row.items()
    }


def _unopened(side: Side, name: str) -> Cell:
    """Returns the value of a hyperparameter in a study that does not open it; None of others."""
    spec = side.content.spec
    row = HYPERPARAMETERS.get(name)
    if row is None or spec.builder or name in spec.hyperparameters:
        return None
    return getattr(spec.protocol, name) if row.documented is None else row.documented


def _studies(sides: list[Side]) -> Table:
    columns = (
        STUDY,
        Column("title", "Its title"),
        Column("answer", "Its own answer: winner against baseline"),
        Column("objective", "What its search ranked by"),
        Column("winner_score", "The winner's score in the search", form="loss"),
        Column("trials", "Trials started", form="count"),
        Column("epochs", "Epochs trained, search and comparison", unit="epochs", form="count"),
        Column("training_seconds", "Training time, summed over workers", form="duration"),
        Column("test_reviews", "Test reviews", unit="reviews", form="count"),
        Column("data_digest", "SHA-256 of token ids, labels and splits"),
    )  # fmt: skip
    rows = []
    for side in sides:
        records, tables = side.content.records, side.content.tables
        first = tables["trials"].where(rank=1)
        corpus = records.corpus
        reviews = {split.name: split.reviews for split in corpus.splits} if corpus else {}
        rows.append(
            {
                "study": side.label,
                "title": records.title,
                "answer": side.content.verdict.kind,
                "objective": side.content.spec.study.objective,
                "winner_score": tables["trials"].value(first[0], "score") if first else None,
                "trials": len(records.trials),
                "epochs": tables["cost"].value(2, "epochs"),
                "training_seconds": tables["cost"].value(2, "training_seconds"),
                "test_reviews": reviews.get("test"),
                "data_digest": corpus.digest if corpus else None,
            }
        )
    return table("studies", "One study", columns, rows)


def _difference(sides: list[Side]) -> Table:
    columns = (
        Column("same_reviews", "Whether both used the same reviews and splits: yes, by equal "
               "digests; no, by other counts of test reviews; else unknown"),
        Column("candidate", "Study whose winner is compared"),
        Column("reference", "Study whose winner it is compared with"),
        DIFFERENCE,
        *INTERVAL,
        Column("failed_runs", "Runs of either winner that failed, which the difference leaves out"),
        Column("why_not", "Why there is no interval"),
    )  # fmt: skip
    first, *others = sides
    rows = []
    for side in others:
        pair = [first, side]
        same, why = _same_reviews(pair)
        found, failed = None, ""
        if same == "yes":
            found, failed, why = _interval(pair)
        names = {"candidate": side.label, "reference": first.label, "failed_runs": failed}
        rows.append(cells_of(found, columns, same_reviews=same, why_not=why) | names)
    return table("difference", "One study's winner against the first study's", columns, rows)


def _same_reviews(sides: list[Side]) -> tuple[str, str]:
    """Says whether two studies were tested on the same reviews, and if not "yes", what is known.

    Digests of the same reviews differ where they come from another kind of file or where only the
    validation split does, so that other digests alone show nothing.
    """
    known = [side.content.records.corpus for side in sides]
    unread = [side.label for side, corpus in zip(sides, known, strict=True) if corpus is None]
    if unread:
        return "unknown", f"the reviews of {' and '.join(unread)} have not been read"
    if len({corpus.digest for corpus in known if corpus}) == 1:
        return "yes", ""
    tests = [
        {split.name: (split.reviews, split.positive) for split in corpus.splits}.get("test")
        for corpus in known
        if corpus
    ]
    if tests[0] != tests[1]:
        return "no", "they were tested on different reviews: their numbers or labels differ"
    return "unknown", "their reviews have different digests, so test reviews cannot be paired"


def _interval(sides: list[Side]) -> tuple[Difference | None, str, str]:
    """Compares the second winner with the first; also names failed runs, and says what is amiss."""
    arms: list[Arm] = []
    failed: list[str] = []
    for side in sides:
        found = arms_from_records(side.content.records).get("winner")
        lost = [run.seed_index for run in failed_runs(found)] if found is not None else []
        kept = without_runs(found, lost) if found is not None else None
        if kept is None or kept.seeds < LEAST_SEEDS:
            why = f"{side.label} has fewer than four evaluated runs of its winner that did not fail"
            return None, "", why
        failed += [f"winner-s{index} of {side.label}" for index in lost]
        arms.append(replace(kept, name=side.label))
    reference, candidate = arms
    if not np.array_equal(reference.labels, candidate.labels):
        return None, "", "their test labels differ, though their digests are equal"
    return difference_between(candidate, reference), ", ".join(failed), ""


def _hyperparameters(sides: list[Side]) -> Table:
    columns = (
        Column("hyperparameter", "Its name"),
        *(
            Column(f"winner_{place}", f"Its value in the winner of {side.label}", form="plain")
            for place, side in enumerate(sides, start=1)
        ),
        *(
            Column(f"searched_{place}", f"Values searched by {side.label}")
            for place, side in enumerate(sides, start=1)
        ),
    )  # fmt: skip
    rows: dict[str, dict[str, Cell]] = {}
    for side in sides:
        for name in side.content.tables["hyperparameters"].column("hyperparameter"):
            rows.setdefault(str(name), cells_of(None, columns, hyperparameter=name))
    for place, side in enumerate(sides, start=1):
        own = side.content.tables["hyperparameters"]
        for name, entry in rows.items():
            if found := own.where(hyperparameter=name):
                row = own.records()[found[0]]
                entry[f"winner_{place}"] = row.get("winner")
                entry[f"searched_{place}"] = row["searched"]
            elif (value := _unopened(side, name)) is not None:
                has_winner = "winner" in [column.name for column in own.columns]
                entry[f"winner_{place}"] = value if has_winner else None
                entry[f"searched_{place}"] = space_in_words(side.content.spec, name)
    return table("hyperparameters", "One hyperparameter", columns, rows.values())


def _settings(sides: list[Side]) -> Table:
    columns = (
        Column("setting", "Table and key of the study file"),
        *(Column(f"in_{place}", f"In {side.label}") for place, side in enumerate(sides, start=1)),
    )
    values = [
        {str(row["setting"]): row["value"] for row in side.content.tables["settings"].records()}
        for side in sides
    ]
    keys = {key: None for each in values for key in each}
    rows = (
        {f"in_{place}": each.get(key) for place, each in enumerate(values, start=1)}
        | {"setting": key}
        for key in keys
        if len({each.get(key) for each in values}) > 1
    )
    return table("settings", "One setting in which the studies differ", columns, rows)
