"""Tables of single test reviews: accuracy by length and vocabulary, and the largest differences.

Lengths, unknown words and excerpts come from a record that the comparison wrote when it evaluated
the test reviews; the report itself never reads them.
"""

from collections.abc import Mapping
from typing import Any

from lstm_study.analysis.answer.arms import Arm, arms_from_records, without
from lstm_study.analysis.answer.reviews import accuracy_by, differing_reviews
from lstm_study.analysis.answer.verdict import Verdict, judge
from lstm_study.analysis.statistics.intervals import Difference
from lstm_study.arm_names import ENSEMBLE, PRIMARY
from lstm_study.records import ReviewFacts, StudyRecords
from lstm_study.report.tables.columns import ARM
from lstm_study.report.tables.table import Column, Table, cells_of, table

_GROUP = (
    Column("reviews", "Test reviews in the group", unit="reviews", form="count"),
    Column("runs", "Completed runs of the arm", unit="runs", form="count"),
    Column("accuracy", "Mean accuracy over runs", form="percent"),
    Column("lowest", "The lowest of its runs", form="percent"),
    Column("highest", "The highest of its runs", form="percent"),
)  # fmt: skip


def review_tables(records: StudyRecords, verdict: Verdict) -> list[Table]:
    """Builds the tables of single test reviews; without runs, or facts, they have no rows."""
    arms = arms_from_records(records)
    facts = records.review_facts
    if facts is not None and any(len(facts.lengths) != arm.documents for arm in arms.values()):
        facts = None
    return [
        _by_length(arms, facts),
        _by_unknown(records, arms, facts),
        _differing(records, arms, facts),
        _near_duplicates(records, arms, verdict),
    ]


def _by_length(arms: Mapping[str, Arm], facts: ReviewFacts | None) -> Table:
    columns = (
        ARM,
        Column("from_tokens", "Shortest review of the group", unit="tokens", form="count"),
        Column("to_tokens", "Longest review of the group", unit="tokens", form="count"),
        Column("mean_tokens", "Their mean length", unit="tokens", form="count"),
        *_GROUP,
    )  # fmt: skip
    rows = [
        cells_of(
            group, columns,
            from_tokens=int(group.low), to_tokens=int(group.high), mean_tokens=group.mean,
        )
        for arm in arms.values()
        for group in accuracy_by(arm, facts.lengths)
    ] if facts is not None else []  # fmt: skip
    return table("accuracy_by_length", "One arm on test reviews of similar length", columns, rows)


