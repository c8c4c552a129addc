"""Rows `population`, `gpu-population`, `gpu-open`, ...: many networks at once, on JAX.

`populations.py` is what their processes run; `gpu.sh` measures these and the other rows of a GPU in
three calls. A row is yielded as soon as there is a number for it, so that a process that fails or
is stopped loses what is missing alone.
"""

import itertools
import shutil
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lstm_study.errors import StudyError
from lstm_study.store import Store
from tests.benchmarks.measure import (
    DATA_VARIABLE,
    LSTM_STUDY,
    ROOT,
    BenchmarkError,
    Row,
    Settings,
    StoppedError,
    not_measured,
    told,
    values,
    values_so_far,
)
from tests.benchmarks.populations import baseline_seeds, population_steps
from tests.benchmarks.processes import command, fresh, growing

MEMBERS = (1, 4, 14, 32)
# A block of the kernels holds 16 of the 64 reviews and takes most of a multiprocessor's shared
# memory: an H100's 132 multiprocessors run 132 / (64 / 16) = 33 members in one wave, 48 in two.
WAVES = (33, 48)
SEEDS = 14
_CASES = [(1, 0.2), (1, 0.0), (4, 0.2), (14, 0.2), (14, 0.0), (32, 0.2)]
_MORE = [(count, 0.2) for count in WAVES]
_DEFAULT = "default options"
# Last section of decision 22.
OPTIONS: dict[str, dict[str, Any]] = {
    _DEFAULT: {},
    "xla_gpu_deterministic_ops off": {"xla_gpu_deterministic_ops": False},
    "products in tiles of 128 × 64 × 32": {
        "xla_gpu_override_gemm_autotuner": "block_m:128,block_n:64,block_k:32,split_k:1,"
        "num_stages:3,num_warps:4,num_ctas:1"
    },
}
_OPTION_MEMBERS = (14, 1)
_ON_CPU = "160 × 32/32"
_BOUND = {1: "10 ms", 14: "1.3 ms a member", 32: "0.85 ms a member"}
_SHARE = "wall time of a step, a member's share"
_FIRST = "first 16 steps, weights made and program compiled"


def population_rows(settings: Settings) -> Iterator[Row]:
    """Measures steps of populations on the GPU."""
    if settings.gpu is None:
        yield not_measured("gpu-population", "there is no GPU here")
        return
    for found in _rounds(
        "gpu-population", population_steps, settings, cases=_CASES, more=_MORE,
        until=settings.until,
    ):  # fmt: skip
        for count in (*MEMBERS, *WAVES):
            yield from _population(count, found)
        compiling = values_so_far(found, "14 0.2 compile_s")
        if compiling:
            yield Row(
                row="gpu-population", case="14 members", quantity=_FIRST, unit="s", ours=compiling
            )


