"""Tables of the path from baseline to winner, one hyperparameter at a time."""

from typing import Any

from lstm_study.analysis.answer.ablation import ablation_path, start_of
from lstm_study.records import StudyRecords
from lstm_study.report.tables.columns import RUN_ID, measure_form
from lstm_study.report.tables.table import Column, Table, cells_of, table
from lstm_study.spec import StudySpec


def ablation_tables(records: StudyRecords, spec: StudySpec) -> list[Table]:
    """Builds the tables of the path, with the baseline as step 0, and of every change tried."""
    form = measure_form(spec.study.objective)
    gain = "points" if form == "percent" else "loss"
    step = Column("step", "From 0, the baseline", form="count")
    name = Column("hyperparameter", "What changed")
    columns = (
        step,
        name,
        Column("before", "Value before", form="plain"),
        Column("after", "Value after", form="plain"),
        Column("score", f"{spec.study.objective} after the change", form=form),
        Column("gain", "Improvement by the change", form=gain),
        RUN_ID,
    )
    tried_columns = (
        step,
        name,
        Column("gain", "Improvement of the score; empty where training failed", form=gain),
        Column("kept", "Whether it was the step's largest gain"),
    )  # fmt: skip
    path = ablation_path(records)
    rows: list[dict[str, Any]] = []
    tried: list[dict[str, Any]] = []
    if path is not None and path.start is not None:
        start = start_of(spec)
        rows.append(cells_of(None, columns, step=0, hyperparameter=start, score=path.start))
        for taken in path.steps:
            rows.append(cells_of(taken, columns, step=taken.number, score=taken.score_after))
            tried += [
                {
                    "step": taken.number,
                    "hyperparameter": hyperparameter,
                    "gain": value,
                    "kept": hyperparameter == taken.hyperparameter,
                }
                for hyperparameter, value in taken.tried
            ]
    return [
        table("ablation", "One step on the path from baseline to winner", columns, rows),
        table("ablation_tried", "One change that was tried in one step", tried_columns, tried),
    ]
