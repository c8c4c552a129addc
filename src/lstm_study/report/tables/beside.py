"""Tables of what stands beside winner and baseline: other arms, and the way between the two."""

from typing import Any

from lstm_study.analysis.answer.ablation import MASKED_BASELINE, ablation_path, start_of
from lstm_study.analysis.answer.arms import arms_from_records
from lstm_study.analysis.answer.verdict import Comparison, judge, judge_all
from lstm_study.records import StudyRecords
from lstm_study.report.tables.columns import ARM, RUN_ID, measure_form
from lstm_study.report.tables.table import Column, Table, table
from lstm_study.spec import StudySpec


def beside_tables(records: StudyRecords, spec: StudySpec, *, looks: int) -> list[Table]:
    """Builds the tables of further arms, of the classical control, and of the ablation.

    Args:
        records: The study.
        spec: Its spec.
        looks: The verdict's: every interval is as wide as its.
    """
    return [
        _further_arms(records, spec, looks=looks),
        _classical_control(records),
        *_ablation(records, spec),
    ]


def _further_arms(records: StudyRecords, spec: StudySpec, *, looks: int) -> Table:
    """Compares every arm but the winner with the baseline, and the winner with the masked twin."""
    points = "share; the report shows percentage points"
    columns = (
        ARM,
        Column(name="reference", meaning="The arm it is compared with"),
        Column(name="difference", meaning="Mean test accuracy, arm minus reference", unit=points,
               form="points"),
        Column(name="low", meaning="Lower end of its interval", unit=points, form="points"),
        Column(name="high", meaning="Upper end of its interval", unit=points, form="points"),
        Column(name="level", meaning="Share of such intervals that hold the true difference",
               unit="share", form="share"),
        Column(name="p_value", meaning="Two-sided, of the test that the interval turns into",
               form="probability"),
        Column(name="adjusted_p_value", form="probability",
               meaning="Holm's, over all arms compared with the baseline but the winner"),
        Column(name="answer", meaning="By the verdict's rule, as if it were the only question"),
    )  # fmt: skip
    arms = arms_from_records(records)
    found: list[Comparison] = []
    if "baseline" in arms:
        others = {name: arm for name, arm in arms.items() if name != "winner"}
        found += judge_all(others, seed=spec.study.seed, looks=looks)
    if {"winner", MASKED_BASELINE} <= arms.keys():
        twin = judge(arms, seed=spec.study.seed, reference=MASKED_BASELINE, looks=looks)
        found.insert(0, Comparison(verdict=twin, adjusted_p_value=None))
    rows = []
    for item in found:
        difference = item.verdict.difference
        row: dict[str, Any] = {
            "arm": item.verdict.candidate,
            "reference": item.verdict.reference,
            "adjusted_p_value": item.adjusted_p_value,
            "answer": item.verdict.kind,
        }
        for name in ("difference", "low", "high", "level", "p_value"):
            row[name] = getattr(difference, name) if difference is not None else None
        rows.append(row)
    return table("further_arms", "One arm against another", columns, rows)


def _classical_control(records: StudyRecords) -> Table:
    columns = (
        Column(name="weighting", meaning="nb: naive Bayes log-count ratios; tfidf: TF-IDF"),
        Column(name="inverse_regularisation", meaning="scikit-learn's C", form="plain"),
        Column(name="validation_accuracy", meaning="Share of validation reviews read right",
               unit="share", form="percent"),
        Column(name="validation_loss", meaning="Binary cross-entropy on validation", form="loss"),
        Column(name="seconds", meaning="Time of its fit", unit="seconds", form="duration"),
        Column(name="chosen", meaning="Whether validation chose it for the training on all"),
    )  # fmt: skip
    control = records.control
    return table(
        "classical_control",
        "One candidate of the classical control",
        columns,
        (
            {column.name: getattr(each, column.name) for column in columns[:-1]}
            | {
                "chosen": "yes"
                if (each.weighting, each.inverse_regularisation)
                == (control.weighting, control.inverse_regularisation)
                else "no"
            }
            for each in (control.candidates if control is not None else ())
            if control is not None
        ),
    )


def _ablation(records: StudyRecords, spec: StudySpec) -> list[Table]:
    """The way itself, the baseline as step 0, and everything that was tried on it."""
    form = measure_form(spec.study.objective)
    gain = "points" if form == "percent" else "loss"
    step = Column(name="step", meaning="From 0, the baseline", form="count")
    name = Column(name="hyperparameter", meaning="What changed")
    columns = (
        step,
        name,
        Column(name="before", meaning="Its value until then", form="plain"),
        Column(name="after", meaning="Its value from then on", form="plain"),
        Column(name="score", meaning=f"{spec.study.objective} after the change", form=form),
        Column(name="gain", meaning="How much better than before the change", form=gain),
        RUN_ID,
    )
    tried_columns = (
        step,
        name,
        Column(name="gain", meaning="How much better it made the score; empty where it failed",
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
        table("ablation", "One step on the way from baseline to winner", columns, rows),
        table("ablation_tried", "One change that was tried in one step", tried_columns, tried),
    ]
