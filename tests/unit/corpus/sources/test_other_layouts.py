"""Tables of another layout are refused with a command that makes one of them; each is run here."""

import contextlib
import json
import shlex
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from lstm_study.corpus.files.table import open_table
from lstm_study.corpus.sources.survey import survey
from lstm_study.errors import DataError
from tests.support.reviews import made_up_reviews, write_csv

REVIEWS = made_up_reviews(40)
EXPECTED = sorted((text, str(label)) for text, label in REVIEWS)


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        survey([path])
    assert "\n" not in str(caught.value)
    return str(caught.value)


def follow(message: str, folder: Path) -> list[tuple[str, ...]]:
    """Runs the command at a message's end in a folder, and returns the rows that it writes."""
    parts = shlex.split(message[message.rindex(": python -c ") + 2 :])
    assert parts[:2] == ["python", "-c"]
    with contextlib.chdir(folder):
        exec(parts[2], {})
    (written,) = folder.glob("*-table.csv")
    rows = open_table([written]).rows()
    return [tuple(map(str, row.values)) for row in rows]


@pytest.mark.parametrize("suffix", ["", ".txt"])
@pytest.mark.parametrize("kind", ["csv", "tsv", "cp1252", "jsonl", "parquet"])
def test_texts_beside_a_table_of_their_labels_are_written_into_it(tmp_path, kind, suffix):
    (tmp_path / "in" / "texts").mkdir(parents=True)
    names = [f"{number:04}{suffix}" for number in range(len(REVIEWS))]
    for number, (text, _) in enumerate(REVIEWS):
        (tmp_path / "in" / "texts" / f"{number:04}.txt").write_text(text, encoding="utf-8")
    labels = [("schön", "schlecht")[label] for _, label in REVIEWS]
    table = list(zip(names, labels, strict=True))
    path = tmp_path / "in" / f"labels.{'csv' if kind == 'cp1252' else kind}"
    if kind == "jsonl":
        path.write_text(
            "".join(json.dumps({"name": a, "label": b}) + "\n" for a, b in table), encoding="utf-8"
        )
    elif kind == "parquet":
        pyarrow.parquet.write_table(pyarrow.table({"name": names, "label": labels}), path)
    else:
        delimiter = {"csv": ",", "tsv": "\t", "cp1252": ";"}[kind]
        rows = "".join(f"{a}{delimiter}{b}\n" for a, b in [("name", "label"), *table])
        path.write_bytes(rows.encode("cp1252" if kind == "cp1252" else "utf-8"))
    message = refused(tmp_path / "in")
    assert "'name' names the files of the texts. Write them into the table: python" in message
    written = follow(message, tmp_path)
    texts = [text for text, _ in REVIEWS]
    assert [(row[1], row[2]) for row in written] == list(zip(labels, texts, strict=True))


@pytest.mark.parametrize("suffix", ["", ".txt"])
def test_texts_of_one_name_in_two_folders_are_found_by_their_paths(tmp_path, suffix):
    rows = []
    for number, (text, label) in enumerate(REVIEWS):
        path = tmp_path / ("neg", "pos")[label] / f"{number // 2}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        rows.append((f"{path.parent.name}/{path.stem}{suffix}", label))
    table = write_csv(tmp_path / "r.csv", rows, header=("file", "label"))
    texts = [(tmp_path / f"{name.removesuffix('.txt')}.txt").read_text("utf-8") for name, _ in rows]
    assert [row[2] for row in follow(refused(table), tmp_path)] == texts
    stems = [(name.partition("/")[2], label) for name, label in rows]
    table = write_csv(tmp_path / "r.csv", stems, header=("file", "label"))
    assert "names the files" not in refused(table)


def test_of_mails_their_texts_are_to_be_saved_first(tmp_path):
    (tmp_path / "1.eml").write_text("Subject: x\n\ntext")
    write_csv(tmp_path / "r.csv", [("1.eml", 1), ("2.eml", 0)], header=("file", "label"))
    assert "Save the mails' texts as .txt: python -c" in refused(tmp_path / "r.csv")
    assert " Then write them into the table: python -c" in refused(tmp_path / "r.csv")


@pytest.mark.parametrize(
    "names", [("Positive_Review", "Negative_Review"), ("Pros", "Cons"), ("was gut war", "schlecht")]
)
def test_a_column_of_texts_for_each_label_becomes_one_of_texts_and_one_of_labels(tmp_path, names):
    sides = [[text for text, label in REVIEWS if label == side] for side in (1, 0)]
    path = write_csv(tmp_path / "r.csv", list(zip(*sides, strict=True)), header=names)
    found = follow(refused(path), tmp_path)
    assert sorted((text, str(int(label == names[0]))) for label, text in found) == EXPECTED


def test_objects_in_columns_and_json_in_cells_become_columns(tmp_path):
    records = [{"text": text, "label": label} for text, label in REVIEWS]
    pyarrow.parquet.write_table(pyarrow.table({"ticket": records}), tmp_path / "r.parquet")
    assert sorted(follow(refused(tmp_path / "r.parquet"), tmp_path)) == EXPECTED
    rows = [(number, json.dumps(each)) for number, each in enumerate(records)] + [(40, "")]
    path = write_csv(tmp_path / "r.csv", rows, header=("id", "payload"))
    message = refused(path)
    assert "'payload' holds JSON" in message
    assert sorted(follow(message, tmp_path)) == EXPECTED


@pytest.mark.parametrize("opener", [pyarrow.ipc.new_file, pyarrow.ipc.new_stream])
def test_objects_in_columns_of_arrow_become_columns(tmp_path, opener):
    records = [{"text": text, "label": label} for text, label in REVIEWS]
    table = pyarrow.table({"ticket": records})
    with opener(tmp_path / "r.arrow", table.schema) as writer:
        writer.write_table(table)
    assert sorted(follow(refused(tmp_path / "r.arrow"), tmp_path)) == EXPECTED


def test_no_command_writes_to_the_file_that_it_reads(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [(text, text) for text, _ in REVIEWS]
    path = write_csv(Path("reviews.csv"), rows, header=("pros", "cons"))
    before = path.read_bytes()
    follow(refused(path), tmp_path)
    assert path.read_bytes() == before


def test_of_several_files_it_is_said_that_the_command_is_of_one(tmp_path):
    for name in ("part-1.csv", "part-2.csv"):
        write_csv(tmp_path / name, [(t, t) for t, _ in REVIEWS], header=("pros", "cons"))
    assert " For its first file, and so for each: 'pros' and 'cons' may" in refused(tmp_path)


def test_what_is_of_no_such_layout_is_refused_as_before(tmp_path):
    rows = [(text, number) for number, (text, _) in enumerate(REVIEWS)]
    message = refused(write_csv(tmp_path / "r.csv", rows, header=("text", "label")))
    assert message.endswith("Name the label's with data.label_column.")
