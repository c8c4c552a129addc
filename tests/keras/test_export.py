"""The model bundle: what is in it, that it is whole, and that it needs nothing of this package."""

import json
import logging
import os
import random
import re
import shutil
import subprocess
import sys
import textwrap
import zipfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest

from lstm_study.configuration import Configuration
from lstm_study.corpus.batches import view
from lstm_study.corpus.text.vocabulary import Vocabulary
from lstm_study.errors import ExportError
from lstm_study.export import load_bundle
from lstm_study.export.layout import write_sums
from lstm_study.export.network import plain_network, save_network
from lstm_study.model.network import build_network
from lstm_study.training.training import predict
from tests.support.bundles import (
    CONFIGURATION,
    SENTENCE,
    WORDS,
    BundlePaths,
    predictions,
    python,
    random_weights,
    small,
    study,
    trained,
    write,
)
from tests.support.reviews import split_of

ROOT = Path(__file__).resolve().parents[2]
STRANGE = (
    "", " ", "!!!", "\n\t\n", "GREAT", "Great!<br /><br />film", "film.great,awful;it's",
    "it's-IT'S", "İSTANBUL film", "İstanbul", "STRAẞE straße STRASSE", "CAFFÈ caffè CAFFÈ",
    "ΚΑΛΟΣ ΣΑΣ", "ΑΣ'Σ", "ÌÍĨĮ", "Ⱟ Ꟁ", "a\rb A\rB", "film\u00a0great", "film\u2028great",
    "film\x0bgreat", "a\0b film \0 was\0", "unseen words only here", "日本 film", "😀 great 😀",
    "[film] {great} ^awful_ `the` ~was~", "\\film\\", "Film " * 5_000, "unseen " * 500 + "great",
    "great " + "unseen " * 500, "ＦＩＬＭ", "ǅ Ǆ", "K film Å",
)  # fmt: skip
CLEAN = """
import sys
sys.modules["lstm_study"] = None  # importing it fails from here on
import json, keras, numpy, tensorflow
try:
    import lstm_study
except ImportError:
    pass
else:
    raise SystemExit("lstm_study can be imported")
folder, texts, rows = sys.argv[1], *map(json.loads, sys.argv[2:4])
rows = numpy.array(rows, dtype="int32")
found = {}
for name in ("sentiment-lstm.keras", "sentiment-lstm.h5"):
    model = keras.models.load_model(f"{folder}/{name}", compile=False)
    found[name] = model.predict(rows, verbose=0)[:, 0].tolist()
texts = tensorflow.constant(texts)
model = tensorflow.saved_model.load(f"{folder}/text-model")
found["text-model"] = model.serve(texts).numpy()[:, 0].tolist()
inputs = keras.Input(shape=(), dtype="string")
layer = keras.layers.TFSMLayer(f"{folder}/text-model", call_endpoint="serve")
found["layer"] = numpy.asarray(keras.Model(inputs, layer(inputs))(texts))[:, 0].tolist()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> BundlePaths:
    run = trained()
    folder = tmp_path_factory.mktemp("reports") / "fake" / "model"
    return write(folder, weights=run.weights, vocabulary=run.vocabulary)


def tokenised(folder: Path, texts):
    """Runs the raw-text model's own tokenising."""
    import tensorflow as tf

    return tf.saved_model.load(str(folder)).tokenise(tf.constant(list(texts))).numpy()


def of_run(*, masked: bool):
    """What a run stores for the trained network's test reviews."""
    run = trained()
    network = build_network(CONFIGURATION, seed=4, masked=masked)
    network.set_weights(run.weights)
    reviews = split_of([tokens.tolist() for tokens in run.token_ids])
    found = predict(network, reviews, CONFIGURATION)
    assert masked == bool(np.abs(found - run.probabilities).max() > 0.01), "a mask is a difference"
    return found


def by_our_rule(vocabulary: Vocabulary, texts, configuration: Configuration):
    return view(
        split_of([vocabulary.encode(text) for text in texts]),
        vocabulary_size=configuration.vocabulary_size,
        maxlen=configuration.maxlen,
    )


def test_the_plain_network_has_the_builders_weights_in_the_builders_order():
    for layers in (1, 2):
        configuration = small(layers=layers)
        built, plain = build_network(configuration, seed=4), plain_network(configuration)
        plain.set_weights(built.get_weights())
        rows = np.random.default_rng(0).integers(0, 10, (20, 6)).astype(np.int32)
        assert np.array_equal(built.predict(rows, verbose=0), plain.predict(rows, verbose=0))
        assert {type(layer) for layer in plain.layers[1:]} == {
            keras.layers.Embedding, keras.layers.LSTM, keras.layers.Dense
        }  # fmt: skip


