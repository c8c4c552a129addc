"""What all commands share: consoles, exit codes, and known errors in one line."""

import contextlib
import errno
import functools
import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from lstm_study.cli.options import number_of_workers
from lstm_study.errors import StudyError
from lstm_study.printable import printable

if TYPE_CHECKING:
    from lstm_study.cli.display import Display
    from lstm_study.commands import Answer, OpenStudy, Show

EXIT_DONE, EXIT_ERROR, EXIT_USAGE, EXIT_FAILED_TRIALS, EXIT_INTERRUPTED = 0, 1, 2, 3, 130


class SafeConsole(Console):
    """A console that prints control characters of any text as text; Rich's own stay."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Renders like Rich, with every text made printable."""
        for segment in super().render(renderable, options):
            is_safe = segment.control or printable(segment.text) == segment.text
            yield segment if is_safe else Segment(printable(segment.text), segment.style)


out = SafeConsole(highlight=False)
err = SafeConsole(stderr=True, highlight=False)

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def handled(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Turns known errors into one line and exit code 1; the only place that catches them."""

    @functools.wraps(function)
    def wrapper(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return function(*args, **kwargs)
        except StudyError as error:
            for line in str(error).splitlines():
                err.print(f"[bold red]error:[/] {escape(line)}", soft_wrap=True)
            raise typer.Exit(EXIT_ERROR) from None
        except (MemoryError, OSError, RuntimeError) as error:
            if not (advice := _limit_of(error)):
                raise
            err.print(f"[bold red]error:[/] {escape(advice)}", soft_wrap=True)
            raise typer.Exit(EXIT_ERROR) from None
        except KeyboardInterrupt:
            err.print(
                "Interrupted. All finished epochs are saved; resume with:\n  "
                + escape(_resume_command()),
                soft_wrap=True,
            )
            raise typer.Exit(EXIT_INTERRUPTED) from None

    return wrapper


def _limit_of(error: Exception) -> str:
    """Returns which limit of the machine an error is about, and what to do; "" for none."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return (
            "This machine has no memory left for this (or `ulimit -v` allows no more). End other "
            "programs, or use fewer --workers."
        )
    if getattr(error, "errno", None) in (errno.EMFILE, errno.ENFILE):
        return (
            f"Too many open files ({error}). Allow more with `ulimit -n 4096`, or use fewer "
            "--workers."
        )
    is_about_threads = isinstance(error, RuntimeError) and "start new thread" in str(error)
    if is_about_threads or getattr(error, "errno", None) == errno.EAGAIN:
        return (
            f"No more threads or processes can be started ({error}). Allow more with `ulimit -u`, "
            "or use fewer --workers."
        )
    return ""


def escape(text: str) -> str:
    """Returns a text that Rich prints verbatim, square brackets included."""
    from rich.markup import escape

    return escape(text)


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
        cluster=cluster,
    )


def shown(
    display: "Display", opened: "OpenStudy", tensorboard: bool
) -> contextlib.AbstractContextManager["Show"]:
    """Shows progress on a display, and with `tensorboard` also in event files."""
    if not tensorboard:
        return contextlib.nullcontext(display)
    from lstm_study.commands.tensorboard import WithTensorBoard

    return WithTensorBoard(display, opened)


def exit_with(answer: "Answer") -> None:
    """Ends the command with exit code 3 where trials or runs failed."""
    if answer.failed_trials:
        raise typer.Exit(EXIT_FAILED_TRIALS)
