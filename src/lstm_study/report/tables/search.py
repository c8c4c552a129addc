"""Tables of the search as a whole: best so far, random control, schedule, agreement of ranks."""

from collections.abc import Sequence
from dataclasses import replace

from lstm_study.analysis.search import random_control as control
from lstm_study.analysis.search import summary as search_summary
from lstm_study.records import StudyRecords, Trial
from lstm_study.records.trial_ids import in_order
from lstm_study.report.tables.columns import (
    BRACKET,
    BUDGET,
    ITERATION,
    ROLE,
    ROUND,
    TRIAL_ID,
    measure_form,
    short_name_column,
)
from lstm_study.report.tables.table import Column, Table, cells_of, table
from lstm_study.schedule import Bracket, hyperband, single_round
from lstm_study.spec import StudySpec


def search_tables(records: StudyRecords, spec: StudySpec) -> list[Table]:
    """Builds every table of the search; without trials they have no rows."""
    return [
        _best_so_far(records.trials, spec),
        _control(records.trials, spec),
        _schedule(records, spec),
        _rank_agreement(records.trials, spec),
        _early_and_final(records.trials, spec),
        _finalists(records, spec),
    ]


def _best_so_far(trials: Sequence[Trial], spec: StudySpec) -> Table:
    form = measure_form(spec.study.objective)
    columns = (
        Column("trial_number", "Trials ended so far", unit="trials", form="count"),
        TRIAL_ID,
        BUDGET,
        Column("score", "The trial's score; empty where it failed", form=form),
        Column("epochs", "Epochs trained so far", unit="epochs", form="count"),
        Column("seconds", "Training time so far, summed over workers", form="duration"),
        Column("best_score", "Best score so far at any budget", form=form),
        Column("best_full_budget_score", "Best score so far at full budget", form=form),
    )  # fmt: skip
    progress = search_summary.best_so_far(
        trials, spec.study.direction, max_epochs=spec.search.max_epochs
    )
    return table("best_so_far", "The search at the end of one trial", columns, progress)


def _control(trials: Sequence[Trial], spec: StudySpec) -> Table:
    form = measure_form(spec.study.objective)
    columns = (
        Column("trial_number", "Trials of the random control ended so far", unit="trials",
               form="count"),
        TRIAL_ID,
        Column("epochs", "Epochs of the random control so far", unit="epochs", form="count"),
        Column("seconds", "Training time of the random control so far, summed over workers",
               form="duration"),
        Column("score", "The trial's score; empty where it failed", form=form),
        Column("best_score", "Best score of the random control so far", form=form),
        Column("low", "Lower end of the band over other orders of its trials", form=form),
        Column("high", "Upper end of the band", form=form),
    )  # fmt: skip
    found = control.random_control_progress(trials, spec.study.direction, seed=spec.study.seed)
    title = "The random control at the end of one of its trials"
    return table("random_control", title, columns, found)


def budgets(spec: StudySpec) -> list[int]:
    """Returns the budgets of the search's rounds, in epochs, ascending."""
    if spec.search.tuner != "hyperband":
        return [spec.search.max_epochs]
    return sorted({*_early_epochs(spec), spec.search.max_epochs})


def _schedule(records: StudyRecords, spec: StudySpec) -> Table:
    columns = (
        ROLE,
        ITERATION,
        BRACKET,
        ROUND,
        Column("initial_epoch", "Epochs already trained when the round starts", unit="epochs",
               form="count"),
        Column("budget_epochs", "Epochs trained when it ends", unit="epochs", form="count"),
        Column("planned", "Trials planned", unit="trials", form="count"),
        Column("completed", "Trials that completed", unit="trials", form="count"),
        Column("failed", "Trials that failed", unit="trials", form="count"),
        Column("unfinished", "Trials started and not ended", unit="trials", form="count"),
    )  # fmt: skip
    in_control = records.planned_control
    schedule = _hyperband(spec)
    if spec.search.tuner != "hyperband":
        schedule = (
            single_round(records.planned_trials - in_control, max_epochs=spec.search.max_epochs),
        )
    found = search_summary.rounds(records.trials, schedule)
    rows = [cells_of(entry, columns, role="search") for entry in found]
    trials = [trial for trial in records.trials if trial.role == "control"]
    if trials or in_control:
        (counted,) = search_summary.rounds(
            [replace(trial, role="search", bracket=0, round=0, iteration=0) for trial in trials],
            (single_round(in_control, max_epochs=spec.search.max_epochs),),
        )
        alone = {"role": "control", "bracket": None, "round": None, "iteration": None}
        rows.append(cells_of(counted, columns, **alone))
    return table("schedule", "One round of one bracket", columns, rows)


