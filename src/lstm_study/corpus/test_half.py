"""The test half, shut until `compare` opens it.

A corpus has no test reviews among its attributes. The one way to them is `SealedTest.open`, which
tells its caller first; `comparison/opening.py`, the one caller, logs each opening with the study.
Counts and lengths of the test half are in the corpus summary; its texts and labels are nowhere
else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lstm_study.corpus.types import Split


@dataclass(frozen=True, eq=False, repr=False)
class SealedTest:
    """The test reviews, not yet read.

    Attributes:
        read: Reads them; called by `open` alone.
    """

    read: "Callable[[], Split]"

    def open(self, *, on_open: Callable[[], None]) -> "Split":
        """Calls `on_open`, then reads the test reviews.

        An exception from `on_open` leaves the half unread: an opening that can't be logged does
        not happen.
        """
        on_open()
        return self.read()
