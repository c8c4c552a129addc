"""Finds out what a custom builder declares, by building networks with it.

`python -m lstm_study.model.exploration` is not a command for users: it reads `[model]`,
`[protocol]` and `[baseline]` as JSON from its input and prints what it found, so that the process
that keeps a study's records runs no code of its user, and holds no memory of a GPU.

A hyperparameter may be asked for inside an `if` or a loop, as Keras Tuner's own examples do. So the
builder is called with every default, and then with other values of each hyperparameter in turn:
those that change what is asked for become conditions, beside those that the builder states. Then
any two values are tried together, which finds what depends on several (`if a and b`). What such
conditions can't say (`if a or b`) is refused.
"""

import itertools
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import keras_tuner
import numpy as np

from lstm_study.configuration import HYPERPARAMETERS, STUDYS_OWN
from lstm_study.errors import BuilderError, StudyError
from lstm_study.model.builder import build_own, builder_errors, call
from lstm_study.spec import Choices, Declared, Fixed, ModelTable, ProtocolTable, Range
from lstm_study.spec.model import is_active
from lstm_study.spec.space import own_configuration

_MOST_TRIED = 32
_MOST_BUILDS = 400
_MOST_CHECKS = 60
_SEED = 1
RESERVED = frozenset({
    "arm", "bracket", "budget_epochs", "ended_at", "epoch", "epochs", "epochs_trained",
    "error", "failed", "failure_kind", "failure_message", "fresh_mean", "initial_epoch",
    "iteration", "label", "left_out", "masked", "parameter_count", "parent",
    "predict_1000_seconds", "protocol_epochs", "purpose", "rank", "role", "round", "run_id",
    "score", "score_best_epoch", "score_last_epoch", "seconds", "seconds_per_epoch", "seed",
    "seed_index", "seeds", "started_at", "status", "test_accuracy", "test_accuracy_high",
    "test_accuracy_kept", "test_accuracy_low", "test_accuracy_mean",
    "test_accuracy_mean_high", "test_accuracy_mean_low", "test_accuracy_sd", "test_loss",
    "test_loss_mean", "test_reviews", "test_seconds", "times", "trained_as", "trained_on",
    "training_seconds_mean", "trial_id", "trial_ids", "worker",
})  # fmt: skip
"""Columns of tables that have one for each hyperparameter, too: no builder may declare these."""


@dataclass(slots=True)
class _Tried:
    """What the builder asked for with some values of one hyperparameter, the rest as in `base`."""

    name: str
    base: Mapping[str, Any]
    asked: dict[Any, set[str]] = field(default_factory=dict)


def explore(
    model: ModelTable, *, protocol: ProtocolTable, baseline: Mapping[str, Any]
) -> ModelTable:
    """Returns a builder with what it declares, after its networks were found fit to be trained.

    Args:
        model: The builder, with its text.
        protocol: Of the study.
        baseline: Values by name, as far as the study file gives them: a network of these is built
            and trained for one step, and one of the defaults.

    Raises:
        BuilderError: It fails, or what it builds or declares can't be studied.
    """
    found = _Exploration(model)
    found.run()
    declared = {name: found.declared(name) for name in found.parameters}
    found.check(declared)
    model = model.model_copy(update={"hyperparameters": declared})
    defaults = {name: each.default for name, each in declared.items()}
    known = {name: value for name, value in baseline.items() if name in declared}
    for values in (defaults, defaults | known):
        compiled = _check_training(model, values, protocol=protocol)
    return model.model_copy(
        update={"is_compiled": compiled, "parameter_count": found.parameter_count}
    )


