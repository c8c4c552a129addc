"""A population against trainings of its members alone, by Keras on JAX."""

import gc
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lstm_study.configuration import Configuration
from lstm_study.corpus.text.pairs import TrainingPairs
from lstm_study.errors import DivergedError, RecordError, StoreError
from lstm_study.spec import ProtocolTable
from tests.support.classes import class_of
from tests.support.on_jax import (
    ON_JAX,
    WHOLE_FILE_SECONDS,
    as_if_on_a_card,
    needs_jax,
    run_on_jax,
    starts_jax,
)
from tests.support.tiny import split

if ON_JAX:
    import jax

    from lstm_study.model.lstm import gpu_limits
    from lstm_study.model.lstm.members import INTERPRETED, PALLAS, SCAN
    from lstm_study.model.population.network import sum_by_id
    from lstm_study.model.population.steps import read_batches, train_steps
    from lstm_study.model.shape_classes import ShapeClass
    from lstm_study.training import member_checkpoints, members, on_device
    from lstm_study.training import population as module
    from lstm_study.training.checkpoint import Checkpoint, read_checkpoint
    from lstm_study.training.inputs import inputs_of
    from lstm_study.training.member_state import own_variables, own_weights, padded_state
    from lstm_study.training.members import Ended, Member
    from lstm_study.training.on_device import (
        empty_state,
        initial_variables,
        reviews_of,
        settings_of,
    )
    from lstm_study.training.population import train_population
    from lstm_study.training.training import (
        Training,
        epoch_batches,
        predict,
        predict_earlier,
        train,
    )

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SMALL = Configuration(
    vocabulary_size=100, maxlen=8, embedding_dim=6, lstm_units=5, dropout=0.3, recurrent_dropout=0.2
)
OPENED = {
    "bidirectional": True, "pooling": "all", "pair_vocabulary_size": 50_000, "word_dropout": 0.1,
}  # fmt: skip
PROTOCOL = ProtocolTable(batch_size=16)
PAIRS = TrainingPairs(split(60).token_ids, split(60).offsets)
REVIEWS, VALIDATION, TEST = (
    replace(each, pairs=PAIRS)
    for each in (split(60), split(24, name="validation", seed=2), split(30, name="test", seed=3))
)


def trainings() -> dict[str, "Training"]:
    """Five that differ in all that may differ; the fourth diverges (see `poisoned`)."""
    return {
        "a": Training(configuration=SMALL, protocol=PROTOCOL, seed=7, epochs=3, masked=True),
        "unmasked": Training(
            configuration=replace(SMALL, maxlen=11, recurrent_dropout=0.0, lstm_units=16),
            protocol=PROTOCOL.model_copy(update={"learning_rate": 0.005}),
            seed=8,
            epochs=2,
        ),
        "fast": Training(
            configuration=replace(
                SMALL, vocabulary_size=40, dropout=0.0, embedding_dim=9, learning_rate=0.02
            ),
            protocol=PROTOCOL,
            seed=9,
            epochs=3,
            masked=True,
        ),
        "diverges": Training(
            configuration=replace(SMALL, lstm_units=7), protocol=PROTOCOL, seed=10, epochs=3
        ),
        "plain": Training(
            configuration=replace(SMALL, dropout=0.0, recurrent_dropout=0.0, maxlen=5),
            protocol=PROTOCOL,
            seed=11,
            epochs=1,
            masked=True,
        ),
    }


def opened() -> dict[str, "Training"]:
    """Some that open the network and its recipe, each in another way, and a documented one."""

    def training(seed: int, *, masked: bool = True, **values) -> "Training":
        return Training(
            configuration=replace(SMALL, **values), protocol=PROTOCOL, seed=seed, epochs=2,
            masked=masked, schedule_epochs=3,
        )  # fmt: skip

    return {
        "all of it": training(
            1, pooling="all", pair_vocabulary_size=20, embedding_dropout=0.3, word_dropout=0.2,
            output_dropout=0.4, learning_rate=0.01, learning_rate_schedule="linear", clip_norm=0.05,
            weight_decay=0.1, summed_gradients=True,
        ),
        "mean": training(2, pooling="mean", lstm_units=17, embedding_dim=9, output_dropout=0.2),
        "reads padding": training(4, masked=False, pooling="all", maxlen=11, weight_decay=0.02),
        "last": training(5, embedding_dropout=0.2, word_dropout=0.4, recurrent_dropout=0.0),
        "documented": training(6, masked=False),
    }  # fmt: skip


