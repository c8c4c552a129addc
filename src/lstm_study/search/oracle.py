"""Keras Tuner's Hyperband oracle, with the records in the place of its own state.

Keras Tuner keeps an oracle's state in JSON files that it rewrites in place, and in objects that
disagree with them after a kill. Here every answer is computed from the plan and the trial records;
nothing else is kept, so there is nothing else to lose.
"""

import threading
from dataclasses import replace
from typing import Any

import keras_tuner
from keras_tuner.src.engine.trial import Trial as TunerTrial
from keras_tuner.src.engine.trial import TrialStatus

from lstm_study.model.space import hyperparameters
from lstm_study.provenance import now
from lstm_study.records import Failure, Trial
from lstm_study.search.plan import Plan, trial_of
from lstm_study.search.promotion import GoOn, Next, Start, needed_checkpoints, next_trial
from lstm_study.search.proposals import propose
from lstm_study.spec import StudySpec
from lstm_study.store import Store

_LOSSES_ALLOWED = 2
_BUGS_ALLOWED = 3


class RecordedHyperband(keras_tuner.oracles.HyperbandOracle):  # type: ignore[misc]
    """Hyperband whose state is derived from the trial records.

    Schedule, seeds, promotions, failures and labels are the plan's and the records' own; see
    `search/promotion.py`. Thread-safe: workers call it through Keras Tuner's gRPC service.

    Args:
        spec: The study.
        plan: The whole search, as `make_plan` drew it.
        store: Where the records are.
    """

    def __init__(self, *, spec: StudySpec, plan: Plan, store: Store) -> None:
        super().__init__(
            objective=keras_tuner.Objective(spec.study.objective, spec.study.direction),
            max_epochs=spec.search.max_epochs,
            factor=spec.search.factor,
            hyperband_iterations=spec.search.iterations,
            seed=spec.study.seed,
            hyperparameters=hyperparameters(spec.space),
            allow_new_entries=False,
        )
        self.verbose = 0
        self._spec = spec
        self._plan = plan
        self._store = store
        self._lock = threading.RLock()
        self._losses: dict[str, int] = {}
        self._bugs_in_a_row = 0
        self._stop_reason = ""
        self._records = {record.trial_id: record for record in store.read_trials()}
        self._prune()

    def stop(self, reason: str) -> None:
        """Hands out no more trials, and says why; those that run may end."""
        with self._lock:
            self._stop_reason = self._stop_reason or reason

    @property
    def bugs_stopped_it(self) -> bool:
        """Whether the search ended because its code fails."""
        return self._bugs_in_a_row >= _BUGS_ALLOWED

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to hand out, and no worker is at a trial."""
        with self._lock:
            return self._next() == "done" and not self.ongoing_trials

    @property
    def stop_reason(self) -> str:
        """Why the search ended before its plan; "" if it did not."""
        return self._stop_reason

    @property
    def records(self) -> dict[str, Trial]:
        """Every trial begun so far, by id."""
        with self._lock:
            return dict(self._records)

    def create_trial(self, tuner_id: str) -> TunerTrial:
        """Gives a worker its next trial, or tells it to wait or to stop."""
        with self._lock:
            self.tuner_ids.add(tuner_id)
            if tuner_id in self.ongoing_trials:
                return self.ongoing_trials[tuner_id]
            answer = self.populate_space(tuner_id)
            trial = TunerTrial(
                hyperparameters=self.hyperparameters.copy(),
                trial_id=answer.get("trial_id", "none"),
                status=answer["status"],
            )
            trial.hyperparameters.values = answer.get("values", {})
            if trial.status == TrialStatus.RUNNING:
                self.ongoing_trials[tuner_id] = trial
                self.trials[trial.trial_id] = trial
                self.start_order.append(trial.trial_id)
            elif trial.status == TrialStatus.STOPPED:
                self.tuner_ids.discard(tuner_id)
            return trial

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Chooses the next trial from plan and records, and writes its record."""
        del trial_id  # Ours name the slot, not the order in which trials happened to start.
        answer = self._next()
        if answer == "wait":
            return {"status": TrialStatus.IDLE}
        if answer == "done":
            return {"status": TrialStatus.STOPPED}
        record = answer.trial if isinstance(answer, GoOn) else self._start(answer)
        self._records[record.trial_id] = record
        self._store.write_trial(record)
        values = record.configuration.as_dict() | {
            "tuner/epochs": record.budget_epochs,
            "tuner/initial_epoch": record.initial_epoch,
            "tuner/bracket": record.bracket,
            "tuner/round": record.round,
        }
        if record.parent is not None:
            values["tuner/trial_id"] = record.parent
        return {"status": TrialStatus.RUNNING, "values": values, "trial_id": record.trial_id}

    def _may_start(self) -> bool:
        """Whether max_trials allows another trial; the control is beside the search, not in it."""
        most = self._spec.search.max_trials
        begun = sum(record.role == "search" for record in self._records.values())
        planned = sum(item.bracket.trials for item in self._plan.brackets if item.role == "search")
        return most is None or begun < most or begun >= planned

    def _next(self) -> Next:
        """Says what comes next, and takes note of a limit that ends the search."""
        if self._stop_reason:
            return "done"
        may_start = self._may_start()
        answer = next_trial(
            self._plan,
            self._records,
            assigned={trial.trial_id for trial in self.ongoing_trials.values()},
            direction=self._spec.study.direction,
            may_start=may_start,
        )
        if answer == "done" and not may_start and len(self._records) < self._plan.trials:
            self.stop(f"search.max_trials of {self._spec.search.max_trials} is reached")
        return answer

    def _start(self, start: Start) -> Trial:
        configuration = start.slot.configuration
        if start.round:
            parent = self._records[start.slot.trial_id(start.round - 1)]
            configuration = parent.configuration
        elif configuration is None:
            configuration = propose(self._spec, list(self._records.values()))
        return trial_of(
            start.planned,
            start.slot,
            start.round,
            configuration=configuration,
            masked=self._spec.protocol.masked,
        )

    def update_trial(self, trial_id: str, metrics: Any, step: int = 0) -> TunerTrial:
        """Takes note of nothing: the record that the worker wrote holds the history whole."""
        del metrics, step
        return self.trials[trial_id]

    def end_trial(self, trial: TunerTrial) -> None:
        """Takes over what a worker's record says of its trial."""
        with self._lock:
            record = self._store.read_trial(trial.trial_id)
            assert record is not None, "a worker ended a trial that has no record"
            self._records[record.trial_id] = record
            ours = self.trials[trial.trial_id]
            completed = record.status == "completed"
            ours.status = TrialStatus.COMPLETED if completed else TrialStatus.FAILED
            ours.score = record.score
            ours.best_step = record.budget_epochs
            if record.failure is not None:
                ours.message = record.failure.traceback or record.failure.message
            self.end_order.append(trial.trial_id)
            self._count_bugs(record)
            for tuner_id, ongoing in list(self.ongoing_trials.items()):
                if ongoing.trial_id == trial.trial_id:
                    del self.ongoing_trials[tuner_id]
            self._prune()

    def lose_worker(self, tuner_id: str, *, exit_code: int | None) -> Trial | None:
        """Takes back the trial of a worker that died, so that another goes on with it.

        A trial whose worker dies for the third time is given up as failed.

        Args:
            tuner_id: The worker.
            exit_code: Of its process; None where it left with its machine, which is no fault of the
                trial.

        Returns:
            The trial, if the worker had one.
        """
        with self._lock:
            self.tuner_ids.discard(tuner_id)
            ongoing = self.ongoing_trials.pop(tuner_id, None)
            if ongoing is None:
                return None
            record = self._store.read_trial(ongoing.trial_id)
            assert record is not None, "a trial that was handed out has a record"
            self._store.discard_half_written(record.trial_id)
            losses = self._losses.get(record.trial_id, 0) + (exit_code is not None)
            self._losses[record.trial_id] = losses
            if exit_code is not None and record.status == "running" and losses > _LOSSES_ALLOWED:
                record = _given_up(record, losses=losses, exit_code=exit_code)
                self._store.write_trial(record)
            self._records[record.trial_id] = record
            self._prune()
            return record

    def save(self) -> None:
        """Writes nothing: the records are the state."""

    def reload(self) -> None:
        """Reads nothing: the records were read at the start."""

    def _count_bugs(self, record: Trial) -> None:
        is_bug = record.failure is not None and record.failure.kind == "bug"
        self._bugs_in_a_row = self._bugs_in_a_row + 1 if is_bug else 0
        if self._bugs_in_a_row >= _BUGS_ALLOWED and record.failure is not None:
            self._stop_reason = (
                f"{_BUGS_ALLOWED} trials in a row failed with an error in the code, the last with "
                f"{record.failure.message}"
            )

    def _prune(self) -> None:
        """Deletes the checkpoints of trials that no trial to come can need."""
        needed = needed_checkpoints(self._plan, self._records, direction=self._spec.study.direction)
        for trial_id in self._records:
            if trial_id not in needed:
                self._store.checkpoint_path(trial_id).unlink(missing_ok=True)


def _given_up(record: Trial, *, losses: int, exit_code: int) -> Trial:
    killed = exit_code == -9
    reason = " (killed, as the system does when memory runs out)" if killed else ""
    return replace(
        record,
        status="failed",
        ended_at=now(),
        failure=Failure(
            kind="out_of_memory" if killed else "lost_worker",
            message=f"its worker process died {losses} times, last with code {exit_code}{reason}",
        ),
    )
