"""Study files: what is accepted, and what each refusal says."""

import time
from pathlib import Path

import pytest

from lstm_study.configuration import BASELINE
from lstm_study.errors import SpecError
from lstm_study.spec import Choices, Fixed, Range, load_spec, packaged_studies, parse_spec
from tests.support.tiny import SPEC, spec

STUDIES = Path(__file__).resolve().parents[3] / "study"


def refusal(*settings: str) -> str:
    with pytest.raises(SpecError) as caught:
        spec(*settings)
    return str(caught.value)


@pytest.mark.parametrize("name", packaged_studies())
def test_every_study_that_comes_along_is_valid(name):
    assert load_spec(STUDIES / f"{name}.toml").study.name == name


def test_imdb_is_the_documented_protocol_and_says_so():
    study = load_spec(STUDIES / "imdb.toml")
    assert study.deviations == []
    assert study.baseline.configuration == BASELINE
    assert (study.protocol.epochs, study.protocol.batch_size) == (10, 64)


def test_what_departs_from_the_documented_protocol_is_said():
    assert "protocol epochs 2 (documented: 10)" in spec().deviations
    assert "baseline maxlen 8 (documented: 500)" in spec().deviations


def test_a_dimension_is_a_range_a_list_or_a_value():
    space = spec("space.maxlen=8", "space.lstm_units={choices=[4, 6]}").space
    assert space.maxlen == Fixed(value=8)
    assert space.lstm_units == Choices(choices=[4, 6])
    assert space.dropout == Range(min=0.0, max=0.4, step=0.1)
    assert space.lstm_layers == Fixed(value=1)
    assert space.searched() == [
        "vocabulary_size", "embedding_dim", "lstm_units", "dropout", "recurrent_dropout",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        (
            "study.seed=0",
            "tiny.toml: study.seed must be an integer >= 1. Received: 0 (int)",
        ),
        ("study.seed=1.5", "study.seed must be an integer. Received: 1.5 (float)"),
        (
            "study.objective='f1'",
            "must be 'validation_accuracy', 'validation_loss' or 'validation_auc'",
        ),
        ("study.name='Tiny Study'", "study.name must be lower-case letters, digits and hyphens"),
        (
            "search.max_epochs=1",
            "must be an integer >= 2 and <= 10000. Received: 1 (int)",
        ),
        ("search.max_epohs=3", "search.max_epohs is not a known key. Did you mean max_epochs?"),
        ("serch.max_epochs=3", "serch is not a known table. Did you mean search?"),
        ("data.source='imbd'", "data.source must be 'imdb', 'aclimdb', 'reviews' or 'csv'"),
        ("data.path=[]", "data.path must be a path, or a list of paths. Received: []"),
        ("data.path=5", "data.path must be a path, or a list of paths. Received: 5"),
        ("data.positive=[]", "data.positive must be a label, or a list of labels"),
        ("data.tokens='letters'", "data.tokens must be 'words' or 'characters'"),
        ("data.sha256='abc'", "data.sha256 must be 64 hexadecimal digits"),
        ("data.validation_fraction=1", "data.validation_fraction must be a number > 0 and < 1"),
        ("space.maxlen={min=9, max=3}", "space.maxlen needs min < max. Received: min = 9, max = 3"),
        ("space.maxlen={choices=[8, 8]}", "space.maxlen needs distinct choices"),
        ("space.maxlen={choices=[]}", "space.maxlen.choices must not be empty"),
        ("space.maxlen={choices=[1.5]}", "space.maxlen must hold whole numbers. Received: 1.5"),
        (
            "space.maxlen=[8]",
            "space.maxlen must be {min = , max = }, {choices = [...]}, or a value",
        ),
        ("space.maxlen=true", "space.maxlen must hold numbers. Received: True."),
        ("space.maxlen='8'", "space.maxlen must hold numbers. Received: '8'."),
        ("space.dropout=1.0", "space.dropout must hold values in [0, 0.99]. Received: 1"),
        ("space.dropout={min=0, max=0.5, sampling='log'}", "log sampling needs min > 0"),
        ("space.dropuot=0.1", "space.dropuot is not a known key. Did you mean dropout?"),
        ("search.tuner='random'", 'search.max_trials is needed when search.tuner is "random"'),
        ("search.time_limit='soon'", 'search.time_limit must be a duration such as "45m"'),
        ("search.disk_limit='10'", 'search.disk_limit must be a size such as "500MB"'),
        ("protocol.learning_rate=0.0", "protocol.learning_rate must be a number > 0"),
        ("compare.seeds=true", "compare.seeds must be an integer. Received: True (bool)"),
    ],
)
def test_a_refusal_says_where_the_rule_and_what_was_received(setting, sentence):
    assert sentence in refusal(setting)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("baseline.lstm_layers=1000000", "must be an integer >= 1 and <= 16. Received: 1000000"),
        ("baseline.lstm_units=1000000", "must be an integer >= 1 and <= 8192"),
        ("baseline.vocabulary_size=99999999999", "must be an integer >= 4 and <= 10000000"),
        ("space.lstm_layers=1000000", "space.lstm_layers must hold values in [1, 16]"),
        ("space.dropout={min=0.0, max=0.5, step=1e-300}", "must have 10,000 values at most"),
        ("space.dropout={min=0.0, max=inf}", "space.dropout.max must be a finite number"),
        ("space.vocabulary_size={min=4, max=5000000}", "at most: give a step, or sampling"),
        (f"space.maxlen={10**400}", "must hold values in [1, 100000]"),
        (f"space.maxlen={{min=1, max={10**400}}}", "space.maxlen.max must be"),
        (f"study.seed={10**400}", "study.seed must be an integer >= 1"),
        (f"study.seed={'9' * 6_000}", "study.seed must be an integer"),
        ("search.iterations=1000", "must plan 100,000 trials at most"),
        (f"study.seed={'[' * 5_000}", "study.seed must be an integer"),
        ("space.lstm_units={min=16, max=256, step=1, sampling='log'}", "needs step > 1"),
    ],
)
def test_an_absurd_number_is_one_line_at_once(setting, sentence):
    settings = ("search.max_epochs=10000",) if "iterations" in setting else ()
    began = time.perf_counter()
    text = refusal(*settings, setting)
    assert sentence in text
    assert len(text) < 300
    assert "\n" not in text
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 100_000, "a = " + "9" * 10_000, "[" + ".".join("a" * 10_000) + "]"]
)
def test_a_deep_or_huge_file_is_one_line(text):
    with pytest.raises(SpecError) as caught:
        parse_spec(text + "\n" + SPEC, where="x.toml")
    assert len(str(caught.value).splitlines()[0]) < 200


