"""Adds the digests that files of a study begun with an earlier version lack."""

from collections.abc import Collection
from pathlib import Path

from lstm_study.files import digest_of, sha256_of, write_text
from lstm_study.records.codec import to_json
from lstm_study.records.kinds import KINDS
from lstm_study.records.lines import read_lines
from lstm_study.records.session import LedgerEntry
from lstm_study.store.predictions import PredictionFiles


def add_missing_digests(files: PredictionFiles, *, skipping: Collection[str] = ()) -> None:
    """Adds a digest to every file of a study that has no ledger, and lists each in one.

    Args:
        files: The study's.
        skipping: Files to leave as they are, because they are damaged.
    """
    for kind in KINDS:
        for path in kind.paths(files.folder) if kind.is_kept else ():
            file = str(path.relative_to(files.folder)).removesuffix(".gz")
            if file in skipping or kind.type is LedgerEntry:
                continue
            if kind.is_lines:
                files.ledger.note(file, next(reversed(read_lines(path, kind.type)), ""))
            elif kind.is_record:
                write_text(path, to_json(files.read_file(kind, path)) + "\n")
                files.ledger.note(file)
            elif kind.type is not None:
                files.write_state(files.read_file(kind, path))
            elif kind.name == "spec":
                files.ledger.note(file, sha256_of(path))
            else:
                array = files.read_predictions(Path(file).stem)
                assert array is not None
                files.ledger.note(file, digest_of(array))
