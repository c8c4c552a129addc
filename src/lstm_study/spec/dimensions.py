"""The dimensions of a space: ranges, choices and fixed values, and the rules that they keep."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, model_validator

from lstm_study.configuration import (
    HYPERPARAMETERS,
    STUDYS_OWN,
    Hyperparameter,
)
from lstm_study.spec.errors import broken, shown

MOST_VALUES = 10_000
_MOST_CHOICES = 1_000


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


def as_list(value: Any) -> list[Any]:
    """Returns a value in a list of its own; a list as it is."""
    return value if isinstance(value, list) else [value]


def check_condition(name: str, when: Mapping[str, Any], dimensions: Mapping[str, Any]) -> None:
    """Refuses a condition that is not on values of another hyperparameter."""
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
    if not as_list(values) or any(value not in other.choices for value in as_list(values)):
        raise broken(f"must be among the choices {shown(other.choices)}", shown(values), key=key)


def check_dimension(row: Hyperparameter, dimension: Range | Choices | Fixed) -> None:
    """Refuses a dimension with values that its hyperparameter can't have."""
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
