"""The examples in docstrings show what the code does."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

import lstm_study

_ROOT = Path(lstm_study.__file__).parent
_RUNNABLE = re.compile(r">>> (?!.*\+SKIP)")
MODULES = [
    ".".join(("lstm_study", *path.relative_to(_ROOT).with_suffix("").parts))
    for path in sorted(_ROOT.rglob("*.py"))
    if _RUNNABLE.search(path.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("module", MODULES)
def test_an_example_gives_what_its_docstring_shows(module):
    found = doctest.testmod(importlib.import_module(module.removesuffix(".__init__")))
    assert found.attempted
    assert not found.failed
