"""Workers that share a machine's cores: busy ones also use the cores of idle ones."""

import os

from hypothesis import given
from hypothesis import strategies as st

from lstm_study.engine.core_sharing import CoreShare, CoreShares


def sharing(workers: int, cores: int) -> tuple[CoreShares, list[CoreShare]]:
    shares = CoreShares(workers)
    return shares, [
        CoreShare(shares.descriptor, index=index, cores=cores) for index in range(workers)
    ]


def test_the_file_has_its_room_before_workers_map_it():
    # Written to by way of a map, a file without room ends its process: SIGBUS.
    shares = CoreShares(2)
    assert os.fstat(shares.descriptor).st_blocks > 0
    shares.close()


def test_a_worker_that_is_alone_gets_all_cores():
    shares, (first, second) = sharing(workers=2, cores=8)
    with first.busy():
        with second.busy():
            assert (first.threads(), second.threads()) == (4, 4)
        assert first.threads() == 8
    shares.close()


@given(cores=st.integers(1, 40), busy=st.lists(st.booleans(), min_size=1, max_size=20))
def test_shares_add_up_to_the_cores_and_differ_by_one_at_most(cores, busy):
    shares, workers = sharing(workers=len(busy), cores=cores)
    at_work = [worker for worker, works in zip(workers, busy, strict=True) if works]
    contexts = [worker.busy() for worker in at_work]
    for context in contexts:
        context.__enter__()
    threads = [worker.threads() for worker in at_work]
    shares.close()
    if threads:
        assert max(threads) - min(threads) <= 1
        assert sum(threads) == max(cores, len(threads))


def test_the_cores_of_a_worker_that_died_go_to_the_others():
    shares, (first, second) = sharing(workers=2, cores=2)
    busy = second.busy()
    busy.__enter__()  # and is killed there
    with first.busy():
        assert first.threads() == 1
        shares.clear(1)
        assert first.threads() == 2
    shares.close()
