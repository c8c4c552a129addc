"""Tables of the answer: verdict, caveats, failures, secondary outcomes, search optimism."""

from dataclasses import replace

from lstm_study.analysis.answer.planned_arms import seeds_so_far, unfinished_arms
from lstm_study.analysis.answer.verdict import Verdict
from lstm_study.analysis.search.optimism import search_optimism
from lstm_study.analysis.search.summary import searched
from lstm_study.records import StudyRecords
from lstm_study.report.tables.arms import completed_runs
from lstm_study.report.tables.columns import ARM, RUN_ID, measure_form
from lstm_study.report.tables.table import Column, Table, table
from lstm_study.spec import StudySpec


def answer_tables(records: StudyRecords, spec: StudySpec, verdict: Verdict) -> list[Table]:
    """Builds the tables of the answer."""
    return [
        _verdict(records, verdict),
        _notes(verdict, records, spec),
        _failures(verdict),
        _failed_runs(verdict, records),
        _secondary(verdict),
        _optimism(records, spec),
    ]


def _verdict(records: StudyRecords, verdict: Verdict) -> Table:
    points = "share; the report shows percentage points"
    columns = (
        Column(name="kind", meaning="One of the four answers"),
        Column(name="sentence", meaning="The answer in words"),
        Column(name="candidate", meaning="Arm in question"),
        Column(name="reference", meaning="Arm it is compared with"),
        Column(name="difference", meaning="Mean test accuracy, candidate minus reference",
               unit=points, form="points"),
        Column(name="low", meaning="Lower end of its interval", unit=points, form="points"),
        Column(name="high", meaning="Upper end of its interval", unit=points, form="points"),
        Column(name="level", meaning="Confidence level",
               unit="share", form="share"),
        Column(name="p_value", meaning="Two-sided, of the test that the interval inverts",
               form="probability"),
        Column(name="degrees_of_freedom", meaning="Satterthwaite's", form="plain"),
        Column(name="smallest_difference", unit=points, form="bare_points",
               meaning="Smallest true difference that is detected with the stated power"),
        Column(name="power", meaning="Probability of detecting it", unit="share", form="share"),
        Column(name="seeds_to_settle", unit="runs", form="count",
               meaning="Runs per arm to detect the observed difference with that power"),
        Column(name="candidate_seeds", meaning="Completed runs of the candidate", unit="runs",
               form="count"),
        Column(name="reference_seeds", meaning="Completed runs of the reference", unit="runs",
               form="count"),
        Column(name="looks", meaning="Looks at the test reviews: times that a verdict was read",
               form="count"),
        Column(name="openings", meaning="Recorded reads of the test reviews", form="count"),
        Column(name="disagreement", unit="share", form="share",
               meaning="Test reviews on which the two arms' majority votes differ"),
        Column(name="rule", meaning="Decision rule"),
        Column(name="deviations", meaning="Deviations from the documented protocol"),
        Column(name="settings", meaning="Changes of the study file on the command line"),
    )  # fmt: skip
    found, power = verdict.difference, verdict.power
    row = {
        "kind": verdict.kind,
        "sentence": verdict.sentence,
        "candidate": verdict.candidate,
        "reference": verdict.reference,
        "difference": found.difference if found else None,
        "low": found.low if found else None,
        "high": found.high if found else None,
        "level": found.level if found else None,
        "p_value": found.p_value if found else None,
        "degrees_of_freedom": round(found.degrees_of_freedom, 2) if found else None,
        "smallest_difference": power.smallest_difference if power else None,
        "power": power.power if power else None,
        "seeds_to_settle": power.seeds_to_settle if power else None,
        "candidate_seeds": len(completed_runs(records, verdict.candidate)),
        "reference_seeds": len(completed_runs(records, verdict.reference)),
        "looks": verdict.looks,
        "openings": len(records.openings),
        "disagreement": verdict.disagreement.between_votes if verdict.disagreement else None,
        "rule": verdict.rule,
        "deviations": "; ".join(records.deviations),
        "settings": "; ".join(records.settings),
    }
    return table("verdict", "The study's answer", columns, [row])


def _notes(verdict: Verdict, records: StudyRecords, spec: StudySpec) -> Table:
    """Lists the caveats of the answer, a sentence each."""
    columns = (Column(name="note", meaning="A caveat of the answer"),)
    notes = list(verdict.notes)
    if records.deviations:
        notes.append(
            "This study differs from the documented baseline and protocol: "
            + "; ".join(records.deviations)
            + "."
        )
    if unfinished := unfinished_arms(spec, records):
        seeds = seeds_so_far(spec, records)
        counts = ", ".join(f"{arm} has {n} of {seeds}" for arm, n in unfinished.items())
        notes.append(
            f"The study file asks for further arms whose runs are not all done: {counts}. "
            "`lstm-study compare` resumes them."
        )
    if records.settings:
        notes.append("Settings changed on the command line: " + "; ".join(records.settings) + ".")
    return table("notes", "One caveat", columns, ({"note": note} for note in notes))


