"""Texts of others made harmless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_study.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a plain text – “with signs” 很好 😀", "a plain text – “with signs” 很好 😀"),
        ("\x1b]0;title\x07\x1b[31m", r"\x1b]0;title\x07\x1b[31m"),
        ("abc\u202edef", r"abc\u202edef"),
        ("one\rtwo\x85three\u2028four", r"one\rtwo\x85three\u2028four"),
        ("no-break\u00a0space", "no-break\u00a0space"),
        ("half \ud800", r"half \ud800"),
        ("[/b] <script>", "[/b] <script>"),
    ],
)
def test_control_characters_are_written_as_what_they_are(text, shown):
    assert printable(text) == shown


@given(st.text())
def test_nothing_is_left_that_acts(text):
    shown = printable(text, keep="\n")
    assert not any(ord(letter) < 32 and letter != "\n" for letter in shown)
    assert "\x7f" not in shown and "\x9b" not in shown
    assert printable(shown, keep="\n") == shown
