"""The command line: reads arguments, makes one call, prints the result; see `command_line.py`."""

from lstm_study.cli.command_line import app, main

__all__ = ["app", "main"]
