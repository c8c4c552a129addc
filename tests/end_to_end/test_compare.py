"""The whole comparison on a slice of IMDB: every arm, more seeds, near-duplicates, the ensemble."""

import json
import re
import textwrap
from pathlib import Path

import numpy as np
import pytest

from lstm_study.analysis.answer.ablation import ablation_path
from lstm_study.analysis.answer.arms import arms_from_records
from lstm_study.analysis.answer.questions import side_questions
from lstm_study.analysis.search.optimism import search_optimism
from lstm_study.analysis.statistics.looks import levels
from lstm_study.records import StudyRecords
from lstm_study.store import Store
from tests.support.bundles import python
from tests.support.commands import Result, lstm_study, workers_of

pytestmark = pytest.mark.real_data

# Two hyperparameters are searched, so that the way from baseline to winner is short.
SPEC = """
[study]
name = "slice"
seed = 3
[data]
source = "imdb"
train_limit = 600
test_limit = 300
[space]
vocabulary_size = 1000
maxlen = 20
embedding_dim = 8
lstm_units = { choices = [4, 6] }
dropout = { choices = [0.0, 0.3] }
recurrent_dropout = 0.0
[search]
max_epochs = 2
[protocol]
epochs = 2
batch_size = 32
learning_rate = 0.01
[baseline]
vocabulary_size = 1000
maxlen = 20
embedding_dim = 8
lstm_units = 5
dropout = 0.2
recurrent_dropout = 0.0
[compare]
seeds = 5
most_seeds = 6
validation_seeds = 1
runner_ups = 1
ablation = true
[export]
ensemble = true
calibrate = false
"""
ARMS = {
    "baseline", "winner", "baseline-masked", "runner-up-1", "control", "ensemble",
    "baseline-last-three", "winner-last-three",
}  # fmt: skip


@pytest.fixture(scope="module")
def compared(tmp_path_factory, data_folder) -> tuple[Path, Result]:
    """A folder with a finished study of a slice of IMDB, and what its command said."""
    folder = tmp_path_factory.mktemp("compared")
    (folder / "slice.toml").write_text(SPEC)
    data = str(data_folder / "imdb.npz")
    return folder, lstm_study("run", "slice.toml", "--data", data, cwd=folder)


def records_of(folder: Path) -> StudyRecords:
    return Store(folder / "study/runs/slice").read_all()


def test_every_arm_is_evaluated_and_shown(compared):
    folder, result = compared
    assert result.code == 0, result.out + result.err
    records = records_of(folder)
    arms = arms_from_records(records)
    assert ARMS <= set(arms) <= ARMS | {"baseline-own-epoch", "winner-own-epoch"}
    assert arms["winner-last-three"].seeds == arms["winner"].seeds
    for name in ("Control", "Runner-up 1", "Ensemble", "Baseline, masked", "Verdict"):
        assert f"\n{name}" in result.out
    assert "corrected over these arms (Holm)" in result.out
    assert "(arm baseline-masked) classifies" in result.out
    assert arms["ensemble"].seeds == arms["control"].seeds == 1
    assert {run.status for run in records.runs} == {"completed"}


def test_own_epochs_come_from_validation_and_are_fixed_before_test_is_opened(compared):
    folder, result = compared
    records = records_of(folder)
    state = json.loads((folder / "study/runs/slice/arms.json").read_text())
    assert state["fixed_at"] <= min(opening.opened_at for opening in records.openings)
    (validated,) = (run for run in records.runs if run.arm == "baseline-validation")
    curve = [epoch.validation_accuracy for epoch in validated.epochs]
    assert state["own_epochs"]["baseline"] == 1 + int(np.argmax(curve))
    for arm, epoch in state["own_epochs"].items():
        # "2 for the winner", or "2, the last, for the winner".
        assert re.search(rf"alidation chose .*\b{epoch}(, the last,)? for the {arm}\b", result.out)
        evaluated = [run for run in records.runs if run.arm == f"{arm}-own-epoch"]
        assert len(evaluated) == (0 if epoch == 2 else 5)


def test_each_evaluation_opens_test_once_and_validation_never_does(compared):
    folder, _ = compared
    records = records_of(folder)
    opened = sorted(opening.run_id for opening in records.openings)
    # The mean of the last epochs is evaluated in the opening of the run itself.
    tested = [
        run.run_id
        for run in records.runs
        if run.trained_on == "training" and not run.arm.endswith("-last-three")
    ]
    assert opened == sorted([*tested, "control", "test-reviews"])
    assert {run.arm for run in records.runs if run.test_accuracy is None} == {
        "baseline-validation", "winner-validation", "baseline-masked-validation", "ablation",
    }  # fmt: skip


