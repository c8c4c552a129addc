"""What is due in a comparison, read from its records: so a stopped one resumes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lstm_study.analysis.answer.ablation import follow_path, validation_run_id
from lstm_study.arm_names import ABLATION, CONTROL, PRIMARY, TEST_REVIEWS, VALIDATION_SUFFIX
from lstm_study.comparison.arms import (
    ComparisonPlan,
    own_epoch_run,
    own_epochs,
    plan_runs,
    plan_validation_runs,
    validation_run,
)
from lstm_study.comparison.review_facts import compared_runs
from lstm_study.errors import ComparisonError
from lstm_study.provenance import now
from lstm_study.records import Control, NearDuplicates, ReviewFacts, Run
from lstm_study.records.state import OWN_EPOCHS, ArmsState, QuickState
from lstm_study.spec import StudySpec
from lstm_study.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One thing to do.

    Attributes:
        name: The run's id, "control" or "test-reviews".
        run: The run as it is planned; None for the other two.
    """

    name: str
    run: Run | None = None


class Jobs:
    """The jobs of one comparison.

    The validation runs of baseline and winner come first: they fix the own epochs, and test is not
    opened before; then what the verdict needs, and the facts of the test reviews; then the further
    arms. The ablation comes last, or fills the time of a worker that would have to wait.

    With `is_read_only` nothing is written, the arms' own epochs included.

    Raises:
        ComparisonError: Runs of an arm were trained with another configuration.
    """

    def __init__(
        self, plan: ComparisonPlan, *, spec: StudySpec, store: Store, is_read_only: bool = False
    ) -> None:
        self._plan, self._spec, self._store = plan, spec, store
        self._is_read_only = is_read_only
        self._validation = plan_validation_runs(plan, spec=spec)
        self._tested: list[Run] | None = None
        for run in (*self._validation, *plan_runs(plan, spec=spec, own_epochs={})):
            self._check(run)
        self._fix_own_epochs()

    def waiting(self) -> Iterator[Due]:
        """Yields the jobs that could be done now, in order of priority; some may be in progress."""
        due = [run for run in self._validation if self._is_due(run)]
        yield from (Due(name=run.run_id, run=run) for run in due if _fixes_own_epochs(run))
        yield from self._test_jobs()
        rest = [run for run in due if not _fixes_own_epochs(run)]
        rest += [run for run in self._ablation() if self._is_due(run)]
        yield from (Due(name=run.run_id, run=run) for run in rest)

    @property
    def planned_runs(self) -> list[Run]:
        """Every training that is planned, as far as that is known."""
        tested = self._tested or plan_runs(self._plan, spec=self._spec, own_epochs={})
        return [*self._validation, *tested, *self._ablation()]

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        if next(self.waiting(), None) is not None or not self._fix_own_epochs():
            return False
        return not self._is_to_be_fixed(self._store.read_state(ArmsState))

    def begun(self, planned: Run) -> Run:
        """Writes and returns the record of a run that is handed out, with its own epoch."""
        found = self._store.read(Run, planned.run_id)
        if found is None:
            self._store.write(planned)
            return planned
        if planned.own_epoch is not None and found.own_epoch != planned.own_epoch:
            found = replace(found, own_epoch=planned.own_epoch)
            self._store.write(found)
        return found

    def _test_jobs(self) -> Iterator[Due]:
        if not self._fix_own_epochs():
            return
        control = self._store.read(Control)
        if self._plan.control and (control is None or control.status == "running"):
            yield Due(name=CONTROL)
        assert self._tested is not None
        due = [run for run in self._tested if self._is_due(run)]
        needed = [run for run in due if run.arm in PRIMARY]
        yield from (Due(name=run.run_id, run=run) for run in needed)
        if self._plan.near_duplicates and not needed and self._are_reviews_due():
            yield Due(name=TEST_REVIEWS)
        further = [run for run in due if run.arm not in PRIMARY]
        yield from (Due(name=run.run_id, run=run) for run in further)

    def _are_reviews_due(self) -> bool:
        """Says whether the test reviews are to be described, for the first time or again.

        Test is not opened for them alone in a study whose comparison ended before such facts were
        recorded, but where a repair moved them aside, or where excerpts were left out and are
        asked for now.
        """
        if self._store.read(NearDuplicates) is None:
            return True
        facts = self._store.read(ReviewFacts)
        if facts is None:
            return self._store.is_moved_aside(ReviewFacts)
        lacks_excerpts = self._spec.export.excerpts and facts.text_from == "left out"
        return lacks_excerpts or facts.runs != compared_runs(self._store.read_runs())

    def _fix_own_epochs(self) -> bool:
        """Fixes the arms' own epochs once the baseline is validated; says whether they are fixed.

        From then on they are read from the study's state, even if the validation runs change.
        """
        if self._tested is not None:
            return True
        if any(self._is_due(run) for run in self._validation if _fixes_own_epochs(run)):
            return False
        fixed = self._store.read_state(ArmsState)
        if self._is_to_be_fixed(fixed):
            fixed = ArmsState(
                fixed_at=now(),
                arms=dict(self._plan.arms),
                own_epochs={}
                if self._plan.is_quick or self._had_none_when_quick()
                else dict(own_epochs(self._store.read_runs(), spec=self._spec)),
            )
            if not self._is_read_only:
                self._store.write_state(fixed)
        epochs = fixed.own_epochs if fixed is not None else {}
        self._tested = plan_runs(self._plan, spec=self._spec, own_epochs=epochs)
        return True

    def _is_to_be_fixed(self, fixed: ArmsState | None) -> bool:
        """Whether own epochs are not written down: not yet, or a repair moved them aside."""
        return fixed is None and bool(self._validation or self._plan.is_quick)

    def _had_none_when_quick(self) -> bool:
        """Whether a shortened comparison opened test before own epochs were fixed."""
        quick = self._store.read_state(QuickState)
        return quick is not None and OWN_EPOCHS in quick.left_out

    def _ablation(self) -> list[Run]:
        """Returns the trainings of the next step on the way from baseline to winner."""
        if not self._plan.ablation:
            return []
        path = follow_path(
            self._store.read_runs(),
            *(self._plan.arms[arm] for arm in PRIMARY),
            spec=self._spec,
        )
        ends = {validation_run_id(arm) for arm in PRIMARY}
        return [
            validation_run(run_id, arm=ABLATION, configuration=configuration, spec=self._spec)
            for run_id, (_, configuration) in path.candidates.items()
            if run_id not in ends
        ]

    def _is_due(self, planned: Run) -> bool:
        found = self._store.read(Run, planned.run_id)
        if found is None or not found.has_ended:
            return True
        own = own_epoch_run(planned)
        if own is None or found.status != "completed":
            return False
        evaluated = self._store.read(Run, own.run_id)
        return evaluated is None or not evaluated.has_ended

    def _check(self, planned: Run) -> None:
        found = self._store.read(Run, planned.run_id)
        if found is not None and found.configuration != planned.configuration:
            raise ComparisonError(
                f"{self._store.folder}: the arm {planned.arm} was trained as "
                f"{found.configuration.label} ({found.run_id}), and is now "
                f"{planned.configuration.label}: the search has another ranking than when the "
                "comparison began, and its test results were seen. Give study.name a new name, or "
                "start over with --fresh."
            )


def _fixes_own_epochs(run: Run) -> bool:
    """Whether it is a validation run of baseline or winner."""
    return run.arm.removesuffix(VALIDATION_SUFFIX) in PRIMARY and run.trained_on == "train"
