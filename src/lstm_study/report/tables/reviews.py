"""Tables of single test reviews: accuracy by length and vocabulary, and the largest differences.

Lengths, unknown words and excerpts come from a record that the comparison wrote when it evaluated
the test reviews; the report itself never reads them.
"""

from collections.abc import Mapping
from typing import Any

from lstm_study.analysis.answer.arms import ENSEMBLE, Arm, arms_from_records, without
from lstm_study.analysis.answer.reviews import accuracy_by, differing_reviews
from lstm_study.records import ReviewFacts, StudyRecords
from lstm_study.report.tables.columns import ARM
from lstm_study.report.tables.table import Column, Table, table

_GROUP = (
    Column(name="reviews", meaning="Test reviews in the group", unit="reviews", form="count"),
    Column(name="runs", meaning="Completed runs of the arm", unit="runs", form="count"),
    Column(name="accuracy", meaning="Mean accuracy over runs", unit="share",
           form="percent"),
    Column(name="lowest", meaning="The lowest of its runs", unit="share", form="percent"),
    Column(name="highest", meaning="The highest of its runs", unit="share", form="percent"),
)  # fmt: skip


def review_tables(records: StudyRecords) -> list[Table]:
    """Builds the tables of single test reviews; without runs, or facts, they have no rows."""
    arms = arms_from_records(records)
    facts = records.review_facts
    if facts is not None and any(len(facts.lengths) != arm.documents for arm in arms.values()):
        facts = None
    return [
        _by_length(arms, facts),
        _by_unknown(records, arms, facts),
        _differing(records, arms, facts),
        _near_duplicates(records, arms),
    ]


def _by_length(arms: Mapping[str, Arm], facts: ReviewFacts | None) -> Table:
    columns = (
        ARM,
        Column(name="from_tokens", meaning="Shortest review of the group", unit="tokens",
               form="count"),
        Column(name="to_tokens", meaning="Longest review of the group", unit="tokens",
               form="count"),
        Column(name="mean_tokens", meaning="Their mean length", unit="tokens", form="count"),
        *_GROUP,
    )  # fmt: skip
    rows = [
        {"from_tokens": int(group.low), "to_tokens": int(group.high), "mean_tokens": group.mean}
        | {column.name: getattr(group, column.name) for column in (ARM, *_GROUP)}
        for arm in (arms.values() if facts is not None else ())
        for group in accuracy_by(arm, facts.lengths if facts is not None else ())
    ]
    return table("accuracy_by_length", "One arm on test reviews of similar length", columns, rows)


def _by_unknown(records: StudyRecords, arms: Mapping[str, Arm], facts: ReviewFacts | None) -> Table:
    """Groups each arm's reviews by the share of tokens outside its own vocabulary."""
    columns = (
        ARM,
        Column(name="vocabulary_size", meaning="Token ids the arm keeps", unit="token ids",
               form="count"),
        Column(name="from_share", unit="share", form="share",
               meaning="Smallest share of a review's tokens outside that vocabulary"),
        Column(name="to_share", meaning="Largest share in the group", unit="share", form="share"),
        Column(name="mean_share", meaning="Mean share of the group", unit="share", form="share"),
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
            {
                "vocabulary_size": size,
                "from_share": group.low,
                "to_share": group.high,
                "mean_share": group.mean,
            }
            | {column.name: getattr(group, column.name) for column in (ARM, *_GROUP)}
            for group in accuracy_by(arm, shares[size])
        ]
    return table(
        "accuracy_by_unknown",
        "One arm on test reviews with a similar share of unknown words",
        columns,
        rows,
    )


def _differing(records: StudyRecords, arms: Mapping[str, Arm], facts: ReviewFacts | None) -> Table:
    columns = (
        Column(name="review", meaning="Position in the test set, from 0, as in predictions.csv.gz",
               form="count"),
        Column(name="label", meaning="True label"),
        Column(name="winner", meaning="Probability of the positive label, mean over the winner's "
               "runs", unit="share", form="share"),
        Column(name="baseline", meaning="The same for the baseline's runs", unit="share",
               form="share"),
        Column(name="gain", meaning="Probability of the true label, winner minus baseline",
               unit="share; the report shows percentage points", form="points"),
        Column(name="tokens", meaning="Its length", unit="tokens", form="count"),
        Column(name="unknown_winner", meaning="Its tokens outside the winner's vocabulary",
               unit="share", form="share"),
        Column(name="unknown_baseline", meaning="Its tokens outside the baseline's vocabulary",
               unit="share", form="share"),
        Column(name="excerpt", meaning="Its start and end, if the text or the words are known"),
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    if {"winner", "baseline"} <= arms.keys():
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
    return table(
        "differing_reviews", "One test review that winner and baseline classify differently",
        columns, rows,
    )  # fmt: skip


def _near_duplicates(records: StudyRecords, arms: Mapping[str, Arm]) -> Table:
    """Compares each arm's accuracy on near-duplicates with that on all other test reviews."""
    columns = (
        ARM,
        Column(name="test_reviews", meaning="Test reviews", unit="reviews", form="count"),
        Column(name="near_duplicates", unit="reviews", form="count",
               meaning="Of these, near-duplicates of training reviews"),
        Column(name="exact", meaning="Of these, exact duplicates", unit="reviews", form="count"),
        Column(name="other_label", meaning="Of these, with the other label in training",
               unit="reviews", form="count"),
        Column(name="accuracy", meaning="Mean test accuracy on all test reviews", unit="share",
               form="percent"),
        Column(name="on_near_duplicates", meaning="On the near-duplicates only", unit="share",
               form="percent"),
        Column(name="on_others", meaning="On all others", unit="share", form="percent"),
    )  # fmt: skip
    found = records.near_duplicates
    rows = []
    for name, arm in arms.items() if found is not None else ():
        assert found is not None
        some = 0 < len(found.positions) < arm.documents
        near = list(found.positions)
        rows.append(
            {
                "arm": name,
                "test_reviews": found.test_reviews,
                "near_duplicates": len(near),
                "exact": found.exact,
                "other_label": found.other_label,
                "accuracy": arm.accuracy,
                "on_near_duplicates": float(arm.correct[:, near].mean()) if near else None,
                "on_others": without(arm, near).accuracy if some else None,
            }
        )
    return table("near_duplicates", "One arm on near-duplicates and on others", columns, rows)


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
