"""The ablation: from baseline to winner, one hyperparameter at a time, with the gain of each.

Greedy: at each step every hyperparameter that still differs is changed alone, and the change with
the largest gain on the validation reviews is kept. A change's gain depends
on the order, and one below the seed-to-seed spread is noise: every training has the same seed.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lstm_study.arm_names import ABLATION, MASKED_BASELINE, VALIDATION_SUFFIX
from lstm_study.configuration import Configuration
from lstm_study.records import Run, StudyRecords
from lstm_study.spec import StudySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class AblationStep:
    """One change, and its gain on validation.

    Attributes:
        number: From 1.
        hyperparameter: What changed.
        before: Its value until then: the baseline's.
        after: Its value from then on: the winner's.
        score_after: The objective after the change.
        gain: How much better that is, whichever end of the objective is better.
        run_id: The run that has the change.
        tried: Gain of every hyperparameter that was tried in this step; None where it failed.
    """

    number: int
    hyperparameter: str
    before: float
    after: float
    score_after: float
    gain: float
    run_id: str
    tried: tuple[tuple[str, float | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AblationPath:
    """The ablation as far as its trainings have ended.

    Attributes:
        start: The baseline's score on validation; None until it is known.
        steps: In order.
        candidates: Run id → hyperparameter and configuration of the next step's trainings, those
            that ended included; empty when the path is complete.
    """

    start: float | None
    steps: tuple[AblationStep, ...]
    candidates: Mapping[str, tuple[str, Configuration]]


def validation_run_id(arm: str, seed_index: int = 1) -> str:
    """Names the validation run of an arm."""
    return f"{arm}{VALIDATION_SUFFIX}-s{seed_index}"


def start_of(spec: StudySpec) -> str:
    """Names the arm the ablation starts from: the baseline, masked if the networks are."""
    return MASKED_BASELINE if spec.protocol.masked else "baseline"


def ablation_path(records: StudyRecords) -> AblationPath | None:
    """Returns the ablation in a study's records; None where there is none, or none has begun."""
    runs = {run.run_id: run for run in records.runs}
    spec = StudySpec.model_validate(records.spec, strict=False)
    ends = [runs.get(validation_run_id(arm)) for arm in (start_of(spec), "winner")]
    if not spec.compare.ablation or ends[0] is None or ends[1] is None:
        return None
    return follow_path(records.runs, ends[0].configuration, ends[1].configuration, spec=spec)


def ablation_trainings(here: Configuration, winner: Configuration) -> int:
    """Returns how many trainings lead from a configuration to the winner's.

    One fewer at each step; the last step's is the winner's own validation run.
    """
    different = len(_different(here, winner))
    return max(0, different * (different + 1) // 2 - 1)


def ablation_trainings_left(
    runs: Iterable[Run], baseline: Configuration, winner: Configuration, *, spec: StudySpec
) -> int:
    """Returns how many of an ablation's trainings have not begun, its masked start included.

    The path ends early where all trainings of a step failed, or the start did.
    """
    by_id = {run.run_id: run for run in runs}
    start = by_id.get(validation_run_id(start_of(spec)))
    path = follow_path(by_id.values(), baseline, winner, spec=spec)
    ends = [validation_run_id(arm) for arm in ("baseline", "winner")]
    left = sum(run_id not in by_id and run_id not in ends for run_id in path.candidates)
    if start is None or start.status != "failed":
        for each in range(2, len(path.candidates)):  # the steps after the next one
            left += each
    return left + (spec.protocol.masked and start is None)


def follow_path(
    runs: Iterable[Run], baseline: Configuration, winner: Configuration, *, spec: StudySpec
) -> AblationPath:
    """Follows the path as far as the completed runs allow.

    Args:
        runs: The study's.
        baseline: Where it begins.
        winner: Where it ends; the last step's training is the winner's own validation run.
        spec: The study: its objective, and which epoch's score counts.
    """
    by_id = {run.run_id: run for run in runs}
    start = score_of(by_id.get(validation_run_id(start_of(spec))), spec)
    here, score = baseline, start
    steps: list[AblationStep] = []
    while True:
        candidates = _candidates(here, winner, number=len(steps) + 1)
        ended = [(run := by_id.get(run_id)) is not None and run.has_ended for run_id in candidates]
        if score is None or not candidates or not all(ended):
            return AblationPath(start=start, steps=tuple(steps), candidates=candidates)
        step = _step(candidates, by_id, here, score, number=len(steps) + 1, spec=spec)
        if step is None:
            return AblationPath(start=start, steps=tuple(steps), candidates={})
        steps.append(step)
        here, score = candidates[step.run_id][1], step.score_after


def score_of(run: Run | None, spec: StudySpec) -> float | None:
    """Returns a validation run's objective, at the epoch that `search.score` counts.

    What a baseline trained beyond the full budget does not count: the others have no such epochs.
    """
    if run is None or run.status != "completed":
        return None
    counted = [epoch for epoch in run.epochs if epoch.epoch <= spec.search.max_epochs]
    values = [getattr(epoch, spec.study.objective) for epoch in counted]
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known or len(known) < len(values):
        return None
    if spec.search.score == "last_epoch":
        return float(known[-1])
    return float(max(known) if spec.study.direction == "max" else min(known))


def _candidates(
    here: Configuration, winner: Configuration, *, number: int
) -> dict[str, tuple[str, Configuration]]:
    left = _different(here, winner)
    if len(left) == 1:
        return {validation_run_id("winner"): (left[0], winner)}
    return {
        f"{ABLATION}-{number}-{name.replace('_', '-')}": (
            name,
            here.with_values(**{name: winner.value(name)}),
        )
        for name in left
    }


def _different(here: Configuration, winner: Configuration) -> list[str]:
    return [name for name in here.names if here.value(name) != winner.value(name)]


def _step(
    candidates: Mapping[str, tuple[str, Configuration]],
    by_id: Mapping[str, Run],
    here: Configuration,
    score: float,
    *,
    number: int,
    spec: StudySpec,
) -> AblationStep | None:
    """Takes the step with the largest gain; ties go to the hyperparameter that is listed first."""
    sign = 1 if spec.study.direction == "max" else -1
    scores = {run_id: score_of(by_id[run_id], spec) for run_id in candidates}
    gains = {
        run_id: sign * (value - score) for run_id, value in scores.items() if value is not None
    }
    if not gains:
        return None
    run_id = max(gains, key=lambda run_id: gains[run_id])
    name, configuration = candidates[run_id]
    after = scores[run_id]
    assert after is not None, "a gain has a score"
    return AblationStep(
        number=number,
        hyperparameter=name,
        before=here.value(name),
        after=configuration.value(name),
        score_after=after,
        gain=gains[run_id],
        run_id=run_id,
        tried=tuple((candidate, gains.get(each)) for each, (candidate, _) in candidates.items()),
    )
