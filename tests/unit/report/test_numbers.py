"""Tests of how the report writes numbers."""

import math

import pytest

from lstm_study.report import numbers


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("percent", 0.87341, "87.34%"),
        ("percent", 1.0, "100.00%"),
        ("share", 0.2, "20%"),
        ("share", 0.934, "93.4%"),
        ("points", 0.0052, "+0.52"),
        ("points", -0.0052, "−0.52"),
        ("points", -0.000001, "0.00"),
        ("bare_points", 0.0283, "2.83"),
        ("probability", 0.03456, "0.035"),
        ("probability", 0.0004, "< 0.001"),
        ("loss", 0.34567, "0.3457"),
        ("coefficient", -0.456, "−0.46"),
        ("count", 6_491_701, "6,491,701"),
        ("plain", 0.30000000000000004, "0.3"),
        ("plain", 50_000.0, "50,000"),
        ("short_count", 6_491_701, "6.49 M"),
        ("short_count", 999_999, "1 M"),
        ("short_count", 16, "16"),
        ("duration", 0, "0 s"),
        ("duration", 0.0421, "42 ms"),
        ("duration", 0.9996, "1.0 s"),
        ("duration", 9.96, "10 s"),
        ("duration", 119.4, "119 s"),
        ("duration", 119.6, "2 min"),
        ("duration", 3599, "1 h"),
        ("duration", 7384, "2 h 3 min"),
        ("duration", 200_000, "2 days 8 h"),
        ("size", 8_000_000_000, "8 GB"),
        ("size", 999_999, "1 MB"),
        ("size", 2_160_000_000_000, "2.16 TB"),
        ("date", "2025-03-01T09:00:12.345Z", "2025-03-01 09:00 UTC"),
        ("text", "b2-00-r0", "b2-00-r0"),
    ],
)
def test_each_format_writes_worked_examples(form: str, value: float, text: str) -> None:
    assert numbers.show(value, form) == text


@pytest.mark.parametrize(
    ("seconds", "form", "text"),
    [
        (10.2, "minutes", "10 s"),
        (60.0, "minutes", "1.0 min"),
        (0.0, "minutes", "0.0 min"),
        (754, "hours", "13 min"),
        (4.2, "seconds", "4 s"),
        (0.004, "fractions_of_seconds", "0.00 s"),
    ],
)
def test_a_duration_below_one_unit_of_its_column_is_written_in_its_own(
    seconds: float, form: str, text: str
) -> None:
    assert numbers.show(seconds, numbers.form_of_short(seconds, form)) == text


@pytest.mark.parametrize("form", sorted(numbers.FORMATS))
@pytest.mark.parametrize("value", [None, "", math.nan, math.inf])
def test_what_is_missing_is_a_dash_in_every_format(form: str, value: float | str | None) -> None:
    assert numbers.show(value, form) == "–"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.000734442, "0.000734"),
        (0.05, "0.05"),
        (0.0029995, "0.003"),
        (1234.567, "1234.57"),
        (50_000, "50,000"),
        (-0.123456, "−0.123"),
        ("max", "max"),
        (True, "yes"),
    ],
)
def test_a_setting_is_written_with_three_digits_where_room_is_short(
    value: float | str, text: str
) -> None:
    assert numbers.rough(value) == text
