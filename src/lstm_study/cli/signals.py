"""Signals that ask this process to end: they end a command as Ctrl-C does.

Slurm, systemd and `kill` send SIGTERM, a terminal that is closed SIGHUP.
"""

import signal
from types import FrameType
from typing import NoReturn

_ENDING = (signal.SIGTERM, signal.SIGHUP)


class SignalledError(KeyboardInterrupt):
    """Another signal than Ctrl-C's: whatever handles an interrupt handles it, too."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """What a shell shows for a program that the signal ended."""
        return 128 + self.number

    def __str__(self) -> str:
        return signal.Signals(self.number).name


def interrupt_on_signals() -> None:
    """Has these signals interrupt this process, once; one that is ignored stays so (`nohup`)."""
    for number in _ENDING:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    # They often come in pairs: the second would end the process while it ends its workers.
    for each in _ENDING:
        signal.signal(each, signal.SIG_IGN)
    raise SignalledError(number)
