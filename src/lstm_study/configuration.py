"""The hyperparameters of a network and its training: one table, and one frozen value.

Everything that lists hyperparameters derives from `HYPERPARAMETERS`: the tables `[space]` and
`[baseline]` of a study file with their limits and errors, the space that Keras Tuner searches, the
columns of the report's tables, one-line descriptions, and the estimates of time and disk. A new one
is a field of `Configuration` with its row, its use in `model/network.py`, and a test.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, PlainSerializer

Value = int | float | str | bool
ValueKind = Literal["integer", "share", "number", "switch", "choice"]
Part = Literal["text", "network", "recipe"]
Grows = Literal["parameters", "work"]

_GATES = 4
_RESERVED = 3
_IN_A_LABEL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperparameter:
    """One row of the table.

    Attributes:
        name: As in study files, records and tables.
        kind: A whole number, a share in [0, 1) such as a dropout rate, any number, true or false,
            or one of some words.
        documented: The value of the documented network; None where `[protocol]` gives it.
        part: What it belongs to: the text that is read, the network, or the recipe of its training.
        meaning: One line for readers of a table.
        short: Its name in a line of text, as in "maxlen 500".
        unit: Of its values; "" for bare numbers and words.
        low: The least value, that value included.
        high: The greatest value, that value included.
        choices: The words of a choice.
        grows: What grows with it: the network's parameters, the work of an epoch.
        is_required: Whether every study file gives it; the others keep the documented value unless
            the file opens them.
        is_core: Whether every record and every table has it; the others only where it is opened.
    """

    name: str
    kind: ValueKind
    documented: Value | None
    part: Part
    meaning: str
    short: str
    unit: str = ""
    low: float = 0.0
    high: float = 0.0
    choices: tuple[str, ...] = ()
    grows: tuple[Grows, ...] = ()
    is_required: bool = False
    is_core: bool = False

    @property
    def is_numeric(self) -> bool:
        """Whether its values are numbers, which a range can hold."""
        return self.kind in ("integer", "share", "number")

    @property
    def form(self) -> str:
        """How a table writes its values: a key of the report's formats."""
        return {"integer": "count", "switch": "text", "choice": "text"}.get(self.kind, "plain")

    def typed(self, value: Any) -> Any:
        """Returns a value in the hyperparameter's type; None stays None.

        Numbers keep ten decimals: 3 * 0.1 is a rate of 0.3, not of 0.30000000000000004.
        """
        if value is None:
            return None
        if self.kind == "integer":
            return round(value)
        if self.kind == "switch":
            return bool(value)
        return str(value) if self.kind == "choice" else round(float(value), 10)

    def position(self, value: Any) -> float:
        """Returns where a value, or a table's cell of it, lies on an axis; an empty one at 0."""
        if value is None or value != value:  # noqa: PLR0124 - NaN, in a data frame
            return 0.0
        if self.kind == "choice":
            return float(self.choices.index(value))
        return float(value in (True, "yes") if self.kind == "switch" else value)

    @property
    def ticks(self) -> tuple[str, ...]:
        """What is written at the positions 0, 1, … of an axis; empty where they are numbers."""
        return ("no", "yes") if self.kind == "switch" else self.choices