def _failures(verdict: Verdict) -> Table:
    columns = (
        ARM,
        Column(name="failed", meaning="Runs whose training failed", unit="runs", form="count"),
        Column(name="runs", meaning="Runs evaluated or diverged", unit="runs", form="count"),
        Column(name="low", meaning="Lower end of the exact interval of the rate", unit="share",
               form="share"),
        Column(name="high", meaning="Upper end of it", unit="share", form="share"),
        Column(name="p_value", meaning="Fisher's exact test of equal rates, two-sided",
               form="probability"),
        Column(name="answer", meaning="How often the first arm fails, compared with the second"),
    )  # fmt: skip
    found = verdict.failures
    rates = (found.candidate, found.reference) if found is not None else ()
    return table(
        "failure_rates",
        "How often one arm's training failed",
        columns,
        (
            {
                "arm": rate.arm,
                "failed": rate.failed,
                "runs": rate.runs,
                "low": rate.low,
                "high": rate.high,
                "p_value": found.p_value if found is not None else None,
                "answer": found.kind if found is not None else None,
            }
            for rate in rates
        ),
    )


def _failed_runs(verdict: Verdict, records: StudyRecords) -> Table:
    columns = (
        RUN_ID,
        Column(name="reason", meaning="Why it counts as failed"),
        Column(name="test_accuracy", meaning="Share of test reviews classified correctly",
               unit="share", form="percent"),
        Column(name="curve", meaning="Training accuracy after each epoch, in percent"),
    )  # fmt: skip
    by_id = {run.run_id: run for run in records.runs}
    failed = verdict.failures.runs if verdict.failures is not None else ()
    rows = []
    for each in failed:
        run = by_id.get(f"{each.arm}-s{each.seed_index}")
        epochs = run.epochs if run is not None else ()
        rows.append(
            {
                "run_id": f"{each.arm}-s{each.seed_index}",
                "reason": each.reason,
                "test_accuracy": each.accuracy,
                "curve": ", ".join(f"{100 * epoch.train_accuracy:.1f}" for epoch in epochs),
            }
        )
    return table("failed_runs", "One run whose training failed", columns, rows)


def _secondary(verdict: Verdict) -> Table:
    columns = (
        Column(name="outcome", meaning="What is compared; lower is better"),
        Column(name="difference", meaning="Winner minus baseline", form="loss"),
        Column(name="low", meaning="Lower end of its interval", form="loss"),
        Column(name="high", meaning="Upper end of its interval", form="loss"),
        Column(name="level", meaning="Confidence level", unit="share", form="share"),
        Column(name="p_value", meaning="Two-sided, of the test that the interval inverts",
               form="probability"),
    )  # fmt: skip
    return table(
        "secondary_outcomes",
        "One secondary outcome, among runs that did not fail",
        columns,
        (
            {
                "outcome": {"brier_score": "Brier score", "log_loss": "log loss"}[each.outcome],
                "difference": each.difference,
                "low": each.low,
                "high": each.high,
                "level": each.level,
                "p_value": each.p_value,
            }
            for each in verdict.secondary
        ),
    )


def _optimism(records: StudyRecords, spec: StudySpec) -> Table:
    form = measure_form(spec.study.objective)
    gap = "points" if form == "percent" else "loss"
    columns = (
        ARM,
        Column(name="measure", meaning="accuracy or loss, the objective's"),
        Column(name="in_search", meaning="Score in the search", form=form),
        Column(name="trial_id", meaning="The trial with that score"),
        Column(name="trials_ranked", meaning="Completed trials in the ranking",
               form="count"),
        Column(name="fresh_validation", meaning="Mean over runs with new seeds, on validation",
               form=form),
        Column(name="fresh_runs", meaning="Number of those runs", form="count"),
        Column(name="on_test", meaning="Mean over completed runs, test", form=form),
        Column(name="test_runs", meaning="Number of those runs", form="count"),
        Column(name="optimism", meaning="Score in the search minus test, as a gain", form=gap),
    )  # fmt: skip
    rows = search_optimism(replace(records, trials=tuple(searched(records.trials))))
    return table(
        "optimism",
        "One arm's score in the search, with new seeds and on test",
        columns,
        ({column.name: getattr(row, column.name) for column in columns} for row in rows),
    )
