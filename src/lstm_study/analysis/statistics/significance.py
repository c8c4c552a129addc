"""Tests that stand beside the interval, each with its name, and how far arms and seeds disagree."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from lstm_study.analysis.answer.arms import Arm
from lstm_study.analysis.statistics.variance import Counts, count
from lstm_study.seeds import derive

MCNEMAR = "exact McNemar test on majority votes"
PERMUTATION = "permutation test over seeds"
EXACT_LIMIT = 200_000
RANDOM_RELABELINGS = 99_999


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """One test's answer.

    Attributes:
        test: Its name: no p-value goes without it.
        p_value: Two-sided, in (0, 1].
        detail: What it counted, in words.
    """

    __test__ = False

    test: str
    p_value: float
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """How often readings differ, as shares of the test reviews.

    Attributes:
        between_votes: Reviews on which the two arms' majority votes differ.
        between_runs: The same for one run of each arm, mean over all pairs.
        within_candidate: The same for two runs of the candidate; None with one run.
        within_reference: The same for two runs of the reference; None with one run.
    """

    between_votes: float
    between_runs: float
    within_candidate: float | None
    within_reference: float | None


def mcnemar(candidate: Arm, reference: Arm) -> TestResult:
    """Tests whether the two arms' majority votes read equally many reviews right.

    It speaks of these runs' votes on other reviews, not of other seeds. A tied vote is settled by
    the runs' mean probability.

    Source: Q. McNemar (1947), "Note on the sampling error of the difference between correlated
        proportions or percentages", Psychometrika 12; the exact form is the sign test on the
        reviews that only one arm reads right. Worked: 1 to 9 gives 2 · (1 + 10) / 2¹⁰ = 0.0215.
        Checked: that example; the sign test is `scipy.stats.binomtest`.
    """
    from scipy.stats import binomtest

    truth = candidate.labels.astype(bool)
    right, other = candidate.votes == truth, reference.votes == truth
    only_candidate, only_reference = int(np.sum(right & ~other)), int(np.sum(other & ~right))
    either = only_candidate + only_reference
    return TestResult(
        test=MCNEMAR,
        p_value=float(binomtest(only_candidate, either).pvalue) if either else 1.0,
        detail=f"only the {candidate.name} reads {only_candidate:,} reviews right, "
        f"only the {reference.name} {only_reference:,}",
    )


def permutation(candidate: Arm, reference: Arm, *, seed: int) -> TestResult | None:
    """Tests whether the arms' labels could be swapped between runs: does it matter which is whose?

    The statistic is the difference in mean accuracy, counted in reviews, so that ties are ties. It
    holds the test reviews fixed. Every relabeling is tried where there are at most 200,000 (ten
    seeds per arm), else 99,999 drawn ones and the observed.

    Args:
        candidate: An arm.
        reference: Another.
        seed: The study's, for drawn relabelings.

    Returns:
        The result; None if an arm has one run, which has nothing to swap.

    Source: E. J. G. Pitman (1937), "Significance tests which may be applied to samples from any
        populations", Supplement to the Journal of the Royal Statistical Society 4. Drawn
        relabelings: B. Phipson and G. K. Smyth (2010), "Permutation p-values should never be zero",
        Statistical Applications in Genetics and Molecular Biology 9. Checked:
        `scipy.stats.permutation_test`, ties included.
    """
    if candidate.seeds < 2 or reference.seeds < 2:
        return None
    counts = count(candidate, reference)
    right = np.concatenate([counts.candidate_right, counts.reference_right])
    runs, chosen = right.size, candidate.seeds
    relabelings = comb(runs, chosen)
    exact = relabelings <= EXACT_LIMIT
    if exact:
        flat = chain.from_iterable(combinations(range(runs), chosen))
        picks = np.fromiter(flat, dtype=np.intp, count=relabelings * chosen)
        sums: NDArray[np.int64] = right[picks.reshape(relabelings, chosen)].sum(axis=1)
    else:
        random = np.random.default_rng(derive(seed, "permutation", candidate.name, reference.name))
        rows = np.broadcast_to(right, (RANDOM_RELABELINGS, runs))
        sums = random.permuted(rows, axis=1)[:, :chosen].sum(axis=1)
    # How far a group's sum lies from its share of the whole, times the number of runs.
    distances = np.abs(sums * runs - chosen * right.sum())
    observed = abs(int(counts.candidate_right.sum()) * runs - chosen * int(right.sum()))
    extreme = int(np.sum(distances >= observed))
    p_value = extreme / relabelings if exact else (extreme + 1) / (RANDOM_RELABELINGS + 1)
    tried = f"all {relabelings:,}" if exact else f"{RANDOM_RELABELINGS:,} drawn"
    return TestResult(
        test=PERMUTATION,
        p_value=p_value,
        detail=f"{extreme:,} of {tried} relabelings of the {runs} runs differ as much or more",
    )


def disagreement(candidate: Arm, reference: Arm) -> Disagreement:
    """Measures how often arms, and runs of one arm, read a review differently.

    Checked: a plain loop over all pairs of runs.
    """
    counts = count(candidate, reference)
    of_candidate = np.arange(candidate.seeds + 1)[:, None]
    of_reference = np.arange(reference.seeds + 1)[None, :]
    differing = of_candidate * (reference.seeds - of_reference) + of_reference * (
        candidate.seeds - of_candidate
    )
    pairs = candidate.seeds * reference.seeds * counts.documents
    return Disagreement(
        between_votes=float(np.mean(candidate.votes != reference.votes)),
        between_runs=float((counts.cells * differing).sum()) / pairs,
        within_candidate=_within(counts, axis=1),
        within_reference=_within(counts, axis=0),
    )


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Corrects the p-values of one family, so that one false finding in all has the stated chance.

    Returns:
        The adjusted p-value of each name, in the order given.

    Source: S. Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian
        Journal of Statistics 6. Worked and checked: 0.01, 0.04, 0.03 give 0.03, 0.06, 0.06.
    """
    adjusted: dict[str, float] = {}
    highest = 0.0
    for place, name in enumerate(sorted(p_values, key=lambda key: p_values[key])):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[name]))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}


def _within(counts: Counts, *, axis: int) -> float | None:
    by_right = counts.cells.sum(axis=axis)
    runs = int(by_right.size) - 1
    if runs < 2:
        return None
    right = np.arange(runs + 1)
    pairs = runs * (runs - 1) * counts.documents
    return float(np.sum(by_right * 2 * right * (runs - right))) / pairs
