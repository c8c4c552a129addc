"""Tables of the answer: verdict, caveats, failures, secondary outcomes, optimism, ablation."""

from typing import Any

from lstm_study.analysis.answer.ablation import ablation_path, start_of
from lstm_study.analysis.answer.arms import arms_from_records
from lstm_study.analysis.answer.planned_arms import epochs_of, seeds_so_far, unfinished_arms
from lstm_study.analysis.answer.verdict import Verdict, secondary_differences
from lstm_study.analysis.search.optimism import search_optimism
from lstm_study.analysis.statistics.failures import failed_runs
from lstm_study.configuration import HYPERPARAMETERS
from lstm_study.records import StudyRecords
from lstm_study.report.tables.columns import (
    ARM,
    DIFFERENCE,
    INTERVAL,
    P_VALUE,
    RUN_ID,
    measure_form,
)
from lstm_study.report.tables.comparison import evaluated_runs
from lstm_study.report.tables.table import Column, Table, cells_of, table
from lstm_study.spec import ProtocolTable, StudySpec
from lstm_study.spec.quantities import counted


def answer_tables(records: StudyRecords, spec: StudySpec, verdict: Verdict) -> list[Table]:
    """Builds the tables of the answer."""
    return [
        _verdict(records, verdict),
        _notes(verdict, records, spec),
        _failures(verdict),
        _failed_runs(verdict, records),
        _secondary(records, verdict),
        _optimism(records, spec),
    ]


def _verdict(records: StudyRecords, verdict: Verdict) -> Table:
    columns = (
        Column("kind", "One of the four answers"),
        Column("headline", "The answer in a line or two"),
        Column("details", "The numbers behind it"),
        Column("sentence", "Both together: the whole answer in words"),
        Column("candidate", "Arm in question"),
        Column("reference", "Arm it is compared with"),
        DIFFERENCE,
        *INTERVAL,
        P_VALUE,
        Column("degrees_of_freedom", "Satterthwaite's", form="plain"),
        Column("smallest_difference",
               "Smallest true difference that is detected with the stated power",
               form="bare_points"),
        Column("power", "Probability of detecting it", form="share"),
        Column("seeds_to_settle", "Runs per arm to detect the observed difference with that power",
               unit="runs", form="count"),
        Column("candidate_seeds", "Completed runs of the candidate", unit="runs", form="count"),
        Column("reference_seeds", "Completed runs of the reference", unit="runs", form="count"),
        Column("looks", "Looks at the test reviews: times that a verdict was read", form="count"),
        Column("openings", "Recorded reads of the test reviews", form="count"),
        Column("repeated_openings", "Those of them for a run that they had been read for before",
               form="count"),
        Column("disagreement", "Test reviews on which the two arms' majority votes differ",
               form="share"),
        Column("rule", "Decision rule"),
        Column("deviations", "Deviations from the documented study"),
        Column("settings", "Changes of the study file on the command line"),
    )  # fmt: skip
    found, power = verdict.difference, verdict.power
    row = cells_of(found, (DIFFERENCE, *INTERVAL, P_VALUE)) | {
        "kind": verdict.kind,
        "headline": verdict.headline,
        "details": verdict.details,
        "sentence": verdict.sentence,
        "candidate": verdict.candidate,
        "reference": verdict.reference,
        "degrees_of_freedom": round(found.degrees_of_freedom, 2) if found else None,
        "smallest_difference": power.smallest_difference if power else None,
        "power": power.power if power else None,
        "seeds_to_settle": power.seeds_to_settle if power else None,
        "candidate_seeds": len(evaluated_runs(records, verdict.candidate)),
        "reference_seeds": len(evaluated_runs(records, verdict.reference)),
        "looks": verdict.looks,
        "openings": len(records.openings),
        "repeated_openings": len(records.openings)
        - len({opening.run_id for opening in records.openings}),
        "disagreement": verdict.disagreement.between_votes if verdict.disagreement else None,
        "rule": verdict.rule,
        "deviations": "; ".join(records.deviations),
        "settings": "; ".join(records.settings),
    }
    return table("verdict", "The study's answer", columns, [row])


