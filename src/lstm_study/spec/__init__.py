"""A study file: TOML in, one frozen and validated `StudySpec` out."""

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from lstm_study.configuration import BASELINE, HYPERPARAMETERS, Configuration
from lstm_study.errors import SpecError
from lstm_study.spec.quantities import bytes_of, seconds_of
from lstm_study.spec.sources import SOURCES, TokenRule, sources_where

OBJECTIVES = {"validation_accuracy": "max", "validation_loss": "min"}

_LIMITS: dict[str, tuple[float, float]] = {
    "vocabulary_size": (4, 10_000_000),
    "maxlen": (1, 100_000),
    "embedding_dim": (1, 65_536),
    "lstm_units": (1, 65_536),
    "dropout": (0.0, 0.99),
    "recurrent_dropout": (0.0, 0.99),
    "lstm_layers": (1, 16),
}
_RATES = ("dropout", "recurrent_dropout")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class StudyTable(_Table):
    """`[study]`: what it is called, its one seed, and what the search maximises or minimises."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    title: str = ""
    seed: int = Field(ge=1, le=2**31 - 1)
    objective: Literal["validation_accuracy", "validation_loss"] = "validation_accuracy"

    @property
    def direction(self) -> Literal["max", "min"]:
        """ "max" or "min": which end of the objective is better."""
        return "max" if OBJECTIVES[self.objective] == "max" else "min"


class DataTable(_Table):
    """`[data]`: where the reviews come from, and how they are split.

    `test_fraction` is the share to hold out where nothing else gives the test half: neither the
    source, nor `test_path`, nor a split in the files.
    """

    source: Literal[tuple(SOURCES)]  # type: ignore[valid-type]
    path: str | list[str] | None = None
    test_path: str | list[str] | None = None
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    validation_fraction: float = Field(default=0.2, gt=0.0, lt=1.0)
    test_fraction: float | None = Field(default=None, gt=0.0, lt=1.0)
    text_column: str = "text"
    label_column: str = "label"
    split_column: str | None = None
    group_column: str | None = None
    positive_label: str | None = None
    positive: list[str | int | float] | None = None
    negative: list[str | int | float] | None = None
    encoding: str | None = None
    tokens: Literal["words", "characters"] | None = None
    drop_empty: bool = False
    train_limit: int | None = Field(default=None, ge=10)
    test_limit: int | None = Field(default=None, ge=10)

    @model_validator(mode="after")
    def _fits_source(self) -> Self:
        row = SOURCES[self.source]
        if row.needs_path and self.path is None:
            raise ValueError(
                f'is needed when data.source is "{self.source}" ({row.about})|path|None'
            )
        if self.test_path is not None and not row.is_own:
            raise ValueError(
                f"only fits data.source {sources_where(is_own=True)}|test_path|{self.test_path!r}"
            )
        if self.test_fraction is not None and row.has_test:
            raise ValueError(
                "only fits sources without a test half of their own "
                f"({sources_where(has_test=False)})|test_fraction|{self.test_fraction!r}"
            )
        self._fits_own_files()
        if self.group_column is not None and not row.is_own and self.group_column != row.groups:
            fitting = f'must be "{row.groups}"' if row.groups else "has no groups to name"
            raise ValueError(
                f'{fitting} for data.source "{self.source}"|group_column|{self.group_column!r}'
            )
        if self.tokens is not None and not row.has_texts:
            raise ValueError(f"only fits sources that hold texts|tokens|{self.tokens!r}")
        return self

    def _fits_own_files(self) -> None:
        for name in ("path", "test_path"):
            value = getattr(self, name)
            if value == [] or (isinstance(value, list) and not SOURCES[self.source].is_own):
                raise ValueError(f"must be one path|{name}|{value!r}")
        for name in ("positive", "negative", "drop_empty"):
            value = getattr(self, name)
            if value and not SOURCES[self.source].is_own:
                raise ValueError(
                    f"only fits data.source {sources_where(is_own=True)}|{name}|{value!r}"
                )

    @property
    def paths(self) -> tuple[str, ...]:
        """`path` as a tuple; empty without one."""
        return _paths(self.path)

    @property
    def test_paths(self) -> tuple[str, ...]:
        """`test_path` as a tuple; empty without one."""
        return _paths(self.test_path)

    @property
    def sides(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """`positive` and `negative` as texts."""
        return tuple(map(str, self.positive or ())), tuple(map(str, self.negative or ()))

    @property
    def token_rule(self) -> TokenRule:
        """How texts are split into tokens."""
        return "characters" if self.tokens == "characters" else SOURCES[self.source].rule


def _paths(value: str | list[str] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


class Range(_Table):
    """A numeric range with its ends included; `sampling = "log"` draws small values as often."""

    min: float
    max: float
    step: float | None = Field(default=None, gt=0)
    sampling: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.min >= self.max:
            raise ValueError(f"needs min < max||min = {self.min:g}, max = {self.max:g}")
        if self.sampling == "log" and self.min <= 0:
            raise ValueError(f"with log sampling needs min > 0||min = {self.min:g}")
        return self


class Choices(_Table):
    """A list of values, each as likely as the others."""

    choices: list[float] = Field(min_length=1)

    @model_validator(mode="after")
    def _are_different(self) -> Self:
        if len(set(self.choices)) != len(self.choices):
            raise ValueError(f"needs choices that differ||{self.choices}")
        return self


class Fixed(_Table):
    """One value, not searched."""

    value: float


def _as_dimension(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return Fixed(value=value)
    if isinstance(value, Mapping):
        if "choices" in value:
            return Choices(**value)
        if "min" in value or "max" in value:
            return Range(**value)
    return value


Dimension = Annotated[Range | Choices | Fixed, BeforeValidator(_as_dimension)]


class SpaceTable(_Table):
    """`[space]`: each hyperparameter as a range, a list of choices, or a fixed value."""

    vocabulary_size: Dimension
    maxlen: Dimension
    embedding_dim: Dimension
    lstm_units: Dimension
    dropout: Dimension
    recurrent_dropout: Dimension
    lstm_layers: Dimension = Fixed(value=1)

    @model_validator(mode="after")
    def _values_are_possible(self) -> Self:
        for name, dimension in self.dimensions().items():
            low, high = _LIMITS[name]
            values = _ends(dimension)
            if any(not low <= value <= high for value in values):
                raise ValueError(
                    f"must hold values in [{low:g}, {high:g}]|{name}|{_received(values)}"
                )
            whole = [*values, getattr(dimension, "step", None) or 1]
            if name not in _RATES and any(value != int(value) for value in whole):
                raise ValueError(f"must hold whole numbers|{name}|{_received(whole)}")
        return self

    def dimensions(self) -> dict[str, Range | Choices | Fixed]:
        """Returns the seven dimensions by hyperparameter name."""
        return {name: getattr(self, name) for name in HYPERPARAMETERS}

    def searched(self) -> list[str]:
        """Returns the names of the hyperparameters that the search varies."""
        return [
            name
            for name, dimension in self.dimensions().items()
            if isinstance(dimension, Range)
            or (isinstance(dimension, Choices) and len(dimension.choices) > 1)
        ]


class SearchTable(_Table):
    """`[search]`: how the space is searched, and with what budget."""

    tuner: Literal["hyperband", "random", "bayesian", "grid"] = "hyperband"
    max_epochs: int = Field(ge=2, le=10_000)
    factor: int = Field(default=3, ge=2, le=10)
    iterations: int = Field(default=1, ge=1, le=1_000)
    score: Literal["last_epoch", "best_epoch"] = "last_epoch"
    include_baseline: bool = False
    control: Literal["none", "random"] = "none"
    max_trials: int | None = Field(default=None, ge=1)
    time_limit: str | None = None
    disk_limit: str | None = None

    @model_validator(mode="after")
    def _has_a_budget(self) -> Self:
        if self.tuner in ("random", "bayesian") and self.max_trials is None:
            raise ValueError(f'is needed when search.tuner is "{self.tuner}"|max_trials|None')
        for name, read in (("time_limit", seconds_of), ("disk_limit", bytes_of)):
            value = getattr(self, name)
            if value is not None:
                try:
                    read(value)
                except ValueError as error:
                    raise ValueError(f"{error}|{name}|{value!r}") from None
        return self

    @property
    def time_limit_seconds(self) -> int | None:
        """The time limit in seconds of work; None without one."""
        return None if self.time_limit is None else seconds_of(self.time_limit)

    @property
    def disk_limit_bytes(self) -> int | None:
        """The limit on the study's folder in bytes; None without one."""
        return None if self.disk_limit is None else bytes_of(self.disk_limit)


