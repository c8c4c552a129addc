"""Keras Tuner's Hyperband made dependable: the plan is pure, and the records are the truth."""
