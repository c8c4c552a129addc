"""A few orders of commands; `python -m tests.campaigns` tries as many as it is told to."""

import random
from pathlib import Path

from tests.campaigns.orders import one_order
from tests.support.forked_commands import ForkedCommands

# They once found a refused `run --quick` that was not without effect, and a mean that was lost.
SEEDS = (201, 100)


def test_commands_in_any_order_end_in_the_study_of_a_single_run(
    tmp_path: Path, forked: ForkedCommands
) -> None:
    for seed in SEEDS:
        one_order(forked, tmp_path / str(seed), random.Random(f"orders {seed}"))