class ProtocolTable(_Table):
    """`[protocol]`: how every network is trained; `epochs` is the retraining's.

    With `masked` padding is masked, and reviews of similar length share a batch, which then costs
    no more than they do: see `corpus/buckets.py`. The arm `baseline` is never masked, as it is
    documented.
    """

    epochs: int = Field(default=10, ge=1, le=10_000)
    batch_size: int = Field(default=64, ge=1, le=65_536)
    optimizer: Literal["adam", "rmsprop", "sgd"] = "adam"
    learning_rate: float = Field(default=0.001, gt=0.0, le=10.0)
    masked: bool = True


class BaselineTable(_Table):
    """`[baseline]`: what the winner is compared with; 128/100 unless changed."""

    vocabulary_size: int = Field(default=BASELINE.vocabulary_size, ge=4)
    maxlen: int = Field(default=BASELINE.maxlen, ge=1)
    embedding_dim: int = Field(default=BASELINE.embedding_dim, ge=1)
    lstm_units: int = Field(default=BASELINE.lstm_units, ge=1)
    dropout: float = Field(default=BASELINE.dropout, ge=0.0, lt=1.0)
    recurrent_dropout: float = Field(default=BASELINE.recurrent_dropout, ge=0.0, lt=1.0)
    lstm_layers: int = Field(default=1, ge=1)

    @property
    def configuration(self) -> Configuration:
        """The baseline as a configuration."""
        return Configuration.from_dict(self.model_dump())


