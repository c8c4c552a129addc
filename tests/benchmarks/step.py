"""Rows `step` and `gpu-step`: a whole training step, Keras's LSTM against ours.

A step is embedding, LSTM, output, loss, gradients and Adam on 64 unpadded reviews of full length,
called as the project's training calls it (`train_on_batch`). On a CPU its processor time is
measured, on a GPU its wall time. The open network is masked, has two directions and pooling over
time, and clips summed gradients, on both sides.
"""

import statistics
from functools import partial
from typing import Any

from tests.benchmarks.arithmetic import limit
from tests.benchmarks.measure import (
    Backend,
    Clock,
    Device,
    Row,
    Settings,
    alternate,
    compared,
    fresh,
    has_tensorflow,
    not_measured,
    values,
)
from tests.benchmarks.sides import (
    BATCH,
    KERAS,
    SIDES,
    SIZES,
    Side,
    configuration_of,
    model_of,
    prepare,
    random_batch,
)

RATES = (0.0, 0.2)
_WARM_UP = 2
_BOUNDS = {
    "500 × 128/100": "2.3 times and 65% of the limit with recurrent dropout 0.2",
    "400 × 128/64 open": "2 times",
}


def step(side: Side, size: str, rates: list[float], steps: int, quick: bool) -> dict[str, Any]:
    """Times steps at each recurrent dropout; runs in another process.

    Returns:
        "RATE processor_ms" and "RATE wall_ms", medians, for each rate.
    """
    prepare(side)
    found = {}
    for rate in rates:
        shorter: dict[str, Any] = {"maxlen": 40} if quick else {}
        configuration = configuration_of(size, recurrent_dropout=rate, **shorter)
        model = model_of(side, configuration, masked=configuration.bidirectional)
        token_ids, labels = random_batch(configuration)
        times = []
        for _ in range(_WARM_UP + steps):
            clock = Clock()
            # It returns the loss, so it includes the device's work.
            model.train_on_batch(token_ids, labels)
            times.append(clock.read())
        wall, processor = zip(*times[_WARM_UP:], strict=True)
        found[f"{rate} wall_ms"] = 1_000 * statistics.median(wall)
        found[f"{rate} processor_ms"] = 1_000 * statistics.median(processor)
    return found


def rows(settings: Settings) -> list[Row]:
    """Measures on the CPU, with TensorFlow and with JAX."""
    found = []
    backends: tuple[Backend, ...] = ("tensorflow", "jax")
    for backend in backends:
        if backend == "tensorflow" and not has_tensorflow():
            found.append(not_measured("step", "TensorFlow is not installed", case="TensorFlow"))
            continue
        for size in SIZES:
            found += _compare("step", size, backend=backend, device="cpu", settings=settings)
    return found


def gpu_rows(settings: Settings) -> list[Row]:
    """Measures on the GPU, with JAX; recurrent dropout also against none."""
    if settings.gpu is None:
        return [not_measured("gpu-step", "there is no GPU here")]
    found = _compare("gpu-step", "500 × 128/100", backend="jax", device="gpu", settings=settings)
    without, with_dropout = (row.ours for row in found)
    return [
        *found,
        Row(
            row="gpu-step",
            case="jax, 500 × 128/100",
            quantity="wall time of a step, recurrent dropout 0.2 against 0",
            unit="ms",
            ours=with_dropout,
            other=without,
            against="ours at recurrent dropout 0",
            bound="ratio above 0.67 (less than 1.5 times the cost)",
        ),
    ]


def _compare(
    row: str, size: str, *, backend: Backend, device: Device, settings: Settings
) -> list[Row]:
    steps = settings.size(8, 1)
    arguments = {"size": size, "rates": RATES, "steps": steps, "quick": settings.quick}
    on = {"backend": backend, "device": device}
    found = alternate(
        {side: partial(fresh, step, side=side, **arguments, **on) for side in SIDES},
        rounds=settings.rounds,
    )
    configuration = configuration_of(size)
    shape = {
        "embedding_dim": configuration.embedding_dim,
        "lstm_units": configuration.lstm_units,
        "batch": BATCH,
        "steps": configuration.maxlen,
        "directions": 1 + configuration.bidirectional,
    }
    least = fresh(limit, **on, **shape)
    limit_in_words = (
        f"limit {1_000 * least['seconds']:.3g} ms: {least['operations'] / 1e9:.2f} GFLOP "
        f"at {least['gflops']:.0f} GFLOP/s"
    )
    kind = "processor" if device == "cpu" else "wall"
    made = []
    for rate in RATES:
        key = f"{rate} {kind}_ms"
        took = values(found["ours"], key)
        made.append(
            compared(
                found, key, row=row, case=f"{backend}, {size}, recurrent dropout {rate:g}",
                quantity=f"{kind} time of a training step", unit="ms", against=KERAS,
                share=() if settings.quick else [1_000 * least["seconds"] / each for each in took],
                bound=_BOUNDS.get(size, "") if (backend, device) == ("tensorflow", "cpu") else "",
                note=limit_in_words,
            )
        )  # fmt: skip
    peak = [
        compared(
            found, "peak_mb", row=row, case=f"{backend}, {size}", quantity="peak memory",
            unit="MB", against=KERAS,
        )
    ]  # fmt: skip
    return made + (peak if device == "cpu" else [])
