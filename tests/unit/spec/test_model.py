"""`[model]`: a custom builder in a study file, and what it declares in a record."""

import json

import pytest
from pydantic import ValidationError

from lstm_study.errors import SpecError
from lstm_study.records import Trial
from lstm_study.records.codec import from_json, to_json
from lstm_study.spec import Declared, StudySpec, parse_spec
from lstm_study.spec.changes import changes
from lstm_study.spec.errors import sentences
from lstm_study.spec.model import is_active
from tests.support import own
from tests.support.tiny import SPEC as LSTM


def problem(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        parse_spec(text, where="own.toml")
    return str(caught.value)


def baseline_problem(**baseline: object) -> str:
    tables = own.explored().model_dump(mode="json") | {"baseline": baseline}
    with pytest.raises(ValidationError) as caught:
        StudySpec.model_validate(tables, strict=False)
    return sentences(caught.value, where="own.toml", model=StudySpec)


def test_before_the_builder_is_asked_the_baseline_has_what_the_file_gives():
    found = own.spec()
    assert found.builder is not None
    assert not found.builder.is_explored
    assert dict(found.baseline.configuration.own or ()) == {
        "convolutions": 1, "filters_0": 4, "pooling": "mean", "compiled": False,
    }  # fmt: skip
    assert found.protocol.masked is False
    assert found.hyperparameters == ("vocabulary_size", "maxlen")


def test_once_asked_every_hyperparameter_has_a_value_and_a_row():
    found = own.explored()
    configuration = found.baseline.configuration
    assert (configuration.vocabulary_size, configuration.maxlen) == (100, 8)
    assert configuration.learning_rate == 0.01
    assert configuration.value("dropout") == 0.0, "inactive with pooling = mean: its default"
    assert configuration.label == "convolutions 1, filters_0 4, pooling mean, …"
    assert set(found.hyperparameters) == set(own.DECLARED)
    assert found.space.rows["pooling"].choices == ("max", "mean")
    assert found.space.conditions("filters_1") == [("convolutions", [2])]


def test_a_record_of_it_reads_as_the_same_study():
    found = own.explored()
    written = json.loads(json.dumps(found.model_dump(mode="json")))
    assert "space" not in written
    assert StudySpec.model_validate(written, strict=False) == found


def test_a_study_without_a_builder_is_recorded_as_before():
    written = parse_spec(LSTM, where="tiny.toml").model_dump(mode="json")
    assert "model" not in written
    assert "declared" not in written["space"]
    assert "own" not in written["baseline"]


def test_settings_show_what_is_searched_and_the_files_digest_not_its_text():
    flat = own.explored().flat()
    assert flat["space.dropout"] == {
        "min": 0.0, "max": 0.4, "step": 0.1, "sampling": "linear", "when": {"pooling": ["max"]},
    }  # fmt: skip
    assert flat["model.sha256"] == "0" * 64
    assert "model.source" not in flat


def test_another_file_or_baseline_is_another_study():
    before = own.explored()
    after = before.model_copy(
        update={"model": before.model.model_copy(update={"sha256": "1" * 64})}
    )
    found = changes(before.model_dump(mode="json"), after, is_compared=False)
    assert [each.partition(" ")[0] for each in found.refused] == ["model.sha256"]


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("[space]\nfilters = 3\n", "own.toml: space must not be given: own.py:build declares it."),
        ("", "own.toml: model.builder must name a file and a function in it"),
    ],
)
def test_what_does_not_go_with_a_builder_is_named(added, said):
    text = own.SPEC + added
    assert problem(text if added else text.replace("own.py:build", "own.py")).startswith(said)


def test_a_masked_protocol_is_refused_for_a_builder_reads_whole_reviews():
    text = own.SPEC.replace("[protocol]\n", "[protocol]\nmasked = true\n")
    assert "protocol.masked must be false: own.py:build reads whole, padded reviews" in problem(
        text
    )


def test_a_study_file_gives_the_builder_alone():
    text = own.SPEC.replace("[model]\n", '[model]\nsha256 = "0"\n')
    assert problem(text) == "own.toml: model.sha256 is not a known key. Known: builder."


@pytest.mark.parametrize(
    ("baseline", "said"),
    [
        ({}, "baseline needs a value of every hyperparameter that own.py:build declares: c"),
        ({"units": 3}, "baseline.units is not a hyperparameter that own.py:build declares"),
        ({"pooling": "sum"}, "baseline.pooling must be one of 'max', 'mean', as own.py:build"),
        ({"filters_0": 4.5}, "baseline.filters_0 must be an integer, as own.py:build declares it"),
        ({"compiled": 1}, "baseline.compiled must be true or false, as own.py:build declares it"),
    ],
)  # fmt: skip
def test_a_baseline_has_one_value_of_each_of_the_right_kind(baseline, said):
    whole = {"convolutions": 1, "filters_0": 4, "pooling": "mean", "learning_rate": 0.01,
             "compiled": False}  # fmt: skip
    assert f"own.toml: {said}" in baseline_problem(**(whole | baseline if baseline else {}))


def test_a_builder_from_a_setting_sets_the_lstms_space_and_baseline_aside():
    found = parse_spec(
        LSTM, where="tiny.toml", settings=["model.builder=own.py:build", "baseline.filters=4"]
    )
    assert dict(found.baseline.configuration.own or ()) == {"filters": 4}


def test_a_record_holds_a_builders_values_by_name_and_nothing_of_the_lstm():
    configuration = own.explored().baseline.configuration
    trial = Trial(
        trial_id="b0-00-r0", configuration=configuration, seed=1, iteration=0, bracket=0, round=0,
        initial_epoch=0, budget_epochs=1,
    )  # fmt: skip
    text = to_json(trial)
    written = json.loads(text)["configuration"]
    assert set(written) == {"vocabulary_size", "maxlen", "learning_rate", "own"}
    assert written["own"]["pooling"] == "mean"
    assert from_json(text, Trial, where="trial") == trial


def test_a_changed_hyperparameter_leaves_the_others():
    configuration = own.explored().baseline.configuration
    changed = configuration.with_values(pooling="max", maxlen=6)
    assert (changed.value("pooling"), changed.maxlen) == ("max", 6)
    assert [n for n in changed.names if changed.value(n) != configuration.value(n)] == [
        "maxlen", "pooling",
    ]  # fmt: skip


def test_what_depends_on_something_inactive_is_inactive():
    def declared(when):
        dimension = {"choices": [False, True], "when": when}
        return Declared.model_validate({"kind": "switch", "default": True, "dimension": dimension})

    found = {"kind": declared(None), "norm": declared({"kind": [True]})}
    found["scale"] = declared({"norm": [True]})
    assert is_active("scale", {}, found), "all are at their defaults"
    assert not is_active("scale", {"norm": False}, found)
    assert not is_active("scale", {"kind": False, "norm": True}, found)
