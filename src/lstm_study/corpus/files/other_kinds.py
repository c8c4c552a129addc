"""Recognises what has the name of a table and is none, by its first bytes."""

from lstm_study.corpus.files.members import Member
from lstm_study.errors import DataError

FIRST_BYTES = 64
"""How many bytes are looked at."""

_AS_CSV = "Save the table as CSV or Parquet."
_PAGE = ("a web page", "Download the file itself, or save its table as CSV.")
_KINDS = {
    b"version https://git-lfs": (
        "a Git LFS pointer in the place of the file",
        "Get the file: git lfs pull in its repository, or download it from its page.",
    ),
    b"<!doctype": _PAGE,
    b"<html": _PAGE,
    b"<?xml": ("XML", _AS_CSV),
    b"sqlite format 3\0": ("an SQLite database", _AS_CSV),
    b"arrow1\0\0": ("an Arrow (Feather) file", _AS_CSV),
    b"%pdf-": ("a PDF document", _AS_CSV),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", "Unpack it."),
    b"\x28\xb5\x2f\xfd": ("compressed by Zstandard", "Unpack it, or compress it by gzip (.gz)."),
}


def refuse_other_kinds(member: Member, first: bytes) -> None:
    """Refuses a file that begins as something else than a table does.

    Raises:
        DataError: It does; what to do is said.
    """
    start = first.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for magic, (what, advice) in _KINDS.items():
        if start.startswith(magic):
            raise DataError(f"{member}: is {what}, whatever its name says. {advice}")
