"""The search: Keras Tuner's tuners, with the trial records as their only state.

`plan` draws all configurations and seeds in advance (`bayesian` proposes them one by one),
`promotion` says which trial is next, `oracle` is Keras Tuner's interface to both, `stage` turns
trials into jobs and records, `rerank` names the winner.
"""