def value_in_words(value: Any) -> str:
    """Writes a value for readers: "50,000", "0.2", "yes", "max"."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) or value is None:
        return value or "–"
    return f"{value:,}" if isinstance(value, int) and value >= 10_000 else f"{value:g}"


def _row(documented: Value | None, **row: Any) -> Any:
    """A field of `Configuration` with its row of the table."""
    return field(default=documented, metadata=row | {"documented": documented})


Own = Annotated[
    tuple[tuple[str, Value], ...] | None,
    BeforeValidator(lambda value: tuple(value.items()) if isinstance(value, Mapping) else value),
    # A function in Python would turn an interrupt into an error of pydantic's.
    PlainSerializer(dict, when_used="unless-none"),
]
"""The values that a custom builder declares, in its order; in JSON an object."""

STUDYS_OWN = ("vocabulary_size", "maxlen", "batch_size", "learning_rate")
"""Hyperparameters that the study itself reads, also where a custom builder declares them."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Configuration:
    """One value of every hyperparameter; the defaults are the documented baseline, 128/100.

    With a custom builder (`[model]` in a study file) `own` holds the hyperparameters that it
    declares, but for those of `STUDYS_OWN`, and the LSTM's fields have no meaning. What is inactive
    has its default, so that equal networks are equal configurations.
    """

    vocabulary_size: int = _row(
        50_000, kind="integer", part="text", low=4, high=10_000_000,
        is_required=True, is_core=True,
        meaning="Token ids kept, reserved ones included", short="vocabulary", unit="token ids",
        grows=("parameters", "work"),
    )  # fmt: skip
    maxlen: int = _row(
        500, kind="integer", part="text", low=1, high=100_000, is_required=True, is_core=True,
        meaning="Tokens per review, after cutting or padding at the start", short="maxlen",
        unit="tokens", grows=("work",),
    )  # fmt: skip
    embedding_dim: int = _row(
        128, kind="integer", part="network", low=1, high=8_192, is_required=True, is_core=True,
        meaning="Width of the word vectors", short="embedding", unit="numbers",
        grows=("parameters", "work"),
    )  # fmt: skip
    lstm_units: int = _row(
        100, kind="integer", part="network", low=1, high=8_192, is_required=True, is_core=True,
        meaning="Width of each LSTM layer's state", short="units", unit="numbers",
        grows=("parameters", "work"),
    )  # fmt: skip
    dropout: float = _row(
        0.2, kind="share", part="network", high=0.99, is_required=True, is_core=True,
        meaning="Share of the LSTM's inputs dropped in training", short="dropout", unit="share",
    )  # fmt: skip
    recurrent_dropout: float = _row(
        0.2, kind="share", part="network", high=0.99, is_required=True, is_core=True,
        meaning="Share of the LSTM's state dropped in training", short="recurrent dropout",
        unit="share",
    )  # fmt: skip
    lstm_layers: int = _row(
        1, kind="integer", part="network", low=1, high=16, is_core=True,
        meaning="Stacked LSTM layers", short="layers", unit="layers",
        grows=("parameters", "work"),
    )  # fmt: skip
    bidirectional: bool = _row(
        False, kind="switch", part="network", short="both directions",
        meaning="Whether each LSTM layer reads the review in both directions",
        grows=("parameters", "work"),
    )  # fmt: skip
    pooling: str = _row(
        "last", kind="choice", part="network", choices=("last", "mean", "max", "all"),
        meaning="How the outputs of the top LSTM become one: the last one, their mean or maximum "
        "over time, or all three", short="pooling", grows=("parameters",),
    )  # fmt: skip
    embedding_dropout: float = _row(
        0.0, kind="share", part="network", high=0.99, unit="share", short="embedding dropout",
        meaning="Share of the numbers of the word vectors dropped in training",
    )  # fmt: skip
    word_dropout: float = _row(
        0.0, kind="share", part="network", high=0.99, unit="share", short="word dropout",
        meaning="Share of the words that become out of vocabulary in training",
    )  # fmt: skip
    output_dropout: float = _row(
        0.0, kind="share", part="network", high=0.99, unit="share", short="output dropout",
        meaning="Share of what is pooled dropped in training before the output",
    )  # fmt: skip
    pair_vocabulary_size: int = _row(
        0, kind="integer", part="text", high=10_000_000, short="pairs", unit="pairs",
        meaning="Pairs of neighbouring words with embeddings of their own, the most frequent ones",
        grows=("parameters", "work"),
    )  # fmt: skip
    learning_rate: float | None = _row(
        None, kind="number", part="recipe", low=1e-7, high=10.0, short="learning rate",
        meaning="The optimizer's learning rate, before its schedule",
    )  # fmt: skip
    learning_rate_schedule: str = _row(
        "constant", kind="choice", part="recipe", choices=("constant", "linear"),
        short="schedule", meaning="Learning rate over the training: constant, or linear to zero",
    )  # fmt: skip
    clip_norm: float = _row(
        0.0, kind="number", part="recipe", high=1e6, short="clipped at",
        meaning="Largest norm of the gradient of all weights together; 0 for no clipping",
    )  # fmt: skip
    weight_decay: float = _row(
        0.0, kind="number", part="recipe", high=1.0, short="weight decay",
        meaning="Share of each weight taken off in a step, times the learning rate; 0 for none",
    )  # fmt: skip
    batch_size: int | None = _row(
        None, kind="integer", part="recipe", low=1, high=65_536, short="batches of",
        meaning="Reviews per training step", unit="reviews",
    )  # fmt: skip
    summed_gradients: bool = _row(
        False, kind="switch", part="recipe", short="summed gradients",
        meaning="Whether an embedding's gradient is summed over a batch before Adam squares it",
    )  # fmt: skip
    own: Own = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Builds a configuration from a mapping by name; what it lacks is at the documented value.

        Other keys, such as Keras Tuner's own "tuner/…", are ignored.

        Raises:
            KeyError: A core hyperparameter is missing.
        """
        names = (name for name, row in HYPERPARAMETERS.items() if row.is_core or name in values)
        return cls(**{name: HYPERPARAMETERS[name].typed(values[name]) for name in names})

    def as_dict(self) -> dict[str, Any]:
        """Returns the hyperparameters by name, in the order of the table.

        Of a custom builder: those it declares, after the vocabulary's size and maxlen.
        """
        if self.own is None:
            return {name: getattr(self, name) for name in HYPERPARAMETERS}
        values = {name: getattr(self, name) for name in STUDYS_OWN}
        return {k: v for k, v in values.items() if v is not None} | dict(self.own)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its hyperparameters: the table's, or the builder's."""
        return tuple(HYPERPARAMETERS) if self.own is None else tuple(self.as_dict())

    def value(self, name: str) -> Any:
        """Returns the value of a hyperparameter."""
        own = dict(self.own or ())
        return own[name] if name in own else getattr(self, name)

    def with_values(self, **values: Any) -> Self:
        """Returns a copy with some hyperparameters changed."""
        if self.own is None:
            return replace(self, **values)
        own = tuple((name, values.pop(name, value)) for name, value in self.own)
        return replace(self, own=own, **values)

    @property
    def label(self) -> str:
        """A short name: embedding width / LSTM units, as in "128/100", "128/64×2 ↔ max + pairs"."""
        if self.own is not None:
            words = [f"{name} {value_in_words(value)}" for name, value in self.own[:_IN_A_LABEL]]
            return ", ".join([*words, *["…"] * (len(self.own) > _IN_A_LABEL)]) or "as built"
        layers = f"×{self.lstm_layers}" if self.lstm_layers > 1 else ""
        parts = [f"{self.embedding_dim}/{self.lstm_units}{layers}"]
        parts += ["↔"] * self.bidirectional
        parts += [self.pooling] * (self.pooling != "last")
        parts += ["+ pairs"] * bool(self.pair_vocabulary_size)
        return " ".join(parts)

    @property
    def description(self) -> str:
        """One line: "vocabulary 50,000, maxlen 500, 128/100, dropout 0.2/0.2", and what is open."""
        text = f"vocabulary {self.vocabulary_size:,}, maxlen {self.maxlen}"
        if self.own is not None:
            values = {k: v for k, v in self.as_dict().items() if k not in STUDYS_OWN[:2]}
            return ", ".join(
                [text, *(f"{name} {value_in_words(value)}" for name, value in values.items())]
            )
        parts = [
            text,
            self.label,
            f"dropout {self.dropout:g}/{self.recurrent_dropout:g}",
        ]
        for name in self.opened():
            row, value = HYPERPARAMETERS[name], getattr(self, name)
            if name not in ("bidirectional", "pooling"):  # the label says them
                # Drawn on a logarithm, a rate has more digits than say anything.
                words = f"{value:.3g}" if isinstance(value, float) else value_in_words(value)
                parts.append(row.short if value is True else f"{row.short} {words}")
        return ", ".join(parts)

    def opened(self) -> tuple[str, ...]:
        """Returns the hyperparameters beyond the core that are not at the documented value."""
        return tuple(
            name
            for name, row in HYPERPARAMETERS.items()
            if not row.is_core and getattr(self, name) != row.documented
        )

    @property
    def directions(self) -> int:
        """In how many directions each LSTM layer reads."""
        return 2 if self.bidirectional else 1

    def lstm_shapes(self) -> Iterator[tuple[int, int]]:
        """Yields the inputs and units of every LSTM in the network, from the bottom up."""
        if self.own is not None:
            return
        inputs = self.embedding_dim
        for _ in range(self.lstm_layers):
            for _ in range(self.directions):
                yield inputs, self.lstm_units
            inputs = self.directions * self.lstm_units

    @property
    def pair_rows(self) -> int:
        """Rows of the pairs' embedding: 0 without pairs, else three reserved ids and the pairs."""
        return _RESERVED + self.pair_vocabulary_size if self.pair_vocabulary_size else 0

    @property
    def parameter_count(self) -> int:
        """Trainable numbers in the network.

        Worked by hand for the baseline: embedding 50,000·128 = 6,400,000; LSTM
        4·100·(128 + 100 + 1) = 91,600; output 100 + 1 = 101; together 6,491,701. What a custom
        builder makes is not known before it is built: 0.
        """
        if self.own is not None:
            return 0
        lstm = sum(_GATES * units * (inputs + units + 1) for inputs, units in self.lstm_shapes())
        embeddings = (self.vocabulary_size + self.pair_rows) * self.embedding_dim
        pooled = self.directions * self.lstm_units * (3 if self.pooling == "all" else 1)
        return embeddings + lstm + pooled + 1

    @property
    def products_per_token(self) -> int:
        """Multiply-adds of the LSTMs' matrix products for one token of one review, forward."""
        return sum(_GATES * units * (inputs + units) for inputs, units in self.lstm_shapes())


HYPERPARAMETERS: Mapping[str, Hyperparameter] = MappingProxyType(
    {
        each.name: Hyperparameter(name=each.name, **each.metadata)
        for each in fields(Configuration)
        if each.metadata
    }
)
"""The table: every hyperparameter's row by its name, in the order of `Configuration`."""

BASELINE = Configuration()
