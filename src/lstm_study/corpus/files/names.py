"""What the names of files and folders say: splits, labels, and columns of a table."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import PurePosixPath
from urllib.parse import unquote

ROLES = {
    "train": "train", "training": "train", "validation": "validation", "valid": "validation",
    "val": "validation", "dev": "validation", "eval": "validation", "evaluation": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
BESIDE_ROLES = ("data", "dataset", "set", "split", "subset", "reviews", "texts", "files")
FILE_NAME = "filename"
"""The column of what the names of tables say of their rows: "positive" or "negative"."""

_MAY_BE_TEST = {"eval", "evaluation"}
_ABBREVIATED = {"tr": "train", "trn": "train", "te": "test", "tst": "test"}
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_ROLE = re.compile(f"({'|'.join(ROLES)})(?:{'|'.join(BESIDE_ROLES)})?")
_PARTITION = re.compile(r"([^=]+)=(.*)")

Columns = tuple[tuple[str, str], ...]
"""Columns and the values that they have in all rows of one file."""


@lru_cache(maxsize=4_096)
def role_of(name: str, *, beside: tuple[str, ...] | None = None) -> str:
    """Returns the one role that is a word of a name, "" if none or several are.

    Args:
        name: Of a file or a folder: "imdb_train.csv", "TestReviews", "testdata", "split=test".
        beside: Other words that there may be; None for any.
    """
    role, others = _role_and_others(name)
    return role if beside is None or others <= set(beside) else ""


def _role_and_others(name: str) -> tuple[str, set[str]]:
    """Returns the one role that is a word of a name, "" if there is not one, and other words."""
    words = [word.lower() for word in _WORD.findall(name)]
    found = {word: match[1] for word in words if (match := _ROLE.fullmatch(word))}
    roles = {ROLES[role] for role in found.values()}
    return roles.pop() if len(roles) == 1 else "", set(words) - found.keys()


def words_of_roles(name: str) -> set[str]:
    """Returns the words of a name that say a role: {"dev"} of "imdb_dev.csv"."""
    words = (word.lower() for word in _WORD.findall(name))
    return {match[1] for word in words if (match := _ROLE.fullmatch(word))}


def undecided_roles(words: Iterable[str]) -> list[str]:
    """Returns words that all say validation, where one may mean test; empty if none do.

    Beside "dev" a split "eval" is often the one that is held out to the end.

    Example:
        >>> undecided_roles(["train", "dev", "eval"]), undecided_roles(["dev", "eval", "test"])
        (['dev', 'eval'], [])
    """
    words = set(words)
    by_role = {role: {w for w in words if ROLES.get(w) == role} for role in set(ROLES.values())}
    evaluated = by_role["validation"] & _MAY_BE_TEST
    is_undecided = evaluated < by_role["validation"] and evaluated and not by_role["test"]
    return sorted(by_role["validation"]) if is_undecided else []


def split_level(names: Sequence[str]) -> int | None:
    """Returns the level of folders that differ only in the split they name; None if none do.

    These have other words, too, but all the same ones: `imdb_train/` and `imdb_test/`. Words that
    are usual beside splits, and digits, do not count.

    Example:
        >>> split_level(["data/imdb_train/pos/1.txt", "data/imdb_test_set/pos/1.txt"])
        1
    """
    paths = [PurePosixPath(name).parts[:-1] for name in names]
    for level in range(max(map(len, paths), default=0)):
        said = [_role_and_others(each) for each in {path[level] for path in paths if path[level:]}]
        roles = {role for role, _ in said}
        words = {frozenset(others.difference(BESIDE_ROLES)) for _, others in said}
        if {"train"} < roles and "" not in roles and len(words) == 1:
            return level
    return None


def mixed_splits(names: Sequence[str]) -> list[str]:
    """Returns the folders with train, test or validation in their names, among other words."""
    folders = sorted({each for name in names for each in PurePosixPath(name).parts[:-1]})
    named = [each for each in folders if role_of(each)]
    return named if {"train"} < set(map(role_of, named)) else []


def abbreviated_roles(names: Sequence[str]) -> list[str]:
    """Returns the roles of files such as imdb_tr.csv and imdb_te.csv.

    "tr" and "te" are languages, too: they say a role only if each name holds one of them, and both
    halves are there. The list is empty if not.
    """
    roles = []
    for name in names:
        words = {word.lower() for word in _WORD.findall(PurePosixPath(name).name)}
        roles.append({_ABBREVIATED[word] for word in words if word in _ABBREVIATED})
    if all(len(each) == 1 for each in roles) and set().union(*roles) == {"train", "test"}:
        return [each.pop() for each in roles]
    return []


def folders_of(name: str) -> tuple[str, ...]:
    """Returns the folders in a file's name that are no splits."""
    folders = PurePosixPath(name).parts[:-1]
    return tuple(each for each in folders if not role_of(each, beside=BESIDE_ROLES))


