"""The Large Movie Review Dataset (Maas et al., ACL 2011): its archive, or its unpacked folder.

Source: https://ai.stanford.edu/~amaas/data/sentiment/
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.documents import TEST, TRAIN, Documents
from lstm_study.corpus.home_folder import with_home
from lstm_study.corpus.sources.source import Located, checked_sha256
from lstm_study.corpus.sources.tar_stream import stream_files
from lstm_study.corpus.text.tokens import number_words
from lstm_study.corpus.types import Split
from lstm_study.errors import DataError
from lstm_study.files import read_bytes
from lstm_study.spec import DataTable

LABEL_NAMES = ("negative", "positive")
_REVIEW = re.compile(r"(?:^|/)(train|test)/(neg|pos)/(\d{1,9})_(\d{1,2})\.txt$")
_FILM_LIST = re.compile(r"(?:^|/)(train|test)/urls_(neg|pos)\.txt$")
_FILM = re.compile(r"\btt\d+")
_REVIEW_LIMIT_BYTES = 1 << 20
_REVIEWS_LIMIT = 1_000_000


def locate(data: DataTable, *, cache: Path) -> Located:
    """Finds the archive, or the folder it unpacks to, at `data.path`."""
    path = with_home(data.paths[0])
    if not path.is_dir():
        sha256 = checked_sha256(path, data.sha256)
        return Located(paths=(path,), shown=str(data.path), sha256=sha256, content_sha256=sha256)
    if data.sha256 is not None:
        raise DataError(
            f"{path}: data.sha256 is a file's. Received: a folder. Remove data.sha256, or give "
            "the archive."
        )
    return Located(
        paths=(path,), shown=str(data.path), sha256="", content_sha256=folder_sha256(path)
    )


def read_documents(located: Located, *, data: DataTable) -> Documents:
    """Reads every labelled review, in the order of half, label and file name.

    Unlabelled reviews and the data set's other files are skipped. `document_ids` are
    "train/neg/0": half, label and the id that is the first part of the file's name; the second,
    the stars its author gave, is in `ratings`.

    Groups, where `data` wants them, are the films of `urls_pos.txt` and `urls_neg.txt`.

    Raises:
        DataError: There is nothing to read, or it is hostile, truncated, damaged, or not UTF-8.
    """
    path, wants_films = located.path, data.group_column is not None
    films: dict[str, list[str]] = {}

    def is_wanted(name: str) -> bool:
        is_review = _REVIEW.search(name) is not None
        return is_review or (wants_films and _FILM_LIST.search(name) is not None)

    files = _without_lists(_files(path, is_wanted), films)
    reviews = _sorted_reviews(files, path=path)
    if not reviews:
        raise DataError(
            f"{path}: must hold reviews as train/pos/ID_RATING.txt. Received: none. "
            "Give aclImdb_v1.tar.gz, or the folder it unpacks to."
        )
    names, texts = map(itemgetter(0), reviews), map(itemgetter(1), reviews)
    numbered = number_words(texts, rule=data.token_rule)
    parts = [_REVIEW.search(name).groups() for name in names]  # type: ignore[union-attr]
    empty = np.flatnonzero(np.diff(numbered.offsets) == 0)
    if len(empty):
        raise DataError(f"{path}: {reviews[empty[0]][0]}: a review must hold words.")
    halves, labels, numbers, ratings = zip(*parts, strict=True)
    return Documents(
        where=str(path),
        numbers=numbered.numbers,
        offsets=numbered.offsets,
        labels=np.array([label == "pos" for label in labels], dtype=np.int8),
        roles=np.array([TRAIN if half == "train" else TEST for half in halves], dtype=np.int8),
        document_ids=np.array(list(map("/".join, zip(halves, labels, numbers, strict=True)))),
        words=numbered.words,
        ranked=False,
        label_names=LABEL_NAMES,
        ratings=np.array(ratings, dtype=np.int8),
        groups=_groups(parts, films, path=path) if wants_films else None,
        text_digests=numbered.text_digests,
        rule=data.token_rule,
    )


def read_texts(split: Split, positions: Sequence[int], *, data: DataTable) -> dict[int, str]:
    """Reads the texts of some reviews again, by their `document_ids`."""
    path = with_home(data.paths[0])
    wanted = {str(split.document_ids[position]): position for position in positions}

    def is_wanted(name: str) -> bool:
        return _document_id(name) in wanted

    found = {
        wanted[_document_id(name)]: content.decode("utf-8")
        for name, content in _files(path, is_wanted)
    }
    if missing := sorted(name for name, position in wanted.items() if position not in found):
        raise DataError(f"{path}: {missing[0]} is missing, and was there when it was first read.")
    return {position: found[position] for position in positions}


def _document_id(name: str) -> str:
    """Returns "train/neg/0" for a review's file name, and "" for any other name."""
    match = _REVIEW.search(name)
    return "/".join(match.groups()[:3]) if match else ""


