"""Reading texts, token ids and CSV files with a bundle."""

import csv
import gzip
import io
import itertools
import json
import os
import shutil
import tracemalloc
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lstm_study import Study
from lstm_study.corpus.text.vocabulary import Vocabulary
from lstm_study.errors import DataError, ExportError, StudyError
from lstm_study.export import Bundle, load, load_bundle, predict_files
from tests.support.bundles import WORDS, predictions, random_weights, small, study, trained, write
from tests.support.fake_study import completed_study
from tests.support.reviews import write_csv
from tests.support.stored_study import leave


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    run = trained()
    folder = tmp_path_factory.mktemp("real") / "model"
    write(folder, weights=run.weights, vocabulary=run.vocabulary)
    return load_bundle(folder)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    configuration = small()
    folder = tmp_path_factory.mktemp("small") / "model"
    write(folder, weights=random_weights(configuration), vocabulary=Vocabulary(WORDS),
          configuration=configuration, labels=("thumbs down", "thumbs up"))  # fmt: skip
    return load_bundle(folder)


def in_batches(bundle, texts, size):
    """Probabilities of texts that are predicted so many at a time."""
    parts = [texts[first : first + size] for first in range(0, len(texts), size)]
    return np.concatenate([predictions(bundle, part) for part in parts])


def read(path, **options):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, **options))


def test_a_text_gets_the_probability_that_the_retrained_network_gave_for_its_tokens(real):
    run = trained()
    assert len(run.texts) == 400
    assert run.probabilities.std() > 0.05
    assert predictions(real, run.texts) == pytest.approx(run.probabilities, abs=1e-5)
    by_ids = real.predict_token_ids(run.token_ids)
    assert by_ids == pytest.approx(run.probabilities, abs=1e-5)


def test_from_python_a_text_without_a_known_word_is_warned_of(bundle, tmp_path):
    write(tmp_path / "reports" / "fake" / "model", weights=random_weights(small()),
          vocabulary=Vocabulary(WORDS), configuration=small())  # fmt: skip
    study = Study.load(leave(completed_study(), tmp_path), out=tmp_path / "reports")
    with pytest.warns(UserWarning, match=r"1 text has no word of the model's vocabulary"):
        found = study.predict([WORDS[0], "xyzzy"])
    assert len(found) == 2
    with warnings.catch_warnings(action="error"):
        study.predict([WORDS[0]])


def test_predictions_do_not_depend_on_the_batch(bundle):
    texts = [" ".join(words) for words in itertools.product(WORDS[:5], repeat=2)]
    whole = predictions(bundle, texts)
    for size in (1, 3, 7, 25, 256):
        found = in_batches(bundle, texts, size)
        assert found == pytest.approx(whole, abs=1e-6)
        assert found.dtype == np.float32
    assert len(set(np.round(whole, 5))) > 15


def test_predictions_of_a_masked_network_come_in_the_texts_own_order(tmp_path):
    run = trained()
    folder = tmp_path / "model"
    write(folder, weights=run.weights, vocabulary=run.vocabulary,
          run=replace(study()[1], masked=True))  # fmt: skip
    bundle = load_bundle(folder)
    one_by_one = np.concatenate([predictions(bundle, [text]) for text in run.texts[:40]])
    for size in (7, 256, 2_048):
        whole = in_batches(bundle, run.texts, size)
        assert len(whole) == 400
        assert whole[:40] == pytest.approx(one_by_one, abs=1e-6)


def test_a_bundle_that_is_replaced_while_it_is_read_is_read_again(tmp_path, monkeypatch):
    folder, read_network = tmp_path / "model", load.load_network
    for seed, name in ((1, "model"), (2, "new")):
        write(tmp_path / name, weights=random_weights(small(), seed=seed),
              vocabulary=Vocabulary(WORDS[::-1] if name == "new" else WORDS),
              configuration=small())  # fmt: skip
    expected = predictions(load_bundle(tmp_path / "new"), [WORDS[0]])

    def replaced_first(*arguments, **options):
        if (tmp_path / "new").exists():
            shutil.rmtree(folder)
            (tmp_path / "new").rename(folder)
        return read_network(*arguments, **options)

    monkeypatch.setattr(load, "load_network", replaced_first)
    assert predictions(load_bundle(folder), [WORDS[0]]).tolist() == expected.tolist()


