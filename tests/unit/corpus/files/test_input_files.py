"""What the names of files and folders say."""

import bz2
import gzip
import os
import re
import zipfile
from pathlib import Path

import pytest

from lstm_study.corpus.files.layout import find_members
from lstm_study.errors import DataError


def placed(root: Path, *names: str) -> list[tuple[str, str, str, str]]:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text,label\n")
    return [(m.path.name, m.kind, m.role, m.label) for m in find_members([root])]


def test_splits_are_read_from_names_and_folders_and_labels_from_folders(tmp_path):
    assert placed(
        tmp_path, "train-00000-of-00002.csv", "Test.csv", "validation/a.csv", "training.csv",
        "trainer.csv", "dev_1.csv",
    ) == [
        ("Test.csv", ".csv", "test", ""),
        ("dev_1.csv", ".csv", "validation", ""),
        ("train-00000-of-00002.csv", ".csv", "train", ""),
        ("trainer.csv", ".csv", "", ""),
        ("training.csv", ".csv", "train", ""),
        ("a.csv", ".csv", "validation", ""),
    ]  # fmt: skip


def test_texts_have_the_innermost_folder_that_is_no_split_as_their_label(tmp_path):
    assert placed(tmp_path, "train/pos/1.txt", "neg/test/2.txt", "pos/.hidden.txt") == [
        ("2.txt", ".txt", "test", "neg"),
        ("1.txt", ".txt", "train", "pos"),
    ]


def test_a_folder_that_is_plainly_a_label_goes_before_one_inside_of_it(tmp_path):
    found = placed(tmp_path, "pos/books/1.txt", "neg/dvd/2.txt", "music/neg/3.txt")
    assert sorted(each[3] for each in found) == ["neg", "neg", "pos"]


@pytest.mark.parametrize("name", ["r.csv.gz", "R.CSV.GZ", "r.tsv.xz", "r.json.bz2"])
def test_a_compressed_file_has_the_kind_of_what_is_in_it(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    (member,) = find_members([tmp_path / name])
    stem, _, packed = name.lower().rpartition(".")
    assert (member.kind, member.compression) == (f".{stem.partition('.')[2]}", f".{packed}")


def test_a_folder_of_tables_may_hold_notes_beside_them(tmp_path):
    assert placed(tmp_path, "README.md", "notes.txt", "r.csv", "r.csv.md5") == [
        ("r.csv", ".csv", "", ""),
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("imdb_train.csv", "imdb_test.csv"),
        ("yelp.train.csv", "yelp.test.csv"),
        ("TrainReviews.csv", "TestReviews.csv"),
        ("train_data/r.csv", "test_data/r.csv"),
        ("split=train/part-0.csv", "split=test/part-0.csv"),
    ],
)
def test_a_split_is_a_word_of_a_name(tmp_path, names):
    assert sorted(each[2] for each in placed(tmp_path, *names)) == ["test", "train"]


def test_a_word_that_only_begins_like_a_split_or_two_splits_say_nothing(tmp_path):
    names = "train.csv", "testimony.csv", "train_test.csv", "_train.csv"
    assert [each[2] for each in placed(tmp_path, *names)] == ["", "train", ""]


def test_of_several_paths_the_folders_below_the_shared_one_count(tmp_path, monkeypatch):
    placed(tmp_path, "train/pos/1.txt", "train/neg/1.txt", "test/pos/1.txt", "test/neg/1.txt")
    monkeypatch.chdir(tmp_path)
    for paths in (["train", "test"], ["*/*/*.txt"], ["**/*.txt"], ["t*/neg/*", tmp_path / "*/pos"]):
        found = find_members([Path(path) for path in paths])
        assert sorted((m.role, m.label) for m in found) == [
            ("test", "neg"), ("test", "pos"), ("train", "neg"), ("train", "pos"),
        ]  # fmt: skip
    placed(tmp_path / "x", "train/r.csv", "test/r.csv")
    found = find_members([Path("x/train/r.csv"), Path("x/test/r.csv")])
    assert [m.role for m in found] == ["train", "test"]


def test_a_file_is_read_once_however_often_it_is_named(tmp_path):
    placed(tmp_path, "train.csv", "test.csv")
    (tmp_path / "latest.csv").symlink_to(tmp_path / "train.csv")
    found = find_members([tmp_path, tmp_path / "train.csv", tmp_path / "*.csv"])
    assert sorted(m.role for m in found) == ["test", "train"]


