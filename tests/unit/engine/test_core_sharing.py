"""Workers that share a machine's processors by who is at work."""

from hypothesis import given
from hypothesis import strategies as st

from lstm_study.engine.core_sharing import Seat, Seats


def seated(workers: int, processors: int) -> tuple[Seats, list[Seat]]:
    names = [f"w{number}" for number in range(workers)]
    seats = Seats(names)
    return seats, [
        Seat(seats.descriptor, number=seats.number_of(name), processors=processors)
        for name in names
    ]


def test_who_is_left_alone_gets_all_processors():
    seats, (first, second) = seated(workers=2, processors=8)
    with first.taken():
        with second.taken():
            assert (first.share(), second.share()) == (4, 4)
        assert first.share() == 8
    seats.close()


@given(processors=st.integers(1, 40), at_work=st.lists(st.booleans(), min_size=1, max_size=20))
def test_shares_come_to_the_processors_and_differ_by_one_at_most(processors, at_work):
    seats, all_seats = seated(workers=len(at_work), processors=processors)
    taken = [seat for seat, works in zip(all_seats, at_work, strict=True) if works]
    contexts = [seat.taken() for seat in taken]
    for context in contexts:
        context.__enter__()
    shares = [seat.share() for seat in taken]
    seats.close()
    if shares:
        assert max(shares) - min(shares) <= 1
        assert sum(shares) == max(processors, len(shares))


def test_the_processors_of_a_worker_that_died_go_to_the_others():
    seats, (first, second) = seated(workers=2, processors=2)
    at_work = second.taken()
    at_work.__enter__()  # and is killed there
    with first.taken():
        assert first.share() == 1
        seats.vacate("w1")
        assert first.share() == 2
    seats.close()


def test_a_crew_may_be_without_workers():
    Seats([]).close()
