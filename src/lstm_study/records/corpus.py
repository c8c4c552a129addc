"""The record of the reviews: their counts, lengths and labels, without the reviews themselves."""

from dataclasses import dataclass

from lstm_study.records.strict import STRICT


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSummary:
    """One split of the corpus in numbers: reviews, how many are positive, token counts.

    Attributes:
        name: "train" (validation left out), "validation" or "test".
        reviews: Reviews in it.
        positive: Reviews labelled positive.
        tokens: Tokens in it, start tokens included.
        length_quantiles: Tokens per review at 0, 5, 25, 50, 75, 95 and 100 per cent.
        duplicates: Reviews whose text occurs earlier in the same split.
    """

    name: str
    reviews: int
    positive: int
    tokens: int
    length_quantiles: tuple[int, ...]
    duplicates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusSummary:
    """The reviews of a study in numbers.

    Attributes:
        source: "imdb", "aclimdb", "reviews" or "csv".
        path: The file or folder read, as it was given; "" for packaged reviews.
        digest: SHA-256 of token ids, offsets, labels and splits: what training sees.
        source_sha256: SHA-256 of the file read; "" for a folder.
        labels: Names of the negative and the positive label.
        vocabulary_size: Distinct words of the training reviews, plus the reserved ids.
        coverage: (vocabulary size, share of validation tokens it holds) in ascending order.
        length_counts: (upper end of a bin of review lengths in tokens, training reviews in it).
        splits: train, validation, test.
        duplicates_across: Test reviews whose exact text also occurs in train or validation.
        near_equal: Reviews that have all words of an earlier one, but not its exact text.
        left_out: Rows that were left out: why, and how many.
        groups: How many groups of `data.group_column` keep to one split; 0 without groups.
        tokens: How texts were split: "keras", "words" or "characters".
    """

    __pydantic_config__ = STRICT

    source: str
    path: str
    digest: str
    source_sha256: str
    labels: tuple[str, str]
    vocabulary_size: int
    coverage: tuple[tuple[int, float], ...]
    length_counts: tuple[tuple[int, int], ...]
    splits: tuple[SplitSummary, ...]
    duplicates_across: int
    near_equal: int = 0
    left_out: tuple[tuple[str, int], ...] = ()
    groups: int = 0
    tokens: str = "keras"

    @property
    def training_reviews(self) -> int:
        """Reviews that the arms are retrained on: train and validation."""
        return sum(split.reviews for split in self.splits if split.name != "test")

    @property
    def test_reviews(self) -> int:
        """Reviews of the test split."""
        return sum(split.reviews for split in self.splits if split.name == "test")