def test_a_masked_runs_bundle_gives_the_runs_probabilities_in_every_form(tmp_path):
    import tensorflow as tf

    run, expected = trained(), of_run(masked=True)
    records, first = study()
    members = [replace(each, masked=True) for each in records.runs if each.arm == "winner"][:2]
    paths = write(
        tmp_path / "model", weights=run.weights, vocabulary=run.vocabulary,
        run=replace(first, masked=True), ensemble=[(each, run.weights) for each in members],
    )  # fmt: skip
    for ensemble in (False, True):
        bundle = load_bundle(paths.folder, ensemble=ensemble)
        assert predictions(bundle, run.texts) == pytest.approx(expected, abs=1e-5)
    rows = by_our_rule(run.vocabulary, run.texts, CONFIGURATION)
    for path in (paths.network, paths.network_h5):
        plain = keras.models.load_model(path, compile=False)
        assert plain.predict(rows, verbose=0)[:, 0] == pytest.approx(expected, abs=1e-5)
    text_model = tf.saved_model.load(str(paths.text_model))
    found = text_model.serve(tf.constant(list(run.texts))).numpy()[:, 0]
    assert found == pytest.approx(expected, abs=1e-5)

    settings = json.loads(paths.configuration.read_text())
    assert settings["masked"] is settings["run"]["protocol"]["masked"] is True
    paths.configuration.write_text(json.dumps(settings | {"masked": False}))
    write_sums(paths.folder)
    with pytest.raises(ExportError, match="is not a network that lstm-study exported"):
        load_bundle(paths.folder)


