"""Progress for the Python interface: one line that is rewritten, in a notebook and a terminal."""

import sys
import time
from html import escape
from typing import Any

from lstm_study.progress.values import Progress
from lstm_study.spec.quantities import duration_in_words

_EVERY_SECONDS = 0.2
_WIDTH = 30


class ProgressBar:
    """Shows stages and progress as one line: in a notebook's output, else on stderr.

    A stderr that is no terminal gets a line for each stage alone.
    """

    def __init__(self) -> None:
        self._display = _notebook_display()
        self._handle: Any = None
        self._next = 0.0
        self._length = 0

    def stage(self, name: str, detail: str) -> None:
        """Shows that a stage begins, or is found done."""
        self._show(f"{name}: {detail}", 1.0)
        self._handle = None
        if self._display is None:
            sys.stderr.write("\n")
            self._length = 0

    def progress(self, progress: Progress) -> None:
        """Shows where the running stage stands, a few times a second."""
        moment = time.monotonic()
        is_last = progress.done == progress.total
        if moment < self._next and not is_last:
            return
        self._next = moment + _EVERY_SECONDS
        if self._display is None and not sys.stderr.isatty():
            return
        left = ""
        if progress.remaining_seconds is not None:
            left = f", about {duration_in_words(progress.remaining_seconds)} left"
        best = f", best {progress.best}" if progress.best else ""
        epochs = " ".join(
            f"{each.training_id}:{each.epoch}/{each.epochs}"
            if each.epochs
            else f"{each.training_id}:{each.step}/{each.steps}"
            for each in progress.running
        )
        words = f"{progress.stage} {progress.done}/{progress.total}{left}{best} {epochs}".rstrip()
        self._show(words, progress.done / max(1, progress.total))

    def _show(self, words: str, share: float) -> None:
        if self._display is not None:
            html = (
                f'<progress value="{share:.3f}" max="1" aria-label="progress"></progress> '
                f"{escape(words)}"
            )
            if self._handle is None:
                self._handle = self._display(_Html(html), display_id=True)
            else:
                self._handle.update(_Html(html))
            return
        if not sys.stderr.isatty():
            sys.stderr.write(words)
            return
        done = round(_WIDTH * share)
        line = f"{'█' * done}{'░' * (_WIDTH - done)} {words}"
        sys.stderr.write("\r" + line.ljust(self._length))
        sys.stderr.flush()
        self._length = len(line)


class _Html:
    def __init__(self, text: str) -> None:
        self._text = text

    def _repr_html_(self) -> str:
        return self._text


def _notebook_display() -> Any:
    """Returns IPython's `display` in a notebook; None elsewhere."""
    found = sys.modules.get("IPython")
    shell = found.get_ipython() if found is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import display

    return display
