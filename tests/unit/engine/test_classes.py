"""Which trainings of a study go together, as its spec says before any is proposed."""

import itertools

import pytest

from lstm_study.configuration import BASELINE, Configuration
from lstm_study.engine.classes import Classes
from lstm_study.model.shape_classes import ShapeClass
from lstm_study.spec import find_study, parse_spec
from tests.support.tiny import spec

TEXT, NAME = find_study("imdb")
IMDB = parse_spec(TEXT, where=NAME)


def sizes(shape: ShapeClass) -> tuple[int, int]:
    return shape.embedding_dim, shape.lstm_units


def test_imdb_toml_has_three_classes_of_thirty_sizes():
    assert [sizes(shape) for shape in Classes(IMDB).planned] == [
        (128, 128),
        (256, 32),
        (256, 256),
    ]


def planned(*settings: str) -> tuple[ShapeClass, ...]:
    return Classes(parse_spec(TEXT, where=NAME, settings=settings)).planned


def test_a_grid_without_a_limit_is_planned_as_all_configurations_of_the_space():
    grid = 'search.tuner="grid"'
    whole = planned(grid, "search.max_trials=51450")

    assert planned(grid) == planned(grid, "search.max_trials=99999") == whole
    assert planned(grid, "search.max_trials=1") != whole


def test_a_grid_that_the_search_refuses_has_a_class_for_its_baseline():
    assert planned('search.tuner="grid"', "space.dropout={min=0.0, max=0.5}")


def test_every_configuration_of_the_space_has_one_of_the_planned_classes():
    classes = Classes(IMDB)
    space = {name: each.choices for name, each in IMDB.space.dimensions().items() if "dim" in name
             or "units" in name or name in ("vocabulary_size", "maxlen")}  # fmt: skip
    for values in itertools.product(*space.values()):
        configuration = Configuration(**dict(zip(space, values, strict=True)))
        found = classes.of(configuration)
        assert found in classes.planned
        assert found.holds(ShapeClass.of(configuration, batch_size=64))


def test_an_open_space_has_a_class_for_each_number_of_directions_and_none_is_left_out():
    text, name = find_study("imdb-open")
    study = parse_spec(text, where=name)
    classes = Classes(study)

    assert [shape.directions for shape in classes.planned] == [1, 2]
    for directions, pooling, pairs, dropped in itertools.product(
        (False, True), ("last", "mean", "all"), (0, 50_000), (0.0, 0.2)
    ):
        configuration = BASELINE.with_values(
            bidirectional=directions, pooling=pooling, pair_vocabulary_size=pairs, maxlen=300,
            word_dropout=dropped if pairs else 0.0, lstm_units=64, learning_rate_schedule="linear",
        )  # fmt: skip
        assert classes.of(configuration) in classes.planned


def test_searched_batch_sizes_have_classes_of_their_own():
    classes = Classes(spec("space.batch_size={choices=[16, 32]}"))

    assert {16, 32} <= {shape.batch_size for shape in classes.planned}


def test_the_baseline_is_of_the_class_that_its_size_is_searched_in():
    classes = Classes(IMDB)
    other_rates = BASELINE.with_values(dropout=0.5, recurrent_dropout=0.0)

    assert sizes(classes.of(BASELINE)) == (128, 128)
    assert classes.of(other_rates) == classes.of(BASELINE)


@pytest.mark.parametrize(
    "setting", ["space.lstm_units={min=3, max=99}", "space.embedding_dim={min=2, max=90, step=4}"]
)
def test_ranges_are_covered_to_their_ends(setting):
    study = spec(setting)
    most = {
        name: int(study.space.dimensions()[name].max)
        if name in setting
        else max(study.space.dimensions()[name].choices)
        for name in ("lstm_units", "embedding_dim")
    }
    classes = Classes(study)

    assert classes.of(Configuration(vocabulary_size=50, maxlen=6, **most)) in classes.planned


def test_what_was_not_planned_has_a_class_of_its_own_and_another_optimizer_none():
    larger = BASELINE.with_values(lstm_units=512)

    assert Classes(IMDB).of(larger) == ShapeClass.of(larger, batch_size=64)
    assert Classes(spec('protocol.optimizer="sgd"')).of(BASELINE) is None
