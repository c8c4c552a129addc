"""The tables `[space]` and `[baseline]`, made from the table of hyperparameters."""

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, create_model, model_validator

from lstm_study.configuration import (
    HYPERPARAMETERS,
    STUDYS_OWN,
    Configuration,
    Hyperparameter,
)
from lstm_study.spec.errors import broken, shown

MOST_VALUES = 10_000
_MOST_CHOICES = 1_000
_OF_ADAM = "summed_gradients"
_TEXTS = ("vocabulary_size", "maxlen")


class SpecTable(BaseModel):
    """A table of a study file: known keys alone, no conversions, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Range(SpecTable):
    """A numeric range, both ends included; `sampling = "log"` is uniform in the logarithm."""

    min: float = Field(allow_inf_nan=False)
    max: float = Field(allow_inf_nan=False)
    step: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    sampling: Literal["linear", "log"] = "linear"
    when: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        ends = f"min = {self.min:g}, max = {self.max:g}"
        if self.min >= self.max:
            raise broken("needs min < max", ends)
        if self.sampling == "log" and self.min <= 0:
            raise broken("with log sampling needs min > 0", ends)
        if self.step is None:
            return self
        if self.sampling == "log" and self.step <= 1:
            raise broken(
                "with log sampling needs step > 1, since values are multiplied by it",
                f"step = {self.step:g}",
            )
        if self.value_count(whole=False) > MOST_VALUES:
            raise broken(
                f"must have {MOST_VALUES:,} values at most", f"{ends}, step = {self.step:g}"
            )
        return self

    def value_count(self, *, whole: bool) -> float:
        """Returns how many values the range has; infinity where it is continuous.

        Args:
            whole: Whether values are whole numbers; their linear step is 1 unless given.
        """
        if self.sampling == "log":
            if self.step is None:
                return math.inf
            return math.floor(math.log(self.max / self.min, self.step) + 1e-9) + 1
        step = self.step or (1 if whole else None)
        if step is None:
            return math.inf
        count = (self.max - self.min) / step
        return math.floor(count + 1e-9) + 1 if math.isfinite(count) else math.inf


class Choices(SpecTable):
    """A list of values, each as likely as the others.

    `when` makes a range or a list conditional. With `when = { pooling = ["max", "all"] }` it is
    searched where `pooling` has one of those values, and at the documented value elsewhere.
    """

    choices: list[Any] = Field(min_length=1, max_length=_MOST_CHOICES)
    when: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _are_different(self) -> Self:
        if len(set(map(str, self.choices))) != len(self.choices):
            raise broken("needs distinct choices", shown(self.choices))
        return self


class Fixed(SpecTable):
    """One value, not searched; None where `[protocol]` gives it."""

    value: Any

    @property
    def when(self) -> None:
        """A fixed value has no condition."""
        return


def _as_dimension(value: Any) -> Range | Choices | Fixed:
    if isinstance(value, Range | Choices | Fixed):
        return value
    if isinstance(value, bool | int | float | str):
        return Fixed(value=value)
    if isinstance(value, Mapping):
        for kind, keys in ((Choices, {"choices"}), (Range, {"min", "max"}), (Fixed, {"value"})):
            if keys & value.keys():
                return kind.model_validate(value)
    raise broken("must be {min = , max = }, {choices = [...]}, or a value", shown(value))


Dimension = Annotated[Any, PlainValidator(_as_dimension)]


class Declared(SpecTable):
    """One hyperparameter that a builder declares.

    `dimension` is what is searched. Its `when` says for which values of other hyperparameters the
    builder asks for it (all conditions must hold); elsewhere it has its default.
    """

    kind: Literal["integer", "number", "switch", "choice"]
    default: int | float | str | bool
    dimension: Dimension

    def row(self, name: str) -> Hyperparameter:
        """Returns its row of the table of hyperparameters."""
        known = HYPERPARAMETERS[name] if name in STUDYS_OWN else None
        return Hyperparameter(
            name=name,
            kind=self.kind,
            documented=self.default,
            part="network",
            meaning=known.meaning if known else "Declared by the builder",
            short=known.short if known else name,
            unit=known.unit if known else "",
            low=-float("inf"),
            high=float("inf"),
            choices=tuple(map(str, self.values())) if self.kind == "choice" else (),
        )

    def values(self) -> list[Any]:
        """Returns the values of a choice or a fixed value; empty for a range."""
        if isinstance(self.dimension, Range):
            return []
        if isinstance(self.dimension, Choices):
            return list(self.dimension.choices)
        assert isinstance(self.dimension, Fixed)
        return [self.dimension.value]


def _space_field(row: Hyperparameter) -> tuple[Any, Any]:
    return (Dimension, ...) if row.is_required else (Dimension, Fixed(value=row.documented))


def _baseline_field(row: Hyperparameter) -> tuple[Any, Any]:
    if row.kind == "choice":
        return Literal[row.choices], row.documented
    if row.kind == "switch":
        return bool, row.documented
    kind = int if row.kind == "integer" else float
    limits = Field(default=row.documented, ge=row.low, le=row.high, allow_inf_nan=False)
    return (kind if row.documented is not None else kind | None), limits


def _table(name: str, field_of: Callable[[Hyperparameter], tuple[Any, Any]]) -> type[SpecTable]:
    rows: dict[str, Any] = {row.name: field_of(row) for row in HYPERPARAMETERS.values()}
    return create_model(name, __base__=SpecTable, **rows)


_Space: Any = _table("_Space", _space_field)
_Baseline: Any = _table("_Baseline", _baseline_field)


class SpaceTable(_Space):  # type: ignore[misc]  # its keys are the table of hyperparameters
    """`[space]`: each hyperparameter as a range, a list of choices, or a fixed value.

    With a custom builder it holds what that declares, from `[model]`.
    """

    declared: dict[str, Declared] | None = None

    @model_validator(mode="before")
    @classmethod
    def _open_studies_sum_gradients(cls, values: Any) -> Any:
        """Where more than the documented hyperparameters is opened, Adam is the corrected one."""
        if isinstance(values, Mapping) and values.get("declared") is not None:
            documented = {n: r.documented for n, r in HYPERPARAMETERS.items() if r.is_required}
            return {**documented, **values}
        if isinstance(values, Mapping) and _OF_ADAM not in values and opened_in(values):
            return {**values, _OF_ADAM: True}
        return values

    @model_validator(mode="after")
    def _values_are_possible(self) -> Self:
        if self.declared is not None:
            return self  # checked when the builder was asked
        dimensions = self.dimensions()
        for name, dimension in dimensions.items():
            _check(HYPERPARAMETERS[name], dimension)
            if dimension.when is not None:
                _check_condition(name, dimension.when, dimensions)
        return self

    @property
    def rows(self) -> Mapping[str, Hyperparameter]:
        """The table of the study's hyperparameters: the project's, or what a builder declares."""
        if self.declared is None:
            return HYPERPARAMETERS
        return {name: HYPERPARAMETERS[name] for name in _TEXTS} | {
            name: each.row(name) for name, each in self.declared.items()
        }

    def dimensions(self) -> dict[str, Range | Choices | Fixed]:
        """Returns every hyperparameter's dimension by name, in the order of the table."""
        if self.declared is None:
            return {name: getattr(self, name) for name in HYPERPARAMETERS}
        return {name: getattr(self, name) for name in _TEXTS} | {
            name: each.dimension for name, each in self.declared.items()
        }

    def opened(self) -> list[str]:
        """Returns the names beyond the core that are searched or not at the documented value."""
        return opened_in(dict(self)) if self.declared is None else list(self.declared)

    def conditions(self, name: str) -> list[tuple[str, list[Any]]]:
        """Returns the hyperparameters and those of their values on which one depends, if on any."""
        when = self.dimensions()[name].when or {}
        return [
            (parent, [self.rows[parent].typed(value) for value in _listed(values)])
            for parent, values in when.items()
        ]

    def configuration(self, values: Mapping[str, Any]) -> Configuration:
        """Builds a configuration from values by name; others are at their documented value."""
        if self.declared is None:
            return Configuration.from_dict(values)
        found = {
            name: row.typed(values.get(name, row.documented))
            for name, row in self.rows.items()
            if name in self.declared
        }
        return own_configuration(found)

    def searched(self) -> list[str]:
        """Returns the names of the hyperparameters that the search varies."""
        return [
            name
            for name, dimension in self.dimensions().items()
            if isinstance(dimension, Range)
            or (isinstance(dimension, Choices) and len(dimension.choices) > 1)
        ]


