"""Every command names the same winner."""

from dataclasses import replace
from pathlib import Path

import pytest

from lstm_study import Study
from lstm_study.analysis.search.summary import ranking
from lstm_study.commands import open_study, read_answer
from lstm_study.commands.compare import comparison_plan
from lstm_study.commands.list_studies import list_studies
from lstm_study.commands.winner import winner_of
from tests.support.fake_study import completed_study
from tests.support.stored_study import leave


def test_it_is_the_one_that_was_compared_where_an_earlier_version_broke_the_tie_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = completed_study()
    first, second = ranking(study.trials, "max")[:2]
    # By its number of parameters this one would win.
    tied = replace(
        second, parameter_count=1, epochs=first.epochs, score=first.score,
        score_last_epoch=first.score_last_epoch, score_best_epoch=first.score_best_epoch,
    )  # fmt: skip
    trials = tuple(tied if trial is second else trial for trial in study.trials)
    assert ranking(trials, "max")[0] is tied
    leave(replace(study, trials=trials), tmp_path)
    monkeypatch.chdir(tmp_path)

    opened = open_study("fake.toml")
    answer = read_answer(opened, is_noted=False)
    assert answer.winner is not None
    assert answer.winner.trial_id == winner_of(opened).trial_id == first.trial_id
    assert comparison_plan(opened).arms["winner"] == first.configuration
    assert list_studies()[0].winner == first.configuration.label
    assert Study.load("fake.toml").best_configuration == first.configuration
