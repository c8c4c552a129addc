"""Tests of the tables of whole studies, against numbers worked from the records."""

import csv
import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lstm_study.analysis.answer.verdict import judge
from lstm_study.configuration import HYPERPARAMETERS
from lstm_study.model.exploration import RESERVED
from lstm_study.records import Failure, StudyRecords
from lstm_study.report.content import Content, gather
from lstm_study.report.numbers import FORMATS
from lstm_study.report.tables.corpus import corpus_tables
from lstm_study.report.tables.method import method_tables
from lstm_study.report.tables.trainings import trial_tables
from lstm_study.spec import DataTable
from tests.support.fake_study import ALL_STUDIES, completed_study

ContentOf = Callable[[str], Content]


@pytest.mark.parametrize("name", ALL_STUDIES)
def test_every_column_is_explained_and_has_a_known_format(content: ContentOf, name: str) -> None:
    for table in content(name).tables.values():
        assert table.title
        for column in table.columns:
            assert column.meaning, (table.name, column.name)
            assert column.form in FORMATS


@pytest.mark.parametrize("name", ["completed", "compared", "controlled"])
def test_no_hyperparameter_of_a_builders_own_can_share_a_column(
    content: ContentOf, name: str
) -> None:
    found = set()
    for table in content(name).tables.values():
        columns = {column.name for column in table.columns}
        if len(columns & set(HYPERPARAMETERS)) > 2:
            found |= columns - set(HYPERPARAMETERS)
    assert {"error", "arm", "purpose", "times"} <= found <= RESERVED


def test_cost_adds_up_what_trials_and_runs_left(content: ContentOf) -> None:
    made = content("completed")
    rows = {row["stage"]: row for row in made.tables["cost"].records()}
    assert rows["search"]["trainings"] == 23
    assert rows["search"]["epochs"] == 75
    assert rows["comparison"]["trainings"] == 8
    assert rows["comparison"]["epochs"] == 8 * 5
    assert rows["both"]["epochs"] == 75 + 40
    seconds = sum(trial.seconds for trial in made.records.trials)
    assert rows["search"]["training_seconds"] == pytest.approx(seconds)


def test_labels_that_are_taken_together_are_named(content: ContentOf) -> None:
    made = content("completed")
    assert made.records.corpus is not None
    corpus = replace(made.records.corpus, labels=("1", "positive"))
    data = DataTable(source="csv", path="a.csv", positive=["4", "5"], negative=["1"])
    spec = made.spec.model_copy(update={"data": data})
    records = replace(made.records, corpus=corpus)
    tables = method_tables(records, spec, versions={}, git_commit="")
    facts = {
        row["what"]: row["value"] for t in tables if t.name == "sources" for row in t.records()
    }
    assert facts["Labels"] == "1 and positive (4, 5)"


def test_finalists_are_among_the_trials_and_epochs_that_were_planned(content: ContentOf) -> None:
    made = content("completed")
    again = replace(made.records.trials[0], trial_id="f-1-s1", role="finalist", budget_epochs=9)
    records = replace(made.records, trials=(*made.records.trials, again))
    tables = method_tables(records, made.spec, versions={}, git_commit="")
    (cost,) = (table for table in tables if table.name == "cost")
    row = cost.records()[0]
    assert (row["trainings"], row["planned_trials"]) == (24, 24)
    assert row["planned_epochs"] == made.records.planned_epochs + 9


def test_an_arms_mean_and_spread_are_those_of_its_runs(content: ContentOf) -> None:
    made = content("completed")
    runs = [run.test_accuracy for run in made.records.runs if run.arm == "winner"]
    assert len(runs) == 4
    mean = sum(value or 0 for value in runs) / 4
    spread = (sum(((value or 0) - mean) ** 2 for value in runs) / 3) ** 0.5
    row = made.tables["comparison"].records()[1]
    assert row["arm"] == "winner"
    assert row["test_accuracy_mean"] == pytest.approx(mean)
    assert row["test_accuracy_sd"] == pytest.approx(spread)


def test_a_failed_run_is_counted_and_left_out_of_the_mean(content: ContentOf) -> None:
    row = content("failed").tables["comparison"].records()[1]
    assert (row["seeds"], row["failed"]) == (3, 1)


