"""The custom builder that a study file names: its file, what it declares, and its record.

Its file is run by a separate process (`model/exploration.py`), once, when the study begins. From
then on the study's records hold its text and what it declares.
"""

import ast
import hashlib
import inspect
import json
import math
import os
import subprocess
import sys
import textwrap
import types
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, get_origin

from pydantic import ValidationError

from lstm_study.errors import BuilderError, ChangedStudyError, SpecError
from lstm_study.files import open_log
from lstm_study.records.state import StudyState
from lstm_study.spec import ModelTable, StudySpec
from lstm_study.spec.errors import sentences
from lstm_study.store import Store

_MOST_SECONDS = 900
_MOST_BYTES = 1 << 20
_PLAIN = frozenset((bool, int, float, str, bytes, tuple, list, dict, set, frozenset, type(None)))


def recorded(spec: StudySpec, store: Store, *, where: str) -> StudySpec:
    """Returns a spec with what its builder declared when the study began, if it has begun.

    Args:
        spec: The study file's.
        store: The study's.
        where: What errors call the study file.

    Raises:
        SpecError: The baseline is not one of what was declared.
        RecordError: The record of the study's begin is damaged.
    """
    if spec.builder is None or spec.builder.is_explored:
        return spec
    # A running command has begun a study before its first trial.
    if not store.has_begun and not store.holder():
        return spec
    began = store.read_state(StudyState)
    model = began.spec.get("model") if began is not None else None
    if model is None or model["builder"] != spec.builder.builder:
        return spec
    return _with_model(spec, ModelTable.model_validate(model, strict=False), where=where)


def explored(
    spec: StudySpec, *, folder: Path, text: str | None, where: str, log_path: Path
) -> StudySpec:
    """Returns a spec with what its builder declares, running it unless the record holds that.

    Args:
        spec: The study's, as from `recorded`.
        folder: That paths in the study file start from.
        text: The builder's, where it comes from no file; else None.
        where: What errors call the study file.
        log_path: Receives what the builder prints.

    Raises:
        SpecError: There is no such file, or the baseline is not one of what the builder declares.
        ChangedStudyError: The file is not the one that the study began with.
        BuilderError: The builder fails, or its networks can't be trained here.
    """
    if spec.builder is None:
        return spec
    check_unchanged(spec, folder=folder, text=text, where=where)
    if spec.builder.is_explored:
        return spec
    source = text if text is not None else _read(folder / spec.builder.file, spec, where)
    model = spec.builder.model_copy(update={"source": source, "sha256": _sha256(source)})
    return _with_model(spec, _asked(model, spec, log_path), where=where)


def check_unchanged(spec: StudySpec, *, folder: Path, text: str | None, where: str) -> None:
    """Refuses a builder whose file is not the one that the study began with.

    Raises:
        SpecError: There is no such file.
        ChangedStudyError: It has changed.
    """
    model = spec.builder
    if model is None or not model.is_explored:
        return
    path = folder / model.file
    found = _sha256(text if text is not None else _read(path, spec, where))
    if found != model.sha256:
        raise ChangedStudyError(
            f"{path if text is None else model.file}: must be the file that the study was started "
            f"with (SHA-256 {model.sha256[:12]}…). Received: {found[:12]}…. Undo the change, give "
            "study.name a new name, or start over with --fresh."
        )


def builder_of(function: Callable[[Any], Any]) -> tuple[str, str]:
    """Returns where a function is, as `model.builder` has it, and the text of a file that holds it.

    A function of a module is in that module's file. One of a notebook or of the program that runs
    is written to a text of its own, with the functions, modules and plain values that it names.

    Raises:
        BuilderError: It is not such a function, or names something that can't be written down.
    """
    if not isinstance(function, types.FunctionType) or function.__qualname__ != function.__name__:
        raise BuilderError(
            "build must be defined at the top level of a module or notebook, as `def build(hp):`. "
            f"Received: {getattr(function, '__qualname__', type(function).__name__)}."
        )
    module = sys.modules.get(function.__module__)
    file = getattr(module, "__file__", None)
    if function.__module__ != "__main__" and file:
        return f"{Path(file).resolve()}:{function.__name__}", Path(file).read_text(encoding="utf-8")
    lines = "\n\n".join(dict.fromkeys(_definitions(function, set())))
    return f"{function.__name__}.py:{function.__name__}", lines + "\n"


