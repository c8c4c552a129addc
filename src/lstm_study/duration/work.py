"""The work of trainings: from the time that some took follows how long others will take.

The constants are fitted to the CPU time of ten shapes, from 20 × 16/16 to
500 × 128/100 and 200 × 32/256, nine of which they give within 15%. The tenth, batches of 16 reviews
of 40 tokens, takes less than they say.
"""

from collections.abc import Iterable

from lstm_study.configuration import Configuration

_LOOP_WORK = 1_400_000.0
"""Of a time step of a layer, whatever its size."""
_ELEMENT_WORK = 6_000.0
"""Activations and dropout of one unit, for one review at one time step."""
_UPDATE_WORK = 450.0
"""Adam's update of one parameter, bound by memory."""
_STEP_WORK = 300_000_000.0
"""Of a training step, whatever its size."""
_EVALUATION_SHARE = 0.27
"""Predicting a review, as a share of training on it."""


def mean_length(length_counts: Iterable[tuple[int, int]], *, maxlen: int) -> float:
    """Returns how many tokens of a review are read on average, where padding is masked.

    Args:
        length_counts: `CorpusSummary.length_counts`; every review of a bin counts as long as the
            bin's middle.
        maxlen: Tokens that longer reviews are cut to.
    """
    tokens = reviews = below = 0
    for end, count in length_counts:
        tokens += count * min(maxlen, (below + end) // 2)
        reviews += count
        below = end
    return tokens / reviews if reviews else float(maxlen)


def step_work(
    configuration: Configuration, *, batch_size: int, steps: float | None = None
) -> float:
    """Returns the work of one training step, in multiply-adds: for comparison, not a time.

    The sum of five parts: the LSTM's matrix products, three times (forward, and backward to inputs
    and weights); activations and dropout, for each unit of each review at each time step; the loop
    over time; Adam's update of each parameter; and what every step costs however small.

    Args:
        configuration: The hyperparameters.
        batch_size: The protocol's, by which works compare: a configuration with batches of half the
            size has two steps for one.
        steps: Time steps of a batch on average, as from `mean_length` where padding is masked; None
            for maxlen.
    """
    own = configuration.batch_size or batch_size
    if configuration.own is not None:
        # Nothing is known of it but how many tokens it reads.
        return (_LOOP_WORK * configuration.maxlen + _STEP_WORK) * batch_size / own
    shapes = list(configuration.lstm_shapes())
    products = 3.0 * own * configuration.products_per_token
    elements = _ELEMENT_WORK * own * sum(units for _, units in shapes)
    work = (
        (steps or configuration.maxlen) * (products + elements + _LOOP_WORK * len(shapes))
        + _UPDATE_WORK * configuration.parameter_count
        + _STEP_WORK
    )
    return work * batch_size / own


def pass_work(of_a_step: float, *, batch_size: int, trained: int = 0, evaluated: int = 0) -> float:
    """Returns the work of training on some reviews once, and of predicting others.

    Args:
        of_a_step: As from `step_work`.
        batch_size: The protocol's.
        trained: Reviews that are trained on.
        evaluated: Reviews that are predicted, which costs about a quarter as much for each.
    """
    return of_a_step * (trained + _EVALUATION_SHARE * evaluated) / batch_size