def test_every_file_of_a_bundle_loads_in_a_process_without_this_package(paths):
    run = trained()
    rows = by_our_rule(run.vocabulary, run.texts[:40], CONFIGURATION)
    result = python(
        "-W", "error", "-c", CLEAN, str(paths.folder), json.dumps(run.texts[:40]),
        json.dumps(rows.tolist()),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert set(found) == {"sentiment-lstm.keras", "sentiment-lstm.h5", "text-model", "layer"}
    for name, probabilities in found.items():
        assert probabilities == pytest.approx(run.probabilities[:40], abs=1e-5), name


def test_the_raw_text_model_tokenises_hundreds_of_real_reviews_as_we_do(paths):
    run = trained()
    expected = by_our_rule(run.vocabulary, run.texts, CONFIGURATION)
    assert np.array_equal(tokenised(paths.text_model, run.texts), expected)


@pytest.mark.real_data
def test_the_raw_text_model_tokenises_reviews_of_the_archive_as_we_do(paths, data_folder):
    from lstm_study.corpus.sources.tar_stream import stream_files

    found = []
    for name, content in stream_files(
        data_folder / "aclImdb_v1.tar.gz",
        wanted=lambda name: re.search(r"/test/(pos|neg)/\d*7_\d+\.txt$", name) is not None,
        limit_bytes=1 << 20,
    ):
        assert name.endswith(".txt")
        found.append(content.decode("utf-8"))
        if len(found) == 600:
            break
    assert any(not text.isascii() for text in found)
    expected = by_our_rule(trained().vocabulary, found, CONFIGURATION)
    assert np.array_equal(tokenised(paths.text_model, found), expected)


def test_the_raw_text_model_tokenises_strange_texts_as_we_do(tmp_path):
    # Words of all strange texts are known, so that a letter lowered otherwise can't hide.
    from lstm_study.corpus.text.tokens import split_tokens

    draw = random.Random(1)
    letters = "aAbBiIİıÌÍßẞΣσςÉéǅЖжⱯⱾ\u0307\u0301 .,<>/'’-\t\n\r😀"
    texts = [*STRANGE, *("".join(draw.choices(letters, k=draw.randint(1, 60))) for _ in range(400))]
    words = dict.fromkeys(word for text in texts for word in split_tokens(text))
    words = [word for word in words if "unseen" not in word]
    vocabulary = Vocabulary((*WORDS, *(word for word in words if word not in WORDS)))
    configuration = small(maxlen=12, size=vocabulary.size - 20)
    folder = write(
        tmp_path / "model",
        weights=random_weights(configuration),
        vocabulary=vocabulary,
        configuration=configuration,
    ).folder
    expected = by_our_rule(vocabulary, texts, configuration)
    assert (expected == 2).any() and (expected[:, 0] != 0).any() and (expected[:, 0] == 0).any()
    assert np.array_equal(tokenised(folder / "text-model", texts), expected)
    assert load_bundle(folder).vocabulary == vocabulary
    # Where I is lowered without a dot, the tokens are the same.
    code = (
        "import sys, json, tensorflow as tf; "
        "m = tf.saved_model.load(sys.argv[1]); "
        "print(json.dumps(m.tokenise(tf.constant(json.loads(sys.argv[2]))).numpy().tolist()))"
    )
    few = [text for text in texts if len(text) < 1_000]
    for locale in ("tr_TR.UTF-8", "lt_LT.UTF-8"):
        result = python("-c", code, str(folder / "text-model"), json.dumps(few), LC_ALL=locale)
        assert result.returncode == 0, result.stderr
        assert np.array_equal(
            json.loads(result.stdout), by_our_rule(vocabulary, few, configuration)
        )


def test_every_letter_of_unicode_is_lowered_by_the_raw_text_model_as_by_python():
    import tensorflow as tf

    from lstm_study.export.text_model import _lower, _lowered_otherwise

    # The planes from 3 up hold no letters that have a case.
    letters = [chr(code) for code in range(0x30000) if not 0xD800 <= code < 0xE000]
    assert all(chr(code).lower() == chr(code) for code in range(0x30000, 0x110000))
    lowered = _lower(tf.constant([f"1{letter}1" for letter in letters]), _lowered_otherwise())
    expected = [f"1{letter}1".lower() for letter in letters]
    assert [word.decode() for word in lowered.numpy()] == expected


def test_a_bundle_says_nothing_on_the_terminal_and_sets_no_logging_up(tmp_path):
    code = (
        "import logging, sys; from pathlib import Path; import tensorflow; "
        "sys.stderr.flush(); sys.stderr = sys.stdout; "
        "from tests.support.bundles import *; c = small(); "
        "write(Path(sys.argv[1]), weights=random_weights(c), vocabulary=Vocabulary(WORDS), "
        "configuration=c); assert not logging.root.handlers; "
        "assert not logging.getLogger('absl').filters"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", code, str(tmp_path / "model")],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": ""},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr + result.stdout
    assert result.stdout == ""
    assert "HDF5" not in result.stderr and "Assets" not in result.stderr
    assert logging.getLogger("absl").filters == []


def test_the_example_runs_as_it_is_wherever_the_folder_goes(paths, tmp_path):
    run = trained()
    moved = tmp_path / "elsewhere with spaces"
    shutil.copytree(paths.folder, moved)
    result = python("-I", str(moved / "example.py"), run.texts[0], run.texts[1], "film", "")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    bundle = load_bundle(moved)
    expected = predictions(bundle, [run.texts[0], run.texts[1], "film", ""])
    assert [line.split()[:2] for line in lines] == [
        [f"{value:.4f}", bundle.label_of(value)] for value in expected
    ]
    assert predictions(bundle, run.texts[:2]) == pytest.approx(run.probabilities[:2], abs=1e-5)


def test_the_example_tokenises_strange_texts_as_we_do(tmp_path):
    configuration, vocabulary = small(maxlen=12, size=12), Vocabulary(WORDS)
    folder = write(
        tmp_path / "model",
        weights=random_weights(configuration),
        vocabulary=vocabulary,
        configuration=configuration,
    ).folder
    names: dict = {"__file__": str(folder / "example.py"), "__name__": "example"}
    exec(compile((folder / "example.py").read_text("utf-8"), "example.py", "exec"), names)
    rows = np.stack([names["token_ids"](text) for text in STRANGE])
    assert np.array_equal(rows, by_our_rule(vocabulary, STRANGE, configuration))


@pytest.mark.parametrize("rule", ["words", "characters"])
def test_users_own_texts_are_split_alike_by_text_model_example_and_package(tmp_path, rule):
    from lstm_study.corpus.text.tokens import split_tokens

    draw = random.Random(2)
    letters = "aBİÉ很好看映画\u00a0\u2009\u200b\u3000\u0085\x00\x1f\t\r\n\ufeff .,-'_"
    letters += "’´“”—½²㎡№™€❤\ufe0f\u200d😀👍🏽٣·"
    texts = ["".join(draw.choices(letters, k=draw.randint(0, 30))) for _ in range(300)]
    words = dict.fromkeys(token for text in texts for token in split_tokens(text, rule))
    vocabulary = Vocabulary(tuple(words)[3:], rule)
    configuration = small(maxlen=12, size=vocabulary.size - 2)
    folder = write(
        tmp_path / "model",
        weights=random_weights(configuration),
        vocabulary=vocabulary,
        configuration=configuration,
    ).folder
    expected = by_our_rule(vocabulary, texts, configuration)
    assert np.array_equal(tokenised(folder / "text-model", texts), expected)
    assert load_bundle(folder).vocabulary == vocabulary
    names: dict = {"__file__": str(folder / "example.py"), "__name__": "example"}
    exec(compile((folder / "example.py").read_text("utf-8"), "example.py", "exec"), names)
    assert np.array_equal(np.stack([names["token_ids"](text) for text in texts]), expected)


def test_nothing_in_a_bundle_tells_where_it_was_made(paths):
    places = {str(ROOT), str(paths.folder.parents[2]), sys.prefix, str(Path.home()), "lstm_study"}
    places = {place.encode() for place in places}
    for path in paths.folder.rglob("*"):
        if path.is_file():
            contents = [path.read_bytes()]
            if path.suffix == ".keras":
                with zipfile.ZipFile(path) as archive:
                    contents += [archive.read(name) for name in archive.namelist()]
            for place in places:
                assert not any(place in content for content in contents), (path, place)


def test_the_checksums_name_every_file_and_sha256sum_agrees(paths):
    listed = {line.split("  ")[1] for line in paths.sums.read_text().splitlines()}
    there = {
        str(path.relative_to(paths.folder)) for path in paths.folder.rglob("*") if path.is_file()
    }
    assert listed == there - {"SHA256SUMS"}
    assert {"sentiment-lstm.keras", "sentiment-lstm.h5", "vocabulary.txt", "configuration.json",
            "MODEL_CARD.md", "example.py", "text-model/saved_model.pb"} <= listed  # fmt: skip
    if shutil.which("sha256sum"):
        subprocess.run(
            ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=paths.folder, check=True
        )


def test_the_configuration_tells_everything_a_reader_needs(paths):
    records, run = study()
    values = json.loads(paths.configuration.read_text("utf-8"))
    assert Configuration.from_dict(values["hyperparameters"]) == CONFIGURATION
    assert values["labels"] == {"negative": "negative", "positive": "positive"}
    assert values["threshold"] == 0.5
    assert values["run"]["run_id"] == run.run_id
    assert values["run"]["how_chosen"]
    assert values["data"]["sha256_of_token_ids"] == records.corpus.digest
    assert values["versions"]["keras"] == "3.15.1"
    lines = paths.vocabulary.read_bytes().decode().split("\n")
    assert len(lines) - 1 == values["words"] == len(trained().vocabulary.words)
    first = values["token_ids"]["first_word"]
    assert trained().vocabulary.ids[lines[41]] == 42 + first - 1
    assert SENTENCE in paths.card.read_text("utf-8")


def test_a_bundle_replaces_an_earlier_one_whole_and_leaves_nothing_beside_it(tmp_path):
    configuration, folder = small(), tmp_path / "model"
    for seed in (1, 2):
        weights = random_weights(configuration, seed=seed)
        write(folder, weights=weights, vocabulary=Vocabulary(WORDS), configuration=configuration)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    kernel = load_bundle(folder).networks[0].get_weights()[0]
    assert np.array_equal(kernel, random_weights(configuration, seed=2)[0])


def test_a_failure_leaves_the_earlier_bundle_whole(tmp_path):
    configuration, folder = small(), tmp_path / "model"
    weights = random_weights(configuration)
    write(folder, weights=weights, vocabulary=Vocabulary(WORDS), configuration=configuration)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    other = random_weights(small(size=20))
    with pytest.raises(ExportError, match=r"winner-s2: its weights must have the shapes"):
        write(folder, weights=other, vocabulary=Vocabulary(WORDS), configuration=configuration)
    failed = replace(study(configuration)[1], status="failed")
    with pytest.raises(ExportError, match="must be completed"):
        write(folder, weights=weights, vocabulary=None, run=failed)
    with pytest.raises(ExportError, match="must stand on one line"):
        write(folder, weights=weights, vocabulary=Vocabulary(("a\nb",)))
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "reports").write_text("a file where the folder should be")
    configuration = small()
    with pytest.raises(ExportError, match="cannot be written") as caught:
        write(tmp_path / "reports" / "model", weights=random_weights(configuration),
              vocabulary=None, configuration=configuration)  # fmt: skip
    assert "\n" not in str(caught.value)


