"""A folder of texts: each file is one text; folders or names say its label."""

from collections.abc import Iterator, Sequence

from lstm_study.corpus.files.advice import option
from lstm_study.corpus.files.column_names import close_names
from lstm_study.corpus.files.decompression import LINE_LIMIT, open_bytes
from lstm_study.corpus.files.encodings import Encoding, find_encoding, given_encoding
from lstm_study.corpus.files.input_files import InputFile
from lstm_study.corpus.files.rows import Row
from lstm_study.errors import DataError

TEXT, LABEL, FILE = "text", "label", "file"
"""The columns of a folder of texts."""


def encoding_of_texts(members: Sequence[InputFile], given: str | None) -> Encoding:
    """Returns the encoding of a folder's texts: the one that was given, or that of all of them."""
    where = str(members[0].path.parent)
    if given is not None:
        return given_encoding(given, where)

    def contents() -> Iterator[bytes]:
        for member in members:
            with open_bytes(member) as raw:
                yield raw.read(LINE_LIMIT)

    return find_encoding(contents, place=lambda n: str(members[n - 1]) if n else where)


def read_text_file(
    member: InputFile,
    encoding: Encoding | None,
    *,
    names: Sequence[str],
    wanted: Sequence[str] | None,
) -> Row:
    """Reads one file as one row.

    Args:
        member: The file.
        encoding: Its own.
        names: The columns that its table has.
        wanted: The columns to return, in this order; None for all.

    Raises:
        DataError: There is no such column, or the file is too long or has another encoding.
    """
    assert encoding is not None, "a text has an encoding"
    for name in wanted or ():
        if name not in names:
            raise DataError(close_names(name, names, where=str(member)))
    with open_bytes(member) as raw:
        content = raw.read(LINE_LIMIT + 1)
    if len(content) > LINE_LIMIT:
        raise DataError(f"{member}: must hold at most {LINE_LIMIT:,} bytes.")
    try:
        text = content.decode(encoding.name, encoding.errors).removeprefix("\ufeff")
    except UnicodeError as error:
        raise DataError(
            f"{member}: is not {encoding.name} ({error}). Name the encoding with "
            f"{option('encoding', 'cp1252')}, or whichever it is."
        ) from error
    values = {TEXT: text, LABEL: member.label, FILE: member.inside or str(member.path)}
    values |= member.columns
    return Row(member, None, 1, [values[name] for name in (names if wanted is None else wanted)])
