"""Guesses the encoding of bytes: the language and the encoding that explain them best."""

import codecs
import math
import re
import unicodedata
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

from lstm_study.corpus.files.languages import ENCODINGS, ENGLISH, LANGUAGES, Language

_APOSTROPHES = "’´"
_CLOSING = "”»"
_OPENING = "“‘«"
_BEFORE_WORDS = "‚„¡¿"
_QUOTES = "’‹›" + _CLOSING + _OPENING + _BEFORE_WORDS
_BREAKS = "…•·×÷±†‡–\u00a0"
_MONEY = "¢£¥€"
_RAISED = "ªº"
_FRACTIONS = "½¼¾"
_ENDS = "™®²³¹‰"
_MARKS = "‘“”«»–—…•\u00a0"
_SIGNS = "·×÷±©°§¶µ№" + _MONEY + _RAISED + _FRACTIONS + _ENDS
_RARE_SIGNS = "‚„‹›¡¿†‡¬¦¨¯¸ˆ˜"
_WIDE_MARKS = "，。！？、：；（）「」『』《》～…“”‘’—·・\u3000"
_VOWELS = "aeiouyhàâéèêëîïôùûœ"
_CONTRACTION = re.compile(r"(?:[stmd]|re|ve|ll)\b", re.I)
_FIRST_BEYOND_LATIN, _FIRST_WITHOUT_SPACES = "\u0370", "\u2e80"
_FIRST_THAI, _LAST_THAI = "\u0e00", "\u0e7f"

# Probabilities of kinds of characters in a text of a language, at places where they fit.
_LETTERS, _LETTERS_IN_ENGLISH, _FREQUENT_OF_MANY, _OTHERS_OF_MANY = 0.8, 0.1, 0.5, 0.4
_APOSTROPHE, _MARK, _SIGN, _RARE_SIGN = 0.1, 0.03, 0.006, 0.001
_FOREIGN_LETTER, _OTHER, _CONTROL = 5e-4, 5e-5, 1e-7
_CONTRACTED = 0.3
_SHARES_OF_SIGNS = (
    (_APOSTROPHES, _APOSTROPHE),
    (_RARE_SIGNS, _RARE_SIGN),
    (_MARKS, _MARK),
    (_SIGNS, _SIGN),
)
_PLACES = {"usual": 1.0, "capital": 0.3, "rare": 0.2, "wrong": 0.005}
_NOISE = 8e-4
"""Mean probability of the letters and signs that bytes give which are not text."""
_ODDITIES = 12
"""How far below that the logarithm may be for a text with a few odd signs."""
_LOG_OF_ASCII = math.log(1 / 40)
_LOG_OF_WORD = 2.5
_MOST_WORDS = 12
# How rare an encoding is today, beside the first of its language.
_LOG_OF_RARITY = {"mac_roman": -3.0, "mac_cyrillic": -3.0, "cp850": -4.0, "cp852": -4.0}
_LOG_OF_OTHER_RARITY = -1.5

_TOKEN = re.compile(rb'[^\x00-\x20",]+')
_WORD = re.compile(r"[^\W\d_]+(?:[’·´][^\W\d_]+)*")
_TOKEN_BYTES = 1 << 13


@dataclass(frozen=True, slots=True)
class Reading:
    """A way to read bytes as text.

    Attributes:
        encoding: As Python knows it.
        probability: Of this reading, among all.
        clues: How many different letters and signs beyond ASCII decide, with their neighbours.
        text: What it reads.
    """

    encoding: str
    probability: float
    clues: int
    text: str


