"""Records as JSON: equal bytes for equal records, and only what was declared comes back."""

import json
import time
from dataclasses import replace

import pytest

from lstm_study.configuration import BASELINE
from lstm_study.errors import RecordError
from lstm_study.files import seal, unseal
from lstm_study.objectives import OBJECTIVES
from lstm_study.records import Epoch, Opening, Run, Trial
from lstm_study.records.codec import from_json, state_from_json, state_to_json, to_json
from lstm_study.records.kinds import KINDS
from lstm_study.records.state import (
    AddedSeeds,
    ArmsState,
    Look,
    SearchState,
    SeedsState,
    VerdictsState,
)
from tests.support.earlier_records import EARLIER_RECORDS
from tests.support.stored_study import EPOCH
from tests.unit.store.test_store import TRIAL


def forged(record, **changes) -> str:
    """Returns a record with some fields changed, and a digest that fits."""
    return seal(json.dumps(json.loads(unseal(to_json(record))[0]) | changes))


def test_every_record_of_an_earlier_version_is_written_as_it_was_read():
    counted = 0
    for kind in KINDS:
        paths = sorted(EARLIER_RECORDS.glob(kind.path)) if kind.is_record else ()
        for path in paths:
            for line in path.read_text().splitlines():
                again = json.loads(to_json(from_json(line, kind.type, where=str(path))))
                assert len(again.pop("seal")) == 64
                # Two runs that failed at once had 0 seconds, which are 0.0 now.
                assert _as_far_as_in(json.loads(line), again) == json.loads(line) | {
                    "schema_version": 3
                }, path
                counted += 1
    assert counted > 130


def _as_far_as_in(before, again):
    """Takes out what records did not have when they were written."""
    if isinstance(before, dict) and isinstance(again, dict):
        return {key: _as_far_as_in(before[key], again[key]) for key in before}
    if isinstance(before, list) and len(before) == len(again):
        return [_as_far_as_in(*pair) for pair in zip(before, again, strict=True)]
    return again


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (VerdictsState(looks=(Look(at="t", seeds={"winner": -1}, kind="better"),)),
         "winner must be an integer >= 1. Received: -1"),
        (VerdictsState(looks=(Look(at="t", seeds={}, kind="better", fraction=0.0),)),
         "fraction must be at least 1e-06. Received: 0.0"),
        (SeedsState(added=(AddedSeeds(seeds=0, added_at="t", command="c"),)),
         "added.0.seeds must be an integer >= 1. Received: 0"),
        (ArmsState(fixed_at="t", arms={"baseline": replace(BASELINE, maxlen=0)}, own_epochs={}),
         "maxlen must be"),
    ],
)  # fmt: skip
def test_a_state_that_no_command_would_have_written_is_refused(state, sentence):
    text = state_to_json(state)
    with pytest.raises(RecordError, match=f"STATE: contradicts itself .*{sentence}"):
        state_from_json(text, type(state), where="STATE")


def test_hyperparameters_that_came_later_are_at_their_documented_values():
    trial = from_json((EARLIER_RECORDS / "trials" / "b0-00-r0.json").read_text(), Trial, where="")
    assert trial.configuration == BASELINE


def test_every_state_of_an_earlier_version_is_written_as_it_was_read():
    for name in ("study", "seeds", "verdicts", "report"):
        (kind,) = (kind for kind in KINDS if kind.name == name)
        text = (EARLIER_RECORDS / kind.path).read_text()
        sealed = state_to_json(state_from_json(text, kind.type, where=name))
        assert unseal(sealed)[0] == text
        assert state_from_json(sealed, kind.type, where=name) == state_from_json(
            text, kind.type, where=name
        )


def test_a_schedule_from_before_the_random_control_has_none():
    text = (EARLIER_RECORDS / "plan.json").read_text()
    assert '"role"' not in text
    plan = state_from_json(text, SearchState, where="plan.json")
    assert {bracket.role for bracket in plan.brackets} == {"search"}
    assert plan.stopped == ""
    assert '"stopped"' not in state_to_json(replace(plan, stopped=None))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": "7"}, "seed: input should be a valid integer"),
        ({"seed": 7.0}, "seed: input should be a valid integer"),
        ({"masked": 0}, "masked: input should be a valid boolean"),
        ({"status": "done"}, "status: input should be 'running'"),
        ({"colour": "red"}, "colour: unexpected keyword argument"),
        ({"epochs": [{"epoch": 1}]}, r"epochs\.0\.train_loss: field required"),
        ({"configuration": {"maxlen": "80"}}, r"configuration\.maxlen"),
    ],
)
def test_a_field_that_is_not_as_declared_is_named(change, said):
    with pytest.raises(RecordError, match=rf"x\.json: is not a complete trial record \({said}"):
        from_json(forged(TRIAL, **change), Trial, where="x.json")


