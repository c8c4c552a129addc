"""Figures of single trainings: curves, workers, distribution of scores, cost, coordinates."""

import math
from typing import TYPE_CHECKING, Any

from lstm_study.arm_names import VALIDATION_SUFFIX
from lstm_study.objectives import metric_in_words, titled
from lstm_study.report import numbers
from lstm_study.report.figures.picture import Picture
from lstm_study.report.figures.style import (
    HEAT,
    INK,
    MUTED,
    PAPER,
    SERIES,
    WINNER,
    arm_colours,
    cost_axis,
    label,
    legend,
    main_arms,
    panels,
    pareto,
    percent_axis,
    whole_axis,
)
from lstm_study.report.tables.table import Table
from lstm_study.spec import StudySpec
from lstm_study.spec.quantities import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MANY = 150
# Axes of parallel coordinates whose names fit beside each other.
_WIDE = 9


def trial_curves(curves: Table, *, objective: str) -> Picture | None:
    """Draws each trial's learning curve, a panel for each bracket."""
    rows = curves.frame().dropna(subset="value")
    if rows.empty:
        return None
    form = curves.form("value")
    brackets = sorted(rows["bracket"].unique(), reverse=True)
    columns = min(3, len(brackets))
    faint = rows["trial_id"].nunique() > _MANY
    width, alpha = (0.8, 0.35) if faint else (1.3, 0.8)

    def draw(figure: "Figure") -> dict[str, list[str]]:
        from matplotlib.collections import LineCollection
        from matplotlib.lines import Line2D

        grid, _ = panels(figure, len(brackets), columns=columns, sharex=True, sharey=True)
        marks = {}
        for axes, bracket in zip(grid, brackets, strict=True):
            for number, found in rows[rows["bracket"] == bracket].groupby("round"):
                colour = SERIES[number % len(SERIES)]
                gid = f"lines-{bracket}-{number}"
                trials = found.groupby("trial_id", sort=False)
                axes.add_collection(
                    LineCollection(
                        [line[["epoch", "value"]].to_numpy(float) for _, line in trials],
                        colors=colour, gid=gid, linewidths=width, alpha=alpha,
                    )
                )  # fmt: skip
                marks[gid] = list(trials.groups)
                dots = found[trials["epoch"].transform("size") == 1] if faint else found
                if not dots.empty:
                    axes.scatter(
                        dots["epoch"], dots["value"], s=7, color=colour, alpha=alpha,
                        linewidths=0, gid=f"points-{gid}",
                    )  # fmt: skip
                    marks[f"points-{gid}"] = dots["trial_id"].tolist()
            axes.autoscale_view()
            axes.set_title(f"Bracket {bracket}")
            axes.set_xlabel("Epoch")
            whole_axis(axes)
        grid[0].set_ylabel(titled(objective))
        percent_axis(grid[0], form)
        rounds = sorted(rows["round"].unique())
        figure.legend(
            [Line2D([], [], color=SERIES[number % len(SERIES)], lw=2) for number in rounds],
            [f"round {number}" for number in rounds], loc="outside upper left", ncols=6,
        )  # fmt: skip
        return marks

    return Picture(
        draw=draw,
        name="trial_curves",
        title="Learning curve of every trial, by bracket",
        alt=f"{titled(objective)} against epochs, a line for each trial, a panel "
        "for each bracket, a colour for each round. Promoted trials continue their parents' lines.",
        tables=(curves,),
        height=0.5 + 2.4 * math.ceil(len(brackets) / columns),
    )


def run_curves(curves: Table) -> Picture | None:
    """Draws learning curves by arm: the mean over seeds, and a band from lowest to highest.

    The validation runs of an arm are drawn in its colour, in the panels of validation alone.
    """
    tested = [arm for arm in curves.column("arm") if not str(arm).endswith(VALIDATION_SUFFIX)]
    every = list(dict.fromkeys(str(arm) for arm in tested))
    shown = main_arms(every)
    rows = curves.frame()
    rows["drawn as"] = rows["arm"].str.removesuffix(VALIDATION_SUFFIX)
    rows = rows[
        rows["drawn as"].isin(shown)
        & ((rows["drawn as"] == rows["arm"]) | rows["measure"].str.startswith("validation"))
    ]
    if rows.empty:
        return None
    lines = rows.groupby(["measure", "drawn as", "epoch"])["value"].agg(["mean", "min", "max"])
    measures = sorted(rows["measure"].unique())

    def draw(figure: "Figure") -> None:
        grid, _ = panels(figure, len(measures), columns=2)
        for axes, measure in zip(grid, measures, strict=True):
            for arm, colour in arm_colours(shown).items():
                if (measure, arm) not in lines.index:
                    continue
                at = lines.loc[measure, arm]
                axes.fill_between(
                    at.index, at["min"], at["max"], color=colour, alpha=0.22, linewidth=0
                )
                axes.plot(at.index, at["mean"], color=colour, lw=1.8, label=arm,
                          marker="o" if len(at) == 1 else None, ms=4)  # fmt: skip
            axes.set_title(titled(measure))
            axes.set_xlabel("Epoch")
            whole_axis(axes)
            percent_axis(axes, "percent" if measure.endswith("accuracy") else "loss")
        legend(figure, grid[0], ncols=4)

    return Picture(
        draw=draw,
        name="run_curves",
        title="Learning curves of the retraining",
        alt="The "
        + " and ".join(metric_in_words(measure) for measure in measures)
        + f" of {', '.join(shown)} against epochs: a line for the mean over seeds, a band from the "
        "lowest to the highest.",
        tables=(curves,),
        height=0.35 + 2.5 * math.ceil(len(measures) / 2),
        leaves_out=len(shown) < len(every),
    )


