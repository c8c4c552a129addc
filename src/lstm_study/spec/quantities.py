"""Durations and sizes as users write them: "2h30m", "1.5GB"."""

import re

_DURATION = re.compile(
    r"(?:(?P<d>\d+)\s*d)?\s*(?:(?P<h>\d+)\s*h)?\s*(?:(?P<m>\d+)\s*m)?\s*(?:(?P<s>\d+)\s*s)?"
)
_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[KMGT]?B)", re.IGNORECASE)
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def seconds_of(duration: str) -> int:
    """Reads a duration.

    Args:
        duration: Days, hours, minutes and seconds, in this order; any may be left out.

    Returns:
        Seconds, >= 1.

    Raises:
        ValueError: It is not a duration, or it is zero.

    Example:
        >>> seconds_of("2h30m")
        9000
    """
    match = _DURATION.fullmatch(duration.strip())
    seconds = 0
    if match is not None:
        seconds = sum(_SECONDS[unit] * int(value) for unit, value in match.groupdict("0").items())
    if seconds < 1:
        raise ValueError('must be a duration such as "45m" or "2h30m"')
    return seconds


def bytes_of(size: str) -> int:
    """Reads a size with its decimal unit.

    Raises:
        ValueError: It is not a size, or it is zero.

    Example:
        >>> bytes_of("1.5 GB")
        1500000000
    """
    match = _SIZE.fullmatch(size.strip())
    count = 0
    if match is not None:
        count = int(float(match["number"]) * _BYTES[match["unit"].upper()])
    if count < 1:
        raise ValueError('must be a size such as "500MB" or "20GB"')
    return count


def counted(count: int, noun: str) -> str:
    """Says how many there are of what a regular noun names.

    Example:
        >>> counted(1, "row"), counted(2_000, "test review")
        ('1 row', '2,000 test reviews')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def size_in_words(count: int) -> str:
    """Says a number of bytes in its decimal unit, with two digits at least.

    Example:
        >>> size_in_words(77_900_000)
        '78 MB'
        >>> size_in_words(1_500_000_000)
        '1.5 GB'
        >>> size_in_words(999_999)
        '1.0 MB'
    """
    rounded = max(1, count) * 1000 / 999.5  # so that there is no "1,000 KB"
    unit, size = max(
        ((unit, size) for unit, size in _BYTES.items() if size <= rounded),
        key=lambda each: each[1],
    )
    number = count / size
    return f"{number:.1f} {unit}" if number < 10 and size > 1 else f"{number:,.0f} {unit}"


def duration_in_words(seconds: float) -> str:
    """Says a duration in its two largest units: "2 h 5 min", "3 min 20 s", "45 s"."""
    whole = round(seconds)
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {rest} s"
    return f"{rest} s"


def estimate_in_words(seconds: float) -> str:
    """Says an estimated duration, rounded to what an estimate can tell.

    Example:
        >>> [estimate_in_words(seconds) for seconds in (23, 401, 7_790)]
        ['25 s', '7 min', '2 h 10 min']
    """
    if seconds < 90:
        return f"{max(5, 5 * round(seconds / 5))} s"
    if seconds < 3_570:
        return f"{round(seconds / 60)} min"
    return duration_in_words(600 * round(seconds / 600))


def pace_in_words(epochs: int, seconds: float) -> str:
    """Says how many epochs are trained in a minute, or in an hour where that is too few.

    Args:
        epochs: How many there were.
        seconds: In what time, > 0.

    Example:
        >>> pace_in_words(30, 120), pace_in_words(9, 7_200)
        ('15 epochs a minute', '4.5 epochs an hour')
    """
    a_minute = 60 * epochs / seconds
    rate, unit = (a_minute, "a minute") if a_minute >= 1 else (60 * a_minute, "an hour")
    return f"{rate:,.{0 if rate >= 10 else 1}f} epochs {unit}"
