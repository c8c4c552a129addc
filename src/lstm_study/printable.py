"""Makes any text safe to print: one function for terminal, log, HTML and CSV.

A label, a path or a message of a failure may come from a file of unknown origin. A control
character in it could move the cursor, hide or reverse what follows, or make a page invalid. Markup
is another matter: each output escapes its own.
"""

import re

UNSAFE = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
"""C0 and C1; marks and overrides of direction; line separators; lone surrogates: as ranges of a
regular expression. `str.isprintable` depends on Python's version, and new emoji are not printable
to an old one."""

_UNSAFE = re.compile(f"[{UNSAFE}]")


def printable(text: str, *, keep: str = "\t\n") -> str:
    r"""Returns a text with every unsafe character spelled out, as in "\x1b".

    Args:
        text: Anything.
        keep: Control characters that stay.

    Example:
        >>> printable("good\x1b[2Jfilm")
        'good\\x1b[2Jfilm'
    """
    return _UNSAFE.sub(lambda found: found[0] if found[0] in keep else ascii(found[0])[1:-1], text)
