"""A study file: TOML in, one frozen and validated `StudySpec` out."""

from lstm_study.spec.data import DataTable
from lstm_study.spec.dimensions import Choices, Declared, Fixed, Range
from lstm_study.spec.model import ModelTable
from lstm_study.spec.read import (
    find_study,
    load_spec,
    packaged_studies,
    parse_spec,
    study_folder,
)
from lstm_study.spec.space import SpaceTable
from lstm_study.spec.tables import ProtocolTable, StudySpec

__all__ = [
    "Choices",
    "DataTable",
    "Declared",
    "Fixed",
    "ModelTable",
    "ProtocolTable",
    "Range",
    "SpaceTable",
    "StudySpec",
    "find_study",
    "load_spec",
    "packaged_studies",
    "parse_spec",
    "study_folder",
]
