"""The arms of a comparison, and the runs they are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from types import MappingProxyType

from lstm_study.analysis.answer.ablation import ablation_trainings, validation_run_id
from lstm_study.analysis.answer.planned_arms import epochs_of, is_arm_masked, planned_arms
from lstm_study.analysis.search.summary import objective_of
from lstm_study.arm_names import (
    LAST_EPOCHS_SUFFIX,
    MASKED_BASELINE,
    OWN_EPOCH_SUFFIX,
    PRIMARY,
    VALIDATION_SUFFIX,
)
from lstm_study.configuration import Configuration
from lstm_study.provenance import now
from lstm_study.records import Epoch, Run, Trial
from lstm_study.seeds import derive
from lstm_study.spec import StudySpec
from lstm_study.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonPlan:
    """What a comparison retrains.

    Attributes:
        arms: Configuration by the arm's name, in the order to run: those evaluated on test.
        seeds: Runs of each.
        validation_seeds: Validation runs of baseline and winner; 0 for none.
        control: Whether to train the classical control.
        near_duplicates: Whether to count near-duplicates of test reviews in training.
        ablation: Whether to go from baseline to winner one hyperparameter at a time.
        is_quick: Whether it is shortened, and opens test before own epochs are fixed; see
            `comparison.quick`.
    """

    arms: Mapping[str, Configuration]
    seeds: int
    validation_seeds: int = 0
    control: bool = False
    near_duplicates: bool = False
    ablation: bool = False
    is_quick: bool = False

    @property
    def trainings(self) -> int:
        """How many trainings that is, the control's left out."""
        primary = len(PRIMARY) * self.validation_seeds
        return len(self.arms) * self.seeds + primary + self.ablation_trainings

    @property
    def ablation_trainings(self) -> int:
        """How many of them lead from baseline to winner."""
        if not self.ablation:
            return 0
        ends = (self.arms[arm] for arm in PRIMARY)
        return ablation_trainings(*ends) + (MASKED_BASELINE in self.arms)


def plan_comparison(
    spec: StudySpec, trials: Sequence[Trial], *, runs: Sequence[Run] = (), more_seeds: int = 0
) -> ComparisonPlan:
    """Plans the whole comparison of a finished search; `runs` are those that it already has."""
    return plan_of(planned_arms(spec, trials, runs), spec, more_seeds=more_seeds)


def plan_of(
    arms: Mapping[str, Configuration], spec: StudySpec, *, more_seeds: int = 0
) -> ComparisonPlan:
    """Plans the whole comparison of some arms.

    Args:
        arms: Configuration by name, in the order to run.
        spec: The study.
        more_seeds: Seeds that were added to the study file's.
    """
    return ComparisonPlan(
        arms=MappingProxyType(dict(arms)),
        seeds=spec.compare.seeds + more_seeds,
        validation_seeds=spec.compare.validation_seeds,
        control=spec.compare.control,
        near_duplicates=True,
        ablation=spec.compare.ablation,
    )


def plan_runs(plan: ComparisonPlan, *, spec: StudySpec, own_epochs: Mapping[str, int]) -> list[Run]:
    """Plans the runs on all training reviews: every arm with every seed, in the order to run.

    Baseline and winner come first, one seed after the other: a comparison that is stopped early has
    its answer, on equal numbers of seeds. Each further arm follows, seed by seed.

    Runs of different arms with one seed index share their seed. Where both are masked or both are
    not, they also see the reviews in the same order.
    """
    primary = [arm for arm in plan.arms if arm in PRIMARY]
    groups = [primary, *([arm] for arm in plan.arms if arm not in PRIMARY)]
    return [
        _run(
            f"{arm}-s{index}",
            arm=arm,
            seed_index=index,
            seed=derive(spec.study.seed, "run", index),
            configuration=plan.arms[arm],
            epochs=epochs_of(arm, spec),
            own_epoch=own_epochs.get(arm),
            masked=is_arm_masked(arm, spec),
        )
        for group in groups
        for index in range(1, plan.seeds + 1)
        for arm in group
    ]


def plan_validation_runs(plan: ComparisonPlan, *, spec: StudySpec) -> list[Run]:
    """Plans the runs of baseline and winner that leave the validation reviews out.

    They train for the search's full budget (the baseline for its own number of epochs, where it has
    one), with seeds that no trial and no other run has. An ablation starts from one of the masked
    baseline, where there is such an arm.
    """
    planned = [
        validation_run(
            validation_run_id(arm, index),
            arm=arm + VALIDATION_SUFFIX,
            seed_index=index,
            configuration=plan.arms[arm],
            epochs=validation_epochs(arm, spec),
            spec=spec,
        )
        for index in range(1, plan.validation_seeds + 1)
        for arm in PRIMARY
    ]
    if plan.ablation and MASKED_BASELINE in plan.arms:
        planned.append(
            validation_run(
                validation_run_id(MASKED_BASELINE),
                arm=MASKED_BASELINE + VALIDATION_SUFFIX,
                configuration=plan.arms[MASKED_BASELINE],
                spec=spec,
            )
        )
    return planned


