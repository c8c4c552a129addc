"""Makes any text safe to print: one function for terminal, log, HTML and CSV.

A label, a path or a message of a failure may come from a stranger's file. A control character in it
could move the cursor, hide or reverse what follows, or make a page invalid. Markup is another
matter: each output escapes its own.
"""

import re

# C0 and C1 but tab and newline; direction overrides; line separators; lone surrogates.
_UNSAFE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    r"""Returns a text with every unsafe character spelled out, as in "\x1b".

    Example:
        >>> printable("good\x1b[2Jfilm")
        'good\\x1b[2Jfilm'
    """
    return _UNSAFE.sub(lambda found: ascii(found[0])[1:-1], text)