def _by_unknown(records: StudyRecords, arms: Mapping[str, Arm], facts: ReviewFacts | None) -> Table:
    """Groups each arm's reviews by the share of tokens outside its own vocabulary."""
    columns = (
        ARM,
        Column("vocabulary_size", "Token ids the arm keeps", unit="token ids", form="count"),
        Column("from_share", "Smallest share of a review's tokens outside that vocabulary",
               form="share"),
        Column("to_share", "Largest share in the group", form="share"),
        Column("mean_share", "Mean share of the group", form="share"),
        *_GROUP,
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    sizes = {run.arm: run.configuration.vocabulary_size for run in records.runs}
    shares = _unknown_shares(facts)
    for name, arm in arms.items():
        size = sizes.get("winner" if name == ENSEMBLE else name)
        if size not in shares:
            continue
        rows += [
            cells_of(
                group, columns, vocabulary_size=size,
                from_share=group.low, to_share=group.high, mean_share=group.mean,
            )
            for group in accuracy_by(arm, shares[size])
        ]  # fmt: skip
    title = "One arm on test reviews with a similar share of unknown words"
    return table("accuracy_by_unknown", title, columns, rows)


def _differing(records: StudyRecords, arms: Mapping[str, Arm], facts: ReviewFacts | None) -> Table:
    columns = (
        Column("review", "Position in the test set, from 0, as in predictions.csv.gz",
               form="count"),
        Column("label", "True label"),
        Column("winner", "Probability of the positive label, mean over the winner's runs",
               form="share"),
        Column("baseline", "The same for the baseline's runs", form="share"),
        Column("gain", "Probability of the true label, winner minus baseline", form="points"),
        Column("tokens", "Its length", unit="tokens", form="count"),
        Column("unknown_winner", "Its tokens outside the winner's vocabulary", form="share"),
        Column("unknown_baseline", "Its tokens outside the baseline's vocabulary", form="share"),
        Column("excerpt", "Its start and end, if the text or the words are known"),
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    if arms.keys() >= {*PRIMARY}:
        names = records.corpus.labels if records.corpus is not None else ("negative", "positive")
        sizes = {run.arm: run.configuration.vocabulary_size for run in records.runs}
        shares = _unknown_shares(facts)
        texts = {each.position: each.text for each in facts.excerpts} if facts else {}
        for found in differing_reviews(arms["winner"], arms["baseline"]):
            row = {
                "review": found.position,
                "label": names[found.label],
                "winner": found.candidate,
                "baseline": found.reference,
                "gain": found.gain,
                "tokens": facts.lengths[found.position] if facts else None,
                "excerpt": texts.get(found.position),
            }
            for arm in ("winner", "baseline"):
                known = shares.get(sizes[arm])
                row[f"unknown_{arm}"] = known[found.position] if known else None
            rows.append(row)
    title = "One test review that winner and baseline classify differently"
    return table("differing_reviews", title, columns, rows)


def _near_duplicates(records: StudyRecords, arms: Mapping[str, Arm], verdict: Verdict) -> Table:
    """Compares each arm's accuracy on near-duplicates with that on all other test reviews."""
    columns = (
        ARM,
        Column("test_reviews", "Test reviews", unit="reviews", form="count"),
        Column("near_duplicates", "Of these, near-duplicates of training reviews", unit="reviews",
               form="count"),
        Column("exact", "Of these, exact duplicates", unit="reviews", form="count"),
        Column("other_label", "Of these, with the other label in training", unit="reviews",
               form="count"),
        Column("accuracy", "Mean test accuracy on all test reviews", form="percent"),
        Column("on_near_duplicates", "On the near-duplicates only", form="percent"),
        Column("on_others", "On all others", form="percent"),
        Column("difference_on_others", "Winner minus baseline, on all others", form="points"),
        Column("low", "Lower end of its interval, at the verdict's level", form="points"),
        Column("high", "Upper end of its interval", form="points"),
    )  # fmt: skip
    rows = []
    if (found := records.near_duplicates) is not None:
        near = list(found.positions)
        difference = None
        if 0 < len(near) < found.test_reviews:
            others = {name: without(arm, near) for name, arm in arms.items() if name in PRIMARY}
            difference = judge(others, looks=verdict.looks, level=verdict.level).difference
        rows = [
            cells_of(
                found,
                columns,
                arm=name,
                near_duplicates=len(near),
                accuracy=arm.accuracy,
                on_near_duplicates=float(arm.correct[:, near].mean()) if near else None,
                on_others=without(arm, near).accuracy if 0 < len(near) < arm.documents else None,
                **_of_winner(name, difference),
            )
            for name, arm in arms.items()
        ]
    return table("near_duplicates", "One arm on near-duplicates and on others", columns, rows)


def _of_winner(arm: str, difference: Difference | None) -> dict[str, float | None]:
    """Returns the difference of winner and baseline, in the winner's row."""
    found = difference if arm == "winner" else None
    return {
        "difference_on_others": None if found is None else found.difference,
        "low": None if found is None else found.low,
        "high": None if found is None else found.high,
    }


def _unknown_shares(facts: ReviewFacts | None) -> dict[int | None, list[float]]:
    """Returns, by vocabulary size, the share of each review's words outside the vocabulary."""
    if facts is None:
        return {}
    return {
        entry.vocabulary_size: [
            unknown / max(1, length - 1)
            for unknown, length in zip(entry.tokens, facts.lengths, strict=True)
        ]
        for entry in facts.unknown
    }