class BaselineTable(_Baseline):  # type: ignore[misc]  # as above
    """`[baseline]`: what the winner is compared with; 128/100 unless changed.

    `epochs` are those of its retraining, where they differ from the protocol's. `own` are the
    values of what a custom builder declares, which a study file gives as keys of the table.
    """

    epochs: int | None = Field(default=None, ge=1, le=10_000)
    own: dict[str, Any] | None = None

    @property
    def configuration(self) -> Configuration:
        """The baseline as a configuration."""
        if self.own is None:
            return Configuration.from_dict(self.model_dump())
        return own_configuration({name: getattr(self, name) for name in STUDYS_OWN} | self.own)


def own_configuration(values: Mapping[str, Any]) -> Configuration:
    """Returns the configuration of a custom builder with these values, by name."""
    fields = {name: values[name] for name in STUDYS_OWN if name in values}
    own = tuple((name, value) for name, value in values.items() if name not in STUDYS_OWN)
    return Configuration(own=own, **fields)


def opened_in(space: Mapping[str, Any]) -> list[str]:
    """Returns the names that a `[space]`, validated or not, opens beyond the core."""
    return [
        row.name
        for row in HYPERPARAMETERS.values()
        if not row.is_core and row.name in space and _plain(space[row.name]) != row.documented
    ]


