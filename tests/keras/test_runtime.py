"""What a training process leaves behind it: nothing of its models, and JAX's programs on disk."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lstm_study.configuration import Configuration
from lstm_study.spec import ProtocolTable
from lstm_study.training.one import Training, train
from lstm_study.training.runtime import is_machine_code_made, release_models
from tests.support.tiny import split

CONFIGURATION = Configuration(
    vocabulary_size=100, maxlen=8, embedding_dim=6, lstm_units=5, recurrent_dropout=0.2
)


def graphs() -> int:
    """Counts the traced training and prediction functions of models that are still held."""
    import gc

    from tensorflow.python.framework.func_graph import FuncGraph

    return sum(
        isinstance(thing, FuncGraph) and thing.name in ("training_step", "prediction")
        for thing in gc.get_objects()
    )


def test_a_training_that_ended_leaves_no_graph_that_holds_its_variables(tmp_path):
    release_models()
    before = graphs()
    model = train(
        Training(
            configuration=CONFIGURATION, protocol=ProtocolTable(batch_size=16), seed=1, epochs=1
        ),
        reviews=split(40), validation=split(20, name="validation", seed=2), start=None,
        save=tmp_path / "checkpoint.npz", where="", on_step=lambda step: None,
        on_epoch=lambda checkpoint: None,
    )  # fmt: skip
    assert graphs() > before
    del model
    release_models()
    assert graphs() == before


@pytest.mark.parametrize("given", [None, "elsewhere"])
def test_jax_keeps_its_programs_in_the_cache_folder_or_where_it_is_told(tmp_path, given):
    settings = {"KERAS_BACKEND": "jax", "LSTM_STUDY_CACHE": str(tmp_path)}
    if given:
        settings["JAX_COMPILATION_CACHE_DIR"] = str(tmp_path / given)
    code = (
        "from lstm_study.training.runtime import configure; configure(threads=1); "
        "import jax; print(jax.config.jax_compilation_cache_dir)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | settings, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout.strip() == str(tmp_path / (given or "jax"))


def in_a_process(code: str, cache: Path) -> list[str]:
    """Runs code on TensorFlow in a process of its own, and returns the words it prints."""
    settings = {"KERAS_BACKEND": "tensorflow", "LSTM_STUDY_CACHE": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | settings, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return done.stdout.split()


def test_on_the_processor_tensorflow_has_one_thread_and_our_machine_code_those_it_is_given(
    tmp_path,
):
    code = (
        "from lstm_study.training.runtime import configure; free = [3]; "
        "configure(threads=2, share=lambda: free[0]); "
        "import tensorflow as tf; from lstm_study.model.lstm.cpu.threads import thread_count; "
        "told = tf.config.threading; given = thread_count(); free[0] = 1; "
        "print(told.get_intra_op_parallelism_threads(), told.get_inter_op_parallelism_threads(), "
        "given, thread_count())"
    )
    assert in_a_process(code, tmp_path) == ["1", "1", "3", "1"]


def test_without_a_share_our_machine_code_has_the_threads_of_the_process(tmp_path):
    code = (
        "from lstm_study.training.runtime import configure; configure(threads=3); "
        "from lstm_study.model.lstm.cpu.threads import thread_count; print(thread_count())"
    )
    assert in_a_process(code, tmp_path) == ["3"]


def test_keras_is_loaded_without_what_nothing_here_needs_of_it_and_who_needs_that_gets_it(tmp_path):
    code = (
        "import sys; from lstm_study.training.runtime import configure, lean_imports; "
        "configure(threads=1); lean = lean_imports(); lean.__enter__(); "
        "import keras, keras_tuner; lean.__exit__(None, None, None); "
        "print(*sorted({'jax', 'matplotlib', 'PIL', 'sklearn'} & set(sys.modules))); "
        "import matplotlib, PIL, sklearn.linear_model; print('there')"
    )
    assert in_a_process(code, tmp_path) == ["there"]


def test_machine_code_has_a_folder_for_each_version_of_its_source(tmp_path):
    code = (
        "import os; from lstm_study.training.runtime import configure; configure(threads=1); "
        "import numpy as np; from lstm_study.model.lstm.cpu import elementwise as n; "
        "x = np.zeros(1, 'float32'); n.tanh(x.ctypes.data, x.ctypes.data, 1); "
        "print(os.environ['NUMBA_CACHE_DIR'])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    settings = {"KERAS_BACKEND": "tensorflow", "LSTM_STUDY_CACHE": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment | settings, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    folder = Path(done.stdout.strip())
    assert folder.parent == tmp_path / "machine-code"
    assert list(folder.rglob("elementwise.tanh*.nbc"))


def test_machine_code_is_known_to_be_made_or_still_to_be_made(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert not is_machine_code_made()
    (tmp_path / "model_1a").mkdir()
    (tmp_path / "model_1a" / "elementwise.tanh-1.py311.1.nbc").touch()
    assert is_machine_code_made()
