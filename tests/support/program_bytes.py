"""What a program that XLA compiled for a GPU reads and writes, counted in its text."""

import re
from collections.abc import Iterator

_BYTES = {"pred": 1, "s8": 1, "u8": 1, "f16": 2, "bf16": 2, "s32": 4, "u32": 4, "f32": 4, "s64": 8,
          "u64": 8, "f64": 8}  # fmt: skip
_ARRAY = re.compile(r"(\w+)\[([\d,]*)\]")
_LINE = re.compile(r"\s*(?:ROOT )?(%[\w.-]+) = (\(.*?\)|\S+) ([\w-]+)\((.*)$")
_NAME = re.compile(r"%[\w.-]+")
# What names arrays and moves none.
_FREE = {"get-tuple-element", "bitcast", "constant", "parameter", "tuple"}


def bytes_of_a_step(text: str) -> int:
    """Counts the bytes of operands and results of all kernels of a training step.

    More than what is moved where a kernel reads part of an array, as a lookup does.

    Args:
        text: Of the program, as `compiled.as_text()` gives it. A step is its longest computation
            that calls kernels of Triton's.
    """
    computations = text.split("\n\n")
    step = max((each for each in computations if "xla.gpu.triton" in each), key=len)
    sizes: dict[str, int] = {}
    total = 0
    for line in step.splitlines():
        if not (found := _LINE.match(line)):
            continue
        name, shape, operation, rest = found.groups()
        sizes[name] = _size(shape)
        if operation not in _FREE:
            operands = set(_NAME.findall("".join(_arguments(rest))))
            total += sizes[name] + sum(sizes.get(each, 0) for each in operands)
    return total


def _size(shape: str) -> int:
    total = 0
    for kind, sides in _ARRAY.findall(shape):
        if kind in _BYTES:
            elements = 1
            for side in filter(None, sides.split(",")):
                elements *= int(side)
            total += elements * _BYTES[kind]
    return total


def _arguments(rest: str) -> Iterator[str]:
    """Yields what stands before the bracket that closes an operation's arguments."""
    depth = 1
    for character in rest:
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return
        yield character
