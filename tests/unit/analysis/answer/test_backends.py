"""A report says where the runs that it compares were trained on different backends."""

import re
from dataclasses import replace

from lstm_study.analysis.answer.backends import backends_of, first_backend, mixed_backends
from tests.support.fake_study import on_backends


def test_a_study_began_on_the_backend_of_its_first_epoch():
    study = on_backends("jax", "tensorflow")
    assert first_backend((*study.runs, *study.trials), study.sessions) == "jax"


def test_a_session_that_trained_no_epoch_is_not_what_a_study_began_on():
    study = on_backends("jax", "tensorflow")
    assert first_backend(study.runs, study.sessions) == "tensorflow"
    assert first_backend((), study.sessions) == ""


def test_runs_on_one_backend_have_no_caveat_whatever_the_search_was_on():
    assert mixed_backends(on_backends("jax", "tensorflow")) == ()


def test_a_search_on_two_backends_has_a_caveat_of_its_own():
    study = on_backends("jax", "tensorflow")
    moments = sorted(epoch.ended_at for trial in study.trials for epoch in trial.epochs)
    machine = replace(study.sessions[0].machine, backend="tensorflow")
    second = replace(study.sessions[0], started_at=moments[-1], machine=machine)
    (said,) = mixed_backends(
        replace(study, sessions=(study.sessions[0], second, *study.sessions[1:]))
    )
    assert re.search(r"\(\d+ on jax, \d+ on jax and tensorflow\)", said)
    assert said.startswith("The search's trials were not all trained on one backend")


def test_validation_runs_on_two_backends_have_a_caveat_of_their_own():
    study = on_backends("jax", "jax", "tensorflow")
    begin, later = study.sessions[0].started_at, study.sessions[2].started_at
    runs = tuple(
        replace(run, run_id=f"baseline-validation-s{index}", arm="baseline-validation",
                trained_on="train", epochs=tuple(replace(e, ended_at=at) for e in run.epochs))
        for index, (run, at) in enumerate(zip(study.runs, (begin, later), strict=False), start=1)
    )  # fmt: skip
    (said,) = mixed_backends(replace(study, trials=(), runs=runs))
    assert "The validation runs were not all trained on one backend (1 on jax, 1 on ten" in said


def test_runs_on_two_backends_are_counted_by_arm():
    (said,) = mixed_backends(on_backends("jax", "jax", "tensorflow"))
    assert "(baseline 2 on jax, 2 on tensorflow; winner 2 on jax, 2 on tensorflow)" in said
    assert said.endswith("a difference between runs of two backends may come from that.")


def test_a_run_that_was_resumed_on_another_backend_is_counted_as_of_both():
    study = on_backends("jax", "jax")
    last = max(study.runs, key=lambda run: run.epochs[-1].ended_at)
    third = replace(
        study.sessions[1],
        started_at=last.epochs[-1].ended_at,
        machine=replace(study.sessions[1].machine, backend="tensorflow"),
    )
    study = replace(study, sessions=(*study.sessions, third))
    assert backends_of(last, study.sessions) == ("jax", "tensorflow")
    (said,) = mixed_backends(study)
    assert f"{last.arm} 3 on jax, 1 on jax and tensorflow" in said
