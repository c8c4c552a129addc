"""How much accuracy varies over seeds, by the number of training reviews.

    python -m tests.benchmarks.seed_spread [--seeds 8] [--reviews 500 1000 2000]
        [--networks baseline open] [--processes 2]

Trains on a stratified part of the packaged reviews as `lstm-study init` proposes for so many: the
baseline, and a network of the open space. Each then reads 4,000 other reviews. Failed runs are left
out by the study's own rule. The standard deviation over seeds is that of the accuracies, in points,
without what a run varies by on single reviews; *differ* is the share of the reviews on which two
runs differ. Each training is a process of its own, with one thread.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

TEST_REVIEWS = 4_000
NETWORKS = ("baseline", "open")


def measure(network: str, *, reviews: int, seed: int) -> None:
    """Trains once and prints the accuracy; runs in another process."""
    from lstm_study.training.runtime import configure

    configure(threads=1)
    from lstm_study.commands.proposal import Size, propose
    from lstm_study.configuration import Configuration
    from lstm_study.corpus.load import load
    from lstm_study.spec import DataTable, ProtocolTable
    from lstm_study.training.training import Training, predict
    from lstm_study.training.training import train as train_network

    total = reviews + TEST_REVIEWS
    corpus = load(
        DataTable(
            source="reviews", train_limit=total, validation_fraction=TEST_REVIEWS / total,
            test_limit=100,
        ),
        seed=1,
    )  # fmt: skip
    lengths = np.quantile(np.diff(corpus.train.offsets), [0.5, 0.75, 0.95]).astype(int)
    ids, counts = np.unique(corpus.train.token_ids, return_counts=True)
    proposed = propose(
        Size(
            reviews=total, training=len(corpus.train), test=TEST_REVIEWS,
            lengths=tuple(map(int, lengths)), words=len(ids),
            repeated_words=int((counts > 1).sum()), positive_share=0.5,
        )
    )  # fmt: skip
    if network == "baseline":
        configuration = Configuration(
            vocabulary_size=proposed.baseline_vocabulary_size, maxlen=proposed.baseline_maxlen
        )
    else:
        middle = len(proposed.width) // 2
        configuration = Configuration(
            vocabulary_size=proposed.vocabulary_size[-1], maxlen=proposed.maxlen[-1],
            embedding_dim=proposed.width[middle], lstm_units=proposed.width[middle],
            dropout=0.2, recurrent_dropout=0.0, bidirectional=True, pooling="all",
            embedding_dropout=0.4, output_dropout=0.4, learning_rate=0.003,
            learning_rate_schedule="linear", clip_norm=1.0,
        )  # fmt: skip
    epochs = proposed.baseline_epochs if network == "baseline" else proposed.epochs
    with tempfile.TemporaryDirectory() as folder:
        model = train_network(
            Training(
                configuration=configuration, protocol=ProtocolTable(batch_size=proposed.batch_size),
                seed=seed, epochs=epochs, masked=network != "baseline",
            ),
            reviews=corpus.train, validation=None, start=None,
            save=Path(folder) / "checkpoint.npz", where="", on_step=lambda step: None,
            on_epoch=lambda checkpoint: None,
        )  # fmt: skip
    told = predict(model, corpus.validation, configuration) >= 0.5
    correct = told.ravel() == (corpus.validation.labels == 1)
    print(
        json.dumps(
            {
                "correct": np.packbits(correct).tobytes().hex(),
                "sizes": f"{configuration.embedding_dim}/{configuration.lstm_units}",
                "epochs": epochs,
            }
        )
    )


def trained(network: str, reviews: int, seed: int) -> dict[str, Any]:
    """Trains in another process and returns what `measure` printed."""
    command = [sys.executable, "-m", __spec__.name, "--measure", network, str(reviews), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    bits = np.frombuffer(bytes.fromhex(found["correct"]), dtype=np.uint8)
    found["correct"] = np.unpackbits(bits).astype(bool)[:TEST_REVIEWS]
    print(f"{network} {reviews} {seed} {found['correct'].mean():.4f}", file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Trains every network with every seed on every number of reviews, and prints a table."""
    from lstm_study.analysis.statistics.failures import are_far_below

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--reviews", type=int, nargs="+", default=[500, 1_000, 2_000])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--measure", nargs=3, metavar=("NETWORK", "REVIEWS", "SEED"),
                        help=argparse.SUPPRESS)  # fmt: skip
    arguments = parser.parse_args()
    if arguments.measure:
        network, reviews, seed = arguments.measure
        measure(network, reviews=int(reviews), seed=int(seed))
        return
    columns = ("network", "epochs", "seeds", "failed", "accuracy", "over seeds", "differ")
    print(f"| training reviews | {' | '.join(columns)} |")
    print("| --: | --- | --: | --: | --: | --: | --: | --: |", flush=True)
    with ThreadPoolExecutor(arguments.processes) as pool:
        waiting = {
            (reviews, network): [
                pool.submit(trained, network, reviews, seed)
                for seed in range(1, arguments.seeds + 1)
            ]
            for reviews in arguments.reviews
            for network in arguments.networks
        }
        for (reviews, network), runs in waiting.items():
            found = [run.result() for run in runs]
            correct = np.stack([each["correct"] for each in found])
            failed = are_far_below(correct)
            kept = correct[~failed]
            print(
                f"| {reviews:,} | {network} {found[0]['sizes']} | {found[0]['epochs']} "
                f"| {len(found)} | {failed.sum()} | {kept.mean():.1%} "
                f"| {100 * over_seeds(kept):.2f} | {_differing(kept):.1%} |",
                flush=True,
            )


def over_seeds(correct: NDArray[np.bool_]) -> float:
    """Standard deviation of accuracy over seeds, a share, without what single reviews explain.

    Args:
        correct: Whether a run classifies a review correctly, bool [runs, reviews].
    """
    noise = correct.var(axis=0, ddof=1).mean() / correct.shape[1]
    return math.sqrt(max(0.0, statistics.variance(correct.mean(axis=1)) - noise))


def _differing(correct: NDArray[np.bool_]) -> float:
    """Share of the reviews on which two runs of one network differ."""
    return float(2 * correct.var(axis=0, ddof=1).mean())


if __name__ == "__main__":
    main()
