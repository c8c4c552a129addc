"""Tables of the models that a person could use, and of the advice on which."""

from collections.abc import Mapping
from typing import Any

from lstm_study.analysis.answer.advice import LAST_EPOCHS_ARM, Advice, advise
from lstm_study.arm_names import (
    CONTROL,
    ENSEMBLE,
    ENSEMBLE_WITH_CONTROL,
    RUNNER_UP,
    WINNER_WITH_CONTROL,
    WITH_CONTROL_SUFFIX,
)
from lstm_study.records import StudyRecords
from lstm_study.report.tables.columns import ARM, INTERVAL, PREDICTING_PARAMETERS
from lstm_study.report.tables.table import Column, Table, cells_of, table
from lstm_study.spec import StudySpec

_MODELS = {
    CONTROL: "logistic regression (classical control)",
    ENSEMBLE: "ensemble of the winner's runs",
    "winner": "winner of the search",
    "baseline": "baseline",
    LAST_EPOCHS_ARM: "mean of the winner's last epochs",
    WINNER_WITH_CONTROL: "mean of winner and logistic regression",
    ENSEMBLE_WITH_CONTROL: "mean of ensemble and logistic regression",
}
_EXPORTED = (CONTROL, ENSEMBLE, "winner", WINNER_WITH_CONTROL, ENSEMBLE_WITH_CONTROL)


def model_tables(
    records: StudyRecords, comparison: Table, spec: StudySpec, *, level: float
) -> list[Table]:
    """Builds both tables; `comparison` is the table of all arms."""
    found = advise(records, level=level)
    return [_models(found, comparison, spec), _advice(found)]


def _models(found: Advice, comparison: Table, spec: StudySpec) -> Table:
    """Lists what a person could use, the most accurate on test first."""
    columns = (
        Column("model", "What it is"),
        ARM,
        Column("test_accuracy", "Mean test accuracy, without runs that failed", form="percent"),
        Column("difference", "Test accuracy minus the baseline's", form="points"),
        Column("from_best", "Test accuracy minus that of the most accurate model that is judged; "
               "described, not tested", form="points"),
        *INTERVAL,
        Column("log_loss", "Mean log loss on test, without runs that failed", form="loss"),
        Column("runs", "Runs in these means", unit="runs", form="count"),
        Column("failed", "Completed runs that failed by the decision rule", unit="runs",
               form="count"),
        Column("training_seconds", "Time to train it", form="duration"),
        Column("predict_1000_seconds", "Time to predict 1,000 reviews", form="duration"),
        PREDICTING_PARAMETERS,
        Column("exported", "Whether `lstm-study export` writes it; of a mean of two "
               "models, both"),
    )  # fmt: skip
    base = next((each.accuracy for each in found.models if each.arm == "baseline"), None)
    parameters = dict(
        zip(comparison.column("arm"), comparison.column("parameter_count"), strict=True)
    )
    rows = [
        cells_of(
            each.difference,
            INTERVAL,
            model=_model_name(each.arm, spec),
            arm=each.arm,
            test_accuracy=each.accuracy,
            difference=each.accuracy - base
            if base is not None and each.arm != "baseline"
            else None,
            from_best=each.difference.difference if each.difference is not None else None,
            log_loss=each.log_loss,
            runs=each.runs,
            failed=each.failed,
            training_seconds=each.training_seconds,
            predict_1000_seconds=each.predict_1000_seconds,
            parameter_count=_parameters(each.arm, parameters),
            exported=each.arm in _EXPORTED,
        )
        for each in found.models
    ]
    return table("models", "One model that could be used", columns, rows)


def _parameters(arm: str, of_arms: Mapping[Any, Any]) -> int | None:
    """Returns a model's parameters; None where those of a part are not known."""
    network = arm.removesuffix(WITH_CONTROL_SUFFIX)
    parts = [of_arms[each] for each in ([arm] if arm == network else [network, CONTROL])]
    return None if any(each is None for each in parts) else sum(parts)


def _model_name(arm: str, spec: StudySpec) -> str:
    if arm == "baseline" and spec.baseline_is_documented:
        return "documented baseline"
    if arm.startswith(RUNNER_UP):
        return f"runner-up {arm.removeprefix(RUNNER_UP)}"
    return _MODELS.get(arm, arm.replace("-", " ", 1))


def _advice(found: Advice) -> Table:
    """Lists the sentences on which model to use."""
    columns = (
        Column(
            "subject",
            "model: the recommendation; logistic regression, single network, ensemble: beside it",
        ),
        Column("sentence", "The recommendation; not backed by a test"),
        Column("command", "What the sentence ends with; empty where that is no command"),
        Column("rule", "How the recommendation is made"),
    )
    rows = (
        {
            "subject": subject,
            "sentence": sentence,
            "command": found.commands.get(subject, ""),
            "rule": found.rule,
        }
        for subject, sentence in found.sentences.items()
    )
    return table("advice", "One sentence on which model to use", columns, rows)
