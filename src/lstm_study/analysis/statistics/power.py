"""What a comparison can show, and how many seeds would settle it: one model, before and after.

Before the runs it takes the components that `planned_power` assumes, after them the estimated ones,
which are as uncertain as few seeds make them. Neither is the "observed power" of the difference
found, which says nothing that its p-value does not.

Source: J. M. Hoenig and D. M. Heisey (2001), "The abuse of power", The American Statistician 55.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lstm_study.analysis.statistics.intervals import LEVEL
from lstm_study.analysis.statistics.variance import VarianceComponents

POWER = 0.8
# Completed runs of each arm below which no verdict is given.
LEAST_SEEDS = 4
MOST_SEEDS = 1_000
# From chance to perfect.
LARGEST_DIFFERENCE = 0.5
_POINTS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """What a comparison can show.

    Attributes:
        smallest_difference: True difference that is found with the stated power; None where no
            difference between two accuracies is large enough.
        power: The chance of finding it, 0.8.
        seeds_to_settle: Seeds per arm with which a true difference of the size observed would be
            found with the stated power; None if 1,000 are too few, or the arms are deterministic.
        more_seeds: How many that is beyond the smaller arm's; 0 if there are enough.
    """

    smallest_difference: float | None
    power: float
    seeds_to_settle: int | None
    more_seeds: int | None


def estimate_power(
    components: VarianceComponents, *, difference: float, level: float = LEVEL
) -> Power:
    """Says what a comparison with these components can show, given the difference observed."""
    needed = seeds_to_settle(components, difference=difference, level=level)
    runs = [
        part.runs for part in (components.candidate, components.reference) if not part.deterministic
    ]
    smallest = smallest_difference(components, level=level)
    return Power(
        smallest_difference=smallest if smallest < LARGEST_DIFFERENCE else None,
        power=POWER,
        seeds_to_settle=needed,
        more_seeds=None if needed is None else max(0, needed - min(runs)),
    )


def smallest_difference(
    components: VarianceComponents, *, seeds: int | None = None, level: float = LEVEL
) -> float:
    """Returns the true difference, a share, that is found in 80% of studies.

    With `seeds` per arm, by default as many as there are.
    """
    from scipy.optimize import brentq

    curve = _power_curve(components, seeds, level)

    def lacking(shift: float) -> float:
        return curve(shift) - POWER

    upper = 4.0
    while lacking(upper) < 0:
        upper *= 2
    shift = float(brentq(lacking, 0.0, upper, xtol=1e-6))
    return shift * components.standard_error(seeds=seeds)


def power_to_find(
    components: VarianceComponents,
    *,
    difference: float,
    seeds: int | None = None,
    level: float = LEVEL,
) -> float:
    """Returns the chance that the interval excludes 0 if the true difference is the given one.

    Source: The noncentral t distribution: J. Cohen (1988), Statistical Power Analysis for the
        Behavioral Sciences, chapter 2, with Satterthwaite's degrees of freedom. Checked: his
        table 2.4.1 (d = 0.5 with 64 per group, 0.8 with 26: 0.80) and `scipy.stats.nct`.
    """
    shift = difference / components.standard_error(seeds=seeds)
    return _power_curve(components, seeds, level)(shift)


def seeds_to_settle(
    components: VarianceComponents, *, difference: float, level: float = LEVEL
) -> int | None:
    """Returns the seeds per arm, 4 or more, that find a true difference in 80% of studies.

    Returns:
        None if 1,000 are too few, or if more runs would be copies.
    """
    if difference == 0 or (
        components.candidate.deterministic and components.reference.deterministic
    ):
        return None

    def enough(seeds: int) -> bool:
        found = power_to_find(components, difference=abs(difference), seeds=seeds, level=level)
        return found >= POWER

    if not enough(MOST_SEEDS):
        return None
    low, high = LEAST_SEEDS - 1, MOST_SEEDS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _power_curve(
    components: VarianceComponents, seeds: int | None, level: float
) -> Callable[[float], float]:
    """Returns the chance that t exceeds its critical value, by the shift in standard errors.

    This is both tails of the noncentral t distribution, averaged over the standard error's own
    distribution: `scipy.stats.nct` gives NaN for large shifts.
    """
    from scipy.special import gammaincinv, ndtr, stdtrit

    freedom = components.degrees_of_freedom(seeds=seeds)
    points = (np.arange(_POINTS) + 0.5) / _POINTS
    critical = -stdtrit(freedom, (1 - level) / 2)
    limits = critical * np.sqrt(2 * gammaincinv(freedom / 2, points) / freedom)

    def power(shift: float) -> float:
        return float(np.mean(ndtr(shift - limits) + ndtr(-shift - limits)))

    return power
