"""The one door to the test reviews: what is not logged is not read.

No other module of the package calls `Corpus.open_test`; `tests/unit/comparison/test_opening.py` and
a contract in `pyproject.toml` see to that.
"""

from lstm_study.corpus.types import Corpus, Split
from lstm_study.provenance import now
from lstm_study.records import Opening
from lstm_study.store import Store


def open_test(corpus: Corpus, store: Store, *, run_id: str, command: str) -> Split:
    """Logs an opening with the study, then reads the test reviews.

    Args:
        corpus: The reviews.
        store: The study's folder, which keeps the log.
        run_id: What they are opened for: a run's id, "control" or "test-reviews".
        command: The command at work.

    Raises:
        StoreError: The log can't be written; the reviews are not read then.
    """
    opening = Opening(opened_at=now(), command=command, run_id=run_id)
    return corpus.open_test(on_open=lambda: store.add_opening(opening))
