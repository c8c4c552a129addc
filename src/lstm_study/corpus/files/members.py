"""What a path names: one file or many, in folders and archives, with what their names say."""

import glob
import os
import re
import zipfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import NoReturn

from lstm_study.errors import DataError

ROLES = {
    "train": "train", "training": "train", "validation": "validation", "valid": "validation",
    "val": "validation", "dev": "validation", "eval": "validation", "evaluation": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
KINDS = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json", ".parquet")
COMPRESSIONS = (".gz", ".bz2", ".xz")
_TEXT = ".txt"
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_BESIDE_ROLES = {"data", "dataset", "set", "split", "subset", "reviews", "texts", "files"}
_LABELS = {"pos", "neg", "positive", "negative", "good", "bad"}
_FILES_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file to read.

    Attributes:
        path: The file on disk.
        inside: Its name in the zip archive that `path` is; "" if it is no archive.
        kind: One of `KINDS`, or ".txt" for a text that is one review.
        compression: One of `COMPRESSIONS`, or "".
        role: "train", "validation" or "test", as folders or its name say; "" if they do not.
        label: The name of the folder that a text is in, of several the innermost, or the one that
            is plainly a label; "" for other kinds.
    """

    path: Path
    inside: str = ""
    kind: str
    compression: str = ""
    role: str = ""
    label: str = ""

    @property
    def is_packed(self) -> bool:
        """Whether it is compressed or in an archive."""
        return bool(self.inside or self.compression)

    def __str__(self) -> str:
        return f"{self.path} ({self.inside})" if self.inside else str(self.path)


def find_members(paths: Sequence[Path]) -> tuple[Member, ...]:
    """Finds the files that paths name, in the order of their names.

    Each is a file, a zip archive, a folder, or a pattern such as `data/*.csv`. Of several, the
    folders below the one that they share count: `train/ test/`, `pos/ neg/`.

    Returns:
        Tables of one kind, or texts, each once. Names starting with a dot, names of files starting
        with an underscore and folders starting with two are skipped; in a folder, so is what is
        neither table nor text. A role counts only if some file has the role "train".

    Raises:
        DataError: There is nothing to read, tables of several kinds, or a file beside a compressed
            copy of it.
    """
    try:
        base = _shared_folder(paths)
        found = _once([member for path in paths for member in _members_of(path, base)])
    except OSError as error:
        _refuse(error)
    shown = ", ".join(map(str, paths))
    tables = [member for member in found if member.kind != _TEXT]
    members = tables or found
    if not members:
        raise DataError(
            f"{shown}: must hold reviews. Received: no file that ends in {', '.join(KINDS)} or "
            f"{_TEXT}."
        )
    kinds = {member.kind for member in members}
    if len(kinds) > 1:
        counts = ", ".join(
            f"{sum(member.kind == kind for member in members)} {kind}" for kind in sorted(kinds)
        )
        example = str(paths[0] / f"*{members[0].kind}") if paths[0].is_dir() else "one of them"
        raise DataError(
            f"{shown}: must hold tables of one kind. Received: {counts}. Give a pattern, such as "
            f"{example!r}."
        )
    if not any(member.role == "train" for member in members):
        members = [replace(member, role="") for member in members]
    return tuple(members)


def has_pattern(path: Path) -> bool:
    """Returns whether a path is a pattern, and not the name of something there is."""
    return glob.has_magic(str(path)) and not path.exists()


def _shared_folder(paths: Sequence[Path]) -> Path:
    """Returns the folder below which names of folders and files count."""
    folders = [_fixed(path) if has_pattern(path) else path for path in paths]
    folders = [folder if folder.is_dir() else folder.parent for folder in folders]
    try:
        return Path(os.path.commonpath([folder.absolute() for folder in folders]))
    except ValueError:  # On several drives.
        return folders[0].absolute()


def _fixed(pattern: Path) -> Path:
    """Returns the folders in front of the first part of a pattern that is one."""
    return Path(*takewhile(lambda part: not glob.has_magic(part), pattern.parts))


def _once(found: Sequence[tuple[str, Member]]) -> list[Member]:
    """Returns each file once, however many of the paths name it."""
    members: dict[tuple[int, int, str], Member] = {}
    places: dict[str, Member] = {}
    for name, member in found:
        status = member.path.stat()
        key = status.st_dev, status.st_ino, member.inside
        if key in members:
            # Of a file and a link to it, the one whose name says more.
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


def _members_of(path: Path, base: Path) -> Iterator[tuple[str, Member]]:
    """Yields the files that a path names, each with its name below `base`, unpacked."""
    if has_pattern(path):
        _check_readable(path)
        matches = _matches(path)
        if not matches:
            raise DataError(f"{path}: no file fits this pattern{_from_here(path)}.")
        for match in map(Path, matches):
            inner = _files_below if match.is_dir() else partial(_files_of, is_given=False)
            yield from inner(match, base)
    elif path.is_dir():
        yield from _files_below(path, base)
    elif path.is_file():
        yield from _files_of(path, base, is_given=True)
    elif path.exists():
        raise DataError(f"{path}: must be a file or a folder. Received: a device or a pipe.")
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


def _files_below(folder: Path, base: Path) -> Iterator[tuple[str, Member]]:
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


def _files_of(file: Path, base: Path, *, is_given: bool) -> Iterator[tuple[str, Member]]:
    """Yields a file, or the files in a zip archive; one that was named has to be readable."""
    absolute = file.absolute()
    name = absolute.relative_to(base) if absolute.is_relative_to(base) else Path(file.name)
    if file.suffix.lower() == ".zip" and file.is_file():
        yield from _files_in_zip(file, name.parent)
        return
    member = _member(file, name=name.as_posix(), inside="")
    if member is not None and not (is_given and member.kind == _TEXT):
        if not file.exists():
            raise DataError(f"{file}: is a link to no file. Get the file, or remove the link.")
        yield _unpacked(name.as_posix()), member
    elif is_given:
        raise DataError(
            f"{file}: its name must end in {', '.join(KINDS)}, with {', '.join(COMPRESSIONS)} "
            f"behind it if it is compressed, or in .zip. Received: {file.suffix!r}. Save a "
            "spreadsheet as CSV, and unpack other archives."
        )


def _files_in_zip(file: Path, folder: Path) -> Iterator[tuple[str, Member]]:
    try:
        with zipfile.ZipFile(file) as archive:
            names = sorted(info.filename for info in archive.infolist() if not info.is_dir())
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{file}: is damaged, or no zip archive ({error}).") from error
    if len(names) > _FILES_LIMIT:
        raise DataError(f"{file}: must hold at most {_FILES_LIMIT:,} files.")
    if len(set(names)) < len(names):
        raise DataError(f"{file}: holds two files of one name. Unpack it, and rename one of them.")
    for inside in names:
        # Some programs for Windows write backslashes.
        name = inside.replace("\\", "/")
        if not _is_hidden(name):
            member = _member(file, name=(folder / name).as_posix(), inside=inside)
            if member is not None:
                yield _unpacked((folder / name).as_posix()), member


def _unpacked(name: str) -> str:
    return name[: name.rindex(".")] if name.lower().endswith(COMPRESSIONS) else name


def _member(file: Path, *, name: str, inside: str) -> Member | None:
    parts = PurePosixPath(name)
    compression = parts.suffix.lower() if parts.suffix.lower() in COMPRESSIONS else ""
    kind = PurePosixPath(parts.stem if compression else parts.name).suffix.lower()
    if kind not in (*KINDS, _TEXT):
        return None
    if any("\ud800" <= letter <= "\udfff" for letter in str(file) + inside):
        raise DataError(f"{file}: its name must be UTF-8. Rename the file.")
    folders = parts.parts[:-1]
    roles = [_role(each, beside=_BESIDE_ROLES) for each in folders]
    role = next(filter(None, roles), "")
    label = ""
    if kind == _TEXT:
        labels = [each for each, role in zip(folders, roles, strict=True) if not role]
        # The innermost, unless one outside of it is plainly a label: `pos/books/1.txt`.
        plain = [each for each in labels if each.lower() in _LABELS]
        label = (plain or labels or [""])[-1]
    elif not role:
        role = _role(parts.name)
    return Member(
        path=file, inside=inside, kind=kind, compression=compression, role=role, label=label
    )


def _role(name: str, *, beside: Collection[str] | None = None) -> str:
    """Returns the one role that is a word of a name, "" if none or several are.

    Args:
        name: Of a file or a folder: "imdb_train.csv", "TestReviews", "split=test".
        beside: Other words that there may be; None for any.
    """
    words = [word.lower() for word in _WORD.findall(name)]
    roles = {ROLES[word] for word in words if word in ROLES}
    others = {word for word in words if word not in ROLES}
    return roles.pop() if len(roles) == 1 and (beside is None or others <= set(beside)) else ""


def _is_hidden(name: str) -> bool:
    *folders, file = PurePosixPath(name).parts
    return file.startswith((".", "_")) or any(each.startswith((".", "__")) for each in folders)
