"""The trainings that are left of a study, each with what it will take: the jobs of `time_left`."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from statistics import fmean

from lstm_study.analysis.answer.ablation import ablation_trainings_left
from lstm_study.analysis.answer.planned_arms import epochs_of
from lstm_study.analysis.search.summary import ranking
from lstm_study.arm_names import (
    LAST_EPOCHS,
    MASKED_BASELINE,
    PRIMARY,
    RECIPE_BASELINE,
    RUNNER_UP,
    VALIDATION_SUFFIX,
)
from lstm_study.comparison.arms import (
    is_masked,
    plan_comparison,
    validation_epochs,
)
from lstm_study.configuration import HYPERPARAMETERS, Configuration
from lstm_study.progress.estimate import mean_length, pass_work, step_work
from lstm_study.progress.pace import Pace, Timed
from lstm_study.records import Control, CorpusSummary, Run, Trial
from lstm_study.records.state import BracketState, Live, SearchState
from lstm_study.search.rerank import FRESH_SEEDS
from lstm_study.spec import StudySpec
from lstm_study.spec.dimensions import Fixed

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

    def control(self) -> float:
        """Returns the seconds of the classical control."""
        return _CONTROL_LOADS * self._tokens * self.pace.load_seconds

    def share_done(self, training_id: str) -> float:
        """Returns how much of an epoch in progress is done."""
        at = self._live.get(training_id)
        return at.step / at.steps if at is not None else 0.0

    def timed(self, trainings: Iterable[Trial | Run]) -> list[Timed]:
        """Returns the epochs that ended, and the timed steps of those in progress."""
        found = []
        for training in trainings:
            name, is_validated = _name_of(training), _is_validated(training)
            step = self.of_a_step(training.configuration, masked=training.masked)
            work = self.of_an_epoch(step, is_validated=is_validated)
            found += [
                Timed(
                    of_a_step=step,
                    work=work,
                    seconds=each.train_seconds + each.validation_seconds,
                    ended_at=each.ended_at,
                )
                for each in training.epochs
            ]
            at = self._live.get(name)
            if at is not None and at.timed_steps and training.status == "running":
                # Steps alone: the validation of the epoch in progress is still to come.
                share = at.timed_steps / at.steps
                trained = self._train if is_validated else self._train + self._validation
                work = share * self._pass(step, trained=trained)
                found.append(Timed(of_a_step=step, work=work, seconds=at.timed_seconds))
        return found

    def _pass(self, of_a_step: float, *, trained: int = 0, evaluated: int = 0) -> float:
        return pass_work(
            of_a_step, batch_size=self._batch_size, trained=trained, evaluated=evaluated
        )


def possible_winners(plan: SearchState | None, trials: Sequence[Trial]) -> list[Configuration]:
    """Returns the configurations that the search plans, as far as it is known, or has begun."""
    planned = plan.brackets if plan is not None else ()
    known = [each for bracket in planned for each in bracket.configurations if each is not None]
    return known or [trial.configuration for trial in trials if trial.role == "search"]


def search_jobs(
    plan: SearchState,
    trials: Sequence[Trial],
    costs: Costs,
    *,
    only: Collection[str] | None = None,
) -> list[float]:
    """Returns the seconds of each trial that is left, bracket by bracket.

    Args:
        plan: The search's schedule.
        trials: Those that began.
        costs: What trainings take.
        only: Ids of the trials that it may still train; None for all of the plan.
    """
    if plan.stopped is not None:
        return []
    if only is not None:
        return _only_jobs(plan, trials, costs, only)
    typical = possible_winners(plan, trials) or [Configuration()]
    jobs = []
    for bracket in plan.brackets:
        begun = [trial for trial in trials if _is_of(trial, bracket)]
        for number, each in enumerate(bracket.rounds):
            mine = [trial for trial in begun if trial.round == number]
            jobs += [_rest(trial, costs) for trial in mine if not _has_ended(trial)]
            left = each.trials - len(mine)
            # A first round's configurations are drawn; any of them may be promoted.
            drawn = [each for each in bracket.configurations if each is not None]
            drawn = drawn or [trial.configuration for trial in begun if trial.round == 0]
            slots = _without([] if number else drawn, [trial.configuration for trial in mine])
            epochs = each.budget_epochs - each.initial_epoch
            for place in range(left):
                candidates = slots[place : place + 1] or drawn or typical
                jobs.append(costs.training(candidates, epochs, is_validated=True))
    return jobs


def _only_jobs(
    plan: SearchState, trials: Sequence[Trial], costs: Costs, only: Collection[str]
) -> list[float]:
    """Returns the seconds of each of some trials that has not ended, begun or not."""
    by_id = {trial.trial_id: trial for trial in trials if trial.role != "finalist"}
    typical = possible_winners(plan, trials) or [Configuration()]
    jobs = []
    for bracket in plan.brackets:
        names = (f"b{bracket.bracket}", f"i{bracket.iteration}-b{bracket.bracket}")
        for trial_id in sorted(only):
            prefix, place, number = trial_id.rsplit("-", 2)
            if prefix not in (("c",) if bracket.role == "control" else names):
                continue
            begun, whole = by_id.get(trial_id), bracket.rounds[int(number.removeprefix("r"))]
            if begun is None:
                known = bracket.configurations[int(place) : int(place) + 1]
                candidates = [each for each in known if each is not None] or typical
                epochs = whole.budget_epochs - whole.initial_epoch
                jobs.append(costs.training(candidates, epochs, is_validated=True))
            elif not _has_ended(begun):
                jobs.append(_rest(begun, costs))
    return jobs


def finalist_jobs(
    spec: StudySpec,
    plan: SearchState | None,
    trials: Sequence[Trial],
    costs: Costs,
) -> list[float]:
    """Returns the seconds of each finalist's training that is left."""
    begun = [trial for trial in trials if trial.role == "finalist"]
    if begun:
        return [_rest(trial, costs) for trial in begun if not _has_ended(trial)]
    whole = spec.search.max_epochs
    candidates = [*dict.fromkeys(possible_winners(plan, trials))]
    finalists = min(spec.search.rerank, _full_budget(plan, whole))
    if finalists < 2:
        return []
    if plan is not None and plan.stopped is not None:
        ranked = ranking(trials, spec.study.direction, max_epochs=whole)
        candidates = [*dict.fromkeys(each.configuration for each in ranked)][:finalists]
        if len(candidates) < 2:
            return []
    one = costs.training(candidates or [Configuration()], whole, is_validated=True)
    return [one] * (FRESH_SEEDS * finalists)


