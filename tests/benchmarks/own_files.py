"""Row `own-files`: reading 25,000 reviews of one's own, by format, beside what a script does.

The files are made from the packaged reviews. Ours finds encoding, columns and labels, checks every
row, counts repeated texts, splits, and encodes the reviews into an empty cache. The script reads
with pandas, and numbers words with Keras's `TextVectorization`; it checks nothing.
"""

import csv
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import Clock, Row, Settings, alternate, compared, has_tensorflow
from tests.benchmarks.processes import fresh

_MAXLEN = 500
_SCRIPT = "pandas and TextVectorization"


def load_cold(path: str, scratch: str) -> dict[str, Any]:
    """Reads the reviews into an empty cache; a process of its own."""
    from lstm_study.corpus.load import load
    from lstm_study.spec import DataTable

    data = DataTable(source="csv", path=path, text_column="text", label_column="label")
    cache = Path(tempfile.mkdtemp(dir=scratch))
    try:
        clock = Clock()
        load(data, seed=1, cache=cache)
        wall, processor = clock.read()
        return {"wall_s": wall, "processor_s": processor}
    finally:
        shutil.rmtree(cache)


def by_script(path: str) -> dict[str, Any]:
    """Reads and numbers the reviews as a script does; a process of its own."""
    import pandas as pd
    from keras.layers import TextVectorization

    readers: dict[str, Callable[[], Any]] = {
        ".parquet": lambda: pd.read_parquet(path),
        ".gz": lambda: pd.read_json(path, lines=True),
        ".csv": lambda: pd.read_csv(path, encoding="cp1252" if "cp1252" in path else "utf-8"),
    }
    clock = Clock()
    texts = readers[Path(path).suffix]()["text"]
    numbers = TextVectorization(max_tokens=50_000, output_sequence_length=_MAXLEN)
    numbers.adapt(texts)
    numbers(texts)
    wall, processor = clock.read()
    return {"wall_s": wall, "processor_s": processor}


def write_files(folder: str, limit: int) -> dict[str, Any]:
    """Writes the packaged reviews, `limit` at most, once per format; a process of its own.

    Returns:
        "files": what the format is, in words → the file, or the folder.
    """
    import pandas as pd

    from lstm_study.corpus.sources.packaged import packaged_csv

    with packaged_csv().open(encoding="utf-8", newline="") as file:
        reviews = [row for row in csv.DictReader(file) if row["source"] == "imdb"]
        rows = [
            (
                # Without what Windows-1252 lacks, so that all files hold the same texts.
                row["text"].encode("cp1252", "ignore").decode("cp1252"),
                ("neg", "pos")[int(row["label"])],
            )
            for row in reviews[:: len(reviews) // limit]
        ]
    table = pd.DataFrame(rows, columns=["text", "label"])
    files = {
        "CSV": Path(folder) / "reviews.csv",
        "CSV in Windows-1252": Path(folder) / "reviews-cp1252.csv",
        "JSON lines, gzip": Path(folder) / "reviews.jsonl.gz",
        "Parquet": Path(folder) / "reviews.parquet",
        "a folder of texts": Path(folder) / "texts",
    }
    table.to_csv(files["CSV"], index=False)
    table.to_csv(files["CSV in Windows-1252"], index=False, encoding="cp1252")
    table.to_json(files["JSON lines, gzip"], orient="records", lines=True)
    table.to_parquet(files["Parquet"], index=False)
    for number, (text, label) in enumerate(rows):
        target = files["a folder of texts"] / label / f"{number}.txt"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return {"files": {kind: str(path) for kind, path in files.items()}}


def rows(settings: Settings) -> list[Row]:
    """Measures every format."""
    found: list[Row] = []
    count = settings.size(25_000, 300)
    folder = settings.folder("own-files")
    # Linux counts what a process held when it started another as memory of the other one, too.
    written = fresh(write_files, folder=str(folder), limit=count)["files"]
    for kind, name in written.items():
        path = Path(name)
        sides: dict[str, Any] = {
            "ours": partial(fresh, load_cold, path=str(path), scratch=str(settings.scratch))
        }
        if has_tensorflow() and path.is_file():
            sides["keras"] = partial(fresh, by_script, path=str(path))
        measured = alternate(sides, rounds=settings.rounds)
        against = _SCRIPT if "keras" in sides else ""
        named: dict[str, Any] = {
            "row": "own-files", "case": f"{count:,} reviews, {kind}", "against": against,
        }  # fmt: skip
        found += [
            compared(measured, "processor_s", **named, quantity="processor time, cold", unit="s"),
            compared(measured, "wall_s", **named, quantity="wall time, cold", unit="s"),
            compared(measured, "peak_mb", **named, quantity="peak memory", unit="MB"),
        ]
    return found
