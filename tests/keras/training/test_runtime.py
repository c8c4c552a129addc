"""The threads of a configured process."""

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
