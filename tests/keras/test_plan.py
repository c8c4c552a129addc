"""How many workers a search can use, known before its plan is drawn."""

import subprocess
import sys

import pytest

from lstm_study.search.plan import make_plan, slots_at_most
from tests.support.tiny import spec

GRID = ("search.tuner=grid", "space.dropout=0.2", "space.recurrent_dropout=0.2")


@pytest.mark.parametrize(
    "settings",
    [
        (),
        ("search.max_epochs=27", "search.iterations=2"),
        ("search.max_epochs=9", "search.control=random"),
        ("search.tuner=random", "search.max_trials=7"),
        ("search.tuner=bayesian", "search.max_trials=5", "search.control=random"),
        GRID,
        (*GRID, "search.max_trials=3"),
    ],
)
def test_as_many_slots_are_foreseen_as_the_plan_then_has(settings):
    study = spec(*settings)
    assert slots_at_most(study) == make_plan(study).most_slots


def test_a_space_that_holds_less_has_fewer():
    small = ("space.vocabulary_size=50", "space.maxlen=8", "space.embedding_dim=4", *GRID[1:])
    study = spec("search.max_epochs=27", *small)
    assert make_plan(study).most_slots == 2 < slots_at_most(study)


def test_it_is_foreseen_without_keras_tuner_so_that_workers_start_before_it_is_loaded():
    code = (
        "import sys; from lstm_study.search.plan import slots_at_most; "
        "from tests.support.tiny import spec; slots_at_most(spec()); "
        "slots_at_most(spec('search.tuner=random', 'search.max_trials=7')); "
        "print('keras' in sys.modules or 'keras_tuner' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