class CompareTable(_Table):
    """`[compare]`: which arms are retrained, and with how many seeds.

    `validation_seeds` trainings each of baseline and winner leave the validation reviews out: they
    choose the baseline's own epoch and show how far the search flattered its winner. With 0 there
    are no arms at their own epoch.
    """

    seeds: int = Field(default=14, ge=1, le=1_000)
    validation_seeds: int = Field(default=1, ge=0, le=1_000)
    runner_ups: int = Field(default=0, ge=0, le=100)
    control: bool = True
    ablation: bool = False

    @model_validator(mode="after")
    def _can_ablate(self) -> Self:
        if self.ablation and self.validation_seeds == 0:
            raise ValueError("needs compare.validation_seeds >= 1|ablation|true")
        return self


class ExportTable(_Table):
    """`[export]`: what leaves the study beside the winner's network and the reports' numbers.

    Excerpts are words of the test reviews that winner and baseline read most differently.
    """

    ensemble: bool = False
    excerpts: bool = True


class StudySpec(_Table):
    """A whole study file, validated. Field names are the file's own."""

    study: StudyTable
    data: DataTable
    space: SpaceTable
    search: SearchTable
    protocol: ProtocolTable = ProtocolTable()
    baseline: BaselineTable = BaselineTable()
    compare: CompareTable = CompareTable()
    export: ExportTable = ExportTable()

    def flat(self) -> dict[str, Any]:
        """Returns every setting as "table.key" → plain value; dimensions are small tables."""
        return {
            f"{table}.{key}": value
            for table, values in self.model_dump(mode="json").items()
            for key, value in values.items()
        }

    @property
    def deviations(self) -> list[str]:
        """How baseline and protocol differ from the documented ones, in words; empty if not.

        `protocol.masked` is no difference: the baseline is read unmasked whatever it says.
        """
        found = [
            f"baseline {name} {value:g} (documented: {documented:g})"
            for name, documented in BASELINE.as_dict().items()
            if (value := getattr(self.baseline, name)) != documented
        ]
        documented_protocol = ProtocolTable()
        found += [
            f"protocol {name} {value} (documented: {documented})"
            for name, documented in documented_protocol.model_dump(exclude={"masked"}).items()
            if (value := getattr(self.protocol, name)) != documented
        ]
        return found


