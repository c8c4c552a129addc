"""A study on a Ray cluster of two nodes on loopback: nodes lost and joined, the driver killed.

The driver is the command that was started. No folder is shared: nodes get reviews and checkpoints
through Ray.
"""

import re
import secrets
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from lstm_study.store import Store
from tests.end_to_end.test_kill import begun, wait_for_another_trial, wait_until
from tests.support.commands import lstm_study, start
from tests.support.ray_nodes import Nodes
from tests.support.results import differences

pytestmark = pytest.mark.skipif(
    find_spec("ray") is None, reason="Ray is not installed: the cluster is NOT tested"
)

# Trainings long enough for a node to be lost in the middle of one.
LONG = ("--set", "data.train_limit=4000", "--set", "search.max_epochs=3",
        "--set", "search.tuner=random", "--set", "search.max_trials=4")  # fmt: skip


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """A cluster of two nodes, each with one processor; commands have its token."""
    found = Nodes()
    found.add()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in found.environment.items():
            patch.setenv(name, value)
        yield found
    found.end()


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Path:
    """The folder of a search on this machine."""
    folder = begun(tmp_path_factory.mktemp("alone"))
    done = lstm_study("search", "tiny.toml", "--workers", "2", *LONG, cwd=folder)
    assert done.code == 0, done.err
    return folder


@pytest.fixture(scope="module", autouse=True)
def uninvited(nodes, tmp_path_factory) -> Iterator["subprocess.Popen[str]"]:
    """A command with another token; begun first, as Ray tries for 20 seconds and just waits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        folder = begun(tmp_path_factory.mktemp("uninvited"))
        process = start("search", "tiny.toml", "--cluster", nodes.address, cwd=folder)
    yield process
    process.kill()
    process.communicate()


class Driver:
    """The command that runs a search on a cluster."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = begun(folder)
        self.store = Store(folder / "study/runs/tiny")
        self.process = start("search", "tiny.toml", "--cluster", address, *LONG, cwd=folder)

    def at_work(self) -> set[str]:
        """Names of the workers that are in the middle of a training."""
        return {name for name, live in self.store.read_live().items() if live.step}

    def end(self) -> tuple[str, str]:
        """Waits for the command."""
        out, err = self.process.communicate(timeout=500)
        assert self.process.returncode == 0, out + err
        return out, err


def test_a_whole_study_on_two_nodes_is_the_one_on_this_machine_to_the_bit(
    tmp_path, nodes, finished
):
    folder = begun(tmp_path)
    done = lstm_study("run", "tiny.toml", "--cluster", nodes.address, cwd=folder, timeout=580)
    assert done.code == 0, done.out + done.err
    assert "Traceback" not in done.err, "actors that are ended at last are not lost"
    reference, _ = finished
    assert differences(reference / "study/runs/tiny", folder / "study/runs/tiny") == []
    store = Store(folder / "study/runs/tiny")
    assert {session.workers for session in store.read_sessions()} == {2}
    opened = {opening.run_id for opening in store.read_openings()}
    assert {"baseline-s1", "winner-s2", "control", "test-reviews"} <= opened
    assert not (store.folder / "scratch").exists()


def test_a_node_is_lost_in_mid_trial_and_another_joins(tmp_path, nodes, alone):
    nodes.add()
    driver = Driver(tmp_path, nodes.address)
    wait_until(lambda: len(driver.at_work()) == 3, seconds=300)
    nodes.remove()
    wait_for_another_trial(tmp_path, driver.process)
    nodes.add()
    _, err = driver.end()
    nodes.remove()
    assert re.search(r"Worker w\d+ ended .* resume elsewhere", err)
    assert differences(alone / "study/runs/tiny", driver.store.folder) == []


def test_the_driver_is_killed_and_started_again_outside_through_rays_client(tmp_path, nodes, alone):
    driver = Driver(tmp_path, nodes.address)
    wait_until(lambda: len(driver.at_work()) == 2, seconds=300)
    driver.process.kill()
    driver.process.communicate()
    before = {trial.trial_id: len(trial.epochs) for trial in driver.store.read_trials()}
    again = Driver(tmp_path, nodes.outside)
    again.end()
    assert len(before) >= 2
    assert differences(alone / "study/runs/tiny", again.store.folder) == []


def test_without_the_clusters_token_it_is_refused_in_one_line(nodes, uninvited):
    _, err = uninvited.communicate(timeout=500)
    assert uninvited.returncode == 1
    assert f"--cluster {nodes.address}: no Ray cluster could be reached" in err
    assert "oken" in err
    assert "Traceback" not in err


def test_an_address_where_no_cluster_is_gives_one_line(tmp_path):
    begun(tmp_path)
    done = lstm_study("search", "tiny.toml", "--cluster", "127.0.0.1:1", cwd=tmp_path)
    assert done.code == 1
    assert "--cluster 127.0.0.1:1: no Ray cluster could be reached" in done.err
    assert "Traceback" not in done.err
