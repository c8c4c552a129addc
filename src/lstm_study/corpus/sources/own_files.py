"""A user's own reviews: two labels and a text per row, in files of any usual kind.

Rows are read as a stream: token ids are kept, texts are not.
"""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.documents import Documents
from lstm_study.corpus.files.advice import has_surveyed
from lstm_study.corpus.files.input_files import InputFile
from lstm_study.corpus.files.layout import find_members
from lstm_study.corpus.files.table import open_table
from lstm_study.corpus.home_folder import with_home
from lstm_study.corpus.sources.own_rows import OwnRows
from lstm_study.corpus.sources.source import Located, checked_sha256
from lstm_study.corpus.text.tokens import number_words
from lstm_study.corpus.types import Split
from lstm_study.errors import DataError
from lstm_study.spec import DataTable

_log = logging.getLogger(__name__)


def locate(data: DataTable, *, cache: Path) -> Located:
    """Finds the files that `data.path` and `data.test_path` name."""
    paths = tuple(with_home(path) for path in data.paths)
    members = find_members(paths)
    extra = tuple(with_home(path) for path in data.test_paths)
    sha256 = ""
    if len(members) == 1 and {members[0].path, Path(members[0].given)} & set(paths):
        sha256 = checked_sha256(members[0].path, data.sha256)
    elif data.sha256 is not None:
        raise DataError(
            f"{', '.join(data.paths)}: data.sha256 is one file's. Received: {len(members)} files. "
            "Remove data.sha256."
        )
    return Located(
        paths=paths,
        shown=", ".join(data.paths),
        sha256=sha256,
        content_sha256=_content_sha256(members),
        extra=extra,
        extra_sha256=_content_sha256(find_members(extra)) if extra else "",
    )


def read_texts(split: Split, positions: Sequence[int], *, data: DataTable) -> dict[int, str]:
    """Reads the texts of some reviews again, by their rows."""
    paths, beside = ([with_home(path) for path in given] for given in (data.paths, data.test_paths))
    if split.name == "test" and beside:
        paths, beside = beside, paths
    wanted = {int(split.document_ids[position]): position for position in positions}
    table = open_table(paths, encoding=data.encoding, names=data.columns, beside=beside)
    found = {
        wanted[number]: str(row.values[0])
        for number, row in enumerate(table.rows((data.text_column,)), start=1)
        if number in wanted
    }
    if missing := sorted(set(positions) - found.keys()):
        raise DataError(
            f"{paths[0]}: row {split.document_ids[missing[0]]} is missing, and was there when it "
            "was first read."
        )
    return {position: found[position] for position in positions}


def read_documents(located: Located, *, data: DataTable) -> Documents:
    """Reads reviews from tables or folders of texts.

    They are in the order of their rows; `document_ids` are row numbers, from 1.

    Raises:
        DataError: A row breaks a rule (it is named), or the rows together do.
    """
    reading = OwnRows(data, where=located.shown or str(located.path))
    numbered = number_words(
        reading.texts(
            [(located.paths, False), *([(located.extra, True)] if located.extra else [])]
        ),
        rule=reading.rule,
    )
    reading.check()
    sides, names = reading.labels.sides(
        positive=data.positive or (),
        negative=data.negative or (),
        positive_label=data.positive_label,
    )
    _warn_of_what_was_mended(reading)
    codes = np.frombuffer(reading.codes, dtype=np.int32)
    side = np.array([*sides, -1], dtype=np.int8)[codes]
    no_label = codes < 0
    other_label = ~no_label & (side < 0)
    no_text = ~no_label & ~other_label & (np.diff(numbered.offsets) == 0)
    if not data.drop_empty:
        reading.refuse_empty(no_text, no_label)
    kept = ~(no_text | no_label | other_label)
    left_out = {
        "without a word": int(no_text.sum()),
        "without a label": int(no_label.sum()),
        "with another label": int(other_label.sum()),
    }
    _warn_of_both_labels(reading, numbered.text_digests, np.where(kept, side, np.int8(-1)))
    documents = Documents(
        where=reading.where,
        numbers=numbered.numbers,
        offsets=numbered.offsets,
        labels=side,
        roles=np.frombuffer(reading.roles, dtype=np.int8),
        document_ids=np.frombuffer(reading.rows, dtype=np.int64),
        words=numbered.words,
        ranked=False,
        label_names=names,
        groups=None if data.group_column is None else np.frombuffer(reading.groups, dtype=np.int64),
        text_digests=numbered.text_digests,
        left_out=tuple((why, count) for why, count in left_out.items() if count),
        rule=reading.rule,
    )
    return documents if kept.all() else documents.where_kept(kept)


def _warn_of_what_was_mended(reading: OwnRows) -> None:
    """Logs how many texts held half a character, and which labels were read as one."""
    if reading.lone_surrogates:
        what = (
            "1 text holds"
            if reading.lone_surrogates == 1
            else f"{reading.lone_surrogates:,} texts hold"
        )
        _log.warning(
            "%s: %s half a character (a lone surrogate), read as a replacement character.",
            reading.where, what,
        )  # fmt: skip
    if not has_surveyed():
        for sentence in reading.labels.folded():
            _log.warning("%s: %s.", reading.where, sentence)


def _warn_of_both_labels(
    reading: OwnRows, digests: NDArray[np.uint64], side: NDArray[np.int8]
) -> None:
    """Logs how many texts occur with both labels; a review that is left out has side -1."""
    _, text_of = np.unique(digests, return_inverse=True)
    has_both = np.isin(text_of, text_of[side == 0]) & np.isin(text_of, text_of[side == 1])
    reviews = np.flatnonzero(has_both & (side >= 0))
    if len(reviews):
        texts = len(np.unique(text_of[reviews]))
        what = "1 text has" if texts == 1 else f"{texts:,} texts have"
        _log.warning(
            "%s: %s one label in some reviews and the other one in others, %s reviews in all, the "
            "first: %s. No model can classify all of them correctly.",
            reading.where, what, f"{len(reviews):,}", reading.place(int(reviews[0])),
        )  # fmt: skip


def _content_sha256(members: Sequence[InputFile]) -> str:
    """Returns a SHA-256 of all that is read: contents, and what the names say."""
    digest = hashlib.sha256()
    by_path: dict[Path, str] = {}
    for member in members:
        if member.path not in by_path:
            by_path[member.path] = checked_sha256(member.path, None)
        name: tuple[object, ...]
        name = (member.inside, member.kind, member.compression, member.role, member.label)
        name += member.columns
        digest.update(f"{name}\0{by_path[member.path]}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