def test_without_the_words_a_bundle_reads_token_ids_and_says_what_is_missing(tmp_path):
    configuration = small()
    paths = write(tmp_path / "model", weights=random_weights(configuration), vocabulary=None,
                  configuration=configuration)  # fmt: skip
    assert paths.text_model is None and paths.vocabulary is None
    assert not (paths.folder / "text-model").exists()
    assert "words behind the token ids are not known" in paths.card.read_text("utf-8")
    bundle = load_bundle(paths.folder)
    with pytest.raises(ExportError, match=r"imdb_word_index\.json"):
        predictions(bundle, ["a film"])
    found = bundle.predict_token_ids([[1, 4, 5]])
    result = python("-I", str(paths.example), "1 4 5")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"{found[0]:.4f}  ")


def test_what_is_missing_damaged_or_another_version_is_one_line(tmp_path):
    configuration, folder = small(), tmp_path / "model"
    write(folder, weights=random_weights(configuration), vocabulary=Vocabulary(WORDS),
          configuration=configuration)  # fmt: skip

    def after(change, *, sums: bool = False) -> str:
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        change(copy)
        if sums:
            write_sums(copy)
        with pytest.raises(ExportError) as caught:
            load_bundle(copy)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def flip(copy: Path) -> None:
        path = copy / "sentiment-lstm.keras"
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)

    def set_value(name: str, value) -> None:
        def change(copy: Path) -> None:
            path = copy / "configuration.json"
            path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {name: value}))

        return change

    def other_network(copy: Path) -> None:
        save_network(plain_network(small(layers=2)), copy / "sentiment-lstm.keras")

    def garbage(copy: Path) -> None:
        (copy / "sentiment-lstm.keras").write_bytes(b"no zip")

    assert "no such model folder" in after(shutil.rmtree)
    for name in ("sentiment-lstm.keras", "vocabulary.txt", "configuration.json", "SHA256SUMS"):
        assert f"{name}: is missing" in after(lambda copy, name=name: (copy / name).unlink())
    assert "is damaged or was changed" in after(flip)
    assert "format_version must be 3. Received: 4" in after(
        set_value("format_version", 4), sums=True
    )
    assert "format must be" in after(set_value("format", "another"), sums=True)
    assert "is not whole" in after(set_value("hyperparameters", {}), sums=True)
    assert "must hold 10 words" in after(set_value("words", 10), sums=True)
    assert "another network" in after(other_network, sums=True)
    assert "numbers that configuration.json describes" in after(garbage, sums=True)
    hyper = configuration.with_values(maxlen=7).as_dict()
    assert "another network" in after(set_value("hyperparameters", hyper), sums=True)


