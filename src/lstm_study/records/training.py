"""Records of trainings: trials of the search, runs of the comparison, their epochs and failures."""

from dataclasses import dataclass
from typing import Literal

from lstm_study.configuration import Configuration
from lstm_study.records.strict import STRICT

TrainingStatus = Literal["running", "completed", "failed", "interrupted"]
Role = Literal["search", "control", "finalist"]
TrainedOn = Literal["training", "train"]
ErrorKind = Literal["diverged", "out_of_memory", "bug", "lost_worker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """What one epoch of one training left.

    Attributes:
        epoch: Its number, from 1, counted from the configuration's first training step.
        train_loss: Mean binary cross-entropy over the epoch's steps, dropout on.
        train_accuracy: Share of reviews classified correctly, in [0, 1], dropout on.
        validation_loss: Binary cross-entropy on the validation reviews; None without any.
        validation_accuracy: Share of validation reviews classified correctly; None without any.
        train_seconds: Wall time of the training steps, less suspensions of the process.
        validation_seconds: The same of the validation.
        ended_at: When the epoch ended, ISO 8601 in UTC.
        validation_auc: Area under the ROC curve on the validation reviews; None without any, where
            they have one label only, and in records from before it was measured.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    train_seconds: float
    validation_seconds: float
    ended_at: str
    validation_auc: float | None = None

    @property
    def seconds(self) -> float:
        """Wall time of the training steps and the validation."""
        return self.train_seconds + self.validation_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a training failed: its class, one line, and the traceback where there is one."""

    kind: ErrorKind
    message: str
    traceback: str = ""


class Ending:
    """A record with a status: a trial, a run or the classical control."""

    __slots__ = ()
    status: TrainingStatus

    @property
    def has_ended(self) -> bool:
        """Whether it completed or failed."""
        return self.status in ("completed", "failed")


class NetworkTraining(Ending):
    """What trials and runs have in common."""

    __slots__ = ()
    configuration: Configuration
    parameter_count: int | None

    @property
    def trainable_parameters(self) -> int:
        """Trainable numbers in the network: as recorded, or else by its configuration."""
        return self.parameter_count or self.configuration.parameter_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial(NetworkTraining):
    """One configuration at one budget, inside the search.

    Attributes:
        trial_id: "b2-03-r1": bracket 2, slot 3 of its first round, round 1. The slot names the
            configuration: a promoted trial differs from its parent in the round alone.
        configuration: The hyperparameters.
        seed: Seed of weights, dropout and shuffling; a promoted trial keeps its parent's.
        iteration: Which pass over all brackets, from 0.
        bracket: Hyperband's bracket; bracket 0 trains everything for the full budget.
        round: Round of successive halving within the bracket, from 0.
        initial_epoch: Epochs the parent had trained; 0 in round 0.
        budget_epochs: Epochs after which the trial ends, the parent's included.
        role: Whether it is part of the search, or of the random control, which can't win, or trains
            a finalist again with a fresh seed; its parent is then the finalist.
        parent: The trial it was promoted from, if any.
        masked: Whether padding was masked, and reviews of similar length shared a batch.
        status: Where it stands.
        epochs: The history since `initial_epoch`; a promoted trial's parent holds the rest.
        parameter_count: Trainable numbers in the network.
        score: The objective's value that the search ranks by; None until completed.
        score_last_epoch: The objective at the last epoch.
        score_best_epoch: The best of the objective over this trial's epochs.
        worker: The process that trained it last.
        started_at: When training first began, ISO 8601 in UTC.
        ended_at: When it completed or failed.
        seconds: Time worked in this record's epochs, training and validation, over restarts.
        failure: Set exactly when status is "failed".
    """

    __pydantic_config__ = STRICT

    trial_id: str
    configuration: Configuration
    seed: int
    iteration: int
    bracket: int
    round: int
    initial_epoch: int
    budget_epochs: int
    role: Role = "search"
    parent: str | None = None
    masked: bool = False
    status: TrainingStatus = "running"
    epochs: tuple[Epoch, ...] = ()
    parameter_count: int | None = None
    score: float | None = None
    score_last_epoch: float | None = None
    score_best_epoch: float | None = None
    worker: str = ""
    started_at: str = ""
    ended_at: str = ""
    seconds: float = 0.0
    failure: Failure | None = None

    @property
    def training_id(self) -> str:
        """What trials and runs are both told apart by."""
        return self.trial_id

    @property
    def last_epoch(self) -> int:
        """The epoch that its training ends after."""
        return self.budget_epochs


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(NetworkTraining):
    """One training with one seed, outside the search, and its one evaluation.

    Most runs train on all training reviews and are evaluated on test. A validation run ("train")
    leaves the validation reviews out, is validated after each epoch, and never sees test.

    Attributes:
        run_id: "baseline-s1": arm and seed index.
        arm: What a comparison compares: "baseline", "winner", ...; validation runs belong to
            "baseline-validation", "winner-validation" and "ablation".
        seed_index: From 1; runs of different arms with one index share their seed.
        seed: Seed of weights, dropout and shuffling.
        configuration: The hyperparameters.
        protocol_epochs: Epochs to train before the evaluation.
        trained_on: All training reviews, or the train split alone.
        own_epoch: The epoch that validation chose for this arm, fixed before test was opened; None
            where none was chosen.
        trained_as: The run whose training this one was evaluated in, at another epoch; "" where it
            has a training of its own.
        masked: Whether padding was masked, and reviews of similar length shared a batch.
        status: Where it stands.
        epochs: The history, to `protocol_epochs`.
        parameter_count: Trainable numbers in the network.
        test_accuracy: Share of test reviews classified correctly, in [0, 1].
        test_loss: Binary cross-entropy on test.
        test_roc_auc: Area under the ROC curve on test; None where it is not defined.
        test_f1: Harmonic mean of precision and recall of the positive label on test.
        test_brier_score: Mean squared distance of probability and label on test.
        test_calibration_error: Expected calibration error on test.
        test_seconds: Wall time of the evaluation, compiling included.
        test_reviews: How many reviews were evaluated.
        predict_1000_seconds: Wall time to classify 1,000 training reviews, once compiled.
        temperature: Of a validation run: what its logits are best divided by on the validation
            reviews; see `analysis/statistics/calibration.py`.
        worker: The process that trained it last.
        started_at: When training first began, ISO 8601 in UTC.
        ended_at: When it completed or failed.
        seconds: Time worked in this record's epochs, training and validation, over restarts.
        failure: Set exactly when status is "failed".
    """

    __pydantic_config__ = STRICT

    run_id: str
    arm: str
    seed_index: int
    seed: int
    configuration: Configuration
    protocol_epochs: int
    trained_on: TrainedOn = "training"
    own_epoch: int | None = None
    trained_as: str = ""
    masked: bool = False
    status: TrainingStatus = "running"
    epochs: tuple[Epoch, ...] = ()
    parameter_count: int | None = None
    test_accuracy: float | None = None
    test_loss: float | None = None
    test_roc_auc: float | None = None
    test_f1: float | None = None
    test_brier_score: float | None = None
    test_calibration_error: float | None = None
    test_seconds: float | None = None
    test_reviews: int | None = None
    predict_1000_seconds: float | None = None
    temperature: float | None = None
    worker: str = ""
    started_at: str = ""
    ended_at: str = ""
    seconds: float = 0.0
    failure: Failure | None = None

    @property
    def training_id(self) -> str:
        """What trials and runs are both told apart by."""
        return self.run_id

    @property
    def last_epoch(self) -> int:
        """The epoch that its training ends after."""
        return self.protocol_epochs
