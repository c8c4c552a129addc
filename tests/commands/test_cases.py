"""Every kind of file that users have, through `init` and `data`; every advice that errors give."""

import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lstm_study import commands
from lstm_study.cli import app
from lstm_study.corpus.load import load
from lstm_study.corpus.types import Corpus
from lstm_study.errors import DataError
from lstm_study.spec import DataTable, load_spec
from tests.support import cases

Case = Callable[[Path], Path]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LSTM_STUDY_CACHE", str(tmp_path / "cache"))


def init(path: Path, *flags: str) -> Result:
    Path("study.toml").unlink(missing_ok=True)
    return CliRunner().invoke(app, ["init", str(path), *flags])


def corpus_of(path: Path, *flags: str) -> tuple[Corpus, str]:
    result = init(path, *flags)
    assert result.exit_code == 0, result.output
    opened = commands.open_study("study.toml")
    corpus = commands.read_corpus(opened, show=commands.Silent())
    shown = CliRunner().invoke(app, ["data", "study.toml"])
    assert shown.exit_code == 0, shown.output
    return corpus, result.output + shown.output


READ: dict[str, tuple[Case, int]] = {
    "quotes in TSV": (cases.quotes_in_tsv, 200),
    "no spaces": (cases.chinese, 200),
    "rare words": (cases.rare_words, 200),
    "GBK": (cases.encoded("gbk", ("很 无聊 的 电影 剧情 糟糕", "非常 好看 喜欢 温暖 感人")), 200),
    "cp1251": (cases.encoded("cp1251", ("скучный и холодный фильм", "очень хороший фильм")), 200),
    "Shift-JIS": (
        cases.encoded("cp932", ("つまらない えいが でした", "とても よい えいが です")),
        200,
    ),
    "cp1252": (cases.encoded("cp1252", ("très mauvais, déjà vu", "un charmant café à voir")), 200),
    "UTF-16 without a mark": (cases.encoded("utf-16-le", ("a dull film", "a fine film")), 200),
    "odd spaces": (cases.odd_spaces, 200),
    "trailing columns": (cases.trailing_columns, 200),
    "gz": (cases.packed("gz"), 200),
    "bz2": (cases.packed("bz2"), 200),
    "xz": (cases.packed("xz"), 200),
    "zip": (cases.packed("zip"), 200),
    "JSON array": (cases.json_array, 200),
    "folders": (cases.texts_in_folders, 200),
    "folders with splits": (cases.texts_with_splits, 200),
    "shards": (cases.shards, 200),
    "sep line": (cases.sep_line, 200),
    "label spellings": (cases.label_spellings, 200),
    "unequal": (cases.unequal, 400),
    "noise": (cases.noise, 400),
    "escapes": (cases.escapes, 200),
    "tweets": (cases.tweets, 300),
}


@pytest.mark.parametrize("name", READ)
def test_a_file_that_users_have_is_read_whole_with_two_labels(name: str, tmp_path: Path) -> None:
    case, count = READ[name]
    corpus, output = corpus_of(case(tmp_path))
    assert sum(split.reviews for split in corpus.summary.splits) == count
    assert corpus.summary.near_equal == 0
    assert sum(split.duplicates for split in corpus.summary.splits) == 0
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\x80-\x9f]", output)
    words = corpus.vocabulary.words if corpus.vocabulary is not None else ()
    assert not any(re.search(r"[\s\x00-\x1f\u200b]", word) for word in words)


def test_texts_without_spaces_become_a_study_of_characters(tmp_path: Path) -> None:
    corpus, output = corpus_of(cases.chinese(tmp_path))
    assert corpus.summary.tokens == "characters"
    assert "without spaces between words" in output
    assert corpus.summary.splits[0].length_quantiles[3] == 33
    assert load_spec(Path("study.toml")).data.tokens == "characters"


def test_a_split_in_the_layout_is_the_split(tmp_path: Path) -> None:
    corpus, _ = corpus_of(cases.texts_with_splits(tmp_path))
    assert corpus.summary.splits[2].reviews == 40
    assert load_spec(Path("study.toml")).data.test_fraction is None


def test_guessed_encodings_and_folded_labels_are_shown(tmp_path: Path) -> None:
    _, output = corpus_of(READ["GBK"][0](tmp_path))
    assert re.search(r"gb18030 \(a guess, \d+% sure; it reads: '.*电影", output)
    assert load_spec(Path("study.toml")).data.encoding == "gb18030"
    _, output = corpus_of(cases.label_spellings(tmp_path))
    assert "'Positive' (50), 'POSITIVE' (50) are read as one label" in output


def test_what_init_shows_of_reading_is_not_logged_beside_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    cases.label_spellings(folder)
    (folder / "notes.md").write_text("not a review")
    (folder / "more.csv").write_text("text,label\nfine warm film,Positive\n")
    (folder / "train.csv").write_text("text,label\ndull loud film,negative\n")
    shown = " ".join(init(folder).output.split())
    assert shown.count("1 file is not read: notes.md") == 1
    assert shown.count("read as training reviews") == 1
    assert shown.count("are read as one label") == 2  # Positive and negative.
    assert not caplog.records
    corpora = tmp_path / "cache" / "corpora"
    corpora.rename(tmp_path / "elsewhere")
    # Other commands have no such rows: with them it is logged.
    commands.read_corpus(commands.open_study("study.toml"), show=commands.Silent())
    assert len(caplog.records) == 4


