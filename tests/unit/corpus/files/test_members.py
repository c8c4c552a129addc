"""What the names of files and folders say."""

from pathlib import Path

import pytest

from lstm_study.corpus.files.members import find_members


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
    assert placed(tmp_path, "train/pos/1.txt", "neg/test/2.txt", "3.txt", "pos/.hidden.txt") == [
        ("3.txt", ".txt", "", ""),
        ("2.txt", ".txt", "test", "neg"),
        ("1.txt", ".txt", "train", "pos"),
    ]


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
