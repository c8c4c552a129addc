"""Shape classes: which networks one compiled program can train at once.

A program's shape is the size of its arrays. Everything else is data to it: seeds, rates, learning
rate and its schedule, clipping, decay, order of reviews, budget, whether padding is masked; and of
the sizes a member's own vocabularies, maxlen, embedding width and units, as long as they are no
larger than the class's. A class whose program pools, has pairs, drops words or clips also trains
members that do not.
"""

from dataclasses import dataclass
from typing import Self

from lstm_study.configuration import Configuration
from lstm_study.spec import ProtocolTable

FEWEST_UNITS = 16
"""Triton's smallest matrix product; units are a power of two, and padded to one."""
READ_ROWS = 128
"""Reviews that a population reads at once, beside training."""

# The hyperparameters beyond the core that populations support. With any other one, a new row of the
# table included, a network trains alone.
_OPENED = frozenset({
    "bidirectional", "pooling", "embedding_dropout", "word_dropout", "output_dropout",
    "pair_vocabulary_size", "learning_rate", "learning_rate_schedule", "clip_norm", "weight_decay",
    "batch_size", "summed_gradients",
})  # fmt: skip
_FEATURES = 8
_ROWS = 16


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ShapeClass:
    """The sizes of a population's arrays.

    Attributes:
        vocabulary_size: Rows of the embedding.
        maxlen: Tokens of a review.
        embedding_dim: Columns of the embedding, a multiple of 8.
        lstm_units: Units of each layer, a power of two from 16 on.
        lstm_layers: Layers, one above the other.
        batch_size: Reviews of a batch; its rows are the next multiple of 16.
        directions: In how many each layer reads, 1 or 2.
        pair_rows: Rows of the pairs' embedding; 0 where no member has pairs.
        pools: Whether the outputs of every step are pooled; else the last one alone is used.
        drops_words: Whether any member has word dropout, which is drawn on the CPU.
        clips: Whether any member's gradient is clipped.
    """

    vocabulary_size: int
    maxlen: int
    embedding_dim: int
    lstm_units: int
    lstm_layers: int
    batch_size: int
    directions: int = 1
    pair_rows: int = 0
    pools: bool = False
    drops_words: bool = False
    clips: bool = False

    @classmethod
    def of(cls, configuration: Configuration, *, batch_size: int) -> Self:
        """Returns the smallest class that a configuration fits.

        Args:
            configuration: The hyperparameters.
            batch_size: Reviews of a batch where the configuration does not say it.

        Example:
            >>> ShapeClass.of(Configuration(), batch_size=64).lstm_units
            128
        """
        return cls(
            vocabulary_size=configuration.vocabulary_size,
            maxlen=configuration.maxlen,
            embedding_dim=-(-configuration.embedding_dim // _FEATURES) * _FEATURES,
            lstm_units=max(FEWEST_UNITS, 1 << (configuration.lstm_units - 1).bit_length()),
            lstm_layers=configuration.lstm_layers,
            batch_size=configuration.batch_size or batch_size,
            directions=configuration.directions,
            pair_rows=configuration.pair_rows,
            pools=configuration.pooling != "last",
            drops_words=configuration.word_dropout > 0,
            clips=configuration.clip_norm > 0,
        )

    def __str__(self) -> str:
        """In words: "128/128 ↔ pooled, 500 tokens of 50,000 words, batches of 64"."""
        layers = f"×{self.lstm_layers}" if self.lstm_layers > 1 else ""
        shape = " ↔" * (self.directions > 1) + " pooled" * self.pools
        pairs = f" and {self.pair_rows:,} pairs" if self.pair_rows else ""
        return (
            f"{self.embedding_dim}/{self.lstm_units}{layers}{shape}, {self.maxlen} tokens of "
            f"{self.vocabulary_size:,} words{pairs}, batches of {self.batch_size}"
        )

    @property
    def rows(self) -> int:
        """Rows of a batch's arrays."""
        return -(-self.batch_size // _ROWS) * _ROWS

    def holds(self, other: Self) -> bool:
        """Whether every network of another class fits this one."""
        return self.is_joinable(other) and self.joined(other) == self

    def is_joinable(self, other: Self) -> bool:
        """Whether one class can hold both: layers, directions and batches can't be padded."""
        return (self.lstm_layers, self.directions, self.batch_size) == (
            other.lstm_layers,
            other.directions,
            other.batch_size,
        )

    def joined(self, other: Self) -> Self:
        """Returns the smallest class that holds both."""
        return type(self)(
            vocabulary_size=max(self.vocabulary_size, other.vocabulary_size),
            maxlen=max(self.maxlen, other.maxlen),
            embedding_dim=max(self.embedding_dim, other.embedding_dim),
            lstm_units=max(self.lstm_units, other.lstm_units),
            lstm_layers=self.lstm_layers,
            batch_size=self.batch_size,
            directions=self.directions,
            pair_rows=max(self.pair_rows, other.pair_rows),
            pools=self.pools or other.pools,
            drops_words=self.drops_words or other.drops_words,
            clips=self.clips or other.clips,
        )

    @property
    def member_bytes(self) -> int:
        """Memory that a member needs, about: weights, moments, gradient; what a step keeps.

        Weights and moments are there twice while a checkpoint is fetched. A step keeps inputs,
        gates, their gradients, states and carries in single precision. Reading takes `READ_ROWS`
        at once, and keeps half as much for each.
        """
        weights = (self.vocabulary_size + self.pair_rows) * self.embedding_dim
        units = self.lstm_layers * self.directions * self.lstm_units
        # Pooled, a layer's outputs have a gradient at every step; pairs are rows of their own.
        layers = units * (16 if self.pools else 14)
        layers += self.embedding_dim * 8 * self.directions * (2 if self.pair_rows else 1)
        return 4 * (8 * weights + self.maxlen * max(self.rows, READ_ROWS // 2) * layers)


def why_alone(protocol: ProtocolTable, configuration: Configuration) -> str:
    """Says why a training can't be a member of a population; empty where it can."""
    if configuration.own is not None:
        return "a custom builder: populations train the LSTM"
    if protocol.optimizer != "adam":
        return f"optimizer {protocol.optimizer!r}: populations train with Adam"
    if others := set(configuration.opened()) - _OPENED:
        return f"{', '.join(sorted(others))}: populations do not know what that changes"
    return ""