def _population(count: int, found: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Makes the rows of so many members, as far as they are measured."""
    case = f"{count} × 500 × 128/100, recurrent dropout 0.2"
    took, plain = (values_so_far(found, f"{count} {rate} ms") for rate in ("0.2", "0"))
    named: dict[str, Any] = {"row": "gpu-population", "case": case}
    if took:
        yield Row(
            **named, quantity=_SHARE, unit="ms", ours=[each / count for each in took],
            bound=_BOUND.get(count, ""), note=found[0][f"{count} 0.2 sweeps"],
        )  # fmt: skip
        yield Row(
            **named, quantity="peak memory of the GPU", unit="GB",
            ours=values_so_far(found, f"{count} 0.2 gb"),
        )  # fmt: skip
    elif f"{count} 0.2 why_not" in found[-1]:
        yield not_measured("gpu-population", found[-1][f"{count} 0.2 why_not"], case=case)
    if plain:
        yield Row(
            **named, quantity="wall time of a step against none dropped", unit="ms",
            ours=took[: len(plain)], other=plain, against="recurrent dropout 0",
            bound="ratio above 0.91 (1.1 times the cost)",
        )  # fmt: skip


def cpu_population_rows(settings: Settings) -> list[Row]:
    """Measures steps of populations on the CPU, of one thread, beside one network alone."""
    found = [
        fresh(
            population_steps, backend="jax", quick=settings.quick, size=_ON_CPU,
            cases=[(1, 0.2), (4, 0.2)], log=settings.log("population", number + 1),
        )
        for number in range(settings.rounds)
    ]  # fmt: skip
    return [
        Row(
            row="population", case=f"jax, 4 × {_ON_CPU}, recurrent dropout 0.2",
            quantity=_SHARE, unit="ms",
            ours=[each / 4 for each in values(found, "4 0.2 ms")],
            other=values(found, "1 0.2 ms"), against="a population of one",
            note=found[0]["4 0.2 sweeps"],
        )
    ]  # fmt: skip


def open_rows(settings: Settings) -> Iterator[Row]:
    """Measures steps of populations of an open network on the GPU."""
    if settings.gpu is None:
        yield not_measured("gpu-open", "there is no GPU here")
        return
    counts = (1, 14)
    cases = [(count, 0.0) for count in counts]
    for found in _rounds("gpu-open", population_steps, settings, cases=cases, is_open=True):
        for count in counts:
            took = values_so_far(found, f"{count} 0 ms")
            if not took:
                continue
            named: dict[str, Any] = {
                "row": "gpu-open", "case": f"{count} × 400 × 128/64 ↔ mean + 50,000 pairs",
            }  # fmt: skip
            yield Row(
                **named, quantity=_SHARE, unit="ms", ours=[each / count for each in took],
                note=found[0][f"{count} 0 sweeps"],
            )  # fmt: skip
            yield Row(
                **named, quantity="drawing the words that a step drops, a member's share",
                unit="ms", note="on the processor, while the card works; not in the step's time",
                ours=[each / count for each in values_so_far(found, f"{count} 0 draw_ms")],
            )  # fmt: skip
            yield Row(
                **named, quantity="peak memory of the GPU", unit="GB",
                ours=values_so_far(found, f"{count} 0 gb"),
            )  # fmt: skip


def option_rows(settings: Settings) -> Iterator[Row]:
    """Measures steps compiled with other options of XLA's, each in processes of its own."""
    if settings.gpu is None:
        yield not_measured("gpu-options", "there is no GPU here")
        return
    cases = [(count, 0.2) for count in _OPTION_MEMBERS]
    found: dict[str, list[dict[str, Any]]] = {option: [] for option in OPTIONS}
    failed: list[BenchmarkError] = []
    for number in range(settings.rounds):
        for place, (option, compiler_options) in enumerate(OPTIONS.items()):
            found[option].append({})
            try:
                for so_far in growing(
                    population_steps, backend="jax", device="gpu", cases=cases,
                    quick=settings.quick, compiler_options=compiler_options,
                    log=settings.log("gpu-options", place + 1, number + 1),
                ):  # fmt: skip
                    found[option][-1] = so_far
                    for count in _OPTION_MEMBERS:
                        yield from _option(count, option, found)
            except StoppedError:
                raise
            except BenchmarkError as error:
                # XLA may end the process over an option that it cannot read.
                failed.append(error)
                yield not_measured("gpu-options", f"failed: {told(error)}", case=option)
    if failed:
        raise failed[0]


def _option(
    count: int, option: str, found: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Iterator[Row]:
    """Makes the rows of one option and so many members, as far as they are measured."""
    case = f"{count} × 500 × 128/100, {option}"
    took, usual = (values_so_far(found[each], f"{count} 0.2 ms") for each in (option, _DEFAULT))
    if not took:
        if f"{count} 0.2 why_not" in found[option][-1]:
            yield not_measured("gpu-options", found[option][-1][f"{count} 0.2 why_not"], case=case)
        return
    rounds = 0 if option == _DEFAULT else min(len(took), len(usual))
    shares, others = ([each / count for each in times] for times in (took, usual))
    yield Row(
        row="gpu-options", case=case, quantity=_SHARE, unit="ms",
        ours=shares[:rounds] if rounds else shares, other=others[:rounds],
        against=_DEFAULT if rounds else "",
    )  # fmt: skip
    yield Row(
        row="gpu-options", case=case, quantity=_FIRST, unit="s",
        ours=values_so_far(found[option], f"{count} 0.2 compile_s"),
    )  # fmt: skip


def baseline_rows(settings: Settings) -> Iterator[Row]:
    """Measures all seeds of the documented baseline."""
    path = _imdb(settings)
    if isinstance(path, str):
        yield not_measured("gpu-baseline", path)
        return
    epochs = settings.size(10, 1)
    found: dict[str, Any] = {}
    try:
        for found in growing(
            baseline_seeds, backend="jax", device="gpu", path=str(path), seeds=SEEDS,
            epochs=epochs, quick=settings.quick, log=settings.log("gpu-baseline"),
        ):  # fmt: skip
            yield from _baseline(found)
    except BenchmarkError as error:
        error.add_note(f"{len(found.get('ended_s', []))} of {epochs} epochs were saved")
        raise


def _baseline(found: Mapping[str, Any]) -> Iterator[Row]:
    """Makes the rows of the baseline's seeds, as far as they are measured."""
    ended = found.get("ended_s", [])
    named: dict[str, Any] = {
        "row": "gpu-baseline", "case": "14 seeds, ten epochs of 25,000 unmasked reviews × 500",
        "unit": "s",
    }  # fmt: skip
    if "wall_s" in found:
        yield Row(
            **named, quantity="wall time, all of test read", ours=[found["wall_s"]],
            bound="120 s",
            note=f"test accuracy {found['accuracy']:.2f}% ± {found['sd']:.2f} (σ over seeds)",
        )  # fmt: skip
    if ended:
        yield Row(
            **named, quantity="until the first epoch is saved, program compiled", ours=ended[:1]
        )
    if len(ended) > 1:
        later = [after - before for before, after in itertools.pairwise(ended)]
        yield Row(
            **named, quantity="a later epoch, from saved to saved", ours=[statistics.median(later)],
            note=f"median of {len(later)}",
        )  # fmt: skip


def search_rows(settings: Settings) -> Iterator[Row]:
    """Measures the search of `imdb.toml`: 30 trials, 120 epochs."""
    path = _imdb(settings)
    if isinstance(path, str):
        yield not_measured("gpu-search", path)
        return
    folder = settings.folder("search")
    spec = str(ROOT / "src" / "lstm_study" / "studies" / "imdb.toml")
    sizes = (
        "search.max_epochs=2",
        "data.train_limit=200",
        "data.test_limit=100",
        "space.maxlen=20",
    )
    limit = [part for each in sizes for part in ("--set", each)] if settings.quick else []
    store = Store(folder / "study" / "runs" / "imdb")
    try:
        done = command(
            [*LSTM_STUDY, "search", spec, "--data", str(path), "--set", "search.rerank=0", *limit],
            cwd=folder, log=settings.log("gpu-search"),
            KERAS_BACKEND="jax", LSTM_STUDY_CACHE=settings.cache,
        )  # fmt: skip
    except BenchmarkError as error:
        error.add_note(_progress(store))
        raise
    finally:
        log = settings.log("gpu-search", "study")
        if log is not None and store.log_path.is_file():
            shutil.copyfile(store.log_path, log)
    named: dict[str, Any] = {"row": "gpu-search", "case": "imdb.toml, 30 trials, 120 epochs"}
    yield Row(
        **named, quantity="wall time", unit="s", ours=[done["wall_s"]], bound="180 s",
        note=_progress(store),
    )  # fmt: skip
    yield Row(**named, quantity="processor time", unit="s", ours=[done["processor_s"]])


def _progress(store: Store) -> str:
    """Says how far a search came."""
    try:
        trials = store.read_trials()
    except StudyError as error:
        return f"its trials cannot be read: {error}"
    completed = sum(trial.status == "completed" for trial in trials)
    epochs = sum(len(trial.epochs) for trial in trials)
    return f"{completed} of {len(trials)} trials begun are completed, {epochs} epochs"


def _imdb(settings: Settings) -> Path | str:
    """Returns Keras's file, or why a row that needs it cannot be measured."""
    if settings.gpu is None:
        return "there is no GPU here"
    path = settings.data / "imdb.npz" if settings.data else None
    if path is None or not path.is_file():
        return f"{DATA_VARIABLE} names no folder with imdb.npz"
    return path


def _rounds(
    row: str, function: Callable[..., Any], settings: Settings, **arguments: Any
) -> Iterator[list[dict[str, Any]]]:
    """Calls a function on the GPU, in a process of its own for each round.

    Yields:
        What it has told by round, whenever there is more of it.
    """
    found: list[dict[str, Any]] = []
    for number in range(settings.rounds):
        found.append({})
        for so_far in growing(
            function, backend="jax", device="gpu", quick=settings.quick,
            log=settings.log(row, number + 1), **arguments,
        ):  # fmt: skip
            found[-1] = so_far
            yield found
