"""Durations and sizes as users write them."""

import pytest

from lstm_study.spec.quantities import (
    bytes_of,
    duration_in_words,
    estimate_in_words,
    pace_in_words,
    seconds_of,
    size_in_words,
)


@pytest.mark.parametrize(
    ("text", "seconds"), [("45m", 2_700), ("2h30m", 9_000), ("1d", 86_400), ("1 h 5 s", 3_605)]
)
def test_durations(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "2.5h", "30", "m30", "1h 2", "-1h"])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="2h30m"):
        seconds_of(text)


@pytest.mark.parametrize(
    ("text", "count"), [("20GB", 20 * 10**9), ("1.5 gb", 15 * 10**8), ("1B", 1), ("3kb", 3_000)]
)
def test_sizes(text, count):
    assert bytes_of(text) == count


@pytest.mark.parametrize("text", ["", "0GB", "20", "GB", "20GiB", "-1GB"])
def test_what_is_no_size(text):
    with pytest.raises(ValueError, match="500MB"):
        bytes_of(text)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 KB"), (77_966_000, "78 MB"), (15 * 10**11, "1.5 TB")],
)
def test_sizes_in_words(count, text):
    assert size_in_words(count) == text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (59.6, "1 min 0 s"),
        (125, "2 min 5 s"),
        (7_500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations_are_said_in_two_units(seconds, words):
    assert duration_in_words(seconds) == words


@pytest.mark.parametrize(
    ("count", "seconds", "words"),
    [
        (30, 120, "15 epochs a minute"),
        (9, 180, "3.0 epochs a minute"),
        (9, 7_200, "4.5 epochs an hour"),
        (0, 10, "0.0 epochs an hour"),
    ],
)
def test_rates_are_said_by_the_minute_or_else_by_the_hour(count, seconds, words):
    assert pace_in_words(count, seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "5 s"), (23, "25 s"), (89, "90 s"), (95, "2 min"), (401, "7 min"), (3_569, "59 min"),
     (3_571, "1 h 0 min"), (7_790, "2 h 10 min")],
)  # fmt: skip
def test_an_estimate_is_said_no_more_exactly_than_it_is_known(seconds, words):
    assert estimate_in_words(seconds) == words