def test_failures_list_trials_and_runs_with_their_errors(content: ContentOf) -> None:
    rows = content("failed").tables["failures"].records()
    assert {row["error_kind"] for row in rows} == {
        "diverged",
        "out_of_memory",
        "bug",
        "lost_worker",
    }
    assert [row["training_id"] for row in rows if row["stage"] == "comparison"] == ["winner-s4"]


def test_an_interrupted_trial_is_listed_without_an_error(content: ContentOf) -> None:
    rows = content("interrupted").tables["failures"].records()
    assert [(row["status"], row["message"]) for row in rows] == [("interrupted", None)]


def test_one_seed_has_no_standard_deviation(content: ContentOf) -> None:
    row = content("one-seed").tables["comparison"].records()[0]
    assert row["seeds"] == 1
    assert row["test_accuracy_sd"] is None


def test_without_a_winner_the_baseline_stands_alone(content: ContentOf) -> None:
    assert content("diverged").tables["comparison"].column("arm") == ["baseline"]


def test_the_winner_is_shown_before_anything_was_retrained(content: ContentOf) -> None:
    made = content("interrupted")
    assert made.tables["comparison"].column("arm") in (["baseline"], ["baseline", "winner"])
    assert made.tables["comparison"].value(0, "test_accuracy_mean") is None


def test_ties_share_a_score_and_not_a_rank(content: ContentOf) -> None:
    rows = [row for row in content("tied").tables["trials"].records() if row["rank"] is not None]
    assert {row["score"] for row in rows} == {0.875}
    assert sorted(int(row["rank"] or 0) for row in rows) == list(range(1, len(rows) + 1))
    first, *others = sorted(rows, key=lambda row: int(row["rank"] or 0))
    run = next(run for run in content("tied").records.runs if run.arm == "winner")
    assert first["lstm_units"] == run.configuration.lstm_units, "it was compared"
    sizes = [int(row["parameter_count"] or 0) for row in others]
    assert sizes == sorted(sizes)


def test_reviews_longer_than_maxlen_are_estimated_from_the_bins(content: ContentOf) -> None:
    rows = content("completed").tables["maxlen_choices"].records()
    found = {row["maxlen"]: row["cut_share"] for row in rows}
    # 1,600 reviews; longer than 200: 291 + 250 + 150 + 20; of the bin 150 to 200, a fifth of the
    # 310 is at most 160, so 248 of it are longer.
    assert found[200] == pytest.approx(711 / 1600)
    assert found[160] == pytest.approx((711 + 248) / 1600)


def test_a_promoted_trials_curve_starts_where_its_parent_ended(content: ContentOf) -> None:
    made = content("completed")
    promoted = next(trial for trial in made.records.trials if trial.round == 1)
    epochs = [
        row["epoch"]
        for row in made.tables["trial_curves"].records()
        if row["trial_id"] == promoted.trial_id
    ]
    assert epochs == list(range(promoted.initial_epoch, promoted.budget_epochs + 1))


def _roc(made: Content, arm: str) -> list[dict[str, float]]:
    rows = [row for row in made.tables["roc"].records() if row["arm"] == arm]
    return [{key: float(row[key] or 0) for key in row if key != "arm"} for row in rows]


def test_mean_roc_curves_start_at_nothing_and_end_at_everything(content: ContentOf) -> None:
    rows = _roc(content("completed"), "winner")
    ends = [(row["false_positive_rate"], row["true_positive_rate"]) for row in rows]
    assert (ends[0], ends[-1]) == ((0.0, 0.0), (1.0, 1.0))
    assert all(row["lowest"] <= row["true_positive_rate"] <= row["highest"] for row in rows)
    assert {row["runs"] for row in rows} == {4}


def test_the_area_under_the_mean_roc_curve_is_the_mean_of_the_metric(content: ContentOf) -> None:
    made = content("completed")
    points = [
        (row["false_positive_rate"], row["true_positive_rate"]) for row in _roc(made, "winner")
    ]
    area = sum(
        (right[0] - left[0]) * (right[1] + left[1]) / 2
        for left, right in itertools.pairwise(points)
    )
    metrics = made.tables["metrics"]
    values = [float(metrics.value(row, "roc_auc") or 0) for row in metrics.where(arm="winner")]
    assert area == pytest.approx(sum(values) / 4, abs=0.002)


