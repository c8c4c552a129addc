"""Seeds, configurations, costs, provenance."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_study.configuration import BASELINE, HYPERPARAMETERS, Configuration, value_in_words
from lstm_study.duration.work import mean_length, step_work
from lstm_study.engine.devices import choose_workers
from lstm_study.provenance import git_commit, now, versions
from lstm_study.seeds import derive
from tests.conftest import LONGEST, TESTS


def test_the_longest_files_of_tests_are_there_and_named_once():
    assert len(set(LONGEST)) == len(LONGEST)
    assert [name for name in LONGEST if not (TESTS / name).is_file()] == []


def test_the_baseline_is_128_100_and_its_parameters_are_counted_by_hand():
    assert BASELINE.label == "128/100"
    assert BASELINE.parameter_count == 50_000 * 128 + 4 * 100 * (128 + 100 + 1) + 101


def test_a_configuration_comes_back_from_its_dictionary():
    values = BASELINE.as_dict() | {"lstm_layers": 2}
    assert Configuration.from_dict(values).as_dict() == values
    assert Configuration.from_dict(values).label == "128/100×2"


def test_a_configuration_from_a_dictionary_has_values_of_its_own_types():
    core = {name: row.documented for name, row in HYPERPARAMETERS.items() if row.is_core}
    found = Configuration.from_dict(core | {"dropout": 3 * 0.1, "maxlen": 8.0, "tuner/epochs": 2})
    assert found == BASELINE.with_values(dropout=0.3, maxlen=8)
    assert type(found.maxlen) is int
    opened = {"learning_rate": 0.1 + 0.2, "bidirectional": 1, "pooling": "max", "batch_size": None}
    assert Configuration.from_dict(core | opened) == BASELINE.with_values(
        learning_rate=0.3, bidirectional=True, pooling="max"
    )
    for name in core:
        with pytest.raises(KeyError, match=name):
            Configuration.from_dict({k: v for k, v in core.items() if k != name})


def test_a_hyperparameters_values_have_places_on_an_axis_and_words():
    pooling, switch, rate = (
        HYPERPARAMETERS[name] for name in ("pooling", "bidirectional", "learning_rate")
    )
    assert [pooling.position(each) for each in (*pooling.ticks, None)] == [0, 1, 2, 3, 0]
    assert [switch.position(each) for each in (False, True, *switch.ticks)] == [0, 1, 0, 1]
    assert [rate.position(each) for each in (0.5, float("nan"))] == [0.5, 0]
    assert rate.ticks == ()
    shown = [value_in_words(each) for each in (True, False, "max", "", None, 9_999, 10_000, 2e4)]
    assert shown == ["yes", "no", "max", "–", "–", "9999", "10,000", "20000"]


def test_the_label_of_a_custom_network_names_three_of_its_hyperparameters():
    def label(*names: str) -> str:
        return Configuration(own=tuple((name, 1) for name in names)).label

    assert label() == "as built"
    assert label("a", "b", "c") == "a 1, b 1, c 1"
    assert label("a", "b", "c", "d") == "a 1, b 1, c 1, …"


@given(st.integers(1, 2**31 - 1), st.text(max_size=8), st.integers(0, 99))
def test_a_derived_seed_is_never_zero_and_always_the_same(seed, purpose, index):
    derived = derive(seed, purpose, index)
    assert 1 <= derived < 2**31
    assert derive(seed, purpose, index) == derived


def test_derived_seeds_differ_by_seed_purpose_and_index():
    seeds = {derive(s, p, i) for s in (1, 2, 3) for p in ("weights", "shuffle") for i in range(50)}
    assert len(seeds) == 300
    assert derive(1, "a", 1, 1) != derive(1, "a", 11)


def test_a_derived_seed_is_the_same_in_every_version():
    """Else a study that an earlier version began would resume as another one."""
    assert derive(1, "shuffle", 0) == 637_212_628
    assert derive(7, "trial", "b2-03") == 253_462_880
    assert derive(1, "test split") == 143_943_149


def test_work_grows_with_every_hyperparameter_whose_row_says_so():
    base = step_work(BASELINE, batch_size=64)
    rows = [row for row in HYPERPARAMETERS.values() if "work" in row.grows]
    assert len(rows) == 7
    for row in rows:
        more = True if row.kind == "switch" else 2 * (row.documented or 10_000)
        assert step_work(BASELINE.with_values(**{row.name: more}), batch_size=64) > base, row.name
    # Batches of half the size are two steps for one.
    half = step_work(BASELINE.with_values(batch_size=32), batch_size=64)
    assert half == 2 * step_work(BASELINE, batch_size=32)


def test_a_masked_training_costs_what_its_reviews_lengths_cost():
    # Middles of the bins: 50 and 200, cut at 120.
    counts = ((100, 3), (300, 1))
    assert mean_length(counts, maxlen=500) == (3 * 50 + 200) / 4
    assert mean_length(counts, maxlen=120) == (3 * 50 + 120) / 4
    assert mean_length((), maxlen=120) == 120
    whole = step_work(BASELINE, batch_size=64)
    assert step_work(BASELINE, batch_size=64, steps=500) == whole
    assert step_work(BASELINE, batch_size=64, steps=250) < 0.75 * whole


def test_workers_share_the_processors_and_are_no_more_than_there_is_to_do():
    assert choose_workers(None, jobs=1, backend="tensorflow").count == 1
    assert choose_workers(3, jobs=100, backend="tensorflow").count == 3
    size = choose_workers(None, jobs=1_000, backend="tensorflow")
    assert size.count * size.threads >= size.count


def test_provenance_tells_time_versions_and_commit(tmp_path):
    assert now().endswith("Z")
    assert versions(["numpy", "no-such-package"]).keys() == {"numpy"}
    assert git_commit(tmp_path) == ""


def test_no_backend_is_imported_by_what_does_not_train():
    modules = [
        "lstm_study",
        "lstm_study.cli",
        "lstm_study.commands.study",
        "lstm_study.model.shape_classes",
        "lstm_study.report.write",
    ]
    code = (
        f"import sys; import {', '.join(modules)}; "
        "print([m for m in ('tensorflow', 'keras', 'jax', 'keras_tuner') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_imports_neither_pydantic_nor_numpy_nor_pandas():
    code = (
        "import sys, lstm_study.cli; "
        "print([m for m in ('pydantic', 'numpy', 'pandas', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_process_of_python_takes_modules_from_the_current_folder():
    source = Path(__file__).resolve().parents[2] / "src"
    calls = [
        text[text.index("sys.executable") :]
        for path in source.rglob("*.py")
        if "[sys.executable" in (text := path.read_text())
    ]
    assert len(calls) >= 4
    assert all(call.startswith('sys.executable, "-P", ') for call in calls)


def test_the_readme_names_every_command():
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    from lstm_study.cli import app

    names = [command.name or command.callback.__name__ for command in app.registered_commands]
    assert len(names) >= 10
    for name in names:
        assert f"lstm-study {name}" in readme, name
