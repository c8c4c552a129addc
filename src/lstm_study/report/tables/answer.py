"""Tables of the answer: verdict, caveats, further tests, and optimism of the search."""

from dataclasses import replace

from lstm_study.analysis.answer.planned_arms import seeds_so_far, unfinished_arms
from lstm_study.analysis.answer.verdict import Verdict
from lstm_study.analysis.search.optimism import search_optimism
from lstm_study.analysis.search.summary import searched
from lstm_study.records import StudyRecords
from lstm_study.report.tables.arms import completed_runs
from lstm_study.report.tables.columns import ARM, measure_form
from lstm_study.report.tables.table import Column, Table, table
from lstm_study.spec import StudySpec


def answer_tables(records: StudyRecords, spec: StudySpec, verdict: Verdict) -> list[Table]:
    """Builds the tables of the answer."""
    return [
        _verdict(records, verdict),
        _notes(verdict, records, spec),
        _tests(verdict),
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
        Column(name="resamples", meaning="Resamples of the bootstrap", form="count"),
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
        "resamples": found.resamples if found else None,
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


def _tests(verdict: Verdict) -> Table:
    columns = (
        Column(name="test", meaning="Name of the test"),
        Column(name="p_value", meaning="Two-sided p-value", form="probability"),
        Column(name="detail", meaning="Counts it is based on"),
    )
    return table(
        "tests",
        "One test in addition to the verdict's",
        columns,
        (
            {"test": entry.test, "p_value": entry.p_value, "detail": entry.detail}
            for entry in verdict.tests
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
