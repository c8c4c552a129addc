"""Texts of others made harmless: where they leave for a terminal, a log or a table."""

import unicodedata

# Characters that act on a terminal, or on the order in which others are shown.
_BIDIRECTIONAL = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_LINE_ENDS = frozenset("\u2028\u2029")


def printable(text: str, *, keep: str = "") -> str:
    """Writes control characters as what they are, such as `\\x1b`, so that none acts.

    Args:
        text: Anything.
        keep: Control characters that stay, such as a line break.

    Example:
        >>> printable("a\\x1b[31mb")
        'a\\\\x1b[31mb'
    """
    if text.isprintable():
        return text
    return "".join(
        letter if letter in keep or not _acts(letter) else _escape(letter) for letter in text
    )


def _acts(letter: str) -> bool:
    category = unicodedata.category(letter)
    return category in ("Cc", "Cs") or letter in _BIDIRECTIONAL or letter in _LINE_ENDS


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
