"""Fake studies for the tests of analysis and report: records as a real study leaves them.

A fake follows the real rules (Hyperband's schedule, promotions by score, one configuration per
slot, predictions that give the recorded accuracy) with learning curves from a small generative
model. Every fake is the same at every call.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.analysis.answer.ablation import walk
from lstm_study.analysis.answer.arms import arms_from_records
from lstm_study.analysis.answer.reviews import differing_reviews
from lstm_study.analysis.search.summary import ranking, rounds
from lstm_study.analysis.statistics.metrics import measure
from lstm_study.configuration import Configuration
from lstm_study.records import (
    Control,
    ControlCandidate,
    CorpusSummary,
    Epoch,
    ErrorKind,
    Excerpt,
    Failure,
    Machine,
    NearDuplicates,
    Opening,
    ReviewFacts,
    Run,
    Session,
    SplitSummary,
    StudyRecords,
    Trial,
    UnknownWords,
)
from lstm_study.seeds import derive
from lstm_study.spec import StudySpec, parse_spec

HOSTILE = "<script>alert(1)</script>"
TEST_REVIEWS = 2_000
_BEGINNING = datetime(2025, 3, 1, 9, 0, tzinfo=UTC)

SPEC_TEXT = """\
# A fake study, for tests.
[study]
name = "fake"
title = "A fake study"
seed = 7
objective = "validation_accuracy"

[data]
source = "reviews"
test_fraction = 0.2
validation_fraction = 0.2

[space]
vocabulary_size = { choices = [5000, 10000, 20000] }
maxlen = { choices = [80, 120, 160, 200] }
embedding_dim = { choices = [16, 32, 64] }
lstm_units = { min = 16, max = 128, step = 16 }
dropout = { min = 0.0, max = 0.4, step = 0.1 }
recurrent_dropout = { min = 0.0, max = 0.4, step = 0.1 }

[search]
max_epochs = 9
factor = 3

[protocol]
epochs = 5
masked = false

[baseline]
maxlen = 200

[compare]
seeds = 4
"""

MACHINE = Machine(
    python="3.11.7", platform="Linux-6.1", processor="A processor", cpu_count=2,
    memory_bytes=8_000_000_000, backend="tensorflow", devices=("cpu",),
    packages={"keras": "3.15.0", "tensorflow": "2.21.0"},
)  # fmt: skip


def fake_spec(**settings: str) -> StudySpec:
    """Returns the fake study's spec; settings are `table__key="TOML value"`."""
    changes = [f"{key.replace('__', '.')}={value}" for key, value in settings.items()]
    return parse_spec(SPEC_TEXT, where="fake.toml", settings=changes)


def completed_study(*, seeds: int = 4, iterations: int = 1, **settings: str) -> StudyRecords:
    """Search and comparison complete: every promotion made, every seed of both arms run.

    Args:
        seeds: Runs per arm.
        iterations: Passes over all brackets; one is 23 trials.
        settings: Changes to the spec, as in `fake_spec`.
    """
    spec = fake_spec(compare__seeds=str(seeds), search__iterations=str(iterations), **settings)
    trials = _search(spec)
    best = ranking(trials, spec.study.direction, max_epochs=spec.search.max_epochs)
    labels = _labels()
    runs, predictions = [], {}
    arms = [("baseline", spec.baseline.configuration)]
    arms += [("winner", best[0].configuration)] if best else []
    for arm, configuration in arms:
        for index in range(1, seeds + 1):
            run, probabilities = fake_run(arm, index, configuration, spec=spec, labels=labels)
            runs.append(run)
            predictions[run.run_id] = probabilities
    return _records(spec, trials, tuple(runs), predictions=predictions, labels=labels)


def one_seed_study() -> StudyRecords:
    """Both arms have one run each, so nothing is known about seeds."""
    return completed_study(seeds=1)


