"""The model bundle: a study's network in files that do not need this package, and `predict`."""

from lstm_study.export.bundle import write_bundle
from lstm_study.export.choice import choose_run, exportable_arms
from lstm_study.export.classical import ClassicalBundle, write_classical
from lstm_study.export.combined import CombinedModel
from lstm_study.export.load import Bundle, load_bundle
from lstm_study.export.predict import predict_files, predict_some

__all__ = [
    "Bundle",
    "ClassicalBundle",
    "CombinedModel",
    "choose_run",
    "exportable_arms",
    "load_bundle",
    "predict_files",
    "predict_some",
    "write_bundle",
    "write_classical",
]
