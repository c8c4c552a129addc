"""What the arms of a comparison are called, in records, tables and figures.

An arm is what has runs of its own, one for each seed. A suffix makes of a training's arm that of
another evaluation of it, or of its validation runs.
"""

PRIMARY = ("baseline", "winner")
"""What the study's question is about."""
MASKED_BASELINE = "baseline-masked"
RECIPE_BASELINE = "baseline-recipe"
RUNNER_UP = "runner-up-"
"""Followed by a number, from 1."""
CONTROL = "control"
ENSEMBLE = "ensemble"
WITH_CONTROL_SUFFIX = "-with-control"
"""Of a model that is the mean of the probabilities of winner or ensemble and of the control."""
WINNER_WITH_CONTROL = f"winner{WITH_CONTROL_SUFFIX}"
ENSEMBLE_WITH_CONTROL = f"{ENSEMBLE}{WITH_CONTROL_SUFFIX}"
ABLATION = "ablation"
TEST_REVIEWS = "test-reviews"
"""No arm: what test is opened for once more, for facts of single reviews."""

VALIDATION_SUFFIX = "-validation"
OWN_EPOCH_SUFFIX = "-own-epoch"
LAST_EPOCHS_SUFFIX = "-last-three"
LAST_EPOCHS = 3
"""Epochs whose mean probability is evaluated as an arm of `LAST_EPOCHS_SUFFIX`."""


def is_of_baseline(run_id: str) -> bool:
    """Whether a run is the documented baseline's, which is trained without a search, if asked for.

    Example:
        >>> is_of_baseline("baseline-last-three-s1"), is_of_baseline("baseline-recipe-s1")
        (True, False)
    """
    arm = run_id.rpartition("-s")[0]
    suffixes = ("", VALIDATION_SUFFIX, OWN_EPOCH_SUFFIX, LAST_EPOCHS_SUFFIX)
    return arm in {f"baseline{suffix}" for suffix in suffixes}


def networks_per_run(arm: str, epochs: int) -> int:
    """Returns how many networks predict a review for one run of an arm, trained for `epochs`.

    One, but of last epochs the network after each of them.
    """
    return min(LAST_EPOCHS, epochs) if arm.endswith(LAST_EPOCHS_SUFFIX) else 1