def _plain(value: Any) -> Any:
    """Returns what a fixed value is fixed at, and other dimensions as they are."""
    if isinstance(value, Fixed):
        return value.value
    if isinstance(value, Mapping) and value.keys() == {"value"}:
        return value["value"]
    return value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _check_condition(name: str, when: Mapping[str, Any], dimensions: Mapping[str, Any]) -> None:
    """Raises an error where a dimension's condition is not one on values of another's."""
    if len(when) != 1:
        raise broken("must name one hyperparameter", shown(dict(when)), key=f"{name}.when")
    ((parent, values),) = when.items()
    key = f"{name}.when.{parent}"
    other = dimensions.get(parent)
    if not isinstance(other, Choices) or other.when is not None or parent == name:
        raise broken(
            "must be another hyperparameter with choices and without a condition",
            shown(values),
            key=key,
        )
    if not _listed(values) or any(value not in other.choices for value in _listed(values)):
        raise broken(f"must be among the choices {shown(other.choices)}", shown(values), key=key)


def _check(row: Hyperparameter, dimension: Range | Choices | Fixed) -> None:
    """Raises an error where a dimension holds what its hyperparameter can't be."""
    if isinstance(dimension, Range):
        values: list[Any] = [dimension.min, dimension.max]
    else:
        values = dimension.choices if isinstance(dimension, Choices) else [dimension.value]
        if values == [None] and row.documented is None:
            return
    received = ", ".join(f"{v:g}" if isinstance(v, float) else shown(v) for v in values[:10])
    if not row.is_numeric:
        known = (True, False) if row.kind == "switch" else row.choices
        rule = "true or false" if row.kind == "switch" else ", ".join(map(repr, known))
        if isinstance(dimension, Range) or any(
            not isinstance(value, type(known[0])) or value not in known for value in values
        ):
            raise broken(f"must hold {rule}", received, key=row.name)
        return
    if not all(map(_is_number, values)):
        raise broken("must hold numbers", received, key=row.name)
    if any(not row.low <= value <= row.high for value in values):
        raise broken(f"must hold values in [{row.low:g}, {row.high:g}]", received, key=row.name)
    if row.kind != "integer":
        return
    whole = [*values, getattr(dimension, "step", None) or 1]
    if any(value != int(value) for value in whole):
        received = ", ".join(f"{value:g}" for value in whole)
        raise broken("must hold whole numbers", received, key=row.name)
    if (
        isinstance(dimension, Range)
        and dimension.sampling == "linear"
        and dimension.value_count(whole=True) > MOST_VALUES
    ):
        raise broken(
            f'must have {MOST_VALUES:,} values at most: give a step, or sampling = "log"',
            received,
            key=row.name,
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
