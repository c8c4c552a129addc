"""SIGTERM and SIGHUP end a command as Ctrl-C does."""

import signal
from collections.abc import Iterator

import pytest
import typer
from typer.testing import CliRunner

from lstm_study.cli import app
from lstm_study.cli.shared import handled
from lstm_study.cli.signals import interrupt_on_signals
from lstm_study.commands import doctor

ENDING = (signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.signal(number, signal.SIG_DFL) for number in ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_says_how_to_resume_and_a_second_one_does_not_interrupt_the_end(
    number: signal.Signals, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupt_on_signals()
    tidied = []

    @handled
    def command() -> None:
        try:
            signal.raise_signal(number)
        finally:
            for each in ENDING:
                signal.raise_signal(each)
            tidied.append("workers")

    with pytest.raises(typer.Exit) as ended:
        command()
    assert (ended.value.exit_code, tidied) == (code, ["workers"])
    said = capsys.readouterr().err
    assert said.startswith(f"Interrupted by {number.name}. All finished epochs are saved; resume")


def test_a_signal_that_is_ignored_as_under_nohup_stays_so() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    interrupt_on_signals()
    signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL


def test_a_command_that_trains_nothing_does_not_speak_of_epochs_when_it_is_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "examine", interrupted)
    ended = CliRunner().invoke(app, ["doctor"])
    assert (ended.exit_code, ended.output) == (130, "Interrupted.\n")