def test_models_are_listed_by_accuracy_with_their_distance_to_the_baseline(
    content: ContentOf,
) -> None:
    rows = content("compared").tables["models"].records()
    combined = {"winner-with-control", "ensemble-with-control"}
    arms = {"baseline", "winner", "control", "ensemble", "runner-up-1", *combined}
    assert {row["arm"] for row in rows} == arms
    assert {row["arm"] for row in rows if row["exported"] == "yes"} == {
        "control", "ensemble", "winner", *combined,
    }  # fmt: skip
    accuracies = [float(row["test_accuracy"] or 0) for row in rows]
    assert accuracies == sorted(accuracies, reverse=True)
    base = next(row for row in rows if row["arm"] == "baseline")
    for row in rows:
        if row is not base:
            expected = float(row["test_accuracy"] or 0) - float(base["test_accuracy"] or 0)
            assert row["difference"] == pytest.approx(expected)
    assert content("empty").tables["models"].rows == ()


def test_every_review_lies_in_one_bin_of_the_calibration(content: ContentOf) -> None:
    made = content("completed")
    rows = [row for row in made.tables["calibration"].records() if row["arm"] == "baseline"]
    assert sum(int(row["reviews"] or 0) for row in rows) == 4 * 2_000


def test_only_what_is_evaluated_on_test_is_an_arm(content: ContentOf) -> None:
    rows = {row["arm"]: row for row in content("compared").tables["comparison"].records()}
    assert list(rows) == [
        "baseline", "winner", "baseline-masked", "winner-own-epoch", "runner-up-1", "control",
        "ensemble",
    ]  # fmt: skip
    assert [rows[arm]["masked"] for arm in ("baseline", "baseline-masked", "winner")] == [
        "no", "yes", "yes",
    ]  # fmt: skip
    assert rows["winner-own-epoch"]["epochs"] == 3
    assert all(row["purpose"] for row in rows.values())


def test_an_ensemble_costs_what_all_its_runs_cost(content: ContentOf) -> None:
    rows = {row["arm"]: row for row in content("compared").tables["comparison"].records()}
    one, four = rows["winner"], rows["ensemble"]
    for name in ("parameter_count", "training_seconds_mean", "predict_1000_seconds"):
        assert four[name] == pytest.approx(4 * float(one[name] or 0))


def test_a_run_of_last_epochs_predicts_with_all_its_networks_in_every_table() -> None:
    study = completed_study()
    last = [
        replace(
            run, arm="winner-last-three", run_id=f"winner-last-three-s{run.seed_index}",
            trained_as=run.run_id,
        )
        for run in study.runs
        if run.arm == "winner"
    ]  # fmt: skip
    predictions = study.predictions | {
        run.run_id: study.predictions[run.trained_as] for run in last
    }
    records = replace(study, runs=(*study.runs, *last), predictions=predictions)
    made = gather(
        records, verdict=judge(records), made_at="", versions={}, git_commit="", bundle=None
    )
    (whole,) = made.tables["comparison"].where(arm="winner-last-three")
    arm = made.tables["comparison"].value(whole, "predict_1000_seconds")
    rows = [row for row in made.tables["runs"].records() if row["arm"] == "winner-last-three"]
    times = [float(row["predict_1000_seconds"] or 0) for row in rows]
    assert times == [3 * (run.predict_1000_seconds or 0) for run in last]
    assert arm == pytest.approx(sum(times) / len(times))


def test_the_control_is_an_arm_with_one_run_and_its_candidates(content: ContentOf) -> None:
    made = content("compared")
    control = made.records.control
    assert control is not None
    (row,) = (row for row in made.tables["runs"].records() if row["arm"] == "control")
    assert row["test_accuracy"] == control.test_accuracy
    assert row["maxlen"] is None
    chosen = made.tables["classical_control"].column("chosen")
    assert chosen == ["no", "no", "yes", "no"]
    metrics = made.tables["metrics"].where(run_id="control")
    assert made.tables["metrics"].value(metrics[0], "accuracy") == pytest.approx(
        control.test_accuracy
    )


def test_the_steps_of_the_way_add_up_from_the_masked_baseline_to_the_winner(
    content: ContentOf,
) -> None:
    made = content("compared")
    rows = made.tables["ablation"].records()
    assert rows[0]["hyperparameter"] == "baseline-masked"
    assert rows[-1]["run_id"] == "winner-validation-s1"
    gains = sum(float(row["gain"] or 0) for row in rows[1:])
    assert float(rows[0]["score"] or 0) + gains == pytest.approx(rows[-1]["score"])
    tried = made.tables["ablation_tried"].records()
    for row in rows[1:]:
        mine = [each for each in tried if each["step"] == row["step"]]
        assert max(float(each["gain"] or 0) for each in mine) == row["gain"]
        assert [each["kept"] for each in mine].count("yes") == 1


