"""Texts of some reviews, read again from where the reviews came from, and short excerpts of them.

A corpus keeps token ids alone. Whoever asks for a text must have the review's split in hand: the
test half's texts are not to be had before `Corpus.open_test` gave its reviews.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from lstm_study.corpus.sources import aclimdb, packaged
from lstm_study.corpus.sources.locate import given
from lstm_study.corpus.sources.tables import read_table
from lstm_study.corpus.text.vocabulary import Vocabulary
from lstm_study.corpus.types import Split
from lstm_study.spec import DataTable

EXCERPT_CHARACTERS = 280
_FRONT = 100
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_SHOWN_TOKENS = 60


def source_texts(
    split: Split, positions: Sequence[int], *, data: DataTable, base: Path = Path()
) -> dict[int, str]:
    """Reads the texts of some reviews of a split from the source's own files.

    Args:
        split: The reviews, of one source.
        positions: Which of them.
        data: The spec's `[data]`, as the reviews were loaded with.
        base: Folder that relative paths are resolved against.

    Returns:
        Position → text. Empty for `imdb`, which holds no texts.

    Raises:
        DataError: The source's file is gone, or is not what it was.
        DependencyError: Reading it needs a package that is not installed.
    """
    ids = {position: split.document_ids[position] for position in positions}
    if data.source == "imdb" or not ids:
        return {}
    if data.source == "aclimdb":
        assert data.path is not None, "the reviews were read from there"
        found = aclimdb.read_texts(given(data.path, base), {str(name) for name in ids.values()})
        return {position: found[str(name)] for position, name in ids.items()}
    path, column, encoding = _table(data, base, of_test=split.name == "test")
    texts = read_table(path, columns=(column,), encoding=encoding).columns[column]
    return {position: str(texts[int(row) - 1]) for position, row in ids.items()}


def token_texts(
    split: Split, positions: Sequence[int], *, vocabulary: Vocabulary
) -> dict[int, str]:
    """Writes the words of some reviews' token ids: lower case, without punctuation.

    Only as many as an excerpt shows, from a review's front and its end.

    Returns:
        Position → text.
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


def excerpts(texts: Mapping[int, str], *, characters: int = EXCERPT_CHARACTERS) -> dict[int, str]:
    """Shortens texts to their front and, what networks read last, their end, at whole words.

    Line breaks, HTML's among them, and characters that cannot be printed become spaces. Nothing is
    escaped: whoever shows an excerpt does that.

    Example:
        >>> excerpts({3: "Good.<br />Fine."})
        {3: 'Good. Fine.'}
    """
    return {position: _excerpt(text, characters) for position, text in texts.items()}


def _excerpt(text: str, characters: int) -> str:
    plain = "".join(letter if letter.isprintable() else " " for letter in _BREAK.sub(" ", text))
    words = plain.split()
    whole = " ".join(words)
    if len(whole) <= characters:
        return whole
    front, end = whole[:_FRONT], whole[-(characters - _FRONT) :]
    # A cut within a word drops its rest, unless the word is all there is.
    front = front.rpartition(" ")[0] or front
    end = end.partition(" ")[2] or end
    return f"{front} … {end}"


def _table(data: DataTable, base: Path, *, of_test: bool) -> tuple[Path, str, str | None]:
    """Returns the file that a split's rows are numbered in, its text column and its encoding."""
    if data.source == "reviews":
        path = packaged.packaged_csv() if data.path is None else given(data.path, base)
        return path, "text", "utf-8"
    named = data.test_path if of_test and data.test_path is not None else data.path
    assert named is not None, "the reviews were read from there"
    return given(named, base), data.text_column, data.encoding
