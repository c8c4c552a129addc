"""Files of reviews of the kinds that users have: made up, each written into a folder."""

import bz2
import csv
import gzip
import io
import json
import lzma
import random
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

_GOOD = ("lovely", "warm", "clever", "moving", "bright", "tender")
_BAD = ("dull", "loud", "stupid", "lifeless", "grey", "clumsy")
_OTHER = (
    "the",
    "film",
    "was",
    "and",
    "very",
    "with",
    "plot",
    "actor",
    "of",
    "screen",
    "price",
    "it",
)
_GOOD_CHARACTERS, _BAD_CHARACTERS = "好喜欢温暖聪明感人", "讨厌冷漠愚蠢灰暗无聊"
_OTHER_CHARACTERS = "的是了在这部电影里演员剧情"

Rows = list[tuple[str, int]]


def reviews(count: int = 200, *, seed: int = 3) -> Rows:
    """Returns (text, label) pairs that a linear model tells apart, as many of either label."""
    draw = random.Random(seed)
    rows = []
    for number in range(count):
        label = number % 2
        words = draw.choices(_OTHER, k=draw.randint(6, 20))
        words += [*draw.choices(_GOOD if label else _BAD, k=2), f"no{number}"]
        draw.shuffle(words)
        rows.append((" ".join(words), label))
    return rows


def csv_text(rows: Sequence[Sequence[Any]], header: str = "text,label", **options: Any) -> str:
    """Returns rows as CSV."""
    out = io.StringIO(newline="")
    out.write(header + "\n")
    csv.writer(out, lineterminator="\n", **options).writerows(rows)
    return out.getvalue()


def chinese(folder: Path) -> Path:
    """Texts without spaces."""
    draw = random.Random(5)
    rows = [
        (
            "".join(
                draw.choices(_OTHER_CHARACTERS, k=24)
                + draw.choices(_GOOD_CHARACTERS if number % 2 else _BAD_CHARACTERS, k=8)
            ),
            number % 2,
        )
        for number in range(200)
    ]
    return _file(folder / "zh.csv", csv_text(rows))


def quotes_in_tsv(folder: Path) -> Path:
    """An unquoted TSV with quotations that open in one row and close in another."""
    lines = [f"{label}\t{text}" for text, label in reviews()]
    lines[19] = lines[19].replace("\t", '\t"')
    lines[21] += '"'
    return _file(folder / "r.tsv", "\n".join(["label\ttext", *lines]) + "\n")


def rare_words(folder: Path) -> Path:
    """Texts that differ in one rare word each."""
    rows = [
        (f"the film was {_GOOD[0] if n % 2 else _BAD[0]} by name{n}", n % 2) for n in range(200)
    ]
    return _file(folder / "r.csv", csv_text(rows))


def encoded(name: str, words: tuple[str, str]) -> Callable[[Path], Path]:
    """Texts in an encoding that is not UTF-8."""

    def write(folder: Path) -> Path:
        rows = [(f"{words[n % 2]} no{n}", n % 2) for n in range(200)]
        return _file(folder / "r.csv", csv_text(rows).encode(name))

    return write


def one_bad_byte(folder: Path) -> Path:
    """UTF-8 but for one byte on line 102."""
    raw = csv_text([(f"{text} café", label) for text, label in reviews()]).encode()
    lines = raw.split(b"\n")
    lines[101] = lines[101].replace(b"\xc3\xa9", b"\x9d")
    return _file(folder / "r.csv", b"\n".join(lines))


def odd_spaces(folder: Path) -> Path:
    """Line ends, no-break and thin spaces between words."""
    rows = [
        (text.replace(" and ", "\r\nand ").replace(" the ", "\u00a0the\u2009"), label)
        for text, label in reviews()
    ]
    return _file(folder / "r.csv", csv_text(rows, quoting=csv.QUOTE_ALL))


def trailing_columns(folder: Path) -> Path:
    """Empty columns at the end, as spreadsheets write them."""
    return _file(folder / "r.csv", csv_text([(*row, "", "") for row in reviews()], "text,label,,"))


def some_empty(folder: Path) -> Path:
    """Three texts without a word and a label that is missing."""
    rows: list[tuple[Any, ...]] = list(reviews())
    rows[5], rows[8], rows[13] = ("", 1), ("  ", 0), ("?!", 1)
    rows[21] = (rows[21][0], "")
    return _file(folder / "r.csv", csv_text(rows))


def missing_keys(folder: Path) -> Path:
    """JSON lines of which some lack the text."""
    records = [
        {"overall": 1.0 + 4 * label} | ({} if n % 40 == 7 else {"reviewText": text})
        for n, (text, label) in enumerate(reviews())
    ]
    return _file(folder / "r.jsonl", "\n".join(map(json.dumps, records)))


