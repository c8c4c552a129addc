"""Processor time of a whole training step: Keras's LSTM beside ours.

    python -m tests.benchmarks.lstm_step [--rounds 5]

Each round runs both in processes of their own, one after the other, with one thread. A step is
embedding, LSTM, output, loss, gradients and Adam, batch 64, dropout and recurrent dropout 0.2.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys

SIZES = {"500 × 128/100": (50_000, 500, 128, 100), "160 × 32/32": (10_000, 160, 32, 32)}
STEPS = 6


def measure(kind: str, size: str) -> None:
    """Prints the median processor milliseconds of a step; runs in a process of its own."""
    from lstm_study.training.runtime import configure

    configure(threads=1)
    import keras
    import numpy as np

    from lstm_study.configuration import Configuration
    from lstm_study.model import builder
    from lstm_study.spec import ProtocolTable

    if kind == "keras":
        builder.LSTM = keras.layers.LSTM
    vocabulary_size, maxlen, embedding_dim, lstm_units = SIZES[size]
    configuration = Configuration(
        vocabulary_size=vocabulary_size, maxlen=maxlen, embedding_dim=embedding_dim,
        lstm_units=lstm_units,
    )  # fmt: skip
    model = builder.build_model(configuration, protocol=ProtocolTable(), seed=1)
    random = np.random.default_rng(1)
    token_ids = random.integers(0, vocabulary_size, (64, maxlen)).astype(np.int32)
    labels = random.integers(0, 2, (64, 1)).astype(np.float32)
    times = []
    for _ in range(STEPS + 2):
        before = _processor_seconds()
        model.train_on_batch(token_ids, labels)
        times.append(1_000 * (_processor_seconds() - before))
    print(json.dumps(statistics.median(times[2:])))


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Runs the rounds and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--measure", nargs=2, metavar=("KIND", "SIZE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(*arguments.measure)
        return
    print("| size | Keras, ms | ours, ms | ratio, median (least to most) |")
    print("| --- | --: | --: | --: |")
    for size in SIZES:
        found: dict[str, list[float]] = {"keras": [], "ours": []}
        for _ in range(arguments.rounds):
            for kind, times in found.items():
                command = [sys.executable, "-m", __spec__.name, "--measure", kind, size]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                times.append(json.loads(done.stdout.splitlines()[-1]))
        ratios = [k / o for k, o in zip(found["keras"], found["ours"], strict=True)]
        print(
            f"| {size} | {statistics.median(found['keras']):.0f} "
            f"| {statistics.median(found['ours']):.0f} | {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f}) |",
            flush=True,
        )


if __name__ == "__main__":
    main()