_alone: dict[str, tuple] = {}


def alone(training, folder: Path, *, start=None):
    """Trains it with Keras, once for all tests; the model and every epoch's checkpoint."""
    key = f"{training} {start is not None}"
    if key in _alone:
        return _alone[key]
    folder.mkdir(parents=True, exist_ok=True)
    seen: list[Checkpoint] = []
    model = train(
        training,
        reviews=REVIEWS,
        validation=VALIDATION,
        start=start,
        save=folder / "alone.npz",
        where="",
        on_step=lambda step: None,
        on_epoch=seen.append,
    )
    return _alone.setdefault(key, (model, seen))


class Watched:
    """A member, and all it was told."""

    def __init__(self, training, folder: Path, *, start=None, reads=None, **given) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.steps, self.checkpoints, self.ends = [], [], []
        self.member = Member(
            training=training,
            start=start,
            save=folder / "member.npz",
            where=str(folder / "member.npz"),
            on_step=self.steps.append,
            on_epoch=self.checkpoints.append,
            on_end=self.ends.append,
            reads=reads,
            **given,
        )

    @property
    def ended(self) -> "Ended":
        (ended,) = self.ends
        return ended


def together(watched, *, capacity=8, shape=None, validation=VALIDATION, **given) -> None:
    train_population(
        [each.member for each in watched],
        shape=shape or class_of([each.member.training for each in watched]),
        reviews=REVIEWS,
        validation=validation,
        capacity=capacity,
        **given,
    )


def timed(owner, name, monkeypatch) -> list[float]:
    """Has the seconds that each call of a method takes added to a list."""
    kept, seconds = getattr(owner, name), []

    def method(*given, **options):
        began = time.perf_counter()
        found = kept(*given, **options)
        seconds.append(time.perf_counter() - began)
        return found

    monkeypatch.setattr(owner, name, method)
    return seconds


def scores(checkpoint):
    return [
        (
            e.epoch,
            e.train_loss,
            e.train_accuracy,
            e.validation_loss,
            e.validation_accuracy,
            e.validation_auc,
        )
        for e in checkpoint.epochs
    ]


def assert_equal_trainings(received, expected) -> None:
    """Epoch by epoch: histories, weights, moments, step counts and seeds."""
    assert len(received) == len(expected) > 0
    for ours, theirs in zip(received, expected, strict=True):
        np.testing.assert_allclose(scores(ours), scores(theirs), atol=2e-5)
        for mine, other in zip(ours.variables, theirs.variables, strict=True):
            assert (mine.shape, mine.dtype) == (other.shape, other.dtype)
            np.testing.assert_allclose(mine, other, atol=2e-5)


def poisoned(training):
    """A checkpoint in which a word is NaN that the second step reads and the first does not."""
    variables = [np.array(v) for v in initial_variables(training)]
    first, second, *_ = (
        set(inputs_of(REVIEWS, chosen, training.configuration)[0].flatten().tolist())
        for chosen in epoch_batches(training, 1, REVIEWS)
    )
    variables[0][min(second - first)] = np.nan
    return Checkpoint(epochs=(), variables=tuple(variables))


@needs_jax
@pytest.mark.parametrize("sweeps", ["loop", "kernels"])
def test_five_at_once_are_what_each_is_alone_epoch_by_epoch(tmp_path, monkeypatch, sweeps):
    given = trainings()
    starts = {"diverges": poisoned(given["diverges"])}
    watched = {
        name: Watched(training, tmp_path / name, start=starts.get(name))
        for name, training in given.items()
    }

    seconds = timed(module.Population, "train_epoch", monkeypatch)

    together(watched.values(), sweeps={"loop": SCAN, "kernels": INTERPRETED}[sweeps])

    # The time of an epoch is divided among those that it trains.
    epochs = [each for one in watched.values() for c in one.checkpoints[-1:] for each in c.epochs]
    shares = [each.train_seconds + each.validation_seconds for each in epochs]
    assert min(shares) > 0 and sum(shares) <= sum(seconds)
    for name, training in given.items():
        if name == "diverges":
            with pytest.raises(DivergedError) as alone_error:
                alone(training, tmp_path / name, start=starts[name])
            assert str(watched[name].ended.error) == str(alone_error.value)
            assert "step 2 of epoch 1" in str(alone_error.value)
            assert isinstance(watched[name].ended.error, DivergedError)
            continue
        _, expected = alone(training, tmp_path / name)
        assert_equal_trainings(watched[name].checkpoints, expected)
        assert watched[name].ended.error is None
        assert watched[name].steps[-1].step == watched[name].steps[-1].steps == 4


