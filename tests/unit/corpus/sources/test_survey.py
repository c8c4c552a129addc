"""A first look at a file: which column is what, and what is refused in one line."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from lstm_study.corpus.documents import TEST, TRAIN
from lstm_study.corpus.files.advice import INIT_FLAGS, as_flags
from lstm_study.corpus.sources.own_files import locate, read_documents
from lstm_study.corpus.sources.survey import Survey, UserChoices
from lstm_study.corpus.sources.survey import survey as survey_files
from lstm_study.errors import DataError
from lstm_study.spec import DataTable
from tests.support.reviews import made_up_reviews, write_csv

REVIEWS = made_up_reviews(40)


def survey(*paths: Path, **choices: str | tuple[str, ...]) -> Survey:
    with as_flags(INIT_FLAGS):
        return survey_files(paths, choices=UserChoices(**choices))  # type: ignore[arg-type]


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


def test_texts_that_were_once_read_in_the_wrong_encoding_are_said(tmp_path: Path) -> None:
    rows = [(f"{text} un cafÃ© noir", label) for text, label in REVIEWS]
    notes = survey(write_csv(tmp_path / "r.csv", rows)).notes
    assert any("such as cafÃ© for café: text.encode('cp1252')" in note for note in notes)


def test_of_columns_of_one_name_another_is_taken(tmp_path: Path) -> None:
    # As Jira writes a list: a column for each of its values.
    rows = [
        (text, "xy"[n // 2 % 2], ("bad", "good")[label], "x")
        for n, (text, label) in enumerate(REVIEWS)
    ]
    path = write_csv(tmp_path / "r.csv", rows, header=("Text", "Labels", "Mood", "Labels"))
    found = survey(path)
    assert (found.text_column, found.label_column) == ("Text", "Mood")
    twice = [(text, label, label) for text, label in REVIEWS]
    path = write_csv(tmp_path / "twice.csv", twice, header=("text", "label", "label"))
    assert survey(path).label_column == "label"


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


@pytest.mark.parametrize("name", ["customer_id", "Customer", "account_id", "Kunde"])
def test_customers_are_groups(tmp_path: Path, name: str) -> None:
    rows = [(t, n, f"C{i // 8}") for i, (t, n) in enumerate(made_up_reviews(400))]
    path = write_csv(tmp_path / "r.csv", rows, header=("text", "label", name))
    assert survey(path).group_column == name


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
    with pytest.raises(DataError, match="their order with --columns label,column2,text; or"):
        survey(
            write_csv(
                tmp_path / "r.csv",
                [(label, n, text) for n, (text, label) in enumerate(rows)],
                header=("pos", "id", "good film"),
            )
        )


def test_columns_that_a_user_names_are_found_as_those_of_a_header(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "r.csv", REVIEWS[1:], header=REVIEWS[0])
    found = survey(path, columns=("text", "label"))
    assert (found.text_column, found.label_column, found.rows) == ("text", "label", 40)
    data = DataTable(source="csv", path=str(path), columns=["text", "label"])
    documents = read_documents(locate(data, cache=tmp_path), data=data)
    assert documents.document_ids.tolist() == list(range(1, 41))


def test_a_header_below_names_that_a_user_gives_is_no_third_label(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "r.csv", REVIEWS, header=("review", "sentiment"))
    with pytest.raises(DataError, match=r"the label 'sentiment', .* leave out --columns; if not"):
        survey(path, columns=("text", "label"))
    found = survey(path, columns=("text", "label"), positive=("1",), negative=("0",))
    assert found.rows == len(REVIEWS) + 1


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


def test_names_of_splits_that_are_read_as_another_are_said(tmp_path: Path) -> None:
    rows = [(*review, ("train", "dev", "test")[n % 3]) for n, review in enumerate(REVIEWS)]
    found = survey(write_csv(tmp_path / "r.csv", rows, header=("text", "label", "split")))
    said = "'split' marks the splits: 'train' as train, 'dev' as validation, 'test' as test"
    assert said in found.notes
    plain = [(*row[:2], row[2].replace("dev", "validation")) for row in rows]
    found = survey(write_csv(tmp_path / "r.csv", plain, header=("text", "label", "split")))
    assert not any("marks the splits" in note for note in found.notes)


def test_a_positive_label_by_the_alphabet_is_said(tmp_path: Path) -> None:
    rows = [(text, ("sports", "politics")[int(label)]) for text, label in REVIEWS]
    found = survey(write_csv(tmp_path / "r.csv", rows))
    assert "'sports' is taken as the positive label by alphabetical order" in found.notes[0]
    assert found.notes[0].endswith("with --positive politics")


def test_one_column_is_refused_with_the_delimiters_that_there_are(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("text^label\na fine film indeed^1\n")
    with pytest.raises(DataError, match=r"one column, 'text\^label'. Separate columns by"):
        survey(tmp_path / "r.csv")


def _by(number: int, values: Sequence[object]) -> object:
    """A value that says nothing of the label, which is every other row's."""
    return values[number // 2 % len(values)]


def _columns(
    tmp_path: Path, **columns: Callable[[int, str, str], object] | Sequence[object]
) -> Survey:
    """Looks at a CSV of a text and of columns made of row number, text and label, or of values."""
    rows = [
        (
            text,
            *(
                each(n, text, label) if callable(each) else _by(n, each)
                for each in columns.values()
            ),
        )
        for n, (text, label) in enumerate(made_up_reviews(120))
    ]
    return survey(write_csv(tmp_path / "r.csv", rows, header=("text", *columns)))


def _signed(n: int, text: str, label: str) -> str:
    return ("negative", "positive")[int(label)]


def _label(n: int, text: str, label: str) -> str:
    return label


def _some(n: int, text: str, label: str) -> str:
    return "" if n % 9 else ("good", "bad")[n // 9 % 2]


def _other(n: int, text: str, label: str) -> int:
    return 1 - int(label)


def _many(n: int, text: str, label: str) -> int:
    return 50 + n


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"product_category": ("Toys", "Books"), "star_rating": _label}, "star_rating"),
        ({"class": ("iOS", "Android"), "sentiment": _signed}, "sentiment"),
        ({"verdict": _signed, "verified": "YN"}, "verdict"),
        ({"rating": (1, 2, 4, 5), "sentiment": _signed}, "sentiment"),
        ({"label": _label, "label_text": _signed}, "label_text"),
        ({"label": _label, "score": _many}, "label"),
        ({"label": ("sports", "politics"), "mood": _signed}, "label"),
        ({"num_labels": (1, 2), "target": _label}, "target"),
        ({"rating": _label, "food_rating": (1, 5)}, "rating"),
        ({"airline_sentiment": _signed, "by_experts": _some}, "airline_sentiment"),
        ({"class": _label, "verified": "YN"}, "class"),
    ],
)  # fmt: skip
def test_the_label_is_the_column_that_says_so_most_plainly(
    tmp_path: Path, columns: dict[str, Sequence[object]], expected: str
) -> None:
    assert _columns(tmp_path, **columns).label_column == expected


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"category": ("Toys", "Books"), "rating": (1, 2, 3)}, "rating must hold two labels"),
        ({"sentiment": ("good", "bad", "so so"), "class": _label}, "nt must hold two labels"),
        ({"score": _many, "is_spoiler": ("no", "yes")},
         r"'is_spoiler' \(2 labels\), 'score' \(many labels\) may each hold the label"),
        ({"label": _many, "source": ("web", "app")}, "'source' .*, 'label' .* may each"),
        ({"category": _label, "verified": "YN"}, "'category' .*, 'verified' .* may each"),
        ({"condition": ("good", "bad"), "rating": _label}, "'condition' .*, 'rating' .* may each"),
        ({"predicted_label": (0, 1), "stars": _label}, "'predicted_label' .*, 'stars' .* may"),
        ({"emotion": ("happy", "sad", "neutral"), "target": _label}, "'emotion' .*, 'target' "),
        ({"rating_x": _label, "rating_y": (1, 5)}, "'rating_x' .*, 'rating_y' .* may each"),
        ({"positive": _label, "negative": _other}, "may each hold the label"),
    ],
)  # fmt: skip
def test_another_column_with_two_values_is_no_label_by_that(
    tmp_path: Path, columns: dict[str, Sequence[object]], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        _columns(tmp_path, **columns)


@pytest.mark.parametrize(
    ("column", "values"),
    [("type", ("train", "test")), ("half", ("'train'", "['test']")),
     ("dataset", ("TRAIN", "Test")), ("part", ("train", "test")),
     ("is_train", (True, False)), ("is_test", (0, 1)), ("In Training", ("yes", "no"))],
)  # fmt: skip
def test_a_split_column_is_recognised_by_its_values(
    tmp_path: Path, column: str, values: tuple[object, ...]
) -> None:
    found = _columns(tmp_path, **{"label": _label, column: values})
    assert (found.split_column, found.has_test) == (column, True)
    data = DataTable(source="csv", path=str(found.paths[0]), split_column=column)
    documents = read_documents(locate(data, cache=tmp_path), data=data)
    assert np.bincount(documents.roles)[[TRAIN, TEST]].tolist() == [60, 60]


@pytest.mark.parametrize(
    ("header", "names"),
    [(("review", "full_review", "label"), "'review', 'full_review'"),
     (("comment", "article", "label"), "'comment', 'article'"),
     (("Text", "text", "label"), "'Text', 'text'")],
)  # fmt: skip
def test_a_much_longer_text_or_one_of_the_same_name_may_be_the_reviews(
    tmp_path: Path, header: tuple[str, ...], names: str
) -> None:
    rows = [(f"short {n}", f"{text} " * 3, label) for n, (text, label) in enumerate(REVIEWS)]
    with pytest.raises(DataError, match=f"{names} may each hold the reviews"):
        survey(write_csv(tmp_path / "r.csv", rows, header=header))


def test_longer_answers_to_some_reviews_are_not_the_reviews(tmp_path: Path) -> None:
    rows = [
        (text, f"{text} " * 4 if n % 3 == 0 else "", label)
        for n, (text, label) in enumerate(made_up_reviews(120))
    ]
    path = write_csv(tmp_path / "r.csv", rows, header=("content", "replyContent", "score"))
    assert survey(path).text_column == "content"


def test_a_text_that_is_repeated_is_no_review_whatever_its_name(tmp_path: Path) -> None:
    rows = [(t, n, ("very bad", "very good")[int(n)]) for t, n in REVIEWS]
    found = survey(write_csv(tmp_path / "r.csv", rows, header=("phrase", "label", "label_text")))
    assert (found.text_column, found.label_column) == ("phrase", "label_text")


def test_texts_that_are_not_used_are_named(tmp_path: Path) -> None:
    rows = [(f"title of review {n}", text, label) for n, (text, label) in enumerate(REVIEWS)]
    found = survey(write_csv(tmp_path / "r.csv", rows, header=("title", "body", "label")))
    assert found.notes == ("texts that are not used: 'title' (4 words)",)


def test_rejected_labels_are_noted(tmp_path: Path) -> None:
    found = _columns(tmp_path, label=_signed, answer=("accept", "reject", "accept"))
    (note,) = found.notes
    assert note.startswith("'answer' says 'reject' in 40 rows; their labels are read anyway")


def _classes(path: Path, labels: Sequence[int], names: Sequence[str] = ("pos", "neg")) -> Path:
    texts = [text for text, _ in made_up_reviews(len(labels))]
    feature = {"names": names, "_type": "ClassLabel"}
    metadata = {"huggingface": json.dumps({"info": {"features": {"label": feature}}})}
    table = pyarrow.table({"text": texts, "label": pyarrow.array(labels, pyarrow.int64())})
    pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), path)
    return path