def test_all_problems_are_told_at_once_one_line_each():
    text = refusal("study.seed=0", "compare.seeds=0", "space.maxlen={min=9, max=3}")
    assert len(text.splitlines()) == 3


def test_a_missing_table_or_key_is_named():
    with pytest.raises(SpecError, match=r"x\.toml: search is missing\. Add the table"):
        parse_spec(SPEC[: SPEC.index("[search]")], where="x.toml")
    with pytest.raises(SpecError, match=r"x\.toml: study\.seed is missing\. Add the key"):
        parse_spec(SPEC.replace("seed = 3", "", 1), where="x.toml")


def test_one_off_settings_are_toml_values_and_else_strings():
    assert spec("study.title=A plain title").study.title == "A plain title"
    assert spec("protocol.learning_rate=0.01").protocol.learning_rate == 0.01
    with pytest.raises(SpecError, match=r"must be TABLE\.KEY=VALUE"):
        spec("seed")


def test_a_file_that_is_missing_or_no_toml_is_one_line(tmp_path):
    with pytest.raises(SpecError, match="no such study file"):
        load_spec(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[study")
    with pytest.raises(SpecError, match="is not valid TOML"):
        load_spec(tmp_path / "bad.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match="cannot be read"):
        load_spec(tmp_path / "bytes.toml")