def _notes(verdict: Verdict, records: StudyRecords, spec: StudySpec) -> Table:
    """Lists the caveats of the answer, a sentence each."""
    columns = (Column("note", "A caveat of the answer"),)
    notes = list(verdict.notes)
    if records.deviations:
        note = f"This study differs from the documented one: {'; '.join(records.deviations)}."
        if spec.baseline_is_documented:
            note += " Its baseline is the documented one, trained as documented."
        notes += [note, _of_shorter_baseline(spec)]
    notes.append(_of_stopped_search(records))
    if unfinished := unfinished_arms(spec, records):
        seeds = seeds_so_far(spec, records)
        counts = ", ".join(f"{arm} has {n} of {seeds}" for arm, n in unfinished.items())
        notes.append(
            f"The study file asks for further arms whose runs are not all done: {counts}. "
            "`lstm-study compare` resumes them."
        )
    # Where the reviews lie on one machine changes no result.
    settings = [each for each in records.settings if not each.startswith("data.path=")]
    if settings:
        notes.append("Settings changed on the command line: " + "; ".join(settings) + ".")
    return table("notes", "One caveat", columns, ({"note": note} for note in notes if note))


def _of_stopped_search(records: StudyRecords) -> str:
    """Says what ended the search before its schedule did; or ""."""
    if not records.stopped:
        return ""
    completed = sum(
        trial.role != "finalist" and trial.status == "completed" for trial in records.trials
    )
    return (
        f"{records.stopped}: the search ended after {completed} of "
        f"{counted(records.planned_trials, 'planned trial')}."
    )


def _of_shorter_baseline(spec: StudySpec) -> str:
    """Says that the baseline is trained for less, or reads less, than the documented one; or ""."""
    if spec.builder:
        return ""
    cut = [
        f"{value:g} {unit} (documented: {documented:g})"
        for value, documented, unit in (
            (epochs_of("baseline", spec), ProtocolTable().epochs, "epochs"),
            (
                spec.baseline.configuration.maxlen,
                float(HYPERPARAMETERS["maxlen"].documented or 0),
                "tokens",
            ),
        )
        if value < documented
    ]
    if not cut:
        return ""
    return (
        f"The baseline is cut to {' and '.join(cut)}: the answer is against this baseline, not "
        "against the documented one, which is trained for longer or reads more of a review."
    )


def _failures(verdict: Verdict) -> Table:
    columns = (
        ARM,
        Column("failed", "Runs whose training failed", unit="runs", form="count"),
        Column("runs", "Runs evaluated or diverged", unit="runs", form="count"),
        Column("low", "Lower end of the exact interval of the rate", form="share"),
        Column("high", "Upper end of it", form="share"),
        Column("p_value", "Fisher's exact test of equal rates, two-sided", form="probability"),
        Column("answer", "How often the first arm fails, compared with the second"),
    )  # fmt: skip
    rows = []
    if (found := verdict.failures) is not None:
        rows = [
            cells_of(rate, columns, p_value=found.p_value, answer=found.kind)
            for rate in (found.candidate, found.reference)
        ]
    return table("failure_rates", "How often one arm's training failed", columns, rows)


def _failed_runs(verdict: Verdict, records: StudyRecords) -> Table:
    columns = (
        RUN_ID,
        Column("reason", "Why it counts as failed"),
        Column("test_accuracy", "Share of test reviews classified correctly", form="percent"),
        Column("curve", "Training accuracy after each epoch, in percent"),
    )  # fmt: skip
    by_id = {run.run_id: run for run in records.runs}
    failed = [*verdict.failures.runs] if verdict.failures is not None else []
    for arm in arms_from_records(records).values():
        if arm.name not in (verdict.candidate, verdict.reference):
            failed += failed_runs(arm)
    rows = []
    for each in failed:
        run_id = f"{each.arm}-s{each.seed_index}"
        epochs = by_id[run_id].epochs if run_id in by_id else ()
        rows.append(
            {
                "run_id": run_id,
                "reason": each.reason,
                "test_accuracy": each.accuracy,
                "curve": ", ".join(f"{100 * epoch.train_accuracy:.1f}" for epoch in epochs),
            }
        )
    return table("failed_runs", "One run whose training failed", columns, rows)


