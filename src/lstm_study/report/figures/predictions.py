"""Figures of the test probabilities: ROC curves and calibration."""

from typing import TYPE_CHECKING

from lstm_study.report import numbers
from lstm_study.report.figures.picture import Picture
from lstm_study.report.figures.style import (
    MUTED,
    PAPER,
    WINNER,
    arm_colours,
    main_arms,
    percent_axis,
)
from lstm_study.report.tables.metrics import CALIBRATED
from lstm_study.report.tables.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


# One for each line of a reliability diagram, so that they differ without colour.
_MARKERS = ("o", "s", "^", "D", "v")


def roc(curves: Table, metrics: Table) -> Picture | None:
    """Draws each arm's ROC curve: the mean over runs, with a band from lowest to highest."""
    lines = {str(arm): line for arm, line in curves.frame().groupby("arm", sort=False)}
    arms = main_arms(list(lines))
    if not arms:
        return None
    colours = arm_colours(arms)

    def draw(figure: "Figure") -> None:
        whole, corner = figure.subplots(1, 2)
        for axes in (whole, corner):
            axes.plot([0, 1], [0, 1], color=MUTED, lw=0.8, ls=(0, (4, 3)))
            for arm in arms:
                line, colour = lines[arm], colours[arm]
                rates = line["false_positive_rate"]
                axes.fill_between(
                    rates, line["lowest"], line["highest"], color=colour, alpha=0.2, linewidth=0
                )
                axes.plot(rates, line["true_positive_rate"], color=colour, lw=1.4, label=arm)
            axes.set_xlabel("False positive rate")
            axes.set_aspect("equal")
        whole.set_ylabel("True positive rate")
        whole.set_title("Whole curve")
        whole.legend(loc="lower right")
        corner.set_title("Upper left corner")
        corner.set_xlim(0, 0.4)
        corner.set_ylim(0.6, 1.0)
        for axes in (whole, corner):
            percent_axis(axes, "share", which="xy")

    areas = metrics.frame().dropna(subset="roc_auc").groupby("arm")["roc_auc"].agg(["min", "max"])
    told = ", ".join(
        f"{arm} {numbers.loss(areas['min'][arm])} to {numbers.loss(areas['max'][arm])}"
        for arm in arms
        if arm in areas.index
    )
    return Picture(
        draw=draw,
        name="roc",
        title="ROC curves on test",
        alt="Mean ROC curve of each arm with a band from the lowest run to the highest. "
        f"Area under the curve: {told}.",
        tables=(curves, metrics),
        height=3.6,
        leaves_out=len(arms) < len(lines),
    )


def calibration(bins: Table) -> Picture | None:
    """Draws each arm's reliability diagram: predicted probability against observed share."""
    known = bins.frame().dropna(subset="positive")
    points = {str(arm): mine for arm, mine in known.groupby("arm", sort=False)}
    arms = main_arms([arm for arm in points if arm != CALIBRATED])
    arms += [arm for arm in points if arm == CALIBRATED]
    if not arms:
        return None
    # The winner's own colour, told apart as its lines and bars that are not filled.
    colours = arm_colours(arms) | ({CALIBRATED: WINNER} if CALIBRATED in arms else {})

    def draw(figure: "Figure") -> None:
        diagram, counts = figure.subplots(1, 2)
        diagram.plot([0, 1], [0, 1], color=MUTED, lw=0.8, ls=(0, (4, 3)))
        width = 0.8 / len(arms)
        for place, arm in enumerate(arms):
            mine = points[arm]
            diagram.plot(
                mine["probability"], mine["positive"], color=colours[arm], ms=4, label=arm,
                marker=_MARKERS[place % len(_MARKERS)], ls="--" if arm == CALIBRATED else "-",
                mfc=PAPER if arm == CALIBRATED else colours[arm],
            )  # fmt: skip
            counts.bar(
                mine["low"] + 0.1 * (0.1 + width * (place + 0.5)),
                mine["reviews"] / mine["reviews"].sum(), width=width * 0.1, color=colours[arm],
                **({"fill": False, "edgecolor": colours[arm]} if arm == CALIBRATED else {}),
            )  # fmt: skip
        diagram.set_aspect("equal")
        diagram.set_xlabel("Predicted probability")
        diagram.set_ylabel("Share that is positive")
        diagram.set_title("Reliability")
        diagram.legend(loc="upper left")
        counts.set_title("Distribution of predicted probabilities")
        counts.set_xlabel("Predicted probability")
        counts.set_ylabel("Share of test reviews")
        counts.grid(visible=False, axis="x")
        for axes in (diagram, counts):
            percent_axis(axes, "share", which="xy")

    return Picture(
        draw=draw,
        name="calibration",
        title="Calibration on test",
        alt="On the left, the share of positive reviews against the predicted probability, by arm; "
        "on the diagonal they agree. On the right, the distribution of predicted probabilities.",
        tables=(bins,),
        height=3.4,
        leaves_out=len(arms) < len(points),
    )
