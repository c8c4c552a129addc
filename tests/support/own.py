"""A tiny study with a builder of its own: a convolution with hyperparameters of every kind."""

from lstm_study.spec import ModelTable, StudySpec, parse_spec
from tests.support.tiny import SPEC as _LSTM

BUILDER = '''"""A custom network."""

import keras
from keras import layers

WIDTH = 4


def build(hp):
    maxlen = hp.Fixed("maxlen", 8)
    tokens = keras.Input((maxlen,), dtype="int32")
    x = layers.Embedding(hp.Fixed("vocabulary_size", 100), WIDTH)(tokens)
    for layer in range(hp.Int("convolutions", 1, 2)):
        x = layers.Conv1D(hp.Choice(f"filters_{layer}", [4, 6]), 3, padding="same")(x)
    pooling = hp.Choice("pooling", ["max", "mean"])
    x = (layers.GlobalMaxPooling1D() if pooling == "max" else layers.GlobalAveragePooling1D())(x)
    with hp.conditional_scope("pooling", ["max"]):
        dropout = hp.Float("dropout", 0.0, 0.4, step=0.1)
    if dropout:
        x = layers.Dropout(dropout)(x)
    model = keras.Model(tokens, layers.Dense(1, activation="sigmoid")(x))
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    if hp.Boolean("compiled"):
        model.compile(optimizer=keras.optimizers.SGD(rate), loss="binary_crossentropy")
    return model
'''

BASELINE = """[baseline]
convolutions = 1
filters_0 = 4
pooling = "mean"
learning_rate = 0.01
compiled = false
"""

SPEC = (
    _LSTM[: _LSTM.index("[space]")].replace('name = "tiny"', 'name = "own"')
    + '[model]\nbuilder = "own.py:build"\n'
    + _LSTM[_LSTM.index("[search]") : _LSTM.index("[baseline]")]
    + BASELINE
    + _LSTM[_LSTM.index("[compare]") :]
)


def _declared(kind: str, default: object, *, when: object = None, **dimension: object) -> object:
    found = dimension | ({"when": when} if when else {})
    return {"kind": kind, "default": default, "dimension": found}


DECLARED = {
    "maxlen": _declared("integer", 8, value=8),
    "vocabulary_size": _declared("integer", 100, value=100),
    "convolutions": _declared("integer", 1, min=1, max=2, step=1),
    "filters_0": _declared("integer", 4, choices=[4, 6]),
    "pooling": _declared("choice", "max", choices=["max", "mean"]),
    "dropout": _declared("number", 0.0, min=0.0, max=0.4, step=0.1, when={"pooling": ["max"]}),
    "learning_rate": _declared("number", 0.001, min=0.001, max=0.1, sampling="log"),
    "compiled": _declared("switch", False, choices=[False, True]),
    "filters_1": _declared("integer", 4, choices=[4, 6], when={"convolutions": [2]}),
}
"""What the builder declares, in the order in which it is found."""


def spec(*settings: str) -> StudySpec:
    """The study's spec as its file has it: the builder is not asked yet."""
    return parse_spec(SPEC, where="own.toml", settings=settings)


def explored(*settings: str, **declared: object) -> StudySpec:
    """The study's spec once the builder was asked."""
    model = {
        "builder": "own.py:build",
        "source": BUILDER,
        "sha256": "0" * 64,
        "parameter_count": 700,
        "hyperparameters": DECLARED | declared,
    }
    tables = spec(*settings).model_dump(mode="json") | {"model": model}
    return StudySpec.model_validate(tables, strict=False)


def builder(source: str = BUILDER) -> ModelTable:
    """The builder, not asked yet."""
    return ModelTable(builder="own.py:build", source=source)
