"""Folders whose names say labels, from the first look to the reading."""

from pathlib import Path

import pytest

from lstm_study.corpus.files.advice import INIT_FLAGS, as_flags
from lstm_study.corpus.sources.own_files import locate, read_documents
from lstm_study.corpus.sources.survey import UserChoices, survey
from lstm_study.errors import DataError
from lstm_study.spec import DataTable


def texts(root: Path, *levels: tuple[str, ...]) -> Path:
    """Writes a text into each combination of folders."""
    paths = [root]
    for names in levels:
        paths = [path / name for path in paths for name in names]
    for path in paths:
        path.mkdir(parents=True)
        for number in range(4):
            (path / f"{number}.txt").write_text(f"it was in {path.name} {number} as I said")
    return root


def read(path: Path, label_column: str) -> dict[str, int]:
    data = DataTable(source="csv", path=str(path), label_column=label_column)
    documents = read_documents(locate(data, cache=path), data=data)
    names = documents.label_names
    return {name: int((documents.labels == side).sum()) for side, name in enumerate(names)}


def test_folders_by_label_and_year_have_the_label(tmp_path):
    texts(tmp_path, ("pos_reviews", "neg_reviews"), ("2019", "2020"))
    found = survey([tmp_path])
    assert (found.label_column, found.label_counts) == (
        "label", {"neg_reviews": 8, "pos_reviews": 8},
    )  # fmt: skip


def test_folders_of_two_levels_that_may_be_the_label_are_refused_with_an_option(tmp_path):
    texts(tmp_path, ("fresh", "rotten"), ("2018", "2019", "2020", "2021", "2022"))
    with as_flags(INIT_FLAGS), pytest.raises(DataError) as caught:
        survey([tmp_path])
    assert str(caught.value) == (
        f"{tmp_path}: folders of one level must be the label. Received: folders of 2 levels, "
        "folder1 (fresh, rotten); folder2 (2018, 2019, 2020, 2021 and 1 more). Name the one with "
        "--label-column folder1, or whichever it is."
    )
    found = survey([tmp_path], choices=UserChoices(label_column="folder1"))
    assert found.label_counts == {"fresh": 20, "rotten": 20}
    assert read(tmp_path, "folder1") == {"rotten": 20, "fresh": 20}


def test_what_folders_say_is_part_of_the_digest(tmp_path):
    texts(tmp_path, ("fresh", "rotten"), ("old", "new"))
    data = DataTable(source="csv", path=str(tmp_path), label_column="folder1")
    before = locate(data, cache=tmp_path).content_sha256
    (tmp_path / "rotten/new").rename(tmp_path / "rotten/newer")
    assert locate(data, cache=tmp_path).content_sha256 != before


def test_names_of_test_files_say_no_split(tmp_path, caplog):
    for folder in ("train", "half"):
        (tmp_path / folder).mkdir()
        for name in ("test.csv", "b.csv", "notes.md"):
            (tmp_path / folder / name).write_text(
                f"text,label\n{folder} {name} as said,{name[0]}\n"
            )
    paths = {"path": str(tmp_path / "train"), "test_path": str(tmp_path / "half")}
    data = DataTable(source="csv", **paths)
    read_documents(locate(data, cache=tmp_path), data=data)
    said = [record.getMessage() for record in caplog.records]
    found = (
        "1 file is read as training reviews, since no name says train: test.csv; to keep them "
        "separate, put train into the names of the training files, or set data.test_path."
    )
    assert [each.partition(": ")[::2] for each in said] == [
        (paths["path"], "1 file is not read: notes.md."),
        (paths["path"], found),
        (paths["test_path"], "1 file is not read: notes.md."),
    ]  # fmt: skip


def test_tables_named_by_their_label_are_read(tmp_path):
    for name in ("positive", "negative"):
        rows = "".join(f"it was as I said {number}\n" for number in range(5))
        (tmp_path / f"{name}.csv").write_text(f"text\n{rows}")
    found = survey([tmp_path])
    assert (found.text_column, found.label_column) == ("text", "filename")
    assert read(tmp_path, "filename") == {"negative": 5, "positive": 5}


def test_names_of_files_are_no_texts_that_are_not_used(tmp_path):
    path = tmp_path / "reviews of many films"
    found = survey([texts(path, ("pos", "neg"), ("2019", "2020"))])
    assert found.notes == ()


def test_the_path_of_a_few_texts_is_no_label(tmp_path):
    for folder in ("pos", "neg"):
        (tmp_path / folder).mkdir()
        for number in range(3):
            (tmp_path / folder / f"{number}.txt").write_text(f"A film, number {number}, {folder}.")
    found = survey([tmp_path])
    assert (found.text_column, found.label_column) == ("text", "label")
    assert found.label_counts == {"neg": 3, "pos": 3}
