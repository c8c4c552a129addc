"""Records of a whole study that an earlier version wrote: no digests, and fewer fields.

It is the reference study `imdb` as it was first run, with six seeds (four were added later), one
validation run and no finalists. Versions since then must read it, judge it and give it digests.
"""

from pathlib import Path

EARLIER_RECORDS = Path(__file__).parents[1] / "earlier_records" / "imdb"