def controlled_study() -> StudyRecords:
    """A complete study with a random control as long as its search; one of its trials failed."""
    study = completed_study(search__control="random")
    spec = fake_spec(search__control="random")
    count = study.planned_epochs // spec.search.max_epochs
    clock = _BEGINNING + timedelta(hours=2)
    trials = []
    for slot in range(count):
        name = f"c-{slot:02d}"
        seed = derive(spec.study.seed, "trial", name)
        random = np.random.default_rng(seed)
        configuration = _sample(spec, random)
        epochs = _history(
            configuration, random, skill=_skill(configuration), first=1,
            last=spec.search.max_epochs, validation=True,
        )  # fmt: skip
        seconds = sum(e.train_seconds + e.validation_seconds for e in epochs) + 1.0
        started, clock = clock, clock + timedelta(seconds=seconds)
        accuracies = [epoch.validation_accuracy or 0.0 for epoch in epochs]
        trials.append(
            Trial(
                trial_id=f"{name}-r0", configuration=configuration, seed=seed, role="control",
                iteration=0, bracket=0, round=0, initial_epoch=0,
                budget_epochs=spec.search.max_epochs, status="completed", epochs=epochs,
                parameter_count=configuration.parameter_count, score=accuracies[-1],
                score_last_epoch=accuracies[-1], score_best_epoch=max(accuracies),
                worker="worker-1", started_at=_stamp(started), ended_at=_stamp(clock),
                seconds=round(seconds, 3),
            )
        )  # fmt: skip
    trials[2] = fail(trials[2], "diverged", "The loss of epoch 2 is nan.")
    return replace(
        study,
        trials=(*study.trials, *trials),
        planned_trials=study.planned_trials + count,
        planned_epochs=study.planned_epochs + count * spec.search.max_epochs,
    )


def compared_study() -> StudyRecords:
    """A masked study with every arm there is: twin, runner-up, own epochs, control, ensemble.

    The way from baseline to winner, validation runs, near-duplicates and the facts of the test
    reviews are there, too.
    """
    settings = {
        "protocol__masked": "true", "compare__ablation": "true", "compare__runner_ups": "1",
        "compare__validation_seeds": "2", "export__ensemble": "true",
    }  # fmt: skip
    study = completed_study(**settings)
    spec = StudySpec.model_validate(study.spec, strict=False)
    labels = study.test_labels
    assert labels is not None
    runs = [replace(run, masked=run.arm == "winner") for run in study.runs]
    predictions = dict(study.predictions)
    best = ranking(study.trials, spec.study.direction, max_epochs=spec.search.max_epochs)
    winner = best[0].configuration
    others = {
        "baseline-masked": spec.baseline.configuration,
        "runner-up-1": next(t.configuration for t in best if t.configuration != winner),
    }
    for arm, configuration in others.items():
        for index in range(1, spec.compare.seeds + 1):
            run, probabilities = fake_run(arm, index, configuration, spec=spec, labels=labels)
            runs.append(replace(run, masked=True))
            predictions[run.run_id] = probabilities
    for index in range(1, spec.compare.seeds + 1):
        run, probabilities = fake_run("winner-own-epoch", index, winner, spec=spec, labels=labels)
        trained = next(each for each in runs if each.run_id == f"winner-s{index}")
        runs.append(
            replace(
                run, masked=True, protocol_epochs=3, own_epoch=3, epochs=trained.epochs[:3],
                trained_as=trained.run_id, seconds=sum(e.train_seconds for e in trained.epochs[:3]),
            )
        )  # fmt: skip
        runs[runs.index(trained)] = replace(trained, own_epoch=3)
        predictions[run.run_id] = probabilities
    runs += [
        fake_validation_run(f"{arm}-validation", index, configuration, spec=spec)
        for arm, configuration in (
            ("baseline", spec.baseline.configuration), ("winner", winner),
            ("baseline-masked", spec.baseline.configuration),
        )
        for index in range(1, 2 if arm == "baseline-masked" else 3)
    ]  # fmt: skip
    while True:
        path = walk(runs, spec.baseline.configuration, winner, spec=spec)
        missing = {
            run_id: configuration
            for run_id, (_, configuration) in path.candidates.items()
            if run_id not in {run.run_id for run in runs}
        }
        if not missing:
            break
        runs += [
            replace(fake_validation_run("ablation", 1, each, spec=spec), run_id=run_id)
            for run_id, each in missing.items()
        ]
    control, probabilities = fake_control(labels)
    predictions["control"] = probabilities
    return with_facts(
        replace(
            study,
            runs=tuple(sorted(runs, key=lambda run: (run.arm, run.seed_index))),
            predictions=predictions,
            control=control,
            near_duplicates=NearDuplicates(
                shingle_words=8, threshold=0.5, test_reviews=TEST_REVIEWS,
                positions=tuple(range(3, TEST_REVIEWS, 90)), exact=9, other_label=1, seconds=0.4,
            ),
            openings=tuple(
                Opening(opened_at=_stamp(_BEGINNING), command="lstm-study run fake.toml",
                        run_id=name)
                for name in (*sorted(predictions), "test-reviews")
            ),
        )
    )  # fmt: skip


