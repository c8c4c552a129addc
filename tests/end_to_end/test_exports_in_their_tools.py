"""The exports opened by the tools that they are for: Optuna's dashboard and TensorBoard."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lstm_study.report.formats.optuna import write_optuna
from lstm_study.report.formats.tensorboard import write_tensorboard
from tests.support.fake_study import completed_study

STUDY = completed_study()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _get(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an Optuna dashboard that serves the study."""
    path = write_optuna(STUDY, folder=tmp_path_factory.mktemp("optuna"))
    port = _free_port()
    program = str(Path(sys.executable).parent / "optuna-dashboard")
    process = subprocess.Popen(
        [program, f"sqlite:///{path}", "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    end = time.monotonic() + 300
    while True:
        try:
            _get(f"{address}/api/studies")
            break
        except OSError:
            assert process.poll() is None, "the dashboard ended"
            assert time.monotonic() < end, "the dashboard does not answer"
            time.sleep(0.2)
    yield address
    process.terminate()
    process.wait(timeout=300)


def test_optunas_dashboard_serves_every_trial_with_its_score(dashboard: str) -> None:
    (found,) = _get(f"{dashboard}/api/studies")["study_summaries"]
    assert found["study_name"] == STUDY.name
    trials = _get(f"{dashboard}/api/studies/{found['study_id']}?after=0")["trials"]
    assert len(trials) == len(STUDY.trials)
    named = [{each["key"]: each["value"] for each in trial["user_attrs"]} for trial in trials]
    scores = {
        attributes["trial_id"].strip('"'): trial
        for attributes, trial in zip(named, trials, strict=True)
    }
    for trial in STUDY.trials:
        shown = scores[trial.trial_id]
        assert shown["values"] == [trial.score]
        assert len(shown["intermediate_values"]) == trial.budget_epochs


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """TensorBoard's own reader of the study's event files."""
    from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer

    folder = write_tensorboard(STUDY, folder=tmp_path_factory.mktemp("tensorboard"))
    multiplexer = plugin_event_multiplexer.EventMultiplexer()
    multiplexer.AddRunsFromDirectory(str(folder))
    multiplexer.Reload()
    return data_provider.MultiplexerDataProvider(multiplexer, str(folder))


def test_tensorboard_reads_every_epoch_of_every_trial(provider: Any) -> None:
    from tensorboard import context

    scalars = provider.read_scalars(
        context.RequestContext(), experiment_id="", plugin_name="scalars", downsample=1000
    )
    for trial in STUDY.trials:
        data = scalars[f"search/{trial.trial_id}"]["validation_accuracy"]
        assert [each.step for each in data] == [epoch.epoch for epoch in trial.epochs]
        assert [each.value for each in data] == pytest.approx(
            [epoch.validation_accuracy for epoch in trial.epochs]
        )


def test_tensorboards_hparams_has_a_session_for_every_training(provider: Any) -> None:
    from tensorboard import context
    from tensorboard.plugins.base_plugin import TBContext
    from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups

    hparams = backend_context.Context(TBContext(data_provider=provider))
    request = context.RequestContext()
    metadata = hparams.hparams_metadata(request, "")
    experiment = hparams.experiment_from_metadata(
        request, "", True, metadata, hparams.hparams_from_data_provider(request, "", limit=100)
    )
    names = {info.name for info in experiment.hparam_infos}
    assert {"maxlen", "lstm_units", "budget_epochs"} <= names
    groups = list_session_groups.Handler(
        request, hparams, "", api_pb2.ListSessionGroupsRequest(
            slice_size=1000, start_index=0, allowed_statuses=[api_pb2.STATUS_SUCCESS],
        ),
    ).run()  # fmt: skip
    found = {group.name: group for group in groups.session_groups}
    trainings = [*STUDY.trials, *STUDY.runs]
    assert len(found) == len(trainings)
    trial = STUDY.trials[0]
    assert found[trial.trial_id].hparams["maxlen"].number_value == trial.configuration.maxlen
