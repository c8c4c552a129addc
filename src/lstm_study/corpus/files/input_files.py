"""What a path names: one file or many, in folders and archives."""

import bz2
import fnmatch
import glob
import gzip
import lzma
import os
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from lstm_study.corpus.files.advice import option, way_out
from lstm_study.corpus.files.names import BESIDE_ROLES, Columns, role_of
from lstm_study.errors import DataError

COLUMNAR = (".parquet", ".arrow", ".feather")
"""Kinds that Arrow reads, which have no encoding and always name their columns."""
KINDS = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json", *COLUMNAR)
COMPRESSIONS = (".gz", ".bz2", ".xz")
TEXT_KIND = ".txt"
_DESCRIPTIONS = {
    "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json",
    "dataset-metadata.json", "croissant.json",
}  # fmt: skip
_FILES_LIMIT = 1_000_000
# A path has one slash where two were.
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+:)/+")
_FASTTEXT = b"__label__"
_OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
SHOWN = 4
"""Names of files that a sentence lists."""

_Named = tuple[str, "InputFile | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """One file to read.

    Attributes:
        path: The file on disk.
        inside: Its name in the zip archive that `path` is; "" if it is no archive.
        name: Its name below the folder that all files share.
        kind: One of `KINDS`, or ".txt" for a text that is one review.
        compression: One of `COMPRESSIONS`, or "".
        encoding: Of its text, as Python names it, once it is known: for commands in errors.
        role: "train", "validation" or "test", as folders or its name say; "" if they do not.
        label: The name of the folder that says what a text is; "" for other kinds.
        columns: What the names of its folders, or its own, say in columns: see `names`. Label and
            columns are found by `layout`.
    """

    path: Path
    inside: str = ""
    name: str = ""
    kind: str
    compression: str = ""
    encoding: str = ""
    role: str = ""
    label: str = ""
    columns: Columns = ()

    @property
    def is_packed(self) -> bool:
        """Whether it is compressed or in an archive."""
        return bool(self.inside or self.compression)

    @property
    def given(self) -> str:
        """The path that names this file alone."""
        return f"{self.path}/{self.inside}" if self.inside else str(self.path)

    def __str__(self) -> str:
        return f"{self.path} ({self.inside})" if self.inside else str(self.path)


def walk(paths: Sequence[Path]) -> tuple[list[InputFile], list[str]]:
    """Finds all tables and texts that paths name, and the names of all other files.

    Each file is there once. Names starting with a dot, names of files starting with an underscore
    and folders starting with two are passed over.

    Raises:
        DataError: A path names nothing, or no table or archive; a file can't be read, or is beside
            a compressed copy of it.
    """
    try:
        base = _shared_folder(paths)
        found = [each for path in paths for each in _members_of(path, base)]
        members = _once([(name, member) for name, member in found if member is not None])
    except OSError as error:
        _refuse(error)
    return members, list(dict.fromkeys(name for name, member in found if member is None))


def _has_pattern(path: Path) -> bool:
    """Returns whether a path is a pattern, and not the name of something there is."""
    return glob.has_magic(str(path)) and not path.exists()


def _shared_folder(paths: Sequence[Path]) -> Path:
    """Returns the folder below which names of folders and files count."""
    archives = [_in_archive(path) for path in paths]
    folders = [
        archive[0] if archive else _fixed(path) if _has_pattern(path) else path
        for path, archive in zip(paths, archives, strict=True)
    ]
    folders = [folder if folder.is_dir() else folder.parent for folder in folders]
    try:
        return Path(os.path.commonpath([folder.absolute() for folder in folders]))
    except ValueError:  # On several drives.
        return folders[0].absolute()


def _in_archive(path: Path) -> tuple[Path, str] | None:
    """Returns the archive that a path leads into, and the name or the pattern in it."""
    for parent in path.parents:
        if parent.suffix.lower() == ".zip" and parent.is_file():
            return parent, path.relative_to(parent).as_posix()
    return None


def _fixed(pattern: Path) -> Path:
    """Returns the folders in front of the first part of a pattern that is one."""
    return Path(*takewhile(lambda part: not glob.has_magic(part), pattern.parts))


def _once(found: Sequence[tuple[str, InputFile]]) -> list[InputFile]:
    """Returns each file once, however many of the paths name it."""
    members: dict[tuple[int, int, str], InputFile] = {}
    places: dict[str, InputFile] = {}
    for name, member in found:
        status = member.path.stat()
        key = status.st_dev, status.st_ino, member.inside
        if key in members:
            # Of a file and a link to it, the one with the more informative name.
            members[key] = max(members[key], member, key=lambda each: bool(each.role))
            continue
        members[key] = member
        other = places.setdefault(name, member)
        if other.is_packed != member.is_packed:
            plain, packed = sorted((other, member), key=lambda each: each.is_packed)
            raise DataError(
                f"{packed}: seems to be a copy of {plain}, so its reviews would be read twice. "
                "Remove one, or name the files to read."
            )
    return list(members.values())


def _members_of(path: Path, base: Path) -> Iterator[_Named]:
    """Yields the files that a path names, each with its name below `base`, unpacked.

    Those that are neither table nor text have None in place of an `InputFile`.
    """
    archive = _in_archive(path)
    if archive is not None:
        yield from _files_of(archive[0], base, is_given=True, wanted=archive[1])
    elif _has_pattern(path):
        _check_readable(path)
        matches = _matches(path)
        if not matches:
            raise DataError(f"{path}: no file matches this pattern{_from_here(path)}.")
        for match in map(Path, matches):
            inner = _files_below if match.is_dir() else partial(_files_of, is_given=False)
            yield from inner(match, base)
    elif path.is_dir():
        yield from _files_below(path, base)
    elif path.is_file():
        yield from _files_of(path, base, is_given=True)
    elif path.exists():
        raise DataError(f"{path}: must be a file or a folder. Received: a device or a pipe.")
    elif address := _ADDRESS.match(path.as_posix()):
        raise DataError(
            f"{address[1]}//{path.as_posix()[address.end() :]}: must be a file or a folder on this "
            "machine. Received: a URL. Download it, and give the path of the file."
        )
    else:
        raise DataError(f"{path}: no such file or folder{_from_here(path)}.")


def _matches(pattern: Path) -> list[str]:
    return sorted(glob.glob(str(pattern), recursive=True))  # noqa: PTH207 - absolute ones, too


def _check_readable(pattern: Path) -> None:
    """Refuses a folder that a pattern would pass over in silence, as it cannot be read."""
    for parent in takewhile(lambda each: glob.has_magic(str(each)), pattern.parents):
        for match in map(Path, _matches(parent)):
            if match.is_dir() and not os.access(match, os.R_OK | os.X_OK):
                raise DataError(f"{match}: cannot be read (no permission).")


def _files_below(folder: Path, base: Path) -> Iterator[_Named]:
    files = sorted(_walk(folder))
    if len(files) > _FILES_LIMIT:
        raise DataError(f"{folder}: must hold at most {_FILES_LIMIT:,} files.")
    for file in files:
        if not _is_hidden(file.relative_to(folder).as_posix()):
            yield from _files_of(file, base, is_given=False)


def _walk(folder: Path) -> Iterator[Path]:
    """Yields the files below a folder; links to folders are followed, each folder once."""
    seen = {os.path.realpath(folder)}
    for at, folders, files in os.walk(folder, followlinks=True, onerror=_refuse):
        new = {os.path.realpath(os.path.join(at, each)): each for each in folders}  # noqa: PTH118
        folders[:] = [each for where, each in new.items() if where not in seen]
        seen.update(new)
        yield from (Path(at, file) for file in files)


def _refuse(error: OSError) -> NoReturn:
    raise DataError(f"{error.filename}: cannot be read ({error.strerror}).") from error


def _from_here(path: Path) -> str:
    return "" if path.is_absolute() else f" (relative to the current folder, {Path.cwd()})"


def _files_of(file: Path, base: Path, *, is_given: bool, wanted: str = "") -> Iterator[_Named]:
    """Yields a file, or the files in a zip archive; one that was named has to be readable."""
    absolute = file.absolute()
    name = absolute.relative_to(base) if absolute.is_relative_to(base) else Path(file.name)
    if file.suffix.lower() == ".zip" and file.is_file():
        yield from _files_in_zip(file, name.parent, wanted)
        return
    member = _member(file, name=name.as_posix(), inside="", is_given=is_given)
    if member is not None and not (is_given and member.kind == TEXT_KIND):
        if not file.exists():
            raise DataError(f"{file}: is a link to no file. Get the file, or remove the link.")
        yield _unpacked(name.as_posix()), member
    elif is_given:
        _refuse_lines_of_fasttext(file)
        _refuse_kind(file, file.name)
    else:
        yield name.as_posix(), None


def _refuse_lines_of_fasttext(file: Path) -> None:
    """Refuses a file as fastText reads it, which ends in .txt mostly: a label before each text."""
    opener: Any = _OPENERS.get(file.suffix.lower(), open)
    with suppress(OSError, EOFError, lzma.LZMAError, zlib.error), opener(file, "rb") as raw:
        if raw.read(len(_FASTTEXT)) == _FASTTEXT:
            raise DataError(
                f"{file}: must hold label and text in two columns. Received: fastText's lines, "
                "which begin with __label__. Write a tab between them, with "
                r"sed -E 's/^__label__([^ ]+) +/\1\t/'; save that as .tsv, and name the columns "
                f"with {option('columns', ('label', 'text'))}."
            )


def _refuse_kind(where: object, name: str) -> NoReturn:
    raise DataError(
        f"{where}: its name must end in {', '.join(KINDS)}, with {', '.join(COMPRESSIONS)} behind "
        f"it if it is compressed, or in .zip. Received: {suffix_of(name)!r}. "
        f"{way_out(name)}"
    )


def _files_in_zip(file: Path, folder: Path, wanted: str) -> Iterator[_Named]:
    try:
        with zipfile.ZipFile(file) as archive:
            names = sorted(info.filename for info in archive.infolist() if not info.is_dir())
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{file}: is damaged, or not a zip archive ({error}).") from error
    if len(names) > _FILES_LIMIT:
        raise DataError(f"{file}: must hold at most {_FILES_LIMIT:,} files.")
    if len(set(names)) < len(names):
        raise DataError(f"{file}: holds two files of one name. Unpack it, and rename one of them.")
    # Some programs for Windows write backslashes.
    given = {inside: inside.replace("\\", "/") for inside in names}
    given = {inside: name for inside, name in given.items() if not _is_hidden(name)}
    chosen = {inside: name for inside, name in given.items() if _fits(name, wanted)}
    if wanted and not chosen:
        raise DataError(
            f"{file}: must hold {wanted!r}. Received: {listed(list(given.values())) or 'no file'}."
        )
    for inside, name in chosen.items():
        below = (folder / name).as_posix()
        member = _member(file, name=below, inside=inside, is_given=name == wanted)
        if member is None and name == wanted:
            _refuse_kind(f"{file} ({inside})", name)
        yield (below if member is None else _unpacked(below)), member


def _fits(name: str, wanted: str) -> bool:
    """Returns whether a name in an archive is the wanted one, in that folder, or fits it."""
    return (
        wanted in ("", name) or name.startswith(f"{wanted}/") or fnmatch.fnmatchcase(name, wanted)
    )


def _unpacked(name: str) -> str:
    return name[: name.rindex(".")] if name.lower().endswith(COMPRESSIONS) else name


def _member(file: Path, *, name: str, inside: str, is_given: bool) -> InputFile | None:
    parts = PurePosixPath(name)
    compression = parts.suffix.lower() if parts.suffix.lower() in COMPRESSIONS else ""
    kind = PurePosixPath(parts.stem if compression else parts.name).suffix.lower()
    if kind not in (*KINDS, TEXT_KIND) or (parts.name in _DESCRIPTIONS and not is_given):
        return None
    if any("\ud800" <= letter <= "\udfff" for letter in str(file) + inside):
        raise DataError(f"{file}: its name must be UTF-8. Rename the file.")
    folders = (role_of(each, beside=BESIDE_ROLES) for each in parts.parts[:-1])
    role = next(filter(None, folders), "")
    if not role and kind != TEXT_KIND:
        role = role_of(parts.name)
    return InputFile(
        path=file, inside=inside, name=name, kind=kind, compression=compression, role=role
    )


def _is_hidden(name: str) -> bool:
    *folders, file = PurePosixPath(name).parts
    return file.startswith((".", "_")) or any(each.startswith((".", "__")) for each in folders)


def suffix_of(name: str) -> str:
    """Returns how a name ends, with what is in front of a compression: ".tar.gz"."""
    suffixes = PurePosixPath(name.lower()).suffixes
    return "".join(suffixes[-2:] if suffixes and suffixes[-1] in COMPRESSIONS else suffixes[-1:])


def listed(names: Sequence[str]) -> str:
    """Lists the first names, and says how many more there are."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more:,} more" if more > 0 else "")
