"""Which trainings one compiled program takes together; no JAX is needed to say."""

from dataclasses import replace

from lstm_study.configuration import Configuration
from lstm_study.model.shape_classes import ShapeClass, why_alone
from lstm_study.spec import ProtocolTable

BASELINE = ShapeClass.of(Configuration(), batch_size=64)


def shape(embedding_dim: int, lstm_units: int, **values) -> ShapeClass:
    configuration = Configuration(
        embedding_dim=embedding_dim, lstm_units=lstm_units, maxlen=500, **values
    )
    return ShapeClass.of(configuration, batch_size=64)


def test_the_baselines_100_units_are_padded_to_128_and_nothing_else():
    assert (
        ShapeClass(
            vocabulary_size=50_000,
            maxlen=500,
            embedding_dim=128,
            lstm_units=128,
            lstm_layers=1,
            batch_size=64,
        )
        == BASELINE
    )
    assert BASELINE.rows == 64


def test_sizes_are_rounded_to_what_the_kernels_take():
    found = ShapeClass.of(
        Configuration(embedding_dim=9, lstm_units=5, vocabulary_size=40), batch_size=50
    )

    assert (found.embedding_dim, found.lstm_units, found.rows) == (16, 16, 64)


def test_rates_seeds_and_budgets_are_no_part_of_a_class():
    assert ShapeClass.of(Configuration(dropout=0.5), batch_size=64) == BASELINE


def test_a_member_of_the_baselines_class_needs_some_hundred_megabytes():
    weights = 50_000 * 128
    kept = 500 * 64 * (14 * 128 + 8 * 128)

    assert BASELINE.member_bytes == 4 * (8 * weights + kept) == 565_248_000


def test_only_adam_and_the_lstm_are_trained_in_populations():
    assert why_alone(ProtocolTable(), Configuration()) == ""
    assert why_alone(ProtocolTable(optimizer="sgd"), Configuration()) == (
        "optimizer 'sgd': populations train with Adam"
    )
    opened = Configuration().with_values(pooling="max", learning_rate_schedule="linear")
    assert why_alone(ProtocolTable(), opened) == ""
    assert "builder" in why_alone(ProtocolTable(), Configuration(own=(("filters", 3),)))


def test_a_hyperparameter_that_populations_do_not_know_trains_alone():
    """A new row of the table must not be left out in silence."""

    class WithANewRow(Configuration):
        def opened(self):
            return ("pooling", "attention_heads")

    assert why_alone(ProtocolTable(), WithANewRow()) == (
        "attention_heads: populations do not know what that changes"
    )


def test_what_opens_the_network_is_of_its_class_and_directions_alone_are_not_joined():
    opened = {
        "pair_vocabulary_size": 1_000, "pooling": "max", "word_dropout": 0.1, "batch_size": 32,
    }  # fmt: skip
    found = ShapeClass.of(Configuration(**opened), batch_size=64)
    documented = replace(BASELINE, batch_size=32)
    both = ShapeClass.of(Configuration(bidirectional=True, **opened), batch_size=64)

    assert found == replace(documented, pair_rows=1_003, pools=True, drops_words=True)
    assert found.joined(documented) == found
    assert found.holds(documented) and not documented.holds(found)
    assert not both.is_joinable(found)
    assert str(both) == (
        "128/128 ↔ pooled, 500 tokens of 50,000 words and 1,003 pairs, batches of 32"
    )
    assert both.member_bytes > found.member_bytes > documented.member_bytes


def test_a_class_clips_if_any_of_its_members_does():
    plain, clipped = Configuration(), Configuration().with_values(clip_norm=1.0)
    classes = [ShapeClass.of(each, batch_size=64) for each in (plain, clipped)]
    assert [each.clips for each in classes] == [False, True]
    assert classes[0].joined(classes[1]) == classes[1] and classes[1].holds(classes[0])
