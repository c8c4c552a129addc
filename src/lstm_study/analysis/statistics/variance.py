"""The variance of a difference between two arms, in its parts: seeds, and test reviews.

The outcome of run s of an arm on review d (1 for correct and 0 for wrong, or a loss) is modelled as

    X[s, d] = mean + a[s] + b[d] + r[s, d]

with independent seed, review and residual parts. Test reviews are the same for both arms. Runs of
the two arms with one seed index are pairs: they may share weights, dropout and data order, or be
one training evaluated at two epochs, so their correlation, of either sign, is estimated, not
assumed to be 0. The training reviews are held fixed: nothing here covers other training data.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_study.errors import ComparisonError

Outcomes = NDArray[np.floating] | NDArray[np.bool_]
Pairs = Sequence[tuple[int, int]]

# Of the chi-squared distribution: see `_seed_variance`.
_FLOOR_QUANTILE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedPart:
    """How one arm varies over seeds.

    Attributes:
        runs: How many runs it has.
        variance: Variance of one run's mean outcome over seeds. It includes the residual noise of
            single reviews, var(r) / documents.
        deterministic: Seeds change nothing; the variance is 0 and more runs would be copies.
    """

    runs: int
    variance: float
    deterministic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceComponents:
    """The variance of a difference of means, in its parts.

    Attributes:
        candidate: The candidate's seeds.
        reference: The reference's seeds.
        document_variance: Variance of the difference over draws of the test reviews.
        documents: How many test reviews there are.
        pairs: Seed indices that both arms have.
        covariance: Of two paired runs' mean outcomes; 0 with fewer than three pairs.
    """

    candidate: SeedPart
    reference: SeedPart
    document_variance: float
    documents: int
    pairs: int = 0
    covariance: float = 0.0

    def standard_error(self, *, seeds: int | None = None) -> float:
        """Standard error of the difference, with the runs there are or with so many pairs."""
        return float(np.sqrt(self._seed_variance(seeds) + self.document_variance))

    def degrees_of_freedom(self, *, seeds: int | None = None) -> float:
        """Degrees of freedom of the squared standard error, as V̂² / (var(V̂) / 2).

        The seeds' part is linear in the covariance matrix of the two arms' runs, whose sampling
        variance is Wishart's. With n complete pairs its degrees of freedom are n - 1, without pairs
        they are Welch's.

        Source: F. E. Satterthwaite (1946), "An approximate distribution of estimates of variance
            components", Biometrics Bulletin 2; B. L. Welch (1947), "The generalization of
            'Student's' problem", Biometrika 34; moments of a covariance matrix: R. J. Muirhead
            (1982), Aspects of Multivariate Statistical Theory, section 3.2. Checked:
            `scipy.stats.ttest_ind(equal_var=False)` and `scipy.stats.ttest_rel`.
        """
        free = self._seed_uncertainty(seeds) + self.document_variance**2 / (self.documents - 1)
        total = self._seed_variance(seeds) + self.document_variance
        return float(np.clip(total**2 / free, 1, self.documents - 1)) if free else 1.0

    def _counts(self, seeds: int | None) -> tuple[int, int, int]:
        if seeds is None:
            return self.candidate.runs, self.reference.runs, self.pairs
        return seeds, seeds, seeds if self.pairs else 0

    def _seed_variance(self, seeds: int | None) -> float:
        of_candidate, of_reference, pairs = self._counts(seeds)
        return (
            self.candidate.variance / of_candidate
            + self.reference.variance / of_reference
            - 2 * self.covariance * pairs / (of_candidate * of_reference)
        )

    def _seed_uncertainty(self, seeds: int | None) -> float:
        """Half the sampling variance of the seeds' part."""
        first, second, pairs = self._counts(seeds)
        v, w, c = self.candidate.variance, self.reference.variance, self.covariance
        free = [max(runs - 1, 1) for runs in (first, second, pairs)]
        found = (v / first) ** 2 / free[0] + (w / second) ** 2 / free[1]
        if not pairs:
            return found
        # The coefficients of v, w and c, and the covariances of their estimates, halved.
        of_c = -2 * pairs / (first * second)
        found += of_c**2 * (v * w + c * c) / (2 * free[2])
        found += 2 * (c / first / second) * c * free[2] / (free[0] * free[1])
        found += 2 * of_c * (v * c / first / free[0] + w * c / second / free[1])
        return max(found, 0.0)


