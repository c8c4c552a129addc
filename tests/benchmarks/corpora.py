"""Row `corpus`: reading the 50,000 reviews cold and warm, and a trial's view of them.

Cold: from the archive, from Keras's `imdb.npz` and from the packaged CSV, into an empty cache.
Warm: the same again from the cache, memory-mapped and checked. Beside Keras's file stands what a
script does with it: unpickle and pad.
"""

import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.measure import (
    DATA_VARIABLE,
    Clock,
    Row,
    Settings,
    a_backend,
    alternate,
    compared,
    not_measured,
    values,
)
from tests.benchmarks.processes import fresh

FILES = {"aclimdb": "aclImdb_v1.tar.gz", "imdb": "imdb.npz", "reviews": ""}
_VIEWS = 5


def load_twice(source: str, path: str, scratch: str) -> dict[str, Any]:
    """Loads a source cold, then warm, then makes a trial's view; a process of its own."""
    from lstm_study.corpus.batches import view
    from lstm_study.corpus.load import load
    from lstm_study.spec import DataTable

    given = {"path": path} if path else {}
    halves = {} if source != "reviews" else {"test_fraction": 0.2}
    data = DataTable(source=source, **given, **halves)
    cache = Path(tempfile.mkdtemp(dir=scratch))
    try:
        found: dict[str, Any] = {}
        for name in ("cold", "warm"):
            clock = Clock()
            corpus = load(data, seed=1, cache=cache)
            found[f"{name} wall_s"], found[f"{name} processor_s"] = clock.read()
        clock = Clock()
        for _ in range(_VIEWS):
            view(corpus.train, vocabulary_size=50_000, maxlen=500)
        found["view_ms"] = 1_000 * clock.read()[0] / _VIEWS
        found["reviews"] = sum(part.reviews for part in corpus.summary.splits)
        found["train"] = len(corpus.train)
        return found
    finally:
        shutil.rmtree(cache)


def by_script(path: str) -> dict[str, Any]:
    """Unpickles and pads, as a script does; a process of its own."""
    import keras

    clock = Clock()
    with np.load(path, allow_pickle=True) as file:
        lists = [*file["x_train"], *file["x_test"]]
    keras.utils.pad_sequences(lists, maxlen=500)
    return {"wall_s": clock.read()[0]}


def rows(settings: Settings) -> list[Row]:
    """Measures every source that is here."""
    found: list[Row] = []
    for source, name in FILES.items():
        path = settings.data / name if settings.data and name else None
        if name and (path is None or not path.is_file()):
            why = f"{DATA_VARIABLE} names no folder with {name}"
            found.append(not_measured("corpus", why, case=name))
            continue
        found += _source_rows(source, path, settings)
    return found


def _source_rows(source: str, path: Path | None, settings: Settings) -> list[Row]:
    sides: dict[str, Any] = {
        "ours": partial(
            fresh, load_twice, source=source, path=str(path or ""), scratch=str(settings.scratch)
        )
    }
    if source == "imdb":
        sides["script"] = partial(fresh, by_script, path=str(path), backend=a_backend())
    found = alternate(sides, rounds=settings.rounds)
    first = found["ours"][0]
    case = f"{path.name if path else 'packaged reviews'}, {first['reviews']:,.0f} reviews"
    script = values(found["script"], "wall_s") if "script" in found else []
    named: dict[str, Any] = {"row": "corpus", "case": case}
    return [
        compared(found, "cold processor_s", **named, quantity="processor time, cold", unit="s",
                 bound="a few seconds"),
        compared(found, "cold wall_s", **named, quantity="wall time, cold", unit="s"),
        Row(**named, quantity="wall time, warm", unit="s",
            ours=values(found["ours"], "warm wall_s"), other=script,
            against="np.load and pad_sequences" if script else "",
            bound="under 1 s"),
        Row(**named, quantity=f"view of {first['train']:,.0f} reviews, 50,000 words × 500",
            unit="ms", ours=values(found["ours"], "view_ms"), bound="milliseconds"),
        compared(found, "peak_mb", **named, quantity="peak memory", unit="MB"),
    ]  # fmt: skip
