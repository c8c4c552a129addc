"""Sentences of the report that depend on the kind of study: each is true of the records."""

import functools
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lstm_study import commands
from lstm_study.analysis.answer.verdict import judge
from lstm_study.metrics import accuracy
from lstm_study.records import StudyRecords
from lstm_study.report.content import Content, gather
from lstm_study.report.numbers import duration
from lstm_study.report.page.html import render
from lstm_study.report.tables.table import to_csv
from lstm_study.report.write import render_files
from tests.support.fake_open_study import built_study, opened_study
from tests.support.fake_study import (
    compared_study,
    completed_study,
    controlled_study,
    interrupted_study,
    one_seed_study,
    tied_study,
)
from tests.support.report_page import parse, untraced
from tests.support.stored_study import leave


def collapsed_study(*, arm: str = "winner", by: float = 0.12) -> StudyRecords:
    """The completed fake study with one run that is so far below the others of its arm."""
    study = completed_study()
    name = f"{arm}-s2"
    row = study.predictions[name].copy()
    assert study.test_labels is not None
    correct = np.flatnonzero((row > 0.5) == (study.test_labels == 1))
    wrong = correct[: int(by * len(row))]
    row[wrong] = 1 - row[wrong]
    runs = tuple(
        replace(run, test_accuracy=accuracy(study.test_labels, row)) if run.run_id == name else run
        for run in study.runs
    )
    return replace(study, runs=runs, predictions={**study.predictions, name: row})


def failed_winner_study() -> StudyRecords:
    """The completed fake study with a winner whose runs all give one probability."""
    study = completed_study()
    assert study.test_labels is not None
    constant = {
        run.run_id: np.full(len(study.test_labels), 0.4, np.float32)
        for run in study.runs
        if run.arm == "winner"
    }
    runs = tuple(
        replace(run, test_accuracy=accuracy(study.test_labels, constant[run.run_id]))
        if run.run_id in constant
        else run
        for run in study.runs
    )
    return replace(study, runs=runs, predictions={**study.predictions, **constant})


def calibrated_study(*, is_exported: bool = True) -> StudyRecords:
    """The fake study of many arms whose winner's validation runs have temperatures."""
    study = compared_study()
    runs = tuple(
        replace(run, temperature=2.0) if run.arm == "winner-validation" else run
        for run in study.runs
    )
    spec = {**study.spec, "export": {**study.spec["export"], "calibrate": is_exported}}
    return replace(study, runs=runs, spec=spec)


STUDIES = {
    "all failed": failed_winner_study, "calibrated": calibrated_study,
    "calibrated, not exported": functools.partial(calibrated_study, is_exported=False),
    "open": opened_study, "built": built_study, "compared": compared_study,
    "completed": completed_study, "collapsed": collapsed_study, "interrupted": interrupted_study,
}  # fmt: skip


def _gathered(records: StudyRecords) -> Content:
    return gather(
        records, verdict=judge(records), made_at="2025-03-02T10:00:00.000Z", versions={},
        git_commit="", bundle=None,
    )  # fmt: skip


@functools.cache
def _content(name: str) -> Content:
    return _gathered(STUDIES[name]())


@functools.cache
def _said(name: str, section: str) -> str:
    """What a section says, in one line."""
    return _in_section(_content(name), section)


def _in_section(content: Content, section: str) -> str:
    page = parse(render(content))
    (found,) = [node for node in page.find("section") if node.attributes.get("id") == section]
    return re.sub(r"\s+", " ", found.text)


@pytest.mark.parametrize("name", STUDIES)
def test_every_number_in_the_page_is_found_in_a_table(name: str) -> None:
    content = _content(name)
    tables = {table.path: to_csv(table) for table in content.tables.values()}
    assert untraced(render(content), tables) == []


def test_the_epochs_of_retraining_are_each_arms_own() -> None:
    said = _said("open", "optimism")
    assert "those of the arm winner for 4 epochs" in said
    assert "those of the arm baseline-masked for 10 epochs" in said
    assert "those of the arm winner for 5 epochs" in _said("completed", "optimism")


