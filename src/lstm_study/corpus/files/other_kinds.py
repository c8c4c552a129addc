"""Recognises what has the name of a table or a text and is none, by its first bytes."""

from typing import NamedTuple

from lstm_study.corpus.files.advice import way_out
from lstm_study.errors import DataError

FIRST_BYTES = 64
"""How many bytes are looked at."""


class OtherKind(NamedTuple):
    """A kind of file that is known by how it begins.

    Attributes:
        first_bytes: Its first ones; of a markup in small letters.
        what: It, in words.
        advice: What to do, as a sentence.
        suffixes: What its name should end in, where it is read then.
        is_markup: Whether capitals and blanks before it make no difference.
    """

    first_bytes: bytes
    what: str
    advice: str
    suffixes: tuple[str, ...] = ()
    is_markup: bool = False


_AS_CSV = "Save the table as CSV or Parquet."
_RENAME = "Rename it so that its name says so, or save it as CSV."
_OF_A_PAGE = "Download the file itself, or save its table as CSV."
_KINDS = (
    OtherKind(b"\x1f\x8b", "compressed by gzip (.gz)", _RENAME, (".gz",)),
    OtherKind(b"BZh", "compressed by bzip2 (.bz2)", _RENAME, (".bz2",)),
    OtherKind(b"\xfd7zXZ", "compressed by xz (.xz)", _RENAME, (".xz",)),
    OtherKind(b"PK\x03\x04", "a zip archive (.zip) or a spreadsheet (.xlsx)", _RENAME, (".zip",)),
    OtherKind(b"PAR1", "a Parquet file (.parquet)", _RENAME, (".parquet",)),
    OtherKind(b"\xd0\xcf\x11\xe0", "a spreadsheet (.xls)", _AS_CSV),
    OtherKind(b"SQLite format 3\0", "an SQLite database", way_out(".db")),
    OtherKind(b"ARROW1\0\0", "an Arrow file (.arrow or .feather)", _RENAME, (".arrow", ".feather")),
    OtherKind(b"%PDF-", "a PDF document", _AS_CSV),
    OtherKind(b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it."),
    OtherKind(
        b"\x28\xb5\x2f\xfd", "compressed by Zstandard", "Unpack it, or compress it by gzip (.gz)."
    ),
    OtherKind(
        b"version https://git-lfs",
        "a Git LFS pointer in the place of the file",
        "Get the file: git lfs pull in its repository, or download it from its page.",
    ),
    OtherKind(b"<!doctype", "a web page", _OF_A_PAGE, is_markup=True),
    OtherKind(b"<html", "a web page", _OF_A_PAGE, is_markup=True),
    OtherKind(b"<?xml", "XML", _AS_CSV, is_markup=True),
)


def refuse_other_kinds(
    where: str, first: bytes, *, suffix: str = "", may_be_markup: bool = False
) -> None:
    """Refuses a file that begins as something else than a table or a text does.

    Args:
        where: What the error calls it.
        first: Its first bytes, unpacked.
        suffix: That its kind has, such as ".parquet": then it may begin as such a file does.
        may_be_markup: Whether it may begin with markup, as a review may.

    Raises:
        DataError: It does; what to do is said.
    """
    text = first.removeprefix(b"\xef\xbb\xbf")
    markup = text.lstrip().lower()
    for kind in _KINDS:
        may_be = may_be_markup if kind.is_markup else suffix in kind.suffixes
        is_it = (markup if kind.is_markup else text).startswith(kind.first_bytes)
        if is_it and not may_be:
            raise DataError(f"{where}: is {kind.what}, despite its name. {kind.advice}")
