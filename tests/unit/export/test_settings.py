"""`configuration.json`: what was written is read back, and what is wrong in it is refused."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_study.corpus.text.pairs import PairVocabulary
from lstm_study.corpus.text.vocabulary import Vocabulary
from lstm_study.errors import ExportError
from lstm_study.export.settings import BundleFacts, BundleSettings, as_json, read_settings
from lstm_study.records.trainings import trainings_sha256
from lstm_study.spec import ModelTable
from lstm_study.spec.space import own_configuration
from tests.support.fake_study import completed_study
from tests.support.forged_json import FORGED, forged
from tests.unit.export.test_card import facts

RECORDS = completed_study()


def read_back(path: Path, described: BundleFacts) -> BundleSettings:
    path.write_text(as_json(described), encoding="utf-8")
    return read_settings(path)


def values_of(described: BundleFacts) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(as_json(described))
    return values


def test_what_is_read_back_is_what_was_exported(tmp_path):
    described = facts(RECORDS)
    run = described.run
    assert read_back(tmp_path / "a", described) == BundleSettings(
        run_id="winner-s1",
        configuration=run.configuration,
        labels=("negative", "positive"),
        threshold=0.5,
        words=2,
        ensemble=(),
        masked=run.masked,
        split="keras",
        text_column="text",
        pairs=None,
        own_layers=(),
    )
    spec = {**RECORDS.spec, "data": {**RECORDS.spec.get("data", {}), "text_column": "review"}}
    found = read_back(
        tmp_path / "b",
        facts(
            replace(RECORDS, spec=spec),
            run=replace(run, masked=not run.masked),
            vocabulary=Vocabulary(("a", "b", "c"), "characters"),
            labels=("bad", "gut — äh"),
            ensemble=(run, replace(run, run_id="winner-s2")),
            pairs=PairVocabulary(np.array([[4, 5], [5, 4], [5, 6]], dtype=np.int32)),
        ),
    )
    assert (found.words, found.pairs, found.split) == (3, 3, "characters")
    assert found.labels == ("bad", "gut — äh")
    assert found.ensemble == ("winner-s1", "winner-s2")
    assert found.masked is not run.masked
    assert found.text_column == "review"
    without = read_back(tmp_path / "c", facts(replace(RECORDS, corpus=None), vocabulary=None))
    assert (without.words, without.split, without.text_column) == (None, "keras", "text")


def test_the_values_of_a_builder_and_its_layers_are_read_back(tmp_path):
    configuration = own_configuration({"vocabulary_size": 100, "maxlen": 8, "filters": 4})
    described = facts(
        RECORDS,
        builder=ModelTable(builder="my_model.py:build", sha256="ab" * 32),
        own_layers=("Own", "Other"),
    )
    described = replace(described, run=replace(described.run, configuration=configuration))
    found = read_back(tmp_path / "configuration.json", described)
    assert found.configuration == configuration
    assert found.own_layers == ("Own", "Other")


def test_a_reader_without_this_package_is_told_all_that_it_needs():
    described = facts(RECORDS)
    values, run, corpus = values_of(described), described.run, RECORDS.corpus
    assert corpus is not None
    assert (values["format"], values["format_version"]) == ("lstm-study model bundle", 3)
    assert values["made_at"] == described.made_at
    assert values["study"]["name"] == RECORDS.name
    assert values["study"]["title"] == RECORDS.title
    assert values["study"]["spec_sha256"] == hashlib.sha256(RECORDS.spec_text.encode()).hexdigest()
    assert values["study"]["settings"] == list(RECORDS.settings)
    made_from = trainings_sha256(RECORDS.trials, RECORDS.runs, RECORDS.control)
    assert values["study"]["trainings_sha256"] == made_from
    assert values["run"] == {
        "run_id": "winner-s1",
        "arm": "winner",
        "how_chosen": "the median of 4 runs",
        "seed": run.seed,
        "epochs": run.protocol_epochs,
        "protocol": {**RECORDS.spec.get("protocol", {}), "masked": run.masked},
        "parameters": run.trainable_parameters,
        "test_accuracy": run.test_accuracy,
        "ended_at": run.ended_at,
    }
    assert values["hyperparameters"] == run.configuration.as_dict()
    assert values["data"] == {
        "source": corpus.source,
        "sha256_of_token_ids": corpus.digest,
        "sha256_of_file": corpus.source_sha256,
        "text_column": "text",
    }
    assert values["versions"] == {"keras": "3.15.1"}
    assert (values["words"], values["pairs"], values["temperature"]) == (2, None, None)
    assert (values["text_model"], values["onnx"]) == ("text-model", "sentiment-lstm.onnx")
    assert "builder" not in values


def test_the_rule_of_token_ids_names_what_its_split_uses_and_nothing_else():
    rules = {
        rule: values_of(facts(RECORDS, vocabulary=Vocabulary(("a",), rule)))["token_ids"]
        for rule in ("keras", "words", "characters")
    }
    for rule, found in rules.items():
        assert found["split"] == rule
        assert [found[name] for name in ("padding", "start", "out_of_vocabulary")] == [0, 1, 2]
        assert found["first_word"] == 4
        for name in ("filters", "apostrophe", "symbol", "separators"):
            assert bool(found[name]) == (f"`{name}`" in found["rule"])
        assert "The network's second input" not in found["rule"]
    assert rules["keras"]["filters"] and not rules["keras"]["separators"]
    assert all(rules["words"][name] for name in ("filters", "apostrophe", "symbol", "separators"))
    assert not rules["characters"]["filters"]
    assert rules["characters"]["separators"].startswith("[")
    pairs = PairVocabulary(np.array([[4, 5]], dtype=np.int32))
    assert (
        "The network's second input" in values_of(facts(RECORDS, pairs=pairs))["token_ids"]["rule"]
    )


def test_what_a_bundle_lacks_is_said_with_the_reason():
    values = values_of(
        facts(
            RECORDS, no_text_model="no words", no_onnx="no exporter", no_ensemble="one run",
            no_temperature="no validation runs", temperature=1.25,
        )
    )  # fmt: skip
    assert (values["text_model"], values["onnx"]) == ("no words", "no exporter")
    assert (values["no_ensemble"], values["no_temperature"]) == ("one run", "no validation runs")
    assert values["temperature"] == 1.25
    builder = ModelTable(builder="my_model.py:build", sha256="ab" * 32)
    values = values_of(
        facts(RECORDS, builder=builder, own_layers=("Own",), no_h5="it holds no such layers")
    )
    assert values["builder"] == {
        "name": "my_model.py:build",
        "file": "builder.py",
        "sha256": "ab" * 32,
        "layers_of_its_own": ["Own"],
        "no_h5": "it holds no such layers",
    }


@pytest.mark.parametrize("instead", FORGED, ids=lambda value: repr(value)[:9])
def test_a_value_of_another_kind_is_refused_in_one_line_or_does_not_matter(tmp_path, instead):
    builder = ModelTable(builder="my_model.py:build", sha256="ab" * 32)
    path = tmp_path / "configuration.json"
    for described in (facts(RECORDS), facts(RECORDS, builder=builder)):
        for values in forged(values_of(described), instead):
            path.write_text(json.dumps(values))
            try:
                found = read_settings(path)
            except ExportError as error:
                assert "\n" not in str(error)
            else:
                assert found.split in ("keras", "words", "characters")


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "\x00", '"x"', "[" * 10_000])
def test_a_file_that_is_no_object_is_no_configuration(tmp_path, text):
    path = tmp_path / "configuration.json"
    path.write_text(text)
    with pytest.raises(ExportError, match="is not a bundle's configuration"):
        read_settings(path)


def test_another_format_another_version_and_an_unknown_rule_are_told_apart(tmp_path):
    path, whole = tmp_path / "configuration.json", values_of(facts(RECORDS))
    for change, reason in (
        ({"format": "another"}, "format must be 'lstm-study model bundle'"),
        ({"format_version": 4}, "format_version must be 3. Received: 4"),
        ({"token_ids": {"split": "syllables"}}, r"token_ids\.split is 'syllables'"),
        ({"hyperparameters": {**whole["hyperparameters"], "lstm_units": 0}}, "is not whole"),
    ):
        path.write_text(json.dumps({**whole, **change}))
        with pytest.raises(ExportError, match=reason):
            read_settings(path)
    path.write_bytes(b" " * (2**24 + 1))
    with pytest.raises(ExportError, match="has 16,777,217 bytes, where 16,777,216 are the most"):
        read_settings(path)
