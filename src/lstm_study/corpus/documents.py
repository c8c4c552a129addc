"""A source's reviews, and how they become training, validation and test."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.files.advice import has_option
from lstm_study.corpus.splits import hold_out, joined, same_words, subset
from lstm_study.corpus.text.tokens import rank_words
from lstm_study.corpus.text.vocabulary import INDEX_FROM, START
from lstm_study.corpus.types import Split, gather_rows
from lstm_study.errors import DataError
from lstm_study.seeds import derive
from lstm_study.spec import DataTable
from lstm_study.spec.sources import TokenRule

TRAIN, VALIDATION, TEST = 0, 1, 2
MOST_JOINED = 0.1
DEFAULT_TEST_FRACTION = 0.2


@dataclass(frozen=True, eq=False, kw_only=True)
class Documents:
    """Every review of a source, in the source's order, before anything is split or cut.

    Attributes:
        where: What errors call the source: its path.
        numbers: int32 [words], flat: frequency ranks from 1 if `ranked`, else word numbers from 0.
        offsets: int64 [reviews + 1].
        labels: int8 [reviews].
        roles: int8 [reviews]: TRAIN, VALIDATION or TEST, as far as the source says.
        document_ids: int64 or str [reviews].
        words: The word of each number (of each rank less one, if `ranked`); None if not known.
        ranked: Whether the source ranked its words itself.
        label_names: Names of the negative and the positive label.
        ratings: int8 [reviews] or None.
        groups: int64 [reviews], what belongs into one split together, -1 for nothing; or None.
        text_digests: uint64 [reviews], equal where texts are; None where there are no texts.
        left_out: Rows that were left out: why → how many.
        rule: How texts were split into words.
    """

    where: str
    numbers: NDArray[np.int32]
    offsets: NDArray[np.int64]
    labels: NDArray[np.int8]
    roles: NDArray[np.int8]
    document_ids: NDArray[Any]
    words: tuple[str, ...] | None
    ranked: bool
    label_names: tuple[str, str]
    ratings: NDArray[np.int8] | None = None
    groups: NDArray[np.int64] | None = None
    text_digests: NDArray[np.uint64] | None = None
    left_out: tuple[tuple[str, int], ...] = ()
    rule: TokenRule = "keras"

    def where_kept(self, kept: NDArray[np.bool_]) -> "Documents":
        """Returns some of the reviews; `words` stay as they are."""
        numbers, offsets = gather_rows(self.numbers, self.offsets, kept)
        names = ("labels", "roles", "document_ids", "ratings", "groups", "text_digests")
        found = {name: getattr(self, name) for name in names}
        by_review = {name: each[kept] for name, each in found.items() if each is not None}
        return replace(self, numbers=numbers, offsets=offsets, **by_review)


@dataclass(frozen=True, eq=False, kw_only=True)
class Assembled:
    """What the cache stores: all training reviews, train first, and the test half.

    Attributes:
        training: Train, then validation.
        train_reviews: How many of them are train.
        test: The test half.
        words: In order of rank; None if not known.
        label_names: Names of the negative and the positive label.
        same_text: int64 [reviews], of training and then test: equal where texts are.
        same_words: The same, equal where all words are, in their order.
        groups: How many groups keep to one split; 0 without groups.
        left_out: As in `Documents`.
        rule: As in `Documents`.
    """

    training: Split
    train_reviews: int
    test: Split
    words: tuple[str, ...] | None
    label_names: tuple[str, str]
    same_text: NDArray[np.int64]
    same_words: NDArray[np.int64]
    groups: int = 0
    left_out: tuple[tuple[str, int], ...] = ()
    rule: TokenRule = "keras"


def assemble(documents: Documents, *, data: DataTable, seed: int) -> Assembled:
    """Draws limits and splits, ranks the words of the training reviews, numbers all tokens.

    In this order: a test split is held out if the source has none; `train_limit` and `test_limit`
    draw their subsets; words are ranked by frequency over the training reviews that are left,
    validation included and test excluded (a source that ranked its words itself keeps its ranks);
    words of test reviews that no training review holds are left out; a validation split is cut
    from the training reviews if the source has none. Each draw is stratified by label and keeps
    reviews of one group together, and of equal words unless that would join groups of more than a
    tenth of the reviews: a short text that many wrote would leave nothing to split.

    Raises:
        DataError: There are too few reviews for three splits with both labels.
    """
    words_of = same_words(documents.numbers, documents.offsets)
    together = joined(words_of, documents.groups, most=MOST_JOINED)
    roles = _roles(documents, together, data=data, seed=seed)
    in_training = np.flatnonzero((roles == TRAIN) | (roles == VALIDATION))
    ranks, words = _ranks(documents, in_training)
    source = _encoded(documents, ranks)
    train = np.flatnonzero(roles == TRAIN)
    validation = np.flatnonzero(roles == VALIDATION)
    test = np.flatnonzero(roles == TEST)
    order = np.concatenate([train, validation, test])
    same_text = words_of
    if documents.text_digests is not None:
        _, same_text = np.unique(documents.text_digests, return_inverse=True)
    return Assembled(
        training=source.select(order[: len(train) + len(validation)], name="training"),
        train_reviews=len(train),
        test=source.select(test, name="test"),
        words=words,
        label_names=documents.label_names,
        same_text=same_text[order],
        same_words=words_of[order],
        groups=0 if documents.groups is None else len(np.unique(documents.groups[order])),
        left_out=documents.left_out,
        rule=documents.rule,
    )


def _roles(
    documents: Documents, groups: NDArray[np.int64], *, data: DataTable, seed: int
) -> NDArray[np.int8]:
    """Returns each review's role, -1 for those that a limit leaves out."""
    roles, labels = documents.roles.copy(), documents.labels

    def held_out(fraction: float, purpose: str) -> NDArray[np.int64]:
        free = np.flatnonzero(roles == TRAIN)
        drawn = hold_out(
            groups[free],
            labels[free],
            fraction=fraction,
            seed=derive(seed, purpose),
            nearest=documents.groups is not None,
        )
        return free[drawn]

    if not (roles == TEST).any():
        tested = held_out(data.test_fraction or DEFAULT_TEST_FRACTION, "test split")
        # A validation review with the text of a held-out one goes to test with it.
        roles[np.isin(groups, groups[tested])] = TEST
    for limit, purpose, kept in (
        (data.train_limit, "train limit", (TRAIN, VALIDATION)),
        (data.test_limit, "test limit", (TEST,)),
    ):
        if limit is not None:
            pool = np.flatnonzero(np.isin(roles, kept))
            strata = roles[pool] * 2 + labels[pool]
            drawn = subset(strata, count=limit, seed=derive(seed, purpose))
            roles[pool[~drawn]] = -1
    if not (roles == VALIDATION).any():
        roles[held_out(data.validation_fraction, "validation split")] = VALIDATION
    _check(documents, roles, groups=len(np.unique(groups)))
    return roles


