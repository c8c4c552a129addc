"""JAX's compiled programs on disk."""

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


def test_jax_keeps_its_programs_there(tmp_path):
    code = """
from lstm_study.training.runtime import configure
configure(threads=1)
import jax
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
hits = []
jax.monitoring.register_event_listener(lambda event, **_: hits.append("cache_hits" in event))
print(int(jax.jit(lambda x: x * 2 + 1)(3)), sum(hits))
"""

    def run():
        return in_a_process(code, tmp_path, KERAS_BACKEND="jax")

    assert run()[0] == "7"
    kept = sorted((tmp_path / "jax").iterdir())
    for path in kept:
        path.write_bytes(path.read_bytes()[:-9])
    assert run() == ["7", "0"]
    assert run() == ["7", str(len(kept))]
    assert sorted((tmp_path / "jax").iterdir()) == kept
