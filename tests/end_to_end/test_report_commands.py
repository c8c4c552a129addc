"""Reports, exports, two studies and the live page from the command line, on a fake study."""

import http.client
import re
import signal
import time
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from tests.support.commands import lstm_study, start
from tests.support.fake_study import completed_study, failed_study
from tests.support.stored_study import leave


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("studies")
    leave(completed_study(), found)
    leave(replace(failed_study(), name="other"), found)
    return found


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted((folder / "study").rglob("*"))
        if path.is_file() and path.name != "lock"
    }


def test_the_optuna_storage_is_written_and_holds_every_trial(folder: Path) -> None:
    done = lstm_study("report", "fake.toml", "--format", "optuna", cwd=folder)
    assert done.code == 0, done.err
    path = folder / "reports" / "fake" / "optuna.db"
    assert "optuna-dashboard sqlite:///reports/fake/optuna.db" in done.out
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    study = optuna.load_study(study_name="fake", storage=storage)
    assert len(study.trials) == len(completed_study().trials)
    # Python 3.13 warns of databases that are left open.
    storage.remove_session()
    storage.engine.dispose()


def test_the_report_links_the_exports_that_are_beside_it(folder: Path) -> None:
    page = folder / "reports" / "fake" / "report.html"
    assert lstm_study("report", "fake.toml", cwd=folder).code == 0
    done = lstm_study("report", "fake.toml", "--format", "optuna", cwd=folder)
    assert done.code == 0, done.err
    assert 'href="optuna.db"' in page.read_text()
    done = lstm_study("report", "fake.toml", "--format", "tensorboard", cwd=folder)
    assert done.code == 0, done.err
    assert 'href="tensorboard/"' in page.read_text()


def test_event_files_are_written(folder: Path) -> None:
    done = lstm_study("report", "fake.toml", "--format", "tensorboard", cwd=folder)
    assert done.code == 0, done.err
    events = list((folder / "reports" / "fake" / "tensorboard").rglob("events.out.tfevents.*"))
    assert len(events) == 1 + len(completed_study().trials) + len(completed_study().runs)


def test_a_format_that_there_is_not_is_a_usage_error(folder: Path) -> None:
    done = lstm_study("report", "fake.toml", "--format", "pdf", cwd=folder)
    assert done.code == 2
    assert "tensorboard" in done.err


def test_two_studies_are_put_side_by_side(folder: Path) -> None:
    done = lstm_study("diff", "fake.toml", "other.toml", cwd=folder)
    assert done.code == 0, done.err
    page = (folder / "reports" / "fake-beside-other" / "report.html").read_text()
    assert "other</span>" in page


def test_a_study_beside_itself_is_one_line(folder: Path) -> None:
    done = lstm_study("diff", "fake.toml", "fake.toml", cwd=folder)
    assert done.code == 1
    assert "must be another study" in done.err


def test_watching_serves_the_report_writes_nothing_and_ends_quietly(folder: Path) -> None:
    before = _files(folder)
    process = start("watch", "fake.toml", "--port", "0", cwd=folder)
    assert process.stdout is not None
    said = process.stdout.readline()
    address = re.search(r"http://127\.0\.0\.1:(\d+)/", said)
    assert address is not None, said
    body, status = b"", 0
    for _ in range(600):
        connection = http.client.HTTPConnection("127.0.0.1", int(address[1]), timeout=60)
        connection.request("GET", "/tables/trials.csv")
        answer = connection.getresponse()
        body, status = answer.read(), answer.status
        connection.close()
        if status == 200:
            break
        time.sleep(0.1)
    assert status == 200
    assert body.count(b"\n") == 1 + len(completed_study().trials)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert _files(folder) == before


def test_watching_a_study_that_has_not_begun_is_one_line(folder: Path) -> None:
    text = (folder / "fake.toml").read_text()
    (folder / "new.toml").write_text(text.replace('name = "fake"', 'name = "new"'))
    done = lstm_study("watch", "new.toml", "--port", "0", cwd=folder)
    assert done.code == 1
    assert "new" in done.err