def test_numbers_with_names_in_parquet_are_those_labels(tmp_path: Path) -> None:
    path = _classes(tmp_path / "r.parquet", [0, 1, 1, -1] * 10)
    assert survey(path).label_counts == {"pos": 10, "neg": 20}
    data = DataTable(source="csv", path=str(path), drop_empty=True)
    documents = read_documents(locate(data, cache=tmp_path), data=data)
    assert documents.label_names == ("neg", "pos")
    assert documents.labels[:3].tolist() == [1, 0, 0]
    assert documents.left_out == (("without a label", 10),)


def test_html_entities_are_said_where_more_than_a_few_texts_hold_some(tmp_path):
    path = tmp_path / "scraped.csv"
    few = ["text,label", *(f"A film & a book; number {n} of them,{n % 2}" for n in range(100))]
    path.write_text("\n".join([*few, "Fish &amp; chips were fine,1"]))
    assert not any("entities" in note for note in survey(path).notes)

    path.write_text("\n".join([*few, *(f"I don&#39;t like number {n},0" for n in range(100, 103))]))
    (note,) = (note for note in survey(path).notes if "entities" in note)
    assert note == (
        "3 of the first 103 texts hold HTML entities such as &amp;, read as words (amp): "
        "html.unescape in Python replaces them"
    )


