"""Which of the files that paths name are read, what is said of the others, and what is refused."""

import zipfile
from pathlib import Path

import pytest

from lstm_study.corpus.files.advice import INIT_FLAGS, PREDICT_FLAGS, as_flags
from lstm_study.corpus.files.layout import find_files
from lstm_study.corpus.files.rows import MISSING
from lstm_study.corpus.files.table import open_table
from lstm_study.errors import DataError


def placed(root: Path, *names: str, content: str = "text,label\na,0\n") -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def zipped(path: Path, **contents: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name.replace("__", "/") + ".csv", content)
    return path


def names(path: Path) -> list[str]:
    return [member.name for member in find_files([path]).members]


def test_what_is_not_read_is_said(tmp_path):
    placed(tmp_path, "2021.csv", "2022.xlsx", "2023.tar.gz", "a/1.png", "b/2.PNG", ".hidden.xlsx")
    placed(tmp_path, "notes.txt", "dataset_infos.json")
    assert find_files([tmp_path]).notes == (
        "6 files are not read: 2 .png, 2022.xlsx, 2023.tar.gz, dataset_infos.json and 1 more",
    )
    assert list(open_table([tmp_path]).remarks) == list(find_files([tmp_path]).notes)


def test_archives_in_archives_are_not_read_and_said(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("a/2020.csv", "text,label\n")
        archive.writestr("a/2021.zip", b"")
    assert find_files([tmp_path / "all.zip"]).notes == ("1 file is not read: a/2021.zip",)


def test_tables_beside_texts_in_folders_of_labels_are_refused_with_patterns_that_work(tmp_path):
    placed(tmp_path, "pos/1.txt", "neg/1.txt", "pos/2.txt", "metadata.csv")
    with pytest.raises(DataError, match=r"Received: 3 \.txt, metadata\.csv\. Give ") as caught:
        find_files([tmp_path])
    texts, tables = str(caught.value).split("'")[1::2]
    assert names(Path(texts)) == ["neg/1.txt", "pos/1.txt", "pos/2.txt"]
    assert names(Path(tables)) == ["metadata.csv"]


def test_notes_in_folders_beside_tables_are_no_texts_in_folders_of_labels(tmp_path):
    placed(tmp_path, "r.csv", "README.txt", "docs/license.txt")
    assert names(tmp_path) == ["r.csv"]
    assert find_files([tmp_path]).notes == ("2 files are not read: 2 .txt",)


def test_texts_beside_folders_of_labels_are_not_read_and_said(tmp_path):
    placed(tmp_path, "pos/1.txt", "neg/1.txt", "README.txt")
    assert names(tmp_path) == ["neg/1.txt", "pos/1.txt"]
    assert find_files([tmp_path]).notes == ("1 file is not read: README.txt",)
    unlabelled = find_files([tmp_path], labelled=False)
    assert (len(unlabelled.members), unlabelled.notes) == (3, ())
    assert [row.values[0] for row in open_table([tmp_path], labelled=False).rows(("file",))] == [
        str(tmp_path / name) for name in ("README.txt", "neg/1.txt", "pos/1.txt")
    ]
    placed(tmp_path, "more/fresh/old/1.txt", "more/rotten/new/1.txt", "more/LICENSE.txt")
    assert "LICENSE.txt" not in names(tmp_path / "more")


def test_texts_in_no_folder_are_read(tmp_path):
    placed(tmp_path, "1.txt", "2.txt")
    assert names(tmp_path) == ["1.txt", "2.txt"]
    assert find_files([tmp_path]).notes == ()


@pytest.mark.parametrize("labels", [("pos", "neg"), ("fresh", "rotten")])
def test_folders_that_differ_in_the_split_alone_are_the_split_of_texts(tmp_path, labels):
    for split in ("imdb_train", "imdb_test"):
        placed(tmp_path, *(f"{split}/{label}/1.txt" for label in labels))
    placed(tmp_path, "README.txt")
    for paths in ([tmp_path], [tmp_path / "imdb_train", tmp_path / "imdb_test"]):
        found = find_files(paths)
        assert {(each.name.split("/")[0], each.role) for each in found.members} == {
            ("imdb_train", "train"), ("imdb_test", "test"),
        }  # fmt: skip
        assert {each.label for each in found.members} == set(labels)
        assert found.split_notes == ()


def test_folders_that_differ_in_the_split_alone_are_the_split_of_tables(tmp_path):
    placed(tmp_path, "imdb_train/label=a/r.csv", "imdb_test/label=b/r.csv", "more.csv")
    found = find_files([tmp_path])
    assert [(each.role, each.columns) for each in found.members] == [
        ("test", (("label", "b"),)), ("train", (("label", "a"),)), ("", ()),
    ]  # fmt: skip
    note = "1 file is read as training reviews, without the name of a split: more.csv"
    assert found.split_notes == (note,)


def test_folders_that_say_splits_and_more_are_no_split_and_said(tmp_path):
    placed(tmp_path, "imdb_train/pos/1.txt", "imdb_train/neg/1.txt", "yelp_test/pos/1.txt")
    found = find_files([tmp_path])
    assert {each.role for each in found.members} == {""}
    (note,) = found.split_notes
    assert note.startswith("all files are read as training reviews, although names of folders")
    assert "imdb_train, yelp_test; give the test files as data.test_path" in note


@pytest.mark.parametrize("names", ["{}.csv", "{}/pos/1.txt"])
def test_dev_and_eval_beside_train_are_validation_and_said(tmp_path, names):
    placed(tmp_path, *(names.format(split) for split in ("train", "dev", "eval")))
    found = find_files([tmp_path])
    assert sorted(each.role for each in found.members) == ["train", "validation", "validation"]
    (note,) = found.split_notes
    assert note.startswith("names that say dev and eval are all read as validation reviews; if one")


def test_folders_with_nothing_to_read_are_refused_with_advice_that_fits(tmp_path):
    placed(tmp_path, "README.md", "r.xlsx")
    with pytest.raises(
        DataError, match=r"but README\.md, r\.xlsx\. Save its sheet as CSV \(in Excel"
    ):
        find_files([tmp_path])


def test_names_that_say_no_split_beside_others_are_said(tmp_path):
    placed(tmp_path, "train.csv", "test.csv", "more.csv")
    found = find_files([tmp_path])
    assert [member.role for member in found.members] == ["", "test", "train"]
    note = "1 file is read as training reviews, without the name of a split: more.csv"
    assert found.split_notes == (note,)
    (tmp_path / "train.csv").unlink()
    found = find_files([tmp_path])
    assert [member.role for member in found.members] == ["", ""]
    assert found.split_notes[0].startswith(
        "1 file is read as training reviews, since no name says train: test.csv; to"
    )
    assert list(open_table([tmp_path]).remarks) == list(found.split_notes)
    with as_flags(PREDICT_FLAGS):
        assert list(open_table([tmp_path]).remarks) == []
    (tmp_path / "more.csv").unlink()
    assert find_files([tmp_path]).split_notes == ()


def test_abbreviated_splits_are_read(tmp_path):
    placed(tmp_path, "imdb_tr.csv", "imdb_te.csv")
    assert [member.role for member in find_files([tmp_path]).members] == ["test", "train"]


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("a/r1.csv", ["a/r1.csv"]),
        ("a", ["a/r1.csv", "a/r2.csv"]),
        ("*2.csv", ["a/r2.csv", "b/r2.csv"]),
        ("b/*", ["b/r2.csv"]),
    ],
)
def test_what_follows_the_name_of_an_archive_is_in_it(tmp_path, inside, expected):
    path = zipped(tmp_path / "all.zip", a__r1="", a__r2="", b__r2="")
    assert names(path / inside) == expected
    both = find_files([path / "a/r1.csv", path / inside]).members
    assert {member.name for member in both} == {"a/r1.csv", *expected}


