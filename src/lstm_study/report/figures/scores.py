"""Figures of scores: their distribution, what they cost, and whether early ones foretell."""

from typing import TYPE_CHECKING

from lstm_study.report import numbers
from lstm_study.report.figures.style import (
    MUTED,
    SERIES,
    WINNER,
    Picture,
    few_ticks,
    percent_axis,
    picture,
)
from lstm_study.report.tables.columns import in_words
from lstm_study.report.tables.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def distribution(trials: Table, *, objective: str, full: int) -> Picture | None:
    """Draws which share of completed trials scored at most so much, for each budget."""
    form = trials.columns[trials.index("score")].form
    groups: dict[int, list[float]] = {}
    for row in trials.records():
        scored = row["status"] == "completed" and isinstance(row["score"], float)
        if scored and row["role"] == "search":
            groups.setdefault(int(row["budget_epochs"] or 0), []).append(float(row["score"] or 0))
    if not groups:
        return None

    def draw(figure: "Figure") -> None:
        import seaborn

        axes = figure.add_subplot()
        for place, (budget, scores) in enumerate(sorted(groups.items())):
            seaborn.ecdfplot(
                x=scores, ax=axes,
                color=WINNER if budget == full else SERIES[place % len(SERIES)],
                lw=2 if budget == full else 1.3,
                label=f"{budget} epoch{'s' if budget > 1 else ''} ({len(scores)})",
            )  # fmt: skip
        axes.set_xlabel(in_words(objective).capitalize())
        axes.set_ylabel("Share of trials")
        axes.legend(title="Budget (trials)", loc="upper left", bbox_to_anchor=(1.0, 1.0))
        percent_axis(axes, form, which="x")
        percent_axis(axes, "share")

    return picture(
        draw,
        name="distribution",
        title="Distribution of scores",
        alt="Empirical distribution of the scores of completed trials, a line for each budget.",
        tables=(trials,),
        height=2.7,
    )


def agreement(points: Table, taus: Table, *, full: int) -> Picture | None:
    """Draws early values against final scores: do a few epochs foretell the ranking?"""
    rows = points.records()
    known = {int(row["epoch"] or 0): row["tau"] for row in taus.records()}
    epochs = sorted(known)[:3]
    if not epochs:
        return None
    form = points.columns[points.index("early")].form

    def draw(figure: "Figure") -> dict[str, list[str]]:
        panels = figure.subplots(1, max(2, len(epochs)), sharey=True, squeeze=False)[0]
        for axes in panels[len(epochs) :]:
            axes.set_visible(False)
        marks = {}
        for axes, epoch in zip(panels, epochs, strict=False):
            mine = [row for row in rows if row["epoch"] == epoch and row["early"] is not None]
            gid = f"points-early-{epoch}"
            axes.scatter(
                [float(row["early"] or 0) for row in mine],
                [float(row["final"] or 0) for row in mine],
                s=20, color=SERIES[0], alpha=0.75, linewidths=0, gid=gid,
            )  # fmt: skip
            marks[gid] = [str(row["trial_id"]) for row in mine]
            axes.set_title(f"tau = {numbers.coefficient(float(known[epoch] or 0))}")
            axes.set_xlabel(f"After {epoch} epoch{'s' if epoch > 1 else ''}")
            axes.xaxis.set_major_locator(few_ticks(4))
            percent_axis(axes, form, which="x")
        panels[0].set_ylabel(f"Score after {full} epochs")
        percent_axis(panels[0], form)
        return marks

    told = ", ".join(
        f"{numbers.coefficient(float(known[epoch] or 0))} after {epoch}" for epoch in epochs
    )
    return picture(
        draw,
        name="agreement",
        title="Do early ranks foretell final ranks?",
        alt="Each full-budget configuration's early value against its final score. "
        f"Kendall's tau: {told}.",
        tables=(points, taus),
        height=2.7,
    )


def cost(trials: Table, *, objective: str, direction: str, full: int) -> Picture | None:
    """Draws full-budget scores against seconds and parameters, the Pareto front marked."""
    rows = [
        row
        for row in trials.records()
        if row["status"] == "completed"
        and row["role"] == "search"
        and row["budget_epochs"] == full
        and isinstance(row["score"], float)
        and row["seconds_per_epoch"] is not None
    ]
    if len(rows) < 2:
        return None
    form = trials.columns[trials.index("score")].form

    def draw(figure: "Figure") -> dict[str, list[str]]:
        panels = figure.subplots(1, 2, sharey=True)
        marks = {}
        for axes, name, label in zip(
            panels, ("seconds_per_epoch", "parameter_count"),
            ("Seconds per epoch", "Parameters"), strict=True,
        ):  # fmt: skip
            places = [float(row[name] or 0) for row in rows]
            scores = [float(row["score"] or 0) for row in rows]
            gid = f"points-cost-{name}"
            axes.scatter(places, scores, s=20, color=MUTED, alpha=0.7, linewidths=0, gid=gid)
            marks[gid] = [str(row["trial_id"]) for row in rows]
            front = pareto(places, scores, direction)
            axes.plot(
                [places[index] for index in front], [scores[index] for index in front],
                color=WINNER, lw=1.5, marker="o", ms=5, drawstyle="steps-post",
                label="Pareto front",
            )  # fmt: skip
            if max(places) > 20 * max(min(places), 1e-9):
                axes.set_xscale("log")
            else:
                axes.xaxis.set_major_locator(few_ticks(5))
            if name == "parameter_count":
                axes.xaxis.set_major_formatter(lambda value, _: numbers.short_count(value))
                axes.xaxis.set_minor_formatter(lambda *_: "")
            axes.set_xlabel(label)
        panels[0].set_ylabel(in_words(objective).capitalize())
        panels[0].legend(loc="lower right")
        percent_axis(panels[0], form)
        return marks

    return picture(
        draw,
        name="cost_of_accuracy",
        title="What a better score costs",
        alt="Score of the full-budget trials against seconds per epoch and against parameters; the "
        "Pareto front joins those that none beats on both.",
        tables=(trials,),
        height=2.8,
    )


def pareto(costs: list[float], scores: list[float], direction: str) -> list[int]:
    """Returns the positions that no other beats on both cost and score, cheapest first."""
    sign = -1 if direction == "max" else 1
    found: list[int] = []
    for index in sorted(range(len(costs)), key=lambda i: (costs[i], sign * scores[i])):
        if not found or sign * scores[index] < sign * scores[found[-1]]:
            found.append(index)
    return found
