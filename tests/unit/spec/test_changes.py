"""What may change in a study that began, and what is refused by name."""

import pytest

from lstm_study.configuration import BASELINE
from lstm_study.errors import ChangedStudyError
from lstm_study.records import Run
from lstm_study.spec.changes import Changes, changes
from lstm_study.store import Store
from tests.support.fake_study import completed_study
from tests.support.tiny import SPEC, spec

RUN = Run(
    run_id="winner-s1", arm="winner", seed_index=1, seed=1, configuration=BASELINE,
    protocol_epochs=2,
)  # fmt: skip


def changed(before: str, after: str, *, is_compared: bool):
    began = spec(*([before] if before else [])).model_dump(mode="json")
    return changes(began, spec(*([after] if after else [])), is_compared=is_compared)


def test_a_key_that_is_newer_than_the_study_has_had_its_default():
    began = spec().model_dump(mode="json")
    del began["export"]["excerpts"], began["search"]["disk_limit"]
    assert changes(began, spec(), is_compared=True) == Changes(allowed=(), refused=())
    found = changes(began, spec("export.excerpts=false"), is_compared=True)
    assert found.allowed == ("export.excerpts was true, is false",)


def test_a_hyperparameter_is_shown_as_a_study_file_has_it_without_conditions_that_are_unset():
    after = "space.maxlen={ choices = [8, 9] }"
    (refused,) = changed("space.maxlen={ choices = [8, 12] }", after, is_compared=False).refused
    assert refused == 'space.maxlen was {"choices": [8, 12]}, is {"choices": [8, 9]}'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "compare.seeds=3"),
        ("", "compare.runner_ups=2"),
        ("", "compare.ablation=true"),
        ("compare.control=false", ""),
        ("", "export.ensemble=true"),
        ("export.ensemble=true", ""),
    ],
)
def test_what_only_adds_is_allowed_and_said_even_when_all_is_compared(before, after):
    found = changed(before, after, is_compared=True)
    assert found.refused == ()
    assert len(found.allowed) == 1
    assert (after or before).partition("=")[0] + " was " in found.allowed[0]
    assert not found.searches_on


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("search.max_trials=5", "search.max_trials=9"),
        ("search.max_trials=5", ""),
        ("search.time_limit='90m'", "search.time_limit='2h'"),
        ("search.disk_limit='900MB'", "search.disk_limit='1GB'"),
    ],
)
def test_a_limit_of_the_search_may_grow_until_test_is_opened_for_its_winner(before, after):
    found = changed(before, after, is_compared=False)
    assert (len(found.allowed), found.refused, found.searches_on) == (1, (), True)
    late = changed(before, after, is_compared=True)
    assert late.refused == (f"{found.allowed[0]} (the comparison has begun)",)
    assert (late.allowed, late.searches_on) == ((), False)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("compare.seeds=3", ""),
        ("compare.runner_ups=2", "compare.runner_ups=1"),
        ("compare.ablation=true", ""),
        ("", "compare.control=false"),
        ("", "compare.validation_seeds=2"),
    ],
)
def test_what_takes_away_or_unsettles_is_allowed_only_before_the_comparison(before, after):
    assert changed(before, after, is_compared=False).refused == ()
    (refused,) = changed(before, after, is_compared=True).refused
    assert refused.endswith(" (the comparison has begun)")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("", "search.max_epochs=9", "search.max_epochs was 3, is 9"),
        ("", "search.control='random'", 'search.control was "none", is "random"'),
        ("search.max_trials=9", "search.max_trials=5", "search.max_trials was 9, is 5"),
        ("", "search.time_limit='1h'", 'search.time_limit was unset, is "1h"'),
        ("", "protocol.epochs=3", "protocol.epochs was 2, is 3"),
        ("", "baseline.dropout=0.1", "baseline.dropout was 0.2, is 0.1"),
    ],
)
def test_what_the_search_or_the_protocol_was_is_refused_by_name(before, after, said):
    assert changed(before, after, is_compared=False).refused == (said,)


def test_titles_and_places_may_change_without_a_word():
    found = changed("study.title='a'", "data.path='elsewhere.csv'", is_compared=True)
    assert (found.allowed, found.refused) == ((), ())


def test_a_study_takes_up_what_was_added_and_refuses_what_was_seen(tmp_path):
    store = Store(tmp_path)

    def begin(*settings: str) -> tuple[str, ...]:
        return store.begin(spec(*settings), spec_text=SPEC, settings=settings, data_digest="digest")

    assert begin("compare.seeds=3") == ()
    store.write(completed_study().trials[0])
    assert begin() == ("compare.seeds was 3, is 2",)
    store.write(RUN)
    assert begin("compare.seeds=4", "export.ensemble=true") == (
        "compare.seeds was 2, is 4",
        "export.ensemble was false, is true",
    )
    with pytest.raises(ChangedStudyError, match=r"compare\.seeds was 4, is 2 \(the comparison has"):
        begin("export.ensemble=true")
    assert begin("compare.seeds=4", "export.ensemble=true") == (), "a refusal changes nothing"
