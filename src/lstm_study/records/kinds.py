"""Every kind of file in a study's folder, declared once.

The store reads and writes by this table, `records` copies what is kept, `watch` draws the report
again when a watched file changes, and publication removes paths and host names from the fields
named here.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from lstm_study.records.comparison import Control, NearDuplicates, ReviewFacts
from lstm_study.records.corpus import CorpusSummary
from lstm_study.records.session import LedgerEntry, Opening, Session
from lstm_study.records.state import (
    ArmsState,
    Extent,
    Live,
    QuickState,
    ReportState,
    SearchState,
    SeedsState,
    StudyState,
    VerdictsState,
)
from lstm_study.records.training import Run, Trial

_TRAINED_AGAIN = "that training is repeated, and nothing else is lost"
_WRITTEN_AGAIN = "the file is written again, and nothing is lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of file.

    Attributes:
        name: What messages call it; of a record also its "kind" on disk.
        path: Where it is, below the study's folder; with one "*" if there may be several.
        ids: What the "*" stands for, as a regular expression.
        type: The class it is read into; None where it is none of `records`.
        is_record: Whether it is a record, with its kind and schema version on disk.
        lost: What is lost where one is moved aside.
        is_made_again: Whether `run` then makes it again as it was, out of the other files and the
            reviews.
        is_kept: Whether `records` copies it to the folder that is committed or shown.
        is_watched: Whether a report depends on it.
        private: Fields that may name a machine, a folder or a user.
    """

    name: str
    path: str
    ids: str = r"[\w-]+"
    type: Any = None
    is_record: bool = False
    lost: str = "nothing"
    is_made_again: bool = True
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

    @property
    def is_listed_by_hash(self) -> bool:
        """Whether the ledger has its SHA-256, or that of its last line; not the digest it has."""
        return self.type is None or self.is_lines

    def paths(self, folder: Path) -> list[Path]:
        """Returns the files of this kind in a study's folder, sorted.

        Other programs leave some beside them, such as `._b0-00-r0.json` and
        `b0-00-r0 (conflicted copy).json`: those are named by no id, and not the study's.

        Raises:
            PermissionError: Their folder may not be listed; `Path.glob` would find none in it.
        """
        path = folder / self.path
        if "*" not in self.path:
            return [path] if path.exists() else []
        beside: list[Path] = []
        with suppress(FileNotFoundError, NotADirectoryError):
            beside = sorted(path.parent.iterdir())
        pattern = re.compile(re.escape(path.name).replace(r"\*", f"(?:{self.ids})"))
        return [each for each in beside if pattern.fullmatch(each.name)]


# What one holds says the class that it is read into, or the remark beside it.
KINDS = (
    Kind(
        name="study", path="study.json", type=StudyState, is_watched=True,
        lost="the study can't be resumed", is_made_again=False, private=("spec", "settings"),
    ),
    # The study file, verbatim.
    Kind(name="spec", path="spec.toml", is_watched=True, lost=_WRITTEN_AGAIN),
    Kind(
        name="corpus", path="corpus.json", type=CorpusSummary, is_record=True, is_watched=True,
        lost=_WRITTEN_AGAIN, private=("path",),
    ),
    Kind(
        name="plan", path="plan.json", type=SearchState, is_watched=True, lost=_WRITTEN_AGAIN,
    ),
    Kind(
        name="arms", path="arms.json", type=ArmsState, is_watched=True,
        lost="the arms' own epochs are fixed again, after test was opened",
    ),
    Kind(
        name="seeds", path="seeds.json", type=SeedsState, is_watched=True, private=("added",),
        lost="the record of added seeds, and of the verdicts before them, is lost",
        is_made_again=False,
    ),
    Kind(
        name="quick", path="quick.json", type=QuickState, is_watched=True,
        lost="how the comparison was shortened with --quick is no longer known",
        is_made_again=False,
    ),
    Kind(
        name="verdicts", path="verdicts.json", type=VerdictsState, is_watched=True,
        lost="the number of looks at the test reviews, which widens the interval, is lost",
        is_made_again=False,
    ),
    Kind(name="report", path="report.json", type=ReportState, lost=_WRITTEN_AGAIN),
    Kind(
        name="trial", path="trials/*.json", type=Trial, is_record=True, is_watched=True,
        lost=_TRAINED_AGAIN, private=("worker", "failure"),
    ),
    Kind(
        name="run", path="runs/*.json", type=Run, is_record=True, is_watched=True,
        lost=_TRAINED_AGAIN, private=("worker", "failure"),
    ),
    Kind(
        name="control", path="control.json", type=Control, is_record=True, is_watched=True,
        lost=_TRAINED_AGAIN, private=("worker", "failure"),
    ),
    Kind(
        name="near_duplicates", path="near-duplicates.json", type=NearDuplicates, is_record=True,
        is_watched=True, lost="near-duplicates are counted again, and nothing is lost",
    ),
    Kind(
        name="review_facts", path="review-facts.json", type=ReviewFacts, is_record=True,
        is_watched=True,
        lost="test is opened once more for the facts of its reviews, and nothing is lost",
    ),
    # Test probabilities of one run, float32; labels.npy: the test labels, int8.
    Kind(name="predictions", path="predictions/*.npy", is_watched=True, lost=_TRAINED_AGAIN),
    # The same, compressed: in a copy that `records` made.
    Kind(
        name="kept predictions", path="predictions/*.npy.gz", is_watched=True, lost=_TRAINED_AGAIN,
    ),
    Kind(
        # Earlier versions named some by a host, such as worker-a.example.
        name="session", path="sessions/*.json", ids=r"(?!.*\.sync-conflict-)\w[\w.-]*",
        type=Session, is_record=True,
        lost="the time that it counted is lost, and nothing else", is_made_again=False,
        private=("command", "stage", "settings"),
    ),
    Kind(
        name="opening", path="openings.jsonl", type=Opening, is_record=True, private=("command",),
        lost="the log of earlier openings of the test half is lost", is_made_again=False,
    ),
    # One line for each file above when it is first written.
    Kind(
        name="ledger", path="ledger.jsonl", type=LedgerEntry, is_record=True,
        lost="the list is rebuilt from the files that exist; one that is missing goes unnoticed",
    ),
    # The last epoch of a training that may be resumed.
    Kind(
        name="checkpoint", path="checkpoints/*.npz", is_kept=False,
        lost="that training starts over from its first epoch, and nothing else is lost",
    ),
    # The weights of a finished run.
    Kind(name="weights", path="models/*.npz", is_kept=False, lost=_TRAINED_AGAIN),
    Kind(name="live", path="live/*.json", type=Live, is_kept=False),
    # How much of the comparison the running command trains.
    Kind(name="extent", path="live/extent", type=Extent, is_kept=False),
    # How long the running stage will take.
    Kind(name="time left", path="live/time-left", is_kept=False),
    # All that TensorFlow and the workers print.
    Kind(name="log", path="study.log", is_kept=False),
    # Checkpoints that a worker wrote, until they are moved to their place.
    Kind(name="scratch", path="scratch/*", is_kept=False),
    # What `check --repair` moved aside, by time.
    Kind(name="moved aside", path="damaged/*", is_kept=False),
    # Held by the one process that works on the study.
    Kind(name="lock", path="lock", is_kept=False),
)  # fmt: skip

BY_TYPE = {kind.type: kind for kind in KINDS if kind.type is not None}


def kind_of(file: str) -> Kind:
    """Returns the kind of a file, by its path below the study's folder.

    Raises:
        KeyError: It is of none.
    """
    for kind in KINDS:
        if fnmatch(file, kind.path):
            return kind
    raise KeyError(file)