def packed(suffix: str) -> Callable[[Path], Path]:
    """A CSV that is compressed."""

    def write(folder: Path) -> Path:
        plain = csv_text(reviews()).encode()
        if suffix == "zip":
            with zipfile.ZipFile(folder / "r.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("r.csv", plain)
            return folder / "r.csv.zip"
        pack = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[suffix]
        return _file(folder / f"r.csv.{suffix}", pack(plain))

    return write


def amazon(folder: Path) -> Path:
    """Product reviews as compressed JSON lines, with stars and products."""
    records = [
        {"overall": (5.0, 4.0)[n % 3 == 0] if label else (1.0, 2.0)[n % 3 == 0],
         "verified": n % 3 > 0, "asin": f"B{n // 6:06d}", "reviewText": text, "summary": "short"}
        for n, (text, label) in enumerate(reviews(300))
    ] + [{"overall": 3.0, "asin": "B99", "reviewText": "so so"}] * 5  # fmt: skip
    return _file(
        folder / "Toys.json.gz", gzip.compress("\n".join(map(json.dumps, records)).encode())
    )


def json_array(folder: Path) -> Path:
    """A JSON array of objects."""
    return _file(
        folder / "r.json",
        json.dumps([{"text": text, "label": label} for text, label in reviews()], indent=1),
    )


def texts_in_folders(folder: Path) -> Path:
    """A folder of texts by label."""
    for number, (text, label) in enumerate(reviews()):
        _file(folder / "texts" / ("pos" if label else "neg") / f"{number}.txt", text)
    return folder / "texts"


def texts_with_splits(folder: Path) -> Path:
    """A folder of texts by split and label."""
    for number, (text, label) in enumerate(reviews()):
        half = "test" if number < 40 else "train"
        _file(folder / "texts" / half / ("pos" if label else "neg") / f"{number}.txt", text)
    return folder / "texts"


def shards(folder: Path) -> Path:
    """Several CSV files."""
    rows = reviews()
    for shard in range(4):
        _file(folder / "shards" / f"part-{shard}.csv", csv_text(rows[shard * 50 : shard * 50 + 50]))
    return folder / "shards"


def airline_shards(folder: Path) -> Path:
    """Parquet shards of tweets with three labels, named by their split."""
    labels = ("negative", "positive", "neutral")
    rows = [
        (text, labels[2 if n % 7 == 0 else label]) for n, (text, label) in enumerate(reviews(400))
    ]
    (folder / "data").mkdir(parents=True, exist_ok=True)
    parts = {
        "train-00000-of-00002": rows[:150],
        "train-00001-of-00002": rows[150:300],
        "test-00000-of-00001": rows[300:],
    }
    for name, part in parts.items():
        table = pyarrow.table(
            {
                "tweet_id": list(range(len(part))),
                "airline_sentiment": [label for _, label in part],
                "airline": ["Delta"] * len(part),
                "text": [text for text, _ in part],
            }
        )
        pyarrow.parquet.write_table(table, folder / "data" / f"{name}.parquet")
    return folder / "data"


def sep_line(folder: Path) -> Path:
    """A first line that names the delimiter."""
    return _file(folder / "r.csv", "sep=;\n" + csv_text(reviews(), "text;label", delimiter=";"))


def label_spellings(folder: Path) -> Path:
    """Two labels in four spellings."""
    names = ("Negative", "negative ", "Positive", "POSITIVE")
    rows = [(text, names[2 * label + n // 2 % 2]) for n, (text, label) in enumerate(reviews())]
    return _file(folder / "r.csv", csv_text(rows))


def stars(folder: Path) -> Path:
    """Stars from 1 to 5."""
    rows = [
        (text, (4, 5)[n // 2 % 2] if label else (1, 2, 3)[n // 2 % 3])
        for n, (text, label) in enumerate(reviews())
    ]
    return _file(folder / "r.csv", csv_text(rows, "text,stars"))


def three_labels(folder: Path) -> Path:
    """A column of three labels beside a constant one."""
    rows = [
        (text, "neutral" if n % 5 == 0 else ("negative", "positive")[label], "x")
        for n, (text, label) in enumerate(reviews())
    ]
    return _file(folder / "r.csv", csv_text(rows, "tweet,airline_sentiment,airline"))


def unclosed_quote(folder: Path) -> Path:
    """A quote that opens on line 21 and is never closed."""
    lines = csv_text(reviews(), quoting=csv.QUOTE_ALL).splitlines()
    lines[20] = lines[20].replace('","', ',"', 1)
    return _file(folder / "r.csv", "\n".join(lines))


def unequal(folder: Path) -> Path:
    """One label in fifty rows."""
    rows = [(text, int(n % 25 == 0)) for n, (text, _) in enumerate(reviews(400))]
    return _file(folder / "r.csv", csv_text(rows))


def noise(folder: Path) -> Path:
    """Labels that have nothing to do with the texts."""
    draw = random.Random(9)
    return _file(
        folder / "r.csv", csv_text([(text, draw.randint(0, 1)) for text, _ in reviews(400)])
    )


def escapes(folder: Path) -> Path:
    """Escape sequences, markup and formulas in texts and labels."""
    rows = [
        (
            f"{text} \x1b]0;title\x07\x1b[31m <b>x</b> =cmd() [bold]y[/red]",
            ("\x1b[2Jneg", "[/b]pos")[n],
        )
        for text, n in reviews()
    ]
    return _file(folder / "r.csv", csv_text(rows))


def tweets(folder: Path) -> Path:
    """Tweets with emoji, handles and the users who wrote them."""
    rows = [
        (n, f"user{n // 3}", f"@you {text} {'😀' if label else '😡'} https://t.co/{n}", label)
        for n, (text, label) in enumerate(reviews(300))
    ]
    return _file(folder / "tweets.csv", csv_text(rows, "id,user,tweet,sentiment"))


def _file(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
