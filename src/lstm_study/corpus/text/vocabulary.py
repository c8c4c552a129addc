"""Words and token ids, as Keras's IMDB data numbers them.

0 is padding, 1 begins a review, 2 is a word outside a configuration's vocabulary, 3 is
never used, and the word of frequency rank r (from 1) is r + 3.

Source: `keras.datasets.imdb.load_data` with its defaults (start_char=1, oov_char=2, index_from=3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.text.tokens import split_tokens
from lstm_study.spec.sources import TokenRule

PADDING, START, OUT_OF_VOCABULARY = 0, 1, 2
INDEX_FROM = 3
RESERVED = INDEX_FROM + 1


@dataclass(frozen=True)
class Vocabulary:
    """The words of the training reviews, the most frequent first.

    Attributes:
        words: In order of rank; `words[0]` has rank 1 and token id 4.
        rule: How texts are split into them.

    Example:
        >>> vocabulary = Vocabulary(("the", "film"))
        >>> vocabulary.encode("The film, unseen")
        array([1, 4, 5], dtype=int32)
        >>> vocabulary.decode([0, 1, 4, 2])
        'the [OOV]'
    """

    words: tuple[str, ...]
    rule: TokenRule = "keras"

    @property
    def size(self) -> int:
        """Token ids in all: the words and the reserved 0 to 3; every id is below it."""
        return len(self.words) + RESERVED

    @cached_property
    def ids(self) -> dict[str, int]:
        """Token id by word."""
        return {word: number for number, word in enumerate(self.words, start=RESERVED)}

    def word(self, token_id: int) -> str:
        """Returns the word of a token id; "[OOV]" for 2 and 3, "[START]" for 1, "" for padding.

        Raises:
            IndexError: The id is negative, or not below `size`.
        """
        if not 0 <= token_id < self.size:
            raise IndexError(f"token_id must be in [0, {self.size - 1}]. Received: {token_id}")
        if token_id >= RESERVED:
            return self.words[token_id - RESERVED]
        return ("", "[START]", "[OOV]", "[OOV]")[token_id]

    def decode(self, token_ids: Sequence[int] | NDArray[np.integer]) -> str:
        """Returns the words of a review, padding and start left out, "[OOV]" for 2."""
        between = "" if self.rule == "characters" else " "
        return between.join(self.word(int(token)) for token in token_ids if token not in (0, 1))

    def encode(self, text: str) -> NDArray[np.int32]:
        """Returns a text's token ids, int32 [1 + known words], beginning with 1.

        Words that no training review holds are left out, as they are in the test half of Keras's
        data. A configuration then keeps ids below its `vocabulary_size`; see `batches`.
        """
        ids = self.ids
        known = [ids[word] for word in split_tokens(text, self.rule) if word in ids]
        return np.array([START, *known], dtype=np.int32)
