"""Tables of the space: scores along each hyperparameter, by pairs of them, and their importance."""

import itertools
import math
import statistics
from collections.abc import Sequence

from lstm_study.analysis.search import importance
from lstm_study.analysis.search import summary as search_summary
from lstm_study.configuration import value_in_words
from lstm_study.records import StudyRecords, Trial
from lstm_study.records.trial_ids import in_order
from lstm_study.report.numbers import rough
from lstm_study.report.tables.columns import BUDGET, TRIAL_ID, measure_form
from lstm_study.report.tables.search import budgets
from lstm_study.report.tables.table import Column, Table, cells_of, table
from lstm_study.spec import StudySpec

_GROUPS = 5
_PAIRED = 4


def space_tables(records: StudyRecords, spec: StudySpec) -> list[Table]:
    """Builds the tables of the space; without completed trials they have no rows."""
    shares = _importance(records.trials, spec)
    return [_slices(records.trials, spec), shares, _pairs(records.trials, spec, shares)]


def _slices(trials: Sequence[Trial], spec: StudySpec) -> Table:
    """Lists completed trials along each hyperparameter; the others vary from point to point."""
    columns = (
        Column("hyperparameter", "Hyperparameter on the axis"),
        Column("value", "Its value", form="plain"),
        Column("score", f"The trial's {spec.study.objective}",
               form=measure_form(spec.study.objective)),
        TRIAL_ID,
        BUDGET,
    )  # fmt: skip
    done = [
        trial
        for trial in sorted(
            search_summary.searched(trials), key=lambda trial: in_order(trial.trial_id)
        )
        if trial.status == "completed" and trial.score is not None and math.isfinite(trial.score)
    ]
    rows = []
    for name in spec.space.searched():
        row = spec.space.rows[name]
        for trial in done:
            value = trial.configuration.value(name)
            value = float(value) if row.is_numeric else value_in_words(value)
            rows.append(cells_of(trial, columns, hyperparameter=name, value=value))
    return table("slices", "One completed trial along one hyperparameter", columns, rows)


def _importance(trials: Sequence[Trial], spec: StudySpec) -> Table:
    columns = (
        Column("epoch", "Epochs after which the configurations were measured", unit="epochs",
               form="count"),
        Column("configurations", "Configurations measured", form="count"),
        Column("hyperparameter", "Its name"),
        Column("importance", "PED-ANOVA importance for reaching the best quarter of scores",
               form="share"),
        Column("low", "Lower end of the interval over resamples of configurations", form="share"),
        Column("high", "Upper end", form="share"),
        Column("level", "Share of resamples within the interval", form="share"),
        Column("resamples", "Number of resamples", form="count"),
        Column("reliable", "Whether there are enough configurations"),
        Column("reliable_from", "Configurations that are enough", form="count"),
    )  # fmt: skip
    rows = []
    for epoch in dict.fromkeys((budgets(spec)[0], spec.search.max_epochs)):
        measured = search_summary.after(trials, objective=spec.study.objective, epoch=epoch)
        found = importance.importance(
            measured, spec.space, spec.study.direction, seed=spec.study.seed
        )
        rows += [
            cells_of(
                item,
                columns,
                epoch=epoch,
                importance=round(item.importance, 6),
                low=round(item.low, 6),
                high=round(item.high, 6),
                level=importance.LEVEL,
                resamples=importance.RESAMPLES,
                reliable_from=importance.RELIABLE,
            )
            for item in found
        ]
    return table("importance", "One hyperparameter after so many epochs", columns, rows)


def _pairs(trials: Sequence[Trial], spec: StudySpec, shares: Table) -> Table:
    """Averages scores by pairs of the most important hyperparameters, after the smallest budget."""
    epoch = budgets(spec)[0]
    columns = (
        Column("epoch", "Epochs after which the configurations were measured", unit="epochs",
               form="count"),
        Column("first", "One hyperparameter"),
        Column("second", "Another"),
        Column("first_place", "Position of the first one's values, from 0", form="count"),
        Column("first_values", "The first one's values in this cell"),
        Column("second_place", "Position of the second one's values", form="count"),
        Column("second_values", "The second one's values in this cell"),
        Column("configurations", "Configurations in this cell", form="count"),
        Column("mean", f"Their mean {spec.study.objective}",
               form=measure_form(spec.study.objective)),
    )  # fmt: skip
    measured = search_summary.after(trials, objective=spec.study.objective, epoch=epoch)
    names = list(dict.fromkeys(map(str, shares.column("hyperparameter")))) or spec.space.searched()
    chosen = names[:_PAIRED]
    if len(measured) < importance.FEWEST:
        chosen = []
    groups = {
        name: _grouped([item.configuration.value(name) for item in measured]) for name in chosen
    }
    rows = []
    for first, second in itertools.combinations(chosen, 2):
        cells: dict[tuple[int, int], list[float]] = {}
        for item in measured:
            place = (
                groups[first][item.configuration.value(first)][0],
                groups[second][item.configuration.value(second)][0],
            )
            cells.setdefault(place, []).append(item.value)
        labels = [dict(groups[name].values()) for name in (first, second)]
        rows += [
            {
                "epoch": epoch,
                "first": first,
                "second": second,
                "first_place": across,
                "first_values": labels[0][across],
                "second_place": up,
                "second_values": labels[1][up],
                "configurations": len(values),
                "mean": statistics.fmean(values),
            }
            for (across, up), values in sorted(cells.items())
        ]
    return table("pairs", "One cell of a pair of hyperparameters", columns, rows)


def _grouped(values: Sequence[float]) -> dict[float, tuple[int, str]]:
    """Maps each value to its group's position and label; few distinct values are not grouped."""
    different = sorted(set(values))
    count = min(_GROUPS, len(different))
    found: dict[float, tuple[int, str]] = {}
    for place in range(count):
        mine = different[place * len(different) // count : (place + 1) * len(different) // count]
        words = "–".join(dict.fromkeys(map(rough, (mine[0], mine[-1]))))
        found |= dict.fromkeys(mine, (place, words))
    return found
