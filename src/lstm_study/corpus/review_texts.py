"""Texts of some reviews, read again from where the reviews came from, and short excerpts of them.

A corpus holds token ids only. Reading a text needs the review's split, so the texts of the test
half are unavailable until `Corpus.open_test` has returned its reviews.
"""

import re
from collections.abc import Mapping, Sequence

from lstm_study.corpus.sources.source import module_of
from lstm_study.corpus.text.tokens import SEPARATORS
from lstm_study.corpus.text.vocabulary import Vocabulary
from lstm_study.corpus.types import Split
from lstm_study.printable import UNSAFE
from lstm_study.spec import DataTable

EXCERPT_CHARACTERS = 280
_FRONT = 100
_BREAK = re.compile(rf"<br\s*/?>|[{UNSAFE}{SEPARATORS}]", re.IGNORECASE)
_SHOWN_TOKENS = 60


def source_texts(split: Split, positions: Sequence[int], *, data: DataTable) -> dict[int, str]:
    """Reads the texts of some reviews of a split from the source's own files: position → text.

    Empty for `imdb`, which holds no texts.

    Raises:
        DataError: The source's file is gone, or is not what it was.
        DependencyError: Reading it needs a package that is not installed.
    """
    if not positions:
        return {}
    return module_of(data.source).read_texts(split, positions, data=data)


def token_texts(
    split: Split, positions: Sequence[int], *, vocabulary: Vocabulary
) -> dict[int, str]:
    """Returns the words of some reviews' token ids, lower case, without punctuation, by position.

    Only as many as an excerpt shows, from a review's start and its end.
    """
    found = {}
    for position in positions:
        tokens = split[position]
        if len(tokens) > 2 * _SHOWN_TOKENS:
            ends = (tokens[:_SHOWN_TOKENS], tokens[-_SHOWN_TOKENS:])
            found[position] = " ".join(vocabulary.decode(end) for end in ends)
        else:
            found[position] = vocabulary.decode(tokens)
    return found


def excerpts(texts: Mapping[int, str]) -> dict[int, str]:
    """Shortens texts to their start and their end (which networks read last), at whole words.

    Line breaks (HTML's too), control characters and marks of direction become spaces. Nothing is
    escaped: the code that shows an excerpt does that.

    Example:
        >>> excerpts({3: "Good.<br />Fine."})
        {3: 'Good. Fine.'}
    """
    return {position: _excerpt(text) for position, text in texts.items()}


def _excerpt(text: str) -> str:
    whole = " ".join(_BREAK.sub(" ", text).split())
    if len(whole) <= EXCERPT_CHARACTERS:
        return whole
    front, end = whole[:_FRONT], whole[_FRONT - EXCERPT_CHARACTERS :]
    # A cut within a word drops its rest, unless the word is all there is.
    front = front.rpartition(" ")[0] or front
    end = end.partition(" ")[2] or end
    return f"{front} … {end}"
