"""Finds the input files that paths name: which to read, and as which splits and labels."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import NoReturn

from lstm_study.corpus.files.advice import option, way_out
from lstm_study.corpus.files.input_files import (
    KINDS,
    SHOWN,
    TEXT_KIND,
    InputFile,
    listed,
    suffix_of,
    walk,
)
from lstm_study.corpus.files.names import (
    abbreviated_roles,
    columns_of_tables,
    labels_of_texts,
    mixed_splits,
    role_of,
    split_level,
    undecided_roles,
    words_of_roles,
)
from lstm_study.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What paths name.

    Attributes:
        members: The files to read.
        notes: Which files are not read, in sentences.
        split_notes: Which are read as training reviews although their names do not say so.
    """

    members: tuple[InputFile, ...]
    notes: tuple[str, ...] = ()
    split_notes: tuple[str, ...] = ()


def find_members(paths: Sequence[Path]) -> tuple[InputFile, ...]:
    """Returns the files that paths name: see `find_files`."""
    return find_files(paths).members


def find_files(paths: Sequence[Path], *, labelled: bool = True) -> Found:
    """Finds the files that paths name, in the order of their names.

    Each is a file, a zip archive, a folder, or a pattern such as `data/*.csv`; so may be what
    follows the name of an archive: `all.zip/reviews.csv`. With several paths, splits and labels
    are read from the folders below the one that all share: `train/ test/`, `pos/ neg/`.

    Args:
        paths: What to read.
        labelled: Whether texts in no folder of labels are left out, and noted, where others are in
            such folders: README.txt beside `pos/` and `neg/`.

    Returns:
        Tables of one kind, or texts, each once. Names starting with a dot, names of files starting
        with an underscore and folders starting with two are skipped; in a folder, so is what is
        neither table nor text, and noted. A role counts only if some file has the role "train".

    Raises:
        DataError: There is nothing to read, tables of several kinds, tables beside texts in folders
            of labels, or a file beside a compressed copy of it.
    """
    members, left_out = walk(paths)
    shown = ", ".join(map(str, paths))
    tables = [member for member in members if member.kind != TEXT_KIND]
    texts = [member for member in members if member.kind == TEXT_KIND]
    if not members:
        _refuse_without_reviews(shown, left_out)
    texts, names = _by_split_folders(texts)
    texts = [
        replace(member, label=label, columns=columns)
        for member, (label, columns) in zip(texts, labels_of_texts(names), strict=True)
    ]
    if tables and texts:
        _check_texts_beside(tables, texts, shown)
        left_out += [member.name for member in texts]
    if tables:
        _check_kinds(tables, shown)
        tables, names = _by_split_folders(tables)
        given = columns_of_tables(names)
        tables = [
            replace(member, columns=columns) for member, columns in zip(tables, given, strict=True)
        ]
    elif labelled and (reviews := [text for text in texts if _has_label(text)]):
        left_out += [text.name for text in texts if not _has_label(text)]
        texts = reviews
    members, split_notes = _with_roles(tables or texts)
    notes = [f"{_files(len(left_out))} not read: {_counted(left_out)}"] if left_out else []
    return Found(members=tuple(members), notes=tuple(notes), split_notes=tuple(split_notes))


def _has_label(text: InputFile) -> bool:
    return bool(text.label) or any(value for _, value in text.columns)


def _by_split_folders(members: list[InputFile]) -> tuple[list[InputFile], list[str]]:
    """Returns files with the roles of folders that differ in nothing else, and names without them.

    A file that is in no folder of that level keeps its role and its name.
    """
    names = [member.name for member in members]
    level = split_level(names)
    if level is None:
        return members, names
    found, rest = [], []
    for member in members:
        *folders, file = PurePosixPath(member.name).parts
        role = role_of(folders.pop(level)) if folders[level:] else member.role
        found.append(replace(member, role=role))
        rest.append(PurePosixPath(*folders, file).as_posix())
    return found, rest


