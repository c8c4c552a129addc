"""The data of each trial for the page's script: for its panel, the curves and the axes."""

import json
from typing import Any

from markupsafe import Markup

from lstm_study.report import numbers
from lstm_study.report.content import Content
from lstm_study.report.tables.table import Table

_SHOWN = (
    "rank", "score", "status", "role", "budget_epochs", "bracket", "round", "parameter_count",
    "seconds_per_epoch", "seconds", "epochs_trained", "score_last_epoch", "score_best_epoch",
    "seed", "worker", "started_at", "ended_at",
)  # fmt: skip
_TICKS = 5


def trial_rows(trials: Table) -> list[int]:
    """Returns the rows of the trials in order: by rank, then by budget and score."""

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
    space = content.spec.space
    searched = [name for name in space.searched() if space.rows[name].is_numeric]
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
            "error": row["error"],
            "budget": row["budget_epochs"],
            "axes": [row[name] for name in (*searched, "score")] if scored else None,
            "curve": [],
        }
    for row in curves.records():
        if row["value"] is not None:
            found[str(row["trial_id"])]["curve"].append([row["epoch"], row["value"]])
    winner = trials.where(rank=1)
    value = {
        "objective": content.spec.study.objective.replace("_", " "),
        "direction": content.spec.study.direction,
        "full": content.spec.search.max_epochs,
        "form": curves.form("value"),
        "winner": trials.value(winner[0], "trial_id") if winner else None,
        "axes": [_axis(trials, name) for name in (*searched, "score")],
        "trials": found,
    }
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - JSON that holds no tag


def _axis(trials: Table, name: str) -> dict[str, Any]:
    """Describes an axis of the parallel coordinates: its ends, scale and labels."""
    values = sorted(
        {
            float(row[name] or 0)
            for row in trials.records()
            if row["status"] == "completed" and row["role"] == "search" and row[name] is not None
        }
    )
    ends = values or [0.0]
    stride = -(-len(values) // _TICKS) or 1
    form = trials.form(name)
    shown = [*values[::stride][: _TICKS - 1], values[-1]] if len(values) > _TICKS else values
    return {
        "name": name,
        "low": ends[0],
        "high": ends[-1],
        "log": ends[0] > 0 and ends[-1] >= 8 * ends[0],
        "form": form,
        "ticks": [[value, numbers.show(value, form)] for value in shown],
    }
