"""Tables of the reviews: splits, lengths, what each maxlen cuts, vocabulary coverage."""

import itertools

from lstm_study.records import CorpusSummary
from lstm_study.report.tables.table import Column, Table, cells_of, table
from lstm_study.spec import StudySpec

QUANTILES = ("0", "5", "25", "50", "75", "95", "100")


def corpus_tables(corpus: CorpusSummary | None, spec: StudySpec) -> list[Table]:
    """Builds the tables of the reviews; without a summary of the corpus they have no rows."""
    return [
        _splits(corpus), _read(corpus), _lengths(corpus), _maxlen_choices(corpus, spec),
        _coverage(corpus),
    ]  # fmt: skip


def _splits(corpus: CorpusSummary | None) -> Table:
    lengths = [f"length_{quantile}" for quantile in QUANTILES]
    columns = (
        Column("split", "train (without validation), validation or test"),
        Column("reviews", "Reviews in it", unit="reviews", form="count"),
        Column("positive", "Reviews labelled positive", unit="reviews", form="count"),
        Column("positive_share", "Their share", form="share"),
        Column("tokens", "Tokens, including start tokens", unit="tokens", form="count"),
        *(
            Column(name, f"Tokens per review, {quantile}% quantile", unit="tokens", form="count")
            for name, quantile in zip(lengths, QUANTILES, strict=True)
        ),
        Column("duplicates", "Reviews whose text occurs earlier in the same split", unit="reviews",
               form="count"),
        Column("duplicates_across", "Test reviews whose exact text is also in train or validation",
               unit="reviews", form="count"),
    )  # fmt: skip
    rows = [
        cells_of(
            split,
            columns,
            split=split.name,
            positive_share=split.positive / split.reviews if split.reviews else None,
            duplicates_across=corpus.duplicates_across if split.name == "test" else None,
            **dict(itertools.zip_longest(lengths, split.length_quantiles)),
        )
        for split in corpus.splits
    ] if corpus else []  # fmt: skip
    return table("splits", "One split of the reviews", columns, rows)


def _read(corpus: CorpusSummary | None) -> Table:
    columns = (
        Column("what", "left out: rows that are in no split, with the reason; near-equal: reviews "
               "with all words of another one, but not its text; groups: of data.group_column"),
        Column("reason", "Why rows were left out; empty for all else"),
        Column("count", "How many rows, reviews or groups that are", form="count"),
    )  # fmt: skip
    rows = []
    if corpus:
        rows = [{"what": "left out", "reason": why, "count": n} for why, n in corpus.left_out]
        for what, count in (("near-equal", corpus.near_equal), ("groups", corpus.groups)):
            rows += [{"what": what, "reason": "", "count": count}] if count else []
    return table("reviews_read", "One count of what was read, or was left out", columns, rows)


def _lengths(corpus: CorpusSummary | None) -> Table:
    columns = (
        Column("from_tokens", "The bin's reviews are longer than this", unit="tokens",
               form="count"),
        Column("to_tokens", "And at most this long", unit="tokens", form="count"),
        Column("reviews", "Training reviews in the bin", unit="reviews", form="count"),
    )  # fmt: skip
    counts = corpus.length_counts if corpus else ()
    starts = [0, *(end for end, _ in counts)]
    rows = (
        {"from_tokens": start, "to_tokens": end, "reviews": reviews}
        for start, (end, reviews) in zip(starts, counts, strict=False)
    )
    return table("lengths", "One bin of review lengths", columns, rows)


def _maxlen_choices(corpus: CorpusSummary | None, spec: StudySpec) -> Table:
    """Estimates by linear interpolation within a bin how many reviews each maxlen cuts."""
    columns = (
        Column("maxlen", "A value of maxlen", unit="tokens", form="count"),
        Column("used_by", "search, baseline or both"),
        Column("cut_share", "Training reviews that are longer, estimated from the bins",
               form="share"),
    )  # fmt: skip
    dimension = spec.space.dimensions()["maxlen"].model_dump()
    searched = dimension.get("choices") or [
        dimension[end] for end in ("min", "max", "value") if end in dimension
    ]
    users = {int(value): "search" for value in searched}
    base = spec.baseline.configuration.maxlen
    users[base] = "both" if base in users else "baseline"
    rows = [
        {"maxlen": value, "used_by": user, "cut_share": _longer_share(corpus.length_counts, value)}
        for value, user in sorted(users.items())
    ] if corpus else []  # fmt: skip
    return table("maxlen_choices", "One value of maxlen", columns, rows)


def _longer_share(counts: tuple[tuple[int, int], ...], length: int) -> float | None:
    total = sum(reviews for _, reviews in counts)
    if not total:
        return None
    longer, start = 0.0, 0
    for end, reviews in counts:
        if start >= length:
            longer += reviews
        elif end > length:
            longer += reviews * (end - length) / (end - start)
        start = end
    return longer / total


def _coverage(corpus: CorpusSummary | None) -> Table:
    columns = (
        Column("vocabulary_size", "Most frequent token ids kept", unit="token ids", form="count"),
        Column("coverage", "Share of validation tokens covered", form="share"),
    )  # fmt: skip
    rows = (
        {"vocabulary_size": size, "coverage": value}
        for size, value in (corpus.coverage if corpus else ())
    )
    return table("coverage", "One vocabulary size", columns, rows)
