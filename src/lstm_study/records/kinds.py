"""Every kind of file in a study's folder, declared once.

The store reads and writes by this table, `records` copies what is kept, `watch` draws the report
again when a watched file changes, and publication removes paths and host names from the fields
named here.
"""

from dataclasses import dataclass
from typing import Any

from lstm_study.records.comparison import Control, NearDuplicates, ReviewFacts
from lstm_study.records.corpus import CorpusSummary
from lstm_study.records.session import Opening, Session
from lstm_study.records.state import (
    ArmsState,
    Live,
    ReportState,
    SearchState,
    SeedsState,
    StudyState,
    VerdictsState,
)
from lstm_study.records.training import Run, Trial

_TRAINED_AGAIN = "it is trained again, and nothing else is lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of file.

    Attributes:
        name: What messages call it; of a record also its "kind" on disk.
        path: Where it is, below the study's folder; with one "*" if there may be several.
        holds: What one is.
        type: The class it is read into; None where it is none of `records`.
        is_record: Whether it is a record, with its kind and schema version on disk.
        lost: What is lost without one.
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
        lost="the study is refused until it is started over with --fresh",
        private=("spec", "settings"),
    ),
    Kind(
        name="spec", path="spec.toml", holds="the study file, verbatim", is_watched=True,
        lost="nothing: the next `lstm-study run` writes it again",
    ),
    Kind(
        name="corpus", path="corpus.json", type=CorpusSummary, is_record=True, is_watched=True,
        holds="the reviews in numbers", private=("path",),
        lost="nothing: the next `lstm-study run` writes it again",
    ),
    Kind(
        name="plan", path="plan.json", type=SearchState, is_watched=True,
        holds="the search's schedule, and how it ended",
        lost="nothing: the next `lstm-study run` writes it again",
    ),
    Kind(
        name="arms", path="arms.json", type=ArmsState, is_watched=True,
        holds="the comparison's arms and their own epochs, once they are fixed",
        lost="that the own epochs were fixed before test was opened; they are fixed again",
    ),
    Kind(
        name="seeds", path="seeds.json", type=SeedsState, is_watched=True,
        holds="seeds added after the first comparison", private=("added",),
        lost="which seeds were added, when, and after which verdict",
    ),
    Kind(
        name="verdicts", path="verdicts.json", type=VerdictsState, is_watched=True,
        holds="each look at the verdict with more seeds than the last",
        lost="how often the test reviews were looked at, which widens the interval",
    ),
    Kind(
        name="report", path="report.json", type=ReportState,
        holds="what the last report was made with: time, versions, commit, model",
        lost="nothing: `lstm-study report` writes it again",
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
        is_watched=True, lost="nothing: they are counted again",
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
        lost="the time it counted, and nothing else",
    ),
    Kind(
        name="opening", path="openings.jsonl", type=Opening, is_record=True,
        holds="one line for each opening of the test half", private=("command",),
        lost="the log of test openings, and nothing else",
    ),
    Kind(
        name="checkpoint", path="checkpoints/*.npz", is_kept=False,
        holds="the last epoch of a training that may be resumed",
        lost="nothing: that training starts over from its first epoch",
    ),
    Kind(
        name="weights", path="models/*.npz", is_kept=False, holds="the weights of a finished run",
        lost="that run's network can't be exported until it is trained again",
    ),
    Kind(
        name="live", path="live/*.json", type=Live, is_kept=False,
        holds="where a worker stands now",
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
        name="lock", path="lock", is_kept=False,
        holds="held by the one process that works on the study",
    ),
)  # fmt: skip

BY_TYPE = {kind.type: kind for kind in KINDS if kind.type is not None}
