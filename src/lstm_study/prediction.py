"""What `lstm-study predict` does: a bundle's answers, without the backend's remarks."""

import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from lstm_study.training.runtime import output_to

_AT_ONCE = 256


def predict_lines(model_dir: Path, texts: Iterable[str]) -> Iterator[str]:
    """Yields for each text a line: probability, label, text, apart by tabs.

    Args:
        model_dir: A model bundle.
        texts: Read as they are needed, so that a pipe may be endless.

    Raises:
        ExportError: The bundle is damaged, or knows no words.
    """
    with tempfile.TemporaryDirectory() as folder, output_to(Path(folder) / "log"):
        from lstm_study.export import load_bundle

        bundle = load_bundle(model_dir)
    texts = iter(texts)
    # One text at a time from a terminal would wait for 256 of them: answer what is there.
    while some := list(islice(texts, _AT_ONCE)):
        for probabilities in bundle.predict_texts(some):
            for text, probability in zip(some, probabilities, strict=True):
                label = bundle.labels[int(probability > 0.5)]
                yield f"{probability:.4f}\t{label}\t{' '.join(text.split())}"


def predict_file(model_dir: Path, source: Path, target: Path, *, text_column: str) -> int:
    """Writes a CSV with `probability` and `label` added to each row, and returns its rows.

    Raises:
        ExportError: The bundle is damaged, or knows no words.
        DataError: The CSV can't be read.
    """
    with tempfile.TemporaryDirectory() as folder, output_to(Path(folder) / "log"):
        from lstm_study.export import load_bundle, predict_csv

        bundle = load_bundle(model_dir)
    return predict_csv(bundle, source, target, text_column=text_column)
