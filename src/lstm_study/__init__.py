"""A Keras Tuner hyperparameter study of an LSTM that classifies reviews.

>>> from lstm_study import Study
>>> study = Study.load("study/quickstart.toml")
>>> study.run()                                                             # doctest: +SKIP
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstm_study.commands.study import Study

__all__ = ["Study"]


def __getattr__(name: str) -> Any:
    # Imported on first use: `lstm-study --help` needs none of what a study needs.
    if name == "Study":
        from lstm_study.commands.study import Study

        return Study
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
