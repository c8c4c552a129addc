"""Golden files: what the report of the fake studies is, reviewed by eye and kept."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

ACCEPT = "LSTM_STUDY_ACCEPT_GOLDEN"


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Returns a check of a text against the golden file of that name.

    A text that differs is saved beside the golden file, with ".new" added. With the environment
    variable LSTM_STUDY_ACCEPT_GOLDEN=1 it takes the golden file's place instead.
    """
    folder = Path(request.fspath).parent

    def check(name: str, text: str) -> None:
        path = folder / name
        new = path.with_name(path.name + ".new")
        if os.environ.get(ACCEPT) == "1":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            new.unlink(missing_ok=True)
            return
        expected = path.read_text(encoding="utf-8") if path.is_file() else None
        if expected == text:
            new.unlink(missing_ok=True)
            return
        new.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(text, encoding="utf-8")
        pytest.fail(
            f"{name} differs from its golden file. Compare with {new.name} beside it; if the "
            f"change is meant, run again with {ACCEPT}=1."
        )

    return check
