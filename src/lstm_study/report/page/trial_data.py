"""The data of each trial for the page's script: for its panel, the curves and the axes."""

import json
from typing import Any

from markupsafe import Markup

from lstm_study.analysis.search.summary import objective_of
from lstm_study.configuration import Hyperparameter
from lstm_study.objectives import metric_in_words
from lstm_study.report import numbers
from lstm_study.report.content import Content
from lstm_study.report.tables.table import Table
from lstm_study.spec import StudySpec

_SHOWN = (
    "rank", "score", "fresh_mean", "status", "role", "budget_epochs", "bracket", "round",
    "parameter_count", "seconds_per_epoch", "seconds", "epochs_trained", "score_last_epoch",
    "score_best_epoch", "seed", "worker", "started_at", "ended_at",
)  # fmt: skip
_TICKS = 5


def trial_hyperparameters(spec: StudySpec) -> dict[str, str]:
    """Returns the hyperparameters that are columns of the trials' table, each with its heading.

    Those that every study file gives, so that studies look alike, and all that the search varies,
    so that a reader can filter by them. With a builder all that it declares.
    """
    if spec.builder:
        return {name: name.replace("_", " ") for name in spec.hyperparameters}
    searched = spec.space.searched()
    rows = spec.space.rows
    shown = [name for name in rows if rows[name].is_required or name in searched]
    return {name: rows[name].short for name in shown}


def same_in_every_trial(trials: Table, spec: StudySpec) -> list[str]:
    """Returns the columns that are no choice of the search and have one value in every trial.

    The page says these once instead of in each row. Empty columns are not among them, nor is any
    column of a single trial.
    """
    searched = spec.space.searched()
    fixed = [name for name in spec.hyperparameters if name not in searched]
    if len(trials.rows) < 2:
        return []
    return [
        name
        for name in ("status", "budget_epochs", *fixed)
        if len(set(trials.column(name))) == 1 and trials.value(0, name) is not None
    ]


def trial_rows(trials: Table) -> list[int]:
    """Returns the rows of the trials by rank; those without one by budget, the largest first."""

    def place(number: int) -> tuple[float, ...]:
        rank, score = trials.value(number, "rank"), trials.value(number, "score")
        return (
            float(rank) if isinstance(rank, int) else float("inf"),
            -float(trials.value(number, "budget_epochs") or 0),
            score is None,
        )

    return sorted(range(len(trials.rows)), key=place)


def trial_data(content: Content) -> Markup | None:
    """Writes the trials as JSON for the page's script; None where there are none.

    Numbers for reading are written as everywhere in the report; raw ones are for drawing.
    """
    trials, curves = content.tables["trials"], content.tables["trial_curves"]
    if not trials.rows:
        return None
    searched, known = content.spec.space.searched(), content.spec.space.rows
    names = list(map(str, content.tables["hyperparameters"].column("hyperparameter")))
    found: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(trials.records()):
        scored = row["status"] == "completed" and row["role"] == "search"
        found[str(row["trial_id"])] = {
            "hyperparameters": [[name, trials.text(number, name)] for name in names],
            "facts": [
                [name.replace("_", " "), trials.text(number, name)]
                for name in _SHOWN
                if row[name] not in (None, "")
            ],
            "parent": row["parent"],
            "role": row["role"],
            "error": row["error"],
            "budget": row["budget_epochs"],
            "axes": [*(_place(known[name], row[name]) for name in searched), row["score"]]
            if scored
            else None,
            "curve": [],
        }
    for row in curves.records():
        if row["value"] is not None:
            found[str(row["trial_id"])]["curve"].append([row["epoch"], row["value"]])
    # The table of curves is the figure's, which has the trials of the search alone.
    for trial in content.records.trials:
        if trial.role != "search":
            measured = [
                (each.epoch, objective_of(each, content.spec.study.objective))
                for each in trial.epochs
            ]
            found[trial.trial_id]["curve"] = [
                [epoch, value] for epoch, value in measured if value is not None
            ]
    winner = trials.where(rank=1)
    value = {
        "objective": metric_in_words(content.spec.study.objective),
        "direction": content.spec.study.direction,
        "full": content.spec.search.max_epochs,
        "form": curves.form("value"),
        "winner": trials.value(winner[0], "trial_id") if winner else None,
        "axes": [_axis(trials, name, known.get(name)) for name in (*searched, "score")],
        "trials": found,
    }
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - JSON that holds no tag


def _place(row: Hyperparameter, cell: Any) -> Any:
    """Returns where a trial lies on an axis: a number itself, and the position of a word."""
    return cell if row.is_numeric and cell is not None else row.position(cell)


def _axis(trials: Table, name: str, row: Hyperparameter | None) -> dict[str, Any]:
    """Describes an axis of the parallel coordinates: its ends, scale and labels.

    Of words, such as those of pooling, every one that a trial has is labelled: a range that is
    dragged there selects them by their labels.
    """
    cells = [
        trial[name]
        for trial in trials.records()
        if trial["status"] == "completed" and trial["role"] == "search"
    ]
    values = sorted(
        {float(_place(row, each)) for each in cells}
        if row is not None
        else {float(each) for each in cells if each is not None}
    )
    ends = values or [0.0]
    form = trials.form(name)
    words = row.ticks if row is not None else ()
    stride = -(-len(values) // _TICKS) or 1
    shown = [*values[::stride][: _TICKS - 1], values[-1]] if len(values) > _TICKS else values
    if words:
        ticks = [[value, words[int(value)]] for value in values]
    else:
        ticks = [[value, numbers.at_axis(value, form)] for value in shown]
    return {
        "name": name,
        "low": ends[0],
        "high": ends[-1],
        "log": not words and ends[0] > 0 and ends[-1] >= 8 * ends[0],
        "form": form,
        "words": bool(words),
        "ticks": ticks,
    }
