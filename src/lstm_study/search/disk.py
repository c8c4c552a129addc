"""How much disk a search's checkpoints take at most, before it starts."""

from collections.abc import Mapping
from typing import Any

from lstm_study.configuration import Configuration
from lstm_study.search.plan import Plan, PlannedBracket
from lstm_study.spec import Choices, Fixed, Range, SpaceTable, StudySpec

_BYTES_PER_NUMBER = 4
# Keras keeps so many numbers beside each weight: Adam two moments, RMSprop one, plain SGD none.
_SLOTS: Mapping[str, int] = {"adam": 2, "rmsprop": 1, "sgd": 0}
# Names, history, step count, learning rate and seeds.
_OVERHEAD_BYTES = 64 * 1024
_FILES_OF_A_RUNNING_TRIAL = 2


def checkpoint_bytes(configuration: Configuration, *, optimizer: str) -> int:
    """Returns the most that one checkpoint takes: weights and optimizer slots, 32 bits each.

    Example:
        The baseline's 6,491,701 numbers with Adam's two slots each: 78 MB.
    """
    numbers = configuration.parameter_count * (1 + _SLOTS[optimizer])
    return numbers * _BYTES_PER_NUMBER + _OVERHEAD_BYTES


def peak_checkpoint_bytes(plan: Plan, *, spec: StudySpec, workers: int) -> int:
    """Returns the most that a search's checkpoints take together at any moment.

    One checkpoint is kept for each place in a bracket's second round: of the trials that may yet
    be promoted, and later of their children. A trial in training has two files: the one it is
    writing, and the one that this replaces, its parent's or its own. The worst case is assumed:
    that the largest networks are the ones kept.

    With one worker, one bracket is open at a time. With several the next one begins while the last
    trials of a round are in training, so that all of them may be open; for the brackets that the
    workers are in, the worst case is assumed, too.

    Args:
        plan: What `make_plan` drew for the study.
        spec: See there.
        workers: The most that share the search at any time, >= 1.

    Example:
        Keras Tuner's 10 epochs with one worker: 4 kept and 2 in training, 960 MB if every network
        were the largest of study/imdb.toml, 256/256 with 50,000 words.
    """
    by_workers = [_of_bracket(planned, spec=spec, workers=workers) for planned in plan.brackets]
    if workers == 1:
        return max(most[1] for most in by_workers)
    together = [0] * (workers + 1)
    for most in by_workers:
        together = [
            max(together[total - here] + most[here] for here in range(total + 1))
            for total in range(workers + 1)
        ]
    return together[workers]


def _of_bracket(planned: PlannedBracket, *, spec: StudySpec, workers: int) -> list[int]:
    """Returns the most that a bracket's checkpoints take, by how many workers train its trials."""
    sizes = sorted(_sizes(planned, spec), reverse=True)
    rounds = planned.bracket.rounds
    at_rest = rounds[1].trials if len(rounds) > 1 else 0
    return [
        _FILES_OF_A_RUNNING_TRIAL * sum(sizes[:running]) + sum(sizes[running : running + at_rest])
        for running in range(workers + 1)
    ]


def _sizes(planned: PlannedBracket, spec: StudySpec) -> list[int]:
    """Returns the most that a checkpoint of each slot's network takes."""
    if spec.builder is not None:  # the size of each is unknown until it is built
        numbers = spec.builder.parameter_count * (1 + max(_SLOTS.values()))
        return [numbers * _BYTES_PER_NUMBER + _OVERHEAD_BYTES] * len(planned.slots)
    largest, optimizer = largest_configuration(spec.space), spec.protocol.optimizer
    return [
        checkpoint_bytes(s.configuration or largest, optimizer=optimizer) for s in planned.slots
    ]


def largest_configuration(space: SpaceTable) -> Configuration:
    """Returns the configuration of a space with the most parameters."""
    dimensions = space.dimensions()
    largest = Configuration.from_dict({name: _end(value) for name, value in dimensions.items()})
    for name, dimension in dimensions.items():
        values = list(dimension.choices) if isinstance(dimension, Choices) else [_end(dimension)]
        if dimension.when is not None:
            values.append(space.rows[name].documented)
        tried = (largest.with_values(**{name: value}) for value in values)
        largest = max(tried, key=lambda each: each.parameter_count)
    return largest


def _end(dimension: Range | Choices | Fixed) -> Any:
    if isinstance(dimension, Fixed):
        return dimension.value
    return dimension.max if isinstance(dimension, Range) else dimension.choices[0]