def test_further_arms_share_one_correction_and_the_twin_stands_apart(content: ContentOf) -> None:
    rows = content("compared").tables["further_arms"].records()
    assert (rows[0]["arm"], rows[0]["reference"]) == ("winner", "baseline-masked")
    assert rows[0]["adjusted_p_value"] is None
    like_with_like = [
        ("winner-own-epoch", "baseline"), ("control", "winner"), ("control", "ensemble"),
    ]  # fmt: skip
    assert [(row["arm"], row["reference"]) for row in rows[1:4]] == like_with_like
    described = [("runner-up-1", "winner"), ("ensemble", "baseline")]
    assert [(row["arm"], row["reference"]) for row in rows[4:6]] == described
    for row in rows[4:6]:
        assert row["low"] is not None
        assert row["p_value"] is row["adjusted_p_value"] is None
        assert str(row["answer"]).startswith("described, not tested")
    for row in rows[6:]:
        assert row["reference"] == "baseline"
        if row["p_value"] is not None:
            assert float(row["adjusted_p_value"] or 0) >= float(row["p_value"] or 0)


def test_accuracy_by_length_counts_every_review_once(content: ContentOf) -> None:
    made = content("compared")
    accuracies = {row["arm"]: row for row in made.tables["comparison"].records()}
    for name in ("accuracy_by_length", "accuracy_by_unknown"):
        rows = made.tables[name].records()
        arms = {row["arm"] for row in rows}
        assert {"baseline", "winner"} <= arms
        for arm in arms:
            mine = [row for row in rows if row["arm"] == arm]
            reviews = [int(row["reviews"] or 0) for row in mine]
            assert sum(reviews) == 2_000
            right = sum(float(row["accuracy"] or 0) * int(row["reviews"] or 0) for row in mine)
            assert right / 2_000 == pytest.approx(accuracies[arm]["test_accuracy_mean"])


def test_reviews_read_most_differently_have_their_facts_and_excerpts(content: ContentOf) -> None:
    made = content("compared")
    facts = made.records.review_facts
    assert facts is not None
    rows = made.tables["differing_reviews"].records()
    assert [float(row["gain"] or 0) > 0 for row in rows] == [True] * 6 + [False] * 6
    for row in rows:
        assert row["tokens"] == facts.lengths[int(row["review"] or 0)]
        assert str(row["excerpt"]).startswith(f"Review {row['review']}: ")
        shift = float(row["winner"] or 0) - float(row["baseline"] or 0)
        sign = 1 if row["label"] == "positive" else -1
        assert row["gain"] == pytest.approx(sign * shift)


def test_arms_that_the_study_file_asks_for_and_that_lack_runs_are_named() -> None:
    study = ALL_STUDIES["completed"]()
    spec = {name: dict(values) for name, values in study.spec.items()}
    spec["compare"]["runner_ups"], spec["protocol"]["masked"] = 1, True

    def notes(records: StudyRecords) -> str:
        made = gather(
            records, verdict=judge(records), made_at="", versions={},
            git_commit="", bundle=None,
        )  # fmt: skip
        return " ".join(str(row["note"]) for row in made.tables["notes"].records())

    assert "baseline-masked has 0 of 4, runner-up-1 has 0 of 4" in notes(replace(study, spec=spec))
    assert "has 0 of" not in notes(study)
    fewer = tuple(run for run in study.runs if run.run_id != "winner-s4")
    assert "has 0 of" not in notes(replace(study, spec=spec, runs=fewer)), "first things first"


def test_words_of_reviews_that_are_on_record_are_left_out_when_the_study_file_says_so() -> None:
    study = ALL_STUDIES["compared"]()
    assert study.review_facts is not None
    assert study.review_facts.excerpts
    spec = dict(study.spec)
    spec["export"] = {**spec["export"], "excerpts": False}
    made = gather(
        replace(study, spec=spec), verdict=judge(study), made_at="",
        versions={}, git_commit="", bundle=None,
    )  # fmt: skip
    assert {row["excerpt"] for row in made.tables["differing_reviews"].records()} == {None}
    assert made.records.review_facts is not None
    assert made.records.review_facts.excerpts == ()


