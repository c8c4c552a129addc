"""These tests do not wait for the disk; that a file outlives a kill is shown elsewhere."""

import os
from collections.abc import Iterator

import pytest

from tests.support.forked_commands import ForkedCommands


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="session")
def forked() -> Iterator[ForkedCommands]:
    """What runs commands without networks."""
    with ForkedCommands() as commands:
        yield commands
