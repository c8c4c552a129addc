"""Studies side by side, drawn whole: the same reviews or a warning, every number traced."""

import csv
import functools
import io
from dataclasses import replace

import pytest

from lstm_study.analysis.answer.arms import arms_from_records
from lstm_study.analysis.answer.verdict import judge
from lstm_study.analysis.statistics.failures import without_failed_runs
from lstm_study.analysis.statistics.intervals import difference_between
from lstm_study.records import StudyRecords
from lstm_study.report.diff import SECTIONS, diff_files
from tests.support.fake_open_study import built_study, opened_study
from tests.support.fake_study import (
    HOSTILE,
    completed_study,
    empty_study,
    hostile_study,
    one_seed_study,
)
from tests.support.report_page import parse, untraced

MADE_AT = "2025-03-02T10:00:00.000Z"


def _other() -> StudyRecords:
    return replace(completed_study(seeds=5, protocol__epochs="4"), name="other")


def _elsewhere() -> StudyRecords:
    study = _other()
    assert study.corpus is not None
    return replace(study, corpus=replace(study.corpus, digest="e" * 64))


def _fewer() -> StudyRecords:
    study = _elsewhere()
    assert study.corpus is not None
    *others, test = study.corpus.splits
    splits = (*others, replace(test, reviews=test.reviews - 1))
    return replace(study, corpus=replace(study.corpus, splits=splits))


STUDIES = {
    "other": _other, "elsewhere": _elsewhere, "empty": empty_study, "one-seed": one_seed_study,
    "hostile": hostile_study, "fewer": _fewer, "open": opened_study, "built": built_study,
}  # fmt: skip


@functools.cache
def _files(name: str) -> dict[str, bytes]:
    return diff_files([completed_study(), STUDIES[name]()], made_at=MADE_AT, versions={})


def _rows(name: str, table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(_files(name)[f"tables/{table}.csv"].decode())))


@pytest.mark.parametrize("name", STUDIES)
def test_every_number_is_found_in_a_table_and_every_link_leads_somewhere(name: str) -> None:
    files = _files(name)
    page = files["report.html"].decode()
    tables = {path: data.decode() for path, data in files.items() if path.endswith(".csv")}
    assert untraced(page, tables) == []
    nodes = list(parse(page).walk())
    links = {node.attributes["href"] for node in nodes if node.tag == "a"}
    assert {link for link in links if not link.startswith("#")} <= files.keys()
    assert [node.attributes["id"] for node in nodes if node.tag == "section"] == [
        name for name, _ in SECTIONS
    ]


def test_the_difference_of_the_winners_is_the_one_that_the_analysis_gives() -> None:
    (row,) = _rows("other", "difference")
    first, second = (
        replace(arms_from_records(study)["winner"], name=study.name)
        for study in (completed_study(), _other())
    )
    expected = difference_between(second, first)
    assert row["same_reviews"] == "yes"
    assert float(row["difference"]) == expected.difference
    assert (float(row["low"]), float(row["high"])) == (expected.low, expected.high)


def test_other_reviews_are_a_clear_warning_and_no_difference_is_taken() -> None:
    (row,) = _rows("fewer", "difference")
    assert (row["same_reviews"], row["difference"], row["low"]) == ("no", "", "")
    text = parse(_files("fewer")["report.html"].decode()).find("section")[0].text
    assert "tested on different reviews" in text
    assert "their numbers or labels differ" in text


def test_other_digests_alone_are_not_said_to_be_other_reviews() -> None:
    (row,) = _rows("elsewhere", "difference")
    assert (row["same_reviews"], row["difference"], row["low"]) == ("unknown", "", "")
    text = parse(_files("elsewhere")["report.html"].decode()).find("section")[0].text
    assert "It is not known that these studies were tested on the same reviews." in text
    assert "their reviews have different digests, so test reviews cannot be paired" in text
    assert "did not use the same" not in text
    (row,) = _rows("empty", "difference")
    assert row["same_reviews"] == "unknown"
    assert row["why_not"] == "the reviews of fake (B) have not been read"


@pytest.mark.parametrize("is_first", [True, False])
def test_what_one_study_alone_opens_reads_as_documented_in_the_other(is_first: bool) -> None:
    studies = [opened_study(), completed_study()]
    files = diff_files(studies if is_first else studies[::-1], made_at=MADE_AT, versions={})
    tables = {path: data.decode() for path, data in files.items() if path.endswith(".csv")}
    assert untraced(files["report.html"].decode(), tables) == []
    for name in ("arms", "runs"):
        rows = list(csv.DictReader(io.StringIO(tables[f"tables/{name}.csv"])))
        opened = {row["pooling"] for row in rows if row["study"] == "open"}
        assert opened > {"last"}
        (winner,) = {
            (row["pooling"], row["bidirectional"], row["word_dropout"], row["learning_rate"])
            for row in rows
            if (row["study"], row["arm"]) == ("fake", "winner")
        }
        assert winner == ("last", "no", "0.0", "0.001")
        (control,) = [row for row in rows if row["arm"] == "control"]
        assert control["pooling"] == control["maxlen"] == ""
    place = 2 if is_first else 1
    (pooling,) = [
        row
        for row in csv.DictReader(io.StringIO(tables["tables/hyperparameters.csv"]))
        if row["hyperparameter"] == "pooling"
    ]
    assert pooling[f"winner_{place}"] == "last"
    assert pooling[f"searched_{place}"] == "fixed at last"


