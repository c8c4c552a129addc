"""Shows a study's progress: live in a terminal, plain lines elsewhere."""

import time
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from lstm_study.cli.options import Verbosity
from lstm_study.progress.follow import silence_in_words
from lstm_study.progress.values import EndedTraining, Progress, Running
from lstm_study.spec.quantities import duration_in_words, estimate_in_words

_HEARTBEAT_SECONDS, _VERBOSE_SECONDS = 60.0, 5.0
_TRIAL_IDS = "           a trial's name: {}b2-08-r1 is slot 8 of bracket 2{}, after one promotion"


class Display:
    """Where `commands` report their progress on a console.

    In a terminal one live block is kept up to date, and finished trainings scroll away above it.
    Elsewhere (a file, a pipe, a CI log) each finished training is a line, and a line a minute
    shows that the study is still running.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._stage = ""
        self._shown = 0
        self._told: set[str] = set()
        self._is_new = self._is_waiting = False
        self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end_live()

    def stage(self, name: str, detail: str) -> None:
        """Prints one line for a stage that begins, or was done already."""
        self._end_live()
        if Verbosity.level < 0:
            return
        line = Text.assemble((f"{name:<11}", "bold"), detail)
        self._line(line)
        if self._is_live:
            # What follows may take long before it has progress to show.
            self._live = Live(
                Spinner("dots", Text(name, style="dim")), console=self._console, transient=True
            )
            self._live.start()
            self._is_waiting = True

    def progress(self, progress: Progress) -> None:
        """Shows the progress of a stage."""
        if Verbosity.level < 0:
            return
        if self._is_waiting:
            self._end_live()
        if progress.stage != self._stage:
            self._stage, self._shown, self._told = progress.stage, 0, set()
            self._is_new = True
        if progress.ended and self._is_new and progress.stage == "Search":
            self._is_new = False
            several = progress.ended[0].training_id.startswith("i")
            words = ("i1-", ", pass 2 (i0 is the first)") if several else ("", "")
            self._line(Text(_TRIAL_IDS.format(*words), style="dim"))
        for ended in progress.ended[self._shown :]:
            self._shown += 1
            self._line(
                _ended(
                    progress,
                    ended,
                    number=self._shown,
                    # All seeds of an arm, and arms beside it, have one: the first line says it.
                    detail="" if ended.detail in self._told else ended.detail,
                    terminal=self._is_live,
                )
            )
            if progress.stage != "Search":
                self._told.add(ended.detail)
        if not self._is_live:
            every = _VERBOSE_SECONDS if Verbosity.level > 0 else _HEARTBEAT_SECONDS
            if time.monotonic() - self._last_line > every:
                self._line(_heartbeat(progress))
            return
        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(_block(progress), refresh=True)

    @property
    def _is_live(self) -> bool:
        return self._console.is_terminal

    def _line(self, text: Text) -> None:
        self._console.print(text, soft_wrap=not self._is_live)
        self._last_line = time.monotonic()

    def _end_live(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
        self._is_waiting = False


class Bar:
    """Shows the progress of one long call.

    In a terminal it is a bar that disappears when the call ends; elsewhere a line a minute.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._began = self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, what: str, done: int, total: int) -> None:
        """Shows how much of the whole is done, in any unit."""
        spent = time.monotonic() - self._began
        left = f" · about {duration_in_words(spent * (total - done) / done)} left" if done else ""
        words = f"{what} {done / max(1, total):.0%}{left}"
        if self._console.is_terminal:
            table = Table.grid(padding=(0, 1))
            bar = ProgressBar(total=total, completed=done, width=40, complete_style="cyan")
            table.add_row(bar, Text(words, style="dim"))
            self._live.update(table, refresh=True)
        elif time.monotonic() - self._last_line > _HEARTBEAT_SECONDS:
            self._console.print(Text(words), soft_wrap=True)
            self._last_line = time.monotonic()


def _block(progress: Progress) -> RenderableType:
    """Returns the live block: counts, a bar for each worker, the best score so far."""
    head = Text.assemble(
        (f"{progress.stage:<11}", "bold"),
        f"{progress.done} of {progress.total} done",
        (f" · {progress.failed} failed" if progress.failed else "", "red"),
        (f" · {duration_in_words(progress.elapsed_seconds)} spent · {_left(progress)}", "dim"),
    )
    table = Table.grid(padding=(0, 1))
    for running in progress.running:
        table.add_row(
            Text(f"  {running.worker}", style="dim"),
            Text(running.training_id, style="cyan"),
            ProgressBar(total=1.0, completed=running.share_done, width=20, complete_style="cyan"),
            Text(running.in_words),
            _silence(running)
            or Text(running.detail, style="dim", overflow="ellipsis", no_wrap=True),
        )
    lines: list[RenderableType] = [head, table]
    if progress.best:
        lines.append(Text.assemble("  best so far ", (progress.best, "green")))
    return Group(*lines)


def _silence(running: Running) -> Text | None:
    """Returns a remark on a worker that has sent nothing for long; None for others."""
    silence = silence_in_words(running.silent_seconds)
    return Text(silence, style="yellow") if silence else None


def _ended(
    progress: Progress, ended: EndedTraining, *, number: int, detail: str, terminal: bool
) -> Text:
    count = progress.done - len(progress.ended) + number
    text = Text.assemble(
        (f"{progress.stage:<11}", "bold"),
        f"{count:>3} of {progress.total}  {ended.training_id:<12} ",
        (f"failed: {ended.score}" if ended.failed else ended.score, "red" if ended.failed else ""),
        (f"  {detail}" if detail else "", "dim"),
    )
    if not terminal:
        best = f" · best so far {progress.best}" if progress.best else ""
        text.append(f"{best} · {_worked(progress)}")
    return text


def _heartbeat(progress: Progress) -> Text:
    running = "; ".join(
        f"{item.training_id} {item.in_words}"
        f"{f' ({item.step / max(1, item.steps):.0%})' if item.epochs else ''}"
        f"{f', {silence}' if (silence := silence_in_words(item.silent_seconds)) else ''}"
        for item in progress.running
    )
    return Text(
        f"{progress.stage:<11}{progress.done:>3} of {progress.total}  "
        f"{f'running: {running}' if running else 'no worker is training yet'} · {_worked(progress)}"
    )


def _worked(progress: Progress) -> str:
    return f"{duration_in_words(progress.elapsed_seconds)} spent, {_left(progress)}"


def _left(progress: Progress) -> str:
    if progress.remaining_seconds is None:
        return "time left not known yet"
    left = f"about {estimate_in_words(progress.remaining_seconds)} left"
    if progress.study_seconds is None:
        return left
    return f"{left} in this stage, {estimate_in_words(progress.study_seconds)} in the whole study"