def test_a_file_beside_its_compressed_copy_is_refused(tmp_path):
    placed(tmp_path, "r.csv")
    (tmp_path / "r.csv.gz").write_bytes(b"")
    with pytest.raises(DataError, match=r"r\.csv\.gz: seems to be a copy of .*r\.csv, so"):
        find_members([tmp_path])
    (tmp_path / "r.csv.gz").unlink()
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("r.csv", "")
    with pytest.raises(DataError, match=r"all\.zip \(r\.csv\): seems to be a copy"):
        find_members([tmp_path])


def test_archives_may_hold_files_of_equal_names_but_one_archive_may_not(tmp_path):
    for year in (2023, 2024):
        with zipfile.ZipFile(tmp_path / f"{year}.zip", "w") as archive:
            archive.writestr("pos\\1.txt", "")
    assert [m.label for m in find_members([tmp_path])] == ["pos", "pos"]
    with pytest.warns(UserWarning), zipfile.ZipFile(tmp_path / "2025.zip", "w") as archive:
        archive.writestr("r.csv", "")
        archive.writestr("r.csv", "")
    with pytest.raises(DataError, match="two files of one name"):
        find_members([tmp_path])


def test_links_to_folders_are_followed_and_one_to_no_file_is_refused(tmp_path):
    placed(tmp_path / "far", "1.txt")
    placed(tmp_path / "near", "neg/1.txt")
    (tmp_path / "near/pos").symlink_to(tmp_path / "far")
    (tmp_path / "near/neg/loop").symlink_to(tmp_path / "near")
    assert [m.label for m in find_members([tmp_path / "near"])] == ["neg", "pos"]
    (tmp_path / "near/pos/2.txt").symlink_to(tmp_path / "nowhere")
    with pytest.raises(DataError, match="is a link to no file"):
        find_members([tmp_path / "near"])


def test_a_name_that_is_not_utf_8_is_refused(tmp_path):
    (tmp_path / "caf\udce9.csv").write_text("text,label\n")
    with pytest.raises(DataError, match="its name must be UTF-8"):
        find_members([tmp_path])


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
@pytest.mark.parametrize("path", ["", "neg", "neg/1.txt", "*/*.txt", "**/*.txt"])
def test_what_may_not_be_read_is_refused_and_not_passed_over(tmp_path, path):
    placed(tmp_path, "pos/1.txt", "neg/1.txt")
    (tmp_path / "neg").chmod(0)
    try:
        with pytest.raises(DataError, match=r"neg.*: cannot be read \("):
            find_members([tmp_path / path])
    finally:
        (tmp_path / "neg").chmod(0o755)


@pytest.mark.parametrize("address", ["https://example.com/r.csv", "s3://bucket/r.csv"])
def test_an_address_is_no_file(address):
    with pytest.raises(DataError, match=f"{address}: must be a file.*Received: a URL"):
        find_members([Path(address)])


@pytest.mark.parametrize("name", ["train.txt", "train.ft.txt.bz2", "train.data.gz"])
def test_lines_of_fasttext_are_refused_with_the_way_to_columns(tmp_path, name):
    opener = {".bz2": bz2.open, ".gz": gzip.open}.get(Path(name).suffix, open)
    with opener(tmp_path / name, "wb") as file:
        file.write(b"__label__2 A fine film.\n__label__1 A bore.\n")
    with pytest.raises(DataError, match="Received: fastText's lines") as caught:
        find_members([tmp_path / name])
    pattern, by = re.findall(r"s/(.*)/(.*)/'", str(caught.value))[0]
    assert re.sub(pattern, by, "__label__2 A fine film.") == "2\tA fine film."


def test_a_packed_file_that_is_damaged_is_refused_by_its_name_as_a_whole_one_is(tmp_path):
    packed = bytearray(gzip.compress(b"A fine film. " * 99))
    packed[10:40] = b"\xff" * 30
    (tmp_path / "r.txt.gz").write_bytes(packed)
    with pytest.raises(DataError, match=r"its name must end in .*Received: '\.txt\.gz'"):
        find_members([tmp_path / "r.txt.gz"])
