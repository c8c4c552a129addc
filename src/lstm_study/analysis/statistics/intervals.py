"""The interval of a difference in test accuracy: a two-level bootstrap, corrected for few seeds.

**Resampling.** Each resample draws seeds with replacement within each arm, and reviews with
replacement once for both arms, which are paired by them.

**Correction.** With few seeds, the plain percentile interval of these draws is too narrow: n seeds
drawn from n vary by (n - 1) / n too little, and its tails are those of a normal distribution; and
with few reviews it is too wide, as the noise of single reviews is drawn three times over. So each
level's deviations are rescaled until the draws vary as the variance components say (see
`variance`), and the interval is

    difference ± t · standard deviation of the draws

with Student's t at Satterthwaite's degrees of freedom. `reports/benchmarks/verdict-simulation.md`
shows what both intervals hold at 2, 3, 6, 10 and 12 seeds per arm.

Source: Resampling of crossed levels and its excess: A. B. Owen (2007), "The pigeonhole bootstrap",
    Annals of Applied Statistics 1. Rescaled deviations: J. R. Carpenter, H. Goldstein and
    J. Rasbash (2003), "A novel bootstrap procedure for assessing the relationship between class
    size and achievement", Applied Statistics 52; J. N. K. Rao and C. F. J. Wu (1988), "Resampling
    inference with complex survey data", JASA 83. Narrowness with few units, and t with a bootstrap
    standard error: T. C. Hesterberg (2015), "What teachers should know about the bootstrap", The
    American Statistician 69.

**Checked** against the interval of `scipy.stats.ttest_ind(equal_var=False)` where runs differ by
seed alone, against Wald's where there is one run, and against plain resampling where there are many
seeds.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lstm_study.analysis.answer.arms import Arm, make_arm
from lstm_study.analysis.statistics.variance import (
    Counts,
    SeedPart,
    VarianceComponents,
    components,
    count,
)
from lstm_study.seeds import derive

LEVEL = 0.95
RESAMPLES = 10_000
TEST_NAME = "t test with a two-level bootstrap standard error"
_CHUNK = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A difference in test accuracy with its interval. Accuracies and differences are shares.

    Attributes:
        candidate: Name of the arm that the difference speaks of.
        reference: Name of the arm it is compared with.
        difference: Mean accuracy of the candidate's runs minus that of the reference's.
        low: Lower end of the interval, cut at -1.
        high: Upper end of the interval, cut at 1.
        level: Share of such intervals that hold the true difference, 0.95 unless asked otherwise.
        standard_error: Standard deviation of the bootstrap's draws.
        degrees_of_freedom: Satterthwaite's.
        critical_value: What the standard error is multiplied by: 1.96 with very many seeds.
        p_value: Of the test that this interval turns into, `TEST_NAME`, two-sided.
        resamples: How many resamples were drawn.
        seed: What they were drawn with.
        components: The variance in its parts.
    """

    candidate: str
    reference: str
    difference: float
    low: float
    high: float
    level: float
    standard_error: float
    degrees_of_freedom: float
    critical_value: float
    p_value: float
    resamples: int
    seed: int
    components: VarianceComponents


