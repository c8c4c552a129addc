"""Masked against unmasked batches: validation accuracy, and processor time of an epoch.

    python -m tests.benchmarks.masked_batches [--seeds 3] [--epochs 3] [--train 8000]
        [--validation 4000] [--sizes 128/100 32/32]

Trains on a stratified part of the packaged reviews, each training in another process with one
thread. Both kinds have the same seeds. The processor time of an epoch excludes the first, which
compiles, if there are more.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

SIZES = {"128/100": (50_000, 500, 128, 100), "32/32": (10_000, 200, 32, 32)}


def measure(size: str, *, masked: bool, seed: int, epochs: int, train: int, held: int) -> None:
    """Trains once and prints the results; runs in another process."""
    from lstm_study.training.runtime import configure

    configure(threads=1)
    from lstm_study.configuration import Configuration
    from lstm_study.corpus.load import load
    from lstm_study.spec import DataTable, ProtocolTable
    from lstm_study.training.training import Training
    from lstm_study.training.training import train as train_network

    data = DataTable(
        source="reviews", train_limit=train + held, validation_fraction=held / (train + held),
        test_limit=100,
    )  # fmt: skip
    corpus = load(data, seed=1)
    vocabulary_size, maxlen, embedding_dim, lstm_units = SIZES[size]
    configuration = Configuration(
        vocabulary_size=vocabulary_size, maxlen=maxlen, embedding_dim=embedding_dim,
        lstm_units=lstm_units,
    )  # fmt: skip
    ends = [_processor_seconds()]
    checkpoints = []

    def on_epoch(checkpoint: object) -> None:
        ends.append(_processor_seconds())
        checkpoints.append(checkpoint)

    with tempfile.TemporaryDirectory() as folder:
        train_network(
            Training(
                configuration=configuration, protocol=ProtocolTable(), seed=seed, epochs=epochs,
                masked=masked,
            ),
            reviews=corpus.train, validation=corpus.validation, start=None,
            save=Path(folder) / "checkpoint.npz", where="", on_step=lambda step: None,
            on_epoch=on_epoch,
        )  # fmt: skip
    took = [later - earlier for earlier, later in pairwise(ends)]
    print(
        json.dumps(
            {
                "accuracies": [epoch.validation_accuracy for epoch in checkpoints[-1].epochs],
                "losses": [epoch.validation_loss for epoch in checkpoints[-1].epochs],
                "first_seconds": took[0],
                "epoch_seconds": statistics.median(took[1:] or took),
            }
        )
    )


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Trains every kind with every seed, one after the other, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--train", type=int, default=8_000)
    parser.add_argument("--validation", type=int, default=4_000)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--measure", nargs=3, metavar=("SIZE", "KIND", "SEED"),
                        help=argparse.SUPPRESS)  # fmt: skip
    arguments = parser.parse_args()
    if arguments.measure:
        size, kind, seed = arguments.measure
        measure(
            size, masked=kind == "masked", seed=int(seed), epochs=arguments.epochs,
            train=arguments.train, held=arguments.validation,
        )  # fmt: skip
        return
    print("| size | batches | seed | validation accuracy by epoch | epoch, s | first epoch, s |")
    print("| --- | --- | --: | --- | --: | --: |")
    for size in arguments.sizes:
        for seed in range(1, arguments.seeds + 1):
            for kind in ("unmasked", "masked"):
                command = [
                    sys.executable, "-m", __spec__.name, "--measure", size, kind, str(seed),
                    "--epochs", str(arguments.epochs), "--train", str(arguments.train),
                    "--validation", str(arguments.validation),
                ]  # fmt: skip
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                found = json.loads(done.stdout.splitlines()[-1])
                accuracies = ", ".join(f"{each:.2%}" for each in found["accuracies"])
                print(
                    f"| {size} | {kind} | {seed} | {accuracies} | {found['epoch_seconds']:.1f} "
                    f"| {found['first_seconds']:.1f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
