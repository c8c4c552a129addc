"""The schedule of a search, Hyperband's or a single round: brackets, rounds, trials, epochs."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round of successive halving.

    Attributes:
        round: From 0.
        trials: Trials in it.
        initial_epoch: Epochs that its configurations have trained before.
        budget_epochs: Epochs they have trained after.
    """

    round: int
    trials: int
    initial_epoch: int
    budget_epochs: int

    @property
    def epochs(self) -> int:
        """Epochs that the round trains, over all of its trials."""
        return self.trials * (self.budget_epochs - self.initial_epoch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """One bracket: its rounds, each with fewer trials and a larger budget than the one before.

    Attributes:
        iteration: Which pass over all brackets, from 0.
        bracket: Keras Tuner's number; bracket 0 trains everything for the full budget.
        rounds: In order.
    """

    iteration: int
    bracket: int
    rounds: tuple[Round, ...]

    @property
    def trials(self) -> int:
        """Trials over all rounds."""
        return sum(item.trials for item in self.rounds)

    @property
    def epochs(self) -> int:
        """Epochs over all rounds."""
        return sum(item.epochs for item in self.rounds)


def single_round(trials: int, *, max_epochs: int) -> Bracket:
    """Returns one bracket of one round: every trial has the full budget."""
    whole = Round(round=0, trials=trials, initial_epoch=0, budget_epochs=max_epochs)
    return Bracket(iteration=0, bracket=0, rounds=(whole,))


def hyperband(*, max_epochs: int, factor: int, iterations: int = 1) -> tuple[Bracket, ...]:
    """Computes the schedule that Keras Tuner's Hyperband follows, most aggressive bracket first.

    Args:
        max_epochs: The full budget, >= 2.
        factor: Of how many trials of a round one is promoted, >= 2.
        iterations: Passes over all brackets.

    Example:
        With max_epochs 10 and factor 3: bracket 2 trains 12 configurations to epoch 2, 4 of them
        to 4, 2 of those to 10; bracket 1 trains 6 to 4 and 2 to 10; bracket 0 trains 4 to 10.
        That is 30 trials and 120 epochs.

    Source: Li et al., Hyperband, JMLR 18 (2018), as keras_tuner 1.4.8 reads it
        (tuners/hyperband.py: _get_size, _get_epochs, _get_num_brackets).
    """
    count, epochs = 0, float(max_epochs)
    while epochs >= 1:
        count, epochs = count + 1, epochs / factor
    return tuple(
        _bracket(iteration, bracket, max_epochs=max_epochs, factor=factor)
        for iteration in range(iterations)
        for bracket in reversed(range(count))
    )


def _bracket(iteration: int, bracket: int, *, max_epochs: int, factor: int) -> Bracket:
    survivors = math.ceil(1 + math.log(max_epochs, factor)) / (bracket + 1)
    budgets = [math.ceil(max_epochs / factor ** (bracket - r)) for r in range(bracket + 1)]
    return Bracket(
        iteration=iteration,
        bracket=bracket,
        rounds=tuple(
            Round(
                round=r,
                trials=math.ceil(survivors * factor ** (bracket - r)),
                initial_epoch=budgets[r - 1] if r else 0,
                budget_epochs=budgets[r],
            )
            for r in range(bracket + 1)
        ),
    )
