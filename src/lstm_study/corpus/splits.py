"""Which reviews are held out: stratified, seeded, equal texts always in one split."""

from hashlib import blake2b
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray


def same_words(numbers: NDArray[np.int32], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Groups reviews that have the same words in the same order.

    Args:
        numbers: int32 [tokens].
        offsets: int64 [reviews + 1].

    Returns:
        int64 [reviews]: the group of each review; groups are numbered from 0 as first seen.
    """
    raw = np.ascontiguousarray(numbers).view(np.uint8).data
    bounds = (offsets * numbers.itemsize).tolist()
    # A digest in place of the tokens, so that memory does not grow with the texts.
    groups: dict[bytes, int] = {}
    return np.fromiter(
        (
            groups.setdefault(blake2b(raw[start:stop], digest_size=16).digest(), len(groups))
            for start, stop in pairwise(bounds)
        ),
        dtype=np.int64,
        count=len(offsets) - 1,
    )


def repeats(groups: NDArray[np.int64]) -> int:
    """Returns how many reviews have the text of an earlier one."""
    return len(groups) - len(np.unique(groups))


def joined(
    groups: NDArray[np.int64], others: NDArray[np.int64] | None, *, most: float = 1.0
) -> NDArray[np.int64]:
    """Joins two groupings: reviews that share a group in either are in one group.

    Args:
        groups: int64 [reviews], >= 0.
        others: int64 [reviews], -1 for a review in no group; None for no second grouping.
        most: Share of the reviews. If more than that, and more than any of `others` has, would be
            in one group, only reviews in none of `others` are joined by `groups`.

    Example:
        >>> joined(np.array([0, 0, 1, 2]), np.array([-1, 5, 5, 6]))
        array([0, 0, 0, 1])
    """
    if others is None:
        return groups
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    # A graph of reviews and groups, with an edge from each review to each of its groups.
    count, first = len(groups), int(groups.max(initial=-1)) + 1
    grouped = np.flatnonzero(others >= 0)
    reviews = np.concatenate([np.arange(count), grouped])
    nodes = count + np.concatenate([groups, first + others[grouped]])
    size = count + first + int(others.max(initial=-1)) + 1
    edges = coo_array((np.ones(len(nodes), dtype=bool), (reviews, nodes)), shape=(size, size))
    _, components = connected_components(edges, directed=False)
    components = components[:count]
    alone = int(np.bincount(others[grouped]).max(initial=0))
    if np.bincount(components).max(initial=0) > max(most * count, alone):
        components = np.where(others >= 0, others, int(others.max(initial=-1)) + 1 + groups)
    _, found = np.unique(components, return_inverse=True)
    return found.astype(np.int64)


def hold_out(
    groups: NDArray[np.int64],
    labels: NDArray[np.int8],
    *,
    fraction: float,
    seed: int,
    nearest: bool = False,
) -> NDArray[np.bool_]:
    """Draws reviews to hold out: the same share of each label, whole groups only.

    Groups are taken in a seeded order; one that would take a label above its share is skipped,
    so shares are met exactly wherever single reviews can fill them.

    Args:
        groups: int64 [reviews], from `same_words` or `joined`.
        labels: int8 [reviews], 0 or 1.
        fraction: Share of each label to hold out, in (0, 1); at least one review of each label is
            held out and one is left, where groups allow.
        seed: Of the draw.
        nearest: Whether groups too large for that are added where they bring the shares nearer.

    Returns:
        bool [reviews]: True where held out.
    """
    _, members = np.unique(groups, return_inverse=True)
    group_count = int(members.max(initial=-1)) + 1
    sizes = [np.bincount(members[labels == label], minlength=group_count) for label in (0, 1)]
    room = [min(max(1, round(fraction * int(size.sum()))), int(size.sum()) - 1) for size in sizes]
    order = np.random.default_rng(seed).permutation(group_count)
    negative, positive = (size[order].tolist() for size in sizes)
    taken = np.zeros(group_count, dtype=bool)
    for group, (zeros, ones) in zip(
        order.tolist(), zip(negative, positive, strict=True), strict=True
    ):
        if zeros <= room[0] and ones <= room[1]:
            taken[group] = True
            room[0] -= zeros
            room[1] -= ones
    if nearest and room != [0, 0]:
        _approach(taken, sizes, room, order)
    return taken[members]


def _approach(
    taken: NDArray[np.bool_],
    sizes: list[NDArray[np.int64]],
    room: list[int],
    order: NDArray[np.int64],
) -> None:
    """Takes the group that brings the shares nearest, as long as one does."""
    rest = order[~taken[order]]
    left = np.array(room)
    while len(rest) > 1:
        after = np.abs(left[0] - sizes[0][rest]) + np.abs(left[1] - sizes[1][rest])
        best = int(after.argmin())
        if after[best] >= np.abs(left).sum():
            return
        group = rest[best]
        taken[group] = True
        left -= np.array([sizes[0][group], sizes[1][group]])
        rest = np.delete(rest, best)


def subset(strata: NDArray[Any], *, count: int, seed: int) -> NDArray[np.bool_]:
    """Draws a number of reviews, each stratum by its share of all.

    Args:
        strata: int [reviews], what the draw is stratified by: labels, mostly.
        count: Reviews to draw; all are, where there are no more.
        seed: Of the draw.

    Returns:
        bool [reviews]: True where drawn.
    """
    if count >= len(strata):
        return np.ones(len(strata), dtype=bool)
    values, sizes = np.unique(strata, return_counts=True)
    shares = sizes * count / len(strata)
    quotas = np.floor(shares).astype(int)
    short = count - int(quotas.sum())
    quotas[np.argsort(quotas - shares, kind="stable")[:short]] += 1
    random = np.random.default_rng(seed)
    drawn = np.zeros(len(strata), dtype=bool)
    for value, quota in zip(values, quotas, strict=True):
        drawn[random.permutation(np.flatnonzero(strata == value))[:quota]] = True
    return drawn
