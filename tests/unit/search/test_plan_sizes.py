"""The sizes of a search's plan."""

import time
from itertools import islice

import pytest

from lstm_study.errors import SearchError
from lstm_study.model.grid import configuration_count, grid, holds
from lstm_study.search.plan_sizes import planned_schedule
from tests.support.fake_study import fake_spec

SMALL = {
    "space__lstm_units": "{choices=[64, 100]}",
    "space__maxlen": "{choices=[80, 500]}",
    "space__dropout": "0.2",
    "space__recurrent_dropout": "{choices=[0.0, 0.2]}",
    "space__embedding_dim": "128",
    "space__vocabulary_size": "50000",
}
HUGE = {
    "search__tuner": '"grid"',
    "space__vocabulary_size": "{min=1000, max=9000, step=1}",
    "space__lstm_units": "{min=16, max=128, step=1}",
}


@pytest.mark.parametrize(
    "name, documented, choices",
    [("lstm_layers", 1, [2, 3]), ("embedding_dim", 128, [32, 64]), ("pooling", "last", ["max"])],
)
def test_a_space_holds_exactly_the_configurations_of_its_grid(name, documented, choices):
    """One that is conditional has its documented value elsewhere, of the six, too."""
    conditional = {f"space__{name}": f"{{choices={choices}, when={{recurrent_dropout=[0.2]}}}}"}
    spec = fake_spec(**SMALL | conditional)
    larger = {
        "space__lstm_units": "{choices=[64, 100, 110]}",
        f"space__{name}": f"{{choices={[documented, *choices]}}}",
    }
    found = list(grid(spec.space))
    assert len(found) == configuration_count(spec.space) == 4 + 4 * len(choices)
    for configuration in grid(fake_spec(**SMALL | larger).space):
        assert holds(spec.space, configuration) == (configuration in found)


@pytest.mark.parametrize("units, further", [("{choices=[64, 100]}", 0), ("{choices=[64, 90]}", 1)])
def test_a_baseline_outside_the_grid_is_one_trial_more(units, further):
    changed = SMALL | {"space__lstm_units": units, "baseline__maxlen": "500"}
    spec = fake_spec(**changed, search__tuner='"grid"', search__include_baseline="true")
    (bracket,) = planned_schedule(spec)
    assert bracket.trials == 8 + further


def test_a_grid_without_a_limit_over_a_huge_space_is_refused_at_once():
    began = time.monotonic()
    with pytest.raises(SearchError) as refusal:
        planned_schedule(fake_spec(**HUGE, search__include_baseline="true"))
    assert time.monotonic() - began < 2
    size = configuration_count(fake_spec(**HUGE).space)
    assert str(refusal.value) == (
        "A grid without a limit must have 100,000 configurations at most. "
        f"Received: {size:,}. Give search.max_trials, make the space smaller, or choose another "
        "search.tuner."
    )


def test_a_grid_with_a_limit_takes_the_first_configurations_of_a_huge_space():
    spec = fake_spec(**HUGE, search__max_trials="5")
    (bracket,) = planned_schedule(spec)
    assert bracket.trials == 5
    assert len(set(islice(grid(spec.space), 5))) == 5
