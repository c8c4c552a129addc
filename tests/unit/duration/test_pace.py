"""A machine's pace: between measured sizes, corrected by epochs, shared by workers."""

import pytest

from lstm_study.duration.pace import Pace, Timed, corrected, makespan

PACE = Pace(points=((1e6, 4e-9), (1e8, 1e-9)), basis="measured")


def test_between_two_sizes_the_pace_is_interpolated_and_beyond_them_it_is_theirs() -> None:
    assert PACE.seconds(1e6, 1e6) == pytest.approx(4e-3)
    # Halfway between on logarithms.
    assert PACE.seconds(1e7, 1e7) == pytest.approx(2e-2)
    assert PACE.seconds(1e10, 1e10) == pytest.approx(10.0)


def test_epochs_correct_what_was_measured_in_proportion() -> None:
    # 1,000 s predicted, 2,000 s taken; what was measured weighs 20 s.
    found = corrected(PACE, [Timed(of_a_step=1e8, work=1e12, seconds=2_000.0)])
    assert found is not None
    assert found.seconds(1e8, 1e9) == pytest.approx(2_020 / 1_020)
    assert found.basis == "the pace so far"
    # What holds up training holds up loading.
    assert found.load_seconds == pytest.approx(PACE.load_seconds * 2_020 / 1_020)
    assert found.setup_seconds == pytest.approx(PACE.setup_seconds * 2_020 / 1_020)


def test_without_a_measured_pace_epochs_alone_give_it() -> None:
    assert corrected(None, []) is None
    assert corrected(PACE, []) is PACE
    found = corrected(None, [Timed(of_a_step=1e8, work=1e9, seconds=3.0)])
    assert found is not None
    assert found.seconds(1e6, 2e9) == pytest.approx(6.0)
    # The factor is from seconds to work, and says nothing of how long loading takes.
    assert (found.load_seconds, found.setup_seconds) == (PACE.load_seconds, PACE.setup_seconds)


def test_an_epoch_that_compiled_counts_as_twice_the_others() -> None:
    usual = [Timed(of_a_step=1e8, work=1e9, seconds=1.0, ended_at=f"{n}") for n in range(4)]
    first = Timed(of_a_step=1e8, work=1e9, seconds=60.0, ended_at="")
    found = corrected(None, [first, *usual])
    assert found is not None
    assert found.seconds(1e8, 1e9) == pytest.approx((2 + 4) / 5)


def test_a_first_epoch_that_compiled_counts_as_twice_what_was_expected_of_it() -> None:
    first = Timed(of_a_step=1e8, work=1e9, seconds=60.0)
    found = corrected(PACE, [first])
    assert found is not None
    assert found.seconds(1e8, 1e9) == pytest.approx((20 + 2) / (20 + 1))


def test_the_most_recent_epochs_count() -> None:
    old = [Timed(of_a_step=1e8, work=1e9, seconds=9.0, ended_at="2025") for _ in range(100)]
    new = [Timed(of_a_step=1e8, work=1e9, seconds=1.0, ended_at="2026") for _ in range(40)]
    found = corrected(None, [*new, *old])
    assert found is not None
    assert found.seconds(1e8, 1e9) == pytest.approx(1.0)
    in_progress = Timed(of_a_step=1e8, work=1e9, seconds=5.0)
    found = corrected(None, [in_progress, *new], recent=1)
    assert found is not None
    assert found.seconds(1e8, 1e9) == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("jobs", "workers", "seconds"),
    [([3.0, 2.0, 2.0], 2, 4.0), ([5.0], 8, 5.0), ([1.0] * 6, 3, 2.0), ([2.0, 2.0], 1, 4.0)],
)
def test_workers_take_jobs_in_order_as_they_are_free(
    jobs: list[float], workers: int, seconds: float
) -> None:
    assert makespan(jobs, workers=workers) == seconds