def labels_of_texts(names: Sequence[str]) -> list[tuple[str, Columns]]:
    """Finds out which of the folders of texts are their labels.

    These are the folders whose names say positive and negative: `pos/2019/1.txt`,
    `books/neg_reviews/2.txt`. If none do, they are those of the one level at which names differ.

    Returns:
        The label of each text, "" if it is in no such folder. If folders of several levels may be
        the label it is "", and there is a column of each level, folder1 the outermost.
    """
    paths = [folders_of(name) for name in names]
    depth = max(map(len, paths), default=0)
    levels = [
        [path[level] if level < len(path) else "" for path in paths] for level in range(depth)
    ]
    varied = [level for level in levels if len(set(level) - {""}) > 1]
    if len(varied) < 2:
        only = (varied or levels or [[""] * len(paths)])[0]
        return [(label, ()) for label in only]
    toned = [level for level in varied if any(map(_tone, set(level)))]
    in_path = [[name for name in path if _tone(name)] for path in zip(*varied, strict=True)]
    if {_tone(name) for path in in_path for name in path} == {1, -1} and all(
        len(path) < 2 for path in in_path
    ):
        if len(toned) == 1:
            return [(label, ()) for label in toned[0]]
        return [
            ((names or path[-1:] or ("",))[0], ())
            for names, path in zip(in_path, paths, strict=True)
        ]
    columns = [f"folder{number}" for number, _ in enumerate(varied, start=1)]
    return [("", tuple(zip(columns, path, strict=True))) for path in zip(*varied, strict=True)]


def columns_of_tables(names: Sequence[str]) -> list[Columns]:
    """Returns the columns that the names of tables and of their folders give.

    Folders such as `label=pos/` are columns, as Spark and Arrow write them. Without such folders,
    there is a column `filename` if each name says either positive or negative, and both are there:
    `positive.csv`, `neg/part-1.csv`.
    """
    found: list[Columns] = []
    tones = []
    for name in names:
        pairs = [_PARTITION.fullmatch(folder) for folder in folders_of(name)]
        found.append(tuple((pair[1], unquote(pair[2])) for pair in pairs if pair))
        tones.append({_tone(part) for part in PurePosixPath(name).parts} - {0})
    if any(found):
        return found
    if all(len(each) == 1 for each in tones) and set().union(*tones) == {1, -1}:
        return [((FILE_NAME, "positive" if tone == {1} else "negative"),) for tone in tones]
    return found


@lru_cache(maxsize=4_096)
def _tone(name: str) -> int:
    """Returns 1 for a name that says positive, -1 for negative, 0 for neither or both."""
    words = {word.lower() for word in _WORD.findall(name)}
    if words & {"not", "non"}:
        return 0
    good = any(word in ("pos", "good") or word.startswith("positi") for word in words)
    bad = any(word in ("neg", "bad") or word.startswith("negati") for word in words)
    return good - bad
