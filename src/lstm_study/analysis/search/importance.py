"""Which hyperparameters matter: PED-ANOVA over the configurations of the search.

Importance is the share of a hyperparameter in what sets the best quarter of the configurations
apart from all of them. It says nothing of the direction, nor of what a change would do.

Scores at different budgets do not compare, so every configuration is measured after the same
epochs. After the smallest budget all of them count; at the full budget only those that were
promoted there, which were chosen for doing well, or given it at once.

Source: S. Watanabe, A. Bansal and F. Hutter (2023), "PED-ANOVA: Efficiently Quantifying
    Hyperparameter Importance in Arbitrary Subspaces", IJCAI; `optuna.importance`.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lstm_study.analysis.search.summary import ScoreAtEpoch
from lstm_study.objectives import Direction
from lstm_study.seeds import derive
from lstm_study.spec import SpaceTable

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

BEST_SHARE = 0.25
LEVEL = 0.9
RESAMPLES = 50
FEWEST = 10
RELIABLE = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """How much one hyperparameter matters.

    Its fields are columns of `tables/importance.csv`. With fewer than `RELIABLE` configurations
    ranks change from draw to draw.
    """

    hyperparameter: str
    importance: float
    low: float
    high: float
    configurations: int
    reliable: bool


def importance(
    measured: Sequence[ScoreAtEpoch],
    space: SpaceTable,
    direction: Direction,
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> tuple[Importance, ...]:
    """Ranks the searched hyperparameters, the most important first.

    All configurations are measured after the same epochs. An interval holds 90% of the bootstrap
    resamples of the configurations, and not always the importance itself: then few configurations
    decide about it.

    Returns:
        Nothing where `why_none` says why.
    """
    import numpy as np

    names = space.searched()
    if why_none(measured, space):
        return ()
    evaluate = _evaluator(measured, space, direction)
    whole = evaluate(range(len(measured)))
    random = np.random.default_rng(derive(seed, "importance", len(measured)))
    drawn = [
        evaluate(random.integers(len(measured), size=len(measured)).tolist())
        for _ in range(resamples)
    ]
    ends = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    found = []
    for name in names:
        low, high = np.quantile([shares[name] for shares in drawn], ends)
        found.append(
            Importance(
                hyperparameter=name,
                importance=whole[name],
                low=float(low),
                high=float(high),
                configurations=len(measured),
                reliable=len(measured) >= RELIABLE,
            )
        )
    # Equal shares differ in their last digits, from processor to processor.
    return tuple(sorted(found, key=lambda item: -round(item.importance, 12)))


def why_none(measured: Sequence[ScoreAtEpoch], space: SpaceTable) -> str:
    """Says in a sentence why no importance can be estimated; "" where it can.

    That is so with fewer than `FEWEST` configurations, with fewer than two hyperparameters, or
    where all values are equal.
    """
    if len(space.searched()) < 2:
        return "Importance compares hyperparameters: it takes two that are searched."
    if len(measured) < FEWEST:
        return (
            "Too few configurations have been measured to estimate the importance of "
            "hyperparameters."
        )
    if len({item.value for item in measured}) < 2:
        return (
            "All configurations have the same score, so nothing shows which hyperparameters matter."
        )
    return ""


def _evaluator(measured: Sequence[ScoreAtEpoch], space: SpaceTable, direction: Direction) -> Any:
    """Returns a function from positions in `measured` to the share of each hyperparameter."""
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
    from optuna.trial import create_trial

    from lstm_study.analysis.search.optuna_space import distributions

    names = space.searched()
    known = distributions(space, [item.configuration for item in measured])
    trials = [
        create_trial(
            params={name: item.configuration.value(name) for name in names},
            distributions={name: known[name] for name in names},
            value=item.value,
        )
        for item in measured
    ]
    for number, trial in enumerate(trials):
        trial.number = trial._trial_id = number

    class Resample(optuna.Study):  # type: ignore[misc]
        """A study whose trials are a resample: adding them to a storage takes far longer."""

        chosen: Sequence["FrozenTrial"] = ()

        def get_trials(self, *_: Any, **__: Any) -> list["FrozenTrial"]:
            return list(self.chosen)

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        storage = optuna.storages.InMemoryStorage()
        made = optuna.create_study(
            storage=storage, direction="maximize" if direction == "max" else "minimize"
        )
        study = Resample(study_name=made.study_name, storage=storage)
    finally:
        optuna.logging.set_verbosity(before)

    def evaluate(places: Sequence[int]) -> dict[str, float]:
        study.chosen = [trials[place] for place in places]
        with warnings.catch_warnings():
            # A resample whose best quarter is all of it makes every share equal, and says so.
            warnings.simplefilter("ignore")
            evaluator = PedAnovaImportanceEvaluator(target_quantile=BEST_SHARE)
            shares = get_param_importances(study, evaluator=evaluator, params=names)
        return {name: float(shares[name]) for name in names}

    return evaluate
