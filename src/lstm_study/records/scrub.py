"""Takes the machine out of what is handed on: folders of absolute paths, names of hosts.

A report and a model card leave the machine, and a command line, a traceback or a study file may
hold a home folder or a machine's name. An absolute path keeps its last part, or what follows the
folder of packages; relative paths stay as they are. Workers of other machines have numbers.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from types import MappingProxyType
from typing import Any, TypeVar

from lstm_study.records import Control, Failure, Run, StudyRecords, Trial

_ROOT = r"(?:file://)?(?:~[\w.-]*[\\/]|[A-Za-z]:[\\/]|/(?=[\w.~-]))"
_QUOTED = re.compile(rf"""(['"]){_ROOT}[^'"\n]*\1""")
_BARE = re.compile(rf"""(?<![\w.:/\\<~]){_ROOT}[^\s'"`<>|,;:()\[\]{{}}]*""")
_AFTER = ("/site-packages/", "/dist-packages/", "/src/")
_LIBRARY = re.compile(r".*/lib/python3\.\d+/(?!site-packages/|dist-packages/)")
_CREW = re.compile(r"^(.+-[0-9a-f]{4})-")
_ADDRESS = re.compile(r"(--(?:bind|chief)[= ])\S+")

Clean = Callable[[str], str]
TrainingT = TypeVar("TrainingT", Trial, Run, Control)


def without_folders(text: str) -> str:
    """Shortens every absolute path in a text.

    Example:
        >>> without_folders("lstm-study run study/imdb.toml --data /home/ann/imdb.npz")
        'lstm-study run study/imdb.toml --data imdb.npz'
        >>> without_folders('File "/opt/venv/lib/python3.11/site-packages/keras/a.py", line 3')
        'File "keras/a.py", line 3'
    """
    text = _QUOTED.sub(lambda found: f"{found[1]}{last_part(found[0][1:-1])}{found[1]}", text)
    return _BARE.sub(lambda found: last_part(found[0]), text)


def last_part(path: str) -> str:
    """Returns what names no machine of a path: all of a relative one, an absolute one's end."""
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
    clean = cleaner(records)
    corpus = records.corpus
    return replace(
        records,
        spec_text=clean(records.spec_text),
        spec=MappingProxyType({key: _deep(value, clean) for key, value in records.spec.items()}),
        deviations=tuple(map(clean, records.deviations)),
        settings=tuple(map(clean, records.settings)),
        corpus=replace(corpus, path=last_part(corpus.path)) if corpus is not None else None,
        trials=tuple(_training(trial, clean) for trial in records.trials),
        runs=tuple(_training(run, clean) for run in records.runs),
        control=_training(records.control, clean) if records.control is not None else None,
        sessions=tuple(
            replace(
                session,
                command=clean(session.command),
                stage=clean(session.stage),
                settings=tuple(map(clean, session.settings)),
            )
            for session in records.sessions
        ),
        openings=tuple(
            replace(opening, command=clean(opening.command)) for opening in records.openings
        ),
    )


def cleaner(records: StudyRecords) -> Clean:
    """Returns what takes the names of a study's machines, and their folders, out of a text."""
    names = _machines(records)

    def clean(text: str) -> str:
        for name, number in names.items():
            text = text.replace(name, number)
        return without_folders(_ADDRESS.sub(r"\1HOST:PORT", text))

    return clean


def _machines(records: StudyRecords) -> Mapping[str, str]:
    """Numbers the crews of other machines; their names hold their hosts'. See `search.join`."""
    workers = [trial.worker for trial in records.trials]
    workers += [run.worker for run in records.runs]
    workers += [session.stage.removeprefix("worker-") + "-" for session in records.sessions]
    crews = sorted({found[1] for worker in workers if (found := _CREW.match(worker))})
    return {name: f"machine-{number}" for name, number in zip(crews, count(2), strict=False)}


def _training(training: TrainingT, clean: Clean) -> TrainingT:
    return replace(
        training, worker=clean(training.worker), failure=_failure(training.failure, clean)
    )


def _failure(failure: Failure | None, clean: Clean) -> Failure | None:
    if failure is None:
        return None
    return replace(failure, message=clean(failure.message), traceback=clean(failure.traceback))


def _deep(value: Any, clean: Clean) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {key: _deep(item, clean) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_deep(item, clean) for item in value)
    return value