def test_html_tags_are_said_with_the_words_that_they_become(tmp_path):
    path = tmp_path / "scraped.csv"
    few = ["text,label", *(f"A <3 film {n} for <unk> and a<b but b>a,{n % 2}" for n in range(100))]
    path.write_text("\n".join([*few, "One line<br />and another,1"]))
    assert not any("tags" in note for note in survey(path).notes)

    tagged = (f'I like <BR/>line {n}<a href="x">y</a>,0' for n in range(100, 103))
    path.write_text("\n".join([*few, *tagged]))
    (note,) = (note for note in survey(path).notes if "tags" in note)
    assert note == (
        "3 of the first 103 texts hold HTML tags such as <BR/>, read as words (br): "
        "re.sub('<[^>]*>', ' ', text) in Python removes them"
    )


def test_stages_of_another_thing_are_no_split(tmp_path):
    found = _columns(tmp_path, label=_label, stage=("dev", "test"))
    assert (found.split_column, found.has_test) == (None, False)


def test_a_column_may_be_called_like_one_of_its_labels(tmp_path):
    rows = [(text, ("ham", "spam")[int(label)]) for text, label in made_up_reviews(40)]
    found = survey(write_csv(tmp_path / "r.csv", rows, header=("text", "spam")))
    assert (found.label_column, found.label_counts) == ("spam", {"ham": 20, "spam": 20})


