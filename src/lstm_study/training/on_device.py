"""What a population has on the device: the members' state and settings, and the reviews."""

import functools
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from lstm_study.configuration import Configuration
from lstm_study.corpus.types import Split
from lstm_study.model.lstm.members import Sweeps
from lstm_study.model.network import build_network
from lstm_study.model.population.arrays import (
    GATES,
    POOLINGS,
    DeviceReviews,
    MemberSettings,
    PopulationState,
    PopulationWeights,
)
from lstm_study.model.population.dropout import seeds_after
from lstm_study.model.population.steps import (
    member_of,
    read_batches,
    train_steps,
    with_member,
    with_weights,
)
from lstm_study.model.shape_classes import READ_ROWS, ShapeClass
from lstm_study.training.member_state import checkpoint_shapes, padded_state
from lstm_study.training.training import EVALUATION_BATCH, Training

STEPS_AT_ONCE = 16
_READ_AT_ONCE = 8
# Compiled as one program for each number of places, instead of one for each operation.
_seeds_after = jax.jit(seeds_after, static_argnames="trains")


class OnDevice:
    """The arrays of a population, and the programs that run over them.

    Args:
        shape: The members' class.
        sweeps: Runs the LSTM's loop.
    """

    def __init__(self, shape: ShapeClass, sweeps: Sweeps) -> None:
        self._shape = shape
        self._options: dict[str, Any] = {"maxlen": shape.maxlen, "sweeps": sweeps}
        self._settings: Any = None
        # A split is kept beside its arrays, so that no other object gets its id.
        self._reviews: dict[int, tuple[Split, DeviceReviews]] = {}
        self.state: Any = None

    def clear(self) -> None:
        """Frees everything."""
        self.state, self._settings, self._reviews = None, None, {}

    def resize(self, places: int, kept: Sequence[int]) -> None:
        """Makes arrays for so many members; those at the kept places come first, in that order."""
        states = [self.member(place) for place in kept]
        self.state = empty_state(self._shape, places)
        for place, state in enumerate(states):
            self.put(place, state)

    def member(self, place: int) -> PopulationState:
        """Returns a copy of one member's state, on the device."""
        state: PopulationState = member_of(self.state, np.int32(place))
        return state

    def put(self, place: int, state: PopulationState) -> None:
        """Gives a place to a member."""
        self.state = with_member(self.state, np.int32(place), state)

    def set_trainings(self, trainings: Sequence[Training | None], *, reviews: int) -> None:
        """Sets what tells the members apart; None for a free place. See `settings_of`."""
        self._settings = jax.device_put(settings_of(trainings, self._shape, reviews=reviews))

    def train(
        self,
        split: Split,
        batches: Mapping[int, Sequence[NDArray[np.int64]]],
        dropped: Mapping[int, Sequence[NDArray[np.bool_]]],
    ) -> tuple[Any, Any]:
        """Starts some training steps, and returns without waiting for them.

        Args:
            split: What to train on.
            batches: By place, one for each step, as positions in the split.
            dropped: By place, for each step which tokens word dropout takes: bool [n, length], the
                last `length` tokens of the class's; for members that have any.

        Returns:
            As `train_steps`: losses and numbers classified correctly, [STEPS_AT_ONCE, places].
        """
        positions = np.full((STEPS_AT_ONCE, self.places, self._shape.rows), -1, np.int32)
        for place, chosen in batches.items():
            for step, rows in enumerate(chosen):
                positions[step, place, : len(rows)] = rows
        gone = None
        if self._shape.drops_words:
            gone = np.zeros((*positions.shape, self._shape.maxlen), bool)
            for place, steps in dropped.items():
                for step, tokens in enumerate(steps):
                    gone[step, place, : len(tokens), -tokens.shape[1] :] = tokens
        count = np.int32(max(map(len, batches.values())))
        self.state, losses, correct = train_steps(
            self.state,
            self._on_device(split),
            self._settings,
            positions,
            gone,
            count,
            **self._options,
        )
        return losses, correct

    def read(
        self, split: Split, *, weights: PopulationWeights | None = None
    ) -> NDArray[np.float32]:
        """Classifies reviews with the members at all places: float32 [places, reviews].

        Args:
            split: The reviews.
            weights: To read with; None for the members' own.
        """
        order = np.argsort(np.diff(split.offsets), kind="stable")
        at_once = _READ_AT_ONCE * READ_ROWS
        parts, reading = np.split(order, range(at_once, len(order), at_once)), []
        for chosen in parts:
            positions = np.full(at_once, -1, np.int32)
            positions[: len(chosen)] = chosen
            probabilities = read_batches(
                self.state.weights if weights is None else weights,
                self._on_device(split),
                self._settings,
                positions.reshape(_READ_AT_ONCE, READ_ROWS),
                np.int32(-(-len(chosen) // READ_ROWS)),
                **self._options,
            )
            reading.append(probabilities)
        found = np.empty((self.places, len(split)), np.float32)
        for chosen, probabilities in zip(parts, reading, strict=True):
            by_place = np.moveaxis(np.asarray(probabilities), 0, 1).reshape(self.places, -1)
            found[:, chosen] = by_place[:, : len(chosen)]
        return found

    def weights_with(self, others: Mapping[int, PopulationWeights]) -> PopulationWeights:
        """Returns the members' weights, with those of some places replaced."""
        weights: PopulationWeights = self.state.weights
        for place, own in others.items():
            weights = with_weights(weights, np.int32(place), own)
        return weights

    def count_reading(self, split: Split) -> None:
        """Moves the members' seeds on as Keras does when it reads a split."""
        calls = -(-len(split) // EVALUATION_BATCH)
        seeds = _seeds_after(self.state.seeds, self._settings, np.uint32(calls), trains=False)
        self.state = self.state._replace(seeds=seeds)

    @property
    def places(self) -> int:
        """How many members the arrays are for."""
        return len(self.state.iterations) if self.state is not None else 0

    def _on_device(self, split: Split) -> DeviceReviews:
        if id(split) not in self._reviews:
            self._reviews[id(split)] = split, reviews_of(split, self._shape)
        return self._reviews[id(split)][1]


def initial_variables(training: Training) -> tuple[NDArray[Any], ...]:
    """Weights, seeds and optimizer as a training alone begins with, made on the CPU."""
    try:
        processor = jax.default_device(jax.local_devices(backend="cpu")[0])
    except RuntimeError:  # JAX_PLATFORMS names the GPU only
        processor = nullcontext()
    with processor:
        network = build_network(training.configuration, seed=training.seed, masked=training.masked)
        own = [np.asarray(variable) for variable in network.variables]
    scalars = (np.array(0, np.int32), np.array(training.learning_rate, np.float32))
    is_constant = training.configuration.learning_rate_schedule == "constant"
    own += scalars[: 2 if is_constant else 1]
    # Keras would make the optimizer's zeros on the device, and compile that for each new shape.
    slots = checkpoint_shapes(training.configuration)[len(own) :]
    return (*own, *(np.zeros(shape, np.float32) for shape in slots))


def settings_of(
    trainings: Sequence[Training | None], shape: ShapeClass, *, reviews: int
) -> MemberSettings:
    """Returns what tells members apart; a free place, None, draws nothing and learns nothing.

    Args:
        trainings: Who is at which place.
        shape: Their class.
        reviews: How many they train on, which gives the step at which a falling learning rate is
            at zero.
    """
    rows = [_setting(training, shape, reviews) for training in trainings]
    settings = MemberSettings(*(np.array(column) for column in zip(*rows, strict=True)))
    return settings if shape.clips else settings._replace(clip_norm=None)


def _setting(training: Training | None, shape: ShapeClass, reviews: int) -> MemberSettings:
    """One member's row of `MemberSettings`."""
    rate, masked, schedule_steps = 0.0, True, 0
    configuration = Configuration(
        maxlen=shape.maxlen, dropout=0.0, recurrent_dropout=0.0, embedding_dim=1, lstm_units=1
    )
    if training is not None:
        configuration = training.configuration
        rate, masked = training.learning_rate, training.masked
        if configuration.learning_rate_schedule == "linear":
            schedule_steps = training.steps(reviews)
    per_gate = GATES if configuration.recurrent_dropout > 0 else 1
    pooled = [configuration.pooling in (kind, "all") for kind in POOLINGS]
    return MemberSettings(
        kept=np.float32(1.0 - configuration.dropout),
        kept_states=np.float32(1.0 - configuration.recurrent_dropout),
        input_draws=np.uint32(per_gate if configuration.dropout > 0 else 0),
        state_draws=np.uint32(GATES if configuration.recurrent_dropout > 0 else 0),
        learning_rate=np.float32(rate),
        schedule_steps=np.float32(schedule_steps),
        clip_norm=np.float32(configuration.clip_norm),
        weight_decay=np.float32(configuration.weight_decay),
        vocabulary_size=np.int32(configuration.vocabulary_size),
        pair_rows=np.int32(configuration.pair_rows),
        maxlen=np.int32(configuration.maxlen),
        features=np.uint32(configuration.embedding_dim),
        units=np.uint32(configuration.lstm_units),
        masked=masked,
        kept_embedding=np.float32(1.0 - configuration.embedding_dropout),
        kept_outputs=np.float32(1.0 - configuration.output_dropout),
        pooled=np.array(pooled if shape.pools else [True]),
    )


@functools.partial(jax.jit, static_argnames=("shape", "places"))
def empty_state(shape: ShapeClass, places: int) -> PopulationState:
    """Returns the state of free places: all zeros."""
    configuration = Configuration(
        vocabulary_size=1,
        embedding_dim=1,
        lstm_units=1,
        lstm_layers=shape.lstm_layers,
        bidirectional=shape.directions > 1,
    )
    # One network of zeros, of the class's shape, and as many of it as there are places.
    zeros = [np.zeros(each, np.float32) for each in checkpoint_shapes(configuration)]
    one = padded_state(zeros, configuration, shape, where="")
    return jax.tree.map(lambda array: jnp.zeros((places, *array.shape), array.dtype), one)  # type: ignore[no-any-return]


def reviews_of(split: Split, shape: ShapeClass) -> DeviceReviews:
    """Puts a split's arrays on the device, padded to one of few sizes: each is a program."""
    tokens = _rounded(shape.maxlen + len(split.token_ids), small=2**14, large=2**23)
    reviews = _rounded(len(split), small=2**10, large=2**15)

    def after_padding(ids: NDArray[np.int32]) -> NDArray[np.int32]:
        return _stretched(np.pad(ids, (shape.maxlen, 0)), tokens)

    return DeviceReviews(
        *jax.device_put(
            (
                after_padding(split.token_ids),
                _stretched((split.offsets[1:] + shape.maxlen).astype(np.int32), reviews),
                _stretched(np.diff(split.offsets).astype(np.int32), reviews),
                _stretched(split.labels.astype(np.float32), reviews),
                after_padding(split.pair_split.token_ids) if shape.pair_rows else None,
            )
        )
    )


def _rounded(size: int, *, small: int, large: int) -> int:
    step = small if size <= large // 8 else large
    return -(-size // step) * step


def _stretched(array: NDArray[Any], size: int) -> NDArray[Any]:
    return np.pad(array, (0, size - len(array)))
