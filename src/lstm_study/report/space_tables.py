"""Tables of the space: scores along each hyperparameter, by pairs of them, and their importance."""

from collections.abc import Sequence

from lstm_study.analysis import search_summary
from lstm_study.analysis.importance import importance
from lstm_study.records import StudyRecords, Trial
from lstm_study.report.columns import BUDGET, TRIAL_ID, measure_form
from lstm_study.report.numbers import plain
from lstm_study.report.search_tables import budgets
from lstm_study.report.tables import Column, Table, table
from lstm_study.spec import StudySpec


def _slices(trials: Sequence[Trial], spec: StudySpec) -> Table:
    columns = (
        Column(name="hyperparameter", meaning="What the slice is along"),
        Column(name="value", meaning="Its value", form="plain"),
        Column(name="score", meaning=f"The trial's {spec.study.objective}",
               form=measure_form(spec.study.objective)),
        TRIAL_ID,
        BUDGET,
    )  # fmt: skip
    points = search_summary.slices(trials, spec.space.searched())
    return table(
        "slices",
        "One completed trial along one hyperparameter",
        columns,
        ({column.name: getattr(point, column.name) for column in columns} for point in points),
    )