def test_trainings_are_said_to_differ_in_what_they_differ_in() -> None:
    recipe = "epochs, masking of padding, learning rate and summed gradients"
    assert f"their trainings differ in {recipe}." in _said("open", "winner")
    assert f"the arms’ trainings differ in {recipe}." in _said("open", "comparison")
    assert "trainings differ in masking of padding." in _said("compared", "winner")
    assert "with the same seeds and the same protocol." in _said("completed", "winner")
    assert "one seed under the same protocol" in _said("completed", "comparison")
    assert "trainings differ in learning rate." in _said("built", "winner")
    assert "What the builder compiles itself may differ" in _said("built", "comparison")
    all_failed = _said("all failed", "comparison")
    assert "4 failed by the decision rule. So there is no difference to the baseline" in all_failed
    assert "differences do not" not in all_failed
    for name in ("open", "compared", "built"):
        assert "same protocol" not in _said(name, "comparison")


def test_masking_is_not_said_to_separate_what_recipe_and_epochs_differ_in_too() -> None:
    said = _said("open", "winner")
    assert "that of the hyperparameters (baseline-masked to winner)" not in said
    assert "winner and baseline-masked differ in epochs, learning rate" in said
    assert "(baseline-recipe to winner)" in said
    assert "Winner minus baseline-recipe:" in said
    assert "that of the hyperparameters (baseline-masked to winner)" in _said("compared", "winner")
    assert "baseline-recipe" not in _said("compared", "winner")


def test_deviations_are_not_said_to_be_the_baselines_where_it_is_documented() -> None:
    documented = completed_study(baseline__maxlen="500", baseline__epochs="10")
    deviations = ("protocol epochs 5 (documented: 10)",)
    records = replace(documented, deviations=deviations)
    content = gather(
        records, verdict=judge(records), made_at="2025-03-02T10:00:00.000Z", versions={},
        git_commit="", bundle=None,
    )  # fmt: skip
    page = render(content)
    assert "The baseline is the documented one, trained as documented; the study" in page
    assert "Its baseline is the documented one" in content.tables["notes"].column("note")[-1]
    assert "documented" in content.tables["comparison"].value(0, "purpose")
    assert "The baseline or its training differs from the documented one" in _said("open", "answer")
    assert "not the documented one" in _content("open").tables["comparison"].value(0, "purpose")
    assert "The networks come from a builder" in _said("built", "answer")


def test_reads_of_the_test_reviews_that_repeat_are_counted_as_such() -> None:
    assert "never twice for the same run" in _said("completed", "answer")
    study = completed_study()
    records = replace(study, openings=(*study.openings, study.openings[-1]))
    content = gather(
        records, verdict=judge(records), made_at="2025-03-02T10:00:00.000Z", versions={},
        git_commit="", bundle=None,
    )  # fmt: skip
    assert content.tables["verdict"].value(0, "repeated_openings") == 1
    page = parse(render(content)).text
    assert "were read 9 times, 1 of them again for the same run" in page
    assert "once for each evaluation" not in page


@pytest.mark.parametrize("kept", [0, 3])
def test_lost_lines_of_the_log_of_reads_are_said_to_be_lost(kept: int) -> None:
    study = completed_study()
    records = replace(study, openings=study.openings[:kept])
    note = "The log of reads of the test reviews is incomplete: it lacks those of "
    assert not any(each.startswith(note) for each in judge(study).notes)
    verdict = judge(records)
    assert verdict.notes[-1].startswith(note)
    content = gather(
        records, verdict=verdict, made_at="2025-03-02T10:00:00.000Z", versions={}, git_commit="",
        bundle=None,
    )  # fmt: skip
    page = parse(render(content)).text
    assert note in page
    assert "as far as the log has them" in page
    for untrue in ("have not been read", "never twice for the same run", "Every read"):
        assert untrue not in page


