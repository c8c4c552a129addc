"""Several looks at one verdict: levels that keep the chance of one false verdict at 5% in all.

The 5% are spent by the share of seeds that have been run, whatever number of looks that is, with a
spending function that is close to O'Brien and Fleming's bounds: nearly nothing at first, nearly all
at the planned maximum.

Source: K. K. G. Lan and D. L. DeMets (1983), "Discrete sequential boundaries for clinical trials",
    Biometrika 70; P. C. O'Brien and T. R. Fleming (1979), "A multiple testing procedure for
    clinical trials", Biometrics 35; the integration: P. Armitage, C. K. McPherson and B. C. Rowe
    (1969), "Repeated significance tests on accumulating data", JRSS A 132. Checked: the bounds for
    five equal looks at 5%, 4.877, 3.357, 2.680, 2.290 and 2.031 (D. M. Reboussin and others (2000),
    "Computations for group sequential boundaries", Controlled Clinical Trials 21).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ERROR = 0.05
_LAST_BOUND = 1.96
_POINTS = 801
_DIGITS = 9
# Of the conditional power, below which a comparison is settled without a difference.
FUTILE = 0.1


def spent(fraction: float) -> float:
    """Returns how much of the error may be spent when this share of the seeds has been run.

    Both sides together; each has half of the error.
    """
    from scipy.special import ndtr, ndtri

    if fraction >= 1:
        return ERROR
    return 4 * float(ndtr(ndtri(ERROR / 4) / np.sqrt(fraction)))


def levels(fractions: Sequence[float]) -> tuple[float, ...]:
    """Returns the level of the interval at each look.

    Args:
        fractions: Seeds run at each look as shares of the maximum, ascending, in (0, 1].

    Returns:
        Levels in (0, 1): 0.95 for one look at the maximum.
    """
    from scipy.special import ndtr

    return tuple(2 * float(ndtr(bound)) - 1 for bound in bounds(fractions))


def bounds(fractions: Sequence[float]) -> tuple[float, ...]:
    """Returns the two-sided bound on the normal statistic at each look."""
    from scipy.special import ndtri

    found: list[float] = []
    points: NDArray[np.float64] = np.zeros(1)
    # Weighted: it sums to the chance of no earlier finding.
    density: NDArray[np.float64] = np.ones(1)
    before, used = 0.0, 0.0
    for number, fraction in enumerate(fractions, start=1):
        width = np.sqrt(fraction - before)
        step = spent(fraction) - used
        bound = float(-ndtri(step / 2))
        if before:
            from scipy.optimize import brentq

            arguments = (points, density, np.sqrt(fraction), width, step)
            # The integral's last bits differ from processor to processor.
            bound = round(float(brentq(_excess, 0.0, 12.0, args=arguments)), _DIGITS)
        found.append(bound)
        if number == len(fractions):
            break
        grid = np.linspace(-bound * np.sqrt(fraction), bound * np.sqrt(fraction), _POINTS)
        weights = np.full(_POINTS, grid[1] - grid[0])
        weights[[0, -1]] /= 2
        steps = (grid[:, None] - points[None, :]) / width
        kernel = np.exp(-0.5 * steps**2)  # noqa: TID251 - bounds are rounded
        density = weights * (kernel @ density) / (width * np.sqrt(2 * np.pi))
        points, before, used = grid, fraction, used + step
    return tuple(found)


def _excess(
    bound: float,
    points: NDArray[np.float64],
    density: NDArray[np.float64],
    root: float,
    width: float,
    step: float,
) -> float:
    """Returns the chance to pass the bound at a look and at none before it, less a step."""
    from scipy.special import ndtr

    reach = bound * root
    outside = ndtr((points - reach) / width) + ndtr((-points - reach) / width)
    return float(density @ outside) - step


def conditional_power(statistic: float, fraction: float) -> float:
    """Returns the chance that the last look shows a difference if the trend observed continues.

    Args:
        statistic: The difference by its standard error at this look.
        fraction: Share of the seeds that have been run, in (0, 1).

    Source: K. K. G. Lan and J. Wittes (1988), "The B-value: a tool for monitoring data", Biometrics
        44. Worked and checked: B(0.5) = 1.0 has the drift 2, and so a chance of
        1 - Φ((1.96 - 2) / √0.5) = 0.523 to end above 1.96.
    """
    from scipy.special import ndtr

    drift = abs(statistic) / np.sqrt(fraction)
    spread = np.sqrt(1 - fraction)
    return float(ndtr((drift - _LAST_BOUND) / spread) + ndtr((-drift - _LAST_BOUND) / spread))
