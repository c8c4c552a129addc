"""Replays studies: what would have been said of the time left, against what it took.

    python -m tests.support.replay study/reference/imdb tests/earlier_records/imdb

prints for each folder of records what was said at shares of its time, first at its own paces, then
at a steady one. Arms and finalists that the study was not asked for then are left out.
"""

import heapq
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from lstm_study.duration.costs import Costs
from lstm_study.duration.pace import Pace, corrected
from lstm_study.duration.time_left import TimeLeft, time_left
from lstm_study.records import Control, CorpusSummary, Run, Trial
from lstm_study.records.state import SearchState
from lstm_study.spec import StudySpec
from lstm_study.store import Store

SHARES = (0.0, 0.05, 0.25, 0.5)
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Replay:
    """A finished study, on a clock that counts time worked alone.

    Attributes:
        spec: What it was asked for.
        corpus: Its reviews in numbers.
        plan: Its search.
        trials: With the seconds at which they began, epochs and all ended, as `clock` reads them.
        runs: Likewise; one for each training.
        control: The classical control.
        sessions: (start, seconds worked) of each command, the start in seconds since 1970.
        workers: That shared the work.
    """

    spec: StudySpec
    corpus: CorpusSummary
    plan: SearchState
    trials: tuple[Trial, ...]
    runs: tuple[Run, ...]
    control: Control | None
    sessions: tuple[tuple[float, float], ...]
    workers: int

    @property
    def seconds(self) -> float:
        """Time worked on search and comparison."""
        return sum(seconds for _, seconds in self.sessions)

    def clock(self, moment: str) -> float:
        """Returns the seconds worked until a moment."""
        at = datetime.fromisoformat(moment).timestamp()
        return sum(min(seconds, max(0.0, at - start)) for start, seconds in self.sessions)

    def left_at(self, share: float, *, pace: Pace | None) -> TimeLeft | None:
        """Returns what is said of the time left at a share of the study's time."""
        at = share * self.seconds
        trials = [found for each in self.trials if (found := self._cut(each, at)) is not None]
        runs = [found for each in self.runs if (found := self._cut(each, at)) is not None]
        is_searched = len(trials) == len(self.trials) and all(
            trial.status != "running" for trial in trials
        )
        control = self.control
        if control is not None and self.clock(control.ended_at) > at:
            control = None
        return time_left(
            self.spec,
            corpus=self.corpus,
            plan=replace(self.plan, stopped="" if is_searched else None),
            trials=trials,
            runs=runs,
            control=control,
            pace=pace,
            workers=self.workers,
            more_seeds=max(run.seed_index for run in self.runs) - self.spec.compare.seeds,
        )

    def said(self, share: float, *, pace: Pace | None) -> float:
        """Returns the study's whole time as it is said at a share of it, over the true one."""
        left = self.left_at(share, pace=pace)
        assert left is not None
        return share + (left.search + left.comparison) / self.seconds

    def steady_pace(self) -> Pace:
        """Returns the mean pace of the whole study, as if it had been measured beforehand."""
        timed = Costs(self.spec, self.corpus).timed([*self.trials, *self.runs])
        found = corrected(None, timed, recent=len(timed))
        assert found is not None
        return replace(found, basis="the study's own mean pace")

    def at_a_steady_pace(self, pace: Pace, *, spread: float, seed: int = 1) -> "Replay":
        """Returns the same study as a machine of one pace would have trained it, as planned.

        Args:
            pace: The machine's.
            spread: Standard deviation of the logarithm of an epoch's seconds.
            seed: Of that noise.
        """
        costs, random = Costs(self.spec, self.corpus), np.random.default_rng(seed)
        costs.pace = pace
        search = self._scheduled(self.trials, 0.0, costs, random, spread)
        ended = max(_seconds_of(each.ended_at) for each in search)
        planned = [run for run in self.runs if run.seed_index <= self.spec.compare.seeds]
        compared = self._scheduled(planned, ended, costs, random, spread)
        control = self.control
        if control is not None:
            control = replace(control, ended_at=_moment(ended + costs.classical_control()))
        whole = max(_seconds_of(each.ended_at) for each in compared)
        return replace(
            self,
            trials=tuple(search),
            runs=tuple(compared),
            control=control,
            sessions=((_BEGINNING.timestamp(), whole),),
        )

    def _scheduled(
        self,
        trainings: Sequence[Any],
        start: float,
        costs: Costs,
        random: np.random.Generator,
        spread: float,
    ) -> list[Any]:
        free = [start + costs.pace.load_seconds] * self.workers
        found = []
        for each in sorted(trainings, key=lambda one: one.started_at):
            began = heapq.heappop(free)
            at, epochs = began + costs.pace.setup_seconds, []
            for epoch in each.epochs:
                (timed,) = costs.timed([replace(each, epochs=(epoch,))])
                seconds = costs.pace.seconds(timed.of_a_step, timed.work)
                seconds *= float(np.exp(random.normal(-(spread**2) / 2, spread)))
                at += seconds
                epochs.append(
                    replace(
                        epoch, train_seconds=seconds, validation_seconds=0.0, ended_at=_moment(at)
                    )
                )
            if isinstance(each, Run) and each.trained_on == "training":
                at += costs.training(
                    [each.configuration], 0, is_validated=False, masked=each.masked, evaluations=2
                )
            heapq.heappush(free, at)
            times = {"started_at": _moment(began), "ended_at": _moment(at)}
            found.append(replace(each, epochs=tuple(epochs), **times))
        return found

    def _cut(self, training: Any, at: float) -> Any:
        """Returns a training as it stood after so many seconds; None before it began."""
        if self.clock(training.started_at) >= at:
            return None
        if self.clock(training.ended_at) <= at:
            return training
        epochs = tuple(each for each in training.epochs if self.clock(each.ended_at) <= at)
        return replace(training, epochs=epochs, status="running")


