"""Damaged and cut files of every kind: read, or refused in one line; never a traceback."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from lstm_study.corpus.sources.survey import UserChoices, survey
from lstm_study.errors import DataError
from tests.support import cases

CASES: dict[str, Callable[[Path], Path]] = {
    "csv": cases.tweets,
    "tsv": cases.quotes_in_tsv,
    "jsonl": cases.missing_keys,
    "array": cases.json_array,
    "gz": cases.packed("gz"),
    "bz2": cases.packed("bz2"),
    "xz": cases.packed("xz"),
    "zip": cases.packed("zip"),
    "parquet": cases.airline_shards,
    "gbk": cases.encoded("gbk", ("很 无聊 的 电影 剧情", "非常 好看 喜欢")),
    "utf-16": cases.encoded("utf-16-le", ("a dull film", "a fine film")),
    "texts": cases.texts_in_folders,
}


def damaged(raw: bytes, draw: random.Random) -> bytes:
    """Flips bits, cuts, repeats or overwrites a piece."""
    content = bytearray(raw)
    at = draw.randrange(len(content))
    what = draw.randrange(5)
    if what == 0:
        content[at] ^= 1 << draw.randrange(8)
    elif what == 1:
        del content[at:]
    elif what == 2:
        content[at : at + 40] = draw.randbytes(40)
    elif what == 3:
        content[at:at] = content[at : at + 300] * 3
    else:
        content[at : at + 3] = draw.choice((b'"', b'""', b"\0", b"\r", b"\n\n", b",,,", b"[", b"{"))
    return bytes(content)


@pytest.mark.parametrize("name", CASES)
def test_a_damaged_file_is_read_or_refused_in_one_line(name: str, tmp_path: Path) -> None:
    path = CASES[name](tmp_path)
    draw = random.Random(7)
    files = sorted(each for each in path.rglob("*") if each.is_file()) or [path]
    refused = 0
    choices = UserChoices(positive=("1", "positive", "pos", "5"), negative=("0", "negative", "neg"))
    for _ in range(25):
        victim = draw.choice(files)
        raw = victim.read_bytes()
        victim.write_bytes(damaged(raw, draw))
        for each in (UserChoices(), choices):
            try:
                survey([path], choices=each)
            except DataError as error:
                refused += 1
                assert "\n" not in str(error)
                assert len(str(error)) < 2_000
        victim.write_bytes(raw)
    assert refused > 0
