"""What all commands share: consoles, exit codes, and known errors in one line."""

import codecs
import contextlib
import dataclasses
import errno
import functools
import io
import json
import logging
import re
import resource
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import typer
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.text import Text

from lstm_study.cli.options import Verbosity, number_of_workers
from lstm_study.cli.signals import SignalledError
from lstm_study.cli.streams import Readers
from lstm_study.errors import StudyError
from lstm_study.files import step_after
from lstm_study.printable import printable

if TYPE_CHECKING:
    from lstm_study.cli.display import Display
    from lstm_study.commands import Answer, OpenStudy, Show

EXIT_DONE, EXIT_ERROR, EXIT_USAGE, EXIT_FAILED_TRIALS, EXIT_INTERRUPTED = 0, 1, 2, 3, 130

_PIPED_WIDTH = 1 << 16
_PADDING = re.compile(r" +\n")
_REPLACING = "lstm_study.replacing"
_SIMPLER = {"–": "-", "—": "-", "−": "-", "…": "...", "·": "-", "×": "x", "→": "->", "≤": "<=",
            "≥": ">=", "“": '"', "”": '"', "‘": "'", "’": "'", "±": "+/-"}  # fmt: skip


class _Harmless:
    """A render hook that escapes control characters in what is printed."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Shown(each) for each in renderables]


class _Shown:
    def __init__(self, renderable: ConsoleRenderable) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        padding = ""
        for segment in console.render(self._renderable, options):
            if segment.control:
                yield segment
                continue
            text = padding + printable(segment.text)
            if not console.is_terminal:
                # Tables are padded to their width, which says nothing where they are piped.
                text = _PADDING.sub("\n", text)
                padding = text[len(text.rstrip(" ")) :]
                text = text.rstrip(" ")
            yield Segment(text, segment.style)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._renderable)


def make_console(**options: Any) -> Console:
    """Makes a Rich console that prints control characters as text, and cuts nothing when piped."""
    options = {"highlight": False, "markup": False, "emoji": False} | options
    console = Console(**options)
    if not console.is_terminal:
        console = Console(**options, width=_PIPED_WIDTH)
    console.push_render_hook(_Harmless())  # type: ignore[arg-type]
    return console


out = make_console()
err = make_console(stderr=True)

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def waiting(what: str) -> contextlib.AbstractContextManager[Any]:
    """Shows on a terminal that something takes long; elsewhere, and with `-q`, nothing."""
    if Verbosity.level < 0 or not err.is_terminal:
        return contextlib.nullcontext()
    return err.status(what)


def print_json(value: Any) -> None:
    """Prints a dataclass, or a list of them, as JSON."""
    typer.echo(json.dumps(_plain(value), indent=1, ensure_ascii=False, default=str))


def print_result(found: Any, as_text: RenderableType, *, as_json: bool) -> None:
    """Prints what a command found, for reading or as JSON."""
    if as_json:
        print_json(found)
    else:
        out.print(as_text)


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value  # type: ignore[arg-type]


def handled(
    function: Callable[Parameters, Result], *, continues: bool = False, trains: bool = True
) -> Callable[Parameters, Result]:
    """Turns known errors into one line and exit code 1; the only place that catches them.

    Args:
        function: The command.
        continues: Whether it continues once its output is closed, to write its records.
        trains: Whether it can be resumed where it was interrupted.
    """

    @functools.wraps(function)
    def wrapper(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        Readers.continues = continues
        try:
            return function(*args, **kwargs)
        except StudyError as error:
            if Verbosity.level > 0:
                err.print_exception()
            message = str(error)
        except (MemoryError, OSError, RuntimeError, ImportError, SystemError) as error:
            if not (message := _limit_of(error)):
                raise
        except KeyboardInterrupt as interrupt:
            by, code = "", EXIT_INTERRUPTED
            if isinstance(interrupt, SignalledError):
                by, code = f" by {interrupt}", interrupt.exit_code
            saved = f" All finished epochs are saved; resume with:\n  {_resume_command()}"
            say(f"Interrupted{by}.{saved if trains else ''}", to=err)
            raise typer.Exit(code) from None
        for line in message.split("\n"):
            err.print(Text.assemble(("error:", "bold red"), f" {line}"), soft_wrap=True)
        raise typer.Exit(EXIT_ERROR)

    return wrapper


def _limit_of(error: Exception) -> str:
    """Returns which limit of machine or user an error is about, and what to do; "" for none."""
    if memory := _limit_of_memory(error):
        return memory
    if getattr(error, "errno", None) in (errno.EMFILE, errno.ENFILE):
        return (
            f"Too many open files ({error}). Allow more with `ulimit -n 4096`, or use fewer "
            "--workers."
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        step = "Free space or choose another folder, then run the same command again."
        return f"{error}. {step_after(error, otherwise=step)}"
    if (number := getattr(error, "errno", None)) in (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG):
        step = "Correct its permissions, or choose another folder, then run the same command again."
        return f"{error}. {'Give a shorter path.' if number == errno.ENAMETOOLONG else step}"
    is_about_threads = isinstance(error, RuntimeError) and "start new thread" in str(error)
    if is_about_threads or getattr(error, "errno", None) == errno.EAGAIN:
        return (
            f"No more threads or processes can be started ({error}). Allow more with `ulimit -u`, "
            "or use fewer --workers."
        )
    return ""


def _limit_of_memory(error: Exception) -> str:
    """Does what `_limit_of` does, for memory."""
    is_full = isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM
    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    # Of a library that can't be loaded the loader gives no number for why, and one that fails
    # without saying why is a SystemError. Without a limit that is something else.
    is_unexplained = isinstance(error, SystemError) or (
        isinstance(error, ImportError) and "failed to map segment" in str(error)
    )
    if most != resource.RLIM_INFINITY and (is_full or is_unexplained):
        from lstm_study.spec.quantities import size_in_words

        return (
            f"Memory is limited to {size_in_words(most)} here (`ulimit -v`), and this needs more. "
            "Allow more, or use fewer --workers."
        )
    if is_full:
        return (
            "This machine has no memory left for this. End other programs, or use fewer --workers."
        )
    return ""


def prepare_streams() -> None:
    """Replaces characters that a stream's encoding lacks; escapes control characters in the log."""
    codecs.register_error(_REPLACING, _replaced)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_REPLACING)
    handler = logging.StreamHandler()
    handler.setFormatter(_HarmlessFormatter())
    handler.setLevel(logging.WARNING)
    logging.lastResort = handler


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(_SIMPLER.get(letter, "?") for letter in lost), error.end


