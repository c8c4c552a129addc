"""The caches of compiled programs: Numba's and JAX's."""

from pathlib import Path

import pytest

from lstm_study.training.compilation import is_numba_cache_filled
from tests.support.processes import in_a_process


@pytest.mark.parametrize("given", [None, "elsewhere"])
def test_jax_caches_its_programs_in_the_cache_folder_or_the_one_it_is_given(tmp_path, given):
    settings = {"JAX_COMPILATION_CACHE_DIR": str(tmp_path / given)} if given else {}
    code = (
        "from lstm_study.training.runtime import configure; configure(threads=1); "
        "import jax; print(jax.config.jax_compilation_cache_dir)"
    )
    found = in_a_process(code, tmp_path, KERAS_BACKEND="jax", **settings)
    assert found == [str(tmp_path / (given or "jax"))]


def test_each_version_of_the_compiled_source_has_a_numba_cache_of_its_own(tmp_path):
    code = (
        "import os; from lstm_study.training.runtime import configure; configure(threads=1); "
        "import numpy as np; from lstm_study.model.lstm.cpu import elementwise; "
        "x = np.zeros(1, 'float32'); elementwise.tanh(x, x); print(os.environ['NUMBA_CACHE_DIR'])"
    )
    (folder,) = map(Path, in_a_process(code, tmp_path))
    assert folder.parent == tmp_path / "numba"
    assert list(folder.rglob("elementwise.tanh*.nbc"))


def test_the_numba_cache_is_filled_once_a_function_is_compiled(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert not is_numba_cache_filled()
    (tmp_path / "model_1a").mkdir()
    (tmp_path / "model_1a" / "elementwise.tanh-1.py311.1.nbc").touch()
    assert is_numba_cache_filled()
