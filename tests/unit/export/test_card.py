"""The model card."""

import json
from dataclasses import replace

import numpy as np
import pytest

from lstm_study.corpus.text.vocabulary import Vocabulary
from lstm_study.errors import ExportError
from lstm_study.export.card import example, metric_rows, model_card
from lstm_study.export.settings import BundleFacts, as_json
from lstm_study.records import StudyRecords
from lstm_study.spec import ModelTable
from tests.support.fake_study import HOSTILE, completed_study, one_seed_study

SENTENCE = "Better by 1.2 points, interval 0.4 to 2.0."


def facts(records: StudyRecords, **changes) -> BundleFacts:
    values = {
        "run": next(run for run in records.runs if run.run_id == "winner-s1"),
        "chosen": "the median of 4 runs",
        "labels": ("negative", "positive"),
        "vocabulary": Vocabulary(("the", "film")),
        "no_text_model": "",
        "records": records,
        "made_at": "2025-03-02T10:00:00.000Z",
        "versions": {"keras": "3.15.1"},
    }
    return BundleFacts(**(values | changes))


def test_a_card_has_data_protocol_metrics_limits_terms_and_use():
    records = completed_study()
    card = model_card(facts(records), verdict_sentence=SENTENCE)
    for heading in ("What it is", "How it was trained", "Data", "Metrics on the test reviews",
                    "Limits", "How to use it", "Made with"):  # fmt: skip
        assert f"\n## {heading}\n" in card
    assert SENTENCE in card
    assert "Maas" in card and "Learning Word Vectors for Sentiment Analysis" in card
    assert "published for research" in card
    assert records.corpus.digest in card
    run = facts(records).run
    assert rf"| lstm\_units | {run.configuration.lstm_units} |" in card
    assert f"{run.configuration.parameter_count:,} parameters" in card
    assert "tf.saved_model.load" in card and "{{" not in card and "{%" not in card


def test_the_card_says_which_of_the_studys_models_to_use():
    study = facts(completed_study())
    card = model_card(study, verdict_sentence=SENTENCE, advice=("Use another.", "Or a_third."))
    assert f"{SENTENCE}\n\n**Which model to use.** Use another. Or a\\_third.\n\n## What" in card
    assert "Which model" not in model_card(study, verdict_sentence=SENTENCE)


def test_no_folder_of_the_machine_leaves_with_a_model():
    records = replace(completed_study(), settings=('data.path="/home/ann/reviews.csv"',))
    card = model_card(facts(records), verdict_sentence=SENTENCE)
    assert "/home" not in card
    assert "reviews.csv" in card
    assert "/home" not in as_json(facts(records))


def test_the_metrics_are_those_of_the_stored_probabilities():
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

    records = completed_study(seeds=2)
    run = facts(records).run
    rows = metric_rows(records, run)
    assert [row[0] for row in rows] == ["baseline", "winner", "this model (winner-s1)"]
    labels, one = records.test_labels, records.predictions["winner-s1"]
    assert rows[2][2:] == [
        "1",
        f"{100 * np.mean((one > 0.5) == labels):.2f}%",
        rows[2][4],
        f"{log_loss(labels, one):.4f}",
        f"{roc_auc_score(labels, one):.4f}",
        f"{brier_score_loss(labels, one):.4f}",
        rows[2][8],
    ]
    both = [log_loss(labels, records.predictions[f"winner-s{index}"]) for index in (1, 2)]
    assert rows[1][5] == f"{np.mean(both):.4f}"


def test_every_accuracy_has_its_interval_and_one_network_that_of_its_reviews_alone():
    records = completed_study()
    rows = metric_rows(records, facts(records).run)
    for row in rows:
        low, high = (float(end.rstrip("%")) for end in row[4].split(" to "))
        assert low < float(row[3].rstrip("%")) < high
    share = float(rows[-1][3].rstrip("%")) / 100
    half = 196 * np.sqrt(share * (1 - share) / len(records.test_labels))
    low, high = (float(end.rstrip("%")) for end in rows[-1][4].split(" to "))
    assert (high - low) / 2 == pytest.approx(half, rel=0.03)


def test_one_seed_and_lost_predictions_make_a_card_with_dashes():
    records = one_seed_study()
    assert " to " in metric_rows(records, facts(records).run)[0][4]
    lost = replace(records, predictions={}, test_labels=None)
    (row,) = metric_rows(lost, facts(lost).run)
    assert row[4] == "–"
    assert row[6:] == ["–", "–", "–"]
    assert "| – |" in model_card(facts(lost), verdict_sentence=SENTENCE)