def validation_epochs(arm: str, spec: StudySpec) -> int:
    """Returns the epochs among which an arm's own epoch is chosen."""
    return (spec.baseline.epochs if arm == "baseline" else None) or spec.search.max_epochs


def validation_run(
    run_id: str,
    *,
    arm: str,
    seed_index: int = 1,
    configuration: Configuration,
    epochs: int | None = None,
    spec: StudySpec,
) -> Run:
    """Plans one run on the train split, validated after each epoch; by default the full budget."""
    run = _run(
        run_id,
        arm=arm,
        seed_index=seed_index,
        seed=derive(spec.study.seed, "validation run", seed_index),
        configuration=configuration,
        epochs=epochs or spec.search.max_epochs,
        masked=is_arm_masked(arm, spec),
    )
    return replace(run, trained_on="train")


def own_epochs(runs: Sequence[Run], *, spec: StudySpec) -> Mapping[str, int]:
    """Returns the own epoch of baseline and winner, the best of their validation runs' mean curve.

    The documented protocol trains for 10 epochs whether they help or not. Each arm is also
    evaluated at its own epoch, so that the winner does not win by overfitting less in an arbitrary
    number of epochs. That may be a later epoch than the protocol's last, but not where the learning
    rate has fallen to zero by then: nothing is learned after that. An arm without a whole curve is
    absent.
    """
    found = {}
    for arm in PRIMARY:
        validated = [
            run for run in runs if run.arm == arm + VALIDATION_SUFFIX and run.status == "completed"
        ]
        falls = any(run.configuration.learning_rate_schedule != "constant" for run in validated)
        last = epochs_of(arm, spec) if falls else None
        epoch = best_epoch([run.epochs[:last] for run in validated], spec=spec)
        if epoch is not None:
            found[arm] = epoch
    return found


def best_epoch(curves: Sequence[Sequence[Epoch]], *, spec: StudySpec) -> int | None:
    """Returns the epoch with the best mean of the objective; ties go to the earlier one.

    None without a curve. Epochs that some curve lacks are not chosen.
    """
    sign = 1 if spec.study.direction == "max" else -1
    by_epoch: dict[int, list[float]] = {}
    for curve in curves:
        for epoch in curve:
            value = objective_of(epoch, spec.study.objective)
            if value is not None:
                by_epoch.setdefault(epoch.epoch, []).append(sign * value)
    means = {
        number: fmean(values) for number, values in by_epoch.items() if len(values) == len(curves)
    }
    return min(means, key=lambda number: (-means[number], number), default=None)


def own_epoch_run(run: Run) -> Run | None:
    """Returns the run that is this one's training, evaluated at the arm's own epoch.

    None where the arm has none, or where it is the protocol's last epoch: then the run itself is
    that evaluation.
    """
    if run.own_epoch is None or run.own_epoch == run.protocol_epochs:
        return None
    arm = run.arm + OWN_EPOCH_SUFFIX
    return replace(
        _run(
            f"{arm}-s{run.seed_index}",
            arm=arm,
            seed_index=run.seed_index,
            seed=run.seed,
            configuration=run.configuration,
            epochs=run.own_epoch,
            own_epoch=run.own_epoch,
            masked=run.masked,
        ),
        trained_as=run.run_id,
    )


def last_epochs_run(run: Run) -> Run | None:
    """Returns the run that is this one's training, evaluated as the mean of its last epochs.

    None but for baseline and winner, after the protocol's epochs.
    """
    if run.arm not in PRIMARY or run.trained_as:
        return None
    arm = run.arm + LAST_EPOCHS_SUFFIX
    return replace(run, run_id=f"{arm}-s{run.seed_index}", arm=arm, trained_as=run.run_id)


def evaluations_due(run: Run, store: Store) -> list[Run]:
    """Returns the runs that one training still has to be evaluated as, the earliest epoch first."""
    due = [] if run.has_ended else [run]
    planned = own_epoch_run(run)
    if planned is not None:
        own = store.read(Run, planned.run_id)
        if own is None:
            due.append(planned)
        elif not own.has_ended:
            due.append(own)
    return sorted(due, key=lambda each: each.protocol_epochs)


def _run(
    run_id: str,
    *,
    arm: str,
    seed_index: int,
    seed: int,
    configuration: Configuration,
    epochs: int,
    masked: bool,
    own_epoch: int | None = None,
) -> Run:
    return Run(
        run_id=run_id,
        arm=arm,
        seed_index=seed_index,
        seed=seed,
        configuration=configuration,
        protocol_epochs=epochs,
        own_epoch=own_epoch,
        masked=masked,
        status="running",
        parameter_count=configuration.parameter_count or None,
        started_at=now(),
    )