def _early_epochs(spec: StudySpec) -> list[int]:
    planned = {each.budget_epochs for bracket in _hyperband(spec) for each in bracket.rounds}
    return sorted(planned - {spec.search.max_epochs})


def _hyperband(spec: StudySpec) -> tuple[Bracket, ...]:
    search = spec.search
    return hyperband(
        max_epochs=search.max_epochs, factor=search.factor, iterations=search.iterations
    )


def _rank_agreement(trials: Sequence[Trial], spec: StudySpec) -> Table:
    columns = (
        Column("epoch", "Early epoch, a smaller budget of the schedule", unit="epochs",
               form="count"),
        Column("tau", "Kendall's tau-b with the final score", form="coefficient"),
        Column("p_value", "Two-sided p-value of Kendall's test", form="loss"),
        Column("configurations", "Full-budget configurations compared", form="count"),
    )  # fmt: skip
    found = search_summary.rank_agreement(
        trials,
        objective=spec.study.objective,
        max_epochs=spec.search.max_epochs,
        epochs=_early_epochs(spec),
    )
    return table("rank_agreement", "One early epoch against the full budget", columns, found)


def _early_and_final(trials: Sequence[Trial], spec: StudySpec) -> Table:
    form = measure_form(spec.study.objective)
    columns = (
        TRIAL_ID,
        Column("epoch", "Early epoch", unit="epochs", form="count"),
        Column("early", f"{spec.study.objective} after it", form=form),
        Column("final", "The trial's score at full budget", form=form),
    )
    by_id = {trial.trial_id: trial for trial in trials}
    ranked = search_summary.ranking(trials, spec.study.direction, max_epochs=spec.search.max_epochs)
    early = set(_early_epochs(spec))
    rows = (
        {
            "trial_id": trial.trial_id,
            "epoch": epoch.epoch,
            "early": search_summary.objective_of(epoch, spec.study.objective),
            "final": trial.score,
        }
        for trial in sorted(ranked, key=lambda trial: in_order(trial.trial_id))
        for epoch in search_summary.full_curve(trial, by_id)
        if epoch.epoch in early
    )
    title = "One full-budget configuration after one early epoch"
    return table("early_and_final", title, columns, rows)


def _finalists(records: StudyRecords, spec: StudySpec) -> Table:
    trials = records.trials
    form = measure_form(spec.study.objective)
    columns = (
        TRIAL_ID,
        short_name_column(spec),
        Column("score", "Score of the trial, which was selected for it", form=form),
        Column("fresh_mean", "Mean score of its trainings with fresh seeds", form=form),
        Column("fresh_lowest", "Lowest of them", form=form),
        Column("fresh_highest", "Highest of them", form=form),
        Column("trained", "Trainings with fresh seeds", form="count"),
        Column("completed", "Those that completed", form="count"),
    )  # fmt: skip
    by_id = {trial.trial_id: trial for trial in trials}
    places = [
        trial.trial_id
        for trial in search_summary.ranking(
            trials,
            spec.study.direction,
            max_epochs=spec.search.max_epochs,
            runs=records.runs,
        )
    ]
    found = sorted(search_summary.finalists(trials), key=lambda each: places.index(each.trial_id))
    rows = (
        cells_of(
            each,
            columns,
            label=by_id[each.trial_id].configuration.label,
            score=by_id[each.trial_id].score,
            fresh_mean=each.mean,
            fresh_lowest=min(each.scores, default=None),
            fresh_highest=max(each.scores, default=None),
            completed=len(each.scores),
        )
        for each in found
    )
    return table("finalists", "One finalist, the winner first", columns, rows)
