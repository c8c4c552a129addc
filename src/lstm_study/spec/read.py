"""Reads a study file: TOML in, a validated `StudySpec` out."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lstm_study.errors import SpecError
from lstm_study.spec.errors import sentences, shown
from lstm_study.spec.tables import StudySpec

_MOST_BYTES = 1 << 20


def load_spec(path: Path, settings: Sequence[str] = ()) -> StudySpec:
    """Reads and validates a study file.

    Args:
        path: The TOML file.
        settings: One-off changes, each "table.key=value" with a TOML value; a value that is not
            TOML is taken as a string. One of `model.builder` sets the file's `[space]` and
            `[baseline]` aside, which are the LSTM's.

    Raises:
        SpecError: The file is missing or not TOML, or breaks rules; all of them are listed.
    """
    return parse_spec(read_text(path), where=str(path), settings=settings)


def packaged_studies() -> tuple[str, ...]:
    """Returns the names of the studies that come with the package."""
    return tuple(sorted(path.stem for path in _folder().iterdir() if path.suffix == ".toml"))


def find_study(study: str | Path) -> tuple[str, str]:
    """Finds a study file and returns its text, and what errors and commands call it.

    Args:
        study: A path; or the name of a study that comes with the package, also as
            "study/NAME.toml"; or "" for `./study.toml` and, where there is none, the quick start.

    Raises:
        SpecError: There is no such study, or it can't be read.
    """
    if not str(study):
        study = "study.toml" if Path("study.toml").is_file() else "study/quickstart.toml"
    path = Path(study)
    if path.is_file():
        return read_text(path), str(study)
    name, known = path.stem, packaged_studies()
    if name in known and str(study) in (name, f"study/{name}.toml"):
        return read_text(_folder() / f"{name}.toml"), name
    if path.exists():
        received = "a folder" if path.is_dir() else "a device or a pipe"
        raise SpecError(f"{study}: must be a file. Received: {received}. Give a TOML file.")
    raise SpecError(
        f"{study}: no such study file. Give the path of one, or the name of one that comes with "
        f"the package: {', '.join(known)}."
    )


def study_folder(study: str | Path) -> Path:
    """Returns the folder that a study's own paths start from: that of its file."""
    text = str(study)
    path = Path(study) if text else Path("study.toml")
    return path.resolve().parent if path.is_file() else _folder()


def _folder() -> Path:
    return Path(__file__).parents[1] / "studies"


def read_text(path: Path) -> str:
    """Returns a study file's text.

    Raises:
        SpecError: It is missing, too large, or not UTF-8.
    """
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise SpecError(
                f"{path}: must be a study file of 1 MB at most. Received: {size:,} bytes. "
                "Give reviews with --data."
            )
        return path.read_text(encoding="utf-8-sig")  # Windows' editors begin a file with a mark
    except FileNotFoundError:
        raise SpecError(
            f"{path}: no such study file. See study/ for examples, "
            "or run `lstm-study run` for the quick start."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: cannot be read ({error}). Give a TOML file.") from error


def parse_spec(text: str, *, where: str, settings: Sequence[str] = ()) -> StudySpec:
    """Validates the text of a study file; see `load_spec`.

    Args:
        text: TOML.
        where: What errors call the text: its path.
        settings: One-off changes, as in `load_spec`.
    """
    tables = _tables(text, where)
    if not _names_builder(tables) and any(each.startswith("model.builder") for each in settings):
        # The file's own are those of the LSTM.
        for name in ("space", "baseline"):
            tables.pop(name, None)
        if isinstance(tables.get("protocol"), dict):
            tables["protocol"].pop("masked", None)
    for setting in settings:
        _apply(tables, setting)
    model = tables.get("model")
    for key in model if isinstance(model, dict) else ():
        if key != "builder":  # the other keys are found out, and recorded
            raise SpecError(f"{where}: model.{key} is not a known key. Known: builder.")
    try:
        return StudySpec.model_validate(tables)
    except ValidationError as error:
        raise SpecError(sentences(error, where=where, model=StudySpec)) from None


def _names_builder(tables: dict[str, Any]) -> bool:
    model = tables.get("model")
    return isinstance(model, dict) and "builder" in model


def _tables(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise SpecError(
            f"{where}: is nested too deeply. A study file has tables of keys."
        ) from None
    except ValueError as error:  # TOMLDecodeError, and an integer of thousands of digits
        raise SpecError(f"{where}: is not valid TOML: {str(error).rstrip('.')}.") from error


def _apply(tables: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    names = key.strip().split(".")
    if not equals or len(names) < 2 or not all(names):
        raise SpecError(
            f"--set {setting}: must be TABLE.KEY=VALUE, for example "
            f"--set search.max_epochs=4. Received: {shown(setting)}."
        )
    try:
        value = tomllib.loads(f"value = {text.strip()}")["value"]
    except (ValueError, RecursionError):
        value = text.strip()
    table: Any = tables
    for name in names[:-1]:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise SpecError(f"--set {setting}: {key.rpartition('.')[0]} is not a table.")
    table[names[-1]] = value