def comparison_jobs(
    spec: StudySpec,
    plan: SearchState | None,
    trials: Sequence[Trial],
    runs: Sequence[Run],
    control: Control | None,
    costs: Costs,
    *,
    more_seeds: int,
    most_seeds: int | None,
    primary_only: bool,
) -> list[float]:
    """Returns the seconds of each training of the comparison that is left, and of the control."""
    arms = possible_arms(spec, plan, trials, primary_only=primary_only)
    seeds = spec.compare.seeds + more_seeds
    seeds = seeds if most_seeds is None else min(seeds, most_seeds)
    validation = 0 if primary_only else spec.compare.validation_seeds
    by_id = {run.run_id: run for run in runs}
    jobs = []
    for arm, candidates in arms.items():
        epochs, masked = epochs_of(arm, spec), is_masked(arm, spec)
        evaluations = 1
        if arm in PRIMARY:
            evaluations += min(epochs, LAST_EPOCHS) - 1 + (validation > 0)
        for index in range(1, seeds + 1):
            run = by_id.get(f"{arm}-s{index}")
            if run is None:
                jobs.append(
                    costs.training(
                        candidates, epochs, is_validated=False, masked=masked,
                        evaluations=evaluations,
                    )
                )  # fmt: skip
            elif not _has_ended(run):
                jobs.append(_rest(run, costs, evaluations=evaluations))
    checked = [run for run in runs if _is_validated(run)]
    jobs += [_rest(run, costs) for run in checked if not _has_ended(run)]
    whole = spec.search.max_epochs
    for arm in PRIMARY:
        begun = sum(run.arm == arm + VALIDATION_SUFFIX for run in checked)
        epochs = validation_epochs(arm, spec)
        one = costs.training(arms[arm], epochs, is_validated=True, masked=is_masked(arm, spec))
        jobs += [one] * (validation - begun)
    if spec.compare.ablation and not primary_only:
        # Until the winner is known, the mean over those that may win stands for it.
        left = fmean(
            ablation_trainings_left(checked, arms["baseline"][0], candidate, spec=spec)
            for candidate in arms["winner"]
        )
        one = costs.training(arms["winner"], whole, is_validated=True)
        jobs += [one] * round(left)
    if spec.compare.control and (control is None or control.status == "running"):
        jobs.insert(0, costs.control())
    return jobs


