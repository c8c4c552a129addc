"""Comparisons that train less than all: fewer seeds, or a shortened one (`--quick`).

A shortened comparison trains winner and baseline alone, with few seeds. It opens test before own
epochs are fixed, so they are never evaluated in that study. All else may be trained later, by the
same command without `--quick`.
"""

from dataclasses import replace
from types import MappingProxyType

from lstm_study.analysis.statistics.power import LEAST_SEEDS
from lstm_study.arm_names import PRIMARY
from lstm_study.comparison.arms import ComparisonPlan
from lstm_study.provenance import now
from lstm_study.records.state import OWN_EPOCHS, ArmsState, Extent, QuickState
from lstm_study.store import Store


def limited(plan: ComparisonPlan, extent: Extent) -> ComparisonPlan:
    """Returns the part of a comparison that is to be trained."""
    found = shortened(plan) if extent.primary_only else plan
    if extent.most_seeds is None:
        return found
    return replace(found, seeds=min(found.seeds, extent.most_seeds))


def shortened(plan: ComparisonPlan) -> ComparisonPlan:
    """Returns the part of a comparison that a verdict on winner and baseline needs."""
    return replace(
        plan,
        arms=MappingProxyType({arm: plan.arms[arm] for arm in PRIMARY}),
        seeds=min(plan.seeds, LEAST_SEEDS),
        validation_seeds=0,
        ablation=False,
        is_quick=True,
    )


def record_quick(plan: ComparisonPlan, store: Store) -> None:
    """Records that a comparison is shortened, the first time, if that leaves anything out.

    Args:
        plan: The whole one.
        store: The study's; held by this process.
    """
    short = shortened(plan)
    left_out = [arm for arm in plan.arms if arm not in short.arms]
    if plan.validation_seeds and store.read_state(ArmsState) is None:
        left_out.append(OWN_EPOCHS)
    if plan.ablation:
        left_out.append("the ablation")
    is_shorter = left_out or short.seeds < plan.seeds
    if is_shorter and store.read_state(QuickState) is None:
        store.write_state(
            QuickState(at=now(), seeds=short.seeds, planned=plan.seeds, left_out=tuple(left_out))
        )
