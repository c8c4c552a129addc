"""How much disk the checkpoints of a search take at most: the bound, and whole schedules played."""

from lstm_study.configuration import BASELINE, Configuration
from lstm_study.schedule import hyperband
from lstm_study.search.disk import checkpoint_bytes, largest_configuration, peak_checkpoint_bytes
from lstm_study.search.plan import Plan, PlannedBracket, Slot
from tests.support.tiny import spec

LARGEST = Configuration(
    vocabulary_size=50_000, maxlen=500, embedding_dim=256, lstm_units=256, dropout=0.6,
    recurrent_dropout=0.6,
)  # fmt: skip
MB = 10**6


def plan_of(configuration: Configuration | None) -> Plan:
    """Keras Tuner's schedule of 30 trials, every slot with one configuration."""
    return Plan(
        brackets=tuple(
            PlannedBracket(
                bracket=bracket,
                slots=tuple(
                    Slot(name=f"b{bracket.bracket}-{n:02d}", configuration=configuration, seed=1)
                    for n in range(bracket.rounds[0].trials)
                ),
            )
            for bracket in hyperband(max_epochs=10, factor=3)
        ),
        exhausted=False,
    )


def test_a_checkpoint_holds_each_weight_and_its_optimizers_slots():
    assert checkpoint_bytes(BASELINE, optimizer="adam") // MB == 77  # 3 × 4 × 6,491,701
    assert checkpoint_bytes(BASELINE, optimizer="rmsprop") // MB == 51
    assert checkpoint_bytes(BASELINE, optimizer="sgd") // MB == 26
    assert checkpoint_bytes(LARGEST, optimizer="adam") // MB == 159


def test_with_one_worker_even_the_largest_networks_stay_under_a_gigabyte():
    peak = peak_checkpoint_bytes(plan_of(LARGEST), spec=spec(), workers=1)
    # Four that may be promoted, and the two files of the one in training.
    assert peak == 6 * checkpoint_bytes(LARGEST, optimizer="adam")
    assert peak < 1_000 * MB


def test_with_two_workers_two_brackets_may_be_open():
    peak = peak_checkpoint_bytes(plan_of(BASELINE), spec=spec(), workers=2)
    assert peak == (4 + 2 + 2 * 2) * checkpoint_bytes(BASELINE, optimizer="adam")


def test_a_slot_whose_configuration_is_not_known_yet_counts_as_the_largest():
    tiny = spec("space.lstm_units={min=1, max=99}")
    largest = largest_configuration(tiny.space)
    assert (largest.vocabulary_size, largest.embedding_dim, largest.lstm_units) == (100, 6, 99)
    unknown = peak_checkpoint_bytes(plan_of(None), spec=tiny, workers=1)
    assert unknown == peak_checkpoint_bytes(plan_of(largest), spec=tiny, workers=1)


def test_the_largest_network_may_be_one_whose_condition_fails():
    """Elsewhere a conditional hyperparameter has its documented value."""
    conditional = (
        "space.lstm_layers={choices=[1, 2]}",
        "space.lstm_units={min=1, max=9, when={lstm_layers=[2]}}",
    )
    assert largest_configuration(spec(*conditional).space).lstm_units == 100
