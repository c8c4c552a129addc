"""An untrusted network: what it says is compared with what there is, before anything is built."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

from lstm_study.configuration import Configuration
from lstm_study.errors import ExportError
from lstm_study.export.archive import check_own_archive
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


def test_an_ensemble_needs_the_numbers_of_all_its_members(saved):
    with pytest.raises(ExportError, match=r"must have the \d+ numbers"):
        load_network(saved, SMALL, members=100)


def test_weights_that_unpack_to_more_than_the_file_are_refused(saved, tmp_path):
    def packed(data: bytes) -> bytes:
        path = tmp_path / "weights.h5"
        path.write_bytes(data)
        with h5py.File(path, "a") as file:
            file.create_dataset("many", (1_000,), "float32", compression="gzip")
        return path.read_bytes()

    path = changed(saved, tmp_path / "packed.keras", weights=packed)
    with pytest.raises(ExportError, match="many is not plain numbers"):
        load_network(path, SMALL)


def test_a_description_with_many_more_parts_is_refused(saved, tmp_path):
    def repeated(data: bytes) -> bytes:
        layers = json.loads(data)
        layers["config"]["layers"] *= 3
        return json.dumps(layers).encode()

    path = changed(saved, tmp_path / "many.keras", description=repeated)
    with pytest.raises(ExportError, match=r"it has \d+ parts, where \d+ are expected"):
        load_network(path, SMALL)


def test_a_description_of_megabytes_is_not_read(saved, tmp_path):
    path = changed(saved, tmp_path / "long.keras", description=lambda data: data + b" " * 4_000_000)
    with pytest.raises(ExportError, match="its description is too large"):
        load_network(path, SMALL)


def test_own_layers_larger_than_the_file_are_refused(saved, tmp_path):
    check_own_archive(saved)
    grown = lambda data: data.replace(b'"input_dim": 50', b'"input_dim": 50000')  # noqa: E731
    with pytest.raises(ExportError, match="its layers are larger than the file"):
        check_own_archive(changed(saved, tmp_path / "own.keras", description=grown))
