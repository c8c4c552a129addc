"""What names say of splits, labels and columns."""

import pytest

from lstm_study.corpus.files.names import (
    BESIDE_ROLES,
    abbreviated_roles,
    columns_of_tables,
    labels_of_texts,
    mixed_splits,
    role_of,
    split_level,
    undecided_roles,
    words_of_roles,
)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("training.1600000.processed.noemoticon.csv", "train"),
        ("testdata.manual.2009.06.14.csv", "test"),
        ("traindata.csv", "train"),
        ("imdb_TestSet.csv", "test"),
        ("valset.csv", "validation"),
        ("testimony.csv", ""),
        ("trainers.csv", ""),
        ("train_testdata.csv", ""),
    ],
)
def test_a_split_may_be_written_as_one_word_with_data(name, role):
    assert role_of(name) == role


def test_a_folder_is_a_split_only_if_its_name_says_nothing_else():
    assert role_of("trainset", beside=BESIDE_ROLES) == "train"
    assert role_of("train station", beside=BESIDE_ROLES) == ""


@pytest.mark.parametrize(
    ("folders", "level"),
    [
        (["imdb_train", "imdb_test"], 0),
        (["train_imdb", "TestIMDB"], 0),
        (["imdb_train_set", "imdb_dev", "imdb_testdata"], 0),
        (["a/sst_train/pos", "b/sst_test/pos"], 1),
        (["imdb_train", "imdb_test", ""], 0),
        (["imdb_train", "yelp_test"], None),
        (["imdb_train", "imdb_test", "imdb_unsup"], None),
        (["pos_train", "neg_train", "pos_test", "neg_test"], None),
        (["imdb_train", "imdb_training"], None),
        (["imdb_dev", "imdb_test"], None),
        ([""], None),
    ],
)
def test_folders_that_differ_in_the_split_alone_are_the_split(folders, level):
    assert split_level([f"{folder}/1.txt".lstrip("/") for folder in folders]) == level


def test_folders_that_say_splits_and_more_are_found():
    assert mixed_splits(["b_train/1", "a_test/pos/1", "c/1"]) == ["a_test", "b_train"]
    assert mixed_splits(["b_train/1", "a_train/1", "c/1"]) == []


def test_tr_and_te_are_splits_only_where_every_file_is_one_of_both():
    assert abbreviated_roles(["x/imdb_tr.csv", "x/imdb_te.csv"]) == ["train", "test"]
    assert abbreviated_roles(["imdb_tr.csv", "imdb_te.csv", "imdb_de.csv"]) == []
    assert abbreviated_roles(["imdb_tr.csv", "imdb_trn.csv"]) == []


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        # A year or a product below the label, or above it.
        (
            ["pos_reviews/2019/1", "neg_reviews/2019/1", "pos_reviews/2020/1"],
            ["pos_reviews", "neg_reviews", "pos_reviews"],
        ),
        (["books/Positive/1", "dvd/Negative/1"], ["Positive", "Negative"]),
        (["neutral/2019/1", "pos/2019/1", "neg/2020/1"], ["neutral", "pos", "neg"]),
        # The one level at which names differ.
        (["all/fresh/1", "all/rotten/1"], ["fresh", "rotten"]),
        (["fresh/old/1", "rotten/1"], ["fresh", "rotten"]),
        (["train/fresh/1", "test/rotten/1"], ["fresh", "rotten"]),
        # Names that say it for all texts do not tell them apart.
        (["good films/fresh/1", "good films/rotten/1"], ["fresh", "rotten"]),
        (["positive/1", "1"], ["positive", ""]),
        (["1", "2"], ["", ""]),
    ],
)
def test_texts_have_the_folder_as_their_label_that_says_one(names, labels):
    assert labels_of_texts(names) == [(label, ()) for label in labels]


@pytest.mark.parametrize(
    "names",
    [
        ["fresh/2019/1", "rotten/2020/1"],
        ["good films/neg/1", "bad films/pos/1"],
        ["not good/a/1", "good/b/1"],
    ],
)
def test_folders_of_two_levels_that_may_be_the_label_are_columns(names):
    assert labels_of_texts(names) == [
        ("", (("folder1", first), ("folder2", second)))
        for first, second in (name.split("/")[:2] for name in names)
    ]


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        (
            ["label=pos/year=2019/a.csv", "label=so%20so/a.csv", "a.csv"],
            [(("label", "pos"), ("year", "2019")), (("label", "so so"),), ()],
        ),
        (["split=train/a.csv", "split=test/a.csv"], [(), ()]),
        (
            ["positive.csv", "negative_1.csv"],
            [(("filename", "positive"),), (("filename", "negative"),)],
        ),
        (["pos/a.csv", "neg/a.csv"], [(("filename", "positive"),), (("filename", "negative"),)]),
        (["positive.csv", "negative.csv", "more.csv"], [(), (), ()]),
        (["positive.csv", "positive2.csv"], [(), ()]),
        (["pos_and_neg.csv"], [()]),
    ],
)
def test_names_of_tables_say_columns(names, columns):
    assert columns_of_tables(names) == columns


@pytest.mark.parametrize(
    ("names", "undecided"),
    [
        (("train.csv", "dev.csv", "eval.csv"), ["dev", "eval"]),
        (("train.csv", "dev.csv", "test.csv", "eval.csv"), []),
        (("train.csv", "eval.csv"), []),
        (("train.csv", "val.csv", "dev.csv"), []),
    ],
)
def test_of_dev_and_eval_without_test_one_may_be_the_test_half(names, undecided):
    assert undecided_roles(word for name in names for word in words_of_roles(name)) == undecided
