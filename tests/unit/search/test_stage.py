"""The limits of a search: what counts towards its time."""

from dataclasses import replace

from lstm_study.search.stage import Limits
from lstm_study.store import Store
from tests.support.fake_spec import fake_spec
from tests.support.fake_study import completed_study

STUDY = completed_study()


def test_the_training_of_its_finalists_takes_no_time_from_a_search_that_is_given_more(tmp_path):
    store = Store(tmp_path)
    (searched, *_) = STUDY.sessions
    (trial, *_) = [each for each in STUDY.trials if each.epochs]
    at = {1: "2030-01-01", 2: "2030-01-02", 3: "2030-01-03"}
    for day, seconds in ((1, 50.0), (2, 900.0), (3, 30.0)):
        store.write(replace(searched, started_at=f"{at[day]}T10:00:00.000Z", seconds=seconds))
    for trial_id, role, day in (("b0-00-r0", "search", 1), ("f-1-s1", "finalist", 2)):
        ended_at = f"{at[day]}T11:00:00.000Z"
        epochs = tuple(replace(epoch, ended_at=ended_at) for epoch in trial.epochs)
        store.write(replace(trial, trial_id=trial_id, role=role, epochs=epochs))
    limits = Limits(fake_spec(search__time_limit='"90s"'), store)
    assert limits.reached(9.0) == ""
    assert limits.reached(10.0) == "search.time_limit of 90s is reached"