def test_a_positive_label_by_the_alphabet_is_shown_and_written(tmp_path: Path) -> None:
    rows = [(text, ("politics", "sports")[label]) for text, label in cases.reviews()]
    path = tmp_path / "r.csv"
    path.write_text(cases.csv_text(rows), encoding="utf-8")
    _, output = corpus_of(path)
    assert "'sports' is taken as the positive label by alphabetical order" in output
    assert "'sports' is positive, 'politics' negative; set by data.positive_label" in output
    text = Path("study.toml").read_text(encoding="utf-8")
    assert "# the other one is politics; chosen by alphabetical order" in text


def test_very_unequal_labels_and_noise_are_said(tmp_path: Path) -> None:
    _, output = corpus_of(cases.unequal(tmp_path))
    assert "96% of the reviews have one label" in output
    assert load_spec(Path("study.toml")).study.objective == "validation_auc"
    _, output = corpus_of(cases.noise(tmp_path))
    assert "there is no sign that the labels can be predicted" in output
    _, output = corpus_of(cases.tweets(tmp_path))
    assert "nothing to learn" not in output


def test_users_of_tweets_are_proposed_as_groups_and_keep_to_one_split(tmp_path: Path) -> None:
    corpus, output = corpus_of(cases.tweets(tmp_path))
    assert load_spec(Path("study.toml")).data.group_column == "user"
    sides = [
        {(int(row) - 1) // 3 for row in split.document_ids}
        for split in (
            corpus.train,
            corpus.validation,
            corpus.open_test(on_open=lambda: None),
        )
    ]
    assert not sides[0] & sides[1] and not (sides[0] | sides[1]) & sides[2]
    assert "100 of user" in output


def test_a_file_with_one_bad_byte_is_refused_by_its_line(tmp_path: Path) -> None:
    assert "r.csv:102: is not UTF-8 (byte 0x9d)" in init(cases.one_bad_byte(tmp_path)).output


def test_a_quote_that_is_never_closed_is_named_where_it_opens(tmp_path: Path) -> None:
    result = init(cases.unclosed_quote(tmp_path))
    assert result.exit_code == 1 and "r.csv:21: a quote opens here" in result.output


def test_labels_left_out_and_rows_dropped_are_counted(tmp_path: Path) -> None:
    corpus, output = corpus_of(
        cases.airline_shards(tmp_path), "--positive", "positive", "--negative", "negative"
    )
    assert corpus.summary.left_out == (("with another label", 58),)
    assert "58 rows with another label" in output
    assert corpus.summary.labels == ("negative", "positive")
    assert sum(split.reviews for split in corpus.summary.splits) == 342
    corpus, output = corpus_of(cases.some_empty(tmp_path), "--drop-empty")
    assert corpus.summary.left_out == (("without a word", 3), ("without a label", 1))


REFUSED: dict[str, Case] = {
    "one bad byte": cases.one_bad_byte,
    "some empty": cases.some_empty,
    "missing keys": cases.missing_keys,
    "stars": cases.stars,
    "three labels": cases.three_labels,
    "airline shards": cases.airline_shards,
    "amazon": cases.amazon,
}


def alternatives(found: list[tuple[str, str]]) -> Iterator[dict[str, str]]:
    """Yields each way out: all of the options together, or each of the same one alone."""
    names = [name for name, _ in found]
    if len(set(names)) == len(names):
        yield dict(found)
    else:
        yield from ({name: value} for name, value in found)


@pytest.mark.parametrize("name", REFUSED)
def test_every_advice_of_init_works_at_init(name: str, tmp_path: Path) -> None:
    path = REFUSED[name](tmp_path)
    result = init(path)
    assert result.exit_code == 1
    assert "data." not in result.output
    found = re.findall(r"--([a-z-]+)((?: (?!-|and |or |another )[^\s;]+)?)", result.output)
    found = [
        (flag, value.strip().rstrip(".,"))
        for flag, value in found
        if value.strip().rstrip(".,") or flag == "drop-empty"
    ]
    assert found, result.output
    help_text = CliRunner().invoke(app, ["init", "--help"], env={"COLUMNS": "200"}).output
    for options in alternatives(found):
        flags = []
        for flag, value in options.items():
            assert f"--{flag}" in help_text
            flags += [f"--{flag}", *shlex.split(value if flag != "drop-empty" else "")]
        assert init(path, *flags).exit_code == 0, (flags, result.output)


STUDIES: dict[str, tuple[Case, dict[str, str]]] = {
    "one bad byte": (cases.one_bad_byte, {}),
    "some empty": (cases.some_empty, {}),
    "missing keys": (cases.missing_keys, {"text_column": "reviewText", "label_column": "overall"}),
    "stars": (cases.stars, {"label_column": "stars"}),
    "three labels": (
        cases.three_labels,
        {"text_column": "tweet", "label_column": "airline_sentiment"},
    ),
    "no spaces": (cases.chinese, {}),
}


@pytest.mark.parametrize("name", STUDIES)
def test_every_advice_of_data_and_run_works_in_a_study(name: str, tmp_path: Path) -> None:
    case, columns = STUDIES[name]
    path = case(tmp_path)
    with pytest.raises(DataError) as caught:
        load(DataTable(source="csv", path=str(path), **columns), seed=5)  # type: ignore[arg-type]
    assert " --" not in str(caught.value)
    pattern = r"data\.(\w+) = (\"[^\"]*\"|\[[^\]]*\]|true)"
    found = re.findall(pattern, str(caught.value))
    assert found, str(caught.value)
    for options in alternatives(found):
        values = {key: tomllib.loads(f"value = {value}")["value"] for key, value in options.items()}
        corpus = load(DataTable(source="csv", path=str(path), **columns, **values), seed=5)
        assert len(corpus.training) > 100