@needs_jax
@pytest.mark.parametrize(
    ("directions", "sweeps", "names"),
    [
        (1, "loop", ["all of it", "last"]),
        (2, "kernels", ["mean", "reads padding", "documented"]),
    ],
    ids=["one direction, loop", "two directions, kernels"],
)
def test_opened_networks_at_once_are_what_each_is_alone(tmp_path, directions, sweeps, names):
    given = {
        name: replace(each, configuration=replace(each.configuration, bidirectional=directions > 1))
        for name, each in opened().items()
        if name in names
    }
    watched = {
        name: Watched(training, tmp_path / name, reads=lambda: TEST)
        for name, training in given.items()
    }

    together(watched.values(), sweeps={"loop": SCAN, "kernels": INTERPRETED}[sweeps])

    for name, training in given.items():
        model, expected = alone(training, tmp_path / name)
        assert_equal_trainings(watched[name].checkpoints, expected)
        probabilities = predict(model, TEST, training.configuration)
        np.testing.assert_allclose(watched[name].ended.probabilities, probabilities, atol=2e-5)
        own = own_weights(watched[name].ended.checkpoint.variables, training.configuration)
        for mine, other in zip(own, model.get_weights(), strict=True):
            np.testing.assert_allclose(mine, other, atol=2e-5)


@needs_jax
def test_stacked_layers_of_two_directions_are_what_they_are_alone(tmp_path):
    training = opened()["all of it"]
    deep = replace(training.configuration, lstm_layers=2, bidirectional=True, lstm_units=7)
    training = replace(training, configuration=deep)
    watched = Watched(training, tmp_path)

    together([watched])

    assert_equal_trainings(watched.checkpoints, alone(training, tmp_path)[1])


@needs_jax
def test_a_promotion_resumes_in_another_population_or_alone_as_if_it_never_stopped(tmp_path):
    training = trainings()["a"]
    other = trainings()["unmasked"]
    begun = Watched(replace(training, epochs=1), tmp_path / "begun")
    together([begun, Watched(other, tmp_path / "other")])
    checkpoint = read_checkpoint(begun.member.save)
    assert checkpoint is not None
    assert_equal_trainings([checkpoint], begun.checkpoints)

    promoted = Watched(training, tmp_path / "promoted", start=checkpoint)
    together([promoted])
    _, after = alone(training, tmp_path / "after", start=checkpoint)

    _, straight = alone(training, tmp_path / "straight")
    assert_equal_trainings(promoted.checkpoints, straight[1:])
    assert_equal_trainings(after, straight[1:])
    # And what began alone continues in a population.
    resumed = Watched(training, tmp_path / "resumed", start=straight[1])
    together([resumed, Watched(other, tmp_path / "beside")])
    assert_equal_trainings(resumed.checkpoints, straight[2:])


@needs_jax
def test_members_take_the_places_of_others_and_more_are_asked_for_when_places_are_free(tmp_path):
    given = [
        replace(trainings()["a"], seed=seed, epochs=epochs)
        for seed, epochs in ((1, 1), (2, 2), (3, 2), (4, 1))
    ]
    watched = [Watched(training, tmp_path / str(k)) for k, training in enumerate(given)]
    late = [watched.pop()]
    asked = []

    def more(free):
        asked.append(free)
        return [late.pop().member] if late else []

    extra = late[0]
    together(watched, capacity=2, shape=class_of(given), more=more)

    # Two at once: the third takes the first's place; the second ends next, and leaves one free.
    assert [len(each.checkpoints) for each in (*watched, extra)] == [1, 2, 2, 1]
    assert asked[0] == 1
    for each in (*watched, extra):
        _, expected = alone(each.member.training, tmp_path / "alone")
        assert_equal_trainings(each.checkpoints, expected)


