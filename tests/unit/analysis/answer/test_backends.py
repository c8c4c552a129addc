"""A report says where the runs that it compares were trained on different backends."""

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
    assert mixed_backends(on_backends("jax", "tensorflow")) == ""


def test_runs_on_two_backends_are_counted_by_arm():
    said = mixed_backends(on_backends("jax", "jax", "tensorflow"))
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
    assert f"{last.arm} 3 on jax, 1 on jax and tensorflow" in mixed_backends(study)