class _Exploration:
    """Calls a builder with different values, and keeps what it asked for.

    Attributes:
        parameters: Keras Tuner's, by name, each after those that it may depend on.
        parameter_count: Of the largest network.
    """

    def __init__(self, model: ModelTable) -> None:
        self._model = model
        self.parameters: dict[str, Any] = {}
        self.parameter_count = 0
        self._tried: list[_Tried] = []
        self._explored: set[str] = set()
        self._asked: dict[frozenset[tuple[str, Any]], set[str]] = {}
        self._builds = 0

    def run(self) -> None:
        """Explores from the defaults, and then from values of several at once."""
        self._explore([{}])
        while parents := self._parents_together():
            bases = [base for name, others in parents for base in self._vary(name, others)]
            self._explore(bases)

    def _explore(self, pending: list[dict[str, Any]]) -> None:
        """Varies what is asked for with some values, until nothing new is asked for."""
        while pending:
            base = pending.pop(0)
            for name in [name for name in self._call(base) if name not in self._explored]:
                self._explored.add(name)
                pending += self._vary(name, base)

    def _parents_together(self) -> list[tuple[str, dict[str, Any]]]:
        """Finds a network of which the conditions do not say what it asks for.

        Returns the hyperparameters that this depends on, each with the values of all others that it
        is to be varied beside. Empty where there is no such network, or all were varied so before.
        """
        varied = [(tried.name, tried.base) for tried in self._tried]
        declared = {name: self.declared(name) for name in self.parameters}
        for values in self._together():
            asked = self._call(values)
            unlike = asked - self._explored or _active(values, declared) - asked
            parents = []
            for name, value in values.items():
                others = {each: other for each, other in values.items() if each != name}
                default = self.parameters[name].default
                if unlike and value != default and (name, others) not in varied:
                    changed = self._call({**others, name: default}) ^ asked
                    parents += [(name, others)] if changed & unlike else []
            if parents:
                return parents
        return []

    def _vary(self, name: str, base: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Tries the ends of a hyperparameter, and all its values where those differ."""
        parameter = self.parameters[name]
        default = parameter.default
        tried = _Tried(name=name, base=base)
        self._tried.append(tried)
        ends, rest = _values(parameter)
        tried.asked[default] = self._call(dict(base))
        for value in ends:
            if value not in tried.asked:
                tried.asked[value] = self._call({**base, name: value})
        if len({frozenset(asked) for asked in tried.asked.values()}) > 1:
            if rest is None:
                raise self._error(
                    f"asks for other hyperparameters with other values of {name!r}, which has more "
                    f"than {_MOST_TRIED}. Declare them in hp.conditional_scope(...), or give "
                    f"{name!r} fewer values"
                )
            for value in rest:
                if value not in tried.asked:
                    tried.asked[value] = self._call({**base, name: value})
        known = tried.asked[default]
        for value, asked in tried.asked.items():
            if not asked <= known:
                known = known | asked
                yield {**base, name: value}

    def declared(self, name: str) -> Declared:
        """Returns a hyperparameter as the study file's own dimensions say it."""
        parameter = self.parameters[name]
        when = {each.name: list(each.values) for each in parameter.conditions}
        for tried in self._tried:
            with_it = [value for value, asked in tried.asked.items() if name in asked]
            if with_it and len(with_it) < len(tried.asked) and tried.name not in when:
                when[tried.name] = sorted(with_it)
        kind, dimension = self._dimension(name, parameter, when or None)
        default = parameter.default
        return Declared(
            kind=kind, default=float(default) if kind == "number" else default, dimension=dimension
        )

    def check(self, declared: Mapping[str, Declared]) -> None:
        """Compares what networks ask for, of any two values together, with the conditions.

        Raises:
            BuilderError: One asks for others than the conditions say.
        """
        for values in self._together():
            differing = self._call(values) ^ _active(values, declared)
            wrong = next((name for name in self.parameters if name in differing), None)
            if wrong is not None:
                raise self._error(
                    f"asks for {wrong!r} in some networks only, depending on several other "
                    "hyperparameters at once. Ask for it in every network, outside of the branch"
                )

    def _together(self) -> Iterator[dict[str, Any]]:
        """Yields values such that any two at the ends come together, as far as builds are left."""
        ends = {name: _values(parameter)[0] for name, parameter in self.parameters.items()}
        for values in itertools.islice(_pairs(ends), _MOST_CHECKS):
            if self._builds < _MOST_BUILDS or frozenset(values.items()) in self._asked:
                yield values

    def _call(self, values: dict[str, Any]) -> set[str]:
        """Returns the names that are asked for with some values; builds each network once."""
        key = frozenset(values.items())
        if key not in self._asked:
            self._asked[key] = self._build(values)
        return self._asked[key]

    def _build(self, values: dict[str, Any]) -> set[str]:
        self._builds += 1
        if self._builds > _MOST_BUILDS:
            raise self._error(
                f"must be explored by {_MOST_BUILDS} builds at most, and asks for more "
                "hyperparameters with each. Declare them outside of loops that depend on others"
            )
        keras.utils.clear_session()
        network, hp = call(self._model, values, seed=_SEED)
        self.parameter_count = max(self.parameter_count, _trainable(network))
        asked = set()
        for parameter in hp.space:
            known = self.parameters.setdefault(parameter.name, parameter)
            if _without_conditions(known) != _without_conditions(parameter) or (
                known.conditions != parameter.conditions
            ):
                raise self._error(
                    f"declares {parameter.name!r} twice, and not alike. Give each its own name"
                )
            if hp.is_active(parameter):
                asked.add(parameter.name)
        return asked

    def _dimension(self, name: str, parameter: Any, when: Any) -> Any:
        """Returns the kind and the dimension of one of Keras Tuner's hyperparameters."""
        self._check_name(name)
        kind = _kind_of(parameter.default)
        if isinstance(parameter, keras_tuner.engine.hyperparameters.Fixed):
            dimension: Any = Fixed(value=parameter.value)
            if when:
                dimension = Choices(choices=[parameter.value], when=when)
        elif isinstance(parameter, keras_tuner.engine.hyperparameters.Boolean):
            dimension = Choices(choices=[False, True], when=when)
        elif isinstance(parameter, keras_tuner.engine.hyperparameters.Choice):
            dimension = Choices(choices=list(parameter.values), when=when)
        elif parameter.min_value == parameter.max_value:
            dimension = Choices(choices=[parameter.min_value], when=when)
        elif parameter.sampling == "reverse_log":
            raise self._error(
                f'samples {name!r} by "reverse_log". Use "log" or "linear", or hp.Choice'
            )
        else:
            dimension = Range(
                min=parameter.min_value,
                max=parameter.max_value,
                step=parameter.step,
                sampling=parameter.sampling,
                when=when,
            )
        self._check_studys_own(name, kind, dimension)
        return kind, dimension

    def _check_name(self, name: str) -> None:
        if name in RESERVED or name.startswith("tuner/"):
            raise self._error(
                f"declares {name!r}, which is a column of the study's tables. Rename it"
            )

    def _check_studys_own(self, name: str, kind: str, dimension: Any) -> None:
        """Refuses values that the study can't read the reviews, or train, with."""
        if name not in STUDYS_OWN:
            return
        row = HYPERPARAMETERS[name]
        is_range = isinstance(dimension, Range)
        values = [dimension.min, dimension.max] if is_range else _listed(dimension)
        if kind not in (row.kind, "integer") or not all(row.low <= v <= row.high for v in values):
            raise self._error(
                f"declares {name!r}, which the study reads: it must be "
                f"{'an integer' if row.kind == 'integer' else 'a number'} in "
                f"[{row.low:g}, {row.high:g}]"
            )

    def _error(self, rule: str) -> BuilderError:
        return BuilderError(f"{self._model.file}: {self._model.function} {rule}.")


def _check_training(
    model: ModelTable, values: Mapping[str, Any], *, protocol: ProtocolTable
) -> bool:
    """Trains a network for one step on made-up reviews; returns whether the builder compiles it.

    Raises:
        BuilderError: It fails in training, on the study's token ids, or gives no probability.
    """
    keras.utils.clear_session()
    configuration = own_configuration(values)
    shape = (4, configuration.maxlen)
    network, _ = call(model, values, seed=_SEED)
    compiled = bool(network.compiled)
    network = build_own(model, configuration, protocol=protocol, seed=_SEED)
    ids = np.random.default_rng(_SEED).integers(0, configuration.vocabulary_size, shape, np.int32)
    ids[0, -1] = configuration.vocabulary_size - 1
    hint = "" if "vocabulary_size" in values else (
        "; hp.Fixed('vocabulary_size', N) in the builder says how many token ids it reads"
    )  # fmt: skip
    with builder_errors(
        model,
        f"a training step of {model.function} on token ids up to "
        f"{configuration.vocabulary_size - 1:,}{hint}",
    ):
        network.train_on_batch(ids, np.array([[0], [1], [1], [0]], np.float32))
    with builder_errors(model, f"a prediction of {model.function}"):
        probabilities = np.asarray(network.predict_on_batch(ids))
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise BuilderError(
            f"{model.file}: {model.function} must end with a probability from 0 to 1. Received: "
            f"{float(probabilities.flat[0]):g}. End it with Dense(1, activation='sigmoid')."
        )
    return compiled


def _values(parameter: Any) -> tuple[list[Any], list[Any] | None]:
    """Returns the values at the ends, and all values where there are few; words are all ends."""
    if isinstance(parameter, keras_tuner.engine.hyperparameters.Fixed):
        return [parameter.value], []
    if hasattr(parameter, "min_value"):
        ends = [parameter.min_value, parameter.max_value]
        step = parameter.step
        if step is None:
            return ends, None
        values = list(itertools.islice(parameter.values, _MOST_TRIED + 1))
        return ends[:1] + values[-1:] if len(values) <= _MOST_TRIED else ends, (
            values if len(values) <= _MOST_TRIED else None
        )
    values = list(parameter.values) if hasattr(parameter, "values") else [False, True]
    if isinstance(values[0], str | bool):
        return values, []
    return [values[0], values[-1]], values


def _pairs(values: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Yields a value of each name until any two values of two names have come together."""
    names = list(values)
    left = {
        (first, one, second, other)
        for first, second in itertools.combinations(names, 2)
        for one in values[first]
        for other in values[second]
    }

    def new(chosen: Mapping[str, Any]) -> set[tuple[str, Any, str, Any]]:
        pairs = itertools.combinations([name for name in names if name in chosen], 2)
        return {(one, chosen[one], other, chosen[other]) for one, other in pairs} & left

    while left:
        first, one, second, other = min(left, key=str)
        chosen = {first: one, second: other}
        for name in names:
            if name not in chosen:
                found = {value: len(new({**chosen, name: value})) for value in values[name]}
                chosen[name] = max(found, key=found.__getitem__)
        left -= new(chosen)
        yield chosen


def _active(values: Mapping[str, Any], declared: Mapping[str, Declared]) -> set[str]:
    return {name for name in declared if is_active(name, values, declared)}


def _kind_of(value: Any) -> Any:
    if isinstance(value, bool):
        return "switch"
    if isinstance(value, str):
        return "choice"
    return "integer" if isinstance(value, int) else "number"


def _listed(dimension: Any) -> list[Any]:
    return [dimension.value] if isinstance(dimension, Fixed) else list(dimension.choices)


def _without_conditions(parameter: Any) -> dict[str, Any]:
    return {key: v for key, v in parameter.get_config().items() if key != "conditions"}


def _trainable(network: Any) -> int:
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)


def main() -> None:
    """Reads what to explore as JSON, and prints what was found, or the error in one sentence."""
    given = json.load(sys.stdin)
    found: dict[str, Any]
    try:
        model = explore(
            ModelTable.model_validate(given["model"]),
            protocol=ProtocolTable.model_validate(given["protocol"]),
            baseline=given["baseline"],
        )
    except StudyError as error:
        found = {"error": str(error)}
    else:
        found = {"model": model.model_dump(mode="json")}
    # The builder may print, too: the last line is ours.
    sys.stdout.write("\n" + json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
