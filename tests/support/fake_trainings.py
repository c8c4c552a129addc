"""Fake trials and runs: learning curves from a small generative model.

They follow the real rules: Hyperband's schedule, promotions by score, one configuration per slot,
predictions that give the recorded accuracy.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.analysis.search.summary import ranking, rounds
from lstm_study.configuration import HYPERPARAMETERS, Configuration
from lstm_study.records import (
    Epoch,
    ErrorKind,
    Failure,
    Machine,
    Run,
    Trial,
)
from lstm_study.schedule import hyperband
from lstm_study.seeds import derive
from lstm_study.spec import StudySpec
from tests.support.fake_spec import BEGINNING, stamp

MACHINE = Machine(
    python="3.11.7", platform="Linux-6.1", processor="A processor", cpu_count=2,
    memory_bytes=8_000_000_000, backend="tensorflow", devices=("cpu",),
    packages={"keras": "3.15.0", "tensorflow": "2.21.0"},
)  # fmt: skip


def fail(trial: Trial, kind: ErrorKind, message: str, *, epochs: int = 1) -> Trial:
    """Returns the trial as it would be had it failed after some epochs."""
    return replace(
        trial, status="failed", epochs=trial.epochs[:epochs], score=None, score_last_epoch=None,
        score_best_epoch=None, failure=Failure(kind=kind, message=message, traceback="Traceback"),
    )  # fmt: skip


def fake_run(
    arm: str,
    index: int,
    configuration: Configuration,
    *,
    spec: StudySpec,
    labels: NDArray[np.int8],
) -> tuple[Run, NDArray[np.float32]]:
    """Returns one completed run and its test probabilities."""
    random = np.random.default_rng(derive(spec.study.seed, "fake run", arm, index))
    skill = skill_of(configuration) + random.normal(0, 0.003)
    epochs = fake_history(
        configuration, random, skill=skill, first=1, last=spec.protocol.epochs, validation=False
    )
    difficulty = np.random.default_rng(1).random(len(labels))
    own = random.random(len(labels))
    felt = np.where(random.random(len(labels)) < 0.8, difficulty, own)
    chance = 1 / (1 + np.exp(-7 * (skill - felt)))
    probabilities = np.where(labels == 1, chance, 1 - chance).astype(np.float32)
    accuracy = float(np.mean((probabilities > 0.5) == (labels == 1)))
    clipped = np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
    loss = float(-np.mean(np.where(labels == 1, np.log(clipped), np.log(1 - clipped))))
    started = BEGINNING + timedelta(hours=20, minutes=12 * index + (0 if arm == "baseline" else 6))
    seconds = sum(epoch.train_seconds for epoch in epochs) + 1.5
    return Run(
        run_id=f"{arm}-s{index}", arm=arm, seed_index=index,
        seed=derive(spec.study.seed, "run", index), configuration=configuration,
        protocol_epochs=spec.protocol.epochs, status="completed", epochs=epochs,
        parameter_count=configuration.parameter_count, test_accuracy=accuracy, test_loss=loss,
        test_seconds=round(0.2 + configuration.maxlen / 400, 3), test_reviews=len(labels),
        predict_1000_seconds=round(configuration.maxlen * configuration.lstm_units / 9e4, 4),
        worker="worker-1", started_at=stamp(started),
        ended_at=stamp(started + timedelta(seconds=seconds)), seconds=round(seconds, 3),
    ), probabilities  # fmt: skip


def fake_validation_run(
    arm: str, index: int, configuration: Configuration, *, spec: StudySpec
) -> Run:
    """Returns one completed run that left the validation reviews out, and never saw test."""
    random = np.random.default_rng(
        # The text that the golden files were made with, from before the open space.
        derive(spec.study.seed, "fake validation", index, _core_in_words(configuration))
    )
    epochs = fake_history(
        configuration, random, skill=skill_of(configuration), first=1, last=spec.search.max_epochs,
        validation=True,
    )  # fmt: skip
    return Run(
        run_id=f"{arm}-s{index}", arm=arm, seed_index=index, seed=index,
        configuration=configuration, protocol_epochs=spec.search.max_epochs, trained_on="train",
        masked=spec.protocol.masked and arm != "baseline-validation", status="completed",
        epochs=epochs, parameter_count=configuration.parameter_count, worker="worker-1",
        started_at=stamp(BEGINNING), ended_at=stamp(BEGINNING + timedelta(minutes=3)),
        seconds=round(sum(e.train_seconds + e.validation_seconds for e in epochs), 3),
    )  # fmt: skip


def fake_search(spec: StudySpec) -> tuple[Trial, ...]:
    """Runs Hyperband over the generative model: samples, ranks and promotes as the real one."""
    clock = BEGINNING
    found: list[Trial] = []
    survivors: list[Trial] = []
    schedule = rounds((), hyperband(max_epochs=spec.search.max_epochs, factor=spec.search.factor,
                                    iterations=spec.search.iterations))  # fmt: skip
    for entry in schedule:
        if entry.round == 0:
            parents: list[Trial | None] = [None] * entry.planned
        else:
            parents = [*ranking(survivors, "max")[: entry.planned]]
        survivors = []
        for slot, parent in enumerate(parents):
            prefix = f"i{entry.iteration}-" if entry.iteration else ""
            stem = f"{prefix}b{entry.bracket}-{slot:02d}"
            if parent is not None:
                stem = parent.trial_id.rpartition("-")[0]
            seed = parent.seed if parent else derive(spec.study.seed, "trial", stem)
            random = np.random.default_rng(derive(seed, "fake", entry.round))
            configuration = parent.configuration if parent else fake_configuration(spec, random)
            skill = skill_of(configuration) + np.random.default_rng(seed).normal(0, 0.006)
            epochs = fake_history(
                configuration, random, skill=skill, first=entry.initial_epoch + 1,
                last=entry.budget_epochs, validation=True,
            )  # fmt: skip
            seconds = sum(e.train_seconds + e.validation_seconds for e in epochs) + 1.0
            started, clock = clock, clock + timedelta(seconds=seconds)
            accuracies = [epoch.validation_accuracy or 0.0 for epoch in epochs]
            trial = Trial(
                trial_id=f"{stem}-r{entry.round}", configuration=configuration, seed=seed,
                iteration=entry.iteration, bracket=entry.bracket, round=entry.round,
                initial_epoch=entry.initial_epoch, budget_epochs=entry.budget_epochs,
                parent=parent.trial_id if parent else None, status="completed", epochs=epochs,
                parameter_count=configuration.parameter_count, score=accuracies[-1],
                score_last_epoch=accuracies[-1], score_best_epoch=max(accuracies),
                worker=f"worker-{slot % 2 + 1}", started_at=stamp(started),
                ended_at=stamp(clock), seconds=round(seconds, 3),
            )  # fmt: skip
            found.append(trial)
            survivors.append(trial)
    return tuple(found)


def fake_configuration(spec: StudySpec, random: np.random.Generator) -> Configuration:
    values: dict[str, Any] = {}
    for name, dimension in spec.model_dump()["space"].items():
        if "value" in dimension:
            values[name] = dimension["value"]
        elif "choices" in dimension:
            values[name] = dimension["choices"][random.integers(len(dimension["choices"]))]
        else:
            steps = round((dimension["max"] - dimension["min"]) / dimension["step"])
            drawn = dimension["min"] + dimension["step"] * int(random.integers(steps + 1))
            values[name] = round(drawn, 10)
    return Configuration.from_dict(values)


def skill_of(configuration: Configuration) -> float:
    """The accuracy that a configuration tends to: longer reviews and more words help a while."""
    reach = 1 - np.exp(-configuration.maxlen / 90)
    words = min(np.log10(configuration.vocabulary_size), 4.0) / 4
    width = min(configuration.lstm_units, 64) / 64 * 0.01
    waste = 0.03 * (configuration.dropout - 0.2) ** 2 + 0.3 * configuration.recurrent_dropout**2
    return float(0.67 + 0.18 * reach + 0.02 * words + width - waste)


def fake_history(
    configuration: Configuration,
    random: np.random.Generator,
    *,
    skill: float,
    first: int,
    last: int,
    validation: bool,
) -> tuple[Epoch, ...]:
    per_epoch = 0.5 + configuration.maxlen * configuration.lstm_units / 8000
    found = []
    for number in range(first, last + 1):
        reach = 1 - np.exp(-number / 1.1)
        accuracy = 0.5 + (skill - 0.5) * reach + random.normal(0, 0.004)
        train = min(0.999, 0.5 + (skill - 0.42) * (1 - np.exp(-number / 1.6)))
        overfit = 0.006 * max(0, number - 4)
        ended = BEGINNING + timedelta(seconds=60 * number)
        found.append(
            Epoch(
                epoch=number, train_loss=round(float(1.45 * (1 - train)), 6),
                train_accuracy=round(float(train), 6),
                validation_loss=round(float(1.6 * (1 - accuracy) + overfit), 6)
                if validation else None,
                validation_accuracy=round(float(accuracy - overfit / 2), 6)
                if validation else None,
                train_seconds=round(per_epoch * float(random.uniform(0.95, 1.05)), 3),
                validation_seconds=round(per_epoch / 8, 3) if validation else 0.0,
                ended_at=stamp(ended),
            )
        )  # fmt: skip
    return tuple(found)


def _core_in_words(configuration: Configuration) -> str:
    core = [name for name, row in HYPERPARAMETERS.items() if row.is_core]
    values = ", ".join(f"{name}={getattr(configuration, name)!r}" for name in core)
    return f"Configuration({values})"
