"""Rows of training steps: what is compared with the arithmetic limit, and what is not."""

from tests.benchmarks import step
from tests.benchmarks.measure import Settings


def test_steps_on_a_gpu_have_no_limit_of_products_that_are_timed_one_by_one(tmp_path, monkeypatch):
    told = {"0.0 wall_ms": 20.0, "0.2 wall_ms": 28.0}
    asked = []
    monkeypatch.setattr(step, "growing", lambda function, **given: iter([told]))
    monkeypatch.setattr(step, "fresh", lambda function, **given: asked.append(function))
    settings = Settings(rounds=1, quick=False, data=None, scratch=tmp_path, gpu="a card")

    rows = list(step.gpu_rows(settings))

    assert {row.quantity: row.ours for row in rows} == {
        "wall time of a training step": [28.0],
        "wall time of a step, recurrent dropout 0.2 against 0": [28.0],
    }
    assert all(not row.share and not row.note for row in rows)
    assert asked == []
