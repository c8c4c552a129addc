"""How fast a machine trains: measured beforehand, and corrected by a study's own epochs."""

import heapq
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from lstm_study.elementary import log

# Not fitted; how far they are right, replays of finished studies show (decision 26).
RECENT = 40
"""Epochs that correct a pace, the last ones."""
_TRUST_SECONDS = 20.0
"""Seconds of training that a pace measured beforehand counts like."""
_MOST_OVER_MEDIAN = 2.0
"""How many times longer than the median for its work an epoch counts at most."""
_EXPECTED = 3
"""Epochs of the pace measured beforehand that the median is taken with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds that one worker takes for work, while all workers are busy.

    Attributes:
        points: (work of a training step, seconds of one unit of work), by work ascending; between
            them it is interpolated. Small steps use a core less well than large ones.
        load_seconds: Until a worker is ready.
        setup_seconds: Until a training's first step.
        basis: What it was measured with, in words.
    """

    points: tuple[tuple[float, float], ...]
    load_seconds: float = 4.0
    setup_seconds: float = 0.7
    basis: str = ""

    def seconds(self, of_a_step: float, work: float) -> float:
        """Returns how long some work takes that is done in steps of a given work."""
        works, each = zip(*self.points, strict=True)
        return work * math.exp(np.interp(math.log(of_a_step), log(works), log(each)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Work that was timed: an epoch, or the steps so far of one in progress.

    Attributes:
        of_a_step: The work of a training step.
        work: All of it.
        seconds: What it took.
        ended_at: When it ended, to be compared with others; "" for what is in progress.
    """

    of_a_step: float
    work: float
    seconds: float
    ended_at: str = ""


def corrected(pace: Pace | None, timed: Iterable[Timed], *, recent: int = RECENT) -> Pace | None:
    """Corrects a pace by what a study's own epochs took, the most recent ones.

    What was measured beforehand counts like twenty seconds of training. An epoch that took far
    longer than the others for its work, as the first does where it compiles, counts as twice them;
    among the others are three epochs as they were expected beforehand.

    Args:
        pace: Measured beforehand; None where nothing was.
        timed: The study's epochs, in any order.
        recent: How many of them count.

    Returns:
        None where nothing was measured at all.
    """
    last = sorted(timed, key=lambda each: each.ended_at or "~")[-recent:]
    if not last:
        return pace
    flat = pace or Pace(points=((1.0, 1.0),))
    predicted = [flat.seconds(each.of_a_step, each.work) for each in last]
    ratios = [each.seconds / of for each, of in zip(last, predicted, strict=True)]
    expected = [1.0] * _EXPECTED if pace is not None else []
    most = _MOST_OVER_MEDIAN * median([*ratios, *expected])
    seconds = sum(min(ratio, most) * of for ratio, of in zip(ratios, predicted, strict=True))
    trust = _TRUST_SECONDS if pace is not None else 0.0
    factor = (trust + seconds) / (trust + sum(predicted))
    return replace(
        flat,
        points=tuple((work, factor * each) for work, each in flat.points),
        # Loading is as slow or fast as training is: other work on the machine slows down both.
        load_seconds=flat.load_seconds * (factor if pace is not None else 1.0),
        setup_seconds=flat.setup_seconds * (factor if pace is not None else 1.0),
        basis="the pace so far",
    )


def makespan(jobs: Sequence[float], *, workers: int) -> float:
    """Returns how long workers take for jobs that they take in the order given.

    Args:
        jobs: Seconds of each.
        workers: How many there are, >= 1.

    Example:
        >>> makespan([3.0, 2.0, 2.0], workers=2)
        4.0
    """
    free = [0.0] * max(1, min(workers, len(jobs)))
    for job in jobs:
        heapq.heappush(free, heapq.heappop(free) + job)
    return max(free)
