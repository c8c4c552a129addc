"""Tests of importance: what sets the best configurations apart is found, with its uncertainty."""

from dataclasses import replace

import numpy as np
import pytest

from lstm_study.analysis.search import importance as module
from lstm_study.analysis.search.importance import FEWEST, RELIABLE, importance, why_none
from lstm_study.analysis.search.optuna_space import distributions, parameters
from lstm_study.analysis.search.summary import Direction, ScoreAtEpoch, after
from lstm_study.configuration import Configuration
from tests.support.fake_spec import fake_spec
from tests.support.fake_study import completed_study, controlled_study
from tests.support.tiny import spec

SPACE = fake_spec().space


def _measured(count: int, *, direction: Direction = "max") -> list[ScoreAtEpoch]:
    """Configurations whose value is their maxlen's and a little chance; nothing else matters."""
    random = np.random.default_rng(5)
    found = []
    for number in range(count):
        configuration = Configuration(
            vocabulary_size=int(random.choice([5000, 10000, 20000])),
            maxlen=int(random.choice([80, 120, 160, 200])),
            embedding_dim=int(random.choice([16, 32, 64])),
            lstm_units=int(16 * random.integers(1, 9)),
            dropout=round(0.1 * int(random.integers(5)), 10),
            recurrent_dropout=round(0.1 * int(random.integers(5)), 10),
        )
        value = configuration.maxlen / 400 + float(random.normal(0, 0.01))
        found.append(
            ScoreAtEpoch(
                trial_id=f"t-{number}",
                configuration=configuration,
                value=value if direction == "max" else -value,
            )
        )
    return found


@pytest.mark.parametrize("direction", ["max", "min"])
def test_the_one_hyperparameter_that_sets_the_value_has_nearly_all_of_the_importance(
    direction: Direction,
) -> None:
    found = importance(_measured(120, direction=direction), SPACE, direction, seed=1, resamples=20)
    assert found[0].hyperparameter == "maxlen"
    assert found[0].importance > 0.8
    assert found[0].low > max(item.high for item in found[1:])
    assert sum(item.importance for item in found) == pytest.approx(1)
    assert all(item.low <= item.high for item in found)


def test_importance_is_that_of_optuna_asked_directly() -> None:
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    measured = _measured(60)
    study = optuna.create_study(direction="maximize")
    known = distributions(SPACE)
    names = SPACE.searched()
    for item in measured:
        given = parameters(item.configuration, SPACE)
        study.add_trial(
            optuna.create_trial(
                params={name: given[name] for name in names},
                distributions={name: known[name] for name in names},
                value=item.value,
            )
        )
    theirs = get_param_importances(
        study, evaluator=PedAnovaImportanceEvaluator(target_quantile=module.BEST_SHARE)
    )
    ours = {
        item.hyperparameter: item.importance
        for item in importance(measured, SPACE, "max", seed=1, resamples=2)
    }
    assert ours == pytest.approx(theirs)


def test_few_configurations_are_called_unreliable_and_very_few_say_nothing() -> None:
    few = importance(_measured(FEWEST), SPACE, "max", seed=1, resamples=5)
    many = importance(_measured(RELIABLE), SPACE, "max", seed=1, resamples=5)
    assert few
    assert not any(item.reliable for item in few)
    assert all(item.reliable for item in many)
    assert importance(_measured(FEWEST - 1), SPACE, "max", seed=1) == ()


def test_values_that_are_all_equal_say_nothing() -> None:
    same = [replace(item, value=0.5) for item in _measured(30)]
    assert importance(same, SPACE, "max", seed=1) == ()
    assert why_none(same, SPACE).startswith("All configurations have the same score")
    assert why_none(same[: FEWEST - 1], SPACE).startswith("Too few configurations")
    assert why_none(_measured(30), SPACE) == ""


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    measured = _measured(30)
    one, again = (importance(measured, SPACE, "max", seed=1, resamples=10) for _ in range(2))
    other = importance(measured, SPACE, "max", seed=2, resamples=10)
    assert one == again
    assert [item.importance for item in one] == [item.importance for item in other]
    assert [item.low for item in one] != [item.low for item in other]


