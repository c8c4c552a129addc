"""A custom builder: what it declares is found, its networks are trained, its faults named."""

import re

import numpy as np
import pytest

from lstm_study.errors import BuilderError
from lstm_study.export.own_network import OwnExport
from lstm_study.model import exploration
from lstm_study.model.builder import build_own, call
from lstm_study.model.exploration import explore
from lstm_study.model.grid import configuration_count, grid
from lstm_study.model.space import draw, hyperparameters
from lstm_study.spec import ModelTable, ProtocolTable, StudySpec
from tests.support import own

HEAD = """import keras
from keras import layers


def network(*outputs):
    return keras.Sequential([keras.Input((500,), dtype="int32"), layers.Embedding(50_000, 1),
                             layers.GlobalAveragePooling1D(), *outputs])


"""
PROBABILITY = 'network(layers.Dense(1, activation="sigmoid"))'


def problem(body: str) -> str:
    source = f"{HEAD}def build(hp):\n    {body}\n"
    with pytest.raises(BuilderError) as caught:
        explore(own.builder(source), protocol=ProtocolTable(), baseline={})
    return str(caught.value)


def test_what_is_declared_in_loops_branches_and_scopes_is_found_with_its_conditions():
    found = explore(own.builder(), protocol=ProtocolTable(), baseline={"convolutions": 2})
    assert found.hyperparameters == own.explored().model.hyperparameters
    assert list(found.hyperparameters or ()) == list(own.DECLARED)
    assert found.is_compiled is False
    assert found.parameter_count > 400


def test_drawn_configurations_are_different_networks_and_the_grid_has_each_once():
    space = own.explored(
        learning_rate={"kind": "number", "default": 0.01, "dimension": {"value": 0.01}}
    ).space
    # pooling "max" with five rates or "mean"; one convolution with two widths, or two with four.
    assert configuration_count(space) == 6 * 6 * 2
    every = list(grid(space))
    assert len(every) == len(set(every)) == 72
    assert set(draw(space, seed=1)) == set(every)


def test_a_loop_within_a_branch_is_searched():
    body = """
    kind = hp.Choice("kind", ["mean", "dense"])
    layers_of_kind = []
    if kind == "dense":
        for layer in range(hp.Int("layers", 1, 2)):
            layers_of_kind.append(layers.Dense(hp.Choice(f"width_{layer}", [2, 3])))
        if hp.Boolean("drops"):
            layers_of_kind.append(layers.Dropout(hp.Choice("dropout", [0.1, 0.2])))
    return network(*layers_of_kind, layers.Dense(1, activation="sigmoid"))
"""
    found = explore(
        own.builder(f"{HEAD}def build(hp):{body}"), protocol=ProtocolTable(), baseline={}
    )
    tables = own.explored().model_dump(mode="json") | {"model": found.model_dump(mode="json")}
    tables["baseline"] = {name: each.default for name, each in found.hyperparameters.items()}
    space = StudySpec.model_validate(tables, strict=False).space
    # "mean", or "dense" with one width or two of them, and no dropout or two rates.
    assert configuration_count(space) == 1 + (2 + 4) * (1 + 2)
    assert set(draw(space, seed=1)) == set(grid(space))
    hp = hyperparameters(space)
    hp.values.clear()
    hp.values.update(kind="dense", layers=1, drops=True)
    active = {each.name for each in hp.space if each.conditions and hp.is_active(each)}
    assert active == {"layers", "width_0", "drops", "dropout"}


_OF_TWO = """
    first, second = hp.Boolean("first"), hp.Boolean("second")
    kind = hp.Choice("kind", [1, 2, 3])
    if {}:
        return network(layers.Dense(hp.Int("width", 1, 2)), layers.Dense(1, activation="sigmoid"))
    return {}"""


@pytest.mark.parametrize(
    ("condition", "when"),
    [
        ("first and second and kind > 1", {"first": [True], "second": [True], "kind": [2, 3]}),
        ("first and not second", {"first": [True], "second": [False]}),
    ],
)
def test_what_depends_on_several_hyperparameters_at_once_is_found_with_all_conditions(
    condition, when
):
    body = _OF_TWO.format(condition, PROBABILITY)
    model = own.builder(f"{HEAD}def build(hp):\n    {body}\n")
    found = explore(model, protocol=ProtocolTable(), baseline={})
    assert found.hyperparameters is not None
    width = found.hyperparameters["width"].dimension
    assert width.when == when


