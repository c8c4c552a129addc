"""Control characters of untrusted text are printed as text, in every output."""

import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from lstm_study.analysis.answer.verdict import judge
from lstm_study.cli.shared import make_console
from lstm_study.printable import printable
from lstm_study.records import Excerpt, Failure
from lstm_study.report.content import gather
from lstm_study.report.write import render_files
from tests.support.fake_study import ALL_STUDIES

BAD = "\x1b[2J\x00\x9b31m\u202e\u2028"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a plain text, with äöü, 映画 and 😀", "a plain text, with äöü, 映画 and 😀"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("bell\x07, null\x00, C1 \x9b", "bell\\x07, null\\x00, C1 \\x9b"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("half a pair \ud83d", "half a pair \\ud83d"),
    ],
)
def test_what_a_terminal_would_obey_is_spelled_out_and_all_else_stays(text, expected):
    assert printable(text) == expected
    assert printable(expected) == expected
    expected.encode()


def test_a_terminal_gets_its_own_control_characters_and_no_others():
    out = io.StringIO()
    console = make_console(file=out, force_terminal=True, width=200)
    console.print(Text.assemble(("label", "bold"), f" {BAD}"))
    assert "\x1b[1mlabel\x1b[0m" in out.getvalue()
    assert "\\x1b[2J\\x00\\x9b31m\\u202e\\u2028" in out.getvalue()


def test_no_file_of_a_report_holds_a_control_character():
    study = ALL_STUDIES["compared"]()
    assert study.corpus is not None
    assert study.review_facts is not None
    failure = Failure(kind="bug", message=BAD, traceback=BAD)
    excerpt = Excerpt(position=study.review_facts.excerpts[0].position, text=BAD)
    study = replace(
        study,
        title=BAD,
        spec_text=study.spec_text + f"# {BAD}\n",
        corpus=replace(study.corpus, labels=(BAD, "pos")),
        trials=(replace(study.trials[0], status="failed", failure=failure), *study.trials[1:]),
        review_facts=replace(study.review_facts, excerpts=(excerpt,)),
    )
    content = gather(
        study, verdict=judge(study), made_at="2025-03-02T10:00:00.000Z",
        versions={}, git_commit="", bundle=None,
    )  # fmt: skip
    texts = {p: d for p, d in render_files(content).items() if not p.endswith((".gz", ".png"))}
    for path, data in texts.items():
        text = data.decode()
        assert printable(text) == text, path


@given(st.text())
def test_nothing_is_left_that_acts(text):
    shown = printable(text)
    assert not any(ord(letter) < 32 and letter not in "\t\n" for letter in shown)
    assert "\x7f" not in shown and "\x9b" not in shown
    assert printable(shown) == shown