def test_hyperparameters_of_a_builder_stand_beside_those_of_the_lstm() -> None:
    rows = _rows("built", "arms")
    built = [row for row in rows if row["study"] == "built"]
    assert {row["convolutions"] for row in built} <= {"1", "2"}
    assert {row["lstm_units"] for row in built} == {""}
    assert {row["convolutions"] for row in rows if row["study"] != "built"} == {""}


def test_one_seed_is_no_interval_and_the_page_says_why() -> None:
    (row,) = _rows("one-seed", "difference")
    assert row["same_reviews"] == "yes"
    assert row["difference"] == ""
    text = parse(_files("one-seed")["report.html"].decode()).find("section")[0].text
    assert "fewer than four evaluated runs of its winner that did not fail" in text


def test_three_seeds_are_too_few_as_for_a_verdict() -> None:
    other = replace(completed_study(seeds=3), name="other")
    files = diff_files([completed_study(), other], made_at=MADE_AT, versions={})
    (row,) = csv.DictReader(io.StringIO(files["tables/difference.csv"].decode()))
    assert (row["difference"], row["low"]) == ("", "")
    assert row["why_not"].startswith("other has fewer than four evaluated runs of its winner")


def _with_a_failed_run() -> StudyRecords:
    """A study of six seeds whose winner answers the wrong label for most reviews in one run."""
    study = replace(completed_study(seeds=6), name="failed")
    assert study.test_labels is not None
    wrong = (1 - study.test_labels).astype(study.predictions["winner-s2"].dtype)
    return replace(study, predictions={**study.predictions, "winner-s2": wrong})


def test_a_failed_run_is_left_out_of_the_difference_and_named() -> None:
    studies = [completed_study(), _with_a_failed_run()]
    files = diff_files(studies, made_at=MADE_AT, versions={})
    (row,) = csv.DictReader(io.StringIO(files["tables/difference.csv"].decode()))
    first, second = (arms_from_records(study)["winner"] for study in studies)
    expected = difference_between(without_failed_runs(second), first)
    assert second.seeds - without_failed_runs(second).seeds == 1
    assert float(row["difference"]) == expected.difference
    assert (float(row["low"]), float(row["high"])) == (expected.low, expected.high)
    assert row["failed_runs"] == "winner-s2 of failed"
    page = files["report.html"].decode()
    text = parse(page).find("section")[0].text
    assert "Left out, since they failed by the decision rule: winner-s2 of failed." in text
    assert "1 of winner in failed failed by the decision rule" in parse(page).find("main")[0].text
    tables = {path: data.decode() for path, data in files.items() if path.endswith(".csv")}
    assert untraced(page, tables) == []


def test_each_study_has_the_answer_of_its_own_report_and_not_that_of_a_single_look() -> None:
    studies = [completed_study(), _other()]
    verdicts = [judge(study, looks=2, kept="worse") for study in studies]
    assert {judge(study).kind for study in studies} != {"worse"}
    files = diff_files(studies, made_at=MADE_AT, versions={}, verdicts=verdicts)
    rows = csv.DictReader(io.StringIO(files["tables/studies.csv"].decode()))
    assert [row["answer"] for row in rows] == ["worse", "worse"]


def test_settings_that_differ_are_listed_and_no_others() -> None:
    rows = {row["setting"]: (row["in_1"], row["in_2"]) for row in _rows("other", "settings")}
    assert rows == {"compare.seeds": ("4", "5"), "protocol.epochs": ("5", "4")}


def test_two_studies_of_one_name_are_told_apart() -> None:
    assert [row["study"] for row in _rows("one-seed", "studies")] == ["fake (A)", "fake (B)"]


def test_hostile_text_is_shown_and_is_no_element() -> None:
    page = _files("hostile")["report.html"].decode()
    assert HOSTILE not in page
    assert HOSTILE in parse(page).find("main")[0].text


def test_equal_studies_give_equal_bytes() -> None:
    again = diff_files([completed_study(), empty_study()], made_at=MADE_AT, versions={})
    assert again == _files("empty")


def test_three_studies_are_each_compared_with_the_first() -> None:
    files = diff_files(
        [completed_study(), _other(), replace(_other(), name="third")],
        made_at=MADE_AT,
        versions={},
    )
    rows = list(csv.DictReader(io.StringIO(files["tables/difference.csv"].decode())))
    assert [(row["candidate"], row["reference"]) for row in rows] == [
        ("other", "fake"), ("third", "fake")
    ]  # fmt: skip
    assert all(row["low"] and row["high"] for row in rows)
    page = files["report.html"].decode()
    tables = {path: data.decode() for path, data in files.items() if path.endswith(".csv")}
    assert untraced(page, tables) == []
    assert "other and third" in parse(page).find("h1")[0].text
    assert "winner_3" in files["tables/hyperparameters.csv"].decode()
