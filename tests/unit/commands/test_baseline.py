"""`baseline`, as far as nothing is trained."""

import pytest

from lstm_study.commands import Silent, baseline, open_study
from lstm_study.errors import ComparisonError
from tests.support.fake_study import completed_study


@pytest.mark.parametrize("names_epochs", [False, True])
def test_starting_the_baseline_over_does_not_start_the_search_over(
    tmp_path, monkeypatch, names_epochs
):
    monkeypatch.chdir(tmp_path)
    study = open_study("quickstart")
    epochs = study.spec.protocol.epochs if names_epochs else None
    study.store.write(completed_study().trials[0])
    with pytest.raises(ComparisonError, match=r"the search would start over.* run quickstart"):
        baseline(study, epochs=epochs, fresh=True, show=Silent(), summary=print)
    assert len(study.store.read_trials()) == 1