@needs_jax
def test_the_same_population_gives_the_same_bits(tmp_path):
    names = ("a", "unmasked", "fast")
    found = []
    for run in ("first", "second"):
        watched = [Watched(trainings()[name], tmp_path / run / name) for name in names]
        together(watched)
        found.append([each.checkpoints[-1] for each in watched])
    for ours, theirs in zip(*found, strict=True):
        assert scores(ours) == scores(theirs)
        for mine, other in zip(ours.variables, theirs.variables, strict=True):
            assert mine.tobytes() == other.tobytes()


@needs_jax
def test_padded_parts_stay_exactly_zero(tmp_path):
    given = [trainings()["fast"], opened()["mean"], opened()["all of it"]]
    shape = replace(
        class_of(given), vocabulary_size=130, embedding_dim=24, lstm_units=32, pair_rows=30
    )
    population = module.Population(
        shape, REVIEWS, VALIDATION, 3, SCAN, ThreadPoolExecutor(1), ThreadPoolExecutor(1)
    )
    population.waiting.extend(
        Watched(training, tmp_path / str(training.seed)).member for training in given
    )
    population.seat(lambda free: ())
    for _ in range(2):
        population.train_epoch()

    for place, training in enumerate(given):
        state = jax.device_get(population._device.member(place))
        own = own_variables(state, training.configuration, learning_rate=0.001)
        again = padded_state(own, training.configuration, shape, where="")
        for whole, padded in zip(jax.tree.leaves(state), jax.tree.leaves(again), strict=True):
            np.testing.assert_array_equal(whole, padded)


@needs_jax
def test_test_reviews_are_read_at_the_end_and_not_before(tmp_path):
    given = [trainings()["a"], replace(trainings()["unmasked"], epochs=1)]
    log = []
    watched = [
        Watched(
            training,
            tmp_path / str(k),
            reads=lambda at=k: log.append((at, len(watched_at(at)))) or TEST,
        )
        for k, training in enumerate(given)
    ]

    def watched_at(k):
        return watched[k].checkpoints

    together(watched)

    assert log == [(1, 1), (0, 3)]
    for each in watched:
        model, _ = alone(each.member.training, tmp_path / "alone")
        expected = predict(model, TEST, each.member.training.configuration)
        np.testing.assert_allclose(each.ended.probabilities, expected, atol=2e-5)
        for mine, other in zip(
            own_weights(each.ended.checkpoint.variables, each.member.training.configuration),
            model.get_weights(),
            strict=True,
        ):
            np.testing.assert_allclose(mine, other, atol=2e-5)


@needs_jax
def test_the_weights_of_earlier_epochs_read_too_beside_members_that_have_none(tmp_path):
    keeping = replace(trainings()["a"], keeps=(1, 2))
    given = [keeping, replace(trainings()["plain"], epochs=3)]
    watched = [
        Watched(training, tmp_path / str(k), reads=lambda: TEST) for k, training in enumerate(given)
    ]

    together(watched)

    model, checkpoints = alone(keeping, tmp_path / "alone")
    expected = [
        *predict_earlier(model, checkpoints[-1].earlier, TEST, keeping.configuration),
        predict(model, TEST, keeping.configuration),
    ]
    received = [*watched[0].ended.earlier, watched[0].ended.probabilities]
    assert len(received) == len(expected) == 3
    np.testing.assert_allclose(received, expected, atol=2e-5)
    assert np.abs(received[0] - received[2]).max() > 1e-3
    assert watched[1].ended.earlier == ()
    model, _ = alone(given[1], tmp_path / "other")
    np.testing.assert_allclose(
        watched[1].ended.probabilities, predict(model, TEST, given[1].configuration), atol=2e-5
    )


