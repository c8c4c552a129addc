"""Memory: a training that has ended leaves nothing of its model behind."""

import gc

from lstm_study.configuration import Configuration
from lstm_study.spec import ProtocolTable
from lstm_study.training.memory import release_models
from lstm_study.training.training import Training, train
from tests.support.tiny import split

CONFIGURATION = Configuration(
    vocabulary_size=100, maxlen=8, embedding_dim=6, lstm_units=5, recurrent_dropout=0.2
)


def graphs() -> int:
    """Counts the traced training and prediction functions of models still in memory."""
    from tensorflow.python.framework.func_graph import FuncGraph

    # Not `isinstance`, which asks a weak proxy for the object that is gone.
    return sum(
        issubclass(type(thing), FuncGraph) and thing.name in ("training_step", "prediction")
        for thing in gc.get_objects()
    )


def test_a_training_that_has_ended_leaves_no_graph_with_its_variables(tmp_path):
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
