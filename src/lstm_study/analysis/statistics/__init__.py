"""Intervals, variance components, power, tests, metrics: pure functions."""
