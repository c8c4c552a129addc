"""Texts into tokens, by one of three rules.

"keras" is exactly how Keras's IMDB data was tokenised: lower case; the punctuation of the Keras
Tokenizer's `filters`, tab and newline become spaces; split on the space. Markup is not removed:
`<br />` leaves the word "br", the seventh most frequent one. "words", for users' own files, is the
same for ASCII texts but that every control character separates words; beyond ASCII, white space,
control characters and punctuation separate words, an apostrophe within a word is one however it is
written (’ ´ ʼ), and each symbol or emoji is a token of its own. "characters" is for languages
written without spaces: each character of the lower-case text is a token, except white space and
control characters.

Texts come as UTF-8 bytes: the filters are ASCII, so one 256-entry table lowers and filters an ASCII
text in one pass, and leaves the bytes of other characters alone.

Source: `keras.src.legacy.preprocessing.text` (`text_to_word_sequence`, `Tokenizer.fit_on_texts`).
"""

import re
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from lstm_study.spec.sources import TokenRule

_SPACES = "\x80-\xa0\u1680\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u2069\u3000\ufeff"
SEPARATORS = f"\x00-\x20\x7f{_SPACES}"
"""White space, control characters and direction marks, as ranges of a regular expression."""

PUNCTUATION = (
    "\xa1\xa7\xab\xb4\xb6\xbb\xbf\u02bb\u02bc\u037e\u0387\u055b-\u055f\u0589\u05be\u05c0\u05c3\u060c\u061b\u061f"
    "\u066a\u06d4\u0964\u0965\u0e5a\u0e5b\u104a-\u104f\u1361-\u1368\u17d4-\u17da\u2010-\u2027\u2030-\u205e"
    "\u2e00-\u2e7f\u3001-\u3003\u3008-\u3011\u3014-\u301f\u3030\u30fb\ufe0e-\ufe19\ufe30-\ufe6b"
    "\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
"""Punctuation beyond ASCII that never stands within a word, as ranges of a regular expression."""

SYMBOLS = (
    "\xa2-\xa6\xa9\xac\xae-\xb1\xd7\xf7\u20a0-\u20cf\u2116\u2117\u2120-\u2122\u2190-\u2bff\u3012\u3020"
    "\U0001f000-\U0001faff"
)
"""Symbols and emoji beyond ASCII, as ranges of a regular expression."""

APOSTROPHES = "\u2019\xb4\u02bb\u02bc\uff07"
"""Characters that stand for the apostrophe where a letter or number follows."""

VARIANTS = "\u200d\ufe0e\ufe0f"
"""Characters that join emoji, or choose how they look."""

APOSTROPHE = rf"[{APOSTROPHES}](?=[^\W_])"
"""What the rule "words" reads as an apostrophe: a regular expression, as the next two are."""

SYMBOL = f"[{SYMBOLS}][{VARIANTS}]*"
"""What it reads as a token of one character, the first."""

WORD_SEPARATORS = f"[{SEPARATORS}{PUNCTUATION}]"
"""What it splits words at, beside `FILTERS`."""

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'

_TABLE = bytes(
    ord(" ") if chr(byte) in FILTERS else ord(chr(byte).lower()) if byte < 128 else byte
    for byte in range(256)
)
_OWN_TABLE = bytes(ord(" ") if byte < 32 or byte == 127 else _TABLE[byte] for byte in range(256))
_SEPARATING = re.compile(f"[{SEPARATORS}]+")
_APOSTROPHE, _SYMBOL = re.compile(APOSTROPHE), re.compile(SYMBOL)
# Those of ASCII are filtered by the table.
_BEYOND_ASCII = re.compile(f"[{_SPACES}{PUNCTUATION}]+")
_PART_WORDS = 1 << 20


def split_tokens(text: str, rule: TokenRule = "keras") -> list[str]:
    """Returns the tokens of a text, in order.

    Example:
        >>> split_tokens("It's GREAT!<br />See-it")
        ["it's", 'great', 'br', 'see', 'it']
        >>> split_tokens("很好 看", "characters")
        ['很', '好', '看']
    """
    return _SPLIT[rule](text.encode("utf-8", "replace"))


@dataclass(frozen=True, eq=False)
class NumberedWords:
    """Texts as numbers, each token numbered where it was first seen.

    Attributes:
        numbers: int32 [words of all texts], from 0.
        offsets: int64 [texts + 1].
        words: The token of each number.
        text_digests: uint64 [texts], equal where texts are, white space aside.
    """

    numbers: NDArray[np.int32]
    offsets: NDArray[np.int64]
    words: tuple[str, ...]
    text_digests: NDArray[np.uint64]


def number_words(texts: Iterable[bytes], *, rule: TokenRule = "keras") -> NumberedWords:
    """Splits texts, in UTF-8, into tokens and numbers them, in one pass.

    Raises:
        UnicodeDecodeError: A text is not UTF-8.
    """
    seen = _Numbers()
    numbers = array("i")
    ends = array("q", [0])
    digests = bytearray()
    split = _SPLIT[rule]
    for text in texts:
        numbers.extend(map(seen.__getitem__, split(text)))
        ends.append(len(numbers))
        digests += blake2b(b" ".join(text.split()), digest_size=8).digest()
    return NumberedWords(
        np.frombuffer(numbers, dtype=np.int32) if numbers else np.zeros(0, dtype=np.int32),
        np.frombuffer(ends, dtype=np.int64),
        tuple(seen),
        np.frombuffer(digests, dtype=np.uint64),
    )


def rank_words(numbers: NDArray[np.int32], words: int) -> NDArray[np.int32]:
    """Ranks words by how often they occur; of equally frequent ones the first seen comes first.

    Args:
        numbers: int32 [words of the texts to count in], numbered as by `number_words`.
        words: How many numbers there are; some may not occur.

    Returns:
        int32 [words]: the rank of each number, from 1; 0 where it does not occur.

    Example:
        >>> rank_words(np.array([2, 0, 2, 1], dtype=np.int32), 4)
        array([2, 3, 1, 0], dtype=int32)
    """
    counts = np.bincount(numbers, minlength=words)
    first = np.zeros(words, dtype=np.int64)
    # Backwards, so that a word's first place is written last; in parts, to bound the memory.
    for start in range(0, len(numbers), _PART_WORDS)[::-1]:
        part = numbers[start : start + _PART_WORDS]
        first[part[::-1]] = np.arange(start, start + len(part))[::-1]
    order = np.lexsort((first, -counts))[: np.count_nonzero(counts)]
    ranks = np.zeros(words, dtype=np.int32)
    ranks[order] = np.arange(1, len(order) + 1)
    return ranks


class _Numbers(dict[str, int]):
    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        return number


def _keras_words(text: bytes) -> list[str]:
    if text.isascii():
        words = text.translate(_TABLE).decode("ascii")
        # Without control characters the space is the only white space: the bare split, which is
        # quicker, splits there alone.
        if words.isprintable():
            return words.split()
    else:
        words = text.decode("utf-8").lower().encode("utf-8").translate(_TABLE).decode("utf-8")
    return [word for word in words.split(" ") if word]


def _own_words(text: bytes) -> list[str]:
    if text.isascii():
        return text.translate(_OWN_TABLE).decode("ascii").split()
    words = _APOSTROPHE.sub("'", text.decode("utf-8").lower())
    words = words.encode("utf-8").translate(_OWN_TABLE).decode("utf-8")
    words = _BEYOND_ASCII.sub(" ", _SYMBOL.sub(_apart, words))
    return [word for word in words.split(" ") if word]


def _apart(symbol: re.Match[str]) -> str:
    return f" {symbol[0][0]} "


def _characters(text: bytes) -> list[str]:
    lowered = "".join(text.decode("utf-8").lower().split())
    return list(lowered if lowered.isprintable() else _SEPARATING.sub("", lowered))


_FEWEST_TOKENS_PER_CHARACTER = 0.1
_FEWEST_TEXTS = 20

_SPLIT: dict[TokenRule, Callable[[bytes], list[str]]] = {
    "keras": _keras_words,
    "words": _own_words,
    "characters": _characters,
}


def has_no_spaces(tokens: int, characters: int, texts: int) -> bool:
    """Returns whether texts look as if nothing separated their words.

    Args:
        tokens: How many tokens they have.
        characters: How many characters they have, without white space.
        texts: How many texts there are.
    """
    return texts >= _FEWEST_TEXTS and tokens < _FEWEST_TOKENS_PER_CHARACTER * characters