@pytest.mark.skipif(
    find_spec("jax") is None, reason="jax is not installed: the bundle is NOT tested on JAX"
)
@pytest.mark.parametrize("masked", [False, True])
def test_on_jax_the_bundle_gives_the_same_probabilities_and_says_why_it_has_no_text_model(
    tmp_path, masked
):
    code = """
        import sys, json, numpy as np
        from pathlib import Path
        import keras
        from tests.support.bundles import *
        from lstm_study.export import load_bundle
        assert keras.backend.backend() == "jax"
        folder, again, masked = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "True"
        texts, rows = json.load(open(sys.argv[4]))
        read = load_bundle(folder)
        written = write(again, weights=tuple(read.networks[0].get_weights()),
                        vocabulary=read.vocabulary, run=replace(study()[1], masked=masked))
        assert written.text_model is None and "jax" in written.card.read_text()
        found = [predictions(bundle, texts) for bundle in (read, load_bundle(again))]
        for name in ("sentiment-lstm.keras", "sentiment-lstm.h5"):
            plain = keras.models.load_model(folder / name, compile=False)
            found.append(plain.predict(np.array(rows, "int32"), verbose=0)[:, 0])
        print(json.dumps([probabilities.tolist() for probabilities in found]))
    """
    run = trained()
    expected = of_run(masked=masked)
    made = write(tmp_path / "made", weights=run.weights, vocabulary=run.vocabulary,
                 run=replace(study()[1], masked=masked))  # fmt: skip
    rows = by_our_rule(run.vocabulary, run.texts, CONFIGURATION)
    (tmp_path / "texts.json").write_text(json.dumps([run.texts, rows.tolist()]))
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    result = python("-c", textwrap.dedent(code), str(made.folder), str(tmp_path / "again"),
                    str(masked), str(tmp_path / "texts.json"), KERAS_BACKEND="jax",
                    PYTHONPATH=path)  # fmt: skip
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout.splitlines()[-1])
    assert [len(probabilities) for probabilities in found] == [400] * 4
    for probabilities in found:
        assert probabilities == pytest.approx(expected, abs=1e-5)
    on_tensorflow = predictions(load_bundle(tmp_path / "again"), run.texts)
    assert on_tensorflow == pytest.approx(expected, abs=1e-5)