def test_every_configuration_counts_once_after_the_smallest_budget_and_no_control_does() -> None:
    study = controlled_study()
    found = after(study.trials, objective="validation_accuracy", epoch=1)
    firsts = [trial for trial in study.trials if trial.round == 0 and trial.role == "search"]
    assert len(found) == len(firsts)
    assert not any(item.trial_id.startswith("c-") for item in found)
    promoted = next(trial for trial in study.trials if trial.round == 2)
    first = next(t for t in firsts if t.trial_id[:5] == promoted.trial_id[:5])
    value = next(item.value for item in found if item.trial_id == promoted.trial_id)
    assert value == first.epochs[0].validation_accuracy


def test_a_configuration_without_a_score_after_the_epoch_is_left_out() -> None:
    whole, short, unscored = (t for t in completed_study().trials[:3])
    lacking = replace(unscored.epochs[-1], validation_accuracy=None)
    trials = [whole, replace(short, epochs=short.epochs[:-1]),
              replace(unscored, epochs=(*unscored.epochs[:-1], lacking))]  # fmt: skip
    found = after(trials, objective="validation_accuracy", epoch=len(whole.epochs))
    assert [item.trial_id for item in found] == [whole.trial_id]


def test_a_finalists_trainings_with_other_seeds_take_no_configuration_away() -> None:
    study = completed_study()
    winner = next(trial for trial in study.trials if trial.round == 2)
    finalist = replace(winner, trial_id="finalist-s1", role="finalist", parent=winner.trial_id)
    for epoch in (1, len(winner.epochs)):
        alone, beside = (
            after(trials, objective="validation_accuracy", epoch=epoch)
            for trials in (study.trials, (*study.trials, finalist))
        )
        assert beside == alone
        assert winner.trial_id in {item.trial_id for item in beside}


def test_an_interval_is_that_of_the_resamples_and_need_not_hold_the_importance() -> None:
    found = [
        item
        for count in range(10, 30)
        for item in importance(_measured(count), SPACE, "max", seed=1, resamples=10)
    ]
    assert any(not item.low <= item.importance <= item.high for item in found)


def test_a_configuration_outside_the_space_widens_its_distribution() -> None:
    study = completed_study()
    outside = replace(
        study.trials[0].configuration, vocabulary_size=50_000, lstm_units=100, dropout=0.45
    )
    known = distributions(SPACE, [outside])
    for name, value in parameters(outside, SPACE).items():
        assert known[name]._contains(known[name].to_internal_repr(value))


def test_switches_and_words_of_an_open_space_have_their_share_like_numbers() -> None:
    space = spec(
        "space.bidirectional={choices=[false, true]}",
        "space.pooling={choices=['last', 'max', 'all']}",
        "space.learning_rate={min=0.001, max=0.01, sampling='log'}",
    ).space
    random = np.random.default_rng(4)
    base = completed_study().trials[0].configuration
    measured = []
    for number in range(60):
        configuration = base.with_values(
            vocabulary_size=int(random.choice([50, 100])), maxlen=int(random.choice([6, 8])),
            embedding_dim=int(random.choice([4, 6])), lstm_units=int(random.choice([4, 6])),
            dropout=0.1, recurrent_dropout=0.1, bidirectional=bool(random.integers(2)),
            pooling=str(random.choice(["last", "max", "all"])),
            learning_rate=float(random.uniform(0.001, 0.01)),
        )  # fmt: skip
        value = 0.7 + 0.2 * (configuration.pooling == "max") + 0.01 * random.random()
        measured.append(
            ScoreAtEpoch(trial_id=f"t{number}", configuration=configuration, value=value)
        )
    found = importance(measured, space, "max", seed=1, resamples=3)
    assert found[0].hyperparameter == "pooling"
    assert {item.hyperparameter for item in found} == set(space.searched())
