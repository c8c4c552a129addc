"""A space and a protocol that suit a corpus: numbers in, values and reasons out.

The documented study is the reference: 25,000 training reviews, 10 epochs, batches of 64, which is
3,910 training steps. A corpus of another size gets about as many steps, within reason.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import TypeVar

from lstm_study.analysis.statistics.planned_power import PlannedPower, plan_power
from lstm_study.configuration import BASELINE
from lstm_study.metrics import UNEQUAL
from lstm_study.schedule import hyperband

T = TypeVar("T")

_STEPS = 3_910
_LENGTHS = (10, 20, 30, 40, 60, 80, 120, 160, 200, 300, 400, 500)
_VOCABULARIES = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
_PAIRS = (2_000, 5_000, 10_000, 20_000, 50_000, 100_000)
_OPEN_SHARE = 0.4
_SMALL, _FEW = 2_000, 500
# By the training reviews that there are fewer of.
_BATCH_SIZES = {1_000: 16, 4_000: 32, inf: 64}
_SEEDS = {_SMALL: 10, 100_000: 6, inf: 4}
_WIDTHS = {_SMALL: (8, 16, 32), 20_000: (16, 32, 64), inf: (32, 64, 128)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A corpus in the numbers that matter here.

    Attributes:
        reviews: All of them.
        training: Those that winner and baseline are retrained on.
        test: Those held out.
        lengths: Tokens per training review at 50, 75 and 95 per cent.
        words: Distinct words of the training reviews.
        repeated_words: Of these, those that occur twice or more.
        positive_share: Of the training reviews.
    """

    reviews: int
    training: int
    test: int
    lengths: tuple[int, int, int]
    words: int
    repeated_words: int
    positive_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a study of that size may look like.

    Attributes:
        maxlen: Choices, as the next.
        vocabulary_size: So that every choice is a word's that training can learn.
        width: Choices of embedding and units.
        is_open: Whether it searches the open space, or the documented six hyperparameters.
        pairs: Choices of pairs of words in the open space.
        epochs: Of search and protocol.
        iterations: Passes of the search over Hyperband's brackets.
        baseline_epochs: Of the baseline: about as many steps as the documented 10 epochs on IMDB.
        batch_size: Reviews per step.
        seeds: Per arm.
        baseline_maxlen: 500, or as much as these reviews have.
        baseline_vocabulary_size: 50,000, or as many words as there are.
        trials: What the search comes to.
        trial_epochs: Epochs over all trials.
        power: What the comparison could show.
        warnings: What to know before it is run, in sentences.
    """

    maxlen: tuple[int, ...]
    vocabulary_size: tuple[int, ...]
    width: tuple[int, ...]
    is_open: bool
    pairs: tuple[int, ...]
    epochs: int
    baseline_epochs: int
    iterations: int
    batch_size: int
    seeds: int
    baseline_maxlen: int
    baseline_vocabulary_size: int
    trials: int
    trial_epochs: int
    power: PlannedPower
    warnings: tuple[str, ...]


def held_out_fraction(reviews: int) -> float:
    """Returns the share to hold out: more of few reviews, since test limits what can be shown."""
    return 0.3 if reviews < _SMALL else 0.2


def propose(size: Size, *, is_open: bool = True) -> Proposal:
    """Proposes a space and a protocol.

    Args:
        size: The corpus.
        is_open: Whether to propose the open space, whose falling learning rate needs 0.4 times the
            epochs; else the documented six hyperparameters.

    Example:
        For the six, a corpus as large as IMDB's halves gets the documented protocol: 10 epochs in
        batches of 64. 210 training reviews get 20 epochs in batches of 16; 240,000 get 3 epochs.
    """
    batch_size = _by_size(size.training, _BATCH_SIZES)
    documented = _epochs(size.training, batch_size)
    epochs = max(3, round(_OPEN_SHARE * documented)) if is_open else documented
    seeds = _by_size(size.training, _SEEDS)
    # The open space gets as many epochs as the six: more trials, each of which is shorter.
    most, once = (
        sum(bracket.epochs for bracket in hyperband(max_epochs=length, factor=3))
        for length in (documented, epochs)
    )
    iterations = max(1, round(most / once))
    brackets = hyperband(max_epochs=epochs, factor=3, iterations=iterations)
    maxlen = _maxlen(size.lengths)
    power = plan_power(training_reviews=size.training, test_reviews=size.test, seeds=seeds)
    return Proposal(
        maxlen=maxlen,
        vocabulary_size=_vocabulary(size.repeated_words),
        width=_by_size(size.training, _WIDTHS),
        is_open=is_open,
        pairs=(0, *[count for count in _PAIRS if count <= 4 * size.training][-1:]),
        epochs=epochs,
        baseline_epochs=documented,
        iterations=iterations,
        batch_size=batch_size,
        seeds=seeds,
        baseline_maxlen=min(BASELINE.maxlen, max(maxlen)),
        baseline_vocabulary_size=min(BASELINE.vocabulary_size, size.words + 4),
        trials=sum(bracket.trials for bracket in brackets),
        trial_epochs=sum(bracket.epochs for bracket in brackets),
        power=power,
        warnings=tuple(_warnings(size, power)),
    )


def _epochs(training: int, batch_size: int) -> int:
    """About 3,910 steps; the documented 10 epochs where that is not far off, 3 to 20 elsewhere."""
    wanted = _STEPS * batch_size / training
    return 10 if 7 <= wanted <= 15 else min(20, max(3, round(wanted)))


def _maxlen(lengths: Sequence[int]) -> tuple[int, ...]:
    """Half of the reviews, three quarters and all but a twentieth fit, at 500 tokens at most."""
    places = [min(bisect_left(_LENGTHS, length), len(_LENGTHS) - 1) for length in lengths]
    return tuple(dict.fromkeys(_LENGTHS[place] for place in places))


def _vocabulary(repeated_words: int) -> tuple[int, ...]:
    fitting = [size for size in _VOCABULARIES if size <= repeated_words]
    return tuple(fitting[-3:]) or _VOCABULARIES[:1]


def _by_size(training: int, values: Mapping[float, T]) -> T:
    """Returns the value of the first limit that so many training reviews are below."""
    return next(value for limit, value in values.items() if training < limit)


def _warnings(size: Size, power: PlannedPower) -> list[str]:
    found = []
    if power.is_small:
        found.append(f"{power.sentence[0].upper()}{power.sentence[1:]}.")
    if size.training < _FEW:
        found.append(
            f"{size.training:,} training reviews are hardly enough to train a network: add "
            "reviews, or look at the classical control's result first."
        )
    most = max(size.positive_share, 1 - size.positive_share)
    if most >= UNEQUAL:
        found.append(
            f"{most:.0%} of the reviews have one label: a network that always predicts it is "
            f"{most:.0%} accurate. The search ranks by ROC AUC; read balanced accuracy, too."
        )
    return found
