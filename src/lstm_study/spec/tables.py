"""The tables of a study file, one frozen model each, and the whole file: `StudySpec`."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from lstm_study.configuration import HYPERPARAMETERS, STUDYS_OWN
from lstm_study.objectives import OBJECTIVES, Direction
from lstm_study.schedule import hyperband
from lstm_study.spec.data import DataTable
from lstm_study.spec.dimensions import SpecTable
from lstm_study.spec.errors import broken
from lstm_study.spec.model import ModelTable, with_model
from lstm_study.spec.quantities import bytes_of, seconds_of
from lstm_study.spec.space import BaselineTable, SpaceTable, opened_in

MOST_TRIALS = 100_000
_FIELDS = {name: BaselineTable.model_fields[name].default for name in STUDYS_OWN}


class StudyTable(SpecTable):
    """`[study]`: what it is called, its one seed, and what the search maximises or minimises."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    title: str = ""
    seed: int = Field(ge=1, le=2**31 - 1)
    objective: Literal[tuple(OBJECTIVES)] = "validation_accuracy"  # type: ignore[valid-type]

    @property
    def heading(self) -> str:
        """The heading of its pages: its title, or its name if it has none."""
        return self.title or self.name

    @property
    def direction(self) -> Direction:
        """ "max" or "min": which end of the objective is better."""
        return OBJECTIVES[self.objective].direction


class SearchTable(SpecTable):
    """`[search]`: how the space is searched, and with what budget."""

    tuner: Literal["hyperband", "random", "bayesian", "grid"] = "hyperband"
    max_epochs: int = Field(ge=2, le=10_000)
    factor: int = Field(default=3, ge=2, le=10)
    iterations: int = Field(default=1, ge=1, le=1_000)
    score: Literal["last_epoch", "best_epoch"] = "last_epoch"
    include_baseline: bool = False
    rerank: int = Field(default=3, ge=0, le=100)
    control: Literal["none", "random"] = "none"
    max_trials: int | None = Field(default=None, ge=1, le=MOST_TRIALS)
    time_limit: str | None = None
    disk_limit: str | None = None

    @model_validator(mode="after")
    def _has_a_budget(self) -> Self:
        if self.tuner in ("random", "bayesian") and self.max_trials is None:
            raise broken(f'is needed when search.tuner is "{self.tuner}"', "None", key="max_trials")
        for name, read in (("time_limit", seconds_of), ("disk_limit", bytes_of)):
            value = getattr(self, name)
            if value is not None:
                try:
                    read(value)
                except ValueError as error:
                    raise broken(str(error), repr(value), key=name) from None
        if self.tuner == "hyperband":
            once = hyperband(max_epochs=self.max_epochs, factor=self.factor)
            trials = self.iterations * sum(bracket.trials for bracket in once)
            if trials > MOST_TRIALS:
                raise broken(
                    f"must plan {MOST_TRIALS:,} trials at most: lower max_epochs or iterations",
                    f"{trials:,} trials",
                )
        return self

    @property
    def time_limit_seconds(self) -> int | None:
        """The time limit in seconds of work; None without one."""
        return None if self.time_limit is None else seconds_of(self.time_limit)

    @property
    def disk_limit_bytes(self) -> int | None:
        """The limit on the study's folder in bytes; None without one."""
        return None if self.disk_limit is None else bytes_of(self.disk_limit)


class ProtocolTable(SpecTable):
    """`[protocol]`: how every network is trained; `epochs` is the retraining's.

    With `masked` padding is masked, and reviews of similar length share a batch, which is cut to
    their length: see `corpus/buckets.py`. The arm `baseline` is never masked, as documented.
    """

    epochs: int = Field(default=10, ge=1, le=10_000)
    batch_size: int = Field(default=64, ge=1, le=65_536)
    optimizer: Literal["adam", "rmsprop", "sgd"] = "adam"
    learning_rate: float = Field(default=0.001, gt=0.0, le=10.0)
    masked: bool = True


class CompareTable(SpecTable):
    """`[compare]`: which arms are retrained, and with how many seeds.

    Baseline and winner are each also trained `validation_seeds` times without the validation
    reviews. These trainings choose both arms' own epochs and show how optimistic the search's score
    of its winner is. With 0 there are no arms at their own epoch. `most_seeds` is the declared
    maximum of seeds, over which all looks at the verdict share one error; `seeds` where it is not
    given.
    """

    seeds: int = Field(default=14, ge=1, le=1_000)
    most_seeds: int | None = Field(default=None, ge=1, le=1_000)
    stop: Literal["at seeds", "when settled"] = "at seeds"
    validation_seeds: int = Field(default=3, ge=0, le=1_000)
    runner_ups: int = Field(default=0, ge=0, le=100)
    control: bool = True
    ablation: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.ablation and self.validation_seeds == 0:
            raise broken("needs compare.validation_seeds >= 1", "true", key="ablation")
        if self.most_seeds is not None and self.most_seeds < self.seeds:
            rule = f"must be at least compare.seeds ({self.seeds})"
            raise broken(rule, str(self.most_seeds), key="most_seeds")
        if self.stop == "when settled" and self.most_seeds is None:
            raise broken("needs compare.most_seeds, the largest number", self.stop, key="stop")
        return self


class ExportTable(SpecTable):
    """`[export]`: what is published beside the winner's network and the report's numbers.

    With `calibrate` the exported network's probabilities are corrected by a temperature fitted on
    the validation runs. Excerpts are words of the test reviews on which winner and baseline differ
    most.
    """

    ensemble: bool = False
    calibrate: bool = True
    excerpts: bool = True


