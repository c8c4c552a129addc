"""Trials a minute of a search with one worker and with two, side by side.

    LSTM_STUDY_DATA=FOLDER python -m tests.benchmarks.workers

Runs `lstm-study search` on a slice of `imdb.npz` in a temporary folder, with one worker and with
two in turn, and prints a table. On two cores it takes about three minutes. The whole command is
timed, the workers' start included; "worked" leaves out what comes before the search. `--rounds N`
repeats it and prints medians.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from lstm_study.provenance import machine
from lstm_study.store import Store
from tests.support.commands import lstm_study

STUDY = """
[study]
name = "workers"
seed = 7
[data]
source = "imdb"
train_limit = 1500
test_limit = 100
[space]
vocabulary_size = 5000
maxlen = { choices = [80, 120] }
embedding_dim = { choices = [16, 32] }
lstm_units = { choices = [16, 32] }
dropout = 0.2
recurrent_dropout = { choices = [0.0, 0.2] }
[search]
max_epochs = 4
"""


def search(data: Path, workers: int) -> tuple[float, float, int, int]:
    """Runs one search; returns seconds of the command, seconds worked, trials and epochs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "workers.toml").write_text(STUDY)
        began = time.perf_counter()
        done = lstm_study(
            "search", "workers.toml", "--data", str(data), "--workers", str(workers), cwd=folder
        )
        seconds = time.perf_counter() - began
        if done.code:
            sys.exit(done.out + done.err)
        store = Store(folder / "study/runs/workers")
        trials = store.read_trials()
        worked = sum(session.seconds for session in store.read_sessions())
        return seconds, worked, len(trials), sum(len(trial.epochs) for trial in trials)


def main() -> None:
    """Runs the searches and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1)
    rounds = parser.parse_args().rounds
    folder = os.environ.get("LSTM_STUDY_DATA")
    if not folder:
        sys.exit("LSTM_STUDY_DATA must name the folder that holds imdb.npz.")
    found: dict[int, list[tuple[float, float, int, int]]] = {1: [], 2: []}
    data = (Path(folder) / "imdb.npz").absolute()
    for _ in range(rounds):
        for workers, results in found.items():
            results.append(search(data, workers))
    host = machine()
    print(f"{host.processor}, {host.cpu_count} processors; medians of {rounds}")
    print("| workers | trials | epochs | command, s | worked, s | trials a minute |")
    print("| --- | --- | --- | --- | --- | --- |")
    rates = {}
    for workers, results in found.items():
        seconds, worked = (statistics.median(each[n] for each in results) for n in (0, 1))
        trials, epochs = results[0][2:]
        rates[workers] = 60 * trials / worked
        print(
            f"| {workers} | {trials} | {epochs} | {seconds:.0f} | {worked:.0f} "
            f"| {rates[workers]:.1f} |"
        )
    print(f"Two workers against one: {rates[2] / rates[1]:.2f} times the trials a minute.")


if __name__ == "__main__":
    main()
