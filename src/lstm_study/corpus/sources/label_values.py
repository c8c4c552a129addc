"""Values of a label column: which of them are one label, which are none, which are numbers."""

import re
import unicodedata
from typing import Any

_MISSING = frozenset(
    ("nan", "NaN", "NAN", "-nan", "null", "NULL", "Null", "#N/A", "<NA>", "\\N", "{}")
)
# How programs write that there is none. "None" and "NA" may be labels: those who have no opinion.

_DECIMAL_COMMA = re.compile(r"^([+-]?\d+),(\d{1,2})$")
_WITHOUT_WIDTH = dict.fromkeys(map(ord, "\u200b\u2060\ufe0e\ufe0f\ufeff"))
_OF_LISTS = set("[]'\",")


def label_key(value: Any) -> str:
    """Returns what two spellings of one label have in common; "" for no label.

    Case, spaces around, characters without width and number formats make no difference: 1, 1.0 and
    "1,0" are one label, as are true, "True" and " TRUE ".

    Example:
        >>> label_key(" Positive "), label_key("1.0"), label_key(None)
        ('positive', '1', '')
    """
    text = label_text(value)
    number = as_number(text)
    if number is not None:
        return f"{number + 0.0:.15g}"  # of -0.0 that is 0
    visible = text.translate(_WITHOUT_WIDTH)
    return " ".join(unicodedata.normalize("NFKC", visible).casefold().split())


def label_text(value: Any) -> str:
    """Returns a label as it is written, "" for none, which programs also write as nan or null.

    A list of one label, as tools for annotation write it, is that label; so is one in quotes, and
    the one of several that has all of the share.

    Example:
        >>> label_text(["neg"]), label_text({"choices": ["neg"]}), label_text("'neg'")
        ('neg', 'neg', 'neg')
        >>> label_text({"pos": 0.0, "neg": 1.0})
        'neg'
    """
    if isinstance(value, dict) and list(value) == ["choices"]:
        value = value["choices"]
    if isinstance(value, dict) and (chosen := _of_shares(value)):
        value = chosen
    if isinstance(value, list | tuple) and len(value) < 2:
        return label_text(value[0]) if value else ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return ""
    text = _unwrapped(str(value).strip())
    return "" if text in _MISSING else text


def _of_shares(value: dict[Any, Any]) -> str:
    """Returns the label that is 1 where all others are 0, as spaCy writes them; "" if none is."""
    names, shares = list(value), list(value.values())
    if len(names) < 2 or not all(isinstance(share, int | float) for share in shares):
        return ""
    is_one_label = sorted(shares) == [*[0] * (len(shares) - 1), 1]
    return str(names[shares.index(1)]) if is_one_label else ""


def _unwrapped(text: str) -> str:
    """Returns a text without the quotes and the brackets of a list of one around it."""
    inner = text[1:-1].strip()
    is_list = text[:1] == "[" and text[-1:] == "]"
    if _is_quoted(text) or (is_list and (_is_quoted(inner) or not _OF_LISTS & set(inner))):
        return _unwrapped(inner)
    return text


def _is_quoted(text: str) -> bool:
    """Returns whether quotes are around a text, and none of them inside."""
    ends = text[:1] + text[-1:]
    return ends in ("''", '""') and len(text) > 2 and ends[0] not in text[1:-1]


def as_number(text: str) -> float | None:
    """Returns the number that a text is; None for a word, infinity, or not a number.

    Example:
        >>> as_number("4,5"), as_number("\u22121"), as_number("1_0")
        (4.5, -1.0, None)
    """
    plain = _DECIMAL_COMMA.sub(r"\1.\2", text.replace("\u2212", "-"))
    try:
        number = float(plain)
    except ValueError:
        return None
    return number if abs(number) < float("inf") and "_" not in text else None
