"""Jobs and their results: what a stage hands to workers, and what it gets back."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstm_study.configuration import Configuration
from lstm_study.corpus.types import Split
from lstm_study.model.shape_classes import ShapeClass
from lstm_study.records import Epoch, Failure
from lstm_study.spec import ModelTable, ProtocolTable

TrainsOn = Literal["train", "training"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """An epoch at which a training is evaluated on the test reviews, or ends.

    Attributes:
        epochs: Counted from the configuration's first training step.
        run_id: The run that the evaluation belongs to; "" for no evaluation on test.
        last: How many last epochs' mean probability is evaluated beside it; 1 for none.
    """

    epochs: int
    run_id: str = ""
    last: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One training: all that a worker needs for it, wherever the worker is.

    Attributes:
        name: The trial's or run's id.
        configuration: The hyperparameters.
        protocol: Batch size, optimizer and learning rate.
        seed: Of weights, dropout and shuffling.
        masked: Whether padding is masked, and reviews of similar length share a batch.
        trains_on: The train split, or all training reviews.
        validates: Whether to validate after each epoch.
        halts: Where the training is evaluated, ascending; the last one is its end.
        starts: Checkpoints to resume from, the best one first; one that can't be used is skipped,
            and without any the training starts from its first epoch.
        history: The recorded epochs, those of the training it continues included; a checkpoint with
            another history can't be used.
        schedule_epochs: Epochs after which a falling learning rate is at zero; None for the halt.
        calibrates: Whether the result's value is the temperature fitted on validation at the end.
        shape: The class it may be trained in with others, as `engine/classes.py` plans it; None
            for one that trains alone.
        builder: What builds the network in the place of the LSTM, with its text; None for the LSTM.
    """

    name: str
    configuration: Configuration
    protocol: ProtocolTable
    seed: int
    masked: bool
    trains_on: TrainsOn
    validates: bool
    halts: tuple[Halt, ...]
    starts: tuple[Path, ...] = ()
    history: tuple[Epoch, ...] = ()
    schedule_epochs: int | None = None
    calibrates: bool = False
    shape: ShapeClass | None = None
    builder: ModelTable | None = None

    @property
    def epochs(self) -> int:
        """The epoch that the training ends after: its budget."""
        return self.halts[-1].epochs

    @property
    def keeps(self) -> tuple[int, ...]:
        """The epochs whose weights are wanted at a later halt."""
        return tuple(
            epoch
            for halt in self.halts
            for epoch in range(max(1, halt.epochs - halt.last + 1), halt.epochs)
        )

    @property
    def shape_class(self) -> Hashable:
        """What the jobs that one worker trains together must have in common."""
        return self.name if self.shape is None else (self.shape, self.trains_on)


RequestTest = Callable[[str], Split]
"""Opens the test reviews for the run of this id, once the opening is logged."""


Tell = Callable[[int, int], None]
"""Is told how many of how many parts of a call are done."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Reviews:
    """What a worker reads: the training reviews, and a way to ask for the test reviews.

    Attributes:
        train: The training reviews that the search trains on.
        validation: Those that the search scores on.
        training: The two together.
        request_test: The only way to the test reviews.
        classes: The shape classes that jobs are planned in.
    """

    train: Split
    validation: Split
    training: Split
    request_test: RequestTest
    classes: tuple[ShapeClass, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A job that trains no network: a function of the reviews.

    Attributes:
        name: What the result is called; also the id under which it opens the test reviews.
        function: Defined at the top of a module, or a partial of such a one, since it is pickled.
            It is called with the reviews, and with what it tells how many of how many parts of it
            are done.
    """

    name: str
    function: Callable[[Reviews, Tell], Any]

    @property
    def shape_class(self) -> Hashable:
        """No other job's."""
        return self.name


Work = Job | Call


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """One evaluation on the test reviews.

    Attributes:
        run_id: The run it belongs to.
        probabilities: Of the positive label, float32 [test reviews].
        labels: int8 [test reviews].
        weights: A scratch file with the network's weights; the dispatcher's to move.
        test_seconds: Wall time of predicting the test reviews.
        predict_1000_seconds: Wall time of predicting 1,000 training reviews, once all is compiled.
        mean_probabilities: Mean over the last epochs; None where that was not wanted.
    """

    run_id: str
    probabilities: NDArray[np.float32]
    labels: NDArray[np.int8]
    weights: Path
    test_seconds: float
    predict_1000_seconds: float
    mean_probabilities: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JobResult:
    """The result of a job so far: sent after each epoch and evaluation, and at the end.

    Attributes:
        name: The job's.
        epochs: The history, from the configuration's first training step.
        checkpoint: A scratch file with the last epoch; the dispatcher's to move.
        evaluation: An evaluation on test that was due at this epoch.
        value: What a `Call` returned, or the temperature of a job that calibrates.
        failure: Why the job failed.
        is_last: Whether the job has ended.
        parameter_count: Of a network that a custom builder made, whose configuration does not
            tell; None else.
    """

    name: str
    epochs: tuple[Epoch, ...] = ()
    checkpoint: Path | None = None
    evaluation: Evaluation | None = None
    value: Any = None
    failure: Failure | None = None
    is_last: bool = False
    parameter_count: int | None = None
