"""Removes paths, host names, addresses and control characters from records before publication.

A report, a model card and kept records leave the machine, and a command line, a traceback or a
study file may hold a home folder or a machine's name. An absolute path, and one that leads out of
the current folder (`../data/x`), keeps its last part, or what follows the folder of packages; other
relative paths stay as they are. Other machines get numbers. Which fields may hold any of these is
declared in `kinds`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from itertools import count
from typing import Any, TypeVar

from lstm_study.printable import printable
from lstm_study.records.comparison import ReviewFacts
from lstm_study.records.corpus import CorpusSummary
from lstm_study.records.kinds import BY_TYPE
from lstm_study.records.session import Session
from lstm_study.records.study import StudyRecords
from lstm_study.records.training import Run, Trial

T = TypeVar("T")

_ROOT = r"(?:file://)?(?:~[\w.-]*[\\/]|[A-Za-z]:[\\/]|/(?=[\w.~-])|(?:\.\.[\\/])+(?=[\w~-]))"
_QUOTED = re.compile(rf"""(['"]){_ROOT}[^'"\n]*\1""")
_BARE = re.compile(rf"""(?<![\w.:/\\<~]){_ROOT}[^\s'"`<>|,;:()\[\]{{}}]*""")
_AFTER = ("/site-packages/", "/dist-packages/", "/src/")
_LIBRARY = re.compile(r".*/lib/python3\.\d+/(?!site-packages/|dist-packages/)")
_PATHS = ("path", "test_path")
# The name of another machine's workers: its host, a dash and four hexadecimal digits.
_MACHINE = re.compile(r"^(.+-[0-9a-f]{4})(?:-|$)")
_ADDRESS = re.compile(r"(--(?:bind|chief|cluster)[= ])\S+:\d+")


class Scrubber:
    """Removes what names a machine, a folder or a user; workers' names reveal the machines."""

    def __init__(self, workers: Iterable[str] = ()) -> None:
        found = {match[1] for worker in workers if (match := _MACHINE.match(worker))}
        self._machines = dict(zip(sorted(found), map("machine-{}".format, count(2)), strict=False))

    @classmethod
    def of(
        cls, trials: Iterable[Trial], runs: Iterable[Run], sessions: Iterable[Session]
    ) -> "Scrubber":
        """Returns one that knows the machines that worked on a study."""
        return cls(
            [trial.worker for trial in trials]
            + [run.worker for run in runs]
            + [session.stage.removeprefix("worker-") for session in sessions]
        )

    def text(self, text: str) -> str:
        """Returns a printable text with paths cut to their last part, and without hosts.

        Example:
            >>> Scrubber().text("lstm-study run study/imdb.toml --data /home/anna/imdb.npz")
            'lstm-study run study/imdb.toml --data imdb.npz'
        """
        for name, number in self._machines.items():
            text = text.replace(name, number)
        return printable(without_folders(_ADDRESS.sub(r"\1HOST:PORT", text)))

    def record(self, record: T) -> T:
        """Returns a record or state with its private fields scrubbed."""
        private = BY_TYPE[type(record)].private
        changed = {name: self._field(name, getattr(record, name)) for name in private}
        return replace(record, **changed)  # type: ignore[type-var]

    def value(self, value: Any) -> Any:
        """Returns a value with every string in it scrubbed."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return type(value)(map(self.value, value))
        if isinstance(value, Mapping):
            return {key: self._field(key, item) for key, item in value.items()}
        if is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in fields(value)]
            return replace(
                value, **{name: self._field(name, getattr(value, name)) for name in names}
            )
        return value

    def _field(self, name: str, value: Any) -> Any:
        if name in _PATHS and isinstance(value, str):
            return last_part(value)
        if name in _PATHS and isinstance(value, list | tuple):
            return type(value)(map(last_part, value))
        return self.value(value)


def without_folders(text: str) -> str:
    """Shortens every path in a text that is absolute or leads out of the current folder.

    Example:
        >>> without_folders("lstm-study run study/imdb.toml --data /home/ann/imdb.npz")
        'lstm-study run study/imdb.toml --data imdb.npz'
        >>> without_folders("lstm-study run study.toml --data ../../ann/imdb.npz")
        'lstm-study run study.toml --data imdb.npz'
        >>> without_folders('File "/opt/venv/lib/python3.11/site-packages/keras/a.py", line 3')
        'File "keras/a.py", line 3'
    """
    text = _QUOTED.sub(lambda found: f"{found[1]}{last_part(found[0][1:-1])}{found[1]}", text)
    return _BARE.sub(lambda found: last_part(found[0]), text)


def last_part(path: str) -> str:
    """Returns the part of a path that names no machine: one from here down whole, else its end."""
    if not re.match(_ROOT, path):
        return path
    parts = path.replace("\\", "/")
    for folder in _AFTER:
        if folder in parts:
            return parts.rpartition(folder)[2]
    if _LIBRARY.match(parts):
        return _LIBRARY.sub("", parts)
    return parts.rstrip("/").rpartition("/")[2]


def neutral(records: StudyRecords) -> StudyRecords:
    """Returns a study's records with nothing in them that names its machines or their folders.

    The records on disk stay as they are.
    """
    scrubber = Scrubber.of(records.trials, records.runs, records.sessions)
    return replace(
        records,
        spec_text=scrubber.text(records.spec_text),
        spec=scrubber.value(records.spec),
        deviations=scrubber.value(records.deviations),
        settings=scrubber.value(records.settings),
        title=printable(records.title),
        corpus=_printable_labels(scrubber.record(records.corpus)) if records.corpus else None,
        trials=tuple(map(scrubber.record, records.trials)),
        runs=tuple(map(scrubber.record, records.runs)),
        control=scrubber.record(records.control) if records.control is not None else None,
        sessions=tuple(map(scrubber.record, records.sessions)),
        openings=tuple(map(scrubber.record, records.openings)),
        review_facts=_printable_excerpts(records.review_facts) if records.review_facts else None,
    )


def _printable_labels(corpus: CorpusSummary) -> CorpusSummary:
    negative, positive = corpus.labels
    return replace(corpus, labels=(printable(negative), printable(positive)))


def _printable_excerpts(facts: ReviewFacts) -> ReviewFacts:
    excerpts = (replace(each, text=printable(each.text)) for each in facts.excerpts)
    return replace(facts, excerpts=tuple(excerpts))


def cleaner(records: StudyRecords) -> Callable[[str], str]:
    """Returns the function that scrubs a text of a study; see `Scrubber.text`."""
    return Scrubber.of(records.trials, records.runs, records.sessions).text
