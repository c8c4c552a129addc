"""Every trap of Keras Tuner 1.4.8 that we know of is named by a test or a decision."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
KNOWN = range(1, 28)
_NAMED = re.compile(r"traps?[ _]\d+(?:(?:, | and | to |_and_|_to_|_)\d+)*", re.IGNORECASE)


def numbers_in(text: str) -> set[int]:
    """Reads "trap 7", "traps 13 to 16" and "traps_3_and_4", in prose and in names."""
    found: set[int] = set()
    for match in _NAMED.findall(text):
        for part in re.split(r", | and |_and_", re.sub(r"^\D+", "", match)):
            first, *rest = [int(number) for number in re.findall(r"\d+", part)]
            found |= set(range(first, (rest[-1] if rest else first) + 1))
    return found


def test_numbers_are_read_in_prose_and_in_names():
    assert numbers_in("def test_trap_7_two_failures(): ...") == {7}
    assert numbers_in("test_traps_13_to_16_a_search and traps_3_and_4") == {3, 4, 13, 14, 15, 16}
    assert numbers_in("Trap 17 of Keras Tuner; traps 5, 11 and 26") == {5, 11, 17, 26}
    assert numbers_in("a trapdoor, and 12 trials") == set()


def test_every_trap_is_named_in_a_test_or_a_decision():
    here = Path(__file__)
    files = [path for path in (ROOT / "tests").rglob("test_*.py") if path != here]
    files += (ROOT / "study" / "decisions").glob("*.md")
    named = set().union(*(numbers_in(path.read_text(encoding="utf-8")) for path in files))
    assert set(KNOWN) - named == set()
