"""The commands of README and of study/*.md, run as a newcomer would, in a folder of their own.

Run: those of "Your own reviews", and then those of the pages, in their order, on a small made-up
`reviews.csv`; training is made shorter by `--set`, which is all that differs. So is the Python.
Only parsed, in tests/commands/test_readme.py: those that need a GPU, packages, or hours.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import environment, lstm_study
from tests.support.readme import python_blocks, shell_lines
from tests.support.reviews import made_up_reviews, write_csv

PARSED = (
    "lstm-study run study/imdb.toml --data imdb.npz",
    "lstm-study run study/imdb-open.toml --data aclImdb_v1.tar.gz",
    "pip install '.[gpu]'",
)
SHORTER = ("search.max_epochs=2", "search.include_baseline=false", "protocol.epochs=1",
           "compare.seeds=2", "compare.validation_seeds=0", "baseline.embedding_dim=8",
           "baseline.lstm_units=8", "space.embedding_dim=8", "space.lstm_units=8")  # fmt: skip


def _made_shorter(words: list[str]) -> list[str]:
    if words[0] != "run":
        return words
    return [*words, "--workers", "1", *(item for each in SHORTER for item in ("--set", each))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every command of the pages that can run did, each with exit code 0."""
    import shlex

    made = tmp_path_factory.mktemp("newcomer")
    rows = [(text, "pos" if label else "neg") for text, label in made_up_reviews(240)]
    write_csv(made / "reviews.csv", rows)
    for line in shell_lines():
        if line in PARSED:
            continue
        program, *words = shlex.split(line)
        assert program == "lstm-study", f"neither run nor parsed: {line}"
        done = lstm_study(*_made_shorter(words), cwd=made, timeout=500)
        assert done.code == 0, f"{line}\n{done.out}\n{done.err}"
    return made


def test_every_command_that_can_run_does_and_leaves_what_the_readme_says(folder: Path) -> None:
    assert (folder / "study.toml").is_file()
    assert (folder / "reports" / "reviews" / "report.html").is_file()
    assert (folder / "reports" / "reviews" / "model" / "example.py").is_file()
    assert (folder / "predictions.csv").read_text().count("\n") == 241
    again = (folder / "again" / "reviews" / "report.html").read_bytes()
    assert again == (folder / "reports" / "reviews" / "report.html").read_bytes()


def test_lines_that_are_only_parsed_are_lines_of_the_pages() -> None:
    assert set(PARSED) <= set(shell_lines())


def test_the_python_of_the_readme_runs_on_the_finished_study(folder: Path) -> None:
    (block,) = python_blocks("README.md")
    shorter = ", ".join(repr(each) for each in SHORTER)
    block = block.replace('load("study.toml")', f'load("study.toml", settings=[{shorter}])')
    done = subprocess.run(
        [sys.executable, "-c", block],
        cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    summary = json.loads((folder / "reports" / "reviews" / "summary.json").read_text())
    assert summary["verdict"]["sentence"] in done.stdout
    assert "b0-00-r0" in done.stdout
