"""`predict` at the command line: what is refused before a model is loaded."""

import io
import sys

import pytest
from typer.testing import CliRunner

from lstm_study.cli import app
from lstm_study.cli.results import _stdin_lines, _typed_texts


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("model", "-1 star"), 'begin with a dash after "--"'),
        (("model", "--file", "r.csv"), "go together"),
        (("model", "--out", "r.csv"), "go together"),
        (("model", "a text", "--file", "r.csv", "--out", "x.csv"), "not both"),
    ],
)
def test_what_cannot_go_together_is_a_usage_error_with_a_hint(
    arguments: tuple[str, ...], said: str
) -> None:
    result = CliRunner().invoke(app, ["predict", *arguments], env={"COLUMNS": "300"})
    assert result.exit_code == 2
    assert said in result.output


def test_texts_that_begin_with_a_dash_are_texts_after_two_dashes() -> None:
    result = CliRunner().invoke(app, ["predict", "no-such-model", "--", "-1 star"])
    assert result.exit_code == 1
    assert "no such model folder" in result.output


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (b"\xef\xbb\xbfa film\r\n\r\nend", "utf-8"),
        ("a film\r\n\r\nend".encode("utf-16"), "utf-16"),
        ("a film\n\nend\n".encode("utf-16-be"), "utf-16-be"),
        ("\ufeffa film\n\nend\n".encode("utf-32-le"), "UTF_32_LE"),
    ],
)
def test_lines_of_stdin_are_read_without_mark_and_ends(
    monkeypatch: pytest.MonkeyPatch, raw: bytes, encoding: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    assert list(_stdin_lines(encoding)) == ["a film", "", "end"]


def test_a_dash_alone_stands_for_stdin() -> None:
    assert _typed_texts(["-"]) == _typed_texts(None) == []
    assert _typed_texts(["-", "a film"]) == ["-", "a film"]
