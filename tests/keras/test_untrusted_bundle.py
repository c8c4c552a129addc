"""An untrusted network: what it says is compared with what there is, before anything is built."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

from lstm_study.configuration import Configuration
from lstm_study.errors import ExportError
from lstm_study.export.network import load_network, plain_network, save_network

SMALL = Configuration(vocabulary_size=50, maxlen=8, embedding_dim=6, lstm_units=4)


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "network.keras"
    save_network(plain_network(SMALL), path)
    return path


def changed(
    saved: Path,
    target: Path,
    *,
    description: Callable[[bytes], bytes] = lambda data: data,
    weights: Callable[[bytes], bytes] = lambda data: data,
    compression: int = zipfile.ZIP_STORED,
) -> Path:
    """Writes the saved network with some part of it changed."""
    changes = {"config.json": description, "model.weights.h5": weights}
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(target, "w", compression) as new:
        for name in old.namelist():
            new.writestr(name, changes.get(name, lambda data: data)(old.read(name)))
    return target


def test_a_saved_network_is_loaded(saved, tmp_path):
    load_network(changed(saved, tmp_path / "same.keras"), SMALL)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"input_dim": 50', b'"input_dim": 999999999', "input_dim is 999999999, where 50"),
        (b'"units": 4', b'"units": 99999', "units is 99999, where 4"),
        (b'"class_name": "LSTM"', b'"class_name": "Conv1D"', "it has a part Conv1D"),
        (b"{", b"[" * 1_000, "RecursionError|JSONDecodeError"),
    ],
)
def test_a_description_of_anything_else_is_refused_before_it_is_built(
    saved, tmp_path, old, new, said
):
    path = changed(saved, tmp_path / "other.keras", description=lambda data: data.replace(old, new))
    with pytest.raises(ExportError, match=f"not a network that lstm-study exported .*({said})"):
        load_network(path, SMALL)


def test_an_archive_that_could_unpack_to_more_than_itself_is_refused(saved, tmp_path):
    path = changed(saved, tmp_path / "bomb.keras", compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(ExportError, match="must not be compressed"):
        load_network(path, SMALL)


def test_weights_that_are_kept_in_another_file_are_refused(saved, tmp_path):
    def linked(data: bytes) -> bytes:
        path = tmp_path / "weights.h5"
        path.write_bytes(data)
        with h5py.File(path, "a") as file:
            file["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")
        return path.read_bytes()

    path = changed(saved, tmp_path / "linked.keras", weights=linked)
    with pytest.raises(ExportError, match="elsewhere is a link"):
        load_network(path, SMALL)


def test_a_file_too_small_for_what_the_bundle_says_is_refused_before_it_is_built(saved):
    large = SMALL.with_values(vocabulary_size=10_000_000, embedding_dim=8_192)
    with pytest.raises(ExportError, match=r"must have the 81,\d+,\d+,\d+ numbers"):
        load_network(saved, large)
