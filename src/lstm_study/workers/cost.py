"""Estimates how long trainings will take, from how long others took."""

from collections.abc import Iterable

from lstm_study.configuration import Configuration
from lstm_study.records import Epoch


def step_work(configuration: Configuration, *, batch_size: int) -> float:
    """Returns the work of one training step, in multiply-adds: a measure to compare, not a time.

    Three passes (one forward, two backward) over the LSTM's products, and Adam's update of each
    parameter, which a large vocabulary makes the larger part. The time loop's own cost is taken as
    20,000 multiply-adds per time step, from timings on a CPU.
    """
    width, per_token = configuration.embedding_dim, 0
    for _ in range(configuration.lstm_layers):
        per_token += 4 * configuration.lstm_units * (width + configuration.lstm_units)
        width = configuration.lstm_units
    loop = 20_000 * configuration.lstm_layers
    return (
        3.0 * configuration.maxlen * (batch_size * per_token + loop)
        + 10.0 * configuration.parameter_count
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