def fake_control(labels: NDArray[np.int8]) -> tuple[Control, NDArray[np.float32]]:
    """Returns a completed classical control and its test probabilities."""
    felt = np.random.default_rng(1).random(len(labels))
    chance = 1 / (1 + np.exp(-9 * (0.86 - felt)))
    probabilities = np.where(labels == 1, chance, 1 - chance).astype(np.float32)
    found = measure(labels, probabilities)
    return Control(
        status="completed", weighting="nb", inverse_regularisation=0.1,
        candidates=tuple(
            ControlCandidate(
                weighting=weighting, inverse_regularisation=strength,
                validation_accuracy=0.85 + place / 1000, validation_loss=0.35 - place / 1000,
                seconds=0.2 + place / 10,
            )
            for place, (weighting, strength) in enumerate(
                (("nb", 0.01), ("nb", 1.0), ("nb", 0.1), ("tfidf", 1.0))
            )
        ),
        feature_count=41_200, seconds=3.1, fit_seconds=1.2, test_accuracy=found.accuracy,
        test_loss=found.log_loss, test_roc_auc=found.roc_auc, test_f1=found.f1,
        test_brier_score=found.brier_score, test_calibration_error=found.calibration_error,
        test_reviews=len(labels), predict_1000_seconds=0.06, worker="worker-1",
        started_at=_stamp(_BEGINNING), ended_at=_stamp(_BEGINNING + timedelta(seconds=4)),
    ), probabilities  # fmt: skip


def with_facts(study: StudyRecords, *, text: str = "") -> StudyRecords:
    """Returns the study with the facts of its test reviews.

    Args:
        study: With runs of winner and baseline.
        text: What every excerpt begins with.
    """
    random = np.random.default_rng(5)
    lengths = 10 + random.lognormal(5.1, 0.6, TEST_REVIEWS).astype(int)
    sizes = sorted({run.configuration.vocabulary_size for run in study.runs})
    arms = arms_from_records(study)
    differing = differing_reviews(arms["winner"], arms["baseline"])
    words = ["an", "acting", "film", "that", "nobody", "saw", "and", "everybody", "liked"]
    return replace(
        study,
        review_facts=ReviewFacts(
            lengths=tuple(lengths.tolist()),
            unknown=tuple(
                UnknownWords(
                    vocabulary_size=size,
                    tokens=tuple(
                        random.binomial(lengths - 1, 0.07 if size < 10_000 else 0.01).tolist()
                    ),
                )
                for size in sizes
            ),
            excerpts=tuple(
                Excerpt(
                    position=position,
                    text=f"{text}Review {position}: " + " ".join(random.permutation(words)) + ".",
                )
                for position in sorted(review.position for review in differing)
            ),
            text_from="source",
            runs=tuple(sorted(run.run_id for run in study.runs if run.arm in arms)),
        ),
    )