def difference_in_accuracy(
    candidate: Arm,
    reference: Arm,
    *,
    seed: int,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> Difference:
    """Takes the difference in test accuracy of two arms, with its interval.

    Args:
        candidate: The arm to speak of.
        reference: The arm to compare with.
        seed: The study's; the draws' own is derived from it and the arms' names.
        level: Share of intervals to hold the true difference, in (0, 1).
        resamples: How many resamples to draw. 10,000 leave 0.7% of chance in the interval's width.

    Raises:
        ComparisonError: An arm that is not deterministic has one run, there is one test review, or
            the arms were not tested on the same reviews.
    """
    return difference_of_counts(
        count(candidate, reference),
        names=(candidate.name, reference.name),
        deterministic=(candidate.deterministic, reference.deterministic),
        seed=derive(seed, "bootstrap", candidate.name, reference.name),
        level=level,
        resamples=resamples,
    )


def accuracy_interval(
    arm: Arm, *, seed: int, level: float = LEVEL, resamples: int = RESAMPLES
) -> tuple[float, float] | None:
    """Returns the interval of one arm's mean test accuracy, over other seeds and other reviews.

    It is that of the difference to an arm that reads every review right. Of an arm with one run,
    the interval speaks of that very network on other reviews.

    Args:
        arm: The arm.
        seed: The study's.
        level: Share of intervals to hold the true accuracy.
        resamples: Of the bootstrap.

    Returns:
        Its two ends, in [0, 1]; None with one test review.
    """
    if arm.documents < 2:
        return None
    all_right = make_arm(
        "every review read right",
        probabilities=arm.labels[np.newaxis].astype(np.float32),
        labels=arm.labels,
        deterministic=True,
    )
    alone = replace(arm, deterministic=arm.deterministic or arm.seeds == 1)
    found = difference_in_accuracy(alone, all_right, seed=seed, level=level, resamples=resamples)
    return max(0.0, 1 + found.low), min(1.0, 1 + found.high)


def difference_of_counts(
    counts: Counts,
    *,
    names: tuple[str, str],
    seed: int,
    deterministic: tuple[bool, bool] = (False, False),
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> Difference:
    """Does the same from counted readings, and with the draws' own seed."""
    from scipy.special import stdtr, stdtrit

    parts = components(counts, deterministic=deterministic)
    draws = bootstrap(counts, parts, seed=seed, resamples=resamples)
    standard_error = float(np.sqrt(np.mean((draws - counts.difference) ** 2)))
    freedom = parts.degrees_of_freedom()
    critical = float(stdtrit(freedom, (1 + level) / 2))
    return Difference(
        candidate=names[0],
        reference=names[1],
        difference=counts.difference,
        low=max(-1.0, counts.difference - critical * standard_error),
        high=min(1.0, counts.difference + critical * standard_error),
        level=level,
        standard_error=standard_error,
        degrees_of_freedom=freedom,
        critical_value=critical,
        p_value=float(2 * stdtr(freedom, -abs(counts.difference) / standard_error)),
        resamples=resamples,
        seed=seed,
        components=parts,
    )


def bootstrap(
    counts: Counts, parts: VarianceComponents, *, seed: int, resamples: int = RESAMPLES
) -> NDArray[np.float64]:
    """Draws the difference anew, seeds within each arm and reviews jointly, rescaled to `parts`.

    Reviews that equally many runs of each arm read right are interchangeable, so that a resample of
    reviews is one multinomial draw over `counts.cells`: 49 numbers for 6 seeds, not 25,000.

    Returns:
        float64 [resamples]: mean `counts.difference`, variance `parts.standard_error()` squared, up
        to the draws' chance.
    """
    random = np.random.default_rng(seed)
    draws = np.full(resamples, counts.difference)
    draws += _seed_draws(
        counts.candidate_right / counts.documents, parts.candidate, random, resamples
    )
    draws -= _seed_draws(
        counts.reference_right / counts.documents, parts.reference, random, resamples
    )
    draws += _document_draws(counts, parts.document_variance, random, resamples)
    return draws


def _seed_draws(
    accuracies: NDArray[np.float64], part: SeedPart, random: np.random.Generator, resamples: int
) -> NDArray[np.float64]:
    if part.deterministic:
        return np.zeros(resamples)
    deviations = accuracies - accuracies.mean()
    if np.ptp(deviations) == 0:
        # Runs of equal accuracy that still differ review by review: nothing to rescale, so evenly
        # spaced deviations stand in for theirs.
        deviations = np.linspace(-1.0, 1.0, part.runs)
    deviations *= np.sqrt(part.variance / np.mean(deviations**2))
    chosen = random.integers(part.runs, size=(resamples, part.runs))
    means: NDArray[np.float64] = deviations[chosen].mean(axis=1)
    return means


def _document_draws(
    counts: Counts, variance: float, random: np.random.Generator, resamples: int
) -> NDArray[np.float64]:
    filled = counts.cells > 0
    # The half reviews that `components` adds, one pair on either side of the difference.
    deviations = np.append((counts.document_differences - counts.difference)[filled], [1.0, -1.0])
    weights = np.append(counts.cells[filled], [0.5, 0.5]) / (counts.documents + 1)
    scale = np.sqrt(variance * counts.documents / float(weights @ deviations**2))
    draws = [
        random.multinomial(counts.documents, weights, size=min(_CHUNK, resamples - start))
        @ deviations
        for start in range(0, resamples, _CHUNK)
    ]
    scaled: NDArray[np.float64] = np.concatenate(draws) * (scale / counts.documents)
    return scaled