def load_spec(path: Path, settings: Sequence[str] = ()) -> StudySpec:
    """Reads and validates a study file.

    Args:
        path: The TOML file.
        settings: One-off changes, each "table.key=value" with a TOML value; a value that is not
            TOML is taken as a string.

    Raises:
        SpecError: The file is missing or not TOML, or breaks rules; all of them are listed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SpecError(
            f"{path}: no such study file. See study/ for examples, "
            "or run `lstm-study run` for the quick start."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: cannot be read ({error}). Give a TOML file.") from error
    return parse_spec(text, where=str(path), settings=settings)


def parse_spec(text: str, *, where: str, settings: Sequence[str] = ()) -> StudySpec:
    """Validates the text of a study file; see `load_spec`.

    Args:
        text: TOML.
        where: What errors call the text: its path.
        settings: One-off changes, as in `load_spec`.
    """
    try:
        tables: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{where}: is not valid TOML: {error}.") from error
    for setting in settings:
        _apply(tables, setting)
    try:
        return StudySpec.model_validate(tables)
    except ValidationError as error:
        problems = [_sentence(details, where, tables) for details in error.errors()]
        raise SpecError("\n".join(dict.fromkeys(problems))) from None


def _apply(tables: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    names = key.strip().split(".")
    if not equals or len(names) < 2 or not all(names):
        raise SpecError(
            f"--set {setting}: must be TABLE.KEY=VALUE, for example "
            f"--set search.max_epochs=4. Received: {setting!r}."
        )
    try:
        value = tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    table: Any = tables
    for name in names[:-1]:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise SpecError(f"--set {setting}: {key.rpartition('.')[0]} is not a table.")
    table[names[-1]] = value


_RULES = {
    "int_type": "must be an integer",
    "int_from_float": "must be an integer",
    "float_type": "must be a number",
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "too_short": "must not be empty",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "finite_number": "must be a finite number",
}
_DIMENSION_TAGS = ("Range", "Choices", "Fixed", "function-")


def _sentence(details: ErrorDetails, where: str, tables: Mapping[str, Any]) -> str:
    """Turns one pydantic error into the house's: where · rule · received · next step."""
    parts = [str(part) for part in details["loc"]]
    parts = [part for part in parts if not part.startswith(_DIMENSION_TAGS)]
    kind, received = details["type"], details["input"]
    context = details.get("ctx", {})
    key = ".".join(parts)
    if kind == "missing":
        kind_of = "table" if len(parts) == 1 else "key"
        return f"{where}: {key} is missing. Add the {kind_of}; study/imdb.toml shows every one."
    if kind == "extra_forbidden":
        return f"{where}: {key} is not a known {_unknown(parts, tables)}"
    if kind == "value_error":
        rule, _, rest = str(context["error"]).partition("|")
        name, _, value = rest.partition("|")
        key = ".".join(part for part in (key, name) if part)
        return f"{where}: {key} {rule}. Received: {value}."
    if parts[:1] == ["space"] and kind in ("model_type", "model_attributes_type", "dataclass_type"):
        rule = "must be {min = , max = }, {choices = [...]}, or a number"
    elif kind == "string_pattern_mismatch" and key == "study.name":
        rule = "must be lower-case letters, digits and hyphens, 63 at most"
    elif kind == "string_pattern_mismatch":
        rule = "must be 64 hexadecimal digits in lower case"
    elif kind == "literal_error":
        rule = f"must be {context['expected']}"
    elif kind in ("greater_than_equal", "greater_than", "less_than_equal", "less_than"):
        rule = _bounds(parts)
    else:
        rule = _RULES.get(kind, details["msg"])
    hint = " For a quick check, use study/quickstart.toml." if key == "search.max_epochs" else ""
    if key == "study.seed":
        hint = " A seed of 0 would mean a random one to Keras Tuner."
    return f"{where}: {key} {rule}. Received: {received!r} ({type(received).__name__}).{hint}"


def _bounds(parts: Sequence[str]) -> str:
    """States the whole rule of a bounded number: its type and both of its ends."""
    model: Any = StudySpec
    field = None
    for part in parts:
        field = model.model_fields.get(part)
        if field is None:
            return "is out of range"
        model = field.annotation
    assert field is not None
    ends = {type(item).__name__: item for item in field.metadata}
    signs = [
        f"{sign} {getattr(ends[name], attribute):g}"
        for name, sign, attribute in (
            ("Ge", ">=", "ge"), ("Gt", ">", "gt"), ("Le", "<=", "le"), ("Lt", "<", "lt"),
        )
        if name in ends and getattr(ends[name], attribute) < 2**31 - 1
    ]  # fmt: skip
    kind = "an integer" if "int" in str(field.annotation) else "a number"
    return f"must be {kind} {' and '.join(signs)}"


def _unknown(parts: Sequence[str], tables: Mapping[str, Any]) -> str:
    if parts[0] == "space" and len(parts) > 2:
        known = [*Range.model_fields, *Choices.model_fields]
    elif len(parts) == 1:
        known = list(StudySpec.model_fields)
    else:
        table = StudySpec.model_fields[parts[0]].annotation
        known = list(getattr(table, "model_fields", {}))
    near = difflib.get_close_matches(parts[-1], known, n=1, cutoff=0.5)
    advice = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."
    return f"{'table' if len(parts) == 1 else 'key'}. {advice}"


def _ends(dimension: Range | Choices | Fixed) -> list[float]:
    if isinstance(dimension, Range):
        return [dimension.min, dimension.max]
    if isinstance(dimension, Choices):
        return list(dimension.choices)
    return [dimension.value]


def _received(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
