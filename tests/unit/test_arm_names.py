"""What arms are called."""

import pytest

from lstm_study.arm_names import is_of_baseline


@pytest.mark.parametrize(
    ("run_id", "expected"),
    [
        ("baseline-s1", True),
        ("baseline-s12", True),
        ("baseline-validation-s1", True),
        ("baseline-own-epoch-s2", True),
        ("baseline-last-three-s1", True),
        ("baseline-masked-s1", False),
        ("baseline-recipe-s1", False),
        ("winner-s1", False),
        ("runner-up-1-s1", False),
    ],
)
def test_which_runs_are_the_documented_baselines(run_id, expected):
    assert is_of_baseline(run_id) is expected
