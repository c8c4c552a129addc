"""Number formats of the report: the only place that turns a value into text."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from lstm_study.analysis.answer.wording import points

MISSING = "–"
_MINUS = "−"


def percent(value: float) -> str:
    """0.87341 → "87.34%"."""
    return f"{100 * value:.2f}%"


def share(value: float) -> str:
    """A rough share: 0.2 → "20%", 0.934 → "93.4%"."""
    return f"{100 * value:.1f}".removesuffix(".0") + "%"


def tick_percent(value: float) -> str:
    """A share at an axis, as short as possible: 0.85 → "85%", 0.8725 → "87.25%"."""
    return f"{100 * value:.2f}".rstrip("0").rstrip(".").replace("-", _MINUS) + "%"


def bare_points(value: float) -> str:
    """A size in percentage points, unsigned: 0.0283 → "2.83"."""
    return f"{100 * value:.2f}".replace("-", _MINUS)


def probability(value: float) -> str:
    """A p-value: 0.03456 → "0.035"; below a thousandth, "< 0.001"."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def loss(value: float) -> str:
    """A loss, a probability or a difference of them to four decimals: 0.34567 → "0.3457"."""
    return f"{value:.4f}".replace("-", _MINUS)


def coefficient(value: float) -> str:
    """A coefficient in [−1, 1]: 0.456 → "0.46"."""
    return f"{value:.2f}".replace("-", _MINUS)


def count(value: float) -> str:
    """A whole number in groups of three digits: 6491701 → "6,491,701"."""
    return f"{round(value):,}".replace("-", _MINUS)


def plain(value: float | str) -> str:
    """A setting without rounding noise: 0.30000000000000004 → "0.3", 50000.0 → "50,000"."""
    if isinstance(value, bool | str):
        return {"True": "yes", "False": "no"}.get(str(value), str(value))
    if float(value).is_integer():
        return count(value)
    return f"{value:.6g}".replace("-", _MINUS)


def rough(value: float | str) -> str:
    """A setting where room is short, to three digits: 0.000734442 → "0.000734", 50000 → "50,000".

    What `plain` writes shorter stays as it is.
    """
    exact = plain(value)
    if isinstance(value, bool | str) or float(value).is_integer():
        return exact
    return min(exact, f"{value:.3g}".replace("-", _MINUS), key=len)


def at_axis(value: float, form: str) -> str:
    """A value at an axis or in a cell's label: in its table's format, but settings roughly."""
    return rough(value) if form == "plain" else show(value, form)


def short_count(value: float) -> str:
    """A large number in three figures: 6491701 → "6.49 M"."""
    rounded = _three_figures(value)
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(rounded) >= size:
            return f"{rounded / size:.3g} {unit}".replace("-", _MINUS)
    return count(value)


def _three_figures(value: float) -> float:
    """Rounds before a unit is chosen: 999,999 is "1 M", not "1e+03 k"."""
    return float(f"{value:.3g}")


def duration(seconds: float) -> str:
    """A duration in readable units: 0.042 → "42 ms", 7384 → "2 h 3 min"."""
    if seconds < 119.5:
        return _short_duration(seconds)
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} days {hours} h" if hours else f"{days} days"


def _short_duration(seconds: float) -> str:
    if seconds == 0:
        return "0 s"
    if seconds < 0.9995:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"


def size(value: float) -> str:
    """Bytes in decimal units: 8000000000 → "8 GB"."""
    rounded = _three_figures(value)
    for scale, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if rounded >= scale:
            return f"{rounded / scale:.3g} {unit}"
    return f"{value:.0f} bytes"


def date(text: str) -> str:
    """A moment to the minute: "2025-03-01T09:00:12.345Z" → "2025-03-01 09:00 UTC"."""
    return f"{text[:10]} {text[11:16]} UTC" if len(text) >= 16 else text


def time_unit(seconds: float) -> tuple[str, float]:
    """Returns the unit in which an axis of times is labelled, and its size in seconds."""
    for unit, size in (("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return unit, size
    return "seconds", 1.0


def duration_form(values: Sequence[float]) -> str:
    """Returns the format that writes all of some durations in one unit: by the longest of them."""
    longest = max(values, default=0.0)
    if longest >= 3 * 3600:
        return "hours"
    if longest >= 600:
        return "minutes"
    if longest >= 100:
        return "seconds"
    return "fractions_of_seconds" if longest >= 1 else "milliseconds"


def form_of_short(value: float, form: str) -> str:
    """Returns the format of one duration among others: its own where it is below one unit.

    12 seconds among minutes: "duration", which writes "12 s" where "minutes" would write "0.2 min".
    """
    unit = {"hours": 3600.0, "minutes": 60.0}.get(form, 0.0)
    return "duration" if 0 < value < unit else form


FORMATS: dict[str, Callable[[Any], str]] = {
    "percent": percent,
    "share": share,
    "points": points,
    "bare_points": bare_points,
    "probability": probability,
    "loss": loss,
    "coefficient": coefficient,
    "count": count,
    "plain": plain,
    "short_count": short_count,
    "duration": duration,
    "hours": lambda seconds: f"{seconds / 3600:.1f} h",
    "minutes": lambda seconds: f"{seconds / 60:.1f} min",
    "seconds": lambda seconds: f"{seconds:.0f} s",
    "fractions_of_seconds": lambda seconds: f"{seconds:.2f} s",
    "milliseconds": lambda seconds: f"{1000 * seconds:.0f} ms",
    "size": size,
    "date": date,
    "text": str,
}


def show(value: Any, form: str) -> str:
    """Formats a table's value by a key of `FORMATS`; a missing value or NaN is a dash."""
    if value is None or value == "":
        return MISSING
    if isinstance(value, float) and not math.isfinite(value):
        return MISSING
    return FORMATS[form](value)
