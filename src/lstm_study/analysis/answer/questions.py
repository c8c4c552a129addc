"""The questions beside the primary one, each like with like: what is compared with what."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from lstm_study.analysis.answer.arms import Arm
from lstm_study.analysis.answer.verdict import Verdict, judge
from lstm_study.analysis.statistics.failures import without_failed_runs, without_runs
from lstm_study.analysis.statistics.intervals import LEVEL
from lstm_study.analysis.statistics.significance import holm
from lstm_study.arm_names import (
    CONTROL,
    ENSEMBLE,
    ENSEMBLE_WITH_CONTROL,
    LAST_EPOCHS_SUFFIX,
    MASKED_BASELINE,
    OWN_EPOCH_SUFFIX,
    PRIMARY,
    RECIPE_BASELINE,
    RUNNER_UP,
    WINNER_WITH_CONTROL,
)
from lstm_study.records.state import VerdictKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One arm beside the reference, in a table of several.

    Attributes:
        verdict: Its own verdict, as if it were the only one.
        adjusted_p_value: Holm's, over the further arms beside the baseline; None for the other
            questions, and where it cannot be said.
        is_tested: Whether the question is one of the protocol's. The others help to choose a model:
            their intervals describe, and they are in no family.
        remark: What the interval does not cover.
    """

    verdict: Verdict
    adjusted_p_value: float | None = None
    is_tested: bool = True
    remark: str = ""

    @property
    def kind(self) -> VerdictKind:
        """The answer: in the family of further arms by the corrected p-value, not the interval."""
        corrected = self.adjusted_p_value
        if corrected is None or corrected < 1 - self.verdict.level:
            return self.verdict.kind
        return "no difference shown"

    @property
    def answer(self) -> str:
        """The answer in a few words; says where the correction decides against the interval."""
        if not self.is_tested and self.verdict.difference is not None:
            return "; ".join(filter(None, ("described, not tested", self.remark)))
        if self.kind != self.verdict.kind:
            return f"{self.kind} after correction"
        return "; ".join(filter(None, (self.kind, self.remark)))


def side_questions(arms: Mapping[str, Arm], *, level: float = LEVEL) -> tuple[Comparison, ...]:
    """Answers every question beside winner against baseline.

    First winner against masked baseline and against the baseline with the winner's recipe, on the
    seeds that both have, own epoch against own epoch, last three epochs against last three, and
    classical control against winner and against the ensemble; then, described and not tested, what
    helps to choose a model; then each further arm against the baseline, with p-values corrected as
    one family, which decide its answers. Every interval has the level.
    """
    found = [
        Comparison(verdict=verdict)
        for verdict in (
            paired_question(arms, MASKED_BASELINE, level=level),
            paired_question(arms, RECIPE_BASELINE, level=level),
            *(_later(arms, suffix, level) for suffix in (OWN_EPOCH_SUFFIX, LAST_EPOCHS_SUFFIX)),
            control_question(arms, level=level),
            ensemble_question(arms, level=level),
        )
        if verdict is not None
    ]
    further = [
        judge(arms, candidate=name, level=level)
        for name in (arms if "baseline" in arms else ())
        if name not in (*PRIMARY, ENSEMBLE)
        and not name.endswith((OWN_EPOCH_SUFFIX, LAST_EPOCHS_SUFFIX))
    ]
    adjusted = holm(
        {each.candidate: each.difference.p_value for each in further if each.difference is not None}
    )
    return (
        *found,
        *_described(arms, level=level),
        *(Comparison(verdict=v, adjusted_p_value=adjusted.get(v.candidate)) for v in further),
    )


def paired_question(
    arms: Mapping[str, Arm], reference: str, *, level: float = LEVEL
) -> Verdict | None:
    """Compares the winner with a variant of the baseline, on the seeds that both have."""
    names = ("winner", reference)
    if any(name not in arms for name in names):
        return None
    common = set.intersection(*(set(arms[name].seed_indices) for name in names))
    equal = {}
    for name in names:
        arm = without_runs(arms[name], set(arms[name].seed_indices) - common)
        if arm is None:
            return None
        equal[name] = arm
    return judge(equal, reference=reference, level=level)


def model_question(
    arms: Mapping[str, Arm], candidate: str, reference: str, *, level: float = LEVEL
) -> Verdict:
    """Compares two models that a person could use; both arms are there.

    The ensemble is one model: it is taken as it is, over test reviews alone, and so are the runs
    that it is made of where it is compared with these.
    """
    names = (candidate, reference)
    sides = {name: arms[name] for name in names}
    ensembles = (ENSEMBLE, ENSEMBLE_WITH_CONTROL)
    if any(name in ensembles for name in names):
        fixed = (*ensembles, "winner", WINNER_WITH_CONTROL, f"winner{LAST_EPOCHS_SUFFIX}")
        sides |= {
            name: replace(without_failed_runs(arms[name]), deterministic=True)
            for name in names
            if name in fixed
        }
    return judge(sides, candidate=candidate, reference=reference, level=level)


def control_question(arms: Mapping[str, Arm], *, level: float = LEVEL) -> Verdict | None:
    """Compares the classical control, which has no seeds, with the winner's runs."""
    if CONTROL not in arms or "winner" not in arms:
        return None
    return judge(arms, candidate=CONTROL, reference="winner", level=level)


def ensemble_question(arms: Mapping[str, Arm], *, level: float = LEVEL) -> Verdict | None:
    """Compares the classical control with the ensemble, over reviews alone: each is one model."""
    if CONTROL not in arms or ENSEMBLE not in arms:
        return None
    sides = {CONTROL: arms[CONTROL], ENSEMBLE: arms[ENSEMBLE]}
    return judge(sides, candidate=CONTROL, reference=ENSEMBLE, level=level)


def own_epoch_question(arms: Mapping[str, Arm], *, level: float = LEVEL) -> Verdict | None:
    """Compares winner and baseline at their own epochs; None where both are the protocol's."""
    return _later(arms, OWN_EPOCH_SUFFIX, level)


def median_difference(arms: Mapping[str, Arm], verdict: Verdict) -> float | None:
    """Returns the difference of the two arms' median accuracies, over all runs, failed or not."""
    if any(name not in arms for name in (verdict.candidate, verdict.reference)):
        return None
    medians = [
        float(np.median(arms[name].accuracies)) for name in (verdict.candidate, verdict.reference)
    ]
    return medians[0] - medians[1]


def _described(arms: Mapping[str, Arm], *, level: float) -> list[Comparison]:
    """Describes runner-ups and last epochs beside the winner, the ensemble beside the baseline."""
    pairs = [
        (name, "winner")
        for name in arms
        if name.startswith(RUNNER_UP) or name == f"winner{LAST_EPOCHS_SUFFIX}"
    ]
    pairs.append((ENSEMBLE, "baseline"))
    return [
        Comparison(
            verdict=model_question(arms, *names, level=level),
            is_tested=False,
            remark="for this ensemble, not over other seeds of it" if ENSEMBLE in names else "",
        )
        for names in pairs
        if all(name in arms for name in names)
    ]


def _later(arms: Mapping[str, Arm], suffix: str, level: float) -> Verdict | None:
    """Compares the same trainings at other epochs; an arm without such runs stands for itself."""
    if not any(name + suffix in arms for name in PRIMARY):
        return None
    found = {name: name + suffix if name + suffix in arms else name for name in PRIMARY}
    if any(name not in arms for name in found.values()):
        return None
    sides = {name: replace(arms[name], name=name) for name in found.values()}
    return judge(sides, candidate=found["winner"], reference=found["baseline"], level=level)