def replay_of(folder: Path) -> Replay:
    """Reads a finished study's records."""
    store = Store(folder)
    spec, corpus, plan = store.read_spec(), store.read(CorpusSummary), store.read_state(SearchState)
    assert corpus is not None and plan is not None
    trials = tuple(store.read_trials())
    runs = tuple(run for run in store.read_runs() if not run.trained_as)
    brackets = tuple(
        replace(
            bracket,
            configurations=tuple(
                trial.configuration
                for trial in trials
                if (trial.role, trial.iteration, trial.bracket, trial.round)
                == (bracket.role, bracket.iteration, bracket.bracket, 0)
            ),
        )
        for bracket in plan.brackets
    )
    search, compare = spec.search, spec.compare
    if not any(trial.role == "finalist" for trial in trials):
        search = search.model_copy(update={"rerank": 0})
    if not any(run.arm.startswith("runner-up") for run in runs):
        compare = compare.model_copy(update={"runner_ups": 0})
    sessions = store.read_sessions()
    return Replay(
        spec=spec.model_copy(update={"search": search, "compare": compare}),
        corpus=corpus,
        plan=replace(plan, brackets=brackets),
        trials=trials,
        runs=runs,
        control=store.read(Control),
        sessions=tuple(
            (datetime.fromisoformat(each.started_at).timestamp(), each.seconds) for each in sessions
        ),
        workers=sessions[0].workers,
    )


def _moment(seconds: float) -> str:
    return (_BEGINNING + timedelta(seconds=seconds)).isoformat()


def _seconds_of(moment: str) -> float:
    return (datetime.fromisoformat(moment) - _BEGINNING).total_seconds()


def main() -> None:
    """Prints the table."""
    print("study | paces | true, s | " + " | ".join(f"said at {share:.0%}" for share in SHARES))
    for name in sys.argv[1:]:
        own = replay_of(Path(name))
        pace = own.steady_pace()
        steady = own.at_a_steady_pace(pace, spread=0.2)
        for words, replay in (("its own", own), ("steady", steady)):
            said = [f"{replay.said(share, pace=pace):.2f}" for share in SHARES]
            print(f"{name} | {words} | {replay.seconds:,.0f} | " + " | ".join(said))


if __name__ == "__main__":
    main()
