"""What a comparison compares: each arm's completed runs on the same test reviews."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from lstm_study.arm_names import CONTROL, ENSEMBLE
from lstm_study.errors import ComparisonError
from lstm_study.metrics import THRESHOLD
from lstm_study.records import Run, StudyRecords


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arm:
    """The completed runs of one arm.

    Attributes:
        name: "baseline", "winner", ...
        seed_indices: Which seed each row belongs to, ascending.
        probabilities: float32 [seeds, documents], of being positive.
        labels: int8 [documents], 0 or 1; the same for every arm of a study.
        correct: bool [seeds, documents]: the label is 1 exactly where the probability is above 0.5.
        deterministic: Training draws nothing at random, so that one run is all there can be.
    """

    name: str
    seed_indices: tuple[int, ...]
    probabilities: NDArray[np.float32]
    labels: NDArray[np.int8]
    correct: NDArray[np.bool_]
    deterministic: bool = False

    @property
    def seeds(self) -> int:
        """How many runs there are."""
        return len(self.seed_indices)

    @property
    def documents(self) -> int:
        """How many test reviews there are."""
        return int(self.labels.size)

    @property
    def accuracies(self) -> NDArray[np.float64]:
        """Test accuracy of each run, float64 [seeds], in [0, 1]."""
        means: NDArray[np.float64] = self.correct.mean(axis=1, dtype=np.float64)
        return means

    @property
    def accuracy(self) -> float:
        """Mean test accuracy over runs, in [0, 1], of the same bits as in the tables of arms."""
        return fmean(self.accuracies.tolist())

    @property
    def accuracy_deviation(self) -> float | None:
        """Standard deviation of accuracy from seed to seed, with n - 1; None with one run."""
        return float(np.std(self.accuracies, ddof=1)) if self.seeds > 1 else None

    @property
    def votes(self) -> NDArray[np.bool_]:
        """The majority vote of the runs, bool [documents], True for positive.

        A tie, possible with an even number of runs, is settled by the runs' mean probability.
        """
        positive = (self.probabilities > THRESHOLD).sum(axis=0)
        settled: NDArray[np.bool_] = np.where(
            2 * positive == self.seeds,
            self.probabilities.mean(axis=0, dtype=np.float64) > THRESHOLD,
            2 * positive > self.seeds,
        )
        return settled


def same_reviews(candidate: Arm, reference: Arm) -> None:
    """Checks that two arms were tested on the same reviews.

    Raises:
        ComparisonError: They were not.
    """
    if not np.array_equal(candidate.labels, reference.labels):
        raise ComparisonError(
            f"arms {candidate.name} and {reference.name}: must be tested on the same reviews in "
            f"the same order. Received: {candidate.documents} and {reference.documents} labels "
            "that differ. Compare the runs of one study."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSummary:
    """One arm in the comparison: runs, mean test accuracy, and its standard deviation over seeds.

    `accuracy_deviation` is None with one run.
    """

    name: str
    seeds: int
    accuracy: float
    accuracy_deviation: float | None
    lowest: float
    highest: float


def make_arm(
    name: str,
    *,
    probabilities: NDArray[np.floating],
    labels: NDArray[np.integer],
    seed_indices: Collection[int] | None = None,
    deterministic: bool = False,
) -> Arm:
    """Builds an arm from its runs' probabilities.

    Args:
        name: "baseline", "winner", ...
        probabilities: [seeds, documents], in [0, 1].
        labels: [documents], 0 or 1.
        seed_indices: One for each row; 1, 2, ... by default.
        deterministic: Training draws nothing at random.

    Raises:
        ComparisonError: Shapes don't fit, a probability is not one, or a label is not 0 or 1.
    """
    values = np.asarray(probabilities, dtype=np.float32)
    truth = np.asarray(labels, dtype=np.int8)
    rows = values.shape[0] if values.ndim == 2 else 0
    indices = tuple(range(1, rows + 1) if seed_indices is None else seed_indices)
    if rows == 0 or values.shape != (len(indices), truth.size):
        raise ComparisonError(
            f"arm {name}: probabilities must be [seeds, documents] with one seed or more. "
            f"Received: shape {values.shape} for {len(indices)} seeds and {truth.size} documents."
        )
    if not bool(((values >= 0) & (values <= 1)).all()):
        raise ComparisonError(f"arm {name}: every probability must be a number in [0, 1].")
    if not bool(((truth == 0) | (truth == 1)).all()):
        raise ComparisonError(f"arm {name}: every label must be 0 or 1.")
    return Arm(
        name=name,
        seed_indices=indices,
        probabilities=values,
        labels=truth,
        correct=(values > THRESHOLD) == truth.astype(bool),
        deterministic=deterministic,
    )


def arms_from_records(records: StudyRecords) -> dict[str, Arm]:
    """Gathers each arm's usable runs; an arm without one is absent.

    A run is usable when it completed and left a whole row of probabilities; `runs_left_out` tells
    of the others. The classical control is the arm "control". With `export.ensemble`, the mean
    probability of the winner's runs is the arm "ensemble", of one row.

    Returns:
        Arm name → arm, in the records' order; control and ensemble come last.
    """
    if records.test_labels is None:
        return {}
    usable: dict[str, list[Run]] = {}
    for run in records.runs:
        if not _reason_left_out(run, records):
            usable.setdefault(run.arm, []).append(run)
    arms = {
        name: make_arm(
            name,
            probabilities=np.stack([records.predictions[run.run_id] for run in runs]),
            labels=records.test_labels,
            seed_indices=[run.seed_index for run in runs],
        )
        for name, runs in usable.items()
    }
    control = records.predictions.get(CONTROL)
    is_control = records.control is not None and records.control.status == "completed"
    if is_control and control is not None and control.shape == records.test_labels.shape:
        arms[CONTROL] = make_arm(
            CONTROL,
            probabilities=control[np.newaxis],
            labels=records.test_labels,
            deterministic=True,
        )
    winner = arms.get("winner")
    if winner is not None and records.spec.get("export", {}).get("ensemble"):
        mean = winner.probabilities.mean(axis=0, dtype=np.float64)
        arms[ENSEMBLE] = make_arm(
            ENSEMBLE, probabilities=mean[np.newaxis], labels=records.test_labels
        )
    return arms


def without(arm: Arm, documents: Collection[int]) -> Arm:
    """Returns an arm without some test reviews, given by their positions in the test half.

    Raises:
        ComparisonError: A position is not one, or no review is left.
    """
    dropped = np.asarray(sorted(documents), dtype=np.int64)
    if dropped.size and not 0 <= dropped[0] <= dropped[-1] < arm.documents:
        raise ComparisonError(
            f"arm {arm.name}: positions must lie in the test half of {arm.documents} reviews. "
            f"Received: {dropped[0]} to {dropped[-1]}."
        )
    if dropped.size == arm.documents:
        raise ComparisonError(f"arm {arm.name}: no test review is left.")
    return make_arm(
        arm.name,
        probabilities=np.delete(arm.probabilities, dropped, axis=1),
        labels=np.delete(arm.labels, dropped),
        seed_indices=arm.seed_indices,
        deterministic=arm.deterministic,
    )


def summarise_arm(arm: Arm) -> ArmSummary:
    """Takes an arm's numbers."""
    return ArmSummary(
        name=arm.name,
        seeds=arm.seeds,
        accuracy=arm.accuracy,
        accuracy_deviation=arm.accuracy_deviation,
        lowest=float(arm.accuracies.min()),
        highest=float(arm.accuracies.max()),
    )


def runs_left_out(records: StudyRecords) -> dict[str, str]:
    """Says, for each arm with runs that can't be used, how many of how many, and why.

    Returns:
        Arm name → words such as "2 of 6 runs are left out: 1 failed, 1 is not finished".
    """
    planned = Counter(run.arm for run in records.runs)
    reasons: dict[str, Counter[str]] = {}
    for run in records.runs:
        if reason := _reason_left_out(run, records):
            reasons.setdefault(run.arm, Counter())[reason] += 1
    return {
        arm: f"{counts.total()} of {planned[arm]} runs {_be(counts.total())} left out: "
        + ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
        for arm, counts in reasons.items()
    }


def _be(count: int) -> str:
    return "is" if count == 1 else "are"


def _reason_left_out(run: Run, records: StudyRecords) -> str:
    if run.status == "failed":
        return "failed"
    if run.status != "completed":
        return "not finished"
    row = records.predictions.get(run.run_id)
    if row is None or records.test_labels is None:
        return "without stored probabilities"
    if row.shape != records.test_labels.shape:
        return "with probabilities for another number of reviews"
    if not bool(((row >= 0) & (row <= 1)).all()):
        return "with probabilities that are not numbers in [0, 1]"
    return ""
