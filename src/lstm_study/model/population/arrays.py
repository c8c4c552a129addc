"""The arrays of a population, and what their shapes' letters mean.

Shapes are written with these letters: P members, B rows of a batch, T tokens, E features, U units,
V words, N reviews, L layers, D directions, K kinds of pooling: the last output alone, or last, mean
and maximum. Arrays are padded with zeros to the shape class; padded weights stay exactly zero,
because what they are multiplied with is: also those of pairs and of kinds of pooling that a member
does not have.

A second direction is one more network to the loop over time: it reads each review from its end to
its beginning.
"""

from typing import Any, NamedTuple

Array = Any
GATES = 4
POOLINGS = ("last", "mean", "max")


class DeviceReviews(NamedTuple):
    """A split on the device.

    Attributes:
        tokens: int32, `maxlen` of padding and then all reviews one after another.
        ends: int32 [N], where each ends in `tokens`.
        lengths: int32 [N], tokens of each.
        labels: float32 [N], 0 or 1.
        pairs: int32, pair ids in the places of the tokens; None where no member has pairs.
    """

    tokens: Array
    ends: Array
    lengths: Array
    labels: Array
    pairs: Array = None


class MemberSettings(NamedTuple):
    """What tells members apart, beside their weights; each [P].

    Attributes:
        kept: float32, share of the inputs that dropout keeps.
        kept_states: float32, share of the states that recurrent dropout keeps.
        input_draws: uint32, masks that Keras draws for the inputs of a layer: 0, 1 or 4.
        state_draws: uint32, masks that it draws for the states: 0 or 4.
        learning_rate: float32, before its schedule.
        schedule_steps: float32, training steps after which a linear schedule is at zero; 0 for a
            constant rate.
        clip_norm: float32, largest norm of the gradient; 0 for no clipping; None if no member's is
            clipped.
        weight_decay: float32, share of the weights that a step takes off, times the learning rate.
        vocabulary_size: int32, the member's own.
        pair_rows: int32, the member's own; 0 without pairs.
        maxlen: int32, the member's own.
        features: uint32, the member's own columns of the embedding.
        units: uint32, the member's own.
        masked: bool, whether padding is masked.
        kept_embedding: float32, share of the word vectors that embedding dropout keeps.
        kept_outputs: float32, share of what is pooled that output dropout keeps.
        pooled: bool [P, K], which kinds of pooling the member has.
    """

    kept: Array
    kept_states: Array
    input_draws: Array
    state_draws: Array
    learning_rate: Array
    schedule_steps: Array
    clip_norm: Array
    weight_decay: Array
    vocabulary_size: Array
    pair_rows: Array
    maxlen: Array
    features: Array
    units: Array
    masked: Array
    kept_embedding: Array
    kept_outputs: Array
    pooled: Array


class PopulationWeights(NamedTuple):
    """What the members learn.

    Attributes:
        embedding: float32 [P, V, E].
        pair_embedding: float32 [P, rows, E]; None where no member has pairs.
        kernels: For each layer float32 [P, D, 4, E or D · U, U].
        recurrent_kernels: For each layer float32 [P, D, 4, U, U].
        biases: For each layer float32 [P, D, 4, U].
        output_kernel: float32 [P, K, D, U].
        output_bias: float32 [P].
    """

    embedding: Array
    pair_embedding: Array
    kernels: tuple[Array, ...]
    recurrent_kernels: tuple[Array, ...]
    biases: tuple[Array, ...]
    output_kernel: Array
    output_bias: Array


class Seeds(NamedTuple):
    """The states of Keras's seed generators.

    Attributes:
        lstm: uint32 [P, L, D, 2].
        embedding: uint32 [P, 2], embedding dropout's; zeros for a member without.
        output: uint32 [P, 2], output dropout's; likewise.
    """

    lstm: Array
    embedding: Array
    output: Array


class PopulationState(NamedTuple):
    """All that a training step changes.

    Attributes:
        weights: What is learned.
        momentums: Adam's first moments.
        velocities: Adam's second moments.
        iterations: int32 [P], training steps made.
        seeds: Where the members' random numbers stand.
    """

    weights: PopulationWeights
    momentums: PopulationWeights
    velocities: PopulationWeights
    iterations: Array
    seeds: Seeds
