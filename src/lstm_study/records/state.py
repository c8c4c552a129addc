"""What a study's stages remember between commands, one class per file.

Unlike records they carry no kind: each is the only one of its kind in its file.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from lstm_study.configuration import Configuration
from lstm_study.records.strict import STRICT
from lstm_study.records.training import Role
from lstm_study.spec.quantities import counted

OWN_EPOCHS = "own epochs"
"""What `QuickState.left_out` calls the arms at their own epochs."""

VerdictKind = Literal["better", "worse", "no difference shown", "cannot say"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyState:
    """What the study began with: `study.json`.

    Attributes:
        schema_version: Of this file: 1 before files carried digests and were listed.
        spec: Every setting in force, as `StudySpec.model_dump(mode="json")` gives it.
        settings: The one-off `--set` changes in force.
        data_digest: `CorpusSummary.digest` of the reviews.
    """

    __pydantic_config__ = STRICT

    schema_version: int = 2
    spec: dict[str, Any]
    settings: tuple[str, ...]
    data_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundState:
    """One round of a bracket: how many trials it holds, and from which to which epoch."""

    trials: int
    initial_epoch: Annotated[int, Field(alias="from")]
    budget_epochs: Annotated[int, Field(alias="to")]


@dataclass(frozen=True, slots=True, kw_only=True)
class BracketState:
    """One bracket of the schedule, or the random control.

    `configurations` are those of its first round, None where the tuner has yet to propose one;
    empty in plans from before they were written down. A proposal is here before its trial begins.
    """

    iteration: int
    bracket: int
    role: Role = "search"
    rounds: tuple[RoundState, ...]
    configurations: tuple[Configuration | None, ...] = ()

    @property
    def in_words(self) -> str:
        """Its name, as in "bracket 2"."""
        if self.role == "control":
            return "random control"
        repeated = f", pass {self.iteration + 1}" if self.iteration else ""
        return f"bracket {self.bracket}{repeated}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchState:
    """The search's schedule, and how it ended: `plan.json`.

    Attributes:
        trials: Trials the schedule plans.
        epochs: Epochs the schedule plans.
        exhausted: Whether the space holds fewer configurations than the schedule wants.
        brackets: In the order they run.
        stopped: Why the search ended before its schedule did; "" if it did not, None while it has
            not ended.
        moved_aside: Ids of trials that a repair moved aside, or whose file was gone: they are
            trained again, whatever limit is reached. The ledger says it, too.
    """

    __pydantic_config__ = STRICT

    trials: int
    epochs: int
    exhausted: bool
    brackets: tuple[BracketState, ...]
    stopped: str | None = None
    moved_aside: tuple[str, ...] = ()

    def trials_of(self, role: Role) -> int:
        """Counts the trials that the schedule plans for the search, or for its random control."""
        return sum(
            each.trials
            for bracket in self.brackets
            if bracket.role == role
            for each in bracket.rounds
        )

    @property
    def in_words(self) -> str:
        """The schedule in one line; brackets that are alike in several passes are named once."""
        passes = Counter(
            (
                replace(bracket, iteration=0).in_words,
                " → ".join(
                    f"{each.trials} to epoch {each.budget_epochs}" for each in bracket.rounds
                ),
            )
            for bracket in self.brackets
        )
        parts = [
            f"{name}{f', {count} times' if count > 1 else ''}: {rounds}"
            for (name, rounds), count in passes.items()
        ]
        note = " (the space holds no more configurations)" if self.exhausted else ""
        return (
            f"{counted(self.trials, 'trial')}, {counted(self.epochs, 'epoch')}{note}: "
            + "; ".join(parts)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmsState:
    """The comparison's arms and their own epochs, fixed before test was opened: `arms.json`."""

    __pydantic_config__ = STRICT

    fixed_at: str
    arms: Mapping[str, Configuration]
    own_epochs: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedSeeds:
    """Seeds added to every arm: how many, when, by which command, after which verdict."""

    seeds: int
    added_at: str
    command: str
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedsState:
    """Every addition of seeds, in order of time: `seeds.json`."""

    __pydantic_config__ = STRICT

    added: tuple[AddedSeeds, ...] = ()

    @property
    def count(self) -> int:
        """How many seeds were added."""
        return sum(each.seeds for each in self.added)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickState:
    """That the comparison was shortened with `--quick`: `quick.json`.

    Attributes:
        at: When, ISO 8601 in UTC.
        seeds: Of winner and baseline that it trained at most.
        planned: Seeds of every arm that were planned.
        left_out: Arms and the like that it did without.
    """

    __pydantic_config__ = STRICT

    at: str
    seeds: int
    planned: int
    left_out: tuple[str, ...]

    @property
    def in_words(self) -> str:
        """What a reader of the verdict must know, as one of the study's deviations."""
        without = f", without {', '.join(self.left_out)}" if self.left_out else ""
        never = "; own epochs are never evaluated" if OWN_EPOCHS in self.left_out else ""
        return (
            f"the comparison was shortened with --quick on {self.at[:10]}: at first {self.seeds} "
            f"of {self.planned} seeds of winner and baseline{without}{never}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at the verdict: when, on how many runs of each arm, and what it was.

    `fraction` is the share of the declared maximum of seeds that had been run; None in looks from
    before there was a maximum.
    """

    at: str
    seeds: Mapping[str, int]
    kind: VerdictKind
    fraction: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictsState:
    """Every look at the verdict, in order of time: `verdicts.json`."""

    __pydantic_config__ = STRICT

    looks: tuple[Look, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportState:
    """What the last report was made with: `report.json`.

    Attributes:
        made_at: When, ISO 8601 in UTC.
        versions: Of the installed packages.
        git_commit: Of the checkout; "" outside one.
        model: Name of the bundle's folder; "" where there was none.
        trainings_sha256: What it was made from; None in reports from before that was kept.
        title: The study's then; None as above.
        export: `[export]` then; None as above.
    """

    __pydantic_config__ = STRICT

    made_at: str
    versions: Mapping[str, str]
    git_commit: str
    model: str
    trainings_sha256: str | None = None
    title: str | None = None
    export: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much of the comparison a command trains: `live/extent`. Not a record; it may be lost.

    Attributes:
        most_seeds: Seeds of each arm at most; None for all.
        primary_only: Whether winner and baseline alone are compared, without validation runs.
    """

    __pydantic_config__ = STRICT

    most_seeds: int | None = None
    primary_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Where a worker stands now: `live/WORKER.json`. Not a record; it may be lost.

    Attributes:
        training_id: The trial or run it trains; "" while it waits.
        epochs: The epoch that the training ends after.
        epoch: The epoch it is in, from 1.
        step: Training steps done in this epoch.
        steps: Training steps of this epoch.
        timed_steps: Of them, those since the first, which compiles.
        timed_seconds: Their wall time.
        train_accuracy: Of this epoch so far.
        at: When, in seconds since 1970.
    """

    __pydantic_config__ = STRICT

    training_id: str = ""
    epochs: int = 0
    epoch: int = 0
    step: int = 0
    steps: int = 0
    timed_steps: int = 0
    timed_seconds: float = 0.0
    train_accuracy: float | None = None
    at: float = 0.0