def readings(sample: bytes, plain: bytes = b"") -> list[Reading]:
    """Returns the ways to read some bytes, the most probable first.

    Each language in each of its encodings is weighed by the letters, signs and frequent words that
    the bytes would be (a naive Bayes classifier). Encodings that read the same are one reading.
    Encodings that mark themselves, such as UTF-16, are not among them.

    Args:
        sample: Lines that are not ASCII, in one encoding; the last may be cut.
        plain: Some of the lines that are ASCII: their words tell the language too.

    Returns:
        Readings whose probabilities add up to 1; none if the bytes are no text that is known.
    """
    tokens = _tokens(sample)
    plain_words = frozenset(_WORD.findall(plain.decode("ascii").lower()))
    noise = sum(byte > 0x7F for byte in tokens) * math.log(_NOISE) - _ODDITIES
    texts: dict[str, tuple[str, str]] = {}
    weights: defaultdict[str, list[float]] = defaultdict(list)
    for name in ENCODINGS:
        with suppress(UnicodeDecodeError):
            decoder = codecs.getincrementaldecoder(name)
            whole = decoder().decode(sample)
            text = decoder().decode(tokens, final=len(tokens) < _TOKEN_BYTES)
            texts.setdefault(text, (name, whole))
            evidence = _evidence(text)
            words = plain_words.union(_WORD.findall(text.lower()))
            common = _LOG_OF_ASCII * sum(each.isascii() for each in text)
            for language in (each for each in LANGUAGES if name in each.encodings):
                fit = _fit(evidence, language)
                if fit > noise:
                    known = min(_MOST_WORDS, len(words & language.words))
                    rarity = 0.0 if name == language.encodings[0] else _rarity(name)
                    weights[text].append(fit + common + _LOG_OF_WORD * known + rarity)
    highest = max((max(each) for each in weights.values()), default=0.0)
    sums = {
        text: math.fsum(math.exp(weight - highest) for weight in each)
        for text, each in weights.items()
    }
    total = math.fsum(sums.values())
    found = [
        Reading(texts[text][0], each / total, _clues(text), texts[text][1])
        for text, each in sums.items()
    ]
    return sorted(found, key=lambda each: -each.probability)


def _tokens(sample: bytes) -> bytes:
    """Returns the different words: one that is repeated says nothing new."""
    return b" ".join(dict.fromkeys(_TOKEN.findall(sample)))[:_TOKEN_BYTES]


def _rarity(name: str) -> float:
    return _LOG_OF_RARITY.get(name, _LOG_OF_OTHER_RARITY)


def _clues(text: str) -> int:
    padded = f" {text} "
    return len({padded[at - 1 : at + 2] for at, each in enumerate(padded) if each > "\x7f"})


def _evidence(text: str) -> Counter[tuple[str, str]]:
    """Counts the letters and signs beyond ASCII, in lower case, with how they fit their places.

    Of "£££" or "……" one counts.
    """
    padded = f"  {text}    "
    around = Counter(
        padded[at - 2 : at + 4]
        for at, each in enumerate(padded)
        if each > "\x7f" and each != padded[at - 1]
    )
    evidence = Counter[tuple[str, str]]()
    for window, count in around.items():
        lower = window[2].lower()
        evidence[lower if len(lower) == 1 else window[2], _place(window)] += count
    return evidence


def _place(around: str) -> str:
    """Returns how a character fits between the two before it and the three behind it."""
    before, letter, after = tuple(around[1:4])
    inside = before.isalpha() and after.isalpha()
    if letter in _APOSTROPHES:
        return _place_of_apostrophe(before, around[3:])
    if letter in _QUOTES:
        return _place_of_quote(before, letter, after)
    if _is_in_words(letter) and letter not in _RAISED:
        return _place_in_word(around)
    if letter == "—":
        return "rare" if before.isalpha() or after.isalpha() else "usual"
    if letter in _BREAKS:
        sticks = (letter == "–" and after.isalpha()) or (letter == "•" and after.isalnum())
        fits = not (inside or sticks)
    elif letter in _MONEY:
        fits = before.isdigit() or after.isdigit() or letter in before + after
    elif letter in _RAISED:
        fits = (before.isdigit() or before in "nN") and not after.isalpha()
    elif letter in _FRACTIONS:
        fits = not (before.isalpha() or after.isalpha())
    elif letter in _ENDS:
        fits = not after.isalpha()
    else:
        fits = not (inside and letter in _SIGNS)
    return "usual" if fits else "wrong"


def _place_of_apostrophe(before: str, rest: str) -> str:
    if not before.isalpha():
        return "rare" if rest[0].isalnum() else "wrong"
    if _CONTRACTION.match(rest):
        return "contraction"
    return "rare" if rest[0].isalpha() and rest[0].lower() not in _VOWELS else "usual"


