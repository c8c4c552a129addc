"""The hyperparameters of one network, as one frozen value."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Configuration:
    """What the study varies: six hyperparameters, and a seventh that is fixed at 1 unless opened.

    The defaults are the documented baseline, 128/100.

    Attributes:
        vocabulary_size: Token ids kept, the reserved 0, 1 and 2 included; others become 2.
        maxlen: Tokens per review; longer reviews lose their front, shorter ones are padded there.
        embedding_dim: Width of the word vectors.
        lstm_units: Width of each LSTM layer's state.
        dropout: Share of the LSTM's inputs dropped in training, in [0, 1).
        recurrent_dropout: Share of the LSTM's state dropped in training, in [0, 1).
        lstm_layers: LSTM layers, one above the other.
    """

    vocabulary_size: int = 50_000
    maxlen: int = 500
    embedding_dim: int = 128
    lstm_units: int = 100
    dropout: float = 0.2
    recurrent_dropout: float = 0.2
    lstm_layers: int = 1

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Builds a configuration from a mapping that holds every hyperparameter by name."""
        return cls(
            vocabulary_size=int(values["vocabulary_size"]),
            maxlen=int(values["maxlen"]),
            embedding_dim=int(values["embedding_dim"]),
            lstm_units=int(values["lstm_units"]),
            dropout=float(values["dropout"]),
            recurrent_dropout=float(values["recurrent_dropout"]),
            lstm_layers=int(values["lstm_layers"]),
        )

    def as_dict(self) -> dict[str, Any]:
        """Returns the hyperparameters by name, in the order of declaration."""
        return asdict(self)

    def with_values(self, **values: Any) -> Self:
        """Returns a copy with some hyperparameters changed."""
        return replace(self, **values)

    @property
    def label(self) -> str:
        """A short name: embedding width / LSTM units, as in "128/100"."""
        layers = f"×{self.lstm_layers}" if self.lstm_layers > 1 else ""
        return f"{self.embedding_dim}/{self.lstm_units}{layers}"

    @property
    def parameter_count(self) -> int:
        """Trainable numbers in the network.

        Worked by hand for the baseline: embedding 50,000·128 = 6,400,000; LSTM
        4·100·(128 + 100 + 1) = 91,600; output 100 + 1 = 101; together 6,491,701.
        """
        count = self.vocabulary_size * self.embedding_dim
        width = self.embedding_dim
        for _ in range(self.lstm_layers):
            count += 4 * self.lstm_units * (width + self.lstm_units + 1)
            width = self.lstm_units
        return count + self.lstm_units + 1


BASELINE = Configuration()

HYPERPARAMETERS = tuple(field.name for field in fields(Configuration))
