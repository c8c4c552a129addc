"""The kernels' thread pool."""

import pytest

from lstm_study.model.lstm.cpu import threads


@pytest.mark.parametrize("parts", [0, 1, 2, 5])
@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_each_part_is_worked_on_once_with_any_number_of_threads(parts, count):
    done = []
    threads.for_each(done.append, range(parts), threads=count)
    assert sorted(done) == list(range(parts))


def test_a_kernel_has_a_thread_where_all_are_lent(monkeypatch):
    monkeypatch.setattr(threads._budget, "count", lambda: 0)
    assert threads.thread_count() == 1
