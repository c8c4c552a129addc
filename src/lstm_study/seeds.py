"""Named seeds, all derived from the study's one seed."""

import hashlib

MAX_SEED = 2**31 - 1


def derive(seed: int, purpose: str, *indices: int | str) -> int:
    """Derives the seed of one random draw from the study's seed.

    Two draws share a seed only if seed, purpose and indices are all equal, so that adding a draw
    anywhere never changes another.

    Args:
        seed: The study's seed, an integer >= 1.
        purpose: What is drawn: "test split", "sample", "trial", "run", "weights", "shuffle", ...
        indices: What tells draws of one purpose apart: a trial id, an epoch, ...

    Returns:
        An integer in [1, 2**31 - 1]: never 0, which Keras Tuner and others read as "random".

    Example:
        >>> derive(1, "shuffle", 0) == derive(1, "shuffle", 0)
        True
        >>> derive(1, "shuffle", 0) == derive(1, "shuffle", 1)
        False
    """
    text = "\x1f".join([str(seed), purpose, *(str(index) for index in indices)])
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:8], "big") % MAX_SEED + 1
