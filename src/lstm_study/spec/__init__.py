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
from lstm_study.spec.sources import SOURCES
from lstm_study.spec.space import BaselineTable, SpaceTable
from lstm_study.spec.tables import (
    CompareTable,
    ExportTable,
    ProtocolTable,
    SearchTable,
    StudySpec,
    StudyTable,
)

__all__ = [
    "SOURCES",
    "BaselineTable",
    "Choices",
    "CompareTable",
    "DataTable",
    "Declared",
    "ExportTable",
    "Fixed",
    "ModelTable",
    "ProtocolTable",
    "Range",
    "SearchTable",
    "SpaceTable",
    "StudySpec",
    "StudyTable",
    "find_study",
    "load_spec",
    "packaged_studies",
    "parse_spec",
    "study_folder",
]
