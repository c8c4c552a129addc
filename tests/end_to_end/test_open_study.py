"""A study of the open space with a conditional hyperparameter: killed, resumed, run to its end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstm_study import Study
from lstm_study.analysis.answer.arms import arms_from_records
from lstm_study.analysis.answer.combined import combined_arms
from lstm_study.corpus.load import load
from lstm_study.export import load_bundle
from lstm_study.store import Store
from tests.end_to_end.test_kill import wait_until
from tests.support.commands import lstm_study, start, workers_of
from tests.support.tiny import SPEC

OPEN = (
    SPEC.replace('name = "tiny"', 'name = "open"')
    + """
[export]
ensemble = true
"""
).replace(
    "[search]",
    """bidirectional = { choices = [false, true] }
pooling = { choices = ["last", "max", "all"] }
pair_vocabulary_size = { choices = [0, 30] }
word_dropout = { choices = [0.1, 0.2], when = { pair_vocabulary_size = [30] } }
learning_rate = { min = 1e-3, max = 1e-2, sampling = "log" }
learning_rate_schedule = "linear"
clip_norm = 1.0
weight_decay = { choices = [0.0, 0.1] }
batch_size = { choices = [16, 32] }

[search]""",
)
ROOT = Path(__file__).parents[2]
TIMES = ["started_at", "ended_at", "seconds", "worker"]


def trials() -> pd.DataFrame:
    return Study.load("open.toml").trials().drop(columns=TIMES)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "open.toml").write_text(OPEN)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for process in workers_of(tmp_path):
        os.kill(process, signal.SIGKILL)


def test_a_killed_open_search_resumes_as_if_never_killed_and_the_study_ends_with_its_model(
    folder, tmp_path_factory
):
    files = folder / "study/runs/open/trials"
    for more in (2, 4):
        process = start("search", "open.toml", "--workers", "1", cwd=folder)
        wait_until(
            lambda n=more, p=process: len(list(files.glob("*.json"))) >= n or p.poll() is not None
        )
        process.kill()
        process.communicate()
    result = lstm_study("run", "open.toml", "--workers", "1", cwd=folder)
    assert result.code == 0, result.err
    found = trials()
    assert set(found[found.pair_vocabulary_size == 0].word_dropout) <= {0.0}
    assert set(found[found.pair_vocabulary_size == 30].word_dropout) <= {0.1, 0.2}
    assert found.summed_gradients.all()
    assert found.batch_size.isin([16, 32]).all()

    arms = Study.load("open.toml").runs().set_index("arm")
    assert {"baseline", "baseline-masked", "baseline-recipe", "winner"} <= set(arms.index)
    baseline, recipe, winner = (
        arms.loc[[arm]].iloc[0] for arm in ("baseline", "baseline-recipe", "winner")
    )
    assert baseline.learning_rate_schedule == "constant"
    assert not baseline.summed_gradients
    assert (recipe.lstm_units, recipe.pooling) == (baseline.lstm_units, baseline.pooling)
    assert (recipe.clip_norm, recipe.learning_rate) == (winner.clip_norm, winner.learning_rate)

    report = (folder / "reports/open/report.html").read_text()
    assert "baseline-recipe" in report
    table = pd.read_csv(folder / "reports/open/tables/trials.csv")
    assert {"pooling", "bidirectional", "learning_rate"} <= set(table.columns)
    check_combined(folder)

    untouched = tmp_path_factory.mktemp("untouched")
    (untouched / "open.toml").write_text(OPEN)
    result = lstm_study("search", "open.toml", "--workers", "2", cwd=untouched)
    assert result.code == 0, result.err
    os.chdir(untouched)
    pd.testing.assert_frame_equal(found, trials(), check_exact=True)
    check_parts(untouched)


def check_combined(folder: Path) -> None:
    """What `predict --with` gives is the mean of two models, and what the report tells of it."""
    model, classical, text = "reports/open/model", "reports/open/model-classical", "a fine film"

    def said(*arguments: str) -> float:
        predicted = lstm_study("predict", *arguments, "--", text, cwd=folder)
        assert predicted.code == 0, predicted.err
        return float(predicted.out.split()[0])

    alone = [said(*each) for each in ((model,), (model, "--ensemble"), (classical,))]
    assert said(model, "--with", classical) == pytest.approx((alone[0] + alone[2]) / 2, abs=2e-4)
    both = said(model, "--ensemble", "--with", classical)
    assert both == pytest.approx((alone[1] + alone[2]) / 2, abs=2e-4)
    study = Study.load("open.toml")
    found = study.predict([text], ensemble=True, with_control=True)
    assert found["probability"].tolist() == pytest.approx([both], abs=1e-4)
    # From the records, of reviews that were not trained on: calibrated as the export is.
    records = Store(study.folder).read_all()
    reviews = load(study.spec.data, seed=study.spec.study.seed).open_test(on_open=lambda: None)
    texts = [reviews[number] for number in range(len(reviews))]
    read = [
        load_bundle(folder / each, ensemble="class" not in each).predict_token_ids(texts)
        for each in (model, classical)
    ]
    recorded = combined_arms(records, arms_from_records(records))["ensemble-with-control"]
    assert np.mean(read, axis=0) == pytest.approx(recorded.probabilities[0], abs=1e-5)
    models = pd.read_csv(folder / "reports/open/tables/models.csv").set_index("arm")
    assert models.test_accuracy["ensemble-with-control"] == pytest.approx(recorded.accuracy)


def check_parts(folder: Path) -> None:
    """Each opened part is taken away from the winner, one by one, and a second run only reads."""
    command = [
        sys.executable, "-m", "tests.benchmarks.parts", "open.toml", "--seeds", "1",
        "--most-seeds", "2", "--most", "summed_gradients", "--out", "parts.md",
    ]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    written = []
    for _ in range(2):
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
        files = sorted(folder.glob("study/runs/open-parts/trials/*.json"))
        written.append({path.name: path.read_bytes() for path in files})
    assert written[0] == written[1]
    lines = (folder / "parts.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:]] for line in lines if line[:2] == "| "][
        2:
    ]
    winner = Study.load("open.toml").best_configuration
    # 16 is the protocol's, too.
    expected = [n for n in winner.opened() if n != "batch_size" or winner.batch_size != 16]
    assert sorted(row[0] for row in rows) == sorted(["all", *expected])
    assert [row[3] for row in rows if row[0] in ("all", "summed_gradients")] == ["2", "2"]
    assert len(written[0]) == len(expected) + 3
