"""A first look at a file: which column is what, and what is refused in one line."""

import json
from pathlib import Path

import pytest

from lstm_study.corpus.files.advice import INIT_FLAGS, as_flags
from lstm_study.corpus.sources.survey import Choices, Survey
from lstm_study.corpus.sources.survey import survey as survey_files
from lstm_study.errors import DataError
from tests.support.reviews import made_up_reviews, write_csv

REVIEWS = made_up_reviews(40)


def survey(*paths: Path, **choices: str | tuple[str, ...]) -> Survey:
    with as_flags(INIT_FLAGS):
        return survey_files(paths, choices=Choices(**choices))  # type: ignore[arg-type]


def _jsonl(path: Path, records: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (("text", "label"), ("text", "label")),
        (("Review", "Sentiment"), ("Review", "Sentiment")),
        (("what they said", "x"), ("what they said", "x")),
    ],
)
def test_columns_are_found_by_name_or_by_what_they_hold(
    tmp_path: Path, header: tuple[str, str], expected: tuple[str, str]
) -> None:
    found = survey(write_csv(tmp_path / "r.csv", REVIEWS, header=header))
    assert (found.text_column, found.label_column) == expected
    assert (found.rows, found.encoding, found.split_column) == (40, "", None)


def test_product_reviews_with_other_columns_are_understood(tmp_path: Path) -> None:
    records: list[dict[str, object]] = [
        {"asin": f"B{n}", "overall": 5.0 if label else 1.0, "verified": n % 3 > 0,
         "reviewText": text, "summary": "short"}
        for n, (text, label) in enumerate(REVIEWS)
    ]  # fmt: skip
    found = survey(_jsonl(tmp_path / "r.jsonl", records))
    assert (found.text_column, found.label_column) == ("reviewText", "overall")
    assert found.label_counts == {"1": 20, "5": 20}


def test_the_whole_file_is_looked_at_so_sorted_labels_are_found(tmp_path: Path) -> None:
    rows = sorted(made_up_reviews(5_000), key=lambda review: review[1])
    found = survey(write_csv(tmp_path / "r.csv", rows))
    assert found.label_counts == {"0": 2_500, "1": 2_500}


@pytest.mark.parametrize(("marks", "has_test"), [(("train", "test"), True),
                                                 (("train", "dev"), False)])  # fmt: skip
def test_a_split_column_is_recognised(
    tmp_path: Path, marks: tuple[str, str], has_test: bool
) -> None:
    rows = [(text, label, marks[n % 5 == 0]) for n, (text, label) in enumerate(REVIEWS)]
    path = write_csv(tmp_path / "r.csv", rows, header=("text", "label", "split"))
    found = survey(path)
    assert (found.split_column, found.has_test) == ("split", has_test)


def test_a_split_column_of_any_name_can_be_named(tmp_path: Path) -> None:
    rows = [(text, label, ("train", "test")[n % 5 == 0]) for n, (text, label) in enumerate(REVIEWS)]
    path = write_csv(tmp_path / "r.csv", rows, header=("text", "label", "part"))
    found = survey(path, label_column="label", split_column="part")
    assert (found.split_column, found.has_test) == ("part", True)


