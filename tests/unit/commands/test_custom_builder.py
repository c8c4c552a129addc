"""A builder's file between the study file and the records."""

import types
from typing import Any

import pytest

from lstm_study.commands import custom_builder
from lstm_study.commands.custom_builder import builder_of, check_unchanged, explored, recorded
from lstm_study.errors import BuilderError, ChangedStudyError, SpecError
from lstm_study.store import Store
from tests.support import own
from tests.support.fake_study import completed_study


def test_a_study_that_began_needs_no_file_to_know_what_is_searched(tmp_path):
    store = Store(tmp_path / "own")
    before = own.explored()
    store.begin(before, spec_text=own.SPEC, settings=(), data_digest="0")
    assert recorded(own.spec(), store, where="own.toml") == own.spec(), "nothing is lost yet"
    with store.hold("lstm-study run own.toml"):
        assert recorded(own.spec(), store, where="own.toml") == before, "a command works on it"
    store.write(completed_study().trials[0])
    assert recorded(own.spec(), store, where="own.toml") == before


def test_a_changed_file_is_refused_with_the_way_out(tmp_path):
    (tmp_path / "own.py").write_text(own.BUILDER + "\n# changed\n")
    with pytest.raises(ChangedStudyError) as caught:
        check_unchanged(own.explored(), folder=tmp_path, text=None, where="own.toml")
    assert str(caught.value).startswith(
        f"{tmp_path}/own.py: must be the file that the study was started with "
        "(SHA-256 000000000000…). "
    )
    assert str(caught.value).endswith("or start over with --fresh.")


def test_a_missing_file_is_named_with_the_key_that_names_it(tmp_path):
    with pytest.raises(SpecError, match=r"own\.toml: model\.builder must name a file.*own\.py"):
        explored(
            own.spec(), folder=tmp_path, text=None, where="own.toml", log_path=tmp_path / "log"
        )


@pytest.mark.parametrize("printed", ["3", "null", '{"loss": 1}', "Segmentation fault", ""])
def test_a_builder_whose_process_dies_is_told_whatever_it_printed_last(
    tmp_path, monkeypatch, printed
):
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho '{printed}'\nexit 139\n")
    python.chmod(0o700)
    monkeypatch.setattr(custom_builder.sys, "executable", str(python))
    (tmp_path / "own.py").write_text(own.BUILDER)
    with pytest.raises(BuilderError, match=r"build must return, and .* before \(code 139\)"):
        explored(
            own.spec(), folder=tmp_path, text=None, where="own.toml", log_path=tmp_path / "log"
        )


def as_if_in_a_notebook(text: str) -> types.FunctionType:
    """Runs text as a notebook's cell does, and returns its function `build`."""
    import linecache

    name = f"<cell {hash(text)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    space = {"__name__": "__main__"}
    exec(compile(text, name, "exec"), space)
    return space["build"]


def test_a_function_of_a_notebook_becomes_a_text_that_stands_alone():
    build = as_if_in_a_notebook(
        "import json as j\nfrom pathlib import Path\nWIDTH = 4\n\n"
        "def half(n):\n    return n // 2\n\n"
        "def build(hp):\n    return j.dumps([half(WIDTH), str(Path('a')), hp])\n"
    )
    name, text = builder_of(build)
    assert name == "build.py:build"
    space = {}
    exec(text, space)
    assert space["build"]("x") == '[2, "a", "x"]'


VALUES = {
    "NAMES": {"lstm", "gru", "rnn", "bag", "cnn"},
    "FROZEN": frozenset({(1, "a"), (2, "b"), ("c",), ()}),
    "SIZES": {"small": [4, 8, float("inf")], "none": None, 3: -0.0},
    "EMPTY": (set(), frozenset(), [], {}, ()),
}


def test_values_that_a_function_names_are_the_same_text_in_every_process():
    lines = "".join(f"{name} = {value!r}\n" for name, value in VALUES.items())
    build = as_if_in_a_notebook(
        f"inf = float('inf')\n{lines}\ndef build(hp):\n    return {', '.join(VALUES)}\n"
    )
    _, text = builder_of(build)
    assert "NAMES = set(['bag', 'cnn', 'gru', 'lstm', 'rnn'])\n" in text
    assert "FROZEN = frozenset([('c',), (), (1, 'a'), (2, 'b')])\n" in text
    space = {}
    exec(text, space)
    assert space["build"]("x") == tuple(VALUES.values())


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("Thing()", "Thing"),
        ("[Thing()]", "list"),
        ("Path('a')", "PosixPath"),
        ("np.float64(1.5)", "float64"),
        ("partial(print, 1)", "partial"),
    ],
)
def test_what_cannot_be_written_down_is_named(value, kind):
    build = as_if_in_a_notebook(
        "from functools import partial\nfrom pathlib import Path\nimport numpy as np\n\n"
        f"class Thing:\n    pass\n\nTHING = {value}\n\ndef build(hp):\n    return THING\n"
    )
    expected = f"build: names 'THING', a {kind} that can't be written"
    with pytest.raises(BuilderError, match=expected):
        builder_of(build)


def test_an_alias_of_a_type_is_written_as_the_type():
    build = as_if_in_a_notebook(
        "from collections.abc import Callable\nfrom typing import Any\n"
        "Sizes = list[int]\nBuild = Callable[[Any], Any]\n\n"
        "def build(hp: Sizes) -> Build | None:\n    return Any\n"
    )
    space = {}
    exec(builder_of(build)[1], space)
    assert space["build"]([]) is Any


def test_a_function_of_a_module_is_in_its_file():
    name, text = builder_of(own.spec)
    assert name.endswith("/tests/support/own.py:spec")
    assert "def spec(" in text


def test_a_function_within_another_is_refused():
    with pytest.raises(
        BuilderError, match="must be defined at the top level of a module or notebook"
    ):
        builder_of(lambda hp: hp)
