"""JAX's compiled programs on disk."""

import os

import pytest

from lstm_study.training.program_cache import ProgramCache
from tests.support.processes import in_a_process


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-1] + b"?"])
def test_a_damaged_program_is_not_run_and_is_replaced(tmp_path, caplog, damage):
    cache = ProgramCache(tmp_path / "jax")
    assert cache.get("step") is None
    cache.put("step", b"program")
    (path,) = (tmp_path / "jax").iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert cache.get("step") is None
    assert f"{path}: is damaged" in caplog.text
    cache.put("step", b"program")
    assert cache.get("step") == b"program"


def test_a_program_that_cannot_be_read_or_written_is_a_line_in_the_log(tmp_path, caplog):
    (tmp_path / "file").touch()
    cache = ProgramCache(tmp_path / "file")
    assert cache.get("step") is None
    cache.put("step", b"program")
    assert "cannot be read" in caplog.text
    assert "cannot be written" in caplog.text


def test_beyond_its_limit_the_least_recently_used_programs_are_deleted(tmp_path):
    cache = ProgramCache(tmp_path / "jax", most_bytes=200)
    for number, name in enumerate(("first", "second")):
        cache.put(name, bytes(50))
        os.utime(tmp_path / "jax" / f"{name}.jaxc", (number, number))
    assert cache.get("first") == bytes(50)
    cache.put("third", bytes(50))
    assert sorted(path.stem for path in (tmp_path / "jax").iterdir()) == ["first", "third"]
    cache.put("large", bytes(500))
    assert sorted(path.stem for path in (tmp_path / "jax").iterdir()) == ["first", "third"]


def test_jax_keeps_its_programs_there_within_its_own_limit(tmp_path):
    code = """
from lstm_study.training.runtime import configure
configure(threads=1)
import jax
hits = []
jax.monitoring.register_event_listener(lambda event, **_: hits.append("cache_hits" in event))
print(int(jax.jit(lambda x: x * 2 + 1)(3)), sum(hits))
"""

    def run(**settings):
        settings["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
        return in_a_process(code, tmp_path, KERAS_BACKEND="jax", **settings)

    assert run(JAX_COMPILATION_CACHE_MAX_SIZE="0")[0] == "7"
    assert not (tmp_path / "jax").exists()
    assert run()[0] == "7"
    kept = sorted((tmp_path / "jax").iterdir())
    for path in kept:
        path.write_bytes(path.read_bytes()[:-9])
    assert run() == ["7", "0"]
    assert run() == ["7", str(len(kept))]
    assert sorted((tmp_path / "jax").iterdir()) == kept