@needs_jax
@pytest.mark.parametrize("longest", [30.0, 0.0])
def test_only_the_last_checkpoint_waits_for_the_disk_unless_epochs_are_long(
    tmp_path, monkeypatch, longest
):
    kept, waited = members.write_checkpoint, []
    monkeypatch.setattr(module, "_LONG_EPOCH", longest)
    monkeypatch.setattr(
        members,
        "write_checkpoint",
        lambda path, checkpoint, *, durable: (
            waited.append(durable) or kept(path, checkpoint, durable=durable)
        ),
    )

    together([Watched(trainings()["a"], tmp_path)])

    assert waited == ([True] * 3 if longest == 0 else [False, False, True])


@needs_jax
def test_few_members_are_prepared_ahead_of_those_that_are_seated(tmp_path, monkeypatch):
    begun = []
    monkeypatch.setattr(
        member_checkpoints, "_state_at_start", lambda shape, member: begun.append(member)
    )
    many = [Watched(trainings()["a"], tmp_path / str(k)).member for k in range(30)]
    with ThreadPoolExecutor(1) as threads:
        seated = []
        shape = class_of([many[0].training])
        for member, state in member_checkpoints.states_at_start(many, shape, threads):
            state.result()
            seated.append(member)
            assert len(begun) <= len(seated) + 8
    assert seated == begun == many


@needs_jax
def test_checkpoints_are_reported_while_the_device_works_and_not_when_it_waits(tmp_path):
    watched = [
        Watched(replace(trainings()["a"], seed=seed), tmp_path / str(seed)) for seed in (1, 2)
    ]
    with ThreadPoolExecutor(1) as threads:
        checkpoints = member_checkpoints.CheckpointWriter(threads)
        written, under_way, done = Future(), Future(), Future()
        for future in (written, done):
            future.set_result(Checkpoint(epochs=(), variables=()))
        checkpoints._written.extend(
            (members.Seated(each.member, None, ()), written) for each in watched
        )

        checkpoints.report(until=done)
        assert [len(each.checkpoints) for each in watched] == [0, 0]
        checkpoints.report(until=under_way)
        assert [len(each.checkpoints) for each in watched] == [1, 1]


@needs_jax
def test_what_is_trained_already_only_reads_and_the_time_is_divided(tmp_path, monkeypatch):
    training = replace(trainings()["a"], epochs=1)
    _, (checkpoint,) = alone(training, tmp_path / "alone")
    watched = [
        Watched(training, tmp_path / str(k), start=checkpoint, reads=lambda: TEST) for k in range(4)
    ]

    seconds = timed(module.Population, "_read_at_end", monkeypatch)

    together(watched)

    for each in watched:
        assert not each.checkpoints
        assert each.ended.probabilities.shape == (len(TEST),)
    shares = [each.ended.read_seconds for each in watched]
    assert min(shares) > 0 and sum(shares) <= sum(seconds)


def no_room(*_, **__):
    raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate")


def lacks_memory(where, monkeypatch, *, most: int) -> None:
    """Has the device fail for more than so many members, as a GPU does."""
    if where == "arrays":
        kept = on_device.empty_state
        monkeypatch.setattr(
            on_device, "empty_state",
            lambda shape, places: no_room() if places > most else kept(shape, places),
        )  # fmt: skip
    elif where == "steps":
        kept, calls = on_device.train_steps, []

        def train_steps(state, *given, **options):
            calls.append(len(state.iterations))
            found = kept(state, *given, **options)  # the state is given away all the same
            return no_room() if len(calls) > 1 and calls[-1] > most else found

        monkeypatch.setattr(on_device, "train_steps", train_steps)
    else:
        kept, lacks = member_checkpoints._fetch_and_write, iter([False, True, True, False])
        monkeypatch.setattr(
            member_checkpoints,
            "_fetch_and_write",
            lambda *given: no_room() if next(lacks, False) else kept(*given),
        )


@needs_jax
@pytest.mark.parametrize("where", ["arrays", "steps", "copies"])
def test_a_lack_of_memory_halves_the_population_which_resumes_from_its_checkpoints(
    tmp_path, monkeypatch, caplog, where
):
    given = [replace(trainings()["a"], seed=seed, epochs=2) for seed in (1, 2, 3, 4)]
    watched = [Watched(training, tmp_path / str(k)) for k, training in enumerate(given)]
    lacks_memory(where, monkeypatch, most=2)

    together(watched)

    assert caplog.text.count("does not hold 4 networks at once: continuing with 2") == 1
    for each in watched:
        _, expected = alone(each.member.training, tmp_path / "alone")
        assert each.ended.error is None
        assert_equal_trainings(each.checkpoints, expected)


