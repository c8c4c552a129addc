"""Proposals of Keras Tuner's Bayesian optimisation, computed from the trial records each time.

Keras Tuner's oracle keeps a random state that a restart loses. Here a new oracle is built from the
records for each proposal, with a seed of its own, so that a restart changes nothing. The other
tuners' configurations do not depend on results: `plan` draws them in advance.
"""

from collections.abc import Sequence

import keras_tuner
from keras_tuner.src.engine.trial import Trial as TunerTrial
from keras_tuner.src.engine.trial import TrialStatus

from lstm_study.configuration import Configuration
from lstm_study.errors import SearchError
from lstm_study.model.space import draw, hyperparameters
from lstm_study.records import Trial
from lstm_study.seeds import derive
from lstm_study.spec import StudySpec


def propose(spec: StudySpec, records: Sequence[Trial]) -> Configuration:
    """Proposes the next configuration from the trials so far, different from all of theirs.

    The first proposals, three for each searched hyperparameter, are random, as Keras Tuner's own.

    Trials without a score yet are left out of the model.

    Raises:
        SearchError: The space holds no configuration that was not tried.

    Source: keras_tuner 1.4.8, tuners/bayesian.py.
    """
    tried = {trial.configuration for trial in records if trial.role == "search"}
    number = len(tried)
    oracle = keras_tuner.oracles.BayesianOptimizationOracle(
        objective=keras_tuner.Objective(spec.study.objective, spec.study.direction),
        max_trials=spec.search.max_trials,
        num_initial_points=max(3, 3 * len(spec.space.searched())),
        seed=derive(spec.study.seed, "bayesian", number),
        hyperparameters=hyperparameters(spec.space),
    )
    oracle.verbose = 0
    for trial in records:
        if trial.status == "completed" and trial.role == "search":
            oracle.trials[trial.trial_id] = _as_keras_tuners(trial, oracle)
    configuration = spec.space.configuration(oracle.populate_space("next")["values"])
    if configuration not in tried:
        return configuration
    # The model proposes a configuration that was tried already: draw another at random.
    seed = derive(spec.study.seed, "bayesian again", number)
    for other in draw(spec.space, seed=seed):
        if other not in tried:
            return other
    raise SearchError(
        f"search.max_trials = {spec.search.max_trials} is more than the {number} configurations "
        "that the space holds. Lower it, or widen the space."
    )


def _as_keras_tuners(
    trial: Trial, oracle: keras_tuner.oracles.BayesianOptimizationOracle
) -> TunerTrial:
    theirs = TunerTrial(
        hyperparameters=oracle.hyperparameters.copy(),
        trial_id=trial.trial_id,
        status=TrialStatus.COMPLETED,
    )
    theirs.hyperparameters.values = trial.configuration.as_dict()
    theirs.score = trial.score
    return theirs