def test_a_run_left_out_of_differences_is_told_of_beside_the_means_that_include_it() -> None:
    content = _content("collapsed")
    comparison = content.tables["comparison"]
    row = comparison.column("arm").index("winner")
    kept = comparison.text(row, "test_accuracy_kept")
    accuracies = [
        run.test_accuracy
        for run in collapsed_study().runs
        if run.arm == "winner" and run.run_id != "winner-s2"
    ]
    assert comparison.value(row, "test_accuracy_kept") == pytest.approx(np.mean(accuracies))
    assert comparison.column("left_out") == [0, 1]
    assert f"{kept} without 1 failed, as in the difference" in _said("collapsed", "answer")
    said = _said("collapsed", "comparison")
    assert "Of 4 runs of winner, 1 failed by the decision rule. The mean in the table" in said
    assert f"without, the mean is {kept}" in said
    summary = render_files(content)["report.md"].decode()
    (line,) = [each for each in summary.splitlines() if each.startswith("Failed runs, which")]
    assert "winner-s2 (" in line
    assert f"Means without them: winner {kept}." in line
    assert "Failed runs, which" not in render_files(_content("completed"))["report.md"].decode()


def test_no_failure_is_denied_that_the_decision_rule_finds() -> None:
    said = _said("collapsed", "failures")
    assert "No trial and no run failed" not in said
    assert "Runs that count as failed by the decision rule" in said
    assert "decision rule" not in _said("completed", "failures")


