"""Which reviews are held out: stratified, seeded, equal texts always in one split."""

from hashlib import blake2b
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray


def same_text(numbers: NDArray[np.int32], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Groups reviews of equal tokens.

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


def hold_out(
    groups: NDArray[np.int64], labels: NDArray[np.int8], *, fraction: float, seed: int
) -> NDArray[np.bool_]:
    """Draws reviews to hold out: the same share of each label, whole groups only.

    Groups are taken in a seeded order; one that would take a label above its share is skipped,
    so shares are met exactly wherever single reviews can fill them.

    Args:
        groups: int64 [reviews], from `same_text`.
        labels: int8 [reviews], 0 or 1.
        fraction: Share of each label to hold out, in (0, 1); at least one review of each label is
            held out and one is left, where groups allow.
        seed: Of the draw.

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
    return taken[members]


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
