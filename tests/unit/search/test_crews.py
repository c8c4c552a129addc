"""Crews fall silent by the chief's own clock."""

from lstm_study.search.crews import Crews


class Clock:
    """Stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_crew_silent_for_longer_than_the_limit_is_given_up_once_and_for_all():
    clock = Clock()
    crews = Crews(silence_seconds=60, clock=clock)
    crews.join("a", workers=2)
    crews.join("b", workers=1)
    assert crews.workers == 3
    clock.now = 59.0
    assert crews.hear("b") == "member"
    assert crews.give_up_silent() == []
    clock.now = 61.0
    assert crews.give_up_silent() == ["a"]
    assert crews.give_up_silent() == []
    assert crews.names == ["b"]
    assert crews.given_up == ["a"]
    assert crews.hear("a") == "given_up"
    clock.now = 119.5
    assert crews.give_up_silent() == ["b"]


def test_a_crew_that_left_is_no_member_and_a_stranger_never_was():
    crews = Crews(silence_seconds=60)
    crews.join("a", workers=2)
    crews.leave("a")
    crews.leave("never came")
    assert crews.hear("a") == "stranger"
    assert crews.workers == 0


def test_who_came_and_went_is_told_once():
    clock = Clock()
    crews = Crews(silence_seconds=60, clock=clock)
    crews.join("a", workers=2)
    crews.join("b", workers=1)
    crews.leave("b")
    crews.leave("b")
    assert crews.news() == ["a joined, 2 workers", "b joined, 1 worker", "b left"]
    clock.now = 61.0
    crews.give_up_silent()
    assert crews.news() == ["a was silent for 60 s: others go on with its trials"]
    assert crews.news() == []