class _HarmlessFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def say(text: str, *, to: Console) -> None:
    """Prints a line as it is, without wrapping it."""
    to.print(Text(text), soft_wrap=True)


def _resume_command() -> str:
    arguments = [argument for argument in sys.argv[1:] if argument != "--fresh"]
    return shlex.join(["lstm-study", *arguments])


def open_with(
    study: str,
    *,
    data: Path | None,
    out_folder: Path,
    settings: list[str] | None,
    workers: str = "auto",
    workers_per_gpu: int | None = None,
    population: int | None = None,
    cluster: str = "",
) -> "OpenStudy":
    """Opens a study with the options given; the command line itself goes into its records."""
    from lstm_study.commands import open_study

    return open_study(
        study,
        data=data,
        out=out_folder,
        settings=settings or (),
        command=shlex.join(["lstm-study", *sys.argv[1:]]),
        workers=number_of_workers(workers),
        workers_per_gpu=workers_per_gpu,
        population=population,
        cluster=cluster,
    )


def displayed(
    display: "Display", opened: "OpenStudy", tensorboard: bool
) -> contextlib.AbstractContextManager["Show"]:
    """Shows progress on a display, and with `tensorboard` also in event files."""
    if not tensorboard:
        return contextlib.nullcontext(display)
    from lstm_study.commands.tensorboard import WithTensorBoard

    return WithTensorBoard(display, opened)


def exit_with(answer: "Answer") -> None:
    """Ends the command with exit code 3 where trials or runs failed."""
    if answer.failed_trainings:
        raise typer.Exit(EXIT_FAILED_TRIALS)
