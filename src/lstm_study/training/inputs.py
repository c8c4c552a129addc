"""A network's inputs for some reviews: token ids, pair ids where it has pairs, word dropout."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.configuration import Configuration
from lstm_study.corpus.batches import batch
from lstm_study.corpus.text.vocabulary import OUT_OF_VOCABULARY
from lstm_study.corpus.types import Split


def inputs_of(
    reviews: Split,
    chosen: NDArray[np.int64],
    configuration: Configuration,
    *,
    length: int | None = None,
    dropout_seed: int | None = None,
) -> tuple[NDArray[np.int32], ...]:
    """Returns the inputs of a configuration's network for some reviews.

    Args:
        reviews: The split.
        chosen: int64 [n], positions in it.
        configuration: Its vocabularies, maxlen and word dropout.
        length: Tokens per review where the batch is cut; None for maxlen.
        dropout_seed: The training step's own seed of word dropout; None where nothing is dropped.

    Returns:
        int32 [n, length] token ids and, with pairs, as many pair ids.
    """
    maxlen = length or configuration.maxlen
    token_ids = batch(reviews, chosen, vocabulary_size=configuration.vocabulary_size, maxlen=maxlen)
    inputs = [token_ids]
    if rows := configuration.pair_rows:
        inputs.append(batch(reviews.pair_split, chosen, vocabulary_size=rows, maxlen=maxlen))
    if dropout_seed is not None and configuration.word_dropout:
        _drop_words(inputs, rate=configuration.word_dropout, seed=dropout_seed)
    return tuple(inputs)


def as_input(inputs: tuple[Any, ...]) -> Any:
    """Returns inputs as a Keras model takes them: one alone, or several in a list."""
    return list(inputs) if len(inputs) > 1 else inputs[0]


def dropped_tokens(shape: tuple[int, ...], *, rate: float, seed: int) -> NDArray[np.bool_]:
    """Draws which tokens of a batch word dropout removes, bool of the shape [n, length]."""
    return np.random.default_rng(seed).random(shape, dtype=np.float32) < rate


def _drop_words(inputs: list[NDArray[np.int32]], *, rate: float, seed: int) -> None:
    """Replaces some ids by that of unknown words, and so the pairs that they are part of."""
    token_ids = inputs[0]
    gone = dropped_tokens(token_ids.shape, rate=rate, seed=seed)
    np.putmask(token_ids, gone & (token_ids > OUT_OF_VOCABULARY), OUT_OF_VOCABULARY)
    for pair_ids in inputs[1:]:
        of_either = gone.copy()
        of_either[:, 1:] |= gone[:, :-1]
        np.putmask(pair_ids, of_either & (pair_ids > OUT_OF_VOCABULARY), OUT_OF_VOCABULARY)
