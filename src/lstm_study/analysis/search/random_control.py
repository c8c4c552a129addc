"""The random control: the best of randomly drawn configurations, each trained in full.

It spends as many epochs as the search, on configurations drawn from the same space. The
order of random draws means nothing, so the best so far is shown with a band over other orders.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from lstm_study.objectives import Direction
from lstm_study.records import Trial
from lstm_study.records.trial_ids import in_order
from lstm_study.seeds import derive

ORDERS = 1_000
LEVEL = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomControlProgress:
    """The state of the random control when one of its trials ended.

    Its fields are columns of `tables/random_control.csv`: trials, epochs and seconds are those of
    the control so far, `low` and `high` the band's ends. A score is None where there is none.
    """

    trial_number: int
    trial_id: str
    epochs: int
    seconds: float
    score: float | None
    best_score: float | None
    low: float | None
    high: float | None


def random_control_progress(
    trials: Iterable[Trial], direction: Direction, *, seed: int
) -> tuple[RandomControlProgress, ...]:
    """Follows the random control's best score, with a band over random orders of its trials.

    The band holds 90% of the orders. It narrows to one value at the end, where every order has seen
    every trial: it shows chance in the order alone, not in the draws from the space.
    """
    import numpy as np

    ended = [trial for trial in trials if trial.role == "control" and trial.has_ended]
    ended.sort(key=lambda trial: (trial.ended_at, in_order(trial.trial_id)))
    if not ended:
        return ()
    sign = 1.0 if direction == "max" else -1.0
    scores = np.array(
        [sign * trial.score if trial.score is not None else -np.inf for trial in ended]
    )
    epochs = np.array([len(trial.epochs) for trial in ended])
    places = np.cumsum(epochs)
    worked = np.cumsum([trial.seconds for trial in ended])
    random = np.random.default_rng(derive(seed, "order of the control"))
    shuffled = random.permuted(np.tile(np.arange(len(ended)), (ORDERS, 1)), axis=1)
    reached = np.cumsum(epochs[shuffled], axis=1)
    best = np.maximum.accumulate(scores[shuffled], axis=1)
    found = []
    actual = np.maximum.accumulate(scores)
    for number, trial in enumerate(ended):
        # How many trials each order has ended by these epochs; the band needs at least one.
        done = np.maximum((reached <= places[number]).sum(axis=1), 1)
        values = best[np.arange(ORDERS), done - 1]
        ends = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="nearest")
        low, high = sorted(sign * ends)
        found.append(
            RandomControlProgress(
                trial_number=number + 1,
                trial_id=trial.trial_id,
                epochs=int(places[number]),
                seconds=float(worked[number]),
                score=trial.score,
                best_score=_finite(sign * actual[number]),
                low=_finite(low),
                high=_finite(high),
            )
        )
    return tuple(found)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
