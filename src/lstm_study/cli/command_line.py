"""The command line: its commands in the order of the help, and the entry point.

Exit codes: 0 done, 1 a known error in one line, 2 usage, 3 finished but with failed trials or runs,
130 interrupted, 129 and 143 interrupted by SIGHUP and SIGTERM, 141 the output of a command that
only prints is no longer read.
"""

import atexit
import contextlib
import os
import sys
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from lstm_study.cli.inspection import check, data, doctor, init, list_studies, status
from lstm_study.cli.options import Verbosity
from lstm_study.cli.results import diff, export, predict, records, report, watch
from lstm_study.cli.shared import handled, prepare_streams
from lstm_study.cli.signals import interrupt_on_signals
from lstm_study.cli.streams import guard_streams, open_missing_streams
from lstm_study.cli.training import baseline, compare, run, search

app = typer.Typer(
    name="lstm-study",
    help="Finds the LSTM that classifies your reviews best, and tests whether it really beats the "
    "documented 128/100 baseline.",
    epilog="Start with `lstm-study run`: the quick start takes minutes on a laptop. "
    "Exit codes: 0 done, 1 error, 2 usage, 3 finished but with failed trials, 130 interrupted "
    "(129 by SIGHUP, 143 by SIGTERM), 141 output no longer read.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"lstm-study {version('lstm-study')}")
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print only results and errors.")
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", help="Print progress more often, and the traceback of an error."
        ),
    ] = False,
) -> None:
    Verbosity.level = -1 if quiet else int(verbose)


# In the order of the help, each with its example.
_COMMANDS = (
    (run, "Example: lstm-study run study/imdb.toml --data imdb.npz"),
    (init, "Example: lstm-study init tweets.csv --out tweets.toml"),
    (data, "Example: lstm-study data study/own-reviews.toml --data reviews.csv"),
    (baseline, "Example: lstm-study baseline study/imdb.toml --data imdb.npz --epochs 1"),
    (search, "Example: lstm-study search study/imdb.toml --workers 2"),
    (compare, "Example: lstm-study compare study/imdb.toml --more-seeds 4"),
    (report, "Example: lstm-study report study/imdb.toml --out reports"),
    (records, "Example: lstm-study records study/imdb.toml --to study/reference/imdb"),
    (diff, "Example: lstm-study diff study/quickstart.toml study/own-reviews.toml"),
    (watch, "Example: lstm-study watch study/imdb.toml"),
    (export, "Example: lstm-study export study/imdb.toml"),
    (predict, 'Example: lstm-study predict reports/quickstart/model "A fine film."'),
    (status, "Example: lstm-study status study/imdb.toml"),
    (list_studies, "Example: lstm-study list --json"),
    (check, "Example: lstm-study check study/imdb.toml --repair"),
    (doctor, "Example: KERAS_BACKEND=jax lstm-study doctor"),
)

# The others write what matters more than what they print.
_ONLY_PRINT = (data, predict, status, list_studies, doctor)
_TRAIN = (run, baseline, search, compare)

# What typer raises where arguments are wrong; it has no public name for it.
_UsageError: Any = typer.BadParameter.__base__


class _Command(TyperCommand):
    """A command whose errors of usage do not begin with pydantic's words for them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except _UsageError as error:
            error.message = error.message.removeprefix("Value error, ")
            raise


class _TakesTexts(_Command):
    """A command whose texts may begin with a dash."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except _UsageError as error:
            if not hasattr(error, "option_name"):
                raise
            hint = 'Give texts that begin with a dash after "--".'
            raise _UsageError(f"{error.format_message()} {hint}", ctx=ctx) from None


for _command, _example in _COMMANDS:
    _kind = _TakesTexts if _command is predict else _Command
    _name = "list" if _command is list_studies else None
    _handled = handled(_command, continues=_command not in _ONLY_PRINT, trains=_command in _TRAIN)
    app.command(_name, epilog=_example, cls=_kind)(_handled)


def main() -> Any:
    """The console script's entry point."""
    interrupt_on_signals()
    open_missing_streams()
    prepare_streams()
    guard_streams()
    try:
        app()
    except SystemExit as ended:
        _leave_at_once(ended.code)
        raise


def _leave_at_once(code: object) -> None:
    """Ends the process without Python's own teardown, where that would be slow.

    All files are written and every worker has ended by now. The teardown frees TensorFlow
    piece by piece: seconds after a Ctrl-C, and once, on a busy machine, more than a minute. What
    libraries do at exit is done: they delete their temporary files.
    """
    if isinstance(code, int) and "tensorflow" in sys.modules:
        atexit._run_exitfuncs()
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
