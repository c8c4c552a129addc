"""Tables of the path from baseline to winner, one hyperparameter at a time."""

from typing import Any

from lstm_study.analysis.answer.ablation import ablation_path, start_of
from lstm_study.records import StudyRecords
from lstm_study.report.tables.columns import RUN_ID, measure_form
from lstm_study.report.tables.table import Column, Table, table
from lstm_study.spec import StudySpec


def ablation_tables(records: StudyRecords, spec: StudySpec) -> list[Table]:
    """Builds the tables of the path, with the baseline as step 0, and of every change tried."""
    form = measure_form(spec.study.objective)
    gain = "points" if form == "percent" else "loss"
    step = Column(name="step", meaning="From 0, the baseline", form="count")
    name = Column(name="hyperparameter", meaning="What changed")
    columns = (
        step,
        name,
        Column(name="before", meaning="Value before", form="plain"),
        Column(name="after", meaning="Value after", form="plain"),
        Column(name="score", meaning=f"{spec.study.objective} after the change", form=form),
        Column(name="gain", meaning="Improvement by the change", form=gain),
        RUN_ID,
    )
    tried_columns = (
        step,
        name,
        Column(name="gain", meaning="Improvement of the score; empty where training failed",
               form=gain),
        Column(name="kept", meaning="Whether it was the step's largest gain"),
    )  # fmt: skip
    path = ablation_path(records)
    rows: list[dict[str, Any]] = []
    tried: list[dict[str, Any]] = []
    if path is not None and path.start is not None:
        begin = dict.fromkeys(column.name for column in columns)
        rows.append(begin | {"step": 0, "hyperparameter": start_of(spec), "score": path.start})
        for taken in path.steps:
            rows.append(
                {
                    "step": taken.number,
                    "hyperparameter": taken.hyperparameter,
                    "before": taken.before,
                    "after": taken.after,
                    "score": taken.score_after,
                    "gain": taken.gain,
                    "run_id": taken.run_id,
                }
            )
            tried += [
                {
                    "step": taken.number,
                    "hyperparameter": hyperparameter,
                    "gain": value,
                    "kept": "yes" if hyperparameter == taken.hyperparameter else "no",
                }
                for hyperparameter, value in taken.tried
            ]
    return [
        table("ablation", "One step on the path from baseline to winner", columns, rows),
        table("ablation_tried", "One change that was tried in one step", tried_columns, tried),
    ]