def test_what_is_not_in_an_archive_is_refused(tmp_path):
    path = zipped(tmp_path / "all.zip", r="")
    with pytest.raises(DataError, match=r"all\.zip: must hold 's\.csv'\. Received: r\.csv\."):
        find_files([path / "s.csv"])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("s.xlsx", b"")
    with pytest.raises(DataError, match=r"all\.zip \(s\.xlsx\): .* Received: '\.xlsx'\. Save it"):
        find_files([path / "s.xlsx"])


def test_descriptions_of_data_sets_are_no_tables_unless_they_are_named(tmp_path):
    placed(tmp_path, "data/train.parquet", "dataset_infos.json")
    assert names(tmp_path) == ["data/train.parquet"]
    assert names(tmp_path / "dataset_infos.json") == ["dataset_infos.json"]


@pytest.mark.parametrize(
    ("files", "pattern"),
    [
        (["data/a.parquet", "data/b.parquet", "x.json"], "data/*.parquet"),
        (["a/1.csv.gz", "b/2.csv.gz", "x.json"], "**/*.csv.gz"),
        (["a.csv", "b.csv.xz", "x.json"], "*.csv*"),
    ],
)
def test_of_tables_of_several_kinds_most_fit_the_pattern(tmp_path, files, pattern):
    placed(tmp_path, *files)
    with pytest.raises(DataError, match="must hold tables of one kind") as caught:
        find_files([tmp_path])
    assert str(caught.value).split("'")[1] == f"{tmp_path}/{pattern}"
    assert len(find_files([tmp_path / pattern]).members) == 2