def test_no_texts_give_nothing_and_an_empty_text_gives_one_probability(bundle):
    assert predictions(bundle, []).tolist() == []
    assert predictions(bundle, ["", "  ", "unseen", "\ud800"]) == pytest.approx(
        predictions(bundle, ["..."] * 4)
    )


def test_a_csv_keeps_its_columns_as_they_were_and_gets_two_more(bundle, tmp_path):
    rows = [
        ("=1+1", "great film", "+49"),
        ("-2", 'awful, "the" film\nwas', "@cmd"),
        ("", "", " spaces "),
        ("0012", "caffè — ελληνικά", "1e5"),
    ]
    source = write_csv(tmp_path / "in.csv", rows, header=("id", "text", "phone"))
    assert predict_files(bundle, [source], tmp_path / "new" / "out.csv").rows == 4
    found = read(tmp_path / "new" / "out.csv")
    assert list(found[0]) == ["id", "text", "phone", "probability", "label"]
    assert [(row["id"], row["text"], row["phone"]) for row in found] == rows
    expected = predictions(bundle, [text for _, text, _ in rows])
    assert [float(row["probability"]) for row in found] == pytest.approx(expected, abs=1e-7)
    assert {row["label"] for row in found} <= {"thumbs down", "thumbs up"}
    for row in found:
        assert row["label"] == ("thumbs up" if float(row["probability"]) > 0.5 else "thumbs down")


def test_a_label_column_of_the_files_own_is_not_overwritten(bundle, tmp_path):
    source = write_csv(tmp_path / "in.csv", [("great", "1")], header=("text", "label"))
    predict_files(bundle, [source], tmp_path / "out.csv")
    (row,) = read(tmp_path / "out.csv")
    assert row["label"] == "1" and row["predicted_label"].startswith("thumbs")
    twice = write_csv(tmp_path / "twice.csv", [("a", "b", "c")],
                      header=("text", "label", "predicted_label"))  # fmt: skip
    with pytest.raises(ExportError, match="Rename one of them"):
        predict_files(bundle, [twice], tmp_path / "out.csv")


@pytest.mark.parametrize(
    ("encoding", "delimiter", "end"),
    [
        ("utf-8", ";", "\n"),
        ("utf-8-sig", ",", "\r\n"),
        ("utf-16", "\t", "\r\n"),
        ("utf-8", "|", "\n"),
    ],
)
def test_delimiter_line_ends_and_encoding_stay_the_files_own(
    bundle, tmp_path, encoding, delimiter, end
):
    text = f"text{delimiter}n{end}great caffè{delimiter}1{end}{end}awful{delimiter}2{end}"
    (tmp_path / "in.csv").write_bytes(text.encode(encoding))
    assert predict_files(bundle, [tmp_path / "in.csv"], tmp_path / "out.csv").rows == 2
    out = (tmp_path / "out.csv").read_bytes()
    assert out[:2] == text.encode(encoding)[:2]
    decoded = out.decode(encoding)
    assert decoded.startswith(delimiter.join(["text", "n", "probability", "label"]) + end)
    found = list(csv.reader(io.StringIO(decoded, newline=""), delimiter=delimiter))
    assert [row[0] for row in found] == ["text", "great caffè", "awful"]


def test_another_column_and_another_encoding_can_be_named(bundle, tmp_path):
    (tmp_path / "in.tsv").write_bytes("review\tstars\ncaffè\t9\n".encode("cp1252"))
    predict_files(
        bundle,
        [tmp_path / "in.tsv"],
        tmp_path / "out.tsv",
        text_column="review",
        encoding="cp1252",
    )
    line = (tmp_path / "out.tsv").read_bytes().splitlines()[1].decode("cp1252")
    assert line.startswith("caffè\t9\t0.")
    assert float(line.split("\t")[2]) == pytest.approx(predictions(bundle, ["caffè"])[0], abs=1e-6)