def components(
    candidate: Outcomes,
    reference: Outcomes,
    *,
    pairs: Pairs | None = None,
    deterministic: tuple[bool, bool] = (False, False),
) -> VarianceComponents:
    """Estimates the variance of the difference in its parts.

    A review's observed difference includes the residual noise of its few runs, which the seeds'
    part counts already; it is subtracted from the reviews' part, which is then at least 0. To the
    reviews' part 1 / documents² is added: half a review in each cell of the 2 × 2 table of paired
    outcomes, so that arms that agree on every review are not taken to agree on all others.

    Args:
        candidate: [candidate runs, documents].
        reference: [reference runs, documents], two reviews or more.
        pairs: Rows of candidate and reference with one seed index; row i with row i by default
            where both have equally many, else none.
        deterministic: Whether training the candidate and the reference draws nothing at random;
            any other arm must have two runs or more.

    Raises:
        ComparisonError: Too few runs or reviews for a variance.

    Source: The mean squares of the two-way crossed random model with one observation per cell:
        S. R. Searle, G. Casella and C. E. McCulloch (1992), Variance Components, chapter 4. The
        added half reviews: A. Agresti and Y. Min (2005), "Simple improved confidence intervals for
        comparing matched proportions", Statistics in Medicine 24; here they widen the interval
        only, and do not move it. Checked: an example by hand, mean squares written plainly, and
        simulated studies whose true components are known.
    """
    first, second = (np.asarray(each, dtype=np.float64) for each in (candidate, reference))
    documents = first.shape[1]
    if documents < 2:
        raise ComparisonError(
            f"comparison: needs 2 test reviews or more. Received: {documents}. Give more reviews."
        )
    if pairs is None:
        pairs = [(row, row) for row in range(len(first))] if len(first) == len(second) else []
    if any(deterministic) or len(pairs) < 3:
        pairs = []
    sides = [
        _Side(values, is_fixed)
        for values, is_fixed in zip((first, second), deterministic, strict=True)
    ]
    rows = [list(each) for each in zip(*pairs, strict=True)] if pairs else [[], []]
    covariance, shared_noise = _shared(sides, rows)
    differences = first.mean(axis=0) - second.mean(axis=0)
    noise = math.fsum(side.noise / side.runs for side in sides)
    noise -= 2 * len(pairs) * shared_noise / (sides[0].runs * sides[1].runs)
    observed = float(np.var(differences, ddof=1)) / documents
    return VarianceComponents(
        candidate=sides[0].part,
        reference=sides[1].part,
        document_variance=max(0.0, observed - noise / documents) + 1 / documents**2,
        documents=documents,
        pairs=len(pairs),
        covariance=covariance,
    )


class _Side:
    """One arm's outcomes with their means, seed part and residual variance."""

    def __init__(self, values: NDArray[np.float64], is_fixed: bool) -> None:
        self.runs, documents = values.shape
        self.means = values.mean(axis=1)
        self.values, self.noise = values, 0.0
        if is_fixed:
            self.part = SeedPart(runs=self.runs, variance=0.0, deterministic=True)
            return
        if self.runs < 2:
            raise ComparisonError(
                f"comparison: each arm needs 2 runs or more. Received: {self.runs}. Add seeds: one "
                "run does not show how much results vary from seed to seed."
            )
        rest = _residuals(values)
        self.noise = float((rest**2).sum()) / ((self.runs - 1) * (documents - 1))
        observed = float(np.var(self.means, ddof=1))
        self.part = SeedPart(
            runs=self.runs, variance=_seed_variance(observed, self.noise / documents, self.runs)
        )


def _seed_variance(observed: float, noise: float, runs: int) -> float:
    """Keeps an observed variance from being implausibly small.

    The true variance is at least the residual noise, which is known from many reviews. An observed
    one below that noise's 1% quantile, as of runs with exactly equal accuracy, is raised to it.
    """
    from scipy.special import chdtri

    free = runs - 1
    return max(observed, noise * float(chdtri(free, 1 - _FLOOR_QUANTILE)) / free)


def _shared(sides: Sequence[_Side], rows: Sequence[Sequence[int]]) -> tuple[float, float]:
    """Returns the covariance of paired runs' means, and that of their residuals."""
    pairs = len(rows[0])
    if pairs < 3:
        return 0.0, 0.0
    means = [side.means[list(each)] for side, each in zip(sides, rows, strict=True)]
    first, second = (each - each.mean() for each in means)
    covariance = float((first * second).sum()) / (pairs - 1)
    if any(side.runs > pairs for side in sides):
        # Estimated on the pairs alone: only their correlation is carried over to all runs.
        spreads = [float(np.var(each, ddof=1)) for each in means]
        own = [side.part.variance for side in sides]
        scale = np.sqrt(own[0] * own[1] / (spreads[0] * spreads[1])) if min(spreads) else 0.0
        covariance *= float(scale)
    rest = [_residuals(side.values[list(each)]) for side, each in zip(sides, rows, strict=True)]
    documents = rest[0].shape[1]
    noise = float((rest[0] * rest[1]).sum()) / ((pairs - 1) * (documents - 1))
    return covariance, noise


def _residuals(values: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = (
        values
        - values.mean(axis=1, keepdims=True)
        - values.mean(axis=0, keepdims=True)
        + values.mean()
    )
    return found
