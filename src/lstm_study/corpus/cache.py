"""Encoded corpora on disk: written whole or not at all, checked when read, memory-mapped.

An entry is a folder named by a digest of what it was made from (`load`). It appears by a rename,
so a process killed at any moment leaves none or a whole one. `manifest.json` has the size and
SHA-256 of every other file, and its own digest; an entry that does not match is rebuilt, and the
log says so.
"""

import json
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.documents import Assembled
from lstm_study.corpus.home_folder import with_home
from lstm_study.corpus.test_half import UnopenedTest
from lstm_study.corpus.text.pairs import TrainingPairs
from lstm_study.corpus.text.vocabulary import Vocabulary
from lstm_study.corpus.types import Corpus, Split
from lstm_study.errors import DataError, RecordError
from lstm_study.files import read_bytes, save_array, seal, sha256_of, unseal
from lstm_study.folders import replacing_folder
from lstm_study.records import CorpusSummary
from lstm_study.records.codec import from_json, to_json

CACHE_VARIABLE = "LSTM_STUDY_CACHE"
_ARRAYS = ("token_ids", "offsets", "labels", "document_ids", "ratings")
_MANIFEST = "manifest.json"
_WORDS = "words.json"

_log = logging.getLogger(__name__)


def cache_folder(cache: Path | None) -> Path:
    """Returns the folder for everything that can be rebuilt.

    The one given; else what LSTM_STUDY_CACHE names; else the user's cache folder for lstm-study.

    Raises:
        DataError: The user has no home folder.
    """
    if cache is not None:
        return cache
    if named := os.environ.get(CACHE_VARIABLE):
        return with_home(named)
    import platformdirs

    try:
        return platformdirs.user_cache_path("lstm-study", appauthor=False)
    except RuntimeError:
        raise DataError(
            "There is no home folder to keep the cache in. Set "
            f"{CACHE_VARIABLE} to a folder that can be written."
        ) from None


def write_entry(folder: Path, assembled: Assembled, summary: CorpusSummary) -> None:
    """Writes a corpus; an entry already there is replaced.

    Raises:
        DataError: The cache cannot be written; nothing is left behind.
    """
    with replacing_folder(
        folder,
        durable=False,
        error=DataError,
        next_step=f"Set {CACHE_VARIABLE} to a folder that can be written.",
    ) as draft:
        for split in (assembled.training, assembled.test):
            for name in _ARRAYS:
                array: NDArray[Any] | None = getattr(split, name)
                if array is not None:
                    save_array(draft / f"{split.name}-{name}.npy", array)
        (draft / _WORDS).write_text(json.dumps(assembled.words), encoding="utf-8")
        files = {
            file.name: {"bytes": file.stat().st_size, "sha256": sha256_of(file)}
            for file in sorted(draft.iterdir())
        }
        manifest = {
            "train_reviews": assembled.train_reviews,
            "rule": assembled.rule,
            "summary": to_json(summary),
            "files": files,
        }
        (draft / _MANIFEST).write_text(seal(json.dumps(manifest, indent=1)), encoding="utf-8")


def read_entry(folder: Path) -> Corpus | None:
    """Reads a corpus, whose arrays are read-only views of its files.

    None where there is none, or where it is damaged, which the log says.
    """
    try:
        if not folder.is_dir():
            return None
        text, _ = unseal(read_bytes(folder / _MANIFEST).decode())
        manifest = json.loads(text)
        _verify(folder, manifest["files"])
        words = json.loads(read_bytes(folder / _WORDS))
        training, count = _read_split(folder, "training"), int(manifest["train_reviews"])
        pairs = TrainingPairs(training.token_ids, training.offsets)
        training = replace(training, pairs=pairs)
        return Corpus(
            training=training,
            train=training.part(0, count, name="train"),
            validation=training.part(count, len(training), name="validation"),
            vocabulary=None if words is None else Vocabulary(tuple(words), manifest["rule"]),
            summary=from_json(manifest["summary"], CorpusSummary, where=str(folder)),
            unopened_test=UnopenedTest(
                lambda: replace(_read_test(folder, manifest["files"]), pairs=pairs)
            ),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError, RecordError) as error:
        _log.warning("%s: is damaged (%s); reading the reviews again.", folder, error)
        return None


def _verify(folder: Path, files: dict[str, dict[str, Any]]) -> None:
    for name, expected in files.items():
        path = folder / name
        if path.stat().st_size != expected["bytes"]:
            raise ValueError(f"{name} has {path.stat().st_size} bytes of {expected['bytes']}")
        if sha256_of(path) != expected["sha256"]:
            raise ValueError(f"{name} has another digest")


def _read_test(folder: Path, files: dict[str, dict[str, Any]]) -> Split:
    """Reads the test reviews, perhaps hours after the entry was checked.

    Raises:
        DataError: They are gone or damaged.
    """
    try:
        _verify(folder, {name: file for name, file in files.items() if name.startswith("test-")})
        return _read_split(folder, "test")
    except (OSError, ValueError) as error:
        raise DataError(
            f"{folder}: the encoded test reviews are gone or damaged ({error}). Run the same "
            "command again: it encodes the reviews again, and resumes."
        ) from error


def _read_split(folder: Path, name: str) -> Split:
    arrays: dict[str, Any] = {}
    for part in _ARRAYS:
        path = folder / f"{name}-{part}.npy"
        if part != "ratings" or path.is_file():
            arrays[part] = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    return Split(name=name, **arrays)
