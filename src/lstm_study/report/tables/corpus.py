"""Tables of the reviews: splits, lengths, what each maxlen cuts, vocabulary coverage."""

from lstm_study.records import CorpusSummary
from lstm_study.report.tables.table import Column, Table, table
from lstm_study.spec import StudySpec

QUANTILES = ("0", "5", "25", "50", "75", "95", "100")


def corpus_tables(corpus: CorpusSummary | None, spec: StudySpec) -> list[Table]:
    """Builds the tables of the reviews; without a summary of the corpus they have no rows."""
    return [
        _splits(corpus), _lengths(corpus), _maxlen_choices(corpus, spec), _coverage(corpus),
    ]  # fmt: skip


def _splits(corpus: CorpusSummary | None) -> Table:
    columns = (
        Column(name="split", meaning="train (without validation), validation or test"),
        Column(name="reviews", meaning="Reviews in it", unit="reviews", form="count"),
        Column(name="positive", meaning="Reviews labelled positive", unit="reviews", form="count"),
        Column(name="positive_share", meaning="Their share", unit="share", form="share"),
        Column(name="tokens", meaning="Tokens, including start tokens", unit="tokens",
               form="count"),
        *(
            Column(name=f"length_{quantile}", unit="tokens", form="count",
                   meaning=f"Tokens per review, {quantile}% quantile")
            for quantile in QUANTILES
        ),
        Column(name="duplicates", meaning="Reviews whose text occurs earlier in the same split",
               unit="reviews", form="count"),
        Column(name="duplicates_across", unit="reviews", form="count",
               meaning="Test reviews whose exact text is also in train or validation"),
    )  # fmt: skip
    rows = []
    for split in corpus.splits if corpus else ():
        lengths = dict(
            zip((f"length_{quantile}" for quantile in QUANTILES), split.length_quantiles,
                strict=False)
        )  # fmt: skip
        rows.append(
            dict.fromkeys(f"length_{quantile}" for quantile in QUANTILES)
            | lengths
            | {
                "split": split.name,
                "reviews": split.reviews,
                "positive": split.positive,
                "positive_share": split.positive / split.reviews if split.reviews else None,
                "tokens": split.tokens,
                "duplicates": split.duplicates,
                "duplicates_across": corpus.duplicates_across
                if corpus and split.name == "test"
                else None,
            }
        )
    return table("splits", "One split of the reviews", columns, rows)


def _lengths(corpus: CorpusSummary | None) -> Table:
    columns = (
        Column(name="from_tokens", meaning="The bin's reviews are longer than this",
               unit="tokens", form="count"),
        Column(name="to_tokens", meaning="And at most this long", unit="tokens", form="count"),
        Column(name="reviews", meaning="Training reviews in the bin", unit="reviews",
               form="count"),
    )  # fmt: skip
    counts = corpus.length_counts if corpus else ()
    starts = [0, *(end for end, _ in counts)]
    return table(
        "lengths",
        "One bin of review lengths",
        columns,
        (
            {"from_tokens": start, "to_tokens": end, "reviews": reviews}
            for start, (end, reviews) in zip(starts, counts, strict=False)
        ),
    )


def _maxlen_choices(corpus: CorpusSummary | None, spec: StudySpec) -> Table:
    """Estimates by linear interpolation within a bin how many reviews each maxlen cuts."""
    columns = (
        Column(name="maxlen", meaning="A value of maxlen", unit="tokens", form="count"),
        Column(name="used_by", meaning="search, baseline or both"),
        Column(name="cut_share", unit="share", form="share",
               meaning="Training reviews that are longer, estimated from the bins"),
    )  # fmt: skip
    dimension = spec.space.dimensions()["maxlen"].model_dump()
    searched = dimension.get("choices") or [
        dimension[end] for end in ("min", "max", "value") if end in dimension
    ]
    users = {int(value): "search" for value in searched}
    base = spec.baseline.configuration.maxlen
    users[base] = "both" if base in users else "baseline"
    counts = corpus.length_counts if corpus else ()
    return table(
        "maxlen_choices",
        "One value of maxlen",
        columns,
        (
            {
                "maxlen": value,
                "used_by": users[value],
                "cut_share": _longer_share(counts, value),
            }
            for value in sorted(users)
        )
        if corpus
        else (),
    )


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
        Column(name="vocabulary_size", meaning="Most frequent token ids kept", unit="token ids",
               form="count"),
        Column(name="coverage", meaning="Share of validation tokens covered", unit="share",
               form="share"),
    )  # fmt: skip
    return table(
        "coverage",
        "One vocabulary size",
        columns,
        (
            {"vocabulary_size": size, "coverage": value}
            for size, value in (corpus.coverage if corpus else ())
        ),
    )
