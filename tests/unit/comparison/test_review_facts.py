"""What is written down of the test reviews: once opened, once logged, as the arms' need it."""

from dataclasses import replace

import numpy as np
import pytest

from lstm_study.analysis.answer.arms import arms_from_records
from lstm_study.analysis.answer.reviews import differing_reviews
from lstm_study.comparison.review_facts import (
    facts_to_find,
    find_facts,
    first_word_accuracy,
    review_facts_of,
    unknown_words,
)
from lstm_study.corpus.load import load
from lstm_study.corpus.types import Corpus, Split
from lstm_study.engine.jobs import Reviews
from lstm_study.records import ReviewFacts, StudyRecords
from lstm_study.spec import StudySpec
from tests.support.fake_study import completed_study
from tests.support.reviews import made_up_reviews, write_csv


@pytest.fixture
def corpus(tmp_path, monkeypatch) -> Corpus:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LSTM_STUDY_CACHE", str(tmp_path / "cache"))
    write_csv(tmp_path / "reviews.csv", made_up_reviews(2_500))
    return load(spec_of(completed_study()).data, seed=7)


def spec_of(study: StudyRecords) -> StudySpec:
    spec = dict(study.spec) | {
        "data": dict(study.spec["data"])
        | {"source": "csv", "path": "reviews.csv", "test_fraction": 0.8}
    }
    return StudySpec.model_validate(spec, strict=False)


def reviews_of(corpus: Corpus, test: Split) -> Reviews:
    return Reviews(
        train=corpus.train, validation=corpus.validation, training=corpus.training,
        request_test=lambda run_id: test,
    )  # fmt: skip


def review_facts(
    test: Split, records: StudyRecords, *, spec: StudySpec, corpus: Corpus
) -> ReviewFacts:
    """What a worker finds, with the texts that the process which was started adds."""
    wanted = facts_to_find(records, spec=spec, counts_near_duplicates=False)
    found = find_facts(reviews_of(corpus, test), lambda done, parts: None, wanted=wanted)
    return review_facts_of(found, spec=spec, corpus=corpus)


def opened(corpus: Corpus) -> Split:
    return corpus.open_test(on_open=lambda: None)


def test_the_facts_hold_what_the_report_shows_of_each_review(corpus, tmp_path):
    study, test = completed_study(), opened(corpus)
    assert len(test) == len(study.test_labels)
    facts = review_facts(test, study, spec=spec_of(study), corpus=corpus)
    assert facts.lengths == tuple(test.lengths.tolist())
    sizes = {run.configuration.vocabulary_size for run in study.runs}
    assert [entry.vocabulary_size for entry in facts.unknown] == sorted(sizes)
    arms = arms_from_records(study)
    wanted = {item.position for item in differing_reviews(arms["winner"], arms["baseline"])}
    assert {excerpt.position for excerpt in facts.excerpts} == wanted
    assert facts.text_from == "source"
    assert facts.runs == tuple(sorted(run.run_id for run in study.runs))
    for excerpt in facts.excerpts:
        row = int(test.document_ids[excerpt.position]) - 1
        assert excerpt.text == made_up_reviews(2_500)[row][0]


def test_no_words_are_kept_where_the_study_file_leaves_them_out(corpus, tmp_path):
    study = completed_study()
    spec = spec_of(study)
    spec = spec.model_copy(update={"export": spec.export.model_copy(update={"excerpts": False})})
    facts = review_facts(opened(corpus), study, spec=spec, corpus=corpus)
    assert (facts.excerpts, facts.text_from) == ((), "left out")
    assert len(facts.lengths) == len(study.test_labels)


def test_words_are_written_from_token_ids_where_the_source_is_gone(corpus, tmp_path):
    (tmp_path / "reviews.csv").unlink()
    study, test = completed_study(), opened(corpus)
    facts = review_facts(test, study, spec=spec_of(study), corpus=corpus)
    assert facts.text_from == "tokens"
    first = facts.excerpts[0]
    assert first.text == corpus.vocabulary.decode(test[first.position])


def test_without_source_and_words_there_are_numbers_and_no_excerpts(corpus, tmp_path):
    (tmp_path / "reviews.csv").unlink()
    study = completed_study()
    facts = review_facts(
        opened(corpus), study, spec=spec_of(study), corpus=replace(corpus, vocabulary=None),
    )  # fmt: skip
    assert (facts.excerpts, facts.text_from) == ((), "")
    assert len(facts.lengths) == len(study.test_labels)


def test_arms_that_were_not_run_leave_lengths_alone(corpus, tmp_path):
    study = replace(completed_study(), runs=(), predictions={}, test_labels=None)
    facts = review_facts(opened(corpus), study, spec=spec_of(study), corpus=corpus)
    assert (facts.excerpts, facts.runs) == ((), ())
    assert [entry.vocabulary_size for entry in facts.unknown] == [5_000, 50_000]


def test_unknown_words_are_those_outside_the_vocabulary_review_by_review():
    split = Split(
        name="test", token_ids=np.array([1, 4, 9, 9, 1, 1, 2, 10], dtype=np.int32),
        offsets=np.array([0, 4, 5, 8]), labels=np.zeros(3, dtype=np.int8),
        document_ids=np.arange(3),
    )  # fmt: skip
    assert unknown_words(split, 9) == (2, 0, 1)
    assert unknown_words(split, 5) == (2, 0, 1)
    assert unknown_words(split, 11) == (0, 0, 0)


@pytest.mark.parametrize("counts", [True, False])
def test_near_duplicates_are_counted_where_they_were_not_before(corpus, counts):
    study = completed_study()
    wanted = facts_to_find(study, spec=spec_of(study), counts_near_duplicates=counts)
    told: list[tuple[int, int]] = []
    found = find_facts(
        reviews_of(corpus, opened(corpus)), lambda *parts: told.append(parts), wanted=wanted
    )
    assert (found.near_duplicates is not None) == counts
    assert told == ([(0, 2), (1, 2)] if counts else [(0, 1)])


def _split(*reviews: tuple[int, ...], labels: list[int]) -> Split:
    return Split(
        name="test", token_ids=np.concatenate(reviews).astype(np.int32),
        offsets=np.cumsum([0, *map(len, reviews)]), labels=np.array(labels, dtype=np.int8),
        document_ids=np.arange(len(reviews)),
    )  # fmt: skip


def test_the_first_word_predicts_the_label_that_most_training_reviews_with_it_have():
    """Word 5 is positive in 2 of 3, word 6 negative; 7 is tied and 9 unknown: the usual label."""
    training = _split(
        (1, 5, 6), (1, 5), (1, 5, 7), (1, 6), (1, 7), (1, 7), (1, 8),
        labels=[1, 1, 0, 0, 1, 0, 1],
    )  # fmt: skip
    test = _split((1, 5, 6), (1, 6, 5), (1, 7), (1, 9), (1,), labels=[1, 0, 1, 0, 1])
    assert first_word_accuracy(training, test) == 4 / 5
    turned = (replace(split, labels=1 - split.labels) for split in (training, test))
    assert first_word_accuracy(*turned) == 4 / 5
