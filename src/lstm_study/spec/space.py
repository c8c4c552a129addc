"""The tables `[space]` and `[baseline]`, made from the table of hyperparameters."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, Self

from pydantic import Field, create_model, model_validator

from lstm_study.configuration import (
    HYPERPARAMETERS,
    STUDYS_OWN,
    Configuration,
    Hyperparameter,
)
from lstm_study.spec.dimensions import (
    Choices,
    Declared,
    Dimension,
    Fixed,
    Range,
    SpecTable,
    as_list,
    check_condition,
    check_dimension,
)


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
            check_dimension(HYPERPARAMETERS[name], dimension)
            if dimension.when is not None:
                check_condition(name, dimension.when, dimensions)
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
            (parent, [self.rows[parent].typed(value) for value in as_list(values)])
            for parent, values in when.items()
        ]

    def configuration(self, values: Mapping[str, Any]) -> Configuration:
        """Builds a configuration from values by name; others are at their documented value."""
        if self.declared is None:
            documented = {name: row.documented for name, row in self.rows.items()}
            return Configuration.from_dict(documented | dict(values))
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


_OF_ADAM = "summed_gradients"


_TEXTS = ("vocabulary_size", "maxlen")
