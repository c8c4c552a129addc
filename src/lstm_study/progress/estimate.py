"""Estimates how long trainings will take, from how long others took."""

from collections.abc import Iterable

from lstm_study.configuration import Configuration
from lstm_study.records import Epoch

_LOOP_WORK = 3_000_000.0
_UPDATE_WORK = 200.0


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

    The sum of three parts: the LSTM's matrix products, three times (forward, and backward to inputs
    and weights); the loop over time, each of whose steps costs as much as three million
    multiply-adds however small the network; and Adam's update, bound by memory, at two hundred for
    each parameter. The two constants are fitted to timings on a CPU (batches of 64, 160 × 32/32
    and 200 × 128/100).

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
        return _LOOP_WORK * configuration.maxlen * batch_size / own
    loops = _LOOP_WORK * sum(1 for _ in configuration.lstm_shapes())
    work = (
        3.0 * (steps or configuration.maxlen) * (own * configuration.products_per_token + loops)
        + _UPDATE_WORK * configuration.parameter_count
    )
    return work * batch_size / own


def seconds_per_work(
    trainings: Iterable[tuple[float, Iterable[Epoch]]],
    *,
    running: Iterable[tuple[float, float, float]] = (),
) -> float | None:
    """Returns seconds of an epoch per unit of `step_work`; None before any training was timed.

    Args:
        trainings: The work of one step, and the epochs that ended.
        running: Of each epoch in progress: the work of one step, the share of its steps that were
            timed, and their seconds. It leaves out compiling, and the validation still to come.
    """
    seconds = work = 0.0
    for of_a_step, share, spent in running:
        seconds += spent
        work += share * of_a_step
    for of_a_step, epochs in trainings:
        for epoch in epochs:
            seconds += epoch.train_seconds + epoch.validation_seconds
            work += of_a_step
    return seconds / work if work else None
