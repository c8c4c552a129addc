"""Measures how fast the project is on this machine, and writes that down.

    make bench
    python -m tests.benchmarks [--only ROW ...] [--rounds 3] [--study-reviews N] [--quick]
        [--out reports/benchmarks] [--seconds N]

Writes `<machine>.md` and `<machine>.csv`, number by number as they are measured; rows left out keep
what an earlier run found. A row that fails or is stopped (SIGTERM) keeps the numbers that it had
found, and says so; then the exit status is 1. Logs of the processes that GPU rows and searches run
are in `logs` beside the table. LSTM_STUDY_DATA names the folder with `imdb.npz` and
`aclImdb_v1.tar.gz`; rows that need them, a GPU or TensorFlow say so where there is none. On a GPU
machine without TensorFlow the `gpu-` rows, on JAX, are those that count.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from lstm_study.provenance import git_commit, machine, now
from tests.benchmarks import (
    corpora,
    epochs,
    gpu,
    growth,
    memory,
    own_files,
    reports,
    starts,
    step,
    studies,
    table,
)
from tests.benchmarks.keeping import heed_sigterm, say, take
from tests.benchmarks.measure import DATA_VARIABLE, ROOT, Row, Settings, StoppedError

ROWS: dict[str, tuple[str, Callable[[Settings], Iterable[Row]]]] = {
    "help": ("what a command imports", starts.help_rows),
    "corpus": ("reading the reviews", corpora.rows),
    "own-files": ("reading reviews of one's own", own_files.rows),
    "report": ("a report of many trials", reports.rows),
    "step": ("a training step on the CPU", step.rows),
    "epoch": ("an epoch on IMDB's lengths", epochs.epoch_rows),
    "predict": ("classifying reviews with a trained network", epochs.predict_rows),
    "start": ("until a trial's first step", starts.rows),
    "workers": ("trials a minute against workers", studies.worker_rows),
    "study": ("a whole search beside a Keras Tuner script", studies.study_rows),
    "own-builder": ("a whole search of a custom network", studies.builder_rows),
    "population": ("many networks at once on the CPU, with JAX", gpu.cpu_population_rows),
    "memory": ("what a worker holds", memory.rows),
    "growth": ("how cost grows", growth.rows),
    "gpu-step": ("a training step on the GPU, with JAX", step.gpu_rows),
    "gpu-study": ("a whole search on the GPU, with JAX", studies.gpu_rows),
    "gpu-population": ("many networks at once on the GPU", gpu.population_rows),
    "gpu-open": ("many open networks at once on the GPU", gpu.open_rows),
    "gpu-options": ("populations compiled with other options of XLA's", gpu.option_rows),
    "gpu-baseline": ("all seeds of the documented baseline on the GPU", gpu.baseline_rows),
    "gpu-search": ("the search of imdb.toml on the GPU", gpu.search_rows),
}


def main() -> int:
    """Measures row by row; returns 1 if one could not be taken."""
    options = _parser().parse_args()
    data = os.environ.get(DATA_VARIABLE)
    card = table.gpu_name()
    source = table.Source(
        machine=machine(), gpu=card, measured_on=now()[:10], commit=git_commit(ROOT),
        quick=options.quick,
    )  # fmt: skip
    titles = {name: title for name, (title, _) in ROWS.items()}
    lines = table.read(options.out / f"{source.slug}.csv")
    failed: list[str] = []
    heed_sigterm()
    with tempfile.TemporaryDirectory(
        prefix="lstm-study-bench-", ignore_cleanup_errors=True
    ) as scratch:
        settings = Settings(
            rounds=options.rounds, quick=options.quick, scratch=Path(scratch), gpu=card,
            data=Path(data).absolute() if data else None, study_reviews=options.study_reviews,
            logs=options.out.absolute() / "logs",
            until=time.time() + options.seconds if options.seconds else None,
        )  # fmt: skip

        def keep(name: str, found: Sequence[Row]) -> None:
            nonlocal lines
            new = [table.line_of(row, source) for row in found]
            lines = table.merged(lines, name, new, list(ROWS))
            table.write(lines, source, folder=options.out, titles=titles)

        for name in options.only or ROWS:
            began = time.perf_counter()
            say(f"{name}: {titles[name]} ...")
            error = take(name, ROWS[name][1], settings, partial(keep, name))
            say(f"{name}: {time.perf_counter() - began:.0f} s")
            if error is not None:
                failed.append(name)
            if isinstance(error, StoppedError):
                break
    say(f"Written: {options.out / source.slug}.md and .csv")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--only", nargs="+", choices=ROWS, metavar="ROW",
                        help=f"measure these rows alone: {', '.join(ROWS)}")  # fmt: skip
    parser.add_argument("--rounds", type=_at_least_one, default=3,
                        help="alternating runs of each side (default: 3)")  # fmt: skip
    parser.add_argument("--study-reviews", type=_at_least_one, metavar="N",
                        help="reviews of the whole searches, 24,900 at most "
                        "(default: 4,000 on a CPU, 24,000 on a GPU)")  # fmt: skip
    parser.add_argument("--quick", action="store_true",
                        help="sizes of a smoke test; the numbers mean nothing")  # fmt: skip
    parser.add_argument("--seconds", type=_at_least_one, metavar="N",
                        help="it is stopped after so long: omits what it can in time")  # fmt: skip
    parser.add_argument("--out", type=Path, default=ROOT / "reports" / "benchmarks")
    return parser


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more. Received: {text}")
    return number


if __name__ == "__main__":
    sys.exit(main())