def failed_study() -> StudyRecords:
    """Some trials failed in each known way, one of them with a NaN loss, and so did one run."""
    study = completed_study()
    failures: dict[int, tuple[ErrorKind, str]] = {
        1: ("diverged", "The loss of epoch 1 is nan. Lower protocol.learning_rate."),
        6: ("bug", "ValueError: shapes (64, 80) and (64, 81) differ"),
        7: ("out_of_memory", "128/512 does not fit into 8 GB."),
        11: ("lost_worker", "worker-2 gave no sign of life for 120 s."),
    }
    trials = list(study.trials)
    for index, (kind, message) in failures.items():
        trials[index] = fail(trials[index], kind, message)
    dead = {trial.trial_id for trial in trials if trial.status == "failed"}
    trials = [trial for trial in trials if trial.parent not in dead]
    last = study.runs[-1]
    runs = (
        *study.runs[:-1],
        replace(
            last, status="failed", epochs=last.epochs[:2], test_accuracy=None, test_loss=None,
            test_seconds=None, test_reviews=None,
            failure=Failure(kind="diverged", message="The loss of epoch 3 is nan."),
        ),
    )  # fmt: skip
    predictions = {k: v for k, v in study.predictions.items() if k != last.run_id}
    return replace(study, trials=tuple(trials), runs=runs, predictions=predictions)


def interrupted_study() -> StudyRecords:
    """The search was stopped in its first bracket; nothing has been compared."""
    study = completed_study()
    trials = study.trials[:7]
    half = replace(
        trials[-1], status="interrupted", epochs=(), score=None, score_last_epoch=None,
        score_best_epoch=None, ended_at="",
    )  # fmt: skip
    running = replace(half, trial_id="b2-07-r0", status="running")
    return replace(
        study, trials=(*trials[:-1], half, running), runs=(), predictions={}, test_labels=None,
        openings=(), sessions=study.sessions[:1],
    )  # fmt: skip


def diverged_study() -> StudyRecords:
    """Every trial failed with a loss that is not a number; there is no winner."""
    study = completed_study()
    trials = tuple(
        fail(trial, "diverged", "The loss of epoch 1 is nan.", epochs=0)
        for trial in study.trials
        if trial.round == 0
    )
    runs = tuple(run for run in study.runs if run.arm == "baseline")
    kept = {run.run_id: study.predictions[run.run_id] for run in runs}
    return replace(study, trials=trials, runs=runs, predictions=kept)


def tied_study() -> StudyRecords:
    """Every full-budget trial has the same score, and every run the same test accuracy."""
    study = completed_study()
    trials = tuple(
        replace(trial, score=0.875, score_last_epoch=0.875, score_best_epoch=0.875)
        if trial.budget_epochs == 9
        else trial
        for trial in study.trials
    )
    shared = study.predictions[study.runs[0].run_id]
    first = study.runs[0]
    runs = tuple(
        replace(run, test_accuracy=first.test_accuracy, test_loss=first.test_loss)
        for run in study.runs
    )
    return replace(
        study, trials=trials, runs=runs, predictions={run.run_id: shared for run in runs}
    )


def empty_study() -> StudyRecords:
    """A study that began and has trained nothing; its reviews were not read yet either."""
    spec = fake_spec()
    return _records(spec, (), (), predictions={}, labels=None, corpus=None, begun=False)


