"""The way in: `[data]` of a study file in, one `Corpus` out."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from lstm_study.corpus.cache import CACHE_VARIABLE, cache_folder, read_entry, write_entry
from lstm_study.corpus.documents import assemble
from lstm_study.corpus.sources.source import Located, module_of
from lstm_study.corpus.summary import summarise
from lstm_study.corpus.types import Corpus
from lstm_study.errors import DataError
from lstm_study.spec import DataTable

FORMAT_VERSION = 5
"""Raised whenever the same source and settings would give another corpus, or other files."""

_WITHOUT_EFFECT = ("path", "test_path", "sha256")


def load(
    data: DataTable,
    *,
    seed: int,
    cache: Path | None = None,
) -> Corpus:
    """Reads, encodes and splits the reviews of a study; the second time from the cache.

    Args:
        data: The spec's `[data]`.
        seed: The study's seed; every draw has its own derived from it.
        cache: Folder for encoded corpora and downloads; by default what LSTM_STUDY_CACHE names, or
            the user's cache folder.

    Raises:
        DataError: The reviews cannot be found, read or used, or the cache cannot be written.
        DependencyError: The source needs a package that is not installed.
    """
    root = cache_folder(cache)
    source = module_of(data.source)
    located = source.locate(data, cache=root)
    folder = root / "corpora" / _key(data, located, seed=seed)
    entry = read_entry(folder)
    if entry is None:
        documents = source.read_documents(located, data=data)
        assembled = assemble(documents, data=data, seed=seed)
        summary = summarise(
            assembled, source=data.source, path=located.shown, source_sha256=located.sha256
        )
        write_entry(folder, assembled, summary)
        entry = read_entry(folder)
        if entry is None:
            raise DataError(
                f"{folder}: what was just written cannot be read back. "
                f"Set {CACHE_VARIABLE} to another folder."
            )
    # One content may be found at several paths, as a file or as a folder.
    summary = replace(entry.summary, path=located.shown, source_sha256=located.sha256)
    return replace(entry, summary=summary)


def _key(data: DataTable, located: Located, *, seed: int) -> str:
    made_from = {
        "format": FORMAT_VERSION,
        "settings": data.model_dump(mode="json", exclude=set(_WITHOUT_EFFECT)),
        "seed": seed,
        "content": located.content_sha256,
        "extra": located.extra_sha256,
    }
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()[:32]