def _check(documents: Documents, roles: NDArray[np.int8], *, groups: int) -> None:
    is_at_study = has_option("validation_fraction")
    way_out = ", or change the fractions and limits under [data]" if is_at_study else ""
    kind = "of them different" if documents.groups is None else "groups that keep to one split"
    for name, role in (("train", TRAIN), ("validation", VALIDATION), ("test", TEST)):
        for label, label_name in enumerate(documents.label_names):
            if not ((roles == role) & (documents.labels == label)).any():
                raise DataError(
                    f"{documents.where}: too few reviews: train, validation and test each need at "
                    f"least one review of each label. Received: no {label_name!r} in {name} of "
                    f"{np.count_nonzero(roles >= 0):,} reviews, {groups:,} {kind}. Add "
                    f"reviews{way_out}."
                )


def _ranks(
    documents: Documents, in_training: NDArray[np.int64]
) -> tuple[NDArray[np.int32], tuple[str, ...] | None]:
    """Returns the rank of each word number, 0 for words to leave out, and the ranked words."""
    if documents.ranked:
        highest = int(documents.numbers.max(initial=0))
        return np.arange(highest + 1, dtype=np.int32), documents.words
    if documents.words is None:
        raise ValueError("numbered words come with their words")
    counted, _ = gather_rows(documents.numbers, documents.offsets, in_training)
    ranks = rank_words(counted, len(documents.words))
    order = np.argsort(ranks, kind="stable")[np.count_nonzero(ranks == 0) :]
    return ranks, tuple(documents.words[number] for number in order)


def _encoded(documents: Documents, ranks: NDArray[np.int32]) -> Split:
    """Returns all reviews with their final token ids, a start token before each."""
    token_ids = ranks[documents.numbers]
    left_out = np.flatnonzero(token_ids == 0)
    if len(left_out):
        token_ids = token_ids[token_ids > 0]
    reviews = len(documents.labels)
    offsets = documents.offsets - np.searchsorted(left_out, documents.offsets)
    offsets += np.arange(reviews + 1)
    result = np.empty(offsets[-1], dtype=np.int32)
    is_word = np.ones(len(result), dtype=bool)
    is_word[offsets[:-1]] = False
    result[~is_word] = START
    token_ids += INDEX_FROM
    result[is_word] = token_ids
    return Split(
        name="all",
        token_ids=result,
        offsets=offsets,
        labels=documents.labels,
        document_ids=documents.document_ids,
        ratings=documents.ratings,
    )
