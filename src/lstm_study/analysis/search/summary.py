"""The result of a search: its ranking and winner, and the curves behind them.

Trials of the random control are left out of all of it; `random_control` follows them. Pure: trial
records in, frozen values out. The search itself picks its winner with `winner`, so that what is
retrained and what is reported can't differ.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from lstm_study.arm_names import RUNNER_UP, VALIDATION_SUFFIX
from lstm_study.configuration import Configuration
from lstm_study.objectives import Direction
from lstm_study.records import Epoch, Run, Trial
from lstm_study.records.trial_ids import in_order
from lstm_study.schedule import Bracket


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchProgress:
    """The state of the search when one of its trials ended.

    Its fields are columns of `tables/best_so_far.csv`; a score is None where there is none yet.
    """

    trial_number: int
    trial_id: str
    budget_epochs: int
    score: float | None
    epochs: int
    seconds: float
    best_score: float | None
    best_full_budget_score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundSummary:
    """One round of one bracket: what the schedule plans beside what ran.

    Its fields are columns of `tables/schedule.csv`.
    """

    iteration: int
    bracket: int
    round: int
    initial_epoch: int
    budget_epochs: int
    planned: int
    completed: int
    failed: int
    unfinished: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RankAgreement:
    """Whether the ranking after few epochs predicts the ranking at full budget.

    Its fields are columns of `tables/rank_agreement.csv`; scipy may give no p-value.
    """

    epoch: int
    tau: float
    p_value: float | None
    configurations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreAtEpoch:
    """One configuration of the search after so many epochs.

    Attributes:
        trial_id: The last trial of the configuration.
        configuration: Its hyperparameters.
        value: The objective after the epoch.
    """

    trial_id: str
    configuration: Configuration
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finalist:
    """One of the best trials, trained again from the start with fresh seeds.

    Attributes:
        trial_id: The trial's, whose own score was selected.
        scores: Of the completed trials with fresh seeds.
        trained: How many were trained.
    """

    trial_id: str
    scores: tuple[float, ...]
    trained: int

    @property
    def mean(self) -> float | None:
        """Mean fresh score; None where a training failed."""
        return fmean(self.scores) if len(self.scores) == self.trained else None


def searched(trials: Iterable[Trial]) -> list[Trial]:
    """Returns the trials of the search itself, without those of a control."""
    return [trial for trial in trials if trial.role == "search"]


def rank_key(trial: Trial, direction: Direction) -> tuple[float, int, tuple[str | int, ...]]:
    """Sorts completed trials, best first: by score, then fewer parameters, then the lower id."""
    assert trial.score is not None
    score = -trial.score if direction == "max" else trial.score
    return (score, trial.trainable_parameters, in_order(trial.trial_id))


def ranking(
    trials: Iterable[Trial],
    direction: Direction,
    *,
    max_epochs: int | None = None,
    runs: Iterable[Run] = (),
) -> tuple[Trial, ...]:
    """Ranks the completed trials of full budget, the winner first.

    Scores at a smaller budget are not comparable and never enter, nor do the trials of a control.
    Finalists that were trained again come first, by the mean of their fresh scores once all of them
    have ended. Ties go to the network with fewer parameters, then to the lower id; but where the
    comparison has begun, to the one that its runs took for the winner, or for the better runner-up:
    earlier versions broke ties by other rules.

    Args:
        trials: The study's.
        direction: Of the objective.
        max_epochs: The full budget; the largest among the trials if not given.
        runs: The study's, as far as there are some.
    """
    trials = tuple(trials)
    found = searched(trials)
    full = max_epochs or max((trial.budget_epochs for trial in found), default=0)
    completed = [
        trial
        for trial in found
        if trial.status == "completed"
        and trial.budget_epochs == full
        and trial.score is not None
        and math.isfinite(trial.score)
    ]
    means = {each.trial_id: each.mean for each in finalists(trials)}
    sign = -1 if direction == "max" else 1

    compared = _compared(runs)

    def place(trial: Trial) -> tuple[Any, ...]:
        mean = means.get(trial.trial_id)
        score, *rest = rank_key(trial, direction)
        among_ties = compared.get(trial.configuration, math.inf)
        return (mean is None, score if mean is None else sign * mean, among_ties, *rest)

    return tuple(sorted(completed, key=place))


def _compared(runs: Iterable[Run]) -> dict[Configuration, int]:
    """Returns the places that runs gave to configurations: 0 the winner's, then runner-ups'."""
    found = {}
    for run in runs:
        arm = run.arm.removesuffix(VALIDATION_SUFFIX)
        if arm == "winner":
            found[run.configuration] = 0
        elif (number := arm.removeprefix(RUNNER_UP)) != arm and number.isdecimal():
            found[run.configuration] = int(number)
    return found


def finalists(trials: Iterable[Trial]) -> tuple[Finalist, ...]:
    """Returns the finalists with their fresh scores; none until all of their trials have ended.

    A finalist with a failed trial has no mean.
    """
    by_parent: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.role == "finalist" and trial.parent is not None:
            by_parent.setdefault(trial.parent, []).append(trial)
    again = [trial for each in by_parent.values() for trial in each]
    if any(not trial.has_ended for trial in again):
        return ()
    return tuple(
        Finalist(
            trial_id=parent,
            scores=tuple(trial.score for trial in each if trial.score is not None),
            trained=len(each),
        )
        for parent, each in by_parent.items()
    )


def winner(
    trials: Iterable[Trial],
    direction: Direction,
    *,
    max_epochs: int | None = None,
    runs: Iterable[Run] = (),
) -> Trial | None:
    """Returns the search's winner, the first of `ranking`; None where no full trial completed."""
    ranked = ranking(trials, direction, max_epochs=max_epochs, runs=runs)
    return ranked[0] if ranked else None


