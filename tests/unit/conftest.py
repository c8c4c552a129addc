"""Unit tests wait for nothing."""

from tests.support.without_fsync import no_waiting_for_the_disk

__all__ = ["no_waiting_for_the_disk"]
