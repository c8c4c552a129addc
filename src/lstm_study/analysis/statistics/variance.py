"""Where the difference between two arms gets its chance from: seeds, and reviews.

Whether run s of an arm reads review d right is taken as

    X[s, d] = mean + a[s] + b[d] + r[s, d]

with the seed's, the review's and the pair's own part. Seeds are independent between and within
arms; reviews are the same for both arms, and so is what makes one of them hard. The training
reviews are held fixed: nothing here speaks of other training data. Runs of two arms with one seed
index share their data order; that is not used, which can only widen an interval where it helps.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_study.analysis.answer.arms import Arm
from lstm_study.errors import ComparisonError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counts:
    """All that two arms' right and wrong readings say about their difference in accuracy.

    Attributes:
        candidate_right: int64 [candidate seeds], reviews each run reads right.
        reference_right: int64 [reference seeds].
        cells: int64 [candidate seeds + 1, reference seeds + 1]: reviews that i of the candidate's
            and j of the reference's runs read right.
    """

    candidate_right: NDArray[np.int64]
    reference_right: NDArray[np.int64]
    cells: NDArray[np.int64]

    @property
    def documents(self) -> int:
        """How many reviews there are."""
        return int(self.cells.sum())

    @property
    def difference(self) -> float:
        """Mean accuracy of the candidate minus that of the reference, in [-1, 1]."""
        return float(self.candidate_right.mean() - self.reference_right.mean()) / self.documents

    @property
    def document_differences(self) -> NDArray[np.float64]:
        """Difference of the shares of runs that read a review right, float64 like `cells`."""
        rows, columns = self.cells.shape
        return np.linspace(0, 1, rows)[:, None] - np.linspace(0, 1, columns)[None, :]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedPart:
    """What one arm's seeds add.

    Attributes:
        runs: How many runs it has.
        variance: Variance of one run's accuracy from seed to seed, in squared shares. It holds the
            noise of single reviews, var(r) / documents, and is never below it.
        deterministic: Seeds change nothing; the variance is 0 and more runs would be copies.
    """

    runs: int
    variance: float
    deterministic: bool = False

    def of_mean(self, runs: int) -> float:
        """Variance of the mean accuracy of so many runs."""
        return 0.0 if self.deterministic else self.variance / runs


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceComponents:
    """The variance of a difference in accuracy, in its parts.

    Attributes:
        candidate: The candidate's seeds.
        reference: The reference's seeds.
        document_variance: Variance of the difference that drawing other reviews would give.
        documents: How many reviews there are.
    """

    candidate: SeedPart
    reference: SeedPart
    document_variance: float
    documents: int

    def standard_error(
        self, *, candidate: int | None = None, reference: int | None = None
    ) -> float:
        """Standard error of the difference, with the runs there are or as many as given."""
        return float(np.sqrt(sum(self._parts(candidate, reference))))

    def degrees_of_freedom(
        self, *, candidate: int | None = None, reference: int | None = None
    ) -> float:
        """Degrees of freedom of the squared standard error: between 1 and documents - 1.

        Source: F. E. Satterthwaite (1946), "An approximate distribution of estimates of variance
        components", Biometrics Bulletin 2; for two means it is B. L. Welch's (1947). Checked:
        `scipy.stats.ttest_ind(equal_var=False).df`.
        """
        parts = self._parts(candidate, reference)
        freedoms = (
            max((candidate or self.candidate.runs) - 1, 1),
            max((reference or self.reference.runs) - 1, 1),
            self.documents - 1,
        )
        spread = sum(part**2 / free for part, free in zip(parts, freedoms, strict=True))
        return float(sum(parts) ** 2 / spread)

    def _parts(self, candidate: int | None, reference: int | None) -> tuple[float, float, float]:
        return (
            self.candidate.of_mean(candidate or self.candidate.runs),
            self.reference.of_mean(reference or self.reference.runs),
            self.document_variance,
        )


def count(candidate: Arm, reference: Arm) -> Counts:
    """Counts two arms' right readings, run by run and review by review.

    Raises:
        ComparisonError: The arms were not tested on the same reviews.
    """
    if not np.array_equal(candidate.labels, reference.labels):
        raise ComparisonError(
            f"arms {candidate.name} and {reference.name}: must be tested on the same reviews in "
            f"the same order. Received: {candidate.documents} and {reference.documents} labels "
            "that differ. Compare the runs of one study."
        )
    return count_correct(candidate.correct, reference.correct)


def count_correct(candidate: NDArray[np.bool_], reference: NDArray[np.bool_]) -> Counts:
    """Does the same from two arrays, bool [seeds, documents]."""
    of_candidate = candidate.sum(axis=0, dtype=np.int64)
    of_reference = reference.sum(axis=0, dtype=np.int64)
    rows, columns = len(candidate) + 1, len(reference) + 1
    cells = np.bincount(of_candidate * columns + of_reference, minlength=rows * columns)
    return Counts(
        candidate_right=candidate.sum(axis=1, dtype=np.int64),
        reference_right=reference.sum(axis=1, dtype=np.int64),
        cells=cells.reshape(rows, columns),
    )


def components(
    counts: Counts, *, deterministic: tuple[bool, bool] = (False, False)
) -> VarianceComponents:
    """Estimates the variance of the difference in its parts, each without bias.

    A review's observed difference holds the noise of its few runs, which the seeds' part already
    counts; it is subtracted from the reviews' part, which is then at least 0. To the reviews' part
    1 / documents² is added: half a review in each of the four cells of the 2 × 2 table of paired
    readings, so that arms that agree on every review are not taken as known to agree on all others.

    Args:
        counts: Two arms' right readings, of two reviews or more.
        deterministic: Whether training the candidate and the reference draws nothing at random;
            any other arm must have two runs or more.

    Raises:
        ComparisonError: Too few runs or reviews for a variance.

    Source: The mean squares of the two-way crossed random model with one observation per cell:
        S. R. Searle, G. Casella and C. E. McCulloch (1992), Variance Components, chapter 4. The
        added half reviews: A. Agresti and Y. Min (2005), "Simple improved confidence intervals for
        comparing matched proportions", Statistics in Medicine 24; here they widen the interval
        only, and do not move it. Checked: an example by hand, mean squares written plainly, and
        made-up studies whose true components are known.
    """
    documents = counts.documents
    if documents < 2:
        raise ComparisonError(
            f"comparison: needs 2 test reviews or more. Received: {documents}. Give more reviews."
        )
    candidate, noise_of_candidate = _seed_part(
        counts.candidate_right, counts.cells.sum(axis=1), deterministic[0]
    )
    reference, noise_of_reference = _seed_part(
        counts.reference_right, counts.cells.sum(axis=0), deterministic[1]
    )
    deviations = counts.document_differences - counts.difference
    observed = float((counts.cells * deviations**2).sum()) / (documents * (documents - 1))
    noise = noise_of_candidate / candidate.runs + noise_of_reference / reference.runs
    return VarianceComponents(
        candidate=candidate,
        reference=reference,
        document_variance=max(0.0, observed - noise) + 1 / documents**2,
        documents=documents,
    )


def _seed_part(
    right: NDArray[np.int64], documents_by_right: NDArray[np.int64], deterministic: bool
) -> tuple[SeedPart, float]:
    """Returns an arm's seed part, and var(r) / documents, the noise of single reviews in it."""
    runs, documents = right.size, int(documents_by_right.sum())
    if deterministic:
        return SeedPart(runs=runs, variance=0.0, deterministic=True), 0.0
    if runs < 2:
        raise ComparisonError(
            f"comparison: each arm needs 2 runs or more. Received: {runs}. Add seeds: one run "
            "can't tell how much accuracy varies from seed to seed."
        )
    total = int(right.sum())
    mean_square = total**2 / (runs * documents)
    of_seeds = float((right.astype(np.float64) ** 2).sum()) / documents - mean_square
    of_documents = float((documents_by_right * np.arange(runs + 1) ** 2).sum()) / runs - mean_square
    rest = max(0.0, total - mean_square - of_seeds - of_documents)
    noise = rest / ((runs - 1) * (documents - 1)) / documents
    observed = max(0.0, of_seeds) / documents / (runs - 1)
    return SeedPart(runs=runs, variance=max(observed, noise)), noise