def test_without_facts_of_the_reviews_there_are_their_numbers_alone(content: ContentOf) -> None:
    tables = content("completed").tables
    assert tables["accuracy_by_length"].rows == ()
    assert tables["accuracy_by_unknown"].rows == ()
    rows = tables["differing_reviews"].records()
    assert len(rows) == 12
    assert {(row["tokens"], row["excerpt"]) for row in rows} == {(None, None)}


def test_near_duplicates_and_others_make_up_the_whole(content: ContentOf) -> None:
    rows = content("compared").tables["near_duplicates"].records()
    assert {"baseline", "winner"} <= {row["arm"] for row in rows}
    for row in rows:
        near, all_reviews = int(row["near_duplicates"] or 0), int(row["test_reviews"] or 0)
        right = near * float(row["on_near_duplicates"] or 0)
        right += (all_reviews - near) * float(row["on_others"] or 0)
        assert right / all_reviews == pytest.approx(row["accuracy"])


@pytest.mark.parametrize("name", ["imdb", "imdb-open", "quickstart"])
def test_the_difference_without_near_duplicates_is_that_of_the_caveats(name: str) -> None:
    tables = Path(__file__).parents[2] / "reports" / name / "tables"
    with (tables / "near_duplicates.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["arm"]: row for row in csv.DictReader(file)}
    difference, low, high = (
        f"{100 * float(rows['winner'][column]):+.2f}".replace("-", "−")
        for column in ("difference_on_others", "low", "high")
    )
    said = f"the difference is {difference} points (95% interval {low} to {high})"
    assert said in (tables / "notes.csv").read_text(encoding="utf-8")
    assert rows["baseline"]["difference_on_others"] == ""


def test_confusion_of_an_arm_is_the_mean_of_its_runs(content: ContentOf) -> None:
    made = content("completed")
    runs = [row for row in made.tables["metrics"].records() if row["arm"] == "winner"]
    (row,) = (row for row in made.tables["confusion"].records() if row["arm"] == "winner")
    for name in ("true_positive", "false_negative", "false_positive", "true_negative"):
        assert row[name] == pytest.approx(sum(int(run[name] or 0) for run in runs) / len(runs))


def test_a_failed_control_is_among_the_failures(content: ContentOf) -> None:
    made = content("compared")
    control = made.records.control
    assert control is not None
    failed = replace(
        control, status="failed", failure=Failure(kind="bug", message="MemoryError", traceback="")
    )
    table = next(
        table
        for table in trial_tables(replace(made.records, control=failed), made.spec)
        if table.name == "failures"
    )
    assert [row["training_id"] for row in table.records()] == ["control"]


def test_a_training_that_was_evaluated_twice_costs_once(content: ContentOf) -> None:
    made = content("compared")
    rows = {row["stage"]: row for row in made.tables["cost"].records()}
    own = [run for run in made.records.runs if run.trained_as]
    assert len(own) == 4
    rest = [run for run in made.records.runs if not run.trained_as]
    assert rows["comparison"]["trainings"] == len(rest)
    assert rows["comparison"]["epochs"] == sum(len(run.epochs) for run in rest)
    assert rows["comparison"]["training_seconds"] == pytest.approx(sum(run.seconds for run in rest))


def test_slices_hold_each_completed_trial_once_per_hyperparameter(content: ContentOf) -> None:
    made = content("failed")
    points = made.tables["slices"].records()
    done = [trial for trial in made.records.trials if trial.status == "completed"]
    assert len(points) == len(made.spec.space.searched()) * len(done)
    first = next(
        point
        for point in points
        if (point["trial_id"], point["hyperparameter"]) == (done[0].trial_id, "maxlen")
    )
    assert first["value"] == done[0].configuration.maxlen


def test_what_was_left_out_is_counted_by_its_reason(content: ContentOf) -> None:
    made = content("completed")
    assert made.records.corpus is not None
    corpus = replace(
        made.records.corpus, left_out=(("without a label", 3),), near_equal=2, groups=40
    )
    (found,) = [t for t in corpus_tables(corpus, made.spec) if t.name == "reviews_read"]
    assert [tuple(row.values()) for row in found.records()] == [
        ("left out", "without a label", 3), ("near-equal", "", 2), ("groups", "", 40),
    ]  # fmt: skip
