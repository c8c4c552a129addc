"""Fake studies for the tests of analysis and report: records as a real study leaves them.

A fake follows the real rules (Hyperband's schedule, promotions by score, one configuration per
slot, predictions that give the recorded accuracy) with learning curves from a small generative
model. Every fake is the same at every call.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.analysis.answer.ablation import follow_path
from lstm_study.analysis.search.summary import ranking, rounds
from lstm_study.records import (
    CorpusSummary,
    Epoch,
    ErrorKind,
    Failure,
    NearDuplicates,
    Opening,
    Run,
    Session,
    StudyRecords,
    Trial,
)
from lstm_study.schedule import hyperband
from lstm_study.seeds import derive
from lstm_study.spec import StudySpec
from tests.support.fake_reviews import fake_control, fake_corpus, fake_labels, with_facts
from tests.support.fake_spec import BEGINNING, SPEC_TEXT, TEST_REVIEWS, fake_spec, stamp
from tests.support.fake_trainings import (
    MACHINE,
    fail,
    fake_configuration,
    fake_history,
    fake_run,
    fake_search,
    fake_validation_run,
    skill_of,
)

HOSTILE = "<script>alert(1)</script>"


def completed_study(*, seeds: int = 4, iterations: int = 1, **settings: str) -> StudyRecords:
    """Search and comparison complete: every promotion made, every seed of both arms run.

    Args:
        seeds: Runs per arm.
        iterations: Passes over all brackets; one is 23 trials.
        settings: Changes to the spec, as in `fake_spec`.
    """
    study = _completed_study(seeds, iterations, tuple(settings.items()))
    own = {run_id: probabilities.copy() for run_id, probabilities in study.predictions.items()}
    return replace(study, predictions=own)


@cache
def _completed_study(
    seeds: int, iterations: int, settings: tuple[tuple[str, str], ...]
) -> StudyRecords:
    """Returns the study, made once."""
    counts = {"compare__seeds": str(seeds), "search__iterations": str(iterations)}
    spec = fake_spec(**counts, **dict(settings))
    trials = fake_search(spec)
    best = ranking(trials, spec.study.direction, max_epochs=spec.search.max_epochs)
    labels = fake_labels()
    runs, predictions = [], {}
    arms = [("baseline", spec.baseline.configuration)]
    arms += [("winner", best[0].configuration)] if best else []
    for arm, configuration in arms:
        for index in range(1, seeds + 1):
            run, probabilities = fake_run(arm, index, configuration, spec=spec, labels=labels)
            runs.append(run)
            predictions[run.run_id] = probabilities
    labels.flags.writeable = False
    return _records(spec, trials, tuple(runs), predictions=predictions, labels=labels)


def one_seed_study() -> StudyRecords:
    """Both arms have one run each, so nothing is known about seeds."""
    return completed_study(seeds=1)


def controlled_study() -> StudyRecords:
    """A complete study with a random control as long as its search; one of its trials failed."""
    study = completed_study(search__control="random")
    spec = fake_spec(search__control="random")
    count = study.planned_epochs // spec.search.max_epochs
    clock = BEGINNING + timedelta(hours=2)
    trials = []
    for slot in range(count):
        name = f"c-{slot:02d}"
        seed = derive(spec.study.seed, "trial", name)
        random = np.random.default_rng(seed)
        configuration = fake_configuration(spec, random)
        epochs = fake_history(
            configuration, random, skill=skill_of(configuration), first=1,
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
                worker="worker-1", started_at=stamp(started), ended_at=stamp(clock),
                seconds=round(seconds, 3),
            )
        )  # fmt: skip
    trials[2] = fail(trials[2], "diverged", "The loss of epoch 2 is nan.")
    return replace(
        study,
        trials=(*study.trials, *trials),
        planned_trials=study.planned_trials + count,
        planned_control=count,
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
        path = follow_path(runs, spec.baseline.configuration, winner, spec=spec)
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
                Opening(opened_at=stamp(BEGINNING), command="lstm-study run fake.toml",
                        run_id=name)
                for name in (*sorted(predictions), "test-reviews")
            ),
        )
    )  # fmt: skip


def failed_study() -> StudyRecords:
    """Some trials failed in each known way, one of them with a NaN loss, and so did one run."""
    study = completed_study()
    failures: dict[int, tuple[ErrorKind, str]] = {
        1: ("diverged", "The loss of epoch 1 is nan. Lower protocol.learning_rate."),
        6: ("bug", "ValueError: shapes (64, 80) and (64, 81) differ"),
        7: ("out_of_memory", "128/512 does not fit into 8 GB."),
        11: ("lost_worker", "worker-2 sent nothing for 120 s."),
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
    begun = next(trial for trial in study.trials if trial.trial_id == "b2-07-r0")
    running = replace(
        begun, status="running", epochs=(), score=None, score_last_epoch=None,
        score_best_epoch=None, ended_at="",
    )  # fmt: skip
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


def on_backends(*backends: str) -> StudyRecords:
    """A complete study: its search on the first backend, its runs in sessions of the others.

    With two of them all runs are on the second; each further one gets half of the runs that are
    left, by the time of their first epoch.
    """
    study = completed_study()
    runs = tuple(
        replace(run, epochs=tuple(_later(epoch, run.started_at) for epoch in run.epochs))
        for run in study.runs
    )
    starts = sorted(run.epochs[0].ended_at for run in runs)
    begun = [study.sessions[0].started_at]
    for _ in backends[1:]:
        begun.append(starts[0])
        starts = starts[len(starts) // 2 :]
    sessions = tuple(
        replace(
            study.sessions[min(place, 1)],
            started_at=moment,
            machine=replace(MACHINE, backend=backend),
        )
        for place, (moment, backend) in enumerate(zip(begun, backends, strict=True))
    )
    return replace(study, runs=runs, sessions=sessions)


def _later(epoch: Epoch, begin: str) -> Epoch:
    """Returns an epoch as one of a training that began at a moment."""
    ended = datetime.fromisoformat(begin) + timedelta(seconds=epoch.epoch)
    return replace(epoch, ended_at=stamp(ended))


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
    per_pass = sum(
        entry.planned for entry in rounds((), hyperband(max_epochs=10, factor=3, iterations=1))
    )
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
    schedule = rounds((), hyperband(max_epochs=spec.search.max_epochs, factor=spec.search.factor,
                                    iterations=spec.search.iterations))  # fmt: skip
    sessions = (
        Session(command="lstm-study run fake.toml", stage="search", started_at=stamp(BEGINNING),
                seconds=sum(trial.seconds for trial in trials), workers=2, threads=1,
                machine=MACHINE, git_commit="0123456789ab"),
        Session(command="lstm-study run fake.toml", stage="compare",
                started_at=stamp(BEGINNING + timedelta(hours=20)),
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
