"""The ensemble of all runs as one network in the bundle, and the ONNX file where it can be made."""

import json
import shutil
from dataclasses import replace
from importlib.util import find_spec

import keras
import numpy as np
import pytest

from lstm_study.configuration import Configuration
from lstm_study.errors import ExportError
from lstm_study.export import load_bundle
from lstm_study.export.layout import write_sums
from lstm_study.export.network import plain_network, save_onnx, why_no_onnx
from tests.support.bundles import BundlePaths, random_weights, small, study, write

needs_onnx = pytest.mark.skipif(
    find_spec("onnxruntime") is None or find_spec("tf2onnx") is None,
    reason="onnxruntime and tf2onnx are not installed: the ONNX file is NOT checked",
)

CONFIGURATION = small(maxlen=6)
MEMBERS = tuple(random_weights(CONFIGURATION, seed=seed) for seed in (1, 2, 3))
REVIEWS = [np.random.default_rng(1).integers(1, 10, length) for length in (1, 3, 6, 9, 20, 4, 6, 2)]


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> BundlePaths:
    """A bundle of three runs."""
    _, run = study(CONFIGURATION)
    runs = [replace(run, run_id=f"winner-s{number}", seed_index=number) for number in (1, 2, 3)]
    return write(
        tmp_path_factory.mktemp("ensemble") / "model", weights=MEMBERS[1], vocabulary=None,
        configuration=CONFIGURATION, ensemble=list(zip(runs, MEMBERS, strict=True)),
    )  # fmt: skip


def read(folder, *, ensemble: bool = False) -> np.ndarray:
    bundle = load_bundle(folder, ensemble=ensemble)
    return bundle.predict_token_ids(REVIEWS)


def test_its_probability_is_the_mean_of_its_members(paths, tmp_path):
    alone = [
        read(
            write(
                tmp_path / str(number), weights=weights, vocabulary=None,
                configuration=CONFIGURATION,
            ).folder
        )
        for number, weights in enumerate(MEMBERS)
    ]  # fmt: skip
    assert np.ptp(alone, axis=0).max() > 0.05, "the members differ"
    assert read(paths.folder, ensemble=True) == pytest.approx(np.mean(alone, axis=0), abs=1e-6)
    assert read(paths.folder) == pytest.approx(alone[1], abs=1e-6)


def test_it_loads_with_plain_keras_and_card_and_configuration_name_its_runs(paths):
    assert paths.ensemble.name in paths.sums.read_text()
    network = keras.models.load_model(paths.ensemble, compile=False)
    assert network.count_params() == 3 * CONFIGURATION.parameter_count
    settings = json.loads(paths.configuration.read_text())
    assert settings["ensemble"] == ["winner-s1", "winner-s2", "winner-s3"]
    card = paths.card.read_text()
    assert "the networks of 3 runs in one (winner-s1, winner-s2, winner-s3)" in card
    assert load_bundle(paths.folder, ensemble=True).run_id == "winner-s1+winner-s2+winner-s3"


def test_a_bundle_without_one_says_how_to_get_one(tmp_path):
    folder = write(
        tmp_path / "model", weights=MEMBERS[0], vocabulary=None, configuration=CONFIGURATION
    ).folder
    assert "ensemble" not in (folder / "MODEL_CARD.md").read_text()
    with pytest.raises(ExportError, match=r"holds no ensemble. Set export\.ensemble = true"):
        load_bundle(folder, ensemble=True)


def test_one_run_makes_no_ensemble_and_the_card_says_so(tmp_path):
    _, run = study(CONFIGURATION)
    made = write(
        tmp_path / "model", weights=MEMBERS[0], vocabulary=None, configuration=CONFIGURATION,
        ensemble=[(run, MEMBERS[0])],
    )  # fmt: skip
    assert made.ensemble is None
    assert "There is no ensemble: it takes two completed runs of the winner" in (
        made.card.read_text()
    )


def test_one_network_in_the_ensembles_place_is_refused(paths, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(paths.folder, folder)
    shutil.copy(paths.network, folder / paths.ensemble.name)
    write_sums(folder)
    with pytest.raises(ExportError, match="must be the network that configuration"):
        load_bundle(folder, ensemble=True)


def test_there_is_an_onnx_file_or_the_card_says_why_not(paths):
    reason = why_no_onnx()
    card = paths.card.read_text()
    settings = json.loads(paths.configuration.read_text())
    if reason:
        assert paths.onnx is None
        assert "There is no ONNX file: " in card
        assert settings["onnx"] == reason
    else:
        assert paths.onnx.name in paths.sums.read_text()
        assert settings["onnx"] == paths.onnx.name


@needs_onnx
def test_a_network_that_masks_its_padding_is_the_same_in_an_onnx_file(tmp_path):
    import onnxruntime

    configuration = Configuration(
        vocabulary_size=300, maxlen=20, embedding_dim=8, lstm_units=6, dropout=0.2,
        recurrent_dropout=0.2,
    )  # fmt: skip
    network = plain_network(configuration, masked=True, use_cudnn=False)
    random = np.random.default_rng(3)
    network.set_weights([random.normal(0, 0.5, each.shape) for each in network.get_weights()])
    save_onnx(network, tmp_path / "network.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "network.onnx"))
    token_ids = random.integers(1, 300, (4, 20)).astype(np.int32)
    for row, padding in enumerate((0, 5, 19, 20)):
        token_ids[row, :padding] = 0
    (found,) = session.run(None, {session.get_inputs()[0].name: token_ids})
    assert len({float(value) for value in found[:, 0]}) == 4
    assert found == pytest.approx(network.predict(token_ids, verbose=0), abs=1e-6)


@needs_onnx
def test_the_onnx_file_gives_the_same_probabilities(paths):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(paths.onnx))
    token_ids = np.random.default_rng(2).integers(0, 10, (7, 6)).astype(np.int32)
    (found,) = session.run(None, {session.get_inputs()[0].name: token_ids})
    network = keras.models.load_model(paths.network, compile=False)
    assert found == pytest.approx(network.predict(token_ids, verbose=0), abs=1e-6)