def test_texts_that_programs_write_for_none_are_counted(tmp_path: Path) -> None:
    rows = [*REVIEWS, ("nan", 1), ("null", 0)]
    (note,) = survey(write_csv(tmp_path / "r.csv", rows)).notes
    assert note.startswith("2 of the first 42 texts are markers of a missing value (nan, null")


@pytest.mark.parametrize("value", [{"text": "a fine film"}, ["a", "fine", "film"]])
def test_texts_inside_of_a_column_of_parquet_are_refused_with_the_column(
    tmp_path: Path, value: object
) -> None:
    table = pyarrow.table({"review": [value] * 20, "label": [0, 1] * 10})
    pyarrow.parquet.write_table(table, tmp_path / "r.parquet")
    with pytest.raises(DataError, match="Of these 'review' holds objects or lists: save each text"):
        survey(tmp_path / "r.parquet")
    with pytest.raises(DataError, match="Save each text as one value"):
        data = DataTable(source="csv", path=str(tmp_path / "r.parquet"), text_column="review")
        read_documents(locate(data, cache=tmp_path), data=data)


def test_files_of_a_review_a_line_are_refused_with_a_way_that_works(tmp_path: Path) -> None:
    for name, words in (("pos", "a fine film"), ("neg", "a dull film")):
        lines = "\n".join(f"{words} {n}, no. {n}" for n in range(20))
        (tmp_path / f"{name}.txt").write_text(lines)
    with pytest.raises(DataError, match=r"to pos\.tsv or neg\.tsv, and name .* --columns text"):
        survey(tmp_path)
    for name in ("pos", "neg"):
        (tmp_path / f"{name}.txt").rename(tmp_path / f"{name}.tsv")
    found = survey(tmp_path, columns=("text",))
    assert (found.rows, found.label_counts) == (40, {"negative": 20, "positive": 20})
