"""Hyperparameters beyond the documented six: keys, conditions, and what follows from them."""

import pytest

from lstm_study.configuration import BASELINE, HYPERPARAMETERS, Configuration
from lstm_study.errors import SpecError
from lstm_study.spec import StudySpec, find_study, parse_spec
from tests.support.tiny import spec

PAIRS = "space.pair_vocabulary_size={choices=[0, 10, 20]}"


def test_a_study_that_opens_nothing_has_the_documented_values_and_says_nothing_of_the_others():
    study = spec()
    assert study.space.opened() == []
    assert study.hyperparameters == tuple(n for n, row in HYPERPARAMETERS.items() if row.is_core)
    assert not any("pooling" in key or "summed" in key for key in study.flat())
    assert study.baseline.configuration.opened() == ()


def test_an_open_study_sums_gradients_unless_it_says_otherwise_and_its_baseline_does_not():
    study = spec("space.pooling='max'")
    assert study.space.opened() == ["pooling", "summed_gradients"]
    assert not study.baseline.configuration.summed_gradients
    assert spec("space.pooling='max'", "space.summed_gradients=false").space.opened() == ["pooling"]
    assert spec("space.pooling='last'").space.opened() == []


def test_the_baseline_has_the_protocols_rate_where_the_space_opens_it():
    opened = "space.learning_rate={choices=[0.001, 0.01]}"
    assert spec().baseline.configuration.learning_rate is None
    assert (
        spec(opened, "protocol.learning_rate=0.005").baseline.configuration.learning_rate == 0.005
    )
    given = spec(opened, "baseline.learning_rate=0.002")
    assert given.baseline.configuration.learning_rate == 0.002
    assert "learning_rate" not in " ".join(spec(opened).deviations)
    assert "baseline learning_rate 0.002 (documented: 0.001)" in given.deviations
    batches = spec("space.batch_size={choices=[8, 16]}", "protocol.batch_size=16").deviations
    assert [each for each in batches if "batch_size" in each] == [
        "protocol batch_size 16 (documented: 64)"
    ]


def test_a_spec_comes_back_from_its_dump_with_the_same_values():
    study = spec(PAIRS, "space.learning_rate={min=0.001, max=0.01, sampling='log'}")
    assert StudySpec.model_validate(study.model_dump(mode="json"), strict=False) == study


def test_records_of_before_read_as_the_documented_values_and_labels_stay():
    old = {name: BASELINE.as_dict()[name] for name in list(HYPERPARAMETERS)[:7]}
    assert Configuration.from_dict(old) == BASELINE
    assert BASELINE.label == "128/100"
    assert BASELINE.description == "vocabulary 50,000, maxlen 500, 128/100, dropout 0.2/0.2"
    other = BASELINE.with_values(
        bidirectional=True, pooling="max", pair_vocabulary_size=50_000, summed_gradients=True,
        learning_rate=0.002,
    )  # fmt: skip
    assert other.label == "128/100 ↔ max + pairs"
    assert other.description.endswith("pairs 50,000, learning rate 0.002, summed gradients")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["space.pooling='sum'"], "space.pooling must hold 'last', 'mean', 'max', 'all'. Received"),
        (["space.pooling={min=0, max=1}"], "space.pooling must hold 'last'"),
        (["space.bidirectional=1"], "space.bidirectional must hold true or false. Received: 1"),
        (["space.learning_rate=-1.0"], "space.learning_rate must hold values in [1e-07, 10]"),
        (["baseline.pooling='sum'"], "baseline.pooling must be 'last', 'mean', 'max' or 'all'"),
        (
            ["space.word_dropout={min=0.0, max=0.2, step=0.1, when={pair_vocabulary_size=10}}"],
            "space.word_dropout.when.pair_vocabulary_size must be another hyperparameter with",
        ),
        (
            [PAIRS, "space.word_dropout={choices=[0.0, 0.1], when={pair_vocabulary_size=[5]}}"],
            "space.word_dropout.when.pair_vocabulary_size must be among the choices [0, 10, 20]",
        ),
        (
            ["space.word_dropout={choices=[0.0, 0.1], when={}}"],
            "space.word_dropout.when must name one hyperparameter",
        ),
    ],
)
def test_a_refusal_says_where_the_rule_and_what_was_received(settings, sentence):
    with pytest.raises(SpecError) as caught:
        spec(*settings)
    assert sentence in str(caught.value)


def test_the_packaged_open_study_trains_its_baseline_to_the_letter():
    text, where = find_study("imdb-open")
    study = parse_spec(text, where=where)
    assert study.baseline.configuration == BASELINE.with_values(learning_rate=0.001)
    assert (study.baseline.epochs, study.protocol.epochs) == (10, 4)
    assert study.space.conditions("word_dropout") == [("pair_vocabulary_size", [50_000, 100_000])]