def large_study(trials: int = 1000) -> StudyRecords:
    """At least so many trials of at most 10 epochs, as 34 and more passes of Hyperband leave."""
    per_pass = sum(entry.planned for entry in rounds((), max_epochs=10, factor=3, iterations=1))
    return completed_study(iterations=-(-trials // per_pass), search__max_epochs="10")


def hostile_study() -> StudyRecords:
    """Names, errors, labels, paths, devices and spec hold HTML, formulas and control marks."""
    study = failed_study()
    formula = '=HYPERLINK("http://example.invalid","x")'
    trials = tuple(
        replace(
            trial,
            worker=f"{HOSTILE}",
            failure=replace(trial.failure, message=f"{formula} {HOSTILE}", traceback=HOSTILE),
        )
        if trial.failure is not None
        else replace(trial, worker=f"@{HOSTILE}")
        for trial in study.trials
    )
    assert study.corpus is not None
    corpus = replace(
        study.corpus, path=f"/tmp/{HOSTILE}.csv", labels=(f"-bad{HOSTILE}", f"+good{HOSTILE}")
    )
    machine = replace(MACHINE, processor=HOSTILE, devices=(HOSTILE,))
    return replace(
        with_facts(study, text=f'{formula} {HOSTILE} "'),
        title=f"Reviews {HOSTILE} & 'quotes'",
        spec_text=f"# {HOSTILE}\n# ]]> --> </style>\n" + SPEC_TEXT,
        deviations=(f"baseline {HOSTILE}",), settings=(f'study.title="{HOSTILE}"',),
        corpus=corpus, trials=trials,
        sessions=tuple(
            replace(session, command=f"lstm-study {HOSTILE}", machine=machine)
            for session in study.sessions
        ),
        openings=tuple(replace(opening, command=HOSTILE) for opening in study.openings),
    )  # fmt: skip


ALL_STUDIES = {
    "completed": completed_study,
    "one-seed": one_seed_study,
    "failed": failed_study,
    "interrupted": interrupted_study,
    "diverged": diverged_study,
    "tied": tied_study,
    "empty": empty_study,
    "hostile": hostile_study,
    "controlled": controlled_study,
    "compared": compared_study,
}


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
    skill = _skill(configuration) + random.normal(0, 0.003)
    epochs = _history(
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
    started = _BEGINNING + timedelta(hours=20, minutes=12 * index + (0 if arm == "baseline" else 6))
    seconds = sum(epoch.train_seconds for epoch in epochs) + 1.5
    return Run(
        run_id=f"{arm}-s{index}", arm=arm, seed_index=index,
        seed=derive(spec.study.seed, "run", index), configuration=configuration,
        protocol_epochs=spec.protocol.epochs, status="completed", epochs=epochs,
        parameter_count=configuration.parameter_count, test_accuracy=accuracy, test_loss=loss,
        test_seconds=round(0.2 + configuration.maxlen / 400, 3), test_reviews=len(labels),
        predict_1000_seconds=round(configuration.maxlen * configuration.lstm_units / 9e4, 4),
        worker="worker-1", started_at=_stamp(started),
        ended_at=_stamp(started + timedelta(seconds=seconds)), seconds=round(seconds, 3),
    ), probabilities  # fmt: skip


def fake_validation_run(
    arm: str, index: int, configuration: Configuration, *, spec: StudySpec
) -> Run:
    """Returns one completed run that left the validation reviews out, and never saw test."""
    random = np.random.default_rng(
        derive(spec.study.seed, "fake validation", index, repr(configuration))
    )
    epochs = _history(
        configuration, random, skill=_skill(configuration), first=1, last=spec.search.max_epochs,
        validation=True,
    )  # fmt: skip
    return Run(
        run_id=f"{arm}-s{index}", arm=arm, seed_index=index, seed=index,
        configuration=configuration, protocol_epochs=spec.search.max_epochs, trained_on="train",
        masked=spec.protocol.masked and arm != "baseline-validation", status="completed",
        epochs=epochs, parameter_count=configuration.parameter_count, worker="worker-1",
        started_at=_stamp(_BEGINNING), ended_at=_stamp(_BEGINNING + timedelta(minutes=3)),
        seconds=round(sum(e.train_seconds + e.validation_seconds for e in epochs), 3),
    )  # fmt: skip


def _search(spec: StudySpec) -> tuple[Trial, ...]:
    """Runs Hyperband over the generative model: samples, ranks and promotes as the real one."""
    clock = _BEGINNING
    found: list[Trial] = []
    survivors: list[Trial] = []
    schedule = rounds(
        (), max_epochs=spec.search.max_epochs, factor=spec.search.factor,
        iterations=spec.search.iterations,
    )  # fmt: skip
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
            configuration = parent.configuration if parent else _sample(spec, random)
            skill = _skill(configuration) + np.random.default_rng(seed).normal(0, 0.006)
            epochs = _history(
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
                worker=f"worker-{slot % 2 + 1}", started_at=_stamp(started),
                ended_at=_stamp(clock), seconds=round(seconds, 3),
            )  # fmt: skip
            found.append(trial)
            survivors.append(trial)
    return tuple(found)


def _sample(spec: StudySpec, random: np.random.Generator) -> Configuration:
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


def _skill(configuration: Configuration) -> float:
    """The accuracy that a configuration tends to: longer reviews and more words help a while."""
    reach = 1 - np.exp(-configuration.maxlen / 90)
    words = min(np.log10(configuration.vocabulary_size), 4.0) / 4
    width = min(configuration.lstm_units, 64) / 64 * 0.01
    waste = 0.03 * (configuration.dropout - 0.2) ** 2 + 0.3 * configuration.recurrent_dropout**2
    return float(0.67 + 0.18 * reach + 0.02 * words + width - waste)


def _history(
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
        ended = _BEGINNING + timedelta(seconds=60 * number)
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
                ended_at=_stamp(ended),
            )
        )  # fmt: skip
    return tuple(found)


def _labels() -> NDArray[np.int8]:
    return np.tile(np.array([0, 1], dtype=np.int8), TEST_REVIEWS // 2)


def fake_corpus() -> CorpusSummary:
    """Returns the reviews of the fake study in numbers."""
    return CorpusSummary(
        source="reviews", path="", digest="d" * 64, source_sha256="5" * 64,
        labels=("negative", "positive"), vocabulary_size=24_310,
        coverage=((1_000, 0.843), (5_000, 0.931), (10_000, 0.958), (20_000, 0.978),
                  (24_310, 0.985)),
        length_counts=((50, 34), (100, 145), (150, 400), (200, 310), (300, 291), (500, 250),
                       (1000, 150), (2500, 20)),
        splits=(
            SplitSummary(name="train", reviews=1_600, positive=801, tokens=378_000,
                         length_quantiles=(11, 66, 127, 173, 284, 590, 2_470), duplicates=6),
            SplitSummary(name="validation", reviews=400, positive=200, tokens=93_100,
                         length_quantiles=(14, 68, 125, 171, 280, 581, 1_200), duplicates=0),
            SplitSummary(name="test", reviews=TEST_REVIEWS, positive=TEST_REVIEWS // 2,
                         tokens=470_000, length_quantiles=(10, 65, 128, 174, 286, 600, 1_400),
                         duplicates=1),
        ),
        duplicates_across=0,
    )  # fmt: skip


def _records(
    spec: StudySpec,
    trials: tuple[Trial, ...],
    runs: tuple[Run, ...],
    *,
    predictions: Mapping[str, Any],
    labels: NDArray[np.int8] | None,
    corpus: CorpusSummary | None = None,
    begun: bool = True,
) -> StudyRecords:
    schedule = rounds(
        (), max_epochs=spec.search.max_epochs, factor=spec.search.factor,
        iterations=spec.search.iterations,
    )  # fmt: skip
    sessions = (
        Session(command="lstm-study run fake.toml", stage="search", started_at=_stamp(_BEGINNING),
                seconds=sum(trial.seconds for trial in trials), workers=2, threads=1,
                machine=MACHINE, git_commit="0123456789ab"),
        Session(command="lstm-study run fake.toml", stage="compare",
                started_at=_stamp(_BEGINNING + timedelta(hours=20)),
                seconds=sum(run.seconds for run in runs), workers=1, threads=2,
                machine=MACHINE, git_commit="0123456789ab"),
    )  # fmt: skip
    return StudyRecords(
        name=spec.study.name, title=spec.study.title, spec_text=SPEC_TEXT,
        spec=spec.model_dump(mode="json"), deviations=tuple(spec.deviations), settings=(),
        corpus=fake_corpus() if begun and corpus is None else corpus,
        planned_trials=sum(entry.planned for entry in schedule),
        planned_epochs=sum(
            entry.planned * (entry.budget_epochs - entry.initial_epoch) for entry in schedule
        ),
        trials=tuple(sorted(trials, key=lambda trial: trial.trial_id)),
        runs=runs, sessions=sessions if begun else (),
        openings=tuple(
            Opening(opened_at=run.ended_at, command="lstm-study run fake.toml", run_id=run.run_id)
            for run in runs
        ),
        predictions=predictions, test_labels=labels,
    )  # fmt: skip


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
