"""The classical control leaves as a bundle, and predicts as it did."""

import json

import numpy as np
import pyarrow.parquet
import pytest

from lstm_study.comparison.classical_control import fit
from lstm_study.corpus.text.vocabulary import RESERVED, Vocabulary
from lstm_study.errors import DataError, ExportError
from lstm_study.export import load_bundle, predict_files, predict_some, write_classical
from lstm_study.export.layout import CARD, CONFIGURATION, SUMS, write_sums
from lstm_study.records import Control
from tests.support.fake_study import completed_study
from tests.support.forged_json import FORGED, forged
from tests.support.tiny import split

TRAIN, OTHER = split(80, seed=1, words=30), split(40, seed=2, words=30)
WORDS = Vocabulary(tuple(f"w{number}" for number in range(RESERVED, 40)))


@pytest.fixture(params=["nb", "tfidf"])
def written(tmp_path, request):
    model = fit(TRAIN, weighting=request.param, inverse_regularisation=1.0)
    folder = tmp_path / "model-classical"
    write_classical(
        folder, features=model.features, coefficients=model.regression.coef_[0],
        intercept=float(model.regression.intercept_[0]),
        control=Control(status="completed", inverse_regularisation=1.0, test_accuracy=0.91),
        vocabulary=WORDS, labels=("bad", "good"), records=completed_study(),
        made_at="2025-03-01T09:00:00.000Z", versions={},
    )  # fmt: skip
    return model, folder


def test_texts_get_the_probabilities_of_the_model_that_was_trained(written):
    model, folder = written
    bundle = load_bundle(folder)
    texts = [WORDS.decode(OTHER[row]) for row in range(len(OTHER))]
    found = predict_some(bundle, texts)[0]
    assert found == pytest.approx(model.predict(OTHER), abs=1e-6)
    assert bundle.label_of(0.51) == "good"


def test_a_table_is_predicted_with_it_as_with_a_network(written, tmp_path):
    _, folder = written
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("text\nw5 w6 w7\nnothing known\n")
    done = predict_files(load_bundle(folder), [source], target)
    assert (done.rows, done.unknown) == (2, 1)
    assert target.read_text().startswith("text,probability,label\n")


def test_the_bundle_says_what_it_is(written):
    _, folder = written
    card = (folder / CARD).read_text("utf-8")
    assert "test accuracy\n91.00%" in card
    with pytest.raises(ExportError, match="has no ensemble"):
        load_bundle(folder, ensemble=True)


@pytest.mark.parametrize("instead", FORGED, ids=lambda value: repr(value)[:9])
def test_a_value_of_another_kind_is_refused_in_one_line_or_does_not_matter(written, instead):
    _, folder = written
    path = folder / CONFIGURATION
    for values in forged(json.loads(path.read_text("utf-8")), instead):
        path.write_text(json.dumps(values))
        write_sums(folder)
        try:
            load_bundle(folder)
        except ExportError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize("name", ["keys.npy", "coefficients.npy", "vocabulary.txt"])
def test_a_damaged_file_is_refused(written, name):
    _, folder = written
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:-3])
    with pytest.raises(ExportError, match=f"{name}: must have the SHA-256"):
        load_bundle(folder)


def test_files_that_do_not_fit_one_another_are_refused(written):
    _, folder = written
    np.save(folder / "weights.npy", np.ones(3))
    (folder / SUMS).unlink()
    write_sums(folder)
    with pytest.raises(ExportError, match="one entry for each feature"):
        load_bundle(folder)


@pytest.fixture
def predict(tmp_path, written):
    bundle = load_bundle(written[1])

    def run(content, target="out.jsonl", *, source="in.jsonl"):
        if isinstance(content, str):
            (tmp_path / source).write_text(content)
        else:
            pyarrow.parquet.write_table(content, tmp_path / source)
        predict_files(bundle, [tmp_path / source], tmp_path / target)
        return tmp_path / target

    return run


def test_half_a_character_leaves_as_it_came(predict):
    line = '{"text": "w5 \\ud83d"}'
    assert json.loads(predict(line).read_text())["text"] == "w5 \ud83d"
    for target in ("out.csv", "out.parquet"):
        with pytest.raises(ExportError, match=rf"{target}: a value cannot be .*Write JSONL"):
            predict(line, target)


@pytest.mark.parametrize("last", ["1.5", "1" + "0" * 30, '"x"', "{}"])
def test_what_a_parquet_column_cannot_hold_is_refused_and_not_cut(predict, last):
    lines = ['{"text": "w5", "v": 1}'] * 1_100 + [f'{{"text": "w6", "v": {last}}}']
    with pytest.raises(ExportError, match=r"out\.parquet: a column holds values of several types"):
        predict("\n".join(lines), "out.parquet")
    assert str(json.loads(last)) in predict("\n".join(lines), "out.csv").read_text()


def test_parquet_columns_keep_their_types(predict):
    table = pyarrow.table(
        {
            "text": ["w5"] * 1_100,
            "v": pyarrow.array([None] * 1_090 + [1] * 10, pyarrow.int16()),
            "kind": pyarrow.array(["a", "b"] * 550).dictionary_encode(),
        }
    )
    found = pyarrow.parquet.read_table(predict(table, "out.parquet", source="in.parquet"))
    assert found.drop_columns(["probability", "label"]).equals(table)


def test_a_file_that_is_read_is_never_written(predict, tmp_path, written):
    predict('{"text": "w5"}')
    bundle = load_bundle(written[1])
    for sources in ([tmp_path / "*.jsonl"], [tmp_path / "in.jsonl", tmp_path / "out.jsonl"]):
        with pytest.raises(ExportError, match=r"out\.jsonl: is also an input"):
            predict_files(bundle, sources, tmp_path / "out.jsonl")


def test_of_two_columns_of_texts_with_one_name_none_is_chosen(predict):
    with pytest.raises(DataError, match=r"one column 'text'\. Received: 2 of them\. Rename one"):
        predict("text,text\nw5,w6\n", "out.csv", source="in.csv")
    assert (
        predict("text,n,n\nw5,1,2\n", "out.csv", source="in.csv")
        .read_text()
        .startswith("text,n,n (2),probability,label\nw5,1,2,")
    )
