"""A configured process: its threads, its imports, its caches of compiled programs."""

from pathlib import Path

import pytest

from lstm_study.training.runtime import is_numba_cache_filled
from tests.support.processes import in_a_process


def test_tensorflow_has_one_thread_on_the_cpu_and_the_numba_kernels_their_share(tmp_path):
    code = (
        "from lstm_study.training.runtime import configure; free = [3]; "
        "configure(threads=2, share=lambda: free[0]); "
        "import tensorflow as tf; from lstm_study.model.lstm.cpu.threads import thread_count; "
        "told = tf.config.threading; given = thread_count(); free[0] = 1; "
        "print(told.get_intra_op_parallelism_threads(), told.get_inter_op_parallelism_threads(), "
        "given, thread_count())"
    )
    assert in_a_process(code, tmp_path) == ["1", "1", "3", "1"]


def test_without_a_share_the_numba_kernels_have_the_threads_of_the_process(tmp_path):
    code = (
        "from lstm_study.training.runtime import configure; configure(threads=3); "
        "from lstm_study.model.lstm.cpu.threads import thread_count; print(thread_count())"
    )
    assert in_a_process(code, tmp_path) == ["3"]


def test_optional_dependencies_of_keras_are_not_imported_with_it_and_importable_after(tmp_path):
    code = (
        "import sys; from lstm_study.training.runtime import configure; "
        "from lstm_study.training.runtime import skip_optional_imports; "
        "configure(threads=1); skipping = skip_optional_imports(); skipping.__enter__(); "
        "import keras, keras_tuner; skipping.__exit__(None, None, None); "
        "print(*sorted({'jax', 'matplotlib', 'PIL', 'sklearn'} & set(sys.modules))); "
        "import matplotlib, PIL, sklearn.linear_model; print('there')"
    )
    assert in_a_process(code, tmp_path) == ["there"]


@pytest.mark.parametrize("given", [None, "elsewhere"])
def test_jax_caches_its_programs_in_the_cache_folder_or_the_one_it_is_given(tmp_path, given):
    settings = {"JAX_COMPILATION_CACHE_DIR": str(tmp_path / given)} if given else {}
    code = (
        "from lstm_study.training.runtime import configure; configure(threads=1); "
        "import jax; print(jax.config.jax_compilation_cache_dir)"
    )
    found = in_a_process(code, tmp_path, KERAS_BACKEND="jax", **settings)
    assert found == [str(tmp_path / (given or "jax"))]


@pytest.mark.parametrize(("platform", "kept"), [("gpu", []), ("cpu", ["once"])])
def test_on_jax_the_allocator_is_set_for_the_device_that_is_found(tmp_path, platform, kept):
    code = f"""
import types, jax
from lstm_study.training import runtime
jax.devices = lambda: [types.SimpleNamespace(platform="{platform}", device_kind="device")]
called = []
runtime.keep_freed_memory = lambda: called.append("once")
print(*runtime.configure(threads=2).devices, *called)
"""
    assert in_a_process(code, tmp_path, KERAS_BACKEND="jax") == ["device", *kept]


_NO_CUDA = "Unable to initialize backend 'cuda': No visible GPU devices."
# JAX issue 9859.
_NO_ROOM = "INTERNAL: no supported devices found for platform CUDA"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (RuntimeError(_NO_CUDA), _NO_CUDA),
        (
            RuntimeError(_NO_ROOM),
            f"{_NO_ROOM} Other processes may use all of the GPU's memory: nvidia-smi lists them.",
        ),
        (
            AssertionError(),
            "JAX_PLATFORMS=cuda names no device of this machine. Unset it to train on the CPU.",
        ),
    ],
)
def test_a_jax_that_does_not_start_is_told_in_its_own_words_or_ours(tmp_path, error, says):
    code = f"""
import jax
from lstm_study.errors import DependencyError
from lstm_study.training import runtime
def devices():
    raise {error!r}
jax.devices = devices
try:
    runtime.configure(threads=2)
except DependencyError as error:
    print(error)
"""
    found = in_a_process(code, tmp_path, KERAS_BACKEND="jax", JAX_PLATFORMS="cuda")
    assert " ".join(found) == f"JAX does not start: {says}"


@pytest.mark.parametrize(("visible", "platforms"), [("-1", "cpu"), ("", "cpu"), ("0", "")])
def test_where_all_gpus_are_hidden_jax_does_not_start_cuda(tmp_path, visible, platforms):
    code = (
        "from lstm_study.training.runtime import configure; configure(threads=2); "
        "import jax; print(jax.config.jax_platforms or '')"
    )
    found = in_a_process(
        code, tmp_path, KERAS_BACKEND="jax", CUDA_VISIBLE_DEVICES=visible, JAX_PLATFORMS=""
    )
    assert "".join(found) == platforms


@pytest.mark.parametrize("tells", [True, False])
def test_which_library_of_cuda_is_missing_tensorflow_says_on_request(tmp_path, tells):
    code = f"""
import os
from lstm_study.errors import DependencyError
from lstm_study.training.runtime import configure
try:
    configure(threads=1, tells_why_no_gpu={tells})
except DependencyError:
    print(os.environ["TF_CPP_MIN_LOG_LEVEL"])
"""
    assert in_a_process(code, tmp_path, KERAS_BACKEND="none") == ["0" if tells else "2"]


@pytest.mark.parametrize(
    ("stats", "asked", "members"),
    [
        ({"bytes_limit": 100}, None, 7), ({"bytes_limit": 100}, 3, 3), ({"bytes_limit": 1}, 3, 1),
        ({"bytes_limit": 10_000}, None, 64), ({"bytes_limit": 10_000}, 33, 28), (None, None, 64),
        (None, 3, 3),
    ],
)  # fmt: skip
def test_a_population_is_as_large_as_free_or_unknown_memory_lets_it_be(
    tmp_path, stats, asked, members
):
    # Asked for 33, others use most of the GPU.
    code = f"""
import types, jax
from lstm_study.training import runtime
from lstm_study.training.runtime import population_limit
runtime.free_gpu_memory = lambda: 400 if {asked} == 33 else None
gpu = types.SimpleNamespace(platform="gpu", memory_stats=lambda: {stats})
jax.devices = lambda: [gpu]
print(population_limit({asked}, member_bytes=10))
"""
    assert in_a_process(code, tmp_path, KERAS_BACKEND="jax") == [str(members)]


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