@pytest.mark.parametrize("text", ["", "[]", "3", "{", "nan", "[" * 100_000, '{"a":' * 100_000])
def test_what_is_no_object_is_no_record(text):
    with pytest.raises(RecordError, match=r"x\.json: is not a"):
        from_json(text, Run, where="x.json")
    with pytest.raises(RecordError, match=r"x\.json: is not a"):
        state_from_json(text, SearchState, where="x.json")


def test_a_number_that_is_not_finite_is_neither_written_nor_read():
    with pytest.raises(ValueError, match="JSON"):
        to_json(replace(TRIAL, score=float("nan")))
    for number in ("NaN", "Infinity", "1e400"):
        text = unseal(to_json(replace(TRIAL, score=0.5)))[0]
        text = seal(text.replace('"score": 0.5', f'"score": {number}'))
        with pytest.raises(RecordError):
            from_json(text, Trial, where="x")


def test_another_kind_is_refused_by_name():
    with pytest.raises(RecordError, match="is not a run record"):
        from_json(to_json(Opening(opened_at="", command="", run_id="")), Run, where="x")


def test_a_thousand_trials_of_ten_epochs_are_read_in_a_second():
    epochs = tuple(replace(EPOCH, epoch=number + 1) for number in range(10))
    text = to_json(replace(TRIAL, epochs=epochs, initial_epoch=0, budget_epochs=10))
    began = time.process_time()
    for _ in range(1_000):
        record = from_json(text, Trial, where="x")
    # Fifteen times what it takes, for slow machines: it is a guard against orders of magnitude.
    assert time.process_time() - began < 3
    assert isinstance(record.epochs[9], Epoch)


def test_no_bit_of_a_record_can_be_flipped_unnoticed():
    text = to_json(TRIAL).encode()
    for bit in range(8 * len(text)):
        damaged = bytearray(text)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(RecordError):
            from_json(bytes(damaged).decode(errors="replace"), Trial, where="x")


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_trial_is_read_whatever_the_search_maximises_or_minimises(objective):
    epochs = tuple(
        replace(
            EPOCH, epoch=epoch, validation_accuracy=0.5 + level, validation_loss=0.2 + level,
            validation_auc=0.6 + level,
        )
        for epoch, level in ((3, 0.3), (4, 0.1))
    )  # fmt: skip
    values = [getattr(epoch, objective) for epoch in epochs]
    best = max(values) if OBJECTIVES[objective].direction == "max" else min(values)
    trial = replace(
        TRIAL, status="completed", failure=None, epochs=epochs, score=values[-1],
        score_last_epoch=values[-1], score_best_epoch=best,
    )  # fmt: skip

    assert from_json(to_json(trial), Trial, where="t") == trial
    with pytest.raises(RecordError, match="is not that of its epochs"):
        from_json(forged(trial, score_best_epoch=0.123), Trial, where="t")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"score": 0.9}, "score 0.9 is that of no epoch"),
        ({"score_last_epoch": 0.9}, "score_last_epoch 0.9 is not that of its last epoch"),
        ({"score_best_epoch": 0.9}, "score_best_epoch 0.9 is not that of its epochs"),
        ({"budget_epochs": 5}, "completed after 2 epochs"),
        ({"budget_epochs": 3}, "epochs must end at 3"),
        ({"initial_epoch": 1}, "epochs must count up from 2"),
        ({"seconds": -1.0}, "seconds must be 0 to inf"),
        ({"status": "failed"}, "its status is 'failed', and its failure None"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused_whatever_its_digest(changes, said):
    epochs = (replace(EPOCH, epoch=3), replace(EPOCH, epoch=4, validation_accuracy=0.7))
    trial = replace(
        TRIAL, status="completed", failure=None, epochs=epochs, score=0.7, score_last_epoch=0.7,
        score_best_epoch=0.8,
    )  # fmt: skip
    assert from_json(to_json(trial), Trial, where="x") == trial
    with pytest.raises(RecordError, match=f"contradicts itself .*{said}"):
        from_json(forged(trial, **changes), Trial, where="x")
