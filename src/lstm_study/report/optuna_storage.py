"""The search as an Optuna storage: one SQLite file, which optuna-dashboard opens.

Every trial record becomes one Optuna trial. A trial that completed at full budget is COMPLETE; one
that completed a smaller budget is PRUNED with its score there, because scores at different budgets
do not compare, so that Optuna's best trial is the search's winner. A failed or interrupted trial is
FAIL. Intermediate values go from epoch 1, a parent's epochs included. Times are in UTC.
"""

import tempfile
import warnings
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_study.analysis import search_summary
from lstm_study.errors import ReportError
from lstm_study.records import StudyRecords, Trial
from lstm_study.spec import StudySpec

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

FILE_NAME = "optuna.db"


def write_optuna(records: StudyRecords, *, folder: Path) -> Path:
    """Writes the search as `optuna.db` into a folder, replacing an earlier one.

    The random control becomes a study of its own beside the search's, "<name> control".

    Args:
        records: The study.
        folder: Where the file goes; made if it is not there.

    Returns:
        The file. Open it with `optuna-dashboard sqlite:///PATH`.

    Raises:
        ReportError: The folder can't be written to.
    """
    target = folder / FILE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".optuna-") as name:
            made = Path(name) / FILE_NAME
            _fill(records, made)
            made.replace(target)
    except OSError as error:
        raise ReportError(
            f"{target}: cannot be written ({error.strerror or error}). "
            "Free space, or choose a folder that you may write to with --out."
        ) from error
    return target


def _fill(records: StudyRecords, path: Path) -> None:
    import optuna

    from lstm_study.analysis.optuna_space import distributions

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
            begun = sorted(trials, key=lambda trial: (trial.started_at, trial.trial_id))
            study.add_trials(
                [_frozen(trial, number, records, spec, space) for number, trial in enumerate(begun)]
            )
    finally:
        storage.remove_session()
        storage.engine.dispose()
        optuna.logging.set_verbosity(before)


def _frozen(
    trial: Trial,
    number: int,
    records: StudyRecords,
    spec: StudySpec,
    space: "dict[str, BaseDistribution]",
) -> "FrozenTrial":
    from optuna.trial import FrozenTrial, TrialState

    from lstm_study.analysis.optuna_space import parameters

    by_id = {item.trial_id: item for item in records.trials}
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
        params=parameters(trial.configuration),
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
    return {
        "trial_id": trial.trial_id,
        "status": trial.status,
        "bracket": trial.bracket,
        "round": trial.round,
        "iteration": trial.iteration,
        "budget_epochs": trial.budget_epochs,
        "initial_epoch": trial.initial_epoch,
        "parent": trial.parent,
        "seed": trial.seed,
        "parameter_count": trial.parameter_count,
        "seconds": trial.seconds,
        "worker": trial.worker,
    } | ({"error": f"{trial.failure.kind}: {trial.failure.message}"} if trial.failure else {})


def _moment(text: str) -> datetime | None:
    """Reads ISO 8601; Optuna keeps moments without a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=None) if text else None