def test_names_from_files_cannot_break_out_of_the_card():
    records = completed_study()
    hostile = f"{HOSTILE} | [x](http://x) `c` **b**\n# heading"
    records = replace(records, title=hostile, settings=(hostile,))
    card = model_card(facts(records, labels=("no|", hostile)), verdict_sentence=hostile)
    assert "<script" not in card.replace("\\<script", "")
    assert "\n# heading" not in card
    table = [line for line in card.splitlines() if line.startswith("| split")]
    assert table and table[0].replace("\\|", "").count("|") == 4


def test_the_network_and_its_recipe_are_those_that_the_study_opened():
    records = completed_study()
    run = facts(records).run
    opened = replace(
        run.configuration, bidirectional=True, pooling="all", pair_vocabulary_size=50_000,
        learning_rate=0.00294851, learning_rate_schedule="linear", clip_norm=1.0, batch_size=32,
    )  # fmt: skip
    c = opened
    card = model_card(
        facts(records, run=replace(run, configuration=opened)), verdict_sentence=SENTENCE
    )
    assert (
        f"`Embedding({c.vocabulary_size}, {c.embedding_dim})` of words plus "
        f"`Embedding(50003, {c.embedding_dim})` of pairs → `LSTM({c.lstm_units})` in both "
        "directions → last output, mean and maximum over time → `Dense(1, sigmoid)`"
    ) in card
    assert (
        "(batch size 32, optimizer adam, learning rate 0.00295 falling linearly to zero, "
        "gradients clipped at norm 1)"
    ) in card
    documented = model_card(facts(records), verdict_sentence=SENTENCE)
    assert "(batch size 64, optimizer adam, learning rate 0.001) on all" in documented
    assert r"| learning\_rate | 0.001 |" in documented and "None" not in documented


def test_a_builders_network_is_trained_as_it_says_itself():
    records = completed_study()
    run = facts(records).run
    configuration = replace(run.configuration, own=(("filters", 32),))
    built = facts(records, run=replace(run, configuration=configuration))
    for is_compiled, says in (
        (True, "(batch size 64, optimizer and loss as `builder.py` compiles them)"),
        (False, "(batch size 64, optimizer adam, learning rate 0.001)"),
    ):
        # What the baseline's network is says nothing about this one.
        table = ModelTable(builder="own.py:build", is_compiled=not is_compiled)
        card = model_card(
            replace(built, builder=table, is_compiled=is_compiled), verdict_sentence=SENTENCE
        )
        assert says in card
        assert ("cross-entropy" in card) != is_compiled
        assert "LSTM(" not in card


def test_a_card_says_why_its_model_is_not_calibrated():
    records = completed_study()
    reason = "the arm runner-up-1 has no validation runs"
    for changes, said in (
        ({"no_temperature": reason}, f"not calibrated, since {reason}: see"),
        ({}, "not calibrated, since the study file sets `export.calibrate` to false: see"),
    ):
        card = model_card(facts(records, **changes), verdict_sentence=SENTENCE)
        assert said in card
        assert card.count("not calibrated") == 1
        about = json.loads(as_json(facts(records, **changes)))
        assert about["no_temperature"] == changes.get("no_temperature", "")


def test_the_card_of_another_arm_says_that_the_verdict_is_not_about_it():
    records = completed_study()
    said = "This is the network of the arm `runner-up-1`, not of the study's winner."
    other = replace(facts(records).run, arm="runner-up-1")
    assert said in model_card(facts(records, run=other), verdict_sentence=SENTENCE)
    assert "not of the study's winner" not in model_card(facts(records), verdict_sentence=SENTENCE)


def test_a_users_own_reviews_are_not_called_imdbs():
    records = completed_study()
    records = replace(records, corpus=replace(records.corpus, source="csv"))
    card = model_card(facts(records), verdict_sentence=SENTENCE)
    assert "Maas" not in card and "which the study does not know" in card


def test_a_card_without_words_or_text_model_says_so():
    records = completed_study()
    card = model_card(
        facts(records, vocabulary=None, no_text_model="words are not known"),
        verdict_sentence=SENTENCE,
    )
    assert "no model that takes raw text in this bundle: words are not known" in card
    assert "vocabulary.txt" not in card


def test_a_study_without_its_reviews_in_numbers_is_refused():
    records = replace(completed_study(), corpus=None)
    with pytest.raises(ExportError, match="no record of its reviews"):
        model_card(facts(records), verdict_sentence=SENTENCE)


def test_the_example_compiles_with_and_without_words():
    for words in (True, False):
        text = example(words=words)
        compile(text, "example.py", "exec")
        assert "lstm_study" not in text
        assert ("vocabulary.txt" in text) is words


def test_a_card_of_characters_says_so():
    records = completed_study()
    said = "Every character of a text is a token"
    assert said not in model_card(facts(records), verdict_sentence=SENTENCE)
    assert records.corpus is not None
    of_characters = replace(records, corpus=replace(records.corpus, tokens="characters"))
    assert said in model_card(facts(of_characters), verdict_sentence=SENTENCE)
