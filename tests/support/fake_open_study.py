"""Fake studies beyond the documented space: one that opens more of it, one with a builder."""

from dataclasses import replace

from lstm_study.analysis.search.summary import ranking
from lstm_study.configuration import Configuration
from lstm_study.records import StudyRecords
from lstm_study.spec import StudySpec
from tests.support.fake_study import compared_study, completed_study
from tests.support.fake_trainings import fake_run
from tests.support.own import DECLARED

OPENED = {
    "bidirectional": {"choices": [False, True]},
    "pooling": {"choices": ["last", "max", "all"]},
    "learning_rate": {"min": 0.001, "max": 0.01, "sampling": "log"},
    "word_dropout": {"choices": [0.1, 0.2], "when": {"pooling": ["max"]}},
}


def opened_study() -> StudyRecords:
    """The compared fake study with an open space, configurations out of it, and finalists.

    The protocol has 4 epochs, the documented baseline its own 10; the arm baseline-recipe is there.
    """
    records = compared_study()
    spec = StudySpec.model_validate(
        {
            **records.spec,
            "space": {**records.spec["space"], **OPENED, "summed_gradients": True},
            "protocol": {**records.spec["protocol"], "epochs": 4},
            "baseline": {**records.spec["baseline"], "epochs": 10},
        },
        strict=False,
    )
    baseline = spec.baseline.configuration
    trials = [replace(each, configuration=_opened(each.configuration)) for each in records.trials]
    runs = [
        replace(
            run,
            configuration=baseline if _is_baseline(run.arm) else _opened(run.configuration),
            protocol_epochs=10 if run.arm in ("baseline", "baseline-masked") else 4,
            temperature=2.0 if run.arm == "winner-validation" else None,
        )
        for run in records.runs
    ]
    predictions = dict(records.predictions)
    assert records.test_labels is not None
    for index in range(1, spec.compare.seeds + 1):
        run, probabilities = fake_run(
            "baseline-recipe", index, baseline, spec=spec, labels=records.test_labels
        )
        recipe = baseline.with_values(learning_rate=0.004)
        runs.append(replace(run, configuration=recipe, masked=True))
        predictions[run.run_id] = probabilities
    ranked = ranking(trials, spec.study.direction, max_epochs=spec.search.max_epochs)
    finalists = [
        replace(
            parent, trial_id=f"f-{place}-s{index}", parent=parent.trial_id, role="finalist",
            bracket=0, round=0, initial_epoch=0, seed=index,
        )
        for place, parent in enumerate(ranked[:2], start=1)
        for index in (1, 2, 3)
    ]  # fmt: skip
    return replace(
        records,
        name="open",
        spec=spec.model_dump(mode="json"),
        trials=(*trials, *finalists),
        runs=tuple(runs),
        predictions=predictions,
        deviations=tuple(spec.deviations),
    )


def built_study() -> StudyRecords:
    """The completed fake study with networks of a builder, whose hyperparameters are its own."""
    records = completed_study()
    own = {"filters_0": 4, "dropout": 0.0, "compiled": False, "filters_1": 4}
    tables = {
        **records.spec,
        "space": {},
        "baseline": {"convolutions": 1, "pooling": "mean", "learning_rate": 0.01, **own},
        "model": {
            "builder": "own.py:build", "source": "", "sha256": "0" * 64, "parameter_count": 700,
            "hyperparameters": DECLARED,
        },
    }  # fmt: skip
    spec = StudySpec.model_validate(tables, strict=False)

    def built(configuration: Configuration) -> Configuration:
        number = configuration.maxlen + configuration.lstm_units
        return spec.space.configuration(
            own
            | {
                "vocabulary_size": 100, "maxlen": 8, "convolutions": 1 + number // 16 % 2,
                "pooling": ("max", "mean")[number % 3 % 2],
                "learning_rate": 0.001 * (1 + number % 7),
            }
        )  # fmt: skip

    return replace(
        records,
        name="built",
        spec=spec.model_dump(mode="json"),
        trials=tuple(replace(t, configuration=built(t.configuration)) for t in records.trials),
        runs=tuple(
            replace(
                run,
                configuration=spec.baseline.configuration
                if _is_baseline(run.arm)
                else built(run.configuration),
            )
            for run in records.runs
        ),
        deviations=tuple(spec.deviations),
    )


def _is_baseline(arm: str) -> bool:
    return arm.startswith("baseline")


def _opened(configuration: Configuration) -> Configuration:
    number = configuration.maxlen + configuration.lstm_units
    pooling = ("last", "max", "all")[number % 3]
    return configuration.with_values(
        bidirectional=configuration.embedding_dim > 32, pooling=pooling, summed_gradients=True,
        learning_rate=0.001 * (1 + number % 7), word_dropout=0.1 * (pooling == "max"),
    )  # fmt: skip
