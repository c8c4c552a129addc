"""What `lstm-study predict` does: a bundle's answers, without the backend's remarks."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from lstm_study.training.console import redirect_output, silence_tensorflow

if TYPE_CHECKING:
    from lstm_study.export import Bundle

AT_ONCE = 1_024


def predict_lines(
    model_dir: Path, texts: Iterable[str], *, at_once: int = AT_ONCE, ensemble: bool = False
) -> Iterator[str]:
    """Yields for each text a line: probability, label, text, apart by tabs.

    Args:
        model_dir: A model bundle.
        texts: Read as they are needed, so that a pipe may be endless.
        at_once: Texts to wait for before the next answers.
        ensemble: Whether to read with the mean of all runs.

    Raises:
        ExportError: The bundle is damaged, or knows no words.
    """
    bundle = _load(model_dir, ensemble=ensemble)
    texts = iter(texts)
    while some := list(islice(texts, at_once)):
        for probabilities in bundle.predict_texts(some, len(some)):
            for text, probability in zip(some, probabilities, strict=True):
                label = bundle.label_of(probability)
                yield f"{probability:.4f}\t{label}\t{' '.join(text.split())}"


def predict_file(
    model_dir: Path,
    source: Path,
    target: Path,
    *,
    text_column: str,
    ensemble: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> int:
    """Writes a CSV with `probability` and `label` added to each row, and returns its rows.

    Args:
        model_dir: A model bundle.
        source: The CSV to read.
        target: The CSV to write.
        text_column: The column that holds the texts.
        ensemble: Whether to read with the mean of all runs.
        progress: Called with "predicting", bytes read and bytes in all.

    Raises:
        ExportError: The bundle is damaged, or knows no words, or the CSV can't be read.
    """
    bundle = _load(model_dir, ensemble=ensemble)
    from lstm_study.export import predict_csv

    return predict_csv(bundle, source, target, text_column=text_column, progress=progress)


def _load(model_dir: Path, *, ensemble: bool) -> "Bundle":
    silence_tensorflow()
    with tempfile.TemporaryDirectory() as folder, redirect_output(Path(folder) / "log"):
        from lstm_study.export import load_bundle

        return load_bundle(model_dir, ensemble=ensemble)
