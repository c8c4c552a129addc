"""Which settings of a study may change once it has begun, without making what is done invalid."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lstm_study.spec import StudySpec
from lstm_study.spec.quantities import bytes_of, seconds_of

# The path of the reviews may change: their digest is checked.
_OF_NO_CONSEQUENCE = ("study.title", "data.path", "data.test_path")
_MAY_GROW = (
    "compare.seeds",
    "compare.runner_ups",
    "search.max_trials",
    "search.time_limit",
    "search.disk_limit",
)
_MAY_BE_ADDED = ("compare.control", "compare.ablation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changed in a study that began, each as "search.max_trials was 5, is 9".

    Attributes:
        allowed: Changes that leave the finished work valid.
        refused: Changes that would make the finished work another study's.
        searches_on: Whether a limit of the search grew, so that an ended search resumes.
    """

    allowed: tuple[str, ...]
    refused: tuple[str, ...]
    searches_on: bool = False


def changes(before: Mapping[str, Any], spec: StudySpec, *, is_compared: bool) -> Changes:
    """Compares a spec with the one that a study began with.

    Limits may grow, or be lifted. What is exported may change, since it is written again. Until the
    comparison begins, all of `[compare]` may change. From then on arms and seeds may be added,
    since their runs are independent of the others, but none may be removed, and the search may not
    resume: another winner would be chosen after test was seen.

    Args:
        before: What the study began with, as `StudySpec.model_dump(mode="json")` gave it.
        spec: The spec now.
        is_compared: Whether the comparison has begun.
    """
    # A key that is newer than the study had its default.
    old, new = StudySpec.model_validate(dict(before), strict=False).flat(), spec.flat()
    allowed, refused, searches_on = [], [], False
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if was == now or key in _OF_NO_CONSEQUENCE:
            continue
        change = f"{key} was {_shown(was)}, is {_shown(now)}"
        table = key.partition(".")[0]
        adds = _adds(key, was, now)
        is_free = table == "export" or (table == "compare" and not is_compared)
        if is_free or (adds and not (table == "search" and is_compared)):
            allowed.append(change)
            searches_on = searches_on or table == "search"
        else:
            is_too_late = is_compared and (adds or table == "compare")
            refused.append(change + " (the comparison has begun)" * is_too_late)
    return Changes(allowed=tuple(allowed), refused=tuple(refused), searches_on=searches_on)


def _adds(key: str, was: Any, now: Any) -> bool:
    """Whether a change adds to what is planned, and takes nothing away."""
    if key in _MAY_BE_ADDED:
        return now is True
    return key in _MAY_GROW and _grew(key, was, now)


def _grew(key: str, was: Any, now: Any) -> bool:
    """Whether a limit is larger than it was; no limit is the largest."""
    read = {"search.time_limit": seconds_of, "search.disk_limit": bytes_of}.get(key, int)
    limits = [math.inf if value is None else read(value) for value in (was, now)]
    return limits[1] > limits[0]


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        value = {key: each for key, each in value.items() if each is not None}
    return "unset" if value is None else json.dumps(value)
