"""Whether a study's baseline is the documented one: a matter of its own settings alone."""

import pytest

from tests.support import own
from tests.support.fake_spec import fake_spec


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"protocol__epochs": "10"}, True),
        ({"protocol__epochs": "4"}, False),
        ({"protocol__epochs": "4", "baseline__epochs": "10"}, True),
        ({"protocol__epochs": "10", "baseline__epochs": "4"}, False),
        ({"protocol__epochs": "10", "baseline__maxlen": "200"}, False),
        ({"protocol__epochs": "10", "baseline__lstm_units": "64"}, False),
        ({"protocol__epochs": "10", "protocol__optimizer": '"sgd"'}, False),
        ({"protocol__epochs": "10", "protocol__learning_rate": "0.01"}, False),
        ({"protocol__epochs": "10", "protocol__masked": "true"}, True),
    ],
)
def test_the_baseline_is_documented_where_its_own_training_is(
    settings: dict[str, str], expected: bool
) -> None:
    spec = fake_spec(**{"baseline__maxlen": "500", **settings})
    assert spec.baseline_is_documented is expected


def test_a_builders_baseline_is_not_the_documented_one() -> None:
    assert not own.explored().baseline_is_documented
