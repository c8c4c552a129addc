"""The kernels and whole programs of populations, compiled for cards that are not there."""

from pathlib import Path

import pytest

from tests.support.for_cuda import compiled, needs_compiler

KEPT, READ = {"resident": True}, {"resident": False}
TOO_LARGE = {"why_not": "256 units need 152 KB of shared memory a block, it has 99"}


def test_the_compiler_is_the_one_that_jax_was_made_with():
    root = Path(__file__).parents[4]
    pinned = (root / "requirements.txt").read_text().splitlines()
    compiler = (root / "tests" / "requirements-cuda.txt").read_text().splitlines()
    (jax,) = (line.removeprefix("jax==") for line in pinned if line.startswith("jax=="))

    assert {f"jax-cuda12-pjrt=={jax}", f"jax-cuda12-plugin=={jax}"} <= set(compiler)


@needs_compiler
@pytest.mark.parametrize(
    ("capability", "expected"),
    [
        ("8.0", {128: KEPT, 256: READ}),
        ("8.6", {64: KEPT, 128: READ, 256: TOO_LARGE}),
        ("9.0", {16: KEPT, 32: KEPT, 64: KEPT, 128: KEPT, 256: READ}),
        ("12.0", {128: READ}),
    ],
)
def test_kernels_fit_the_card_that_they_are_chosen_for(capability, expected):
    found = compiled("kernels", capability, *expected)

    assert {each.pop("units"): each for each in found} == expected


@needs_compiler
def test_whole_programs_compile_with_kernels_and_in_the_memory_that_is_expected():
    found = compiled("programs", "9.0")

    assert [(each["program"], each["is_open"]) for each in found] == [
        ("train", False), ("read", False), ("train", True), ("read", True),
    ]  # fmt: skip
    for each in found:
        assert each["has_kernels"] and not each["has_atomics"]
        assert each["member_bytes"] < each["expected_bytes"]
    # A step's time on a card is mostly that of what it reads and writes: 1.2 and 1.7 GB a member.
    closed, opened = (each["step_bytes"] for each in found if each["program"] == "train")
    assert 1.0e9 < closed < 1.25e9
    assert 1.4e9 < opened < 1.8e9
