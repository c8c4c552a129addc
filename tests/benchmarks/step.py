"""Rows `step` and `gpu-step`: a whole training step, Keras's LSTM against ours.

A step is embedding, LSTM, output, loss, gradients and Adam on 64 unpadded reviews of full length,
called as the project's training calls it (`train_on_batch`). On a CPU its processor time is
measured, and compared with the arithmetic limit; on a GPU its wall time, without a limit, for there
the time of one small product is that of starting it. The open network is masked, has two directions
and pooling over time, and clips summed gradients, on both sides.
"""

import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from tests.benchmarks.arithmetic import limit
from tests.benchmarks.measure import (
    Backend,
    Clock,
    Device,
    Found,
    Row,
    Settings,
    alternating,
    compared,
    has_tensorflow,
    not_measured,
)
from tests.benchmarks.processes import fresh, growing
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


def step(
    side: Side,
    size: str,
    rates: list[float],
    steps: int,
    quick: bool,
    tell: Callable[[Mapping[str, Any]], None],
) -> None:
    """Times steps at each recurrent dropout; runs in another process.

    Tells "RATE processor_ms" and "RATE wall_ms", medians, of each rate.
    """
    prepare(side)
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
        tell({
            f"{rate} wall_ms": 1_000 * statistics.median(wall),
            f"{rate} processor_ms": 1_000 * statistics.median(processor),
        })  # fmt: skip


def rows(settings: Settings) -> Iterator[Row]:
    """Measures on the CPU, with TensorFlow and with JAX."""
    backends: tuple[Backend, ...] = ("tensorflow", "jax")
    for backend in backends:
        if backend == "tensorflow" and not has_tensorflow():
            yield not_measured("step", "TensorFlow is not installed", case="TensorFlow")
            continue
        for size in SIZES:
            yield from _compare("step", size, backend=backend, device="cpu", settings=settings)


def gpu_rows(settings: Settings) -> Iterator[Row]:
    """Measures on the GPU, with JAX; recurrent dropout also against none."""
    if settings.gpu is None:
        yield not_measured("gpu-step", "there is no GPU here")
        return
    by_case = {}
    for row in _compare(
        "gpu-step", "500 × 128/100", backend="jax", device="gpu", settings=settings
    ):
        yield row
        by_case[row.case] = row.ours
        without, with_dropout = (by_case.get(_case("jax", "500 × 128/100", rate)) for rate in RATES)
        if without and with_dropout and len(without) == len(with_dropout):
            yield Row(
                row="gpu-step",
                case="jax, 500 × 128/100",
                quantity="wall time of a step, recurrent dropout 0.2 against 0",
                unit="ms",
                ours=with_dropout,
                other=without,
                against="ours at recurrent dropout 0",
                bound="ratio above 0.67 (less than 1.5 times the cost)",
            )


def _case(backend: Backend, size: str, rate: float) -> str:
    return f"{backend}, {size}, recurrent dropout {rate:g}"


def _compare(
    row: str, size: str, *, backend: Backend, device: Device, settings: Settings
) -> Iterator[Row]:
    arguments = {
        "size": size, "rates": RATES, "steps": settings.size(8, 1), "quick": settings.quick,
    }  # fmt: skip
    on: dict[str, Any] = {"backend": backend, "device": device}
    kind = "processor" if device == "cpu" else "wall"

    def timed(side: Side, number: int) -> Iterator[dict[str, Any]]:
        log = settings.log(row, backend, size, side, number + 1)
        return growing(step, side=side, log=log, **arguments, **on)

    def made(found: Found, least: Mapping[str, Any] | None) -> Iterator[Row]:
        """Makes rows of what there is; `least` is the arithmetic limit, which is measured last."""
        for rate in RATES:
            compares = compared(
                found, f"{rate} {kind}_ms", is_partial=least is None, row=row,
                case=_case(backend, size, rate), unit="ms",
                quantity=f"{kind} time of a training step", against=KERAS,
                bound=_BOUNDS.get(size, "") if (backend, device) == ("tensorflow", "cpu") else "",
            )  # fmt: skip
            if least is not None:
                compares = replace(
                    compares, note=_in_words(least),
                    share=() if settings.quick
                    else [1_000 * least["seconds"] / each for each in compares.ours],
                )  # fmt: skip
            if compares.ours:
                yield compares

    found: Found = {}
    for found in alternating(
        {side: partial(timed, side) for side in SIDES}, rounds=settings.rounds
    ):
        yield from made(found, None)
    if device == "gpu":
        return
    configuration = configuration_of(size)
    least = fresh(
        limit, **on, log=settings.log(row, backend, size, "limit"),
        embedding_dim=configuration.embedding_dim, lstm_units=configuration.lstm_units,
        batch=BATCH, steps=configuration.maxlen, directions=1 + configuration.bidirectional,
    )  # fmt: skip
    yield from made(found, least)
    yield compared(
        found, "peak_mb", row=row, case=f"{backend}, {size}", quantity="peak memory",
        unit="MB", against=KERAS,
    )  # fmt: skip


def _in_words(least: Mapping[str, Any]) -> str:
    return (
        f"limit {1_000 * least['seconds']:.3g} ms: {least['operations'] / 1e9:.2f} GFLOP "
        f"at {least['gflops']:.0f} GFLOP/s"
    )
