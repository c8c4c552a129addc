"""`predict` at the command line: what is refused before a model is loaded."""

import pytest
from typer.testing import CliRunner

from lstm_study.cli import app


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
