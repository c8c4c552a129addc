"""What a path names: one file or many, in folders and archives, with what their names say."""

import glob
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from lstm_study.errors import DataError

ROLES = {
    "train": "train", "training": "train", "validation": "validation", "valid": "validation",
    "val": "validation", "dev": "validation", "test": "test", "testing": "test",
}  # fmt: skip
KINDS = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json", ".parquet")
COMPRESSIONS = (".gz", ".bz2", ".xz")
_TEXT = ".txt"
_ROLE_OF_NAME = re.compile(rf"({'|'.join(ROLES)})(?![a-z])", re.IGNORECASE)
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
        label: The name of the folder that a text is in; "" for other kinds.
    """

    path: Path
    inside: str = ""
    kind: str
    compression: str = ""
    role: str = ""
    label: str = ""

    def __str__(self) -> str:
        return f"{self.path} ({self.inside})" if self.inside else str(self.path)


def find_members(paths: Sequence[Path]) -> tuple[Member, ...]:
    """Finds the files that paths name, in the order of their names.

    Each is a file, a zip archive, a folder, or a pattern such as `data/*.csv`.

    Returns:
        Tables of one kind, or texts. Names starting with a dot or underscore are skipped; in a
        folder, so is what is neither table nor text. A role counts only if some file has the role
        "train".

    Raises:
        DataError: There is nothing to read, or tables of several kinds.
    """
    found = [member for path in paths for member in _members_of(path)]
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


def _members_of(path: Path) -> Iterator[Member]:
    if has_pattern(path):
        matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - absolute ones, too
        if not matches:
            raise DataError(f"{path}: no file fits this pattern{_from_here(path)}.")
        for match in matches:
            yield from _files_of(Path(match), name=Path(match).name, is_given=False)
    elif path.is_dir():
        count = 0
        for file in sorted(path.rglob("*")):
            name = file.relative_to(path).as_posix()
            if file.is_file() and not _is_hidden(name):
                count += 1
                if count > _FILES_LIMIT:
                    raise DataError(f"{path}: must hold at most {_FILES_LIMIT:,} files.")
                yield from _files_of(file, name=name, is_given=False)
    elif path.is_file():
        yield from _files_of(path, name=path.name, is_given=True)
    elif path.exists():
        raise DataError(f"{path}: must be a file or a folder. Received: a device or a pipe.")
    else:
        raise DataError(f"{path}: no such file or folder{_from_here(path)}.")


def _from_here(path: Path) -> str:
    return "" if path.is_absolute() else f" (relative to the current folder, {Path.cwd()})"


def _files_of(file: Path, *, name: str, is_given: bool) -> Iterator[Member]:
    """Yields a file, or the files in a zip archive; one that was named has to be readable."""
    if file.suffix.lower() == ".zip":
        yield from _files_in_zip(file)
        return
    member = _member(file, name=name, inside="")
    if member is not None and not (is_given and member.kind == _TEXT):
        yield member
    elif is_given:
        raise DataError(
            f"{file}: its name must end in {', '.join(KINDS)}, with {', '.join(COMPRESSIONS)} "
            f"behind it if it is compressed, or in .zip. Received: {file.suffix!r}. Save a "
            "spreadsheet as CSV, and unpack other archives."
        )


def _files_in_zip(file: Path) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(file) as archive:
            names = sorted(info.filename for info in archive.infolist() if not info.is_dir())
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{file}: is damaged, or no zip archive ({error}).") from error
    if len(names) > _FILES_LIMIT:
        raise DataError(f"{file}: must hold at most {_FILES_LIMIT:,} files.")
    for name in names:
        if not _is_hidden(name):
            member = _member(file, name=name, inside=name)
            if member is not None:
                yield member


def _member(file: Path, *, name: str, inside: str) -> Member | None:
    parts = PurePosixPath(name)
    compression = parts.suffix.lower() if parts.suffix.lower() in COMPRESSIONS else ""
    kind = PurePosixPath(parts.stem if compression else parts.name).suffix.lower()
    if kind not in (*KINDS, _TEXT):
        return None
    folders = parts.parts[:-1]
    role = next((ROLES[each.lower()] for each in folders if each.lower() in ROLES), "")
    label = ""
    if kind == _TEXT:
        label = next((each for each in reversed(folders) if each.lower() not in ROLES), "")
    elif not role and (named := _ROLE_OF_NAME.match(parts.name)):
        role = ROLES[named[1].lower()]
    return Member(
        path=file, inside=inside, kind=kind, compression=compression, role=role, label=label
    )


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__")) for part in PurePosixPath(name).parts)