def test_the_verdict_says_in_what_the_winner_differs_from_the_baseline_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alike = compared_study()
    own_epochs = replace(
        alike,
        spec={**alike.spec, "baseline": {**alike.spec["baseline"], "epochs": 3}},
        runs=tuple(
            replace(run, protocol_epochs=3, epochs=run.epochs[:3])
            if run.arm in ("baseline", "baseline-masked")
            else run
            for run in alike.runs
        ),
    )
    for number, (study, words) in enumerate(
        [
            (alike, "in hyperparameters alone."),
            (own_epochs, "in hyperparameters and epochs alone."),
        ]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        answer = commands.read_answer(commands.open_study(leave(study, folder)))
        assert f"They differ {words}" in answer.verdict.sentence


def test_a_table_with_failed_runs_shows_the_mean_without_them_beside_the_one_with_them() -> None:
    said = _said("collapsed", "comparison")
    assert "test accuracy, without failed" in said
    beside = _said("collapsed", "winner")
    assert "test accuracy, mean without failed runs" in beside
    assert "test accuracy, mean of all runs" in beside
    assert "without failed" not in _said("completed", "winner")
    assert "test accuracy, without failed" not in _said("completed", "comparison")


def test_a_difference_to_an_arm_with_a_failed_run_names_the_run() -> None:
    whole = completed_study(seeds=5)
    twins = [
        replace(run, run_id=f"baseline-masked-s{run.seed_index}", arm="baseline-masked")
        for run in whole.runs
        if run.arm == "baseline"
    ]
    predictions = dict(whole.predictions)
    predictions |= {run.run_id: predictions[f"baseline-s{run.seed_index}"] for run in twins}
    predictions["baseline-masked-s2"] = np.full(2_000, 0.5, np.float32)
    study = replace(whole, runs=(*whole.runs, *twins), predictions=predictions)
    content = gather(
        study, verdict=judge(study), made_at="2025-03-02T10:00:00.000Z", versions={},
        git_commit="", bundle=None,
    )  # fmt: skip
    text = re.sub(r"\s+", " ", parse(render(content)).text)
    (said,) = re.findall(r"Winner minus baseline-masked: .*? without the failed \S+", text)
    assert said.endswith(", without the failed baseline-masked-s2.")


def test_a_shorter_baseline_is_said_to_be_no_documented_one_and_where_reviews_lie_is_not() -> None:
    notes = _content("completed").tables["notes"].column("note")
    (cut,) = (note for note in notes if "The baseline is cut to" in str(note))
    assert "5 epochs (documented: 10)" in str(cut)
    documented = completed_study(baseline__maxlen="500", baseline__epochs="10")
    for settings, words in ((("data.path=x",), None), (("data.path=x", "a.b=1"), "line: a.b=1.")):
        records = replace(documented, settings=settings, deviations=("protocol epochs 5",))
        content = gather(
            records, verdict=judge(records), made_at="2025-03-02T10:00:00.000Z", versions={},
            git_commit="", bundle=None,
        )  # fmt: skip
        told = [str(note) for note in content.tables["notes"].column("note")]
        assert not any("cut to" in note or "data.path" in note for note in told)
        assert any(words in note for note in told) if words else "line:" not in " ".join(told)


def test_calibration_is_explained_with_its_temperature_and_what_it_does() -> None:
    said = _said("calibrated", "comparison")
    assert "divided by T = 2.00, fitted on its 2 validation runs" in said
    rows = {row["arm"]: row for row in _content("calibrated").tables["arm_metrics"].records()}
    raw, calibrated = (
        f"{rows[arm]['calibration_error_mean']:.4f}" for arm in ("winner", "winner, calibrated")
    )
    assert raw != calibrated
    assert "The exported model includes it. On test" in said
    assert f"the calibration error goes from {raw} to {calibrated}" in said
    said = _said("calibrated, not exported", "comparison")
    assert "The exported model does not include it: export.calibrate is false." in said


def test_a_winner_that_is_not_calibrated_is_said_to_be_and_why() -> None:
    said = "The winner is not calibrated, neither here nor as exported: "
    assert f"{said}the winner has no validation runs." in _said("completed", "comparison")
    assert "calibrated" not in _said("interrupted", "comparison")


def test_metrics_of_arms_count_runs_that_failed_by_the_rule_apart() -> None:
    said = _said("collapsed", "comparison")
    assert "after the plus, completed runs that failed by the decision rule" in said
    assert re.search(r"winner ?4 ?0 \+ 1", said)
    assert "after the plus" not in _said("completed", "comparison")


def test_majority_votes_are_compared_with_the_reviews_and_not_with_the_failures() -> None:
    said = _said("completed", "comparison")
    assert said.index("the majority votes") < said.index("Failures of training")
    assert said.index("Accuracy by review") < said.index("the majority votes")


def test_the_controls_final_fit_and_its_time_with_all_candidates_are_told_apart() -> None:
    control = _content("compared").records.control
    assert control is not None and control.fit_seconds is not None
    assert control.fit_seconds != control.seconds
    said = _said("compared", "comparison")
    fit, whole = duration(control.fit_seconds), duration(control.seconds)
    assert f"That final fit took {fit}; with all candidates" in said
    assert f"as in the list of all runs, it was {whole}." in said
    assert "training of a run (control: final fit)" in said
    assert "final fit" not in _said("completed", "comparison")


def test_times_of_one_row_of_sizes_and_speeds_have_one_unit() -> None:
    content = _content("compared")
    page = parse(render(content))
    (sizes,) = [
        node for node in page.find("div")
        if node.attributes.get("aria-label") == "Size, speed and accuracy"
    ]  # fmt: skip
    rows = {row.find("th")[0].text: row.find("td") for row in sizes.find("tbody")[0].find("tr")}
    for name in ("time per epoch", "training time of a run", "time to predict a thousand reviews"):
        forms = {cell.find("data")[0].attributes["data-form"] for cell in rows[name]}
        assert len(rows[name]) > 1
        assert len(forms - {"duration"}) == 1


def test_a_report_on_characters_says_what_its_words_are() -> None:
    study = completed_study()
    assert study.corpus is not None
    said = "where this report says word, it means a character"
    assert said not in _said("completed", "data")
    characters = replace(study, corpus=replace(study.corpus, tokens="characters"))
    content = gather(
        characters, verdict=judge(characters), made_at="2025-03-02T10:00:00.000Z", versions={},
        git_commit="", bundle=None,
    )  # fmt: skip
    assert said in render(content)


def test_models_are_said_to_be_compared_only_where_they_are() -> None:
    rule, rest = "the one that predicts fastest is recommended", "are not compared."
    whole = _said("completed", "answer")
    assert rule in whole
    assert rest not in whole
    one = _in_section(_gathered(one_seed_study()), "answer")
    assert rule not in one
    assert "these intervals" not in one
    study = completed_study()
    first = next(run for run in study.runs if run.run_id == "winner-s1")
    runner_up = replace(first, arm="runner-up-1", run_id="runner-up-1-s1")
    predictions = study.predictions | {runner_up.run_id: study.predictions[first.run_id]}
    mixed = replace(study, runs=(*study.runs, runner_up), predictions=predictions)
    said = _in_section(_gathered(mixed), "answer")
    assert rule in said
    assert f"fewer than four runs that did not fail, and {rest}" in said


def test_a_search_that_a_limit_ended_is_told_among_the_caveats() -> None:
    # Whatever limits there are: of two, one ended it.
    limits = {"search__time_limit": '"20s"', "search__max_trials": "23"}
    limited = replace(completed_study(**limits), planned_trials=30)
    said = "search.max_trials of 23 is reached: the search ended after 23 of 30 planned trials."
    assert "planned trials." not in _in_section(_gathered(limited), "answer")
    cut = replace(limited, stopped="search.max_trials of 23 is reached")
    assert said in _in_section(_gathered(cut), "answer")


def test_a_control_beside_a_search_that_a_limit_ended_is_planned_as_large_as_its_plan_says() -> (
    None
):
    study = controlled_study()
    few = replace(study, planned_trials=study.planned_trials - 9,
                  planned_epochs=study.planned_epochs - 81,
                  planned_control=study.planned_control - 9)  # fmt: skip
    for each in (study, few):
        schedule = _gathered(each).tables["schedule"]
        assert schedule.value(len(schedule.rows) - 1, "planned") == each.planned_control


def test_a_winner_with_the_baselines_values_has_no_path_that_is_still_to_be_trained() -> None:
    study = completed_study(compare__ablation="true", compare__validation_seeds="1")
    later = "The path from baseline to winner has not been trained yet."
    assert later in _in_section(_gathered(study), "winner")
    baseline = next(run.configuration for run in study.runs if run.arm == "baseline")
    same = replace(study, runs=tuple(replace(run, configuration=baseline) for run in study.runs))
    said = _in_section(_gathered(same), "winner")
    assert later not in said
    assert "there is no path from one to the other" in said


def test_a_winner_that_has_not_been_retrained_is_not_said_to_have_been() -> None:
    said = _said("interrupted", "winner")
    assert "The winner so far is the configuration with the best score" in said
    assert "It has not been retrained yet." in said
    assert "were then retrained" not in said
    assert "Winner and baseline were then retrained" in _said("completed", "winner")


def test_where_one_label_is_rare_each_arm_has_its_balanced_accuracy() -> None:
    study = completed_study()
    labels = np.where(np.arange(len(study.test_labels)) % 10, 1, 0).astype(study.test_labels.dtype)
    said = _in_section(_gathered(replace(study, test_labels=labels)), "comparison")
    assert "failedaccuracybalanced accuracyF-scoreROC AUC" in said
    assert "One label has 90.00% of the test reviews." in said
    assert "balanced accuracyF-scoreROC AUC" not in _said("completed", "comparison")


def test_the_names_of_trials_are_explained_as_the_study_has_them() -> None:
    study = completed_study()
    search = {**study.spec["search"], "iterations": 2}
    said = _in_section(_gathered(replace(study, spec={**study.spec, "search": search})), "search")
    assert "i1-b2-08-r1 is slot eight of bracket two in the second iteration" in said
    assert "name tells its bracket, its slot" in _said("completed", "search")


def test_the_glossary_is_in_the_order_of_the_alphabet() -> None:
    page = parse(render(_content("completed")))
    (found,) = [n for n in page.find("section") if n.attributes.get("id") == "glossary"]
    terms = [node.text.lower() for node in found.find("dt")]
    assert terms
    assert terms == sorted(terms)


def test_importance_is_said_to_be_missing_for_the_reason_that_it_is() -> None:
    study = completed_study()
    trials = tuple(
        replace(
            trial,
            epochs=tuple(replace(each, validation_accuracy=0.75) for each in trial.epochs),
        )
        for trial in study.trials
    )
    text = _in_section(_gathered(replace(study, trials=trials)), "search")
    assert "All configurations have the same score, so nothing shows which" in text
    assert "Too few configurations have been measured" not in text
    assert "All configurations have the same score" not in _said("completed", "search")


def test_runs_of_equal_labels_are_not_said_to_make_equal_predictions() -> None:
    study = tied_study()
    predictions = {
        name: np.where(row > 0.5, row - 0.001 * place, row).clip(0.5001 * (row > 0.5), 1)
        for place, (name, row) in enumerate(study.predictions.items())
    }
    said = judge(replace(study, predictions=predictions)).sentence
    assert "All runs of an arm give a review the same label" in said
    assert "same predictions" not in said
