"""The search as an Optuna storage: one SQLite file, which optuna-dashboard opens.

Every trial record becomes one Optuna trial. A trial that completed at full budget is COMPLETE; one
that completed a smaller budget is PRUNED with its score there, because scores at different budgets
do not compare, so that Optuna's best trial is the search's winner. A failed or interrupted trial is
FAIL. Intermediate values go from epoch 1, a parent's epochs included.

Optuna's own `add_trials` takes a transaction and some 60 statements for each trial: two minutes for
a thousand. So the rows are written through its SQLAlchemy models, all in one transaction.
"""

import json
import warnings
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_study.analysis.search import summary as search_summary
from lstm_study.errors import ReportError
from lstm_study.files import replacing
from lstm_study.records import StudyRecords, Trial
from lstm_study.records.scrub import neutral
from lstm_study.records.trial_ids import in_order
from lstm_study.report.write import CHOOSE_ANOTHER
from lstm_study.spec import StudySpec

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

FILE_NAME = "optuna.db"
_ATTRIBUTES = (
    "trial_id", "status", "bracket", "round", "iteration", "budget_epochs", "initial_epoch",
    "parent", "seed", "parameter_count", "seconds", "worker",
)  # fmt: skip


def write_optuna(records: StudyRecords, *, folder: Path) -> Path:
    """Writes the search as `optuna.db` into a folder, replacing an earlier one.

    The random control becomes a separate study beside the search's, "<name> control".

    Returns:
        The file. Open it with `optuna-dashboard sqlite:///PATH`.

    Raises:
        ReportError: The folder can't be written to.
    """
    target = folder / FILE_NAME
    with replacing(target, durable=False, error=ReportError, next_step=CHOOSE_ANOTHER) as made:
        _fill(neutral(records), made)
    return target


def _fill(records: StudyRecords, path: Path) -> None:
    import optuna

    from lstm_study.analysis.search.optuna_space import distributions

    spec = StudySpec.model_validate(dict(records.spec), strict=False)
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = optuna.storages.RDBStorage(f"sqlite:///{path.absolute()}")
    try:
        control = [trial for trial in records.trials if trial.role == "control"]
        parts = {records.name: search_summary.searched(records.trials)}
        if control:
            parts[f"{records.name} control"] = control
        for name, trials in parts.items():
            study = optuna.create_study(
                storage=storage, study_name=name,
                direction="maximize" if spec.study.direction == "max" else "minimize",
            )  # fmt: skip
            with warnings.catch_warnings():
                # Optuna marks it as experimental; it only labels the dashboard's axes.
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                study.set_metric_names([spec.study.objective])
            study.set_user_attr("title", records.title)
            if records.corpus is not None:
                study.set_user_attr("data_digest", records.corpus.digest)
            space = distributions(spec.space, [trial.configuration for trial in trials])
            begun = sorted(trials, key=lambda trial: (trial.started_at, in_order(trial.trial_id)))
            by_id = {trial.trial_id: trial for trial in records.trials}
            _insert(
                storage,
                study_id=study._study_id,  # as Optuna's storages are addressed
                trials=[
                    _frozen(trial, number, by_id, spec, space) for number, trial in enumerate(begun)
                ],
            )
    finally:
        storage.remove_session()
        storage.engine.dispose()
        optuna.logging.set_verbosity(before)


def _insert(storage: "RDBStorage", *, study_id: int, trials: "list[FrozenTrial]") -> None:
    """Writes whole trials in one transaction."""
    from optuna.distributions import distribution_to_json
    from optuna.storages._rdb import models
    from sqlalchemy import func, insert, select
    from sqlalchemy.orm import Session

    values, steps = models.TrialValueModel, models.TrialIntermediateValueModel
    with Session(storage.engine) as session, session.begin():
        # Numbered here, so that the rows need not be asked for their ids one by one.
        first = (session.scalar(select(func.max(models.TrialModel.trial_id))) or 0) + 1
        numbered = list(enumerate(trials, start=first))
        session.add_all(
            models.TrialModel(
                trial_id=trial_id, study_id=study_id, number=trial.number, state=trial.state,
                datetime_start=trial.datetime_start, datetime_complete=trial.datetime_complete,
            )
            for trial_id, trial in numbered
        )  # fmt: skip
        session.flush()
        space = trials[0].distributions if trials else {}
        written = {name: distribution_to_json(each) for name, each in space.items()}
        found: dict[type, list[dict[str, Any]]] = {
            models.TrialParamModel: [
                {"trial_id": trial_id, "param_name": name,
                 "param_value": space[name].to_internal_repr(value),
                 "distribution_json": written[name]}
                for trial_id, trial in numbered for name, value in trial.params.items()
            ],
            models.TrialUserAttributeModel: [
                {"trial_id": trial_id, "key": key, "value_json": json.dumps(value)}
                for trial_id, trial in numbered for key, value in trial.user_attrs.items()
            ],
            values: [
                {"trial_id": trial_id, "objective": 0,
                 **_stored(values.value_to_stored_repr(trial.value), "value")}
                for trial_id, trial in numbered if trial.value is not None
            ],
            steps: [
                {"trial_id": trial_id, "step": step,
                 **_stored(steps.intermediate_value_to_stored_repr(value), "intermediate_value")}
                for trial_id, trial in numbered
                for step, value in trial.intermediate_values.items()
            ],
        }  # fmt: skip
        for model, parts in found.items():
            if parts:
                session.execute(insert(model), parts)


def _stored(representation: tuple[float | None, Any], name: str) -> dict[str, Any]:
    value, kind = representation
    return {name: value, f"{name}_type": kind}


def _frozen(
    trial: Trial,
    number: int,
    by_id: Mapping[str, Trial],
    spec: StudySpec,
    space: "dict[str, BaseDistribution]",
) -> "FrozenTrial":
    from optuna.trial import FrozenTrial, TrialState

    from lstm_study.analysis.search.optuna_space import parameters

    state = TrialState.FAIL
    if trial.status == "running":
        state = TrialState.RUNNING
    elif trial.status == "completed":
        full = trial.budget_epochs == spec.search.max_epochs
        state = TrialState.COMPLETE if full else TrialState.PRUNED
    began = _moment(trial.started_at)
    ended = _moment(trial.ended_at) or (began if state.is_finished() else None)
    return FrozenTrial(
        number=number,
        trial_id=-1,
        state=state,
        value=trial.score if trial.status == "completed" else None,
        datetime_start=began,
        datetime_complete=ended,
        params=parameters(trial.configuration, spec.space),
        distributions=space,
        user_attrs=_attributes(trial),
        system_attrs={},
        intermediate_values={
            epoch.epoch: value
            for epoch in search_summary.full_curve(trial, by_id)
            if (value := search_summary.objective_of(epoch, spec.study.objective)) is not None
        },
    )


def _attributes(trial: Trial) -> dict[str, Any]:
    found = {name: getattr(trial, name) for name in _ATTRIBUTES}
    if trial.failure:
        found["error"] = f"{trial.failure.kind}: {trial.failure.message}"
    return found


def _moment(text: str) -> datetime | None:
    """Reads ISO 8601; Optuna takes moments without a zone for this machine's local time."""
    return datetime.fromisoformat(text).astimezone().replace(tzinfo=None) if text else None
