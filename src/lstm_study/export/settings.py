"""`configuration.json`: what a bundle's network is, and where it comes from."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_study.configuration import Configuration
from lstm_study.corpus.text.pairs import PairVocabulary
from lstm_study.corpus.text.tokens import (
    APOSTROPHE,
    FILTERS,
    SEPARATORS,
    SYMBOL,
    WORD_SEPARATORS,
)
from lstm_study.corpus.text.vocabulary import (
    OUT_OF_VOCABULARY,
    PADDING,
    RESERVED,
    START,
    Vocabulary,
)
from lstm_study.errors import ExportError
from lstm_study.export.layout import BUILDER, FORMAT, FORMAT_VERSION, ONNX, TEXT_MODEL
from lstm_study.files import read_bytes
from lstm_study.metrics import THRESHOLD
from lstm_study.records import Run, StudyRecords
from lstm_study.records.consistency import of_configuration
from lstm_study.records.scrub import without_folders
from lstm_study.records.trainings import trainings_sha256
from lstm_study.spec import ModelTable
from lstm_study.spec.sources import TokenRule
from lstm_study.spec.space import own_configuration

_MOST_BYTES = 2**24
_SPLIT = {
    "keras": "Texts are lower-cased (str.lower), each of the characters in `filters` becomes a "
    "space, and the words between spaces",
    "words": "Texts are lower-cased (str.lower), what matches `apostrophe` becomes ', each of the "
    "characters in `filters` a space, what matches `symbol` its first character between spaces, "
    "what matches `separators` a space, and the words between spaces",
    "characters": "Texts are lower-cased (str.lower), the characters in `separators` are removed, "
    "and the remaining characters",
}
_SEPARATORS = {"keras": "", "words": WORD_SEPARATORS, "characters": f"[{SEPARATORS}]"}
_RULE = (
    "{split} are looked up in vocabulary.txt: the word on line n (from 1) has the "
    "token id n + first_word - 1. Words that are not in it are left out. The id of `start` comes "
    "first; ids that are not below vocabulary_size become that of `out_of_vocabulary`; of more "
    "than maxlen ids the last maxlen are kept, and fewer are padded in front with `padding`."
)

_PAIR_RULE = (
    "The network's second input is the id of each token's pair, cut and padded as token ids are: "
    "the pair of the token before and the token itself, before vocabulary_size is applied. What is "
    "on line n (from 0) of pairs.txt has the id n + 3; others have that of `out_of_vocabulary`."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFacts:
    """What is exported, and where it comes from: all that a bundle says of itself.

    Attributes:
        run: The exported run.
        chosen: How it was chosen, in words.
        labels: Names of the negative and the positive label.
        vocabulary: The words behind the token ids; None where they are not known.
        no_text_model: Empty if there is a model that takes raw text; else why there is none.
        records: The study.
        made_at: ISO 8601 in UTC.
        versions: Of the packages that made it.
        ensemble: The runs whose networks are exported as one, too; empty if none are.
        no_onnx: Empty if there is an ONNX file; else why there is none.
        no_ensemble: Why there is no ensemble, where one was asked for; else empty.
        pairs: The pairs of words that the network has embeddings of; None without pairs.
        temperature: What its logits were divided by; None where they are as trained.
        no_temperature: Why it is not calibrated, where that was asked for; else empty.
        builder: What built it in the place of the LSTM; None for the LSTM.
        own_layers: Classes of layers that the builder's file defines.
        is_compiled: Whether the builder compiles this network, with an optimizer and a loss of its
            own.
        no_h5: Empty if there is a file in Keras's older format; else why there is none.
    """

    run: Run
    chosen: str
    labels: tuple[str, str]
    vocabulary: Vocabulary | None
    no_text_model: str
    records: StudyRecords
    made_at: str
    versions: Mapping[str, str]
    ensemble: tuple[Run, ...] = ()
    no_ensemble: str = ""
    no_onnx: str = ""
    pairs: PairVocabulary | None = None
    temperature: float | None = None
    no_temperature: str = ""
    builder: ModelTable | None = None
    own_layers: tuple[str, ...] = ()
    is_compiled: bool = False
    no_h5: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleSettings:
    """What is read back of a bundle's configuration; see `Bundle` and `BundleFacts`.

    `words` and `pairs` count what vocabulary.txt and pairs.txt hold; None without such a file.
    """

    run_id: str
    configuration: Configuration
    labels: tuple[str, str]
    threshold: float
    words: int | None
    ensemble: tuple[str, ...] = ()
    masked: bool = False
    split: TokenRule = "keras"
    text_column: str = "text"
    pairs: int | None = None
    own_layers: tuple[str, ...] = ()


def as_json(facts: BundleFacts) -> str:
    """Writes a bundle's configuration."""
    run, records, vocabulary = facts.run, facts.records, facts.vocabulary
    corpus = records.corpus
    split = "keras" if vocabulary is None else vocabulary.rule
    rule = _RULE.format(split=_SPLIT[split])
    values = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "made_at": facts.made_at,
        "study": {
            "name": records.name,
            "title": records.title,
            "settings": [without_folders(setting) for setting in records.settings],
            "spec_sha256": hashlib.sha256(records.spec_text.encode()).hexdigest(),
            "trainings_sha256": trainings_sha256(records.trials, records.runs, records.control),
        },
        "run": {
            "run_id": run.run_id,
            "arm": run.arm,
            "how_chosen": facts.chosen,
            "seed": run.seed,
            "epochs": run.protocol_epochs,
            "protocol": records.spec.get("protocol", {}) | {"masked": run.masked},
            "parameters": run.trainable_parameters,
            "test_accuracy": run.test_accuracy,
            "ended_at": run.ended_at,
        },
        "hyperparameters": run.configuration.as_dict(),
        "masked": run.masked,
        "labels": {"negative": facts.labels[0], "positive": facts.labels[1]},
        "threshold": THRESHOLD,
        "token_ids": {
            "padding": PADDING,
            "start": START,
            "out_of_vocabulary": OUT_OF_VOCABULARY,
            "first_word": RESERVED,
            "split": split,
            "filters": "" if split == "characters" else FILTERS,
            "apostrophe": APOSTROPHE if split == "words" else "",
            "symbol": SYMBOL if split == "words" else "",
            "separators": _SEPARATORS[split],
            "rule": rule if facts.pairs is None else f"{rule} {_PAIR_RULE}",
        },
        "temperature": facts.temperature,
        "no_temperature": facts.no_temperature,
        "pairs": None if facts.pairs is None else len(facts.pairs.pairs),
        "words": None if vocabulary is None else len(vocabulary.words),
        "text_model": facts.no_text_model or TEXT_MODEL,
        "onnx": facts.no_onnx or ONNX,
        "ensemble": [member.run_id for member in facts.ensemble],
        "no_ensemble": facts.no_ensemble,
        "data": None
        if corpus is None
        else {
            "source": corpus.source,
            "sha256_of_token_ids": corpus.digest,
            "sha256_of_file": corpus.source_sha256,
            "text_column": records.spec.get("data", {}).get("text_column", "text"),
        },
        "versions": dict(facts.versions),
    }
    if facts.builder is not None:
        values["builder"] = {
            "name": facts.builder.builder,
            "file": BUILDER,
            "sha256": facts.builder.sha256,
            "layers_of_its_own": list(facts.own_layers),
            "no_h5": facts.no_h5,
        }
    return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_settings(path: Path) -> BundleSettings:
    """Reads a bundle's configuration.

    Raises:
        ExportError: It is no bundle's, of another version, or not whole.
    """
    try:
        values: dict[str, Any] = json.loads(read_bytes(path, limit=_MOST_BYTES))
        found, version = values.get("format"), values.get("format_version")
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise ExportError(
            f"{path}: is not a bundle's configuration ({error}). Export the model again."
        ) from error
    if found != FORMAT:
        raise ExportError(
            f"{path}: format must be {FORMAT!r}. Received: {found!r}. "
            "Give a folder that `lstm-study export` wrote."
        )
    if version != FORMAT_VERSION:
        raise ExportError(
            f"{path}: format_version must be {FORMAT_VERSION}. Received: {version!r}. "
            "Read it with the version of lstm-study that wrote it, or export the model again."
        )
    try:
        builder = values.get("builder")
        configuration = (
            Configuration.from_dict(values["hyperparameters"])
            if builder is None
            else (own_configuration(values["hyperparameters"]))
        )
        if outside := list(of_configuration(configuration)):
            raise ValueError("; ".join(outside))
        split = values.get("token_ids", {}).get("split", "keras")
        if split not in _SPLIT:
            raise ValueError(f"token_ids.split is {split!r}")
        return BundleSettings(
            run_id=str(values["run"]["run_id"]),
            configuration=configuration,
            labels=(str(values["labels"]["negative"]), str(values["labels"]["positive"])),
            threshold=float(values["threshold"]),
            words=None if values["words"] is None else int(values["words"]),
            ensemble=tuple(str(run_id) for run_id in values["ensemble"]),
            masked=bool(values["masked"]),
            split=split,
            text_column=str((values.get("data") or {}).get("text_column", "text")),
            pairs=None if values["pairs"] is None else int(values["pairs"]),
            own_layers=tuple(map(str, builder["layers_of_its_own"])) if builder else (),
        )
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise ExportError(
            f"{path}: is not whole ({type(error).__name__}: {error}). Export the model again."
        ) from error