def _definitions(function: types.FunctionType, seen: set[str]) -> Iterator[str]:
    """Yields the text of a function, after that of whatever it names."""
    seen.add(function.__name__)
    try:
        text = textwrap.dedent(inspect.getsource(function))
    except OSError as error:
        raise BuilderError(
            f"{function.__name__}: its source cannot be read ({error}). Put it into a .py file."
        ) from error
    for name in sorted({n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}):
        if name in seen or name not in function.__globals__:
            continue
        value = function.__globals__[name]
        if isinstance(value, types.FunctionType) and value.__module__ == "__main__":
            yield from _definitions(value, seen)
            continue
        seen.add(name)
        if isinstance(value, types.ModuleType):
            yield f"import {value.__name__} as {name}"
        elif (plain := _written(value)) is not None:
            yield f"{name} = {plain}"
        elif _is_imported(value):
            yield f"from {value.__module__} import {value.__name__} as {name}"
        else:
            raise BuilderError(
                f"{function.__name__}: names {name!r}, a {type(value).__name__} that can't be "
                "written to a separate file. Put both into a .py file, and import build from it."
            )
    yield text.rstrip()


def _written(value: Any) -> str | None:
    """Returns a plain value as Python text, the same in every process; None for any other value.

    A set's own text has its elements in an order that differs from process to process.

    Example:
        >>> _written(({"b", "a"}, float("inf"))), _written([object()])
        ("(set(['a', 'b']), float('inf'))", None)
    """
    if type(value) not in _PLAIN:
        return None
    if not isinstance(value, tuple | list | dict | set | frozenset):
        is_named = isinstance(value, float) and not math.isfinite(value)
        return f"float('{value}')" if is_named else repr(value)
    parts = [_written(each) for each in value]
    if isinstance(value, dict):
        values = map(_written, value.values())
        parts = [k and v and f"{k}: {v}" for k, v in zip(parts, values, strict=True)]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    if isinstance(value, set | frozenset):
        return f"{type(value).__name__}([{', '.join(sorted(known))}])"
    inner = ", ".join(known)
    if isinstance(value, tuple):
        return f"({inner},)" if len(known) == 1 else f"({inner})"
    return f"[{inner}]" if isinstance(value, list) else f"{{{inner}}}"


def _is_imported(value: Any) -> bool:
    """Returns whether a value is what its module calls by its name: a class or a function."""
    module = sys.modules.get(getattr(value, "__module__", None) or "__main__")
    found = getattr(module, getattr(value, "__name__", None) or "", None)
    # An alias such as list[int] stands in annotations alone, and list does there, too.
    is_it = found is not None and (found is value or found is get_origin(value))
    return is_it and value.__module__ != "__main__"


def _read(path: Path, spec: StudySpec, where: str) -> str:
    assert spec.builder is not None
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise SpecError(f"{path}: must be a Python file of 1 MB at most ({where}).")
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SpecError(
            f"{where}: model.builder must name a file, from the study file's folder. Received: "
            f"{spec.builder.builder!r}, and there is no {path}."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: cannot be read ({error}). Give a Python file.") from error


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _asked(model: ModelTable, spec: StudySpec, log_path: Path) -> ModelTable:
    """Runs the builder in a separate process, without a GPU, and returns what it declares."""
    baseline = dict(spec.baseline.own or {}) | {
        name: value
        for name, value in spec.baseline.configuration.as_dict().items()
        if name in spec.baseline.model_fields_set
    }
    given = {
        "model": model.model_dump(mode="json"),
        "protocol": spec.protocol.model_dump(mode="json"),
        "baseline": baseline,
    }
    try:
        result = subprocess.run(
            [sys.executable, "-P", "-m", "lstm_study.model.exploration"],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            timeout=_MOST_SECONDS,
            check=False,
            env=os.environ | {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"},
        )
    except subprocess.TimeoutExpired:
        raise BuilderError(
            f"{model.file}: {model.function} must build its networks within "
            f"{_MOST_SECONDS // 60} minutes. Build smaller ones, or read nothing large there."
        ) from None
    *printed, last = result.stdout.rstrip("\n").split("\n")
    with open_log(log_path) as log:
        log.write("\n".join([*printed, result.stderr]).encode())
    found = _answer_in(last)
    if not found.keys() & {"model", "error"}:
        why = (result.stderr.strip().splitlines() or [f"code {result.returncode}"])[-1]
        raise BuilderError(
            f"{model.file}: {model.function} must return, and its process ended before ({why}). "
            f"More is in {log_path}."
        )
    if "error" in found:
        raise BuilderError(found["error"])
    return ModelTable.model_validate(found["model"], strict=False)


def _answer_in(line: str) -> dict[str, Any]:
    """Reads a JSON object; empty for anything else, which the builder printed before it died."""
    with suppress(ValueError):
        found = json.loads(line)
        return found if isinstance(found, dict) else {}
    return {}


def _with_model(spec: StudySpec, model: ModelTable, *, where: str) -> StudySpec:
    tables = spec.model_dump(mode="json") | {"model": model.model_dump(mode="json")}
    try:
        return StudySpec.model_validate(tables, strict=False)
    except ValidationError as error:
        raise SpecError(sentences(error, where=where, model=StudySpec)) from None
