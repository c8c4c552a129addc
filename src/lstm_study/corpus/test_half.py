"""The test half, unread until the comparison opens it.

A corpus has no test reviews among its attributes. The one way to them is `UnopenedTest.open`, which
calls its caller back first; `engine/opening.py`, the one caller, logs each opening with the
study. Counts and lengths of the test half are in the corpus summary; its texts and labels are
nowhere else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

TestReviews = TypeVar("TestReviews")


@dataclass(frozen=True, eq=False, repr=False)
class UnopenedTest(Generic[TestReviews]):
    """The test reviews, not yet read.

    Attributes:
        read: Reads them; called by `open` only.
    """

    read: Callable[[], TestReviews]

    def open(self, *, on_open: Callable[[], None]) -> TestReviews:
        """Calls `on_open`, then reads the test reviews.

        An exception from `on_open` leaves the half unread: an opening that cannot be logged does
        not happen.
        """
        on_open()
        return self.read()
