"""How many classes and places are planned, by what compiling costs; no JAX is needed to say."""

import functools
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_study.configuration import Configuration
from lstm_study.model.class_plan import PlannedWork, places_for, plan_classes
from lstm_study.model.shape_classes import ShapeClass

BASELINE = ShapeClass.of(Configuration(), batch_size=64)


def shape(embedding_dim: int, lstm_units: int, **values) -> ShapeClass:
    configuration = Configuration(
        embedding_dim=embedding_dim, lstm_units=lstm_units, maxlen=500, **values
    )
    return ShapeClass.of(configuration, batch_size=64)


def work(
    embedding_dim: int, lstm_units: int, *, epochs: float = 10, longest: int = 10
) -> PlannedWork:
    return PlannedWork(shape=shape(embedding_dim, lstm_units), longest=longest, epochs=epochs)


def test_small_networks_are_joined_and_large_ones_are_not_slowed_down_by_larger_ones():
    """A step of 256 units takes nearly three times as long as one of 128."""
    works = [work(16, 16), work(32, 32), work(64, 64), work(128, 128), work(128, 256, epochs=2)]
    works[3] = replace(works[3], epochs=300)

    planned = plan_classes(works, steps=313)

    assert planned[shape(16, 16)] == planned[shape(32, 32)] == planned[shape(64, 64)]
    assert planned[shape(16, 16)].lstm_units <= 128
    assert planned[shape(128, 128)].lstm_units == 128
    assert planned[shape(128, 256)].lstm_units == 256


sizes = st.sampled_from([16, 32, 64, 100, 128, 256])
works_of_a_plan = st.lists(
    st.builds(
        lambda e, u, v, t, n: PlannedWork(
            shape=ShapeClass.of(
                Configuration(embedding_dim=e, lstm_units=u, vocabulary_size=v, maxlen=t),
                batch_size=64,
            ),
            longest=n,
            epochs=n,
        ),
        sizes, sizes, st.sampled_from([5_000, 50_000]), st.sampled_from([80, 500]),
        st.integers(1, 30),
    ),
    min_size=1, max_size=12,
)  # fmt: skip


@settings(max_examples=40)
@given(works_of_a_plan)
def test_every_training_fits_its_class_and_no_class_is_larger_than_its_trainings_need(works):
    planned = plan_classes(works, steps=100)

    assert set(planned) == {each.shape for each in works}
    assert all(planned[each.shape].holds(each.shape) for each in works)
    for found in set(planned.values()):
        own = [each for each in planned if planned[each] == found]
        assert functools.reduce(ShapeClass.joined, own) == found


@settings(max_examples=30)
@given(works_of_a_plan, st.randoms())
def test_a_plan_does_not_depend_on_the_order_of_its_trainings(works, random):
    shuffled = list(works)
    random.shuffle(shuffled)

    assert plan_classes(works, steps=100) == plan_classes(shuffled, steps=100)


def test_places_are_few_numbers_and_no_more_of_them_idle_than_compiling_costs():
    """A member of the baseline's class takes half a millisecond of a step."""
    whole = shape(128, 128)
    few = {places_for(n, shape=whole, steps=300, on_gpu=True) for n in range(1, 65)}
    assert few == {1, 2, 4, 8, 16, 32, 64}
    for members in range(1, 65):
        for steps in (300, 3_000, 30_000):
            places = places_for(members, shape=whole, steps=steps, on_gpu=True)
            assert members <= places < 2 * members
            assert places <= members * 1.34 or (places - members) * steps * 0.53 <= 5_000
    assert places_for(5, shape=whole, steps=300, on_gpu=False) == 5
    assert places_for(0, shape=whole, steps=300, on_gpu=True) == 0


def test_layers_and_batch_sizes_are_not_joined():
    stacked = ShapeClass.of(Configuration(lstm_layers=2), batch_size=64)
    smaller = ShapeClass.of(Configuration(), batch_size=32)
    works = [
        PlannedWork(shape=each, longest=10, epochs=10) for each in (BASELINE, stacked, smaller)
    ]

    assert plan_classes(works, steps=313) == {each.shape: each.shape for each in works}
