"""A Keras Tuner hyperparameter study of an LSTM that classifies reviews.

>>> from lstm_study import Study
>>> study = Study.load("study/quickstart.toml")
>>> study.run()                                                             # doctest: +SKIP
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstm_study.commands.study import Study

    __version__: str

__all__ = ["Study", "__version__"]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    # Imported on first use: `lstm-study --help` needs none of what a study needs.
    if name == "Study":
        from lstm_study.commands.study import Study

        return Study
    if name == "__version__":
        from importlib.metadata import version

        return version("lstm-study")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
