"""Every kind of file in a study's folder, declared once.

The store reads and writes by this table, `records` copies what is kept, `watch` draws the report
again when a watched file changes, and publication removes paths and host names from the fields
named here.
"""

from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from lstm_study.records.comparison import Control, NearDuplicates, ReviewFacts
from lstm_study.records.corpus import CorpusSummary
from lstm_study.records.session import LedgerEntry, Opening, Session
from lstm_study.records.state import (
    ArmsState,
    Live,
    QuickState,
    ReportState,
    SearchState,
    SeedsState,
    StudyState,
    VerdictsState,
)
from lstm_study.records.training import Run, Trial

_TRAINED_AGAIN = "it is trained again, and nothing else is lost"
_WRITTEN_AGAIN = "it is written again, and nothing is lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of file.

    Attributes:
        name: What messages call it; of a record also its "kind" on disk.
        path: Where it is, below the study's folder; with one "*" if there may be several.
        holds: What one is.
        type: The class it is read into; None where it is none of `records`.
        is_record: Whether it is a record, with its kind and schema version on disk.
        lost: What is lost where one is moved aside.
        is_kept: Whether `records` copies it to the folder that is committed or shown.
        is_watched: Whether a report depends on it.
        private: Fields that may name a machine, a folder or a user.
    """

    name: str
    path: str
    holds: str
    type: Any = None
    is_record: bool = False
    lost: str = "nothing"
    is_kept: bool = True
    is_watched: bool = False
    private: tuple[str, ...] = ()

    @property
    def is_listed(self) -> bool:
        """Whether the ledger lists it, so that one that is lost is noticed."""
        return self.is_kept and self.type is not LedgerEntry and not self.path.endswith(".gz")

    @property
    def is_lines(self) -> bool:
        """Whether it is a file of one record a line."""
        return self.path.endswith(".jsonl")

    @property
    def folder(self) -> str:
        """Its first part below the study's folder: a folder, or the file itself."""
        return self.path.partition("/")[0]


KINDS = (
    Kind(
        name="study", path="study.json", type=StudyState, is_watched=True,
        holds="what the study began with: spec, settings, digest of the data",
        lost="the study can't be resumed",
        private=("spec", "settings"),
    ),
    Kind(
        name="spec", path="spec.toml", holds="the study file, verbatim", is_watched=True,
        lost=_WRITTEN_AGAIN,
    ),
    Kind(
        name="corpus", path="corpus.json", type=CorpusSummary, is_record=True, is_watched=True,
        holds="the reviews in numbers", private=("path",),
        lost=_WRITTEN_AGAIN,
    ),
    Kind(
        name="plan", path="plan.json", type=SearchState, is_watched=True,
        holds="the search's schedule, and how it ended",
        lost=_WRITTEN_AGAIN,
    ),
    Kind(
        name="arms", path="arms.json", type=ArmsState, is_watched=True,
        holds="the comparison's arms and their own epochs, once they are fixed",
        lost="the arms' own epochs are fixed again, after test was opened",
    ),
    Kind(
        name="seeds", path="seeds.json", type=SeedsState, is_watched=True,
        holds="seeds added after the first comparison", private=("added",),
        lost="it is forgotten which seeds were added, and after which verdict",
    ),
    Kind(
        name="quick", path="quick.json", type=QuickState, is_watched=True,
        holds="that the comparison was shortened with --quick",
        lost="the report does not say that the comparison was shortened",
    ),
    Kind(
        name="verdicts", path="verdicts.json", type=VerdictsState, is_watched=True,
        holds="each look at the verdict with more seeds than the last",
        lost="it is forgotten how often the test reviews were looked at, which widens the interval",
    ),
    Kind(
        name="report", path="report.json", type=ReportState,
        holds="what the last report was made with: time, versions, commit, model",
        lost=_WRITTEN_AGAIN,
    ),
    Kind(
        name="trial", path="trials/*.json", type=Trial, is_record=True, is_watched=True,
        holds="one trial", lost=_TRAINED_AGAIN, private=("worker", "failure"),
    ),
    Kind(
        name="run", path="runs/*.json", type=Run, is_record=True, is_watched=True,
        holds="one run", lost=_TRAINED_AGAIN, private=("worker", "failure"),
    ),
    Kind(
        name="control", path="control.json", type=Control, is_record=True, is_watched=True,
        holds="the classical control", lost=_TRAINED_AGAIN, private=("worker", "failure"),
    ),
    Kind(
        name="near_duplicates", path="near-duplicates.json", type=NearDuplicates, is_record=True,
        holds="test reviews whose text is nearly the same as a training review's",
        is_watched=True, lost="they are counted again, and nothing is lost",
    ),
    Kind(
        name="review_facts", path="review-facts.json", type=ReviewFacts, is_record=True,
        holds="lengths, unknown words and excerpts of the test reviews", is_watched=True,
        lost="the report says less about single test reviews, and nothing else is lost",
    ),
    Kind(
        name="predictions", path="predictions/*.npy", is_watched=True,
        holds="test probabilities of one run, float32; labels.npy: the test labels, int8",
        lost=_TRAINED_AGAIN,
    ),
    Kind(
        name="kept predictions", path="predictions/*.npy.gz", is_watched=True,
        holds="the same, compressed: in a copy that `records` made", lost=_TRAINED_AGAIN,
    ),
    Kind(
        name="session", path="sessions/*.json", type=Session, is_record=True,
        holds="one command's work", private=("command", "stage", "settings"),
        lost="the time it counted is lost, and nothing else",
    ),
    Kind(
        name="opening", path="openings.jsonl", type=Opening, is_record=True,
        holds="one line for each opening of the test half", private=("command",),
        lost="the earlier openings of the test half are forgotten",
    ),
    Kind(
        name="ledger", path="ledger.jsonl", type=LedgerEntry, is_record=True,
        holds="one line for each file above when it is first written", lost=_WRITTEN_AGAIN,
    ),
    Kind(
        name="checkpoint", path="checkpoints/*.npz", is_kept=False,
        holds="the last epoch of a training that may be resumed",
        lost="that training starts over from its first epoch, and nothing else is lost",
    ),
    Kind(
        name="weights", path="models/*.npz", is_kept=False, holds="the weights of a finished run",
        lost=_TRAINED_AGAIN,
    ),
    Kind(
        name="live", path="live/*.json", type=Live, is_kept=False,
        holds="where a worker stands now",
    ),
    Kind(
        name="time left", path="live/time-left", is_kept=False,
        holds="how long the stage at work will take",
    ),
    Kind(
        name="log", path="study.log", is_kept=False,
        holds="all that TensorFlow and the workers print",
    ),
    Kind(
        name="scratch", path="scratch/*", is_kept=False,
        holds="checkpoints that a worker wrote, until they are moved to their place",
    ),
    Kind(
        name="moved aside", path="damaged/*", is_kept=False,
        holds="what `check --repair` moved aside, by time",
    ),
    Kind(
        name="lock", path="lock", is_kept=False,
        holds="held by the one process that works on the study",
    ),
)  # fmt: skip

BY_TYPE = {kind.type: kind for kind in KINDS if kind.type is not None}


def kind_of(file: str) -> Kind:
    """Returns the kind of a file.

    Args:
        file: Its path below the study's folder.

    Raises:
        KeyError: It is of none.
    """
    for kind in KINDS:
        if fnmatch(file, kind.path):
            return kind
    raise KeyError(file)
