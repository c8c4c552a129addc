"""What requirements.txt pins: every package that is needed, and no other, within the ranges."""

from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FILE = Path(__file__).parents[2] / "requirements.txt"
PINS = {
    canonicalize_name(name): version
    for name, _, version in (line.partition("==") for line in FILE.read_text().splitlines())
    if version
}


def _needed() -> dict[str, list[Requirement]]:
    """Every requirement of the package and its tests, and of what these need, on this Python."""
    found: dict[str, list[Requirement]] = {}
    read = set()
    waiting = [("lstm-study", "dev")]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in read:
            continue
        read.add((name, extra))
        for needed in map(Requirement, requires(name) or []):
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                key = canonicalize_name(needed.name)
                found.setdefault(key, []).append(needed)
                waiting += [(key, each) for each in ("", *needed.extras)]
    return found


def test_every_package_that_is_needed_is_pinned_and_no_other() -> None:
    # Python before 3.12 puts setuptools into a new environment, later ones the newest there is.
    assert sorted(PINS) == sorted(_needed())


def test_each_pin_is_within_the_ranges_of_those_that_need_it() -> None:
    outside = [
        f"{each}, not {PINS[name]}"
        for name, requirements in _needed().items()
        for each in requirements
        if not each.specifier.contains(PINS[name], prereleases=True)
    ]
    assert outside == []
