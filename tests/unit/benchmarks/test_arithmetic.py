"""The limit counts the multiplications and additions that a training step can't do without."""

from tests.benchmarks.arithmetic import operations, products
from tests.benchmarks.measure import slope


def test_the_documented_step_is_seventeen_and_a_half_billion_operations():
    step = products(embedding_dim=128, lstm_units=100, batch=64, steps=500)
    # Three passes, two operations, 64 reviews, 500 tokens, 400 gates, 128 inputs and 100 states.
    assert operations(step) == 3 * 2 * 64 * 500 * 400 * (128 + 100) == 17_510_400_000


def test_every_product_is_counted_as_often_as_a_step_makes_it():
    step = products(embedding_dim=2, lstm_units=3, batch=5, steps=7)
    assert {(p.rows, p.inner, p.columns, p.count) for p in step} == {
        (35, 2, 12, 1), (5, 3, 12, 7),
        (35, 12, 2, 1), (2, 35, 12, 1), (5, 12, 3, 7), (3, 35, 12, 1),
    }  # fmt: skip


def test_two_directions_compute_every_product_twice():
    shape = {"embedding_dim": 2, "lstm_units": 3, "batch": 5, "steps": 7}
    assert operations(products(**shape, directions=2)) == 2 * operations(products(**shape))


def test_an_exponent_is_read_off_any_power_law():
    assert round(slope([1, 2, 4], [3, 3 * 2**1.5, 3 * 4**1.5]), 9) == 1.5
    assert round(slope([10, 1000], [7, 7]), 9) == 0