def possible_arms(
    spec: StudySpec,
    plan: SearchState | None,
    trials: Sequence[Trial],
    *,
    primary_only: bool = False,
) -> dict[str, list[Configuration]]:
    """Returns the arms that will be trained, each with the configurations that it may have."""
    whole = spec.search.max_epochs
    has_ended = plan is not None and plan.stopped is not None
    if has_ended and ranking(trials, spec.study.direction, max_epochs=whole):
        planned = plan_comparison(spec, trials).arms
        return {
            arm: [configuration]
            for arm, configuration in planned.items()
            if arm in PRIMARY or not primary_only
        }
    candidates = possible_winners(plan, trials) or [spec.baseline.configuration]
    base = [spec.baseline.configuration]
    arms = {"baseline": base, "winner": candidates}
    if primary_only:
        return arms
    if spec.protocol.masked:
        arms[MASKED_BASELINE] = base
    dimensions = spec.space.dimensions()
    # Which of a builder's hyperparameters are its recipe is not known: it has no such arm.
    if spec.builder is None and any(
        row.part == "recipe" and not isinstance(dimensions[name], Fixed)
        for name, row in HYPERPARAMETERS.items()
    ):
        arms[RECIPE_BASELINE] = base
    others = min(spec.compare.runner_ups, max(0, _full_budget(plan, whole) - 1))
    return arms | {f"{RUNNER_UP}{place + 1}": candidates for place in range(others)}


def _full_budget(plan: SearchState | None, epochs: int) -> int:
    """Counts the trials that the search trains for its full budget."""
    brackets = plan.brackets if plan is not None else ()
    return sum(
        each.trials
        for bracket in brackets
        if bracket.role == "search"
        for each in bracket.rounds
        if each.budget_epochs == epochs
    )


def _is_of(trial: Trial, bracket: BracketState) -> bool:
    of = (bracket.role, bracket.iteration, bracket.bracket)
    return (trial.role, trial.iteration, trial.bracket) == of


def _without(slots: Sequence[Configuration], begun: Sequence[Configuration]) -> list[Configuration]:
    """Returns the slots whose trials have not begun; two may be of one configuration."""
    return list((Counter(slots) - Counter(begun)).elements())


def _rest(training: Trial | Run, costs: Costs, *, evaluations: int = 0) -> float:
    """Returns the seconds of the epochs that are left of a training."""
    target = training.protocol_epochs if isinstance(training, Run) else training.budget_epochs
    own = target if isinstance(training, Run) else target - training.initial_epoch
    return costs.training(
        [training.configuration],
        max(0.0, own - len(training.epochs) - costs.share_done(_name_of(training))),
        is_validated=_is_validated(training),
        masked=training.masked,
        evaluations=evaluations,
    )


def _has_ended(training: Trial | Run) -> bool:
    return training.status in ("completed", "failed")


def _is_validated(training: Trial | Run) -> bool:
    return isinstance(training, Trial) or training.trained_on == "train"


def _name_of(training: Trial | Run) -> str:
    return training.trial_id if isinstance(training, Trial) else training.run_id
