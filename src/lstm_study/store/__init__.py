"""A study's folder, `study/runs/<name>/`: its only reader and writer is `Store`."""

from lstm_study.store.store import Store

__all__ = ["Store"]