class StudySpec(SpecTable):
    """A whole study file, validated. Field names are the file's own."""

    study: StudyTable
    data: DataTable
    space: SpaceTable
    search: SearchTable
    protocol: ProtocolTable = ProtocolTable()
    baseline: BaselineTable = BaselineTable()
    compare: CompareTable = CompareTable()
    export: ExportTable = ExportTable()
    model: ModelTable = ModelTable()

    @model_validator(mode="before")
    @classmethod
    def _builder_gives_the_space(cls, tables: Any) -> Any:
        """A custom builder declares what is searched, and what the baseline has values of."""
        if not isinstance(tables, Mapping) or not _has_builder(tables.get("model")):
            return tables
        parts = [tables.get(name, {}) for name in ("space", "protocol", "baseline")]
        return with_model(tables) if all(isinstance(p, Mapping) for p in parts) else tables

    @model_serializer(mode="wrap")
    def _without_what_follows(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leaves out `[model]` if it is empty; with a builder, what follows from it."""
        tables: dict[str, Any] = handler(self)
        baseline = tables["baseline"]
        own = baseline.pop("own")
        if not self.model.builder:
            del tables["model"], tables["space"]["declared"]
            return tables
        declared = self.model.hyperparameters or {}
        fields = {n: baseline[n] for n in STUDYS_OWN if n in declared or baseline[n] != _FIELDS[n]}
        tables["baseline"] = {**fields, **own, "epochs": baseline["epochs"]}
        del tables["space"]
        return tables

    @model_validator(mode="before")
    @classmethod
    def _baseline_has_the_protocols_recipe(cls, tables: Any) -> Any:
        """Where the space opens what `[protocol]` gives, the baseline gets the protocol's value."""
        parts = [tables.get(name, {}) for name in ("space", "protocol", "baseline")]
        if not all(isinstance(part, Mapping) for part in parts) or "declared" in parts[0]:
            return tables
        space, protocol, baseline = parts
        missing = {
            name: protocol.get(name, ProtocolTable.model_fields[name].default)
            for name in opened_in(space)
            if HYPERPARAMETERS[name].documented is None and baseline.get(name) is None
        }
        return {**tables, "baseline": {**baseline, **missing}} if missing else tables

    def flat(self) -> dict[str, Any]:
        """Returns every setting as "table.key" → plain value; dimensions are small tables.

        Hyperparameters beyond the core are left out where they are at the documented value. Those
        of a custom builder are in "space", too; its source is left out, its digest is included.
        """
        tables = self.model_dump(mode="json")
        if self.model.builder:
            model = tables["model"]
            tables["space"] = {
                name: {key: item for key, item in each["dimension"].items() if item is not None}
                for name, each in (model.pop("hyperparameters") or {}).items()
            }
            del model["source"]
        return {
            f"{table}.{key}": value
            for table, values in tables.items()
            for key, value in values.items()
            if (table, key, value) != ("baseline", "epochs", None)
            and (
                self.model.builder
                or table not in ("space", "baseline")
                or key not in HYPERPARAMETERS
                or HYPERPARAMETERS[key].is_core
                or opened_in({key: value})
            )
        }

    @property
    def builder(self) -> ModelTable | None:
        """What builds the networks in the place of the LSTM; None for the LSTM."""
        return self.model if self.model.builder else None

    @property
    def hyperparameters(self) -> tuple[str, ...]:
        """The hyperparameters that concern this study: the core, and what it opens, in order."""
        if self.model.builder:
            return tuple(self.space.dimensions())
        opened = {*self.space.opened(), *self.baseline.configuration.opened()}
        return tuple(n for n, row in HYPERPARAMETERS.items() if row.is_core or n in opened)

    @property
    def baseline_is_documented(self) -> bool:
        """Whether the baseline is the documented network, trained as documented.

        That is possible even if the protocol differs, since the baseline may have its own epochs
        and learning rate.
        """
        documented = ProtocolTable()
        own = {name: getattr(self.baseline, name) for name in ("epochs", *HYPERPARAMETERS)}
        of_protocol = ("epochs", "batch_size", "optimizer", "learning_rate")
        return (
            not self.model.builder
            and all(
                value in (None, HYPERPARAMETERS[name].documented)
                for name, value in own.items()
                if name not in of_protocol
            )
            and all(
                (own.get(name) or getattr(self.protocol, name)) == getattr(documented, name)
                for name in of_protocol
            )
        )

    @property
    def deviations(self) -> list[str]:
        """How baseline and protocol differ from the documented ones, in words; empty if not.

        `protocol.masked` does not count: the baseline is unmasked in any case.
        """
        documented_protocol = ProtocolTable()
        found = []
        if self.model.builder:
            found.append(f"baseline and networks built by {self.model.builder}")
        for name, row in HYPERPARAMETERS.items() if not self.model.builder else ():
            value, documented = getattr(self.baseline, name), row.documented
            if documented is None:
                documented = getattr(documented_protocol, name)
                if value in (None, getattr(self.protocol, name)):
                    continue  # the protocol's, which is compared below
            if value != documented:
                found.append(f"baseline {name} {_words(value)} (documented: {_words(documented)})")
        found += [
            f"protocol {name} {value} (documented: {documented})"
            for name, documented in documented_protocol.model_dump(exclude={"masked"}).items()
            if (value := getattr(self.protocol, name)) != documented
        ]
        return found


def _has_builder(model: Any) -> bool:
    given = model.get("builder") if isinstance(model, Mapping) else getattr(model, "builder", "")
    return isinstance(given, str) and given != ""


def _words(value: Any) -> str:
    return str(value) if isinstance(value, bool | str) else f"{value:g}"
