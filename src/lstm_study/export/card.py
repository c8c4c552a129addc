"""The model card and the example: what a person reads first in a bundle."""

import math
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np

from lstm_study.analysis.answer.arms import Arm, arms_from_records, make_arm
from lstm_study.analysis.statistics.intervals import accuracy_interval
from lstm_study.configuration import Configuration, value_in_words
from lstm_study.corpus.text.vocabulary import RESERVED
from lstm_study.errors import ExportError
from lstm_study.export.settings import BundleFacts
from lstm_study.metrics import THRESHOLD, measure
from lstm_study.records import Run, StudyRecords
from lstm_study.records.scrub import neutral
from lstm_study.spec.sources import SOURCES

_MISSING = "–"
_POOLED = {
    "last": [], "mean": ["mean over time"], "max": ["maximum over time"],
    "all": ["last output, mean and maximum over time"],
}  # fmt: skip
_METRICS = ("log_loss", "roc_auc", "brier_score", "calibration_error")
_CITATION = (
    "Andrew L. Maas, Raymond E. Daly, Peter T. Pham, Dan Huang, Andrew Y. Ng and Christopher Potts "
    "(2011), Learning Word Vectors for Sentiment Analysis, Proceedings of the 49th Annual Meeting "
    "of the Association for Computational Linguistics, pages 142-150. "
    "<https://ai.stanford.edu/~amaas/data/sentiment/>"
)
_OWN_TERMS = "Those of the files that the reviews came from, which the study does not know."
_IMDB_TERMS = (
    "The data set was published for research, and asks to be cited as above; the reviews are their "
    "authors'. No review is part of this bundle, but its vocabulary and weights were learned from "
    "them."
)


def model_card(facts: BundleFacts, *, verdict_sentence: str, advice: Sequence[str] = ()) -> str:
    """Writes the model card, in Markdown.

    Args:
        facts: What the bundle holds.
        verdict_sentence: The comparison's answer in words.
        advice: Which of the study's models to use, in sentences.

    Raises:
        ExportError: The study has no record of its reviews.
    """
    records = neutral(facts.records)
    corpus = records.corpus
    if corpus is None:
        raise ExportError(
            f"{records.name}: has no record of its reviews, so no model can be described. "
            "Train it with `lstm-study compare`."
        )
    source = SOURCES[corpus.source]
    protocol = records.spec.get("protocol", {})
    return _rendered(
        "MODEL_CARD.md.jinja",
        {
            "run": facts.run,
            "chosen": facts.chosen,
            "configuration": facts.run.configuration,
            "layers": _layers(facts.run.configuration),
            "hyperparameters": _hyperparameters(facts.run.configuration, protocol),
            "recipe": _recipe(facts, protocol),
            "parameters": facts.run.trainable_parameters,
            "builder": facts.builder,
            "is_compiled": facts.is_compiled,
            "own_layers": facts.own_layers,
            "no_h5": facts.no_h5,
            "no_temperature": facts.no_temperature,
            "labels": facts.labels,
            "threshold": THRESHOLD,
            "words": facts.vocabulary is not None,
            "temperature": facts.temperature,
            "pairs": 0 if facts.pairs is None else len(facts.pairs.pairs),
            "first_word": RESERVED,
            "no_text_model": facts.no_text_model,
            "ensemble": [member.run_id for member in facts.ensemble],
            "no_onnx": facts.no_onnx,
            "no_ensemble": facts.no_ensemble,
            "title": records.title,
            "study": records.name,
            "deviations": records.deviations,
            "settings": records.settings,
            "sentence": verdict_sentence,
            "advice": advice,
            "corpus": corpus,
            "data": source.card,
            "citation": "" if source.is_own else _CITATION,
            "terms": _OWN_TERMS if source.is_own else _IMDB_TERMS,
            "metrics": metric_rows(records, facts.run),
            "made_at": facts.made_at,
            "versions": facts.versions,
        },
    )


def example(*, words: bool, pairs: bool = False) -> str:
    """Writes the program that classifies texts, or token ids where the words are not known."""
    return _rendered("example.py.jinja", {"words": words, "pairs": pairs})


