"""Labels of a user's own reviews: counted as they pass, and put on two sides."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lstm_study.corpus.files.advice import option
from lstm_study.corpus.files.rows import Row
from lstm_study.corpus.sources.label_values import as_number, label_key, label_text
from lstm_study.corpus.sources.polarity import (
    order_labels,
    perhaps_unlabelled,
    proposed_sides,
)
from lstm_study.errors import DataError
from lstm_study.spec.quantities import counted

MOST_LABELS = 1_000
_RARE = 5
_MOST_NAMED = 12
"""As many labels of one side can be written in an option."""


class Labels:
    """The labels of a column, counted as they pass; spellings of one label are taken together."""

    def __init__(self, column: str, where: str) -> None:
        self._column, self._where = column, where
        self._spellings: dict[str, Counter[str]] = {}
        self._codes: dict[str, int] = {}
        self._first: dict[str, str] = {}
        self._known: dict[Any, tuple[int, Counter[str], str]] = {}
        self._without = 0

    def code(self, value: Any, row: Row | None = None) -> int:
        """Returns the number of a value's label, in the order of first sight; -1 for no label.

        The row is named in errors if the label is rare.
        """
        known = self._known.get((type(value), value)) if _is_plain(value) else None
        if known is not None:
            code, counter, text = known
            counter[text] += 1
            return code
        text, key = label_text(value), label_key(value)
        if not key:
            self._without += 1
            return -1
        if key not in self._spellings and row is not None:
            self._first[key] = row.place
        counter = self._spellings.setdefault(key, Counter())
        counter[text] += 1
        code = self._codes.setdefault(key, len(self._codes))
        if code >= MOST_LABELS:
            raise DataError(
                f"{self._where}: {self._column} must hold two labels. Received: more than "
                f"{MOST_LABELS:,}. Name the labels' column with {option('label_column')}; turn "
                "scores into two labels first."
            )
        if _is_plain(value):
            self._known[type(value), value] = code, counter, text
        return code

    def counts(self) -> dict[str, int]:
        """Returns each label, by its most frequent spelling → how many rows have it."""
        return {
            max(counter, key=lambda text: counter[text]): counter.total()
            for counter in self._spellings.values()
        }

    def folded(self) -> Iterator[str]:
        """Yields a sentence for each label that is spelled in several ways."""
        for counter in self._spellings.values():
            if len(counter) > 1:
                shown = ", ".join(f"{text!r} ({n:,})" for text, n in counter.most_common(5))
                yield f"{shown} are read as one label"

    def sides(
        self, *, positive: Sequence[str], negative: Sequence[str], positive_label: str | None
    ) -> tuple[tuple[int, ...], tuple[str, str]]:
        """Decides which labels are negative (0), positive (1) and left out (-1), by code.

        Args:
            positive: Labels that are positive together; empty where two labels are all there is.
            negative: Labels that are negative together; empty for all others.
            positive_label: Which of two labels is positive; None to tell by what they are.

        Returns:
            The side of each code, and the names of the negative and the positive side.

        Raises:
            DataError: There are not two labels, and nothing says which belong together; or a label
                that was named does not occur.
        """
        names = list(self.counts())
        if not positive and not negative:
            self._check_two()
            low, high = order_labels(
                (names[0], names[1]), positive_label=positive_label, where=self._where
            )
            return tuple(int(name == high) for name in names), (low, high)
        lists = {"positive": _keys(positive), "negative": _keys(negative)}
        self._check_lists(lists)
        codes = self._codes
        sides = [-1] * len(codes)
        if len(names) == 2:
            # One of two labels named: the other one is the other side.
            only = lists["positive"] or lists["negative"]
            side = int(bool(lists["positive"]))
            sides = [side if key in only else 1 - side for key in codes]
        for side, name in ((1, "positive"), (0, "negative")):
            for key in lists[name]:
                sides[codes[key]] = side
        if 0 not in sides or 1 not in sides:
            missing, other = ("positive", "negative")[:: 1 if 1 not in sides else -1]
            free = tuple(name for name in names if label_key(name) not in lists[other])
            if not free:
                raise DataError(
                    f"{self._where}: all labels of {self._column} are in {option(other)}. Leave "
                    f"some out of it: {self._shown()}."
                )
            raise DataError(
                f"{self._where}: {self._column} has {len(names)} labels: {self._shown()}. Say "
                f"which are {missing}, too, with {option(missing, free[:1])}."
            )
        ways = [
            [n for n, each in zip(names, sides, strict=True) if each == side] for side in (0, 1)
        ]
        low, high = (
            way[0] if len(way) == 1 else word
            for way, word in zip(ways, ("negative", "positive"), strict=True)
        )
        return tuple(sides), (low, high)

    def _check_two(self) -> None:
        counts = self.counts()
        if len(counts) == 2:
            return
        if len(counts) < 2:
            empty = f", and {counted(self._without, 'row')} without one" if self._without else ""
            word = "; or, if an empty one is a label, write a word there" if empty else ""
            raise DataError(
                f"{self._where}: {self._column} must hold two labels. Received: "
                f"{self._shown() or 'none'}{empty}. Add reviews of another label, or name another "
                f"column with {option('label_column')}{word}."
            )
        positive, negative = proposed_sides(counts)
        if max(len(positive), len(negative)) > _MOST_NAMED:
            raise DataError(
                f"{self._where}: {self._column} must hold two labels. Received {len(counts):,}: "
                f"{self._shown()}. Turn them into two first, in a new column"
                + _in_pandas(self._column, counts, negative)
            )
        ways = f"{option('positive', positive)} and {option('negative', negative)}"
        names = {label_key(name): name for name in counts}
        if other := perhaps_unlabelled(list(counts)):
            ways = (
                f"{option('positive', (names['1'],))} and {option('negative', (names['0'],))} if "
                f"{other} marks reviews without a label, else {ways}"
            )
        raise DataError(
            f"{self._where}: {self._column} must hold two labels. Received {len(counts)}: "
            f"{self._shown()}. Say which labels count as positive and which as negative with "
            f"{ways}; the rest is left out."
        )

    def _check_lists(self, lists: Mapping[str, Sequence[str]]) -> None:
        for name, keys in lists.items():
            for key in keys:
                if key not in self._codes:
                    raise DataError(
                        f"{self._where}: {option(name)} must hold labels of {self._column}. "
                        f"Received: {key!r}. There are: {self._shown()}."
                    )
        if both := sorted(set(lists["positive"]) & set(lists["negative"])):
            raise DataError(
                f"{self._where}: {both[0]!r} cannot be in {option('positive')} and in "
                f"{option('negative')}. Remove it from one."
            )

    def _shown(self) -> str:
        counts = sorted(self.counts().items(), key=lambda item: -item[1])
        shown = ", ".join(f"{name[:40]!r} ({self._rows(name, n)})" for name, n in counts[:8])
        return shown + (", ..." if len(counts) > 8 else "")

    def _rows(self, name: str, count: int) -> str:
        first = self._first.get(label_key(name), "")
        rows = counted(count, "row")
        return f"{rows}, the first: {first}" if first and count <= _RARE else rows


def _in_pandas(column: str, labels: Iterable[str], negative: Sequence[str]) -> str:
    """Ends a sentence: if all labels are numbers, with the pandas code that makes two of them."""
    numbers = {label: as_number(label) for label in labels}
    if None in numbers.values():
        return "."
    highest = max(number for label in negative if (number := numbers[label]) is not None)
    return f"; in pandas: df['label'] = df[{column!r}] > {highest:g}."


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _keys(values: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(map(label_key, values)))