def _with_roles(members: list[InputFile]) -> tuple[list[InputFile], list[str]]:
    """Returns files with their roles, and notes on those with names that say none."""
    roles = {member.role for member in members}
    is_of_texts = members[0].kind == TEXT_KIND
    if roles == {""} and not is_of_texts:
        short = abbreviated_roles([member.name for member in members])
        if short:
            pairs = zip(members, short, strict=True)
            return [replace(member, role=role) for member, role in pairs], []
    notes = []
    said = {each.name.rpartition("/")[0] if is_of_texts else each.name for each in members}
    if undecided := undecided_roles(word for name in said for word in words_of_roles(name)):
        notes.append(
            f"names that say {' and '.join(undecided)} are all read as validation reviews; if one "
            "of them is the test half, rename it to say test"
        )
    if roles == {""} and (folders := mixed_splits([member.name for member in members])):
        notes.append(
            f"all files are read as training reviews, although names of folders mention splits: "
            f"{listed(folders)}; give the test files as data.test_path to keep them separate"
        )
    if "train" in roles:
        if "" in roles:
            plain = [member.name for member in members if not member.role]
            notes.append(
                f"{_files(len(plain))} read as training reviews, without the name of a split: "
                f"{listed(plain)}"
            )
    else:
        if len(roles) > 1:
            named = [member.name for member in members if member.role]
            notes.append(
                f"{_files(len(named))} read as training reviews, since no name says train: "
                f"{listed(named)}; to keep them separate, put train into the names of the "
                "training files, or set data.test_path"
            )
        members = [replace(member, role="") for member in members]
    return members, notes


def _refuse_without_reviews(shown: str, left_out: Sequence[str]) -> NoReturn:
    raise DataError(
        f"{shown}: must hold reviews. Received: no file that ends in {', '.join(KINDS)} or "
        + TEXT_KIND
        + (f", but {_counted(left_out)}. {way_out(*left_out)}" if left_out else ".")
    )


def _check_texts_beside(
    tables: Sequence[InputFile], texts: Sequence[InputFile], shown: str
) -> None:
    """Refuses tables beside texts that may be reviews, as they are in folders of labels."""
    labels = {(text.label, text.columns) for text in texts}
    if len(labels - {("", ())}) > 1:
        raise DataError(
            f"{shown}: must hold tables or texts in folders of labels. Received: "
            f"{_counted([each.name for each in (*tables, *texts)])}. Give "
            f"{_pattern(texts)!r} for the texts, or {_pattern(tables)!r}."
        )


def _check_kinds(tables: Sequence[InputFile], shown: str) -> None:
    counts = Counter(member.kind for member in tables)
    if len(counts) > 1:
        kind = max(KINDS, key=lambda each: counts[each])
        pattern = _pattern([member for member in tables if member.kind == kind])
        raise DataError(
            f"{shown}: must hold tables of one kind. Received: "
            f"{', '.join(f'{counts[each]} {each}' for each in sorted(counts))}. Give a pattern, "
            f"such as {pattern!r}."
        )


def _pattern(members: Sequence[InputFile]) -> str:
    """Returns a pattern that files of one kind fit."""
    kind, compressions = members[0].kind, {member.compression for member in members}
    end = f"*{kind}{compressions.pop()}" if len(compressions) == 1 else f"*{kind}*"
    folders = sorted({str(PurePosixPath(member.given).parent) for member in members})
    if len(folders) == 1:
        return f"{folders[0]}/{end}"
    try:
        shared = os.path.commonpath(folders) or "."
    except ValueError:  # Relative and absolute ones.
        shared = os.path.commonpath([Path(folder).absolute() for folder in folders])
    return f"{shared}/{end}" if members[0].inside else f"{shared}/**/{end}"


def _files(count: int) -> str:
    return "1 file is" if count == 1 else f"{count:,} files are"


def _counted(names: Sequence[str]) -> str:
    """Says how many files there are of each suffix; the name of a single one."""
    by_suffix: dict[str, list[str]] = {}
    for name in names:
        by_suffix.setdefault(suffix_of(name), []).append(name)
    most = sorted(by_suffix.items(), key=lambda item: -len(item[1]))
    said = [
        each[0] if len(each) == 1 else f"{len(each):,} {suffix or 'without a suffix'}"
        for suffix, each in most[:SHOWN]
    ]
    rest = sum(len(each) for _, each in most[SHOWN:])
    return ", ".join(said) + (f" and {rest:,} more" if rest else "")


def check_levels(members: Sequence[InputFile], where: str) -> None:
    """Refuses texts in folders of several levels that may be their label.

    Raises:
        DataError: They are; the columns that name the levels are listed.
    """
    levels: dict[str, dict[str, None]] = {}
    for name, value in (each for m in members if m.kind == TEXT_KIND for each in m.columns):
        levels.setdefault(name, {})[value] = None
    if levels:
        said = [f"{name} ({listed(list(filter(None, level)))})" for name, level in levels.items()]
        raise DataError(
            f"{where}: folders of one level must be the label. Received: folders of {len(levels)} "
            f"levels, {'; '.join(said)}. Name the one with "
            f"{option('label_column', next(iter(levels)))}, or whichever it is."
        )
