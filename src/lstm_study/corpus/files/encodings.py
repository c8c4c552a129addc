"""The encoding of a text file: declared, certain from its bytes, or guessed and shown."""

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lstm_study.corpus.files.advice import option
from lstm_study.corpus.files.guesses import readings
from lstm_study.corpus.files.other_kinds import refuse_other_kinds
from lstm_study.errors import DataError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 1 << 16
_PLAIN_BYTES = 1 << 12
_SHOWN = 40
_SURE_ENOUGH = 0.6
_DOUBT_OF_ONE_CLUE = 0.2
_REPLACING = "-replace"
_MIXED_SHARE, _FEWEST_MIXED = 0.05, 5
# In which two letters or so may be valid UTF-8 by chance.
_WIDE = ("gb18030", "big5", "cp932", "euc_jp", "cp949", "cp874")

Lines = Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """An encoding, and why it is thought to be the one.

    Attributes:
        name: As Python knows it.
        errors: "strict", or "replace" where that was asked for.
        confidence: 1 where the file says or proves it.
        sample: Some of the text that shows it; "" where nothing has to be shown.
    """

    name: str
    errors: str = "strict"
    confidence: float = 1.0
    sample: str = ""

    @property
    def is_guess(self) -> bool:
        """Whether nothing in the file says or proves it."""
        return self.confidence < 1

    def __str__(self) -> str:
        if not self.is_guess:
            return self.name
        return f"{self.name} (a guess, {self.confidence:.0%} sure; it reads: {self.sample!r})"


def given_encoding(name: str, where: str) -> Encoding:
    """Returns the encoding that a user named; "utf-8-replace" replaces what is not UTF-8.

    Raises:
        DataError: Python does not know it.
    """
    errors = "replace" if name.endswith(_REPLACING) else "strict"
    try:
        codecs.lookup(name.removesuffix(_REPLACING))
        "".encode(name.removesuffix(_REPLACING))
    except (LookupError, ValueError):
        raise DataError(
            f"{where}: {option('encoding')} must be an encoding that Python knows. "
            f"Received: {name!r}. Usual ones: utf-8, utf-16, cp1252, gb18030, cp1251, cp932."
        ) from None
    return Encoding(name=name.removesuffix(_REPLACING), errors=errors)


def find_encoding(lines: Lines, *, place: Callable[[int], str]) -> Encoding:
    """Detects the encoding of a text.

    A byte order mark decides; without one, a text that is valid UTF-8 is UTF-8. If most lines are,
    the first one that is not is named in an error. Other encodings are guessed (see
    `guesses.readings`). A guess is marked as one, and refused if others are nearly as probable, or
    if more lines are UTF-8 than can be by chance.

    Args:
        lines: Reads the text from its start, in lines or other pieces.
        place: What errors call a piece (numbered from 1) or the whole text (0).

    Raises:
        DataError: It is not text, is mostly UTF-8, or its encoding cannot be detected.
    """
    first = next(lines(), b"")
    for mark, name in _MARKS:
        if first.startswith(mark):
            return Encoding(name=name)
    refuse_other_kinds(place(0), first, may_be_markup=True)
    if b"\0" in first:
        return _utf_16_or_32(lines, place(0))
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for line in lines():
            if b"\x1b$" in line and (found := _escaped(line)):
                return found
            decoder.decode(line)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _not_utf_8(lines, place)
    return Encoding(name="utf-8")


def _escaped(line: bytes) -> Encoding | None:
    """Returns the seven-bit encoding that a line's escape sequences belong to; None if none."""
    for name in ("iso2022_jp", "iso2022_jp_2", "iso2022_kr"):
        try:
            text = line.decode(name)
        except UnicodeDecodeError:
            continue
        if not text.isascii():
            return Encoding(name=name, confidence=0.99, sample=_shown(text))
    return None


