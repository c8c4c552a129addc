"""What a study's trainings cost: their work, and at a machine's pace their seconds."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from lstm_study.arm_names import CONTROL
from lstm_study.configuration import Configuration
from lstm_study.duration.pace import Pace, Timed, corrected
from lstm_study.duration.work import mean_length, pass_work, step_work
from lstm_study.records import CorpusSummary, Run, Trial
from lstm_study.records.state import Live
from lstm_study.spec import StudySpec

_CONTROL_LOADS = 1.6e-6
"""What a token of the training reviews costs the classical control, in a worker's loading times."""


class Costs:
    """What trainings take: their work, and at a pace their seconds.

    Args:
        spec: The study.
        corpus: Its reviews in numbers.
        live: Where each worker stands, by its name.
    """

    def __init__(
        self, spec: StudySpec, corpus: CorpusSummary, live: Mapping[str, Live] | None = None
    ) -> None:
        self._live = {
            each.training_id: each for each in (live or {}).values() if each.step < each.steps
        }
        self._batch_size, self._masked = spec.protocol.batch_size, spec.protocol.masked
        self._lengths = corpus.length_counts
        reviews = {split.name: split.reviews for split in corpus.splits}
        self._train, self._validation = reviews.get("train", 0), reviews.get("validation", 0)
        self._test = reviews.get("test", 0)
        self._tokens = sum(each.tokens for each in corpus.splits if each.name != "test")
        self.pace = Pace(points=((1.0, 1.0),))

    def of_a_step(self, configuration: Configuration, *, masked: bool | None = None) -> float:
        """Returns the work of a training step; `masked` as in the study if not given."""
        steps = None
        if self._masked if masked is None else masked:
            steps = mean_length(self._lengths, maxlen=configuration.maxlen)
        return step_work(configuration, batch_size=self._batch_size, steps=steps)

    def of_an_epoch(self, of_a_step: float, *, is_validated: bool) -> float:
        """Returns the work of an epoch: on train with validation, or on both."""
        if is_validated:
            return self._pass(of_a_step, trained=self._train, evaluated=self._validation)
        return self._pass(of_a_step, trained=self._train + self._validation)

    def training(
        self,
        candidates: Sequence[Configuration],
        epochs: float,
        *,
        is_validated: bool,
        masked: bool | None = None,
        evaluations: int = 0,
    ) -> float:
        """Returns the seconds of a training, and of its evaluations on test.

        Args:
            candidates: Its configuration, or all that it may have: their mean counts.
            epochs: That are left of it.
            is_validated: Whether it is validated after each, and not trained on those reviews.
            masked: Whether padding is masked; as in the study if not given.
            evaluations: On all test reviews.
        """

        def of(configuration: Configuration) -> float:
            step = self.of_a_step(configuration, masked=masked)
            work = epochs * self.of_an_epoch(step, is_validated=is_validated)
            work += self._pass(step, evaluated=evaluations * self._test)
            return self.pace.seconds(step, work)

        return self.pace.setup_seconds + fmean(map(of, candidates))

    def classical_control(self) -> float:
        """Returns the seconds that are left of the classical control."""
        whole = _CONTROL_LOADS * self._tokens * self.pace.load_seconds
        return whole * (1 - self._share_done(CONTROL))

    def rest(self, training: Trial | Run, *, evaluations: int = 0) -> float:
        """Returns the seconds of the epochs that are left of a training, and of evaluations."""
        own = training.last_epoch
        if isinstance(training, Trial):
            own -= training.initial_epoch
        return self.training(
            [training.configuration],
            max(0.0, own - len(training.epochs) - self._share_done(training.training_id)),
            is_validated=is_validated(training),
            masked=training.masked,
            evaluations=evaluations,
        )

    def timed(self, trainings: Iterable[Trial | Run]) -> list[Timed]:
        """Returns the epochs that ended, and the timed steps of those in progress."""
        found = []
        for training in trainings:
            validates = is_validated(training)
            step = self.of_a_step(training.configuration, masked=training.masked)
            work = self.of_an_epoch(step, is_validated=validates)
            found += [
                Timed(
                    of_a_step=step,
                    work=work,
                    seconds=each.seconds,
                    ended_at=each.ended_at,
                )
                for each in training.epochs
            ]
            at = self._live.get(training.training_id)
            if at is not None and at.timed_steps and training.status == "running":
                # Steps alone: the validation of the epoch in progress is still to come.
                share = at.timed_steps / at.steps
                trained = self._train if validates else self._train + self._validation
                work = share * self._pass(step, trained=trained)
                found.append(Timed(of_a_step=step, work=work, seconds=at.timed_seconds))
        return found

    def _share_done(self, training_id: str) -> float:
        """Returns how much of an epoch in progress is done."""
        at = self._live.get(training_id)
        return at.step / at.steps if at is not None else 0.0

    def _pass(self, of_a_step: float, *, trained: int = 0, evaluated: int = 0) -> float:
        return pass_work(
            of_a_step, batch_size=self._batch_size, trained=trained, evaluated=evaluated
        )


def costs_so_far(
    spec: StudySpec,
    corpus: CorpusSummary,
    trainings: Iterable[Trial | Run],
    *,
    pace: Pace | None,
    live: Mapping[str, Live] | None = None,
) -> Costs | None:
    """Returns costs at a pace corrected by a study's own epochs; None before anything was timed.

    Args:
        spec: The study.
        corpus: Its reviews in numbers.
        trainings: Those that began.
        pace: This machine's; None where it was not measured.
        live: Where each worker stands, by its name.
    """
    costs = Costs(spec, corpus, live)
    found = corrected(pace, costs.timed(trainings))
    if found is None:
        return None
    costs.pace = found
    return costs


def is_validated(training: Trial | Run) -> bool:
    """Whether a training is validated after each epoch, and not trained on those reviews."""
    return isinstance(training, Trial) or training.trained_on == "train"
