"""What is kept of a row that is not measured to its end."""

from pathlib import Path

from tests.benchmarks.gpu import _option, _population
from tests.benchmarks.keeping import take
from tests.benchmarks.measure import BenchmarkError, Row, Settings, alternating, compared

SETTINGS = Settings(rounds=1, quick=True, data=None, scratch=Path())


def row(case: str, value: float, quantity: str = "wall time") -> Row:
    return Row(row="gpu-step", case=case, quantity=quantity, unit="ms", ours=[value])


def taken(measure):
    """Takes a row; returns what was kept each time, as (case, number or note), and the error."""
    kept = []

    def keep(rows):
        kept.append([(each.case, each.ours[0] if each.ours else each.note) for each in rows])

    return kept, take("gpu-step", measure, SETTINGS, keep)


def test_as_long_as_there_may_be_more_the_last_line_says_that_the_rest_is_missing():
    kept, error = taken(lambda _: [row("1", 10.0), row("4", 20.0)])
    rest = ("the rest", "not measured: the run ended before this row did")
    assert kept == [
        [("1", 10.0), rest],
        [("1", 10.0), ("4", 20.0), rest],
        [("1", 10.0), ("4", 20.0)],
    ]
    assert error is None


def test_a_later_line_replaces_the_one_of_its_case_and_quantity():
    kept, _ = taken(lambda _: [row("1", 10.0), row("4", 20.0), row("1", 11.0)])
    assert kept[-1] == [("1", 11.0), ("4", 20.0)]


def test_a_row_that_fails_keeps_its_numbers_and_says_so():
    def measure(_):
        yield row("1", 10.0)
        error = BenchmarkError("step: exit status -9\nkilled")
        error.add_note("3 of 10 epochs were saved")
        raise error

    kept, error = taken(measure)
    failed = "not measured: failed: killed; 3 of 10 epochs were saved"
    assert kept[-1] == [("1", 10.0), ("the rest", failed)]
    assert isinstance(error, BenchmarkError)


def test_a_row_that_fails_at_once_has_no_numbers():
    def measure(_):
        raise BenchmarkError("killed")

    kept, error = taken(measure)
    assert kept == [[("all", "not measured: failed: killed")]]
    assert error is not None


def test_a_side_that_is_not_measured_yet_leaves_ours_without_a_ratio():
    sides = {"ours": lambda number: [{"s": 10.0 + number}], "keras": lambda number: [{"s": 20.0}]}
    rows = [
        compared(found, "s", is_partial=True, row="study", case="")
        for found in alternating(sides, rounds=2)
    ]
    assert [(each.ours, each.ratios) for each in rows] == [
        ([10.0], []), ([10.0], [2.0]), ([10.0], [2.0]), ([10.0, 11.0], [2.0, 20 / 11]),
    ]  # fmt: skip


def test_members_that_are_left_out_say_why_and_those_measured_have_numbers():
    found = [{
        "14 0.2 ms": 14.0, "14 0.2 gb": 8.0, "14 0.2 sweeps": "kernels",
        "48 0.2 why_not": "9 s are left",
    }]  # fmt: skip
    share, memory = _population(14, found)
    assert (share.ours, memory.ours) == ([1.0], [8.0])
    assert [each.note for each in _population(48, found)] == ["not measured: 9 s are left"]
    assert list(_population(32, found)) == []


def test_options_are_compared_with_the_default_of_the_same_round():
    usual = {"14 0.2 ms": 28.0, "14 0.2 compile_s": 8.0}
    found = {
        "default options": [usual],
        "tiles": [{"14 0.2 ms": 14.0, "14 0.2 compile_s": 9.0}],
        "unknown": [{"14 0.2 why_not": "this JAX does not know the option"}],
    }
    share, first = _option(14, "default options", found)
    assert (share.ours, share.ratios, first.ours) == ([2.0], [], [8.0])
    share, first = _option(14, "tiles", found)
    assert (share.ours, share.ratios, first.ours) == ([1.0], [2.0], [9.0])
    (unknown,) = _option(14, "unknown", found)
    assert unknown.note == "not measured: this JAX does not know the option"
    assert list(_option(1, "tiles", found)) == []
