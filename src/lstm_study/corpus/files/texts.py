"""Text files decoded, a line at a time; no line is longer than it may be."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper

from lstm_study.corpus.files.advice import option
from lstm_study.corpus.files.encodings import Encoding, find_encoding, given_encoding
from lstm_study.corpus.files.members import Member
from lstm_study.corpus.files.opening import LINE_LIMIT, open_bytes, position_of
from lstm_study.errors import DataError


class Text:
    """A text file that is open, without its byte order mark."""

    def __init__(self, file: TextIOWrapper) -> None:
        self._file, self._is_first = file, True

    def position(self) -> int:
        """Returns how many bytes of the file on disk were read."""
        return position_of(self._file.buffer)

    def readline(self, limit: int = -1) -> str:
        line = self._file.readline(limit)
        if self._is_first:
            self._is_first = False
            line = line.removeprefix("\ufeff")
        return line

    def read(self, count: int) -> str:
        text = self._file.read(count)
        if self._is_first:
            self._is_first = False
            text = text.removeprefix("\ufeff")
        return text


def encoding_of(member: Member, given: str | None) -> Encoding:
    """Returns the encoding that was given for a file, or finds it out.

    Raises:
        DataError: See `encodings.find_encoding`.
    """
    if given is not None:
        return given_encoding(given, str(member))
    return find_encoding(
        lambda: _pieces(member), place=lambda n: f"{member}:{n}" if n else str(member)
    )


@contextmanager
def open_text(member: Member, encoding: Encoding, *, newline: str) -> Iterator[Text]:
    """Opens a file to be read as text, without a byte order mark.

    Args:
        member: The file.
        encoding: Its encoding.
        newline: As of `open`.

    Raises:
        DataError: It is not in that encoding, also while the block reads; the line is named.
    """
    try:
        with open_bytes(member) as raw:
            file = TextIOWrapper(raw, encoding.name, encoding.errors, newline)
            yield Text(file)
    except UnicodeError as error:
        raise DataError(_not_text(member, encoding)) from error


def lines_of(file: Text, where: object) -> Iterator[str]:
    """Yields the lines of a text with their ends.

    Raises:
        DataError: One is longer than `opening.LINE_LIMIT`.
    """
    number = 0
    while line := file.readline(LINE_LIMIT):
        number += 1
        if len(line) == LINE_LIMIT:
            raise DataError(
                f"{where}:{number}: must have at most {LINE_LIMIT:,} characters in a line. Is it "
                "text, with line breaks between the rows?"
            )
        yield line


def _pieces(member: Member) -> Iterator[bytes]:
    with open_bytes(member) as raw:
        while line := raw.readline(LINE_LIMIT):
            yield line


def _other_encoding(encoding: Encoding) -> str:
    if encoding.name == "utf-8-sig":
        # What begins with the mark is UTF-8: another encoding would read the mark as text.
        return (
            "Correct the line, or read what cannot be read as a replacement sign with "
            f"{option('encoding', 'utf-8-replace')}."
        )
    return f"Name its encoding with {option('encoding', 'cp1252')}, or whichever it is."


def _not_text(member: Member, encoding: Encoding) -> str:
    """Says where a file is not what it should be; only now is it looked at line by line."""
    has_wide_letters = encoding.name.startswith(("utf-16", "utf-32"))
    for number, line in enumerate(() if has_wide_letters else _pieces(member), start=1):
        try:
            line.decode(encoding.name)
        except UnicodeError as error:
            byte = line[getattr(error, "start", 0) :][:1].hex()
            return f"{member}:{number}: is not {encoding.name} (byte 0x{byte}). " + _other_encoding(
                encoding
            )
    return (
        f"{member}: is not {encoding.name}. Name its encoding with {option('encoding', 'utf-8')}, "
        "or whichever it is."
    )
