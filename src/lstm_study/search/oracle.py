"""Keras Tuner's Hyperband oracle, with the records in the place of its own state.

Keras Tuner keeps an oracle's state in JSON files that it rewrites in place, and in objects that
disagree with them after a kill. Here every answer is computed from the plan and the trial records;
nothing else is kept, so there is nothing else to lose.
"""

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import keras_tuner
from keras_tuner.src.engine.trial import Trial as TunerTrial
from keras_tuner.src.engine.trial import TrialStatus

from lstm_study.configuration import Configuration
from lstm_study.engine.classes import Classes
from lstm_study.model.shape_classes import ShapeClass
from lstm_study.model.space import hyperparameters
from lstm_study.records import Trial
from lstm_study.search.bayesian import propose
from lstm_study.search.plan import Plan, trial_of
from lstm_study.search.plan_sizes import trials_at_most
from lstm_study.search.plan_state import plan_summary, write_plan
from lstm_study.search.promotion import Resume, Start, needed_checkpoints, startable
from lstm_study.search.stage import limit_reached
from lstm_study.spec import StudySpec
from lstm_study.store import Store

_BUGS_ALLOWED = 3


class RecordedHyperband(keras_tuner.oracles.HyperbandOracle):  # type: ignore[misc]
    """Hyperband whose state is derived from the trial records.

    Schedule, seeds, promotions, failures and labels are the plan's and the records' own; see
    `search/promotion.py`. Keras Tuner identifies a worker by its tuner id. Here that is a trial's
    id, since a worker may have several trials at once.

    Args:
        spec: The study's.
        plan: The whole search.
        store: Of its records.
        only: Ids of the trials that may be trained; None for all of the plan.
    """

    def __init__(
        self, *, spec: StudySpec, plan: Plan, store: Store, only: Collection[str] | None = None
    ) -> None:
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
        self._only = only
        # Whether max_trials ends the search before its plan.
        self._is_cut_short = trials_at_most(plan_summary(plan), spec) < plan.trials
        self._classes = Classes(spec)
        self._bugs_in_a_row = 0
        self._stop_reason = ""
        self._pruned: set[str] = set()
        trials = store.read_trials()
        self._records = {each.trial_id: each for each in trials if each.role != "finalist"}
        self._prune()

    @property
    def bugs_stopped_it(self) -> bool:
        """Whether the search ended because its code fails."""
        return self._bugs_in_a_row >= _BUGS_ALLOWED

    @property
    def stop_reason(self) -> str:
        """Why the search ended before its plan; "" if it did not."""
        return self._stop_reason

    def ended_by(self, limit: str) -> str:
        """Says what ended the search before its plan; "" for nothing.

        Args:
            limit: The limit that was reached before it could start any trial; "" for none.
        """
        if self._only is None:
            return limit or self._stop_reason
        if any(True for _ in self._all_startable()):
            return limit or "the comparison has begun, so that no further trials start"
        return (limit or self._max_trials_reached) if self._is_cut_short else ""

    @property
    def plan(self) -> Plan:
        """The whole search, with the configurations that were proposed so far."""
        return self._plan

    @property
    def records(self) -> Mapping[str, Trial]:
        """Every trial begun so far, by id; changes as they do."""
        return MappingProxyType(self._records)

    @property
    def backlog(self) -> int:
        """How many trials could start now."""
        return 0 if self._stop_reason else sum(1 for _ in self._startable())

    def stop(self, reason: str) -> None:
        """Hands out no more trials, and says why; those that run may end."""
        self._stop_reason = self._stop_reason or reason

    def create_trials(self, limit: int, *, like: ShapeClass | None = None) -> list[TunerTrial]:
        """Hands out trials of one shape class, or of that of the first that can start.

        At most `limit`; fewer, or none, where no more can start before others have ended.
        """
        trials: list[TunerTrial] = []
        wanted = like
        for _ in range(limit):
            answer = self.populate_space("", wanted=wanted)
            if answer["status"] != TrialStatus.RUNNING:
                break
            trial = TunerTrial(
                hyperparameters=self.hyperparameters.copy(),
                trial_id=answer["trial_id"],
                status=TrialStatus.RUNNING,
            )
            trial.hyperparameters.values = answer["values"]
            self.ongoing_trials[trial.trial_id] = trial
            self.trials[trial.trial_id] = trial
            self.start_order.append(trial.trial_id)
            trials.append(trial)
            wanted = self._classes.of(self._records[trial.trial_id].configuration)
            if wanted is None:
                break
        return trials

    def create_trial(self, tuner_id: str) -> TunerTrial:
        """Hands out one trial, or says that none can start; the tuner id does not matter."""
        del tuner_id
        for trial in self.create_trials(1):
            return trial
        status = TrialStatus.IDLE if self.ongoing_trials else TrialStatus.STOPPED
        return TunerTrial(self.hyperparameters.copy(), trial_id="none", status=status)

    def populate_space(self, trial_id: str, *, wanted: ShapeClass | None = None) -> dict[str, Any]:
        """Chooses the next trial, of a shape class or of any, and writes its record."""
        del trial_id  # Trial ids name the slot, not the order in which trials happened to start.
        found = self._next(wanted)
        if found is None:
            status = TrialStatus.IDLE if self.ongoing_trials else TrialStatus.STOPPED
            return {"status": status}
        record = found.trial if isinstance(found, Resume) else self._start(found)
        self.keep(record)
        values = record.configuration.as_dict() | {
            "tuner/epochs": record.budget_epochs,
            "tuner/initial_epoch": record.initial_epoch,
            "tuner/bracket": record.bracket,
            "tuner/round": record.round,
        }
        if record.parent is not None:
            values["tuner/trial_id"] = record.parent
        return {"status": TrialStatus.RUNNING, "values": values, "trial_id": record.trial_id}

    def update_trial(self, trial_id: str, metrics: Any, step: int = 0) -> TunerTrial:
        """No-op: the trial's record holds the whole history."""
        del metrics, step
        return self.trials[trial_id]

    def keep(self, record: Trial) -> None:
        """Writes a trial's record; all that the oracle decides follows from the records."""
        self._store.write(record)
        self._records[record.trial_id] = record

    def end_trial(self, trial: TunerTrial) -> None:
        """Ends a trial whose record was kept as completed or failed."""
        record = self._records[trial.trial_id]
        ours = self.ongoing_trials.pop(trial.trial_id)
        completed = record.status == "completed"
        ours.status = TrialStatus.COMPLETED if completed else TrialStatus.FAILED
        ours.score = record.score
        ours.best_step = record.budget_epochs
        if record.failure is not None:
            ours.message = record.failure.traceback or record.failure.message
        self.end_order.append(trial.trial_id)
        self._count_bugs(record)
        self._prune()

    def take_back(self, trial_id: str) -> None:
        """Takes back a trial whose worker was lost: another one resumes it."""
        self.ongoing_trials.pop(trial_id)

    def save(self) -> None:
        """No-op: the records are the state."""

    def reload(self) -> None:
        """No-op: the records were read at the start."""

    def _next(self, wanted: ShapeClass | None) -> Start | Resume | None:
        """Returns what comes next, if anything can; notes a limit that ends the search."""
        if self._stop_reason:
            return None
        for found in self._startable():
            if wanted is None or self._class_of(found) == wanted:
                return found
        if self._is_cut_short and wanted is None and not self.ongoing_trials:
            self.stop(self._max_trials_reached)
        return None

    def _startable(self) -> Iterator[Start | Resume]:
        for found in self._all_startable():
            if self._only is None or found.trial_id in self._only:
                yield found

    def _all_startable(self) -> Iterator[Start | Resume]:
        return startable(
            self._plan,
            self._records,
            assigned=self.ongoing_trials,
            direction=self._spec.study.direction,
            most=self._spec.search.max_trials,
        )

    @property
    def _max_trials_reached(self) -> str:
        return limit_reached("search.max_trials", self._spec.search.max_trials)

    def _class_of(self, found: Start | Resume) -> ShapeClass | None:
        """Returns a trial's shape class; None where its configuration is yet to be proposed."""
        if isinstance(found, Resume):
            return self._classes.of(found.trial.configuration)
        configuration = found.slot.configuration
        if found.round:
            configuration = self._records[found.slot.trial_id(found.round - 1)].configuration
        return self._classes.of(configuration) if configuration is not None else None

    def _start(self, start: Start) -> Trial:
        configuration = start.slot.configuration
        if start.round:
            parent = self._records[start.slot.trial_id(start.round - 1)]
            configuration = parent.configuration
        elif configuration is None:
            configuration = self._proposed(start)
        return trial_of(
            start.planned,
            start.slot,
            start.round,
            configuration=configuration,
            masked=self._spec.protocol.masked,
        )

    def _proposed(self, start: Start) -> Configuration:
        """Returns the tuner's proposal for a trial, and keeps it in the plan before it begins."""
        slots = [slot.trial_id(start.round) for slot in start.planned.slots]
        before = [self._records[each] for each in slots[: slots.index(start.trial_id)]
                  if each in self._records]  # fmt: skip
        configuration = propose(self._spec, before)
        self._plan = self._plan.with_proposal(start.slot.name, configuration)
        write_plan(self._plan, self._store)
        return configuration

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
        for trial_id in self._records.keys() - needed - self._pruned:
            self._store.checkpoint_path(trial_id).unlink(missing_ok=True)
            self._pruned.add(trial_id)