def ties_of_winner(
    trials: Iterable[Trial],
    direction: Direction,
    *,
    max_epochs: int | None = None,
    runs: Iterable[Run] = (),
) -> tuple[Trial, ...]:
    """Returns the trials of other configurations that scored as well as the winner.

    They are finalists of the same mean where the winner is one, else trials of full budget with
    the same score: only the rule for ties tells them from it.
    """
    trials = tuple(trials)
    ranked = ranking(trials, direction, max_epochs=max_epochs, runs=runs)
    means = {each.trial_id: each.mean for each in finalists(trials)}
    if not ranked:
        return ()
    first, *others = ranked
    mean = means.get(first.trial_id)
    return tuple(
        trial
        for trial in others
        if trial.configuration != first.configuration
        and (trial.score == first.score if mean is None else means.get(trial.trial_id) == mean)
    )


def best_by_budget(trials: Iterable[Trial], direction: Direction) -> dict[int, Trial]:
    """Returns the best completed trial of each budget, the largest budget first.

    Scores at different budgets are not comparable, so that each budget has a best of its own. The
    trials of a random control are left out, the baseline's slot of the search is not.
    """
    found: dict[int, list[Trial]] = {}
    for trial in searched(trials):
        if trial.status == "completed" and trial.score is not None:
            found.setdefault(trial.budget_epochs, []).append(trial)
    return {
        budget: min(found[budget], key=lambda trial: rank_key(trial, direction))
        for budget in sorted(found, reverse=True)
    }


def best_so_far(
    trials: Iterable[Trial], direction: Direction, *, max_epochs: int
) -> tuple[SearchProgress, ...]:
    """Follows the best score over the trials that ended, in the order in which they ended.

    A failed trial adds its epochs and seconds and does not change the best score.
    """
    ended = [trial for trial in searched(trials) if trial.has_ended]
    ended.sort(key=lambda trial: (trial.ended_at, in_order(trial.trial_id)))
    found: list[SearchProgress] = []
    epochs, seconds = 0, 0.0
    better = max if direction == "max" else min
    best: float | None = None
    best_full: float | None = None
    for number, trial in enumerate(ended, start=1):
        epochs += len(trial.epochs)
        seconds += trial.seconds
        score = trial.score if trial.status == "completed" else None
        if score is not None and math.isfinite(score):
            best = score if best is None else better(best, score)
            if trial.budget_epochs == max_epochs:
                best_full = score if best_full is None else better(best_full, score)
        found.append(
            SearchProgress(
                trial_number=number, trial_id=trial.trial_id, budget_epochs=trial.budget_epochs,
                score=score, epochs=epochs, seconds=seconds,
                best_score=best, best_full_budget_score=best_full,
            )
        )  # fmt: skip
    return tuple(found)


