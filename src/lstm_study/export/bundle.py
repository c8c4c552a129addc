"""Writes a model bundle: the network and all that is needed to use and judge it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.text.pairs import PairVocabulary
from lstm_study.corpus.text.vocabulary import Vocabulary
from lstm_study.errors import ExportError
from lstm_study.export.card import example, model_card
from lstm_study.export.layout import (
    CARD,
    CONFIGURATION,
    ENSEMBLE,
    EXAMPLE,
    NETWORK,
    NETWORK_H5,
    ONNX,
    PAIRS,
    TEXT_MODEL,
    VOCABULARY,
    replacing_bundle,
)
from lstm_study.export.network import (
    plain_network,
    save_network,
    save_onnx,
    set_weights,
    why_no_onnx,
)
from lstm_study.export.own_network import OwnExport, write_own_networks
from lstm_study.export.settings import BundleFacts, as_json
from lstm_study.export.text_model import write_text_model
from lstm_study.records import Run, StudyRecords
from lstm_study.spec import ModelTable


def write_bundle(
    *,
    run: Run,
    chosen: str,
    weights: Sequence[NDArray[Any]],
    vocabulary: Vocabulary | None,
    labels: tuple[str, str],
    records: StudyRecords,
    verdict_sentence: str,
    advice: Sequence[str] = (),
    folder: Path,
    made_at: str,
    versions: Mapping[str, str],
    ensemble: Sequence[tuple[Run, Sequence[NDArray[Any]]]] | None = None,
    pairs: PairVocabulary | None = None,
    temperature: float | None = None,
    no_temperature: str = "",
    builder: ModelTable | None = None,
) -> None:
    """Writes a bundle, replacing an earlier one whole: a failure leaves that as it was.

    Nothing in it refers to this package or to where it was made.

    Args are as in `BundleFacts`, and:
        weights: The run's, as `model.get_weights()` gives them.
        verdict_sentence: The comparison's answer in words.
        advice: Which of the study's models to use, in sentences.
        folder: `reports/<study>/model`.
        ensemble: All completed runs of the arm with their weights, where their mean is exported as
            one network, too; None where it is not. It takes two.
        pairs: The pairs of words of the study's training reviews, of which the configuration's most
            frequent ones are exported; needed where it has any.

    Raises:
        ExportError: The run is not completed, the weights are another network's, or the folder
            can't be written or is no bundle.
    """
    _check_exportable(run, vocabulary)
    if run.configuration.pair_rows:
        assert pairs is not None, "the caller gives the pairs of a network that has some"
        pairs = PairVocabulary(pairs.pairs[: run.configuration.pair_vocabulary_size])
    else:
        pairs = None
    members = ensemble if ensemble is not None and len(ensemble) > 1 else ()
    no_ensemble = ""
    if ensemble is not None and not members:
        no_ensemble = f"it takes two completed runs of the {run.arm}, and there is one"
    facts = BundleFacts(
        run=run,
        chosen=chosen,
        labels=labels,
        vocabulary=vocabulary,
        no_text_model=_why_no_text_model(vocabulary),
        records=records,
        made_at=made_at,
        versions=versions,
        ensemble=tuple(member for member, _ in members),
        no_ensemble=no_ensemble,
        no_onnx=why_no_onnx(),
        pairs=pairs,
        temperature=temperature,
        no_temperature=no_temperature,
    )
    own = OwnExport.of(builder, run.configuration) if builder is not None else None
    if own is not None:
        facts = own.facts(facts)
        temperature = facts.temperature
    if temperature is not None:
        weights = _tempered(weights, temperature)
        members = [(member, _tempered(each, temperature)) for member, each in members]
    with replacing_bundle(folder) as new:
        if own is not None:
            facts = write_own_networks(new, own, facts, weights=weights, members=members)
        _write(new / CARD, model_card(facts, verdict_sentence=verdict_sentence, advice=advice))
        _write(new / CONFIGURATION, as_json(facts))
        _write(new / EXAMPLE, example(words=vocabulary is not None, pairs=pairs is not None))
        if vocabulary is not None:
            _write(new / VOCABULARY, "".join(f"{word}\n" for word in vocabulary.words))
        if pairs is not None:
            _write(new / PAIRS, "".join(f"{first} {second}\n" for first, second in pairs.pairs))
        if own is None:
            _write_networks(new, facts, weights, members)


def _check_exportable(run: Run, vocabulary: Vocabulary | None) -> None:
    """Refuses a run that is not completed, and a word that does not fit on one line."""
    if run.status != "completed":
        raise ExportError(
            f"{run.run_id}: a run must be completed to be exported. Received: {run.status!r}. "
            "Complete it with `lstm-study run`."
        )
    for number, word in enumerate(vocabulary.words if vocabulary is not None else (), start=1):
        if "\n" in word:
            raise ExportError(
                f"vocabulary: a word must stand on one line. Received: {word!r}, word {number}. "
                "Give the word index that belongs to the data."
            )


def _tempered(weights: Sequence[NDArray[Any]], temperature: float) -> tuple[NDArray[Any], ...]:
    """Divides a network's logits by a number: the weights and the bias of its last layer."""
    *others, kernel, bias = weights
    scaled = (np.asarray(each / temperature, dtype=each.dtype) for each in (kernel, bias))
    return (*others, *scaled)


def _write_networks(
    folder: Path,
    facts: BundleFacts,
    weights: Sequence[NDArray[Any]],
    members: Sequence[tuple[Run, Sequence[NDArray[Any]]]],
) -> None:
    run = facts.run
    if members:
        _write_ensemble(folder / ENSEMBLE, run, members)
    network = plain_network(run.configuration, masked=run.masked)
    set_weights(network, weights, where=run.run_id)
    save_network(network, folder / NETWORK)
    save_network(network, folder / NETWORK_H5)
    portable = plain_network(run.configuration, masked=run.masked, use_cudnn=False)
    set_weights(portable, weights, where=run.run_id)
    if not facts.no_onnx:
        save_onnx(portable, folder / ONNX)
    if facts.vocabulary is not None and not facts.no_text_model:
        write_text_model(
            folder / TEXT_MODEL,
            network=portable,
            configuration=run.configuration,
            vocabulary=facts.vocabulary,
            pairs=facts.pairs,
        )


def _write_ensemble(
    path: Path,
    run: Run,
    members: Sequence[tuple[Run, Sequence[NDArray[Any]]]],
) -> None:
    network = plain_network(run.configuration, masked=run.masked, members=len(members))
    set_weights(
        network,
        [array for _, weights in members for array in weights],
        where="+".join(run.run_id for run, _ in members),
    )
    save_network(network, path)


def _why_no_text_model(vocabulary: Vocabulary | None) -> str:
    import keras

    if vocabulary is None:
        return "the words behind the token ids are not known"
    backend = keras.backend.backend()
    if backend != "tensorflow":
        return (
            f"it was made with Keras on {backend}, which has no tensors of text; example.py turns "
            "text into token ids on any backend"
        )
    return ""


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
