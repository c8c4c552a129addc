"""Plain, versioned records: the only meeting place of training and analysis.

Training makes them, analysis and report read them; neither imports the other. Each kind and where
it is kept is declared in `kinds`, and `codec` turns them into JSON and back.
"""

from lstm_study.records.comparison import (
    Control,
    ControlCandidate,
    Excerpt,
    NearDuplicates,
    ReviewFacts,
    TextFrom,
    UnknownWords,
    Weighting,
)
from lstm_study.records.corpus import CorpusSummary, SplitSummary
from lstm_study.records.session import Machine, Opening, Session
from lstm_study.records.study import StudyRecords
from lstm_study.records.training import (
    Epoch,
    ErrorKind,
    Failure,
    Role,
    Run,
    Trial,
)

__all__ = [
    "Control",
    "ControlCandidate",
    "CorpusSummary",
    "Epoch",
    "ErrorKind",
    "Excerpt",
    "Failure",
    "Machine",
    "NearDuplicates",
    "Opening",
    "ReviewFacts",
    "Role",
    "Run",
    "Session",
    "SplitSummary",
    "StudyRecords",
    "TextFrom",
    "Trial",
    "UnknownWords",
    "Weighting",
]
