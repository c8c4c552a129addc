"""Consoles: nothing acts on the terminal, nothing piped is cut, no encoding ends a command."""

import logging
import subprocess
import sys

import pytest
from rich.table import Table
from rich.text import Text

from lstm_study.cli.shared import err, out, say


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_control_characters_and_markup_in_anything_printed_are_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = Table()
    table.add_column("[/b] \x1b[31m")
    table.add_row("a \x07[red]b", Text("x"))
    for thing in ("[/b] \x1b[2J", Text("\x9b31m"), table):
        out.print(thing)
    text = printed(capsys)
    assert not set(text) & {"\x1b", "\x07", "\x9b"}
    for shown in (r"[/b] \x1b[2J", r"\x9b31m", "[red]b"):
        assert shown in text


def test_long_lines_and_wide_tables_are_not_cut_where_they_are_piped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = Table.grid()
    table.add_row("word " * 100, "/a/long/path" * 30)
    out.print(table)
    say("many words " * 100, to=out)
    lines = printed(capsys).splitlines()
    assert len(lines) == 2
    assert "/a/long/path" * 30 in lines[0]


def test_no_line_that_is_piped_ends_in_spaces(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_row("short", "a  b")
    table.add_row("a long one", "words " * 9)
    out.print(table)
    assert printed(capsys) == f"short       a  b\na long one  {'words ' * 8}words\n"


def test_errors_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    say("here", to=err)
    assert capsys.readouterr().err == "here\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_an_output_that_lacks_a_sign_loses_the_sign_and_nothing_else(encoding: str) -> None:
    code = (
        "from lstm_study.cli.shared import out, prepare_streams; import logging; "
        "prepare_streams(); out.print('a – b … 很好 é'); print('“c”'); "
        "logging.getLogger('x').warning('\\x1b[31m %s', 'd – 很')"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True,
        env={"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
    )  # fmt: skip
    shown = {
        "ascii": 'a - b ... ?? ?\n"c"\n',
        "latin-1": 'a - b ... ?? é\n"c"\n',
        "utf-8": "a – b … 很好 é\n“c”\n",
    }
    assert result.stdout.decode(encoding) == shown[encoding]
    assert "\\x1b[31m d " in result.stderr.decode(encoding)


def test_log_records_are_not_printed_twice(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        logging.getLogger("lstm_study").warning("once")
    assert [record.message for record in caplog.records] == ["once"]