@needs_jax
def test_a_population_that_did_not_fit_leaves_nothing_on_the_device(tmp_path, monkeypatch):
    watched = [
        Watched(replace(trainings()["a"], seed=seed, epochs=1), tmp_path / str(seed))
        for seed in (1, 2, 3, 4)
    ]
    steps, arrays, left = on_device.train_steps, on_device.empty_state, []

    def train_steps(state, *given, **options):
        # As JAX's own frames do, this one holds the state while the error is handled.
        return no_room() if len(state.iterations) > 2 else steps(state, *given, **options)

    def empty_state(shape, places):
        left.append({id(each) for each in jax.live_arrays()})
        return arrays(shape, places)

    monkeypatch.setattr(on_device, "train_steps", train_steps)
    monkeypatch.setattr(on_device, "empty_state", empty_state)
    gc.disable()
    try:
        together(watched)
    finally:
        gc.enable()

    before, again, *_ = left
    assert again <= before


@needs_jax
def test_one_network_that_does_not_fit_fails_and_the_next_has_its_turn(tmp_path, monkeypatch):
    watched = [
        Watched(replace(trainings()["a"], seed=seed, epochs=1), tmp_path / str(seed))
        for seed in (1, 2)
    ]
    kept, calls = on_device.train_steps, []

    def train_steps(*given, **options):
        calls.append(1)
        return no_room() if len(calls) == 1 else kept(*given, **options)

    monkeypatch.setattr(on_device, "train_steps", train_steps)
    together(watched, capacity=1)

    assert "RESOURCE_EXHAUSTED" in str(watched[0].ended.error)
    assert watched[1].ended.error is None and len(watched[1].checkpoints) == 1


@needs_jax
@pytest.mark.parametrize("when", ["in a step", "on validation"])
def test_a_network_that_diverges_with_none_beside_it_leaves_its_place_to_the_next(
    tmp_path, monkeypatch, when
):
    monkeypatch.setattr(module, "STEPS_AT_ONCE", 1)  # it ends before its epoch's last steps
    first, second = (replace(trainings()["a"], seed=seed, epochs=1) for seed in (1, 2))
    start, message = poisoned(first), "the loss became nan at step 2 of epoch 1."
    validation = VALIDATION
    if when == "on validation":
        variables = [np.array(each) for each in initial_variables(first)]
        variables[0][99] = np.nan  # a word of the validation reviews alone
        start = Checkpoint(epochs=(), variables=tuple(variables))
        validation = replace(VALIDATION, token_ids=VALIDATION.token_ids.copy())
        validation.token_ids[-1] = 99
        message = "the validation loss became nan in epoch 1."
    diverges = Watched(first, tmp_path / "first", start=start)
    next_one = Watched(second, tmp_path / "second")

    together([diverges, next_one], capacity=1, validation=validation)

    assert isinstance(diverges.ended.error, DivergedError)
    assert str(diverges.ended.error) == message
    assert not diverges.checkpoints and not diverges.member.save.exists()
    assert next_one.ended.error is None and len(next_one.checkpoints) == 1


@needs_jax
def test_a_kernel_that_does_not_fit_the_chip_is_replaced_by_the_loop(tmp_path, monkeypatch, caplog):
    watched = [
        Watched(replace(trainings()["a"], seed=seed, epochs=2), tmp_path / str(seed))
        for seed in (1, 2)
    ]
    kept, used = on_device.train_steps, []

    def train_steps(*given, sweeps, **options):
        used.append(sweeps)
        if sweeps is PALLAS:
            raise jax.errors.JaxRuntimeError(
                "RESOURCE_EXHAUSTED: Shared memory size limit exceeded: requested 280000"
            )
        return kept(*given, sweeps=sweeps, **options)

    monkeypatch.setattr(on_device, "train_steps", train_steps)
    together(watched, sweeps=PALLAS)

    assert used[0] is PALLAS and used[-1] is SCAN
    assert "kernels do not fit this GPU" in caplog.text and "does not hold" not in caplog.text
    for each in watched:
        _, expected = alone(each.member.training, tmp_path / "alone")
        assert each.ended.error is None
        assert_equal_trainings(each.checkpoints, expected)


