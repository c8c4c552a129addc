"""A study file written for a user's own reviews."""

import io
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from lstm_study import commands
from lstm_study.cli.shared import make_console
from lstm_study.cli.text.reviews import new_study_text
from lstm_study.commands.init import name_of
from lstm_study.commands.init_warnings import about_learning, about_ranking
from lstm_study.corpus.sources.survey import UserChoices
from lstm_study.errors import DataError, SpecError
from lstm_study.spec import load_spec
from tests.support.reviews import made_up_reviews, write_csv


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LSTM_STUDY_CACHE", str(tmp_path / "cache"))


def _write(path: Path, out: str = "study.toml", *, documented: bool = False) -> commands.NewStudy:
    return commands.write_new_study(
        [path], out=Path(out), documented=documented, show=commands.Silent()
    )


def test_the_study_is_valid_and_reads_these_reviews() -> None:
    made = _write(write_csv(Path("My tweets.csv"), made_up_reviews(300)))
    spec = load_spec(made.path)
    assert spec.study.name == "my-tweets"
    assert (spec.data.path, spec.data.positive_label) == ("My tweets.csv", "1")
    assert spec.protocol.epochs == spec.search.max_epochs == made.proposal.epochs
    opened = commands.open_study(made.path)
    corpus = commands.read_corpus(opened, show=commands.Silent())
    assert corpus.summary == made.summary
    assert [split.reviews for split in corpus.summary.splits] == [168, 42, 90]


def test_that_names_of_files_mark_the_splits_is_said() -> None:
    paths = [
        write_csv(Path(f"{name}.csv"), made_up_reviews(count, seed=count))
        for name, count in (("train", 200), ("test", 100), ("more", 150))
    ]
    for count, given in enumerate((paths[:2], paths[1:])):
        made = commands.write_new_study(given, out=Path(f"{count}.toml"), show=commands.Silent())
        console = make_console(file=io.StringIO())
        console.print(new_study_text(made))
        said = console.file.getvalue()  # type: ignore[attr-defined]
        assert re.search(r"Labels +label: '[01]' \(\d+\), '[01]' \(\d+\)", said)
        assert ("2; their names or folders mark the splits" in said) == (count == 0)
        assert (made.summary.splits[2].reviews == 100) == (count == 0)