def rounds(trials: Iterable[Trial], schedule: Sequence[Bracket]) -> tuple[RoundSummary, ...]:
    """Sets what a schedule plans beside what ran, round by round, first to run first.

    A space with fewer configurations than the schedule wants runs fewer.
    """
    counts = Counter(
        (trial.iteration, trial.bracket, trial.round, trial.status) for trial in searched(trials)
    )
    return tuple(
        RoundSummary(
            iteration=bracket.iteration,
            bracket=bracket.bracket,
            round=item.round,
            initial_epoch=item.initial_epoch,
            budget_epochs=item.budget_epochs,
            planned=item.trials,
            completed=counts[*key, "completed"],
            failed=counts[*key, "failed"],
            unfinished=counts[*key, "running"] + counts[*key, "interrupted"],
        )
        for bracket in schedule
        for item in bracket.rounds
        if (key := (bracket.iteration, bracket.bracket, item.round))
    )


def full_curve(trial: Trial, by_id: Mapping[str, Trial]) -> tuple[Epoch, ...]:
    """Returns a trial's whole history from epoch 1: its parents' epochs, then its own.

    Epochs that a parent's record lacks are missing here too; an epoch that two records hold is
    taken from the later round.
    """
    lineage = [trial]
    seen = {trial.trial_id}
    while (parent := lineage[-1].parent) is not None and parent in by_id and parent not in seen:
        seen.add(parent)
        lineage.append(by_id[parent])
    history: dict[int, Epoch] = {}
    for member in reversed(lineage):
        history.update({epoch.epoch: epoch for epoch in member.epochs})
    return tuple(history[number] for number in sorted(history))


def objective_of(epoch: Epoch, objective: str) -> float | None:
    """Returns an epoch's value of the objective; None where it has none, or no finite one."""
    value: float | None = getattr(epoch, objective)
    return value if value is not None and math.isfinite(value) else None


def after(trials: Sequence[Trial], *, objective: str, epoch: int) -> tuple[ScoreAtEpoch, ...]:
    """Measures every configuration of the search at the same epoch, so that they compare.

    A promoted configuration counts once. One that did not reach the epoch, or diverged before it,
    is left out.
    """
    by_id = {trial.trial_id: trial for trial in trials}
    # Not those of a finalist's trainings with other seeds: these continue no trial.
    parents = {trial.parent for trial in searched(trials)}
    found = []
    for trial in searched(trials):
        if trial.trial_id in parents:
            continue
        curve = {item.epoch: item for item in full_curve(trial, by_id)}
        value = objective_of(curve[epoch], objective) if epoch in curve else None
        if value is not None:
            found.append(
                ScoreAtEpoch(
                    trial_id=trial.trial_id, configuration=trial.configuration, value=value
                )
            )
    return tuple(found)


def repeated_configurations(trials: Iterable[Trial]) -> dict[Configuration, tuple[str, ...]]:
    """Finds configurations that the search sampled more than once, promotions not counted."""
    ids: dict[Configuration, list[str]] = {}
    for trial in sorted(searched(trials), key=lambda trial: in_order(trial.trial_id)):
        if trial.round == 0:
            ids.setdefault(trial.configuration, []).append(trial.trial_id)
    return {key: tuple(value) for key, value in ids.items() if len(value) > 1}


def rank_agreement(
    trials: Sequence[Trial], *, objective: str, max_epochs: int, epochs: Sequence[int]
) -> tuple[RankAgreement, ...]:
    """Correlates the ranking after few epochs with the ranking at full budget.

    Only configurations that completed the full budget can be compared. Those that were promoted
    there were chosen for doing well early, which makes tau smaller than over all configurations.

    Returns:
        One entry per epoch at which at least three configurations have a value and values differ.

    Source: Kendall's tau-b, `scipy.stats.kendalltau`.
    """
    from scipy.stats import kendalltau

    by_id = {trial.trial_id: trial for trial in trials}
    curves = []
    for trial in searched(trials):
        if trial.status == "completed" and trial.budget_epochs == max_epochs:
            curve = {e.epoch: objective_of(e, objective) for e in full_curve(trial, by_id)}
            if trial.score is not None:
                curves.append((trial.score, curve))
    found = []
    for epoch in epochs:
        pairs = [
            (early, score) for score, curve in curves if (early := curve.get(epoch)) is not None
        ]
        if len(pairs) < 3 or any(len(set(side)) < 2 for side in zip(*pairs, strict=True)):
            continue
        result = kendalltau([pair[0] for pair in pairs], [pair[1] for pair in pairs])
        p_value = float(result.pvalue)
        found.append(
            RankAgreement(
                epoch=epoch, tau=float(result.statistic),
                p_value=p_value if math.isfinite(p_value) else None, configurations=len(pairs),
            )
        )  # fmt: skip
    return tuple(found)
