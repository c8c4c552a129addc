"""Small made-up reviews in the formats that the corpus reads."""

import csv
import gzip
import io
import pickle
import random
import tarfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lstm_study.corpus.types import Split

_GOOD = ("great", "lovely", "moving", "superb", "fun")
_BAD = ("awful", "dull", "boring", "poor", "weak")
_NEUTRAL = ("the", "film", "was", "and", "a", "plot", "with", "it", "of", "actors")


def made_up_reviews(count: int, *, seed: int = 1) -> list[tuple[str, int]]:
    """Returns (text, label) pairs, all different, as many of either label."""
    return list(_made_up_reviews(count, seed))


@cache
def _made_up_reviews(count: int, seed: int) -> list[tuple[str, int]]:
    draw = random.Random(seed)
    reviews = []
    for number in range(count):
        label = number % 2
        words = draw.choices(_NEUTRAL, k=draw.randint(3, 30))
        words += [*draw.choices(_GOOD if label else _BAD, k=2), f"no{number}"]
        draw.shuffle(words)
        reviews.append((" ".join(words).capitalize() + ".", label))
    return reviews


def write_csv(
    path: Path, rows: Iterable[Sequence[Any]], *, header: Sequence[str] = ("text", "label")
) -> Path:
    """Writes rows as CSV in UTF-8."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def archive_files(count: int = 40) -> dict[str, bytes]:
    """Returns files of a small aclImdb archive by name, `count` reviews in either half."""
    files = {"aclImdb/README": b"read me", "aclImdb/train/unsup/0_0.txt": b"no label"}
    for half, seed in (("train", 1), ("test", 2)):
        for number, (text, label) in enumerate(made_up_reviews(count, seed=seed)):
            folder, stars = ("pos", 8) if label else ("neg", 3)
            files[f"aclImdb/{half}/{folder}/{number}_{stars}.txt"] = text.encode()
    return files


def write_archive(
    path: Path,
    files: Mapping[str, bytes],
    *,
    members: Iterable[tarfile.TarInfo] = (),
    kind: int = tarfile.USTAR_FORMAT,
) -> Path:
    """Writes a tar.gz of files, and then of members without content."""
    with tarfile.open(path, "w:gz", format=kind) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for member in members:
            archive.addfile(member)
    return path


def write_npz(path: Path, *, count: int = 40, seed: int = 1, **replaced: Any) -> Path:
    """Writes a small `imdb.npz`; `replaced` gives members other arrays, or raw bytes."""
    draw = random.Random(seed)
    arrays: dict[str, Any] = {}
    for half in ("train", "test"):
        lists = np.empty(count, dtype=object)
        for number in range(count):
            lists[number] = [draw.randint(1, 60) for _ in range(draw.randint(1, 30))]
        arrays[f"x_{half}"] = lists
        arrays[f"y_{half}"] = np.arange(count) % 2
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in (arrays | replaced).items():
            raw = array if isinstance(array, bytes) else npy_bytes(array)
            archive.writestr(f"{name}.npy", raw)
    return path


def npy_bytes(array: Any) -> bytes:
    """Returns an array as the content of a `.npy` file."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def npy_with_pickle(payload: object, *, rows: int) -> bytes:
    """Returns a `.npy` file whose header promises an object array and whose pickle is `payload`."""
    file = io.BytesIO()
    header = {"descr": "|O", "fortran_order": False, "shape": (rows,)}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + pickle.dumps(payload)


def cut_gzip(path: Path, *, share: float) -> Path:
    """Cuts a gzip file to a share of its bytes."""
    raw = path.read_bytes()
    assert gzip.decompress(raw)
    path.write_bytes(raw[: int(len(raw) * share)])
    return path


def split_of(lists: Sequence[Sequence[int]], *, rated: bool = False) -> Split:
    """Returns a split of the given token ids, labels in turn, document ids 0, 10, 20, ..."""
    return Split(
        name="some",
        token_ids=np.array([token for tokens in lists for token in tokens], dtype=np.int32),
        offsets=np.cumsum([0, *map(len, lists)]),
        labels=np.arange(len(lists), dtype=np.int8) % 2,
        document_ids=np.arange(len(lists)) * 10,
        ratings=np.arange(len(lists), dtype=np.int8) if rated else None,
    )


class Bomb:
    """Pickled, and then read by `pickle.load`, it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (self.path, "ran"))