def test_looking_at_values_together_takes_no_more_builds_than_exploring_leaves(monkeypatch):
    with monkeypatch.context() as alone:
        alone.setattr(exploration, "_MOST_CHECKS", 0)
        first = exploration._Exploration(own.builder())
        first.run()
    monkeypatch.setattr(exploration, "_MOST_BUILDS", first._builds)
    found = explore(own.builder(), protocol=ProtocolTable(), baseline={})
    assert found.hyperparameters == own.explored().model.hyperparameters


def test_conditions_that_a_study_cannot_have_are_refused_before_any_training():
    assert problem(_OF_TWO.format("first or second", PROBABILITY)) == (
        "own.py: build asks for 'width' in some networks only, depending on several other "
        "hyperparameters at once. Ask for it in every network, outside of the branch."
    )


def test_a_network_is_compiled_as_its_builder_does_or_else_by_the_protocol():
    spec = own.explored()
    values = spec.baseline.configuration
    for compiled, optimizer in ((False, "adam"), (True, "SGD")):
        network = build_own(
            spec.model, values.with_values(compiled=compiled), protocol=spec.protocol, seed=1
        )
        assert network.optimizer.name.lower().startswith(optimizer.lower())
        assert float(network.optimizer.learning_rate) == pytest.approx(0.01)
        logs = network.train_on_batch(
            np.ones((4, 8), np.int32), np.ones((4, 1), np.float32), return_dict=True
        )
        assert {"loss", "accuracy"} <= logs.keys()


def test_what_is_exported_says_whether_the_builder_compiles_that_very_network():
    spec = own.explored()
    for compiled in (False, True):
        values = spec.baseline.configuration.with_values(compiled=compiled)
        assert OwnExport.of(spec.model, values).is_compiled == compiled


def test_equal_seeds_give_equal_weights_and_others_do_not():
    spec = own.explored()
    first, again, other = (
        call(spec.model, spec.baseline.configuration.as_dict(), seed=seed)[0].get_weights()
        for seed in (1, 1, 2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return 3", "own.py, line 10: build must return a Keras model. Received: int."),
        ("raise KeyError('x')",
         "own.py, line 11: build(hp) must run without an error. Received: KeyError: 'x'."),
        ("return keras.Sequential([keras.Input((3,)), layers.Dense(1)])",
         ("own.py: the network of build on token ids (int32 [batch, 500]) must run without an "
          "error. Received: ValueError: Input")),
        ("return network(layers.Dense(2))",
         "own.py, line 10: the network of build must give one probability a review, (batch, 1)."),
        ("return network(layers.Dense(1, bias_initializer=keras.initializers.Constant(9)))",
         "own.py: build must end with a probability from 0 to 1. Received: "),
        (f"hp.Int('epochs', 1, 3); return {PROBABILITY}",
         "own.py: build declares 'epochs', which is a column of the study's tables. Rename it."),
        (f"hp.Choice('maxlen', ['a', 'b']); return {PROBABILITY}",
         "own.py: build declares 'maxlen', which the study reads: it must be an integer in"),
        (f"hp.Float('x', 1, 9, sampling='reverse_log'); return {PROBABILITY}",
         """own.py: build samples 'x' by "reverse_log". Use "log" or "linear", or hp.Choice."""),
    ],
)  # fmt: skip
def test_each_fault_is_one_sentence_with_its_line(body, said):
    assert problem(body).startswith(said)


def test_a_file_without_the_function_and_one_that_is_not_python_are_named():
    for source, said in (
        ("def other(hp):\n    pass\n",
         "own.py: must define the function build(hp) that model.builder names. Received: other."),
        ("def build(hp:\n", "own.py, line 1: importing the file must run without an error."),
        ("import not_installed\n",
         ("own.py, line 1: importing the file must run without an error. Received: "
         "ModuleNotFoundError: No module named 'not_installed'. A builder may import installed "
         "packages, and no file beside it: the study and the model keep this file alone.")),
    ):  # fmt: skip
        with pytest.raises(BuilderError, match=re.escape(said)):
            explore(own.builder(source), protocol=ProtocolTable(), baseline={})


def test_ids_that_the_network_does_not_know_are_found_before_any_training():
    source = HEAD.replace("50_000", "10") + f"def build(hp):\n    return {PROBABILITY}\n"
    with pytest.raises(BuilderError, match=r"token ids up to 49,999; hp.Fixed\('vocabulary_size'"):
        explore(own.builder(source), protocol=ProtocolTable(), baseline={})


def test_a_builder_that_asks_for_something_else_later_is_refused():
    spec = own.explored()
    model = ModelTable.model_validate(
        spec.model.model_dump() | {"source": own.BUILDER.replace("filters_{", "width_{")}
    )
    with pytest.raises(BuilderError, match="asks for 'width_0', which it did not when the study"):
        call(model, spec.baseline.configuration.as_dict(), seed=1)
