"""For tests that do not wait for the disk; that a file outlives a kill is shown elsewhere."""

import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk():
    """Makes `os.fsync` do nothing in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield
