"""The built wheel: what is in it, and that it runs far from the repository.

It is built with the hatchling that the tests install, so no index is asked. Its dependencies are
those of the tests' own environment.
"""

import email
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "lstm_study"
STUDIES = ("quickstart", "imdb", "imdb-open", "own-reviews", "convolution")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index",
         "--disable-pip-version-check", "--wheel-dir", str(folder), str(ROOT)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel alone, to be put before all other packages."""
    folder = tmp_path_factory.mktemp("installed")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet",
         "--disable-pip-version-check", "--target", str(folder), str(wheel)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def _run(installed: Path, *arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(installed / "bin" / "lstm-study"), *arguments],
        cwd=cwd, capture_output=True, text=True, check=False, timeout=500,
        env=os.environ | {"PYTHONPATH": str(installed), "NO_COLOR": "1", "COLUMNS": "200"},
    )  # fmt: skip


def test_the_wheel_holds_the_package_whole_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {
        f"lstm_study/{path.relative_to(PACKAGE)}"
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names == expected | {f"lstm_study/studies/{name}.toml" for name in STUDIES}
    assert "lstm_study/py.typed" in names
    assert "lstm_study/commands/templates/study.toml.jinja" in names


def test_the_packaged_studies_are_those_of_the_repository(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in STUDIES:
            packaged = archive.read(f"lstm_study/studies/{name}.toml")
            assert packaged == (ROOT / "study" / f"{name}.toml").read_bytes()


def test_the_wheels_metadata_name_the_command_and_the_pythons(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (folder,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        points = archive.read(f"{folder}/entry_points.txt").decode()
        metadata = email.message_from_bytes(archive.read(f"{folder}/METADATA"))
    assert "lstm-study = lstm_study.cli:main" in points
    assert set(metadata["Requires-Python"].split(",")) == {">=3.11", "<3.14"}
    extras = metadata.get_all("Provides-Extra") or []
    assert {"gpu", "jax", "cluster"} <= set(extras)


def test_the_installed_package_is_the_one_that_runs(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", "import lstm_study; print(lstm_study.__file__)"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": str(installed)},
    )  # fmt: skip
    assert Path(done.stdout.strip()).is_relative_to(installed)


def test_the_wheel_runs_the_packaged_quick_start_in_an_empty_folder(
    installed: Path, tmp_path: Path
) -> None:
    # Small enough for seconds of training; all stages are the real ones.
    small = ("data.train_limit=200", "data.test_limit=60", "search.max_epochs=2",
             "protocol.epochs=1", "compare.seeds=1", "space.maxlen=16", "space.lstm_units=8",
             "space.embedding_dim=8", "space.vocabulary_size=500", "baseline.maxlen=16",
             "baseline.embedding_dim=8", "baseline.lstm_units=8")  # fmt: skip
    settings = [item for setting in small for item in ("--set", setting)]
    # A bare command takes the quick start, where there is no study.toml.
    done = _run(installed, "run", "--workers", "1", *settings, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    reports = tmp_path / "reports" / "quickstart"
    assert (reports / "report.html").is_file()
    assert (reports / "model" / "sentiment-lstm.keras").is_file()
    told = _run(installed, "status", "quickstart", *settings, cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "reports/quickstart/report.html" in told.stdout
    names = [f"Study.load({name!r}).spec.study.name" for name in STUDIES]
    loaded = subprocess.run(
        [sys.executable, "-P", "-c", f"from lstm_study import Study; print({', '.join(names)})"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(installed)},
    )  # fmt: skip
    assert loaded.stdout.split() == list(STUDIES), loaded.stderr


def test_the_wheel_writes_a_study_for_own_reviews(installed: Path, tmp_path: Path) -> None:
    rows = "".join(
        f"a {word} film number {n},{word}\n" for n in range(40) for word in ("good", "bad")
    )
    (tmp_path / "reviews.csv").write_text("text,label\n" + rows)
    done = _run(installed, "init", "reviews.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'positive_label = "good"' in (tmp_path / "study.toml").read_text()
