"""Estimates how long trainings will take, from how long others took."""

from collections.abc import Iterable

from lstm_study.configuration import Configuration
from lstm_study.records import Epoch

_LOOP_WORK = 3_000_000.0
_UPDATE_WORK = 200.0


def mean_length(length_counts: Iterable[tuple[int, int]], *, maxlen: int) -> float:
    """Returns how many tokens of a review are read on average: those of a masked training's steps.

    Args:
        length_counts: As `CorpusSummary.length_counts` has them; a bin's reviews are taken to be as
            long as its middle.
        maxlen: What longer reviews are cut to.
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
    """Returns the work of one training step, in multiply-adds: a measure to compare, not a time.

    Three passes (one forward, two backward) over the LSTM's products; the loop over time, whose
    every step costs as much as three million multiply-adds however small the network; and Adam's
    update, bound by memory, which costs two hundred for each parameter. The two constants are
    fitted to timings on a CPU (batches of 64, 160 × 32/32 and 200 × 128/100).

    Args:
        configuration: The hyperparameters.
        batch_size: Reviews per training step.
        steps: Time steps of a batch on average, as from `mean_length` where padding is masked; None
            for maxlen.
    """
    loops = _LOOP_WORK * sum(1 for _ in configuration.lstm_shapes())
    return (
        3.0
        * (steps or configuration.maxlen)
        * (batch_size * configuration.products_per_token + loops)
        + _UPDATE_WORK * configuration.parameter_count
    )


def seconds_per_work(
    trainings: Iterable[tuple[float, Iterable[Epoch]]],
    *,
    running: Iterable[tuple[float, float, float]] = (),
) -> float | None:
    """Returns seconds of an epoch per unit of `step_work`; None before there is anything to go by.

    Args:
        trainings: The work of one step, and the epochs that ended.
        running: Of each epoch that runs: the work of one step, the share of its steps that were
            timed, and their seconds. Compiling and the validation to come are not in it.
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