def _place_of_quote(before: str, letter: str, after: str) -> str:
    if letter in _BEFORE_WORDS:
        return "wrong" if before.isalnum() else "usual"
    if before.isalnum() and after.isalnum():
        return "wrong"
    is_turned = (letter in _CLOSING and after.isalnum()) or (
        letter in _OPENING and before.isalnum()
    )
    return "rare" if is_turned else "usual"


def _is_in_words(letter: str) -> bool:
    """Whether it is a letter of a script that puts spaces between words."""
    is_thai = _FIRST_THAI <= letter <= _LAST_THAI
    return letter.isalpha() and letter < _FIRST_WITHOUT_SPACES and not is_thai


def _place_in_word(around: str) -> str:
    """Returns how a letter fits; capitals within words and mixed alphabets are "wrong"."""
    before, letter, after = tuple(around[1:4])
    neighbours = before + after
    if any(each.isdigit() for each in neighbours):
        return "wrong"
    if not (before.isalpha() or after.isalpha() or unicodedata.combining(after)):
        return "alone"
    if letter >= _FIRST_BEYOND_LATIN and any(
        each.isascii() and each.isalpha() for each in neighbours
    ):
        return "wrong"
    if letter.isupper():
        if before.islower() or (before.isalpha() and after.islower()):
            return "wrong"
        return "usual" if before.isupper() else "capital"
    in_capitals = before.isupper() and (after.isupper() or around[0].isupper())
    return "wrong" if in_capitals else "usual"


def _fit(evidence: Counter[tuple[str, str]], language: Language) -> float:
    """Returns the logarithm of how probable letters and signs are in a language."""
    return math.fsum(
        count * math.log(_probability(letter, place, language))
        for (letter, place), count in evidence.items()
    )


@cache
def _probability(letter: str, place: str, language: Language) -> float:
    if place == "contraction":
        return _CONTRACTED if language is ENGLISH else _MARK
    if place == "alone":
        place = "usual" if letter in language.words else "wrong"
    return _PLACES[place] * _share(letter, language)


def _share(letter: str, language: Language) -> float:
    """Returns the probability of a letter or sign, regardless of its place."""
    shares = _shares(language)
    if letter in shares:
        return shares[letter]
    if language.core:
        return _share_of_many(letter, language.core)
    if language is ENGLISH and letter in "«»":
        return _RARE_SIGN
    for letters, share in _SHARES_OF_SIGNS:
        if letter in letters:
            return share
    if letter.isalpha() and letter < _FIRST_WITHOUT_SPACES:
        return _FOREIGN_LETTER
    return _CONTROL if unicodedata.category(letter).startswith("C") else _OTHER


@cache
def _shares(language: Language) -> dict[str, float]:
    """Returns the probability of each letter that a language names, by its rank."""
    offset = 0.5 + len(language.letters) / 8
    parts = {letter: 1 / (rank + offset) for rank, letter in enumerate(language.letters)}
    whole = _FREQUENT_OF_MANY if language.core else _LETTERS
    if language is ENGLISH:
        whole = _LETTERS_IN_ENGLISH
    total = math.fsum(parts.values())
    return {letter: whole * part / total for letter, part in parts.items()}


# Encodings of scripts with thousands of letters: first and last lead byte of the usual ones, and
# how many of these there are.
_USUAL_OF_MANY = {
    "gb2312": (0xB0, 0xF7, 4000),
    "big5": (0xA4, 0xC6, 4000),
    "euc_jp": (0xA4, 0xCF, 4000),
    "euc_kr": (0xB0, 0xC8, 2350),
}


def _share_of_many(letter: str, core: str) -> float:
    if letter in _WIDE_MARKS:
        return _MARK
    first, last, number = _USUAL_OF_MANY[core]
    try:
        coded = letter.encode(core)
    except UnicodeEncodeError:
        return _CONTROL
    is_usual = first <= coded[0] <= last and letter.isalpha()
    return _OTHERS_OF_MANY / number if is_usual else _CONTROL * 10