def test_the_verdict_is_also_given_without_near_duplicates(compared):
    folder, result = compared
    found = records_of(folder).near_duplicates
    assert found.test_reviews == 300
    if found.positions:
        assert "Without " in result.out
    else:
        assert "No test review is a near-duplicate of a training review." in result.out


def test_the_search_the_fresh_seed_and_test_stand_in_one_table(compared):
    folder, _ = compared
    rows = {row.arm: row for row in search_optimism(records_of(folder))}
    assert rows["winner"].in_search is not None
    assert (rows["winner"].fresh_runs, rows["winner"].test_runs) == (1, 5)
    assert rows["baseline-masked"].fresh_validation is not None


def test_the_way_from_baseline_to_winner_is_whole(compared):
    folder, _ = compared
    path = ablation_path(records_of(folder))
    assert path.candidates == {}
    assert {step.hyperparameter for step in path.steps} == {"lstm_units", "dropout"}
    end = path.start + sum(step.gain for step in path.steps)
    assert end == pytest.approx(path.steps[-1].score_after)


def test_the_ensembles_bundle_gives_the_mean_of_the_stored_probabilities(compared):
    folder, _ = compared
    code = """
        import sys
        from pathlib import Path
        import numpy as np
        from lstm_study import Study
        from lstm_study.corpus.load import load
        from lstm_study.export import load_bundle
        from lstm_study.store import Store

        study = Study.load("slice.toml", data=sys.argv[1])
        test = load(study.spec.data, seed=study.spec.study.seed).open_test(on_open=lambda: None)
        reviews = [test[number] for number in range(len(test))]
        records = Store(study.folder).read_all()
        winner = [row for run, row in records.predictions.items() if run.startswith("winner-s")]
        assert len(winner) == 5
        model = Path("reports/slice/model")
        bundle = load_bundle(model, ensemble=True)
        read = bundle.predict_token_ids(reviews)
        print(np.abs(read - np.mean(winner, axis=0)).max(), len(read))
        bundle = load_bundle(model)
        read = bundle.predict_token_ids(reviews)
        print(np.abs(read - records.predictions[bundle.run_id]).max(), len(read))
    """
    began = json.loads((folder / "study/runs/slice/study.json").read_text())
    data = began["spec"]["data"]["path"]
    found = python("-c", f"import os; os.chdir({str(folder)!r})\n" + textwrap.dedent(code), data)
    assert found.returncode == 0, found.stderr
    for line in found.stdout.splitlines():
        furthest, reviews = line.split()
        assert float(furthest) < 1e-5
        assert int(reviews) == 300
    card = (folder / "reports/slice/model/MODEL_CARD.md").read_text()
    assert "| ensemble |" in card
    assert "holds the networks of 5 runs in one" in card


def test_more_seeds_are_another_look_and_say_so(compared, data_folder):
    folder, _ = compared
    data = str(data_folder / "imdb.npz")
    result = lstm_study("compare", "slice.toml", "--data", data, "--more-seeds", "1", cwd=folder)
    assert result.code == 0, result.out + result.err
    assert "1 seed is added to 5 for every arm" in result.out
    assert "look 2 at the test reviews" in result.out
    level = f"{100 * levels([5 / 6, 1.0])[1]:.4g}% interval"
    assert level in result.out
    assert "1 seed per arm was added to 5 on" in result.out
    assert f"{level}; p-values are of the t test" in result.out
    assert "(out of date: lstm-study report slice.toml)" in result.out
    records = records_of(folder)
    seeds = {name: arm.seeds for name, arm in arms_from_records(records).items()}
    assert seeds["baseline"] == seeds["winner"] == seeds["runner-up-1"] == 6
    again = lstm_study("status", "slice.toml", "--data", data, cwd=folder)
    assert "8 of 8 done" in again.out, "two trials, and two finalists with three seeds each"
    assert "29 of 29 done" in again.out
    assert workers_of(folder) == []
    family = {
        entry.verdict.candidate: entry for entry in side_questions(arms_from_records(records))
    }
    assert family["control"].adjusted_p_value is not None