def _not_utf_8(lines: Lines, place: Callable[[int], str]) -> Encoding:
    good = bad = first_bad = 0
    first_byte, sample, sample_bytes = 0, list[bytes](), 0
    plain = b""
    for number, line in enumerate(lines(), start=1):
        if line.isascii():
            if len(plain) < _PLAIN_BYTES:
                plain += line[:_PLAIN_BYTES] + b" "
            continue
        try:
            line.decode("utf-8")
            good += 1
        except UnicodeDecodeError as error:
            bad += 1
            if bad == 1:
                first_bad, first_byte = number, line[error.start]
            if sample_bytes < _SAMPLE_BYTES:
                sample.append(line[:_SAMPLE_BYTES].rstrip(b"\r\n"))
                sample_bytes += len(sample[-1])
    if good > bad:
        more = f", nor are {bad - 1:,} more" if bad > 1 else ""
        raise DataError(
            f"{place(first_bad)}: is not UTF-8 (byte 0x{first_byte:02x}){more}, and "
            f"{good:,} other lines are. Correct the line, or read invalid bytes as replacement "
            f"characters with {option('encoding', 'utf-8-replace')}."
        )
    found = _guess(b"\n".join(sample), plain, where=place(first_bad))
    is_mixed = good >= _FEWEST_MIXED and good > _MIXED_SHARE * (good + bad)
    if is_mixed and found.name not in _WIDE:
        raise DataError(
            f"{place(first_bad)}: is not UTF-8, as {good:,} other lines are, but like {bad:,} "
            f"lines {found}. Write all lines in one encoding, best UTF-8; or read all as one with "
            f"{option('encoding', found.name)}."
        )
    return found


def _guess(sample: bytes, plain: bytes, *, where: str) -> Encoding:
    ranked = readings(sample, plain)
    if not ranked:
        raise DataError(
            f"{where}: is not UTF-8, and its encoding cannot be detected. Name it with "
            f"{option('encoding', 'cp1252')}, or whichever it is."
        )
    best = ranked[0]
    if best.probability < _SURE_ENOUGH:
        shown = ", or ".join(
            f"{each.encoding} (it would read {_shown(each.text)!r})" for each in ranked[:3]
        )
        raise DataError(
            f"{where}: is not UTF-8, and may be {shown}. Name its encoding with "
            f"{option('encoding', best.encoding)}, or whichever it is."
        )
    confidence = min(0.99, best.probability, 1 - _DOUBT_OF_ONE_CLUE / best.clues)
    return Encoding(name=best.encoding, confidence=confidence, sample=_shown(best.text))


def _shown(text: str) -> str:
    """Returns some text around the first character that is not ASCII."""
    at = next((place for place, letter in enumerate(text) if ord(letter) > 0x7F), 0)
    start = max(0, at - _SHOWN // 2)
    return " ".join(text[start : start + _SHOWN].split())


def _utf_16_or_32(lines: Lines, where: str) -> Encoding:
    head = b""
    for line in lines():
        head += line
        if len(head) >= _SAMPLE_BYTES:
            break
    for name, width in (("utf-32-le", 4), ("utf-32-be", 4), ("utf-16-le", 2), ("utf-16-be", 2)):
        try:
            text = head[: min(len(head), _SAMPLE_BYTES) // width * width].decode(name)
        except UnicodeDecodeError as error:
            if error.start < _SAMPLE_BYTES - 8:
                continue
            text = head[: error.start].decode(name, "replace")
        ascii_share = sum(letter.isascii() for letter in text) / max(1, len(text))
        if text and "\0" not in text and ascii_share > 0.05:
            controls = sum(not (c.isprintable() or c.isspace()) for c in text)
            if controls * 100 <= len(text):
                return Encoding(name=name, confidence=0.95, sample=_shown(text))
    raise DataError(
        f"{where}: must be text, and holds zero bytes. If it is UTF-16, name that with "
        f"{option('encoding', 'utf-16-le')} or {option('encoding', 'utf-16-be')}."
    )
