"""The kernels and whole programs of populations, compiled for cards that are not there."""

import pytest

from tests.support.for_cuda import compiled, needs_compiler

KEPT, READ = {"resident": True}, {"resident": False}


@needs_compiler
@pytest.mark.parametrize(
    ("capability", "of_128", "of_256"),
    [
        ("8.0", KEPT, READ),
        ("8.6", READ, {"why_not": "256 units need 152 KB of shared memory a block, it has 99"}),
        ("9.0", KEPT, READ),
    ],
)
def test_kernels_fit_the_card_that_they_are_chosen_for(capability, of_128, of_256):
    found = {each.pop("units"): each for each in compiled("kernels", capability)}

    assert found == {16: KEPT, 32: KEPT, 64: KEPT, 128: of_128, 256: of_256}


@needs_compiler
def test_whole_programs_compile_with_kernels_and_in_the_memory_that_is_expected():
    found = compiled("programs", "9.0")

    assert [(each["program"], each["is_open"]) for each in found] == [
        ("train", False), ("read", False), ("train", True), ("read", True),
    ]  # fmt: skip
    for each in found:
        assert each["has_kernels"] and not each["has_atomics"]
        assert each["member_bytes"] < each["expected_bytes"]
