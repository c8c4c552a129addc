"""What `lstm-study predict` does: a bundle's predictions, without the backend's log output."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from lstm_study.errors import DataError
from lstm_study.training.console import redirect_output, silence_tensorflow
from lstm_study.training.memory import allocate_gpu_memory_as_needed
from lstm_study.training.runtime import keep_jax_from_hidden_gpus

if TYPE_CHECKING:
    import pandas as pd

    from lstm_study.export import Bundle, ClassicalBundle, CombinedModel

AT_ONCE = 1_024


def predict_lines(
    model: "Bundle | ClassicalBundle | CombinedModel",
    texts: Iterable[str],
    *,
    at_once: int = AT_ONCE,
    on_unknown: Callable[[int], None] | None = None,
) -> Iterator[str]:
    """Yields for each text a line: probability, label, text, separated by tabs.

    Texts are read as they are needed, so that a pipe may be endless: so many at once. In the end
    `on_unknown` is called with how many hold no word that the model knows.

    Raises:
        ExportError: A bundle knows no words.
    """
    from lstm_study.export import predict_some

    texts, unknown = iter(texts), 0
    while some := list(islice(texts, at_once)):
        probabilities, without = predict_some(model, some)
        unknown += without
        for text, probability in zip(some, probabilities, strict=True):
            label = model.label_of(probability)
            yield f"{probability:.4f}\t{label}\t{' '.join(text.split())}"
    if unknown and on_unknown is not None:
        on_unknown(unknown)


def checked_texts(texts: str | Iterable[str]) -> list[str]:
    """Returns what a user of Python gave as a list of texts.

    Raises:
        DataError: It is a table, or not all of it is text.
    """
    if hasattr(texts, "columns"):
        raise DataError(
            'predict: must be given texts. Received: a table. Name its column: df["text"].'
        )
    if not isinstance(texts, Iterable):
        raise DataError(
            f"predict: must be given a text or several. Received: {texts!r} (of type "
            f"{type(texts).__name__})."
        )
    listed = [texts] if isinstance(texts, str) else list(texts)
    for place, text in enumerate(listed):
        if not isinstance(text, str):
            raise DataError(
                f"predict: every text must be a string. Received: {str(text)[:30]!r} (of type "
                f"{type(text).__name__}), the first such one, at index {place}. Leave such "
                'texts out, or write "" for them.'
            )
    return listed


def predictions_frame(
    model: "Bundle | ClassicalBundle | CombinedModel", texts: Sequence[str]
) -> tuple["pd.DataFrame", int]:
    """Predicts texts.

    Returns:
        One row per text: text, probability of the positive label, label. And how many texts hold no
        word that the model knows.
    """
    import pandas as pd

    from lstm_study.export import predict_some

    probabilities, unknown = predict_some(model, texts)
    labels = [model.label_of(float(value)) for value in probabilities]
    return pd.DataFrame({"text": texts, "probability": probabilities, "label": labels}), unknown


def unknown_in_words(count: int) -> str:
    """Says that so many texts, one or more, hold no word that the model knows."""
    texts = "1 text has" if count == 1 else f"{count:,} texts have"
    return f"{texts} no word of the model's vocabulary: no prediction is meaningful there."


def load_model_quietly(
    model_dir: Path, *, ensemble: bool = False, others: Sequence[Path] = ()
) -> "Bundle | ClassicalBundle | CombinedModel":
    """Loads a bundle without the backend's messages.

    Args:
        model_dir: The bundle's folder.
        ensemble: Whether to load its ensemble.
        others: Folders of bundles that it is combined with.

    Raises:
        ExportError: A bundle is damaged, has no ensemble, or has other labels than the first.
    """
    silence_tensorflow()
    allocate_gpu_memory_as_needed()
    keep_jax_from_hidden_gpus()
    with tempfile.TemporaryDirectory() as folder, redirect_output(Path(folder) / "log"):
        from lstm_study.export import CombinedModel, load_bundle

        bundle = load_bundle(model_dir, ensemble=ensemble)
        if not others:
            return bundle
        return CombinedModel(models=(bundle, *(load_bundle(each) for each in others)))
