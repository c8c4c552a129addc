"""`[data]` of a study file: where the reviews come from, and how they are split."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from lstm_study.spec.dimensions import SpecTable
from lstm_study.spec.errors import broken, shown
from lstm_study.spec.sources import SOURCES, TokenRule, sources_where

_MOST_REVIEWS = 1_000_000_000
_OWN_FILES = ("test_path", "columns", "positive", "negative", "drop_empty")


def _as_paths(value: Any) -> Any:
    is_list = isinstance(value, list) and value and all(isinstance(each, str) for each in value)
    if value is None or isinstance(value, str) or is_list:
        return value
    raise broken("must be a path, or a list of paths", shown(value))


def _as_labels(value: Any) -> Any:
    """Turns a single label into a list, and numbers into strings as they are written."""
    values = value if isinstance(value, list) else [value]
    if value is None:
        return None
    if not values or not all(isinstance(each, str | int | float) for each in values):
        raise broken("must be a label, or a list of labels", shown(value))
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in values]


def _as_names(value: Any) -> Any:
    """Checks the names of all columns; the name of a column that is left out is empty."""
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise broken("must be a list of the columns' names", shown(value))
    names = [each.strip() for each in value]
    named = [name for name in names if name]
    if not named:
        raise broken("must name a column", shown(value))
    if len(set(named)) < len(named):
        raise broken("must name each column once", shown(value))
    return names


Paths = Annotated[str | list[str] | None, BeforeValidator(_as_paths)]
LabelList = Annotated[list[str] | None, BeforeValidator(_as_labels)]
ColumnNames = Annotated[list[str] | None, BeforeValidator(_as_names)]


class DataTable(SpecTable):
    """`[data]`: where the reviews come from, and how they are split.

    `test_fraction` is the share to hold out where nothing else gives the test half: neither the
    source, nor `test_path`, nor a split in the files. `columns` names the columns of CSV files that
    do not begin with their names. Of three or more labels `positive` and
    `negative` say which belong to a side; rows with others are left out.
    """

    source: Literal[tuple(SOURCES)]  # type: ignore[valid-type]
    path: Paths = None
    test_path: Paths = None
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    validation_fraction: float = Field(default=0.2, gt=0.0, lt=1.0)
    test_fraction: float | None = Field(default=None, gt=0.0, lt=1.0)
    columns: ColumnNames = None
    text_column: str = "text"
    label_column: str = "label"
    split_column: str | None = None
    group_column: str | None = None
    positive_label: str | None = None
    positive: LabelList = None
    negative: LabelList = None
    encoding: str | None = None
    tokens: Literal["words", "characters"] | None = None
    drop_empty: bool = False
    train_limit: int | None = Field(default=None, ge=10, le=_MOST_REVIEWS)
    test_limit: int | None = Field(default=None, ge=10, le=_MOST_REVIEWS)

    @model_validator(mode="after")
    def _fits_source(self) -> Self:
        row = SOURCES[self.source]
        if isinstance(self.path, list) and not row.is_own:
            raise broken("must be one path", shown(self.path), key="path")
        for key in _OWN_FILES:
            value = getattr(self, key)
            if value and not row.is_own:
                raise broken(
                    f"only applies to data.source {sources_where(is_own=True)}",
                    repr(value),
                    key=key,
                )
        if self.test_fraction is not None and row.has_test:
            raise broken(
                "only applies to sources without a test half of their own "
                f"({sources_where(has_test=False)})",
                repr(self.test_fraction),
                key="test_fraction",
            )
        if self.group_column is not None and not row.is_own and self.group_column != row.groups:
            rule = f'must be "{row.groups}"' if row.groups else "must not be set"
            raise broken(
                f'{rule} for data.source "{self.source}"', repr(self.group_column),
                key="group_column",
            )  # fmt: skip
        if self.tokens is not None and not row.has_texts:
            raise broken("only applies to sources that hold texts", repr(self.tokens), key="tokens")
        return self

    @property
    def paths(self) -> tuple[str, ...]:
        """`path` as a tuple; empty without one."""
        return _tuple(self.path)

    @property
    def test_paths(self) -> tuple[str, ...]:
        """`test_path` as a tuple; empty without one."""
        return _tuple(self.test_path)

    def sides(self, names: tuple[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Returns the labels that are negative and those that are positive.

        Args:
            names: Of the two sides: "negative" and "positive" where several labels are taken
                together, else the label itself.
        """
        low, high = (
            tuple(given) if given is not None and len(given) > 1 and name == side else (name,)
            for side, given, name in zip(
                ("negative", "positive"), (self.negative, self.positive), names, strict=True
            )
        )
        return low, high

    @property
    def token_rule(self) -> TokenRule:
        """How texts are split into tokens."""
        return "characters" if self.tokens == "characters" else SOURCES[self.source].rule


def _tuple(value: str | list[str] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)
