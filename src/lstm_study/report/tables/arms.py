"""Tables of the arms: accuracy, size and cost; hyperparameters; intervals against the baseline."""

from collections.abc import Mapping, Sequence
from typing import Any

from lstm_study.analysis.answer.arms import arms_from_records
from lstm_study.analysis.answer.questions import median_difference, side_questions
from lstm_study.arm_names import (
    CONTROL,
    ENSEMBLE,
    LAST_EPOCHS_SUFFIX,
    OWN_EPOCH_SUFFIX,
    PRIMARY,
    RUNNER_UP,
)
from lstm_study.configuration import STUDYS_OWN, Configuration
from lstm_study.records import StudyRecords
from lstm_study.report.numbers import plain
from lstm_study.report.tables.columns import (
    ARM,
    DIFFERENCE,
    INTERVAL,
    P_VALUE,
)
from lstm_study.report.tables.comparison import arm_configurations, comparison_table
from lstm_study.report.tables.models import model_tables
from lstm_study.report.tables.table import Column, Table, cells_of, table
from lstm_study.spec import StudySpec


def arm_tables(records: StudyRecords, spec: StudySpec, *, level: float) -> list[Table]:
    """Builds the tables of the arms; every interval has the verdict's level."""
    configurations = arm_configurations(records, spec)
    comparison = comparison_table(records, spec, configurations)
    return [
        comparison,
        *model_tables(records, comparison, spec, level=level),
        _hyperparameters(spec, configurations),
        _further_arms(records, level=level),
        _classical_control(records),
    ]


def training_differences(
    comparison: Table, spec: StudySpec, arms: Sequence[str] | None = None
) -> list[str]:
    """Says in what the trainings of some arms differ, beside text and network; [] if in nothing.

    Without `arms`: all that have trainings of their own. What a builder compiles itself is not
    known.
    """
    evaluated = (CONTROL, ENSEMBLE)
    rows = [
        row
        for row in comparison.records()
        if (
            row["arm"] in arms
            if arms is not None
            else row["arm"] not in evaluated
            and not str(row["arm"]).endswith((OWN_EPOCH_SUFFIX, LAST_EPOCHS_SUFFIX))
        )
    ]
    recipe = [
        name
        for name in spec.hyperparameters
        if spec.space.rows[name].part == "recipe" or (spec.builder and name in STUDYS_OWN[2:])
    ]
    names = {"epochs": "epochs", "masked": "masking of padding"}
    names |= {name: name.replace("_", " ") for name in recipe}

    def value(row: Mapping[str, Any], name: str) -> Any:
        return getattr(spec.protocol, name, None) if row[name] is None else row[name]

    return [words for name, words in names.items() if len({value(row, name) for row in rows}) > 1]


def _hyperparameters(spec: StudySpec, configurations: dict[str, Configuration]) -> Table:
    shown = {
        arm: value.as_dict()
        for arm, value in configurations.items()
        if arm in PRIMARY or arm.startswith(RUNNER_UP)
    }
    columns = (
        Column("hyperparameter", "Its name"),
        Column("meaning", "What it is"),
        Column("searched", "Values that the search samples from, or fixed"),
        *(Column(arm, f"Its value in the {arm}", form="plain") for arm in shown),
    )
    rows = [
        {
            "hyperparameter": name,
            "meaning": spec.space.rows[name].meaning,
            "searched": space_in_words(spec, name),
        }
        | {
            arm: getattr(spec.protocol, name, None) if cells[name] is None else cells[name]
            for arm, cells in shown.items()
        }
        for name in spec.hyperparameters
    ]
    return table("hyperparameters", "One hyperparameter", columns, rows)


def space_in_words(spec: StudySpec, name: str) -> str:
    """Says which values of a hyperparameter a study's search samples, or what it is fixed at."""
    dimension = spec.space.dimensions()[name].model_dump()
    if name not in spec.space.searched():
        value = dimension.get("value", (dimension.get("choices") or [None])[0])
        return "given by protocol" if value is None else f"fixed at {plain(value)}"
    when = "".join(
        f", where {other} is {' or '.join(map(plain, on if isinstance(on, list) else [on]))}"
        for other, on in (dimension["when"] or {}).items()
    )
    if "choices" in dimension:
        return ", ".join(plain(value) for value in dimension["choices"]) + when
    step = f", step {plain(dimension['step'])}" if dimension["step"] else ""
    log = ", log scale" if dimension["sampling"] == "log" else ""
    return f"{plain(dimension['min'])} to {plain(dimension['max'])}{step}{log}{when}"


def _further_arms(records: StudyRecords, *, level: float) -> Table:
    """Lists the questions beside the primary one."""
    columns = (
        ARM,
        Column("reference", "The arm it is compared with"),
        Column("difference", "Mean test accuracy, arm minus reference", form="points"),
        *INTERVAL,
        Column("median_difference",
               "Difference of the median accuracies over all runs, failed or not", form="points"),
        P_VALUE,
        Column("adjusted_p_value", "Corrected by Holm over the arms compared with the baseline",
               form="probability"),
        Column("answer", "By the verdict's decision rule; where the p-value is corrected, by that; "
               "described, not tested: an interval that helps to choose a model, in no family"),
        Column("failed_runs", "Runs that failed, which the difference leaves out"),
    )  # fmt: skip
    arms = arms_from_records(records)
    rows = [
        cells_of(
            item.verdict.difference,
            (DIFFERENCE, *INTERVAL),
            arm=item.verdict.candidate,
            reference=item.verdict.reference,
            p_value=item.verdict.difference.p_value
            if item.is_tested and item.verdict.difference is not None
            else None,
            adjusted_p_value=item.adjusted_p_value,
            median_difference=median_difference(arms, item.verdict),
            answer=item.answer,
            failed_runs=", ".join(
                f"{run.arm}-s{run.seed_index}"
                for run in (item.verdict.failures.runs if item.verdict.failures else ())
            ),
        )
        for item in side_questions(arms, level=level)
    ]
    return table("further_arms", "One arm against another", columns, rows)


def _classical_control(records: StudyRecords) -> Table:
    columns = (
        Column("weighting", "nb: naive Bayes log-count ratios; tfidf: TF-IDF"),
        Column("inverse_regularisation", "scikit-learn's C", form="plain"),
        Column("validation_accuracy", "Share of validation reviews classified correctly",
               form="percent"),
        Column("validation_loss", "Binary cross-entropy on validation", form="loss"),
        Column("validation_auc", "Area under the ROC curve on validation", form="loss"),
        Column("seconds", "Time to fit it", form="duration"),
        Column("chosen", "Whether it was chosen, by validation"),
    )  # fmt: skip
    rows = []
    if (control := records.control) is not None:
        chosen = (control.weighting, control.inverse_regularisation)
        rows = [
            cells_of(each, columns, chosen=(each.weighting, each.inverse_regularisation) == chosen)
            for each in control.candidates
        ]
    return table("classical_control", "One candidate of the classical control", columns, rows)