def timeline(trainings: Table) -> Picture | None:
    """Draws which worker trained which trial, over time."""
    import pandas as pd

    rows = trainings.frame()
    rows = rows[rows["stage"] == "search"]
    if rows.empty:
        return None
    moments = [
        pd.to_datetime(rows[name], utc=True, format="ISO8601")
        for name in ("started_at", "ended_at")
    ]
    start, end = ((each - moments[0].min()).dt.total_seconds() for each in moments)
    unit, size = numbers.time_unit(end.max() or 1.0)
    workers = sorted(rows["worker"].unique())

    def draw(figure: "Figure") -> dict[str, list[str]]:
        axes = figure.add_subplot()
        marks = {}
        for place, worker in enumerate(workers):
            for failed in (False, True):
                mine = (rows["worker"] == worker) & ((rows["status"] == "failed") == failed)
                gid = f"bars-{place}-{'failed' if failed else 'done'}"
                if mine.any():
                    axes.broken_barh(
                        list(zip(start[mine] / size, (end - start)[mine] / size, strict=True)),
                        (place - 0.3, 0.6), color=SERIES[2] if failed else SERIES[0], alpha=0.85,
                        edgecolor=PAPER, linewidth=0.6 if len(rows) < _MANY else 0.2, gid=gid,
                    )  # fmt: skip
                    marks[gid] = rows.loc[mine, "training_id"].tolist()
        axes.set_yticks(range(len(workers)), [_short(worker) for worker in workers])
        axes.set_ylim(len(workers) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(f"Time since the first trial, {unit}")
        return marks

    return Picture(
        draw=draw,
        name="timeline",
        title="Workers over time",
        alt="A bar for each trial from its start to its end, a row for each worker.",
        tables=(trainings,),
        height=0.8 + 0.32 * len(workers),
    )


def distribution(trials: Table, *, objective: str, full: int) -> Picture | None:
    """Draws the empirical distribution of the scores of completed trials, for each budget."""
    form = trials.form("score")
    scored = _scored(trials)
    if scored.empty:
        return None

    def draw(figure: "Figure") -> None:
        import seaborn

        axes = figure.add_subplot()
        for place, (budget, scores) in enumerate(scored.groupby("budget_epochs")["score"]):
            seaborn.ecdfplot(
                x=scores.tolist(), ax=axes,
                color=WINNER if budget == full else SERIES[place % len(SERIES)],
                lw=2 if budget == full else 1.3,
                label=f"{counted(budget, 'epoch')} ({len(scores)})",
            )  # fmt: skip
        axes.set_xlabel(titled(objective))
        axes.set_ylabel("Share of trials")
        axes.legend(title="Budget (trials)", loc="upper left", bbox_to_anchor=(1.0, 1.0))
        percent_axis(axes, form, which="x")
        percent_axis(axes, "share")

    return Picture(
        draw=draw,
        name="distribution",
        title="Distribution of scores",
        alt="Empirical distribution of the scores of completed trials, a line for each budget.",
        tables=(trials,),
        height=2.7,
    )


def cost(trials: Table, *, objective: str, direction: str, full: int) -> Picture | None:
    """Draws full-budget scores against seconds and parameters, the Pareto front marked."""
    rows = _scored(trials, full=full).dropna(subset="seconds_per_epoch")
    if len(rows) < 2:
        return None
    form = trials.form("score")

    def draw(figure: "Figure") -> dict[str, list[str]]:
        panels = figure.subplots(1, 2, sharey=True)
        marks = {}
        for axes, name, words, cost_form in zip(
            panels, ("seconds_per_epoch", "parameter_count"),
            ("Training time per epoch", "Parameters"), ("duration", "short_count"), strict=True,
        ):  # fmt: skip
            places, scores = rows[name].tolist(), rows["score"].tolist()
            gid = f"points-cost-{name}"
            axes.scatter(places, scores, s=20, color=MUTED, alpha=0.7, linewidths=0, gid=gid)
            marks[gid] = rows["trial_id"].tolist()
            front = pareto(places, scores, direction)
            axes.plot(
                [places[index] for index in front], [scores[index] for index in front],
                color=WINNER, lw=1.5, marker="o", ms=5, drawstyle="steps-post",
                label="Pareto front",
            )  # fmt: skip
            cost_axis(axes, places, cost_form, span=20)
            axes.set_xlabel(words)
        panels[0].set_ylabel(titled(objective))
        panels[0].legend(loc="lower right")
        percent_axis(panels[0], form)
        return marks

    return Picture(
        draw=draw,
        name="cost_of_accuracy",
        title="Score and cost",
        alt="Score of the full-budget trials against seconds per epoch and against parameters; the "
        "Pareto front connects those that no other beats on both.",
        tables=(trials,),
        height=2.8,
    )


def parallel(trials: Table, spec: StudySpec) -> Picture | None:
    """Draws each trial of the full budget as a line through its hyperparameters to its score."""
    names, known = spec.space.searched(), spec.space.rows
    is_min = spec.study.direction == "min"
    rows = _scored(trials, full=spec.search.max_epochs)
    if len(rows) < 2 or not names:
        return None
    form = trials.form("score")
    rows = rows.sort_values("score", ascending=not is_min, kind="stable")
    places = {name: rows[name].map(known[name].position) for name in names}
    places["score"] = rows["score"]
    heights = {
        name: (each - each.min()) / (each.max() - each.min())
        if each.nunique() > 1
        else each * 0 + 0.5
        for name, each in places.items()
    }

    def draw(figure: "Figure") -> dict[str, list[str]]:
        import seaborn
        from matplotlib.collections import LineCollection

        axes = figure.add_subplot()
        shades = seaborn.color_palette(HEAT, as_cmap=True)
        better = 1 - heights["score"] if is_min else heights["score"]
        gid = "lines-parallel"
        axes.add_collection(
            LineCollection(
                [list(enumerate(line)) for line in zip(*heights.values(), strict=True)],
                colors=[shades(value) for value in better], gid=gid, zorder=2,
                linewidths=1.5 if len(rows) < _MANY else 0.7,
                alpha=0.9 if len(rows) < _MANY else 0.4,
            )
        )  # fmt: skip
        size = 6 if len(places) > _WIDE else 7
        for place, (name, found) in enumerate(places.items()):
            axes.axvline(place, color=INK, lw=0.8, zorder=3)
            shown = form if name == "score" else "plain"
            ticks = () if name == "score" else known[name].ticks
            height_of = dict(zip(found, heights[name], strict=True))
            for value in _labelled(sorted(height_of)):
                words = ticks[int(value)] if ticks else numbers.at_axis(value, shown)
                label(axes, words, (place, height_of[value]), offset=(-4, 0), ha="right",
                      va="center", fontsize=size, color=INK, zorder=4)  # fmt: skip
        heads = [name.replace("_", "\n") for name in places]
        if len(places) > _WIDE:  # names take turns in being lower, so that they do not overlap
            drop = "\n" * max(1 + head.count("\n") for head in heads)
            heads = [drop * (place % 2) + head for place, head in enumerate(heads)]
        axes.set_xticks(range(len(places)), heads)
        axes.tick_params(axis="x", length=0, pad=8)
        axes.set_yticks([])
        axes.set_ylim(-0.05, 1.05)
        axes.set_xlim(-0.5, len(places) - 0.8)
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        return {gid: rows["trial_id"].tolist()}

    return Picture(
        draw=draw,
        name="parallel",
        title="Hyperparameters and score of the trials at the full budget",
        alt=f"Parallel coordinates: a line for each completed trial of the full budget through "
        f"{', '.join(names)} to its score; the darker a line, the better its score.",
        tables=(trials,),
        height=3.3,
    )


def _labelled(values: list[float]) -> list[float]:
    """Returns at most five of an axis's values, both ends included, with room between them."""
    room = 0.12 * (values[-1] - values[0])
    kept = [values[0]]
    for value in values[1:-1]:
        if value - kept[-1] >= room and values[-1] - value >= room:
            kept.append(value)
    if len(kept) > 4:
        kept = kept[:: -(-len(kept) // 4)]
    return kept if values[-1] == values[0] else [*kept, values[-1]]


def _scored(trials: Table, *, full: int | None = None) -> Any:
    """Returns the search's completed trials that have a score, of one budget or of any."""
    rows = trials.frame().dropna(subset="score")
    rows = rows[(rows["status"] == "completed") & (rows["role"] == "search")]
    return rows if full is None else rows[rows["budget_epochs"] == full]


def _short(text: str) -> str:
    return text if len(text) <= 24 else text[:23] + "…"