def metric_rows(records: StudyRecords, run: Run) -> list[list[str]]:
    """Measures every arm that has predictions, and at the end the exported run.

    Returns:
        Rows of: name, configuration, seeds, accuracy, its 95% interval, log loss, ROC AUC, Brier
        score, expected calibration error. What is not known is a dash.
    """
    configurations = {each.arm: each.configuration.label for each in records.runs}
    rows = []
    for name, arm in arms_from_records(records).items():
        label = configurations.get(name, _MISSING)
        rows.append([name, label, str(arm.seeds), *_measured(arm)])
    here = [
        _MISSING if run.test_accuracy is None else _percent(run.test_accuracy),
        _MISSING,
        _mean([run.test_loss]),
        *[_MISSING] * 3,
    ]
    row = records.predictions.get(run.run_id)
    if row is not None and records.test_labels is not None:
        here = _measured(
            make_arm(run.run_id, probabilities=row[np.newaxis], labels=records.test_labels)
        )
    return [*rows, [f"this model ({run.run_id})", run.configuration.label, "1", *here]]


def _layers(configuration: Configuration) -> str:
    """Writes the layers of a network that the study built, from token ids to probability."""
    width = configuration.embedding_dim
    embedding = f"`Embedding({configuration.vocabulary_size}, {width})`"
    if configuration.pair_rows:
        embedding += f" of words plus `Embedding({configuration.pair_rows}, {width})` of pairs"
    lstm = f"`LSTM({configuration.lstm_units})`"
    if configuration.bidirectional:
        lstm += " in both directions"
    pooled = _POOLED[configuration.pooling]
    layers = [embedding, *[lstm] * configuration.lstm_layers, *pooled, "`Dense(1, sigmoid)`"]
    return " → ".join(layers)


def _hyperparameters(
    configuration: Configuration, protocol: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Lists names and values; what the configuration leaves to the protocol has its value."""
    return [
        (name, value_in_words(protocol.get(name) if value is None else value))
        for name, value in configuration.as_dict().items()
    ]


def _recipe(facts: BundleFacts, protocol: Mapping[str, Any]) -> str:
    """Writes batch size, optimizer and learning rate, and what was done to the gradients."""
    configuration = facts.run.configuration
    batch_size = configuration.batch_size or protocol.get("batch_size")
    parts = [f"batch size {batch_size}"] if batch_size else []
    if facts.is_compiled:
        return ", ".join([*parts, "optimizer and loss as `builder.py` compiles them"])
    if "optimizer" in protocol:
        parts.append(f"optimizer {protocol['optimizer']}")
    if rate := configuration.learning_rate or protocol.get("learning_rate"):
        falls = configuration.learning_rate_schedule == "linear"
        parts.append(f"learning rate {rate:.3g}" + " falling linearly to zero" * falls)
    if configuration.clip_norm:
        parts.append(f"gradients clipped at norm {configuration.clip_norm:g}")
    if configuration.weight_decay:
        parts.append(f"weight decay {configuration.weight_decay:g}")
    if configuration.summed_gradients:
        parts.append("an embedding's gradient summed over a batch")
    return ", ".join(parts)


def _measured(arm: Arm) -> list[str]:
    """Returns an arm's accuracy, its interval, and the means of the other metrics over its runs."""
    interval = accuracy_interval(arm)
    runs = [measure(arm.labels, row) for row in arm.probabilities]
    return [
        _percent(arm.accuracy),
        _MISSING if interval is None else " to ".join(map(_percent, interval)),
        *(_mean([getattr(run, name) for run in runs]) for name in _METRICS),
    ]


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{math.fsum(known) / len(known):.4f}" if known else _MISSING


def _percent(value: float) -> str:
    return f"{100 * value:.2f}%"


def _rendered(name: str, values: Mapping[str, Any]) -> str:
    import jinja2

    source = resources.files("lstm_study.export").joinpath("templates", name)
    environment = jinja2.Environment(  # noqa: S701 - Markdown and Python, never shown as HTML
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["md"] = _markdown
    return environment.from_string(source.read_text(encoding="utf-8")).render(values)


def _markdown(text: str) -> str:
    """Makes a text from a study file or a data file plain in Markdown: one line, no markup."""
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", " ".join(str(text).split()))
