"""Small made-up reviews and specs that train in a second."""

import numpy as np

from lstm_study.corpus.types import Split
from lstm_study.spec import StudySpec, parse_spec

SPEC = """
[study]
name = "tiny"
seed = 3
[data]
source = "reviews"
train_limit = 400
test_limit = 100
[space]
vocabulary_size = { choices = [50, 100] }
maxlen = { choices = [6, 8] }
embedding_dim = { choices = [4, 6] }
lstm_units = { choices = [4, 6] }
dropout = { min = 0.0, max = 0.4, step = 0.1 }
recurrent_dropout = { min = 0.0, max = 0.4, step = 0.1 }
[search]
max_epochs = 3
rerank = 0
[protocol]
epochs = 2
batch_size = 16
[baseline]
vocabulary_size = 100
maxlen = 8
embedding_dim = 6
lstm_units = 6
[compare]
seeds = 2
validation_seeds = 1
"""


def spec(*settings: str) -> StudySpec:
    """The tiny study's spec, with one-off settings."""
    return parse_spec(SPEC, where="tiny.toml", settings=settings)


def split(reviews: int = 60, *, name: str = "train", seed: int = 1, words: int = 100) -> Split:
    """Made-up reviews whose label depends on their words, so that there is something to learn."""
    random = np.random.default_rng(seed)
    lengths = random.integers(3, 14, reviews)
    labels = random.integers(0, 2, reviews).astype(np.int8)
    parts = [
        np.concatenate([[1], 4 + (random.integers(0, words - 6, length) // 2 * 2 + label)])
        for length, label in zip(lengths, labels, strict=True)
    ]
    return Split(
        name=name,
        token_ids=np.concatenate(parts).astype(np.int32),
        offsets=np.concatenate([[0], np.cumsum(lengths + 1)]).astype(np.int64),
        labels=labels,
        document_ids=np.arange(reviews),
    )