def test_columns_of_a_file_without_names_can_be_named(bundle, tmp_path):
    (tmp_path / "in.csv").write_text("".join(f"{n},a great film {n},{n % 2}\n" for n in range(30)))
    with pytest.raises(DataError, match="--columns column1,text,label; or"):
        predict_files(bundle, [tmp_path / "in.csv"], tmp_path / "out.csv")
    predict_files(
        bundle, [tmp_path / "in.csv"], tmp_path / "out.csv", columns=("id", "text", "label")
    )
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0] == "id,text,label,probability,predicted_label"
    assert (len(lines), lines[1].split(",")[:3]) == (31, ["0", "a great film 0", "0"])


def test_what_is_wrong_with_a_csv_is_one_line_and_leaves_the_earlier_target(bundle, tmp_path):
    target = tmp_path / "out.csv"
    target.write_text("earlier")

    def error(content: bytes, name: str = "in.csv", **options) -> str:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(StudyError) as caught:
            predict_files(bundle, [tmp_path / name], target, **options)
        assert "\n" not in str(caught.value)
        assert target.read_text() == "earlier"
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
            {"out.csv", name, "in.csv"}
        )
        return str(caught.value)

    assert "an empty file" in error(b"")
    assert "an empty line" in error(b"\ntext\n")
    assert "Did you mean 'Text'?" in error(b"id,Text\n1,great\n", text_column="text")
    assert "no column looks like reviews" in error(b"id,stars\n1,2\n")
    assert "one column 'text'. Received: 2" in error(b"text,text\n1,2\n")
    assert "replacement characters" in error(b"text\n" + "caffè\n".encode() * 300 + b"caff\xe8\n")
    assert "encoding that Python knows" in error(b"text\na\n", encoding="klingon")
    assert "in.csv:3 (row 2): must have 2 fields" in error(b"text,id\na,1\nb,2,3\n")
    assert "in.csv:2: a quote opens" in error(b'text,id\n"great"film,"1,1"\n"a, b",2\n')
    with pytest.raises(DataError, match="no such file"):
        predict_files(bundle, [tmp_path / "none.csv"], target)
    with pytest.raises(ExportError, match="is also an input"):
        predict_files(bundle, [tmp_path / "in.csv"], tmp_path / "in.csv")
    with pytest.raises(ExportError, match=r"must end in .csv, .tsv"):
        predict_files(bundle, [tmp_path / "in.csv"], tmp_path / "out.xlsx")
    with pytest.raises(ExportError, match="cannot be written"):
        (tmp_path / "in.csv").write_text("text\na\n")
        predict_files(bundle, [tmp_path / "in.csv"], target / "out.csv")


def test_an_output_behind_a_link_stays_there_and_a_pipe_is_not_replaced(bundle, tmp_path):
    write_csv(tmp_path / "in.csv", [("great", "pos")])
    (tmp_path / "disk").mkdir()
    for name in ("link.csv", "dangling.csv"):
        (tmp_path / name).symlink_to(tmp_path / "disk" / name)
    (tmp_path / "disk" / "link.csv").write_text("earlier")
    for name in ("link.csv", "dangling.csv"):
        predict_files(bundle, [tmp_path / "in.csv"], tmp_path / name)
        assert (tmp_path / name).is_symlink()
        assert len(read(tmp_path / "disk" / name)) == 1
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(
            ExportError, match=rf"{name}\.csv: must be a file\. Received: a .*{name}"
        ):
            predict_files(bundle, [tmp_path / "in.csv"], tmp_path / f"{name}.csv")
    assert (tmp_path / "pipe.csv").is_fifo()