def _secondary(records: StudyRecords, verdict: Verdict) -> Table:
    columns = (
        Column("outcome", "What is compared; lower is better"),
        Column("difference", "Winner minus baseline", form="loss"),
        Column("low", "Lower end of its interval", form="loss"),
        Column("high", "Upper end of its interval", form="loss"),
        INTERVAL[-1],
        P_VALUE,
    )
    rows = [
        cells_of(
            each,
            columns,
            outcome={"brier_score": "Brier score", "log_loss": "log loss"}[each.outcome],
        )
        for each in secondary_differences(records, verdict)
    ]
    title = "One secondary outcome, among runs that did not fail"
    return table("secondary_outcomes", title, columns, rows)


def _optimism(records: StudyRecords, spec: StudySpec) -> Table:
    form = measure_form(spec.study.objective)
    gap = "points" if form == "percent" else "loss"
    columns = (
        ARM,
        Column("measure", "accuracy or loss, the objective's"),
        Column("in_search", "Score in the search", form=form),
        Column("trial_id", "The trial with that score"),
        Column("trials_ranked", "Completed trials in the ranking", form="count"),
        Column("as_finalist", "Mean over its trainings as a finalist, which picks the winner",
               form=form),
        Column("fresh_validation", "Mean over runs with new seeds, on validation", form=form),
        Column("fresh_runs", "Number of those runs", form="count"),
        Column("on_test", "Mean over completed runs, test", form=form),
        Column("test_runs", "Number of those runs", form="count"),
        Column("optimism", "The score it was picked for minus test, as a gain", form=gap),
    )  # fmt: skip
    rows = search_optimism(records)
    title = "One arm's score in the search, with new seeds and on test"
    return table("optimism", title, columns, rows)


def ablation_tables(records: StudyRecords, spec: StudySpec) -> list[Table]:
    """Builds the tables of the path, with the baseline as step 0, and of every change tried."""
    form = measure_form(spec.study.objective)
    gain = "points" if form == "percent" else "loss"
    step = Column("step", "From 0, the baseline", form="count")
    name = Column("hyperparameter", "What changed")
    columns = (
        step,
        name,
        Column("before", "Value before", form="plain"),
        Column("after", "Value after", form="plain"),
        Column("score", f"{spec.study.objective} after the change", form=form),
        Column("gain", "Improvement by the change", form=gain),
        RUN_ID,
    )
    tried_columns = (
        step,
        name,
        Column("gain", "Improvement of the score; empty where training failed", form=gain),
        Column("kept", "Whether it was the step's largest gain"),
    )  # fmt: skip
    path = ablation_path(records)
    rows: list[dict[str, Any]] = []
    tried: list[dict[str, Any]] = []
    if path is not None and path.start is not None:
        start = start_of(spec)
        rows.append(cells_of(None, columns, step=0, hyperparameter=start, score=path.start))
        for taken in path.steps:
            rows.append(cells_of(taken, columns, step=taken.number, score=taken.score_after))
            tried += [
                {
                    "step": taken.number,
                    "hyperparameter": hyperparameter,
                    "gain": value,
                    "kept": hyperparameter == taken.hyperparameter,
                }
                for hyperparameter, value in taken.tried
            ]
    return [
        table("ablation", "One step on the path from baseline to winner", columns, rows),
        table("ablation_tried", "One change that was tried in one step", tried_columns, tried),
    ]
