"""Texts in UTF-8 that some program read as Windows-1252 before they were saved."""

import re

_LONGEST = 40
# What UTF-8's bytes of letters beyond ASCII, and of quotes and dashes, look like in Windows-1252.
_PAIR = re.compile(
    r"[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc"
    r"\u2013-\u203a\u20ac\u2122]"
)


def garbled_word(text: str) -> str:
    """Returns the first word of a text that is UTF-8 read as Windows-1252; "" if there is none.

    Example:
        >>> garbled_word("un cafÃ© noir"), garbled_word("um cão, NÃO “um”")
        ('cafÃ©', '')
    """
    for found in _PAIR.finditer(text):
        before = text[max(0, found.start() - _LONGEST) : found.start()].rsplit(" ", maxsplit=1)[-1]
        behind = text[found.start() : found.end() + _LONGEST].split(" ", maxsplit=1)[0]
        word = " ".join((before + behind).split())
        if ungarbled(word) != word:
            return word
    return ""


def ungarbled(word: str) -> str:
    """Returns what a word was before it was read as Windows-1252; itself if it was not.

    Example:
        >>> ungarbled("cafÃ©"), ungarbled("café")
        ('café', 'café')
    """
    try:
        return word.encode("cp1252").decode()
    except UnicodeError:
        return word
