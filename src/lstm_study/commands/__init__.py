"""What each command does, with values in and values out; the command line only shows them."""

from lstm_study.commands.answer import Answer, read_answer
from lstm_study.commands.baseline import baseline
from lstm_study.commands.begin import begin, free_bytes, read_corpus
from lstm_study.commands.check import Check, check, repair
from lstm_study.commands.compare import compare, planned_power
from lstm_study.commands.estimate import time_in_words
from lstm_study.commands.export import export_arm
from lstm_study.commands.init import NewStudy, write_new_study
from lstm_study.commands.open_study import (
    REPORTS_FOLDER,
    RUNS_FOLDER,
    OpenStudy,
    Show,
    Silent,
    held,
    open_study,
)
from lstm_study.commands.records import keep, open_kept, report_kept
from lstm_study.commands.report import make_report
from lstm_study.commands.run import run
from lstm_study.commands.search import search
from lstm_study.commands.status import StageStatus, Status, read_status

__all__ = [
    "REPORTS_FOLDER",
    "RUNS_FOLDER",
    "Answer",
    "Check",
    "NewStudy",
    "OpenStudy",
    "Show",
    "Silent",
    "StageStatus",
    "Status",
    "baseline",
    "begin",
    "check",
    "compare",
    "export_arm",
    "free_bytes",
    "held",
    "keep",
    "make_report",
    "open_kept",
    "open_study",
    "planned_power",
    "read_answer",
    "read_corpus",
    "read_status",
    "repair",
    "report_kept",
    "run",
    "search",
    "time_in_words",
    "write_new_study",
]
