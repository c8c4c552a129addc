"""All records of one study, read together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lstm_study.arm_names import CONTROL, LAST_EPOCHS_SUFFIX
from lstm_study.records.comparison import Control, NearDuplicates, ReviewFacts
from lstm_study.records.corpus import CorpusSummary
from lstm_study.records.session import Opening, Session
from lstm_study.records.training import Run, Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRecords:
    """All that a study left, read at one moment: the input of analysis and report.

    Attributes:
        name: The study's name.
        title: Its title, or its name.
        spec_text: The study file, verbatim.
        spec: Every setting in force, as `StudySpec.model_dump(mode="json")` gives it.
        deviations: How baseline and protocol differ from the documented ones, in words.
        settings: The one-off `--set` changes in force.
        corpus: The reviews in numbers; None before they were first read.
        planned_trials: Trials the schedule plans.
        planned_epochs: Epochs the schedule plans.
        planned_control: How many of these trials are the random control's.
        stopped: Why the search ended before its schedule did; "" if it did not, or has not ended.
        trials: By trial id.
        runs: By arm, then seed index.
        sessions: In order of time.
        openings: In order of time.
        predictions: run id → test probabilities, float32 [test reviews].
        test_labels: int8 [test reviews], 0 or 1; None before the first evaluation.
        control: The classical control; None before it began.
        near_duplicates: Of the test reviews; None before they were counted.
        review_facts: Of single test reviews; None before the comparison ended, and in studies that
            were compared before this record existed.
    """

    name: str
    title: str
    spec_text: str
    spec: Mapping[str, Any]
    deviations: tuple[str, ...]
    settings: tuple[str, ...]
    corpus: CorpusSummary | None
    planned_trials: int
    planned_epochs: int
    trials: tuple[Trial, ...]
    runs: tuple[Run, ...]
    sessions: tuple[Session, ...]
    openings: tuple[Opening, ...]
    predictions: Mapping[str, Any]
    test_labels: Any | None
    control: Control | None = None
    near_duplicates: NearDuplicates | None = None
    review_facts: ReviewFacts | None = None
    planned_control: int = 0
    stopped: str = ""

    def completed_runs(self, arm: str) -> list[Run]:
        """Returns the runs of an arm that completed."""
        return [run for run in self.runs if run.arm == arm and run.status == "completed"]

    @property
    def unlogged_runs(self) -> tuple[str, ...]:
        """Ids of the evaluated runs for which no opening is logged: lines of the log are lost.

        The mean of the last epochs is evaluated in the opening of its training.
        """
        logged = {opening.run_id for opening in self.openings}
        evaluated = [
            run.run_id
            for run in self.runs
            if run.test_accuracy is not None and not run.arm.endswith(LAST_EPOCHS_SUFFIX)
        ]
        if self.control is not None and self.control.test_accuracy is not None:
            evaluated.append(CONTROL)
        return tuple(run_id for run_id in evaluated if run_id not in logged)