def folder_sha256(path: Path) -> str:
    """Returns a SHA-256 of the names and contents of a folder's labelled reviews."""
    digest = hashlib.sha256()
    for name, content in _files(path, lambda name: _REVIEW.search(name) is not None):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _files(path: Path, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Yields the wanted files of the archive, or of the folder it unpacks to, by name."""
    if not path.is_dir():
        yield from stream_files(path, wanted=is_wanted, limit_bytes=_REVIEW_LIMIT_BYTES)
        return
    root = path if (path / "train").is_dir() else path / "aclImdb"
    folders = [root / half / label for half in ("train", "test") for label in ("neg", "pos")]
    for folder in folders:
        if not folder.is_dir():
            raise DataError(
                f"{path}: must hold {folder.relative_to(root)}/. Received: a folder without it. "
                "Give aclImdb_v1.tar.gz, or the folder it unpacks to."
            )
    files = chain(sorted(root.glob("*/urls_*.txt")), *(sorted(each.iterdir()) for each in folders))
    for file in files:
        name = file.relative_to(root).as_posix()
        if is_wanted(name):
            yield name, _content(file)


def _without_lists(
    files: Iterator[tuple[str, bytes]], films: dict[str, list[str]]
) -> Iterator[tuple[str, bytes]]:
    """Yields the reviews; each list of films goes into `films`, as "train/pos" → film by id."""
    for name, content in files:
        match = _FILM_LIST.search(name)
        if match is None:
            yield name, content
        else:
            films["/".join(match.groups())] = [
                found[0] if (found := _FILM.search(line)) else ""
                for line in content.decode("utf-8", "replace").splitlines()
            ]


def _groups(
    parts: Sequence[tuple[str, ...]], films: dict[str, list[str]], *, path: Path
) -> NDArray[np.int64]:
    """Returns the number of each review's film."""
    numbers: dict[str, int] = {}
    groups = np.empty(len(parts), dtype=np.int64)
    for place, (half, label, number, _) in enumerate(parts):
        try:
            film = films[f"{half}/{label}"][int(number)]
        except (KeyError, IndexError):
            raise DataError(
                f"{path}: must hold {half}/urls_{label}.txt with the film of each review, since "
                f"data.group_column is set. Review {number} has none there. Remove "
                "data.group_column, or download the archive again."
            ) from None
        groups[place] = numbers.setdefault(film, len(numbers)) if film else -1
    return groups


def _sorted_reviews(files: Iterator[tuple[str, bytes]], *, path: Path) -> list[tuple[str, bytes]]:
    """Returns train before test, negative before positive, by name; each name once, UTF-8."""
    found: dict[str, bytes] = {}
    for name, content in files:
        key = "/".join(name.split("/")[-3:])
        if key in found:
            raise DataError(f"{path}: {name} occurs twice. Do not trust this file.")
        if not content.isascii():
            try:
                content.decode("utf-8")
            except UnicodeDecodeError as error:
                raise DataError(f"{path}: {name} must be UTF-8 ({error}).") from error
        found[key] = content
        if len(found) > _REVIEWS_LIMIT:
            raise DataError(f"{path}: must hold at most {_REVIEWS_LIMIT} reviews.")
    return sorted(found.items(), key=lambda item: (item[0].startswith("test"), item[0]))


def _content(file: Path) -> bytes:
    try:
        return read_bytes(file, limit=_REVIEW_LIMIT_BYTES)
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: cannot be read ({error}).") from error