def test_labels_that_count_as_positive_together_are_named() -> None:
    rows = [(text, str(number % 2 * 3 + number % 4 // 2 + 1)) for number, (text, _) in
            enumerate(made_up_reviews(120))]  # fmt: skip
    file = write_csv(Path("stars.csv"), rows)
    made = commands.write_new_study(
        [file], out=Path("stars.toml"), show=commands.Silent(),
        choices=UserChoices(positive=("4", "5"), negative=("1", "2")),
    )  # fmt: skip
    console = make_console(file=io.StringIO())
    console.print(new_study_text(made))
    assert re.search(r"Positive +4, 5 *\n", console.file.getvalue())  # type: ignore[attr-defined]


def test_test_reviews_with_a_training_text_are_noted_where_they_are_many() -> None:
    rows = made_up_reviews(200)
    own = [write_csv(Path("train.csv"), rows), write_csv(Path("test.csv"), rows[:40])]
    made = commands.write_new_study(own, out=Path("own.toml"), show=commands.Silent())
    (note,) = [warning for warning in made.warnings if "have the text of a training" in warning]
    assert note.startswith("40 of 40 test reviews (100.0%)")
    assert note.endswith("Remove them from the test reviews.")

    # So many share texts that to join them would leave one group.
    grouped = [(*row, f"c{number % 43}") for number, row in enumerate([*rows, *rows])]
    file = write_csv(Path("customers.csv"), grouped, header=("text", "label", "customer_id"))
    made = _write(file, "grouped.toml")
    (note,) = [warning for warning in made.warnings if "have the text of a training" in warning]
    assert "belong to several groups (customer_id) here" in note

    # Their files are the user's choice, whatever the groups.
    for name, part in (("train", grouped[:200]), ("test", grouped[:40])):
        write_csv(Path(f"{name}.csv"), part, header=("text", "label", "customer_id"))
    made = commands.write_new_study(own, out=Path("both.toml"), show=commands.Silent())
    (note,) = [warning for warning in made.warnings if "have the text of a training" in warning]
    assert made.found.group_column == "customer_id"
    assert note.endswith("Remove them from the test reviews.")

    alone = _write(write_csv(Path("repeated.csv"), [*rows, *rows]), "repeated.toml")
    assert not [each for each in alone.warnings if "have the text of a training" in each]


def test_columns_that_were_named_are_in_the_study() -> None:
    reviews = write_csv(Path("r.csv"), made_up_reviews(300)[1:], header=made_up_reviews(300)[0])
    made = commands.write_new_study(
        [reviews],
        out=Path("study.toml"),
        choices=UserChoices(columns=("text", "label")),
        show=commands.Silent(),
    )
    assert load_spec(made.path).data.columns == ["text", "label"]
    assert sum(split.reviews for split in made.summary.splits) == 300


def test_the_open_space_is_proposed_unless_the_documented_one_is_asked_for() -> None:
    reviews = write_csv(Path("reviews.csv"), made_up_reviews(300))
    opened = load_spec(_write(reviews, "open.toml").path)
    assert {"pooling", "learning_rate", "summed_gradients"} <= set(opened.space.opened())
    assert opened.baseline.epochs > opened.protocol.epochs
    documented = load_spec(_write(reviews, "six.toml", documented=True).path)
    assert documented.space.opened() == []
    assert documented.search.include_baseline


def test_warnings_stand_in_the_file_and_every_line_of_them_is_a_comment() -> None:
    made = _write(write_csv(Path("few.csv"), made_up_reviews(100)))
    text = made.path.read_text()
    head = text.partition("[study]")[0].splitlines()
    assert all(line.startswith("#") or not line for line in head)
    assert len(made.warnings) == text.count("# Note: ")
    assert all(len(line) <= 100 for line in text.splitlines())


def test_terminal_and_file_say_the_same_lengths() -> None:
    long = [(f"{text} {'word ' * place}", label) for place, (text, label) in enumerate(
        made_up_reviews(300))]  # fmt: skip
    made = _write(write_csv(Path("long.csv"), long))
    console = make_console(file=io.StringIO())
    console.print(new_study_text(made))
    (median, most) = re.search(
        r"median ([\d,]+), at most ([\d,]+) in 95% of the training reviews",
        console.file.getvalue(),  # type: ignore[attr-defined]
    ).groups()  # type: ignore[union-attr]
    said = f"those for training have a median of {median} tokens, and 95% of them at most {most};"
    assert said in made.path.read_text()


@pytest.mark.parametrize(
    ("found", "most", "reviews", "said"),
    [
        # By hand: the exact 95% interval of 4 in 5 is 28.4% to 99.5%.
        (
            0.8,
            0.6,
            5,
            "(95% interval 28.4% to 99.5%), and the more frequent label alone 60.0%: too",
        ),
        (0.6, 0.6, 5, "too few reviews to tell whether the labels can be learned."),
        (0.5, 0.5, 200, "there is no sign that the labels can be predicted"),
        (0.8, 0.5, 200, ""),
        (0.96, 0.96, 50, "too few reviews to tell"),
    ],
)
def test_that_nothing_was_found_is_said_only_of_enough_reviews(
    found: float, most: float, reviews: int, said: str
) -> None:
    told = about_learning(found, most, reviews=reviews)
    assert said in told
    assert bool(told) == bool(said)


@pytest.mark.parametrize(
    ("positives", "reviews", "is_told_apart", "said"),
    [
        # By hand: of 14 and 466 the range of chance is 0.5 -+ 1.96 x 0.0784.
        (14, 480, False, "and chance alone gives 0.35 to 0.65 in 95% of cases: there is no sign"),
        (14, 480, True, ""),
        (2, 50, False, "too few reviews to tell"),
        (0, 50, False, "All 50 validation reviews have one label: too few reviews to tell"),
    ],
)
def test_where_one_label_is_rare_the_order_of_a_linear_model_says_if_there_is_something_to_learn(
    positives: int, reviews: int, is_told_apart: bool, said: str
) -> None:
    labels = (np.arange(reviews) < positives).astype(np.int8)
    # Below 0.5 everywhere, so that accuracy is the more frequent label's.
    low = np.tile(np.linspace(0, 0.2, 8), reviews)[:reviews] + 0.2 * is_told_apart * labels
    told = about_ranking(labels, low.astype(np.float32))
    assert said in told
    assert bool(told) == bool(said)


def test_labels_that_a_linear_model_orders_are_not_said_to_show_no_sign_of_being_learnable() -> (
    None
):
    """A quarter of the reviews is negative, and a word makes that likelier, but never likely."""
    random = np.random.default_rng(7)
    rows = []
    for number in range(600):
        label = int(number % 4 > 0)
        words = [f"word{each}" for each in random.integers(200, size=12)]
        words += ["dull" if random.random() < (0.2 if label else 0.55) else "fine"]
        rows.append((" ".join(words), label))
    (said,) = [each for each in _write(write_csv(Path("a.csv"), rows)).warnings if "linear" in each]
    assert "no sign" not in said
    assert said.endswith(
        "but is not shown to be more accurate than the more frequent label alone (75.0%): compare "
        "ROC AUCs, too."
    )


def test_a_rare_label_that_its_words_tell_apart_is_not_called_nothing_to_learn() -> None:
    reviews = [(f"{text} number{n}", int(n % 30 == 0)) for n, (text, _) in enumerate(
        made_up_reviews(900))]  # fmt: skip
    words = [(f"{text} refund" if label else text, label) for text, label in reviews]
    assert not any(
        "nothing to learn" in w for w in _write(write_csv(Path("a.csv"), words)).warnings
    )
    noise = _write(write_csv(Path("b.csv"), reviews), "b.toml")
    assert any("ROC AUC" in warning for warning in noise.warnings)


def test_labels_paths_and_columns_may_hold_anything() -> None:
    hostile = 'good\n"#\\ \x07\x7f'
    rows = [(text, hostile if label else "b]d") for text, label in made_up_reviews(60)]
    made = _write(write_csv(Path('a "b" #c.csv'), rows, header=('te"xt', "label=")))
    data = tomllib.loads(made.path.read_text())["data"]
    assert data["path"] == 'a "b" #c.csv'
    assert (data["text_column"], data["label_column"]) == ('te"xt', "label=")
    assert data["positive_label"] in (hostile.strip(), "b]d")


def test_comments_name_emoji_whatever_this_python_calls_printable() -> None:
    # The first is of Unicode 17, newer than any Python that is allowed.
    faces = ("\U0001faea", "👩\u200d👧")
    rows = [(text, faces[label]) for text, label in made_up_reviews(60)]
    text = _write(write_csv(Path("own.csv"), rows)).path.read_text()
    comments = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    assert all(face in comments for face in faces)


def test_a_file_that_is_there_is_left_alone_and_nothing_is_read() -> None:
    Path("study.toml").write_text("mine")
    Path("no-reviews.csv").write_bytes(b"\0")
    with pytest.raises(SpecError, match="already exists"):
        _write(Path("no-reviews.csv"))
    with pytest.raises(DataError, match=r"no-such\.csv: no such file"):
        _write(Path("no-such.csv"))
    assert Path("study.toml").read_text() == "mine"


def test_where_no_study_can_be_made_no_file_is_written() -> None:
    rows = [("good words", "pos"), ("bad words", "neg")]
    with pytest.raises(DataError, match="too few reviews"):
        _write(write_csv(Path("two.csv"), rows))
    assert not Path("study.toml").exists()


def test_an_encoding_that_had_to_be_guessed_is_written_down() -> None:
    rows = "".join(f"{text} schön;{label}\n" for text, label in made_up_reviews(60))
    Path("r.csv").write_bytes(("text;label\n" + rows).encode("latin-1"))
    assert load_spec(_write(Path("r.csv")).path).data.encoding == "cp1252"


def test_rows_marked_test_are_the_test_half() -> None:
    rows = [
        (text, label, "test" if number < 20 else "train")
        for number, (text, label) in enumerate(made_up_reviews(80))
    ]
    made = _write(write_csv(Path("r.csv"), rows, header=("text", "label", "split")))
    spec = load_spec(made.path)
    assert (spec.data.split_column, spec.data.test_fraction) == ("split", None)
    assert made.summary.splits[2].reviews == 20


@pytest.mark.parametrize(
    ("path", "name"),
    [("reviews.csv", "reviews"), ("Über uns.csv", "ber-uns"), ("___.csv", "reviews"),
     ("x" * 90 + ".csv", "x" * 63)],
)  # fmt: skip
def test_the_studys_name_is_made_of_the_files(path: str, name: str) -> None:
    assert name_of(Path(path)) == name