def test_columns_that_are_named_are_taken(tmp_path: Path) -> None:
    rows = [(text, text[::-1] + " and more", label) for text, label in REVIEWS]
    path = write_csv(tmp_path / "r.csv", rows, header=("question", "answer", "label"))
    assert survey(path, text_column="answer").text_column == "answer"
    with pytest.raises(DataError, match="must have a column 'anwser'"):
        survey(path, text_column="anwser")


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        (("question", "answer", "label"), [(t, t + " x", n) for t, n in REVIEWS],
         "'answer', 'question' may each hold the reviews. Name the one with --text-column"),
        (("text", "mood", "group"), [(t, n, "ab"[i // 2 % 2]) for i, (t, n) in enumerate(REVIEWS)],
         r"'mood' .*, 'group' .* may each hold the label. Name the one with --label-column"),
        (("text", "label"), [(t, i % 3) for i, (t, _) in enumerate(REVIEWS)],
         r"label must hold two labels. Received 3: '0' \(14 rows\).*--positive 2 and --negative 0"),
        (("text", "stars", "verified"),
         [(t, i % 5, "yn"[i % 2]) for i, (t, _) in enumerate(REVIEWS)],
         "stars must hold two labels. Received 5"),
        (("text", "label"), [(t, "pos") for t, _ in REVIEWS], "Add reviews of another label"),
        (("text", "label"), [(t, "") for t, _ in REVIEWS], "no column holds two labels"),
        (("text", "label"), [(t, i) for i, (t, _) in enumerate(REVIEWS)],
         "no column holds two labels"),
        (("a", "b"), [(i, i % 2) for i in range(9)], "no column looks like reviews"),
        (("text", "label"), [], "must hold reviews. Received: no rows"),
        (("The film was a joy to see", "1"), REVIEWS, "must begin with a line of column names"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_refused_in_one_line_that_says_what_to_do(
    tmp_path: Path, header: tuple[str, ...], rows: list[tuple[object, ...]], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        survey(write_csv(tmp_path / "r.csv", rows, header=header))
    assert "\n" not in str(caught.value)


def test_other_encodings_are_found(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes("text;label\n".encode("latin-1"))
    rows = "".join(f"{text} schön {n};{label}\n" for n, (text, label) in enumerate(REVIEWS))
    path.write_bytes(("text;label\n" + rows).encode("latin-1"))
    assert survey(path).encoding == "cp1252"


def test_a_column_whose_name_ends_as_a_labels_is_found_and_its_three_labels_named(
    tmp_path: Path,
) -> None:
    rows = [
        (t, ("positive", "negative", "neutral")[n % 3], "x") for n, (t, _) in enumerate(REVIEWS)
    ]
    path = write_csv(tmp_path / "r.csv", rows, header=("tweet", "airline_sentiment", "airline"))
    with pytest.raises(
        DataError, match=r"airline_sentiment must hold two labels. Received 3"
    ) as no:
        survey(path)
    assert "--positive positive and --negative negative" in str(no.value)
    found = survey(path, positive=("positive",), negative=("negative",))
    assert (found.text_column, found.label_column) == ("tweet", "airline_sentiment")


def test_a_column_of_groups_is_proposed_where_groups_are_many_and_small(tmp_path: Path) -> None:
    reviews = made_up_reviews(400)
    header = ("text", "label", "asin", "user_id", "title")
    rows = [(t, n, f"B{i // 8}", f"U{i}", f"T{i % 4}") for i, (t, n) in enumerate(reviews)]
    assert survey(write_csv(tmp_path / "r.csv", rows, header=header)).group_column == "asin"
    assert survey(write_csv(tmp_path / "r.csv", rows, header=header), group_column="title")
    rows = [row[:2] + row[3:] for row in rows]
    path = write_csv(tmp_path / "r.csv", rows, header=(*header[:2], *header[3:]))
    assert survey(path).group_column is None


def test_texts_without_spaces_are_recognised(tmp_path: Path) -> None:
    chinese = [("这部电影非常好看演员也出色" * 3, n % 2) for n in range(40)]
    assert survey(write_csv(tmp_path / "zh.csv", chinese)).has_no_spaces
    spaced = [("这 部 电影 非常 好看 演员", n % 2) for n in range(40)]
    assert not survey(write_csv(tmp_path / "spaced.csv", spaced)).has_no_spaces
    assert not survey(write_csv(tmp_path / "en.csv", REVIEWS)).has_no_spaces


def test_the_numbers_that_pandas_gives_columns_are_names(tmp_path: Path) -> None:
    rows = [(n, *row) for n, row in enumerate(REVIEWS)]
    found = survey(write_csv(tmp_path / "r.csv", rows, header=("", "0", "1")))
    assert (found.rows, found.text_column, found.label_column) == (len(REVIEWS), "0", "1")


def test_a_label_column_that_is_named_may_be_called_like_a_label(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "r.csv", REVIEWS, header=("text", "1"))
    with pytest.raises(DataError, match="must begin with a line of column names"):
        survey(path)
    assert survey(path, text_column="text", label_column="1").label_column == "1"


def test_what_was_noticed_is_told(tmp_path: Path) -> None:
    rows = [(n, t, ("Pos", "pos", "neg")[n % 3]) for n, (t, _) in enumerate(REVIEWS)]
    notes = survey(write_csv(tmp_path / "r.csv", rows, header=("", "text", "label"))).notes
    assert notes == (
        "1 column without a name, left out",
        "'Pos' (14), 'pos' (13) are read as one label",
    )


def test_texts_in_no_folder_of_a_label_are_refused(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_text("good")
    with pytest.raises(DataError, match="texts must be in folders that are named by their labels"):
        survey(tmp_path)


def test_a_first_review_in_the_place_of_the_header_is_refused(tmp_path: Path) -> None:
    rows = [(text, "pos" if label else "neg") for text, label in REVIEWS]
    with pytest.raises(DataError, match="Received: 'pos', which 20 rows below have"):
        survey(write_csv(tmp_path / "r.csv", rows, header=("good film", "pos")))


def test_a_header_that_is_repeated_is_a_label_that_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'label' \(1 row\)"):
        survey(write_csv(tmp_path / "r.csv", [*REVIEWS, ("text", "label")]))


def test_a_named_column_of_many_labels_is_counted_in_full(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "r.csv", [(text, n) for n, (text, _) in enumerate(REVIEWS)])
    with pytest.raises(DataError, match="Received 40: "):
        survey(path, label_column="label")
    found = survey(path, label_column="label", positive=("39", "38"), negative=("0", "1"))
    assert len(found.label_counts) == 40


def test_a_split_column_with_an_unknown_name_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    rows = [(*review, ("train", "held out")[n // 2 % 2]) for n, review in enumerate(REVIEWS)]
    found = survey(write_csv(tmp_path / "r.csv", rows, header=("text", "label", "split")))
    assert found.split_column is None
    assert "'split' is not used as the split: it holds 'held out'" in found.notes[0]


def test_a_positive_label_by_the_alphabet_is_said(tmp_path: Path) -> None:
    rows = [(text, ("schlecht", "gut")[int(label)]) for text, label in REVIEWS]
    found = survey(write_csv(tmp_path / "r.csv", rows))
    assert "'schlecht' is taken as the positive label by its place" in found.notes[0]
    assert found.notes[0].endswith("with --positive gut")


def test_one_column_is_refused_with_the_delimiters_that_there_are(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("text^label\na fine film indeed^1\n")
    with pytest.raises(DataError, match=r"one column, 'text\^label'. Between columns must stand"):
        survey(tmp_path / "r.csv")
