"""Temperature scaling: calibrated probabilities, fitted on reviews that were not trained on.

A network trained until its training loss is low is overconfident. Dividing its logits by one
number, the temperature, corrects that and changes no predicted label, since 0.5 stays 0.5.

Source: C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger (2017), "On calibration of modern neural
    networks", ICML, section 4.2.
"""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.arm_names import PRIMARY, VALIDATION_SUFFIX
from lstm_study.elementary import exp, log, log1p

if TYPE_CHECKING:
    from lstm_study.records import Run

_LEAST, _GREATEST = 0.05, 20.0
_CLIP = 1e-7


def fit_temperature(labels: NDArray[Any], probabilities: NDArray[Any]) -> float:
    """Returns the temperature with the least binary cross-entropy.

    Args:
        labels: 0 or 1, int [reviews], of reviews that the network was not trained on.
        probabilities: Of the positive label, float [reviews].

    Returns:
        In [0.05, 20]: above 1 where the network is too sure, below where it is not sure enough.

    Example:
        Ten reviews at a probability of 0.99, eight of them positive: logits of 4.595 should be
        those of 0.8, 1.386, so the temperature is 3.315.
    """
    from scipy.optimize import minimize_scalar

    positive = np.asarray(labels) > 0
    logits = _logits(probabilities)
    signed = np.where(positive, logits, -logits)

    def loss(log_temperature: float) -> float:
        losses = np.logaddexp(0.0, -signed * math.exp(-log_temperature))  # noqa: TID251 - recorded
        return float(losses.mean())

    bounds = (math.log(_LEAST), math.log(_GREATEST))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return math.exp(float(found.x))


def tempered(probabilities: NDArray[Any], temperature: float) -> NDArray[np.float64]:
    """Returns the probabilities of logits divided by a temperature, in the shape given."""
    found: NDArray[np.float64] = 1.0 / (1.0 + exp(-_logits(probabilities) / temperature))
    return found


def temperature_of(runs: "Iterable[Run]", arm: str) -> float | None:
    """Returns the temperature of an arm: the geometric mean over its validation runs.

    None where no validation run of it has one.
    """
    found = [
        run.temperature
        for run in runs
        if run.arm == arm + VALIDATION_SUFFIX
        and run.status == "completed"
        and run.temperature is not None
    ]
    return math.exp(math.fsum(map(math.log, found)) / len(found)) if found else None


def why_not_calibrated(runs: "Iterable[Run]", arm: str) -> str:
    """Says why an arm has no temperature; "" where it has one."""
    own = [run for run in runs if run.arm == arm + VALIDATION_SUFFIX]
    if temperature_of(own, arm) is not None:
        return ""
    name = f"the {arm}" if arm in PRIMARY else f"the arm {arm}"
    if not own:
        return f"{name} has no validation runs"
    if all(run.status != "completed" for run in own):
        return f"no validation run of {name} has completed"
    return f"{name}’s validation runs recorded no temperature"


def _logits(probabilities: NDArray[Any]) -> NDArray[np.float64]:
    p = np.clip(np.asarray(probabilities, dtype=np.float64), _CLIP, 1 - _CLIP)
    logits: NDArray[np.float64] = log(p) - log1p(-p)
    return logits