def test_every_advice_of_an_error_names_an_option_of_predict(bundle, tmp_path):
    (tmp_path / "in.csv").write_bytes("id,review\n1,caffè\n".encode() * 30)
    with pytest.raises(DataError, match="--text-column") as caught:
        predict_files(bundle, [tmp_path / "in.csv"], tmp_path / "out.csv", text_column="texts")
    assert "--label-column" not in str(caught.value) and "data." not in str(caught.value)


def test_jsonl_and_parquet_are_read_and_written(bundle, tmp_path):
    import pyarrow.parquet

    records = [{"id": n, "text": f"great film {n}", "more": {"a": [n]}} for n in range(5)]
    records.append({"id": 9, "more": None})
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    found = predict_files(bundle, [source], tmp_path / "out.jsonl")
    assert (found.rows, found.column, found.unknown) == (6, "text", 1)
    written = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [{k: row[k] for k in record} for row, record in zip(written, records, strict=True)] == (
        records
    )
    predict_files(bundle, [source], tmp_path / "out.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert table.column_names == ["id", "text", "more", "probability", "label"]
    assert table.column("id").to_pylist() == [0, 1, 2, 3, 4, 9]
    again = predict_files(bundle, [tmp_path / "out.parquet"], tmp_path / "again.csv")
    assert again.rows == 6
    assert list(read(tmp_path / "again.csv")[0])[-2:] == [
        "predicted_probability", "predicted_label",
    ]  # fmt: skip


def test_folders_of_texts_and_compressed_shards_are_read(bundle, tmp_path):
    (tmp_path / "texts").mkdir()
    for n in range(3):
        (tmp_path / "texts" / f"{n}.txt").write_text("great film")
    found = predict_files(bundle, [tmp_path / "texts"], tmp_path / "out.csv")
    assert found.rows == 3
    assert [Path(row["file"]).name for row in read(tmp_path / "out.csv")] == [
        "0.txt", "1.txt", "2.txt",
    ]  # fmt: skip
    (tmp_path / "r.csv.gz").write_bytes(gzip.compress(b"n,review\n1,great film\n"))
    found = predict_files(bundle, [tmp_path / "r.csv.gz"], tmp_path / "out.csv")
    assert found.column == "review"


def test_the_studys_own_column_is_read_where_the_table_has_it(bundle, tmp_path):
    source = write_csv(
        tmp_path / "in.csv", [("a very long summary of it all", "great film")],
        header=("text", "tweet"),
    )  # fmt: skip
    own = replace(bundle, text_column="tweet")
    assert predict_files(own, [source], tmp_path / "out.csv").column == "tweet"
    assert predict_files(bundle, [source], tmp_path / "out.csv").column == "text"


def test_a_header_alone_gives_a_header_alone_and_a_huge_field_is_no_trouble(bundle, tmp_path):
    source = write_csv(tmp_path / "in.csv", [], header=("text",))
    assert predict_files(bundle, [source], tmp_path / "out.csv").rows == 0
    assert (tmp_path / "out.csv").read_text() == "text,probability,label\n"
    limit = csv.field_size_limit()
    source = write_csv(tmp_path / "in.csv", [("great film " * 50_000,)], header=("text",))
    assert predict_files(bundle, [source], tmp_path / "out.csv").rows == 1
    assert csv.field_size_limit() == limit


def test_ten_thousand_texts_stream_with_progress_in_bounded_memory(bundle, tmp_path):
    source = write_csv(
        tmp_path / "in.csv", ((f"great film number {n} " + "x" * 1_000,) for n in range(10_000)),
        header=("text",),
    )  # fmt: skip
    seen: list[tuple[str, int, int]] = []
    tracemalloc.start()
    try:
        found = predict_files(
            bundle, [source], tmp_path / "out.csv", progress=lambda *state: seen.append(state)
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.rows == 10_000
    assert peak < source.stat().st_size / 2
    done = [state[1] for state in seen]
    assert len(seen) == 10 and done == sorted(done)
    assert seen[-1] == ("predicting", source.stat().st_size, source.stat().st_size)
    assert (tmp_path / "out.csv").read_bytes().count(b"\n") == 10_001