def test_the_pattern_fits_relative_and_absolute_paths_without_a_folder_in_common(
    tmp_path, monkeypatch
):
    placed(tmp_path, "a/1.csv", "b/2.csv", "b/3.json")
    monkeypatch.chdir(tmp_path)
    for paths in ([Path("a"), Path("b")], [Path("a"), tmp_path / "b"]):
        with pytest.raises(DataError, match="must hold tables of one kind") as caught:
            find_files(paths)
        assert names(Path(str(caught.value).split("'")[1])) == ["a/1.csv", "b/2.csv"]


def test_of_an_archive_with_tables_of_several_kinds_the_pattern_is_inside(tmp_path):
    path = zipped(tmp_path / "all.zip", data__r="")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("data/meta.json", "{}")
    with pytest.raises(DataError, match="must hold tables of one kind") as caught:
        find_files([path])
    assert names(Path(str(caught.value).split("'")[1])) == ["data/r.csv"]


def test_tables_that_share_no_columns_are_refused_with_the_command_for_one(tmp_path):
    path = zipped(tmp_path / "all.zip", items="item,price\n", r="id,review_text,stars\n")
    with as_flags(INIT_FLAGS), pytest.raises(DataError) as caught:
        open_table([path])
    assert str(caught.value) == (
        f"{path}: must hold tables of the same columns. Received: 'id', 'review_text', 'stars' "
        f"(r.csv); 'item', 'price' (items.csv). Give those that hold the reviews, such as "
        f"lstm-study init {path}/r.csv; or give all the same columns."
    )


def test_tables_without_the_label_are_refused_with_the_command_for_the_others(tmp_path):
    placed(tmp_path, "test.csv", content="id,text\n1,a\n")
    placed(tmp_path, "sample_submission.csv", content="id,label\n1,0\n")
    placed(tmp_path, "train.csv", content="id,text,label\n1,a,0\n")
    table = open_table([tmp_path])
    assert table.names == ("id", "text", "label")
    with as_flags(INIT_FLAGS), pytest.raises(DataError) as caught:
        table.check_columns(("text", "label"))
    assert str(caught.value) == (
        f"{tmp_path}/sample_submission.csv: must have a column 'text', as {tmp_path}/test.csv has. "
        f"Received: 'id', 'label'. Leave such files out: lstm-study init {tmp_path}/train.csv."
    )
    with pytest.raises(DataError, match=r"Leave such files out: \[\".*train\.csv\"\]\.$"):
        list(table.rows(("text", "label")))
    (tmp_path / "train.csv").unlink()
    with pytest.raises(DataError, match="Write one table that has all columns"):
        open_table([tmp_path]).check_columns(("text", "label"))


def test_the_columns_are_those_of_the_widest_file_and_others_may_spell_them_differently(tmp_path):
    placed(tmp_path, "a.csv", content="TEXT,Label\na,0\n")
    placed(tmp_path, "b.csv", content="id,text,label\n7,b,1\n")
    table = open_table([tmp_path])
    assert table.names == ("id", "text", "label")
    assert [list(row.values) for row in table.rows()] == [[MISSING, "a", "0"], ["7", "b", "1"]]
    assert [list(row.values) for row in table.rows(("text",))] == [["a"], ["b"]]


def test_columns_that_names_say_are_columns_of_the_table(tmp_path):
    placed(tmp_path, "label=pos/a.csv", "label=neg/b.csv", content="text,more\na,1\n")
    table = open_table([tmp_path])
    assert table.names == ("text", "more", "label")
    assert [row.values for row in table.rows(("label", "text"))] == [["neg", "a"], ["pos", "a"]]
    assert [row.values for row in table.rows()] == [["a", "1", "neg"], ["a", "1", "pos"]]
    placed(tmp_path, "label=pos/a.csv", "label=neg/b.csv")
    assert [row.values for row in open_table([tmp_path]).rows()] == [["a", "0"], ["a", "0"]]
