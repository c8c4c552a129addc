"""Estimates how long trainings will take, from how long others took."""

from collections.abc import Iterable

from lstm_study.configuration import Configuration
from lstm_study.records import Epoch

_LOOP_WORK = 3_000_000.0
_UPDATE_WORK = 200.0


def step_work(configuration: Configuration, *, batch_size: int) -> float:
    """Returns the work of one training step, in multiply-adds: a measure to compare, not a time.

    Three passes (one forward, two backward) over the LSTM's products; the loop over time, whose
    every step costs as much as three million multiply-adds however small the network; and Adam's
    update, bound by memory, which costs two hundred for each parameter. The two constants are
    fitted to timings on a CPU (batches of 64, 160 × 32/32 and 200 × 128/100).
    """
    width, per_token = configuration.embedding_dim, 0
    for _ in range(configuration.lstm_layers):
        per_token += 4 * configuration.lstm_units * (width + configuration.lstm_units)
        width = configuration.lstm_units
    loop = _LOOP_WORK * configuration.lstm_layers
    return (
        3.0 * configuration.maxlen * (batch_size * per_token + loop)
        + _UPDATE_WORK * configuration.parameter_count
    )


def seconds_per_work(
    trainings: Iterable[tuple[Configuration, Iterable[Epoch]]], *, batch_size: int
) -> float | None:
    """Returns seconds of an epoch per unit of `step_work`; None before the first epoch ended."""
    seconds = work = 0.0
    for configuration, epochs in trainings:
        for epoch in epochs:
            seconds += epoch.train_seconds + epoch.validation_seconds
            work += step_work(configuration, batch_size=batch_size)
    return seconds / work if work else None
