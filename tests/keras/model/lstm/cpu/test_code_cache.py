"""Compiled code on disk."""

import pickle

import numpy as np
import pytest

from lstm_study.model.lstm.cpu.code_cache import CodeCache
from lstm_study.model.lstm.cpu.compiled import compiled

KEY = ("float32", "x86_64")


@pytest.fixture
def cache(tmp_path):
    return CodeCache(tmp_path, name="sweep", stamp=(1.0, 2))


def test_what_was_saved_for_a_signature_is_loaded_for_it_alone(cache, tmp_path):
    cache.save(KEY, [1, 2])
    assert cache.load(KEY) == [1, 2]
    assert cache.load(("float64", "x86_64")) is None
    assert CodeCache(tmp_path, name="sweep", stamp=(1.0, 3)).load(KEY) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: bytes(len(data)),
        lambda data: data[:-3] + bytes([data[-3] ^ 1]) + data[-2:],
        lambda data: pickle.dumps([3]),
    ],
)
def test_damaged_code_is_not_loaded_and_is_replaced(cache, tmp_path, caplog, damage):
    cache.save(KEY, [1, 2])
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert cache.load(KEY) is None
    assert f"{path}: is damaged" in caplog.text
    cache.save(KEY, [1, 2])
    assert cache.load(KEY) == [1, 2]


def test_code_that_cannot_be_read_is_compiled(cache, tmp_path, caplog):
    cache.save(KEY, [1, 2])
    (path,) = tmp_path.iterdir()
    path.unlink()
    path.mkdir()
    assert cache.load(KEY) is None
    assert f"{path}: cannot be read" in caplog.text


def test_a_folder_that_can_not_be_written_is_a_line_in_the_log(tmp_path, caplog):
    (tmp_path / "file").touch()
    CodeCache(tmp_path / "file", name="sweep", stamp=0).save(KEY, [1])
    assert "cannot be written" in caplog.text


def test_numba_loads_from_it(tmp_path, monkeypatch):
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))

    def double(values):
        for index in range(len(values)):
            values[index] *= 2

    for hits in (0, 1):
        values, function = np.ones(3, "float32"), compiled(double)
        function(values)
        assert values.tolist() == [2, 2, 2]
        assert sum(function.stats.cache_hits.values()) == hits


@pytest.mark.parametrize("named", ["file", ""])
def test_where_no_folder_can_be_written_numba_compiles_without_one(
    tmp_path, monkeypatch, caplog, named
):
    (tmp_path / "file").touch()
    monkeypatch.setattr("numba.core.config.CACHE_DIR", named and str(tmp_path / named))
    if not named:
        monkeypatch.setattr("numba.core.caching.CacheImpl._locator_classes", [])

    def double(values):
        values[0] *= 2

    values, function = np.ones(1, "float32"), compiled(double)
    function(values)
    assert values.tolist() == [2]
    assert function.stats.cache_path is None
    assert "each process compiles the kernels itself" in caplog.text