@needs_jax
def test_another_networks_checkpoint_ends_its_member_alone(tmp_path):
    start = Checkpoint(epochs=(), variables=(np.zeros(3),))
    watched = [
        Watched(replace(trainings()["a"], epochs=1), tmp_path / "a", start=start),
        Watched(replace(trainings()["a"], epochs=1), tmp_path / "b"),
    ]

    together(watched)

    assert isinstance(watched[0].ended.error, RecordError)
    assert "another network's weights" in str(watched[0].ended.error)
    assert watched[1].ended.error is None


@needs_jax
def test_a_checkpoint_that_cannot_be_written_ends_the_population(tmp_path):
    watched = Watched(trainings()["a"], tmp_path)
    watched.member.save.mkdir()

    with pytest.raises(StoreError, match="member"):
        together([watched])


@needs_jax
@pytest.mark.parametrize(
    ("embedding_dim", "lstm_units", "opened"),
    [(256, 64, {}), (256, 256, {}), (128, 64, OPENED)],
)
@as_if_on_a_card()
def test_whole_steps_and_readings_lower_for_cuda_without_a_card(embedding_dim, lstm_units, opened):
    """Kernels, sort, scan and random bits together, for classes of imdb.toml and imdb-open.toml."""
    configuration = Configuration(embedding_dim=embedding_dim, lstm_units=lstm_units, **opened)
    shape = ShapeClass.of(configuration, batch_size=64)
    sweeps = SCAN if gpu_limits.why_not(lstm_units, compute_capability="9.0") else PALLAS
    state = empty_state(shape, 2)
    settings = settings_of([None, None], shape, reviews=60)
    reviews = reviews_of(REVIEWS, shape)
    abstract = jax.tree.map(
        lambda each: jax.ShapeDtypeStruct(np.shape(each), each.dtype), (state, reviews, settings)
    )
    count = jax.ShapeDtypeStruct((), np.int32)
    positions = jax.ShapeDtypeStruct((16, 2, 64), np.int32)
    dropped = jax.ShapeDtypeStruct((16, 2, 64, shape.maxlen), bool) if opened else None
    to_read = jax.ShapeDtypeStruct((8, 128), np.int32)

    for traced in (
        train_steps.trace(*abstract, positions, dropped, count, maxlen=shape.maxlen, sweeps=sweeps),
        read_batches.trace(
            abstract[0].weights, *abstract[1:], to_read, count, maxlen=shape.maxlen, sweeps=sweeps
        ),
    ):
        text = traced.lower(lowering_platforms=("cuda",)).as_text()
        assert ("triton" in text) == (sweeps is PALLAS)
        assert "stablehlo.scatter" not in text, "atomic additions would give other bits each time"


@needs_jax
def test_sums_of_rows_by_word_are_as_exact_as_single_precision_allows():
    """Differences of running sums, the obvious way, lose three digits where the scan loses none."""
    generator = np.random.default_rng(0)
    ids = np.minimum(generator.zipf(1.3, 32_000) - 1, 4_999).astype(np.int32)
    rows = generator.normal(size=(32_000, 8)).astype(np.float32)
    exact = np.zeros((5_000, 8))
    np.add.at(exact, ids, rows.astype(np.float64))

    found = np.asarray(jax.jit(sum_by_id, static_argnames="words")(ids, rows, words=5_000))
    order = np.argsort(ids, kind="stable")
    running = np.cumsum(rows[order], axis=0, dtype=np.float32)
    ends = np.searchsorted(ids[order], np.arange(5_000), side="right")
    padded = np.concatenate([np.zeros((1, 8), np.float32), running])
    by_differences = np.diff(padded[np.concatenate([[0], ends])], axis=0)

    assert np.abs(found - exact).max() < 1e-4
    rare = np.bincount(ids, minlength=5_000) <= 3
    assert np.abs(found - exact)[rare].max() < 1e-6
    assert np.abs(by_differences - exact)[rare].max() > 1e-5


@pytest.mark.timeout(WHOLE_FILE_SECONDS)
@starts_jax
def test_all_of_this_holds_in_a_process_on_jax():
    run_on_jax(__file__)
