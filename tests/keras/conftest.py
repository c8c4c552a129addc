"""Tests that import Keras: the process is prepared for training as a worker is."""

import os

import pytest

from lstm_study.training.runtime import Runtime, configure
from tests.support.on_jax import ON_JAX, QUICKLY


@pytest.fixture(scope="session", autouse=True)
def runtime() -> Runtime:
    """Prepares this process once, before any test imports Keras.

    XLA compiles quickly here; with its usual optimization it does in the tests of whole studies,
    and where JAX may use a GPU: kernels are tested on a card as they train on it.
    """
    if not ON_JAX or os.environ.get("JAX_PLATFORMS") == "cpu":
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {QUICKLY}".strip()
    return configure(threads=1)
