"""Imports of Keras without its optional dependencies."""

from tests.support.processes import in_a_process


def test_optional_dependencies_of_keras_are_not_imported_with_it_and_importable_after(tmp_path):
    code = (
        "import sys; from lstm_study.training.runtime import configure; "
        "from lstm_study.training.imports import skip_optional_imports; "
        "configure(threads=1); skipping = skip_optional_imports(); skipping.__enter__(); "
        "import keras, keras_tuner; skipping.__exit__(None, None, None); "
        "print(*sorted({'jax', 'matplotlib', 'PIL', 'sklearn'} & set(sys.modules))); "
        "import matplotlib, PIL, sklearn.linear_model; print('there')"
    )
    assert in_a_process(code, tmp_path) == ["there"]
