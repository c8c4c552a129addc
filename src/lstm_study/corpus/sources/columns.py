"""Which column of a user's files is the text, which the label, the split and the group."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lstm_study.corpus.files.advice import option
from lstm_study.corpus.files.column_names import close_names
from lstm_study.corpus.files.text_files import FILE
from lstm_study.corpus.sources.polarity import has_opinions
from lstm_study.corpus.sources.split_values import role_of_value
from lstm_study.corpus.text.garbled import ungarbled
from lstm_study.corpus.text.tokens import split_tokens
from lstm_study.errors import DataError

TEXT_NAMES = ("text", "review", "review_text", "reviewtext", "content", "comment", "tweet",
              "message", "body", "sentence", "document", "rezension", "kommentar")  # fmt: skip
LABEL_NAMES = ("label", "labels", "sentiment", "polarity")
RATING_NAMES = ("rating", "stars", "score", "overall", "bewertung", "sterne")
CLASS_NAMES = ("target", "class", "y")
KIND_NAMES = ("target", "class", "category")
SPLIT_NAMES = ("split", "set", "fold", "partition", "subset", "dataset", "type", "usage")
GROUP_NAMES = ("product", "product_id", "productid", "parent_asin", "asin", "item", "item_id",
               "movie", "movie_id", "film", "title", "business_id", "app", "hotel", "book", "user",
               "user_id", "userid", "reviewer", "reviewerid", "reviewer_id", "author", "customer",
               "customer_id", "customerid", "client", "client_id", "account", "account_id",
               "patient", "patient_id", "produkt", "kunde", "kundennummer")  # fmt: skip
_ANSWERS = {"accept", "reject", "ignore"}
_TEXT_WORDS = 3.0
_TIMES_LONGER = 3.0
_NOTED_SHARE = 0.01
_FEWEST_GROUPS = 20
_LARGEST_GROUP = 0.1
_IS_LABEL, _IS_LIKE_ONE, _IS_RATING, _IS_CLASS, _IS_KIND = 5, 4, 3, 2, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnLook:
    """One column at a glance.

    Attributes:
        name: Its name.
        values: Distinct values as text → rows that have it, spellings of one label taken together,
            empty ones left out; None where there are more than twelve.
        words: Words per value, the mean of the first rows.
        is_text: Whether the first rows hold text, and not numbers.
        filled_texts: How many of the first rows hold a text that is not empty.
        entities: How many of these hold an HTML entity.
        tags: How many of these hold an HTML tag.
        tag: The first such tag; "" for none.
        garbled: How many of these hold UTF-8 that was read as Windows-1252.
        garbled_word: The first such word; "" for none.
        missing: How many are a missing-value marker: nan, null.
        is_nested: Whether the first rows hold objects or lists.
        has_no_spaces: Whether its texts look as if they were written without spaces.
        groups: Distinct values, and rows of the most frequent one, if the column's name is one of
            `GROUP_NAMES`; else (0, 0).
        first: The first text that is not empty; "" for none.
        order: A hash of which rows have equal values: the same for columns that hold the same
            labels in other words. Meaningless where `values` is None.
    """

    name: str
    values: dict[str, int] | None
    words: float
    is_text: bool
    filled_texts: int = 0
    entities: int = 0
    tags: int = 0
    tag: str = ""
    garbled: int = 0
    garbled_word: str = ""
    missing: int = 0
    is_nested: bool = False
    has_no_spaces: bool = False
    groups: tuple[int, int] = (0, 0)
    first: str = ""
    order: int = 0

    @property
    def filled(self) -> int:
        """Rows that have one of its few values."""
        return sum((self.values or {}).values())


def column_named(name: str | None, columns: Sequence[ColumnLook], where: str) -> ColumnLook | None:
    """Returns the column of a name; None for no name.

    Raises:
        DataError: There is none.
    """
    if name is None:
        return None
    found = [column for column in columns if column.name == name]
    if not found:
        raise DataError(close_names(name, [column.name for column in columns], where=where))
    return found[0]


def text_column(columns: Sequence[ColumnLook], where: str) -> ColumnLook:
    """Returns the column that holds the texts: by its name, else the one of the longest texts.

    Raises:
        DataError: None does; or a second one may, by its name or its much longer texts.
    """
    texts = [
        c for c in columns if c.is_text and (c.values is None or c.words > 1 or c.has_no_spaces)
    ]
    # A few texts that repeat over and over are labels, not reviews.
    texts = [c for c in texts if c.values is None] or texts
    found = _by_name(texts, TEXT_NAMES)
    if found is not None:
        rivals = [
            c
            for c in texts
            if c is found
            or plain_name(c.name) == plain_name(found.name)
            or (
                c.words >= max(_TEXT_WORDS, _TIMES_LONGER * found.words)
                # Answers to some of the reviews may be longer than these.
                and 2 * c.filled_texts >= found.filled_texts
            )
        ]
        if len(rivals) > 1:
            raise _several_texts(rivals, where)
        return found
    texts = sorted(
        (c for c in texts if c.words >= _TEXT_WORDS or c.has_no_spaces), key=lambda c: -c.words
    )
    if not texts:
        raise DataError(
            f"{where}: no column looks like reviews. Received: {_names(columns)}. "
            + (
                f"Of these {_names(nested)} {'holds' if len(nested) == 1 else 'hold'} objects or "
                "lists: save each text in them as one value of its own, in a column of texts."
                if (nested := [c for c in columns if c.is_nested])
                else f"Name it with {option('text_column')}."
            )
        )
    if len(texts) > 1 and texts[0].words < _TIMES_LONGER * texts[1].words:
        raise _several_texts(texts, where)
    return texts[0]


def html_in(text: ColumnLook) -> Iterable[str]:
    """Yields sentences on HTML entities and tags, where more than a few texts hold some."""
    if text.tags > _NOTED_SHARE * text.filled_texts:
        read = " ".join(split_tokens(text.tag, "words"))
        yield (
            f"{text.tags:,} of the first {text.filled_texts:,} texts hold HTML tags such as "
            f"{text.tag}, read as words ({read}): re.sub('<[^>]*>', ' ', text) in Python removes "
            "them"
        )
    if text.entities > _NOTED_SHARE * text.filled_texts:
        yield (
            f"{text.entities:,} of the first {text.filled_texts:,} texts hold HTML entities such "
            "as &amp;, read as words (amp): html.unescape in Python replaces them"
        )


def garbled_in(text: ColumnLook) -> Iterable[str]:
    """Yields a sentence on texts that an earlier program read in the wrong encoding."""
    if text.garbled > _NOTED_SHARE * text.filled_texts:
        yield (
            f"{text.garbled:,} of the first {text.filled_texts:,} texts hold UTF-8 that was once "
            f"read as Windows-1252, such as {text.garbled_word} for "
            f"{ungarbled(text.garbled_word)}: text.encode('cp1252').decode() in Python repairs one"
        )


def missing_texts(text: ColumnLook) -> Iterable[str]:
    """Yields a sentence on texts that are markers of a missing value."""
    if text.missing:
        are = "texts is a marker" if text.missing == 1 else "texts are markers"
        yield (
            f"{text.missing:,} of the first {text.filled_texts:,} {are} of a missing value (nan, "
            "null), and read as a word; remove such rows"
        )


def other_texts(columns: Iterable[ColumnLook]) -> Iterable[str]:
    """Yields a sentence on columns of texts that are not used."""
    shown = [
        f"{c.name[:30]!r} ({c.words:.0f} words)"
        for c in columns
        if c.is_text and c.values is None and c.words >= _TEXT_WORDS and c.name != FILE
    ]
    if shown:
        yield f"texts that are not used: {', '.join(shown)}"


def label_column(columns: Sequence[ColumnLook], where: str, *, text: str) -> ColumnLook:
    """Returns the column that holds the labels, by its name or by opinions among its values.

    A column that is named for it, but has not two labels, is returned to be refused for what it
    holds: stars beside "verified: yes or no" are not to be passed over.

    Args:
        columns: All but those of the text and the split.
        where: What errors call the files.
        text: The column of texts.

    Raises:
        DataError: None does, or several may.
    """
    if not columns:
        raise DataError(
            f"{where}: must have a column of texts and one of labels. Received: one column, "
            f"{text[:40]!r}. Separate columns by a comma, a semicolon, a tab or a bar."
        )
    mixed = [c for c in columns if len(c.values or ()) > 1]
    many = [
        c for c in columns if c.values is None and _rank(c) >= _IS_CLASS and c.words < _TEXT_WORDS
    ]
    top = max(map(_rank, mixed), default=0)
    if top == _IS_LIKE_ONE:
        # The name of another thing may end so, and its values may be good and bad: of a condition.
        rivals = [c for c in mixed if _IS_CLASS <= _rank(c) < top]
        return _only([*_plainest([c for c in mixed if _rank(c) == top]), *rivals], where)
    if top >= _IS_RATING:
        named = _plainest([c for c in mixed if _rank(c) == top])
        same = [c for c in mixed if _rank(c) == _IS_LIKE_ONE and c.order == named[0].order]
        return _only([*named, *(same if top == _IS_LABEL else ())], where)
    if top == _IS_CLASS:
        return _only([*(c for c in mixed if _rank(c) == top), *many], where)
    # One label alone, which is refused for that.
    if named := [c for c in columns if len(c.values or ()) == 1 and _rank(c) >= _IS_CLASS]:
        return named[0]
    two = [c for c in mixed if len(c.values or ()) == 2]
    if mixed:
        is_open = top == _IS_KIND or many
        return _only([*mixed, *many] if is_open or not two else two, where)
    raise DataError(
        f"{where}: no column holds two labels. Received: {_names(columns)}. Name the label's with "
        f"{option('label_column')}."
    )


def split_column(columns: Iterable[ColumnLook]) -> ColumnLook | None:
    """Returns the column that marks train and test, by its values: of several a usual name's."""
    fitting = [c for c in columns if c.values and all(role_of_value(v, c.name) for v in c.values)]
    named = [c for c in fitting if plain_name(c.name) in SPLIT_NAMES]
    mixed = [
        c
        for c in fitting
        if {"train"}
        < {role_of_value(v, c.name) for v in c.values or ()}  # dev and test may be stages
    ]
    return next(iter((*named, *mixed)), None)


def read_splits(column: ColumnLook) -> Iterable[str]:
    """Yields a sentence on a split column with other values than the names of the splits."""
    roles = {str(value): role_of_value(value, column.name) for value in column.values or ()}
    if any(value.lower() != role for value, role in roles.items()):
        said = ", ".join(f"{value!r} as {role}" for value, role in roles.items())
        yield f"{column.name!r} marks the splits: {said}"


def unused_splits(columns: Iterable[ColumnLook]) -> Iterable[str]:
    """Yields a sentence on each column that seems to mark the splits and holds other values."""
    for column in columns:
        values = list(column.values or ())
        others = [v for v in values if not role_of_value(v, column.name)]
        is_like = plain_name(column.name) in SPLIT_NAMES or "train" in map(str.lower, values)
        if others and len(others) < len(values) and is_like:
            yield (
                f"{column.name!r} is not used as the split: it holds {others[0]!r} and not only "
                "train, validation and test; correct it if the splits are to be kept"
            )


def rejected_rows(columns: Iterable[ColumnLook], label: ColumnLook) -> Iterable[str]:
    """Yields a sentence on a column that says which labels an annotator rejected."""
    for column in columns:
        values = column.values or {}
        if column is not label and "reject" in values and values.keys() <= _ANSWERS:
            yield (
                f"{column.name!r} says 'reject' in {values['reject']:,} rows; their labels are "
                "read anyway, so remove these rows first"
            )


def group_column(columns: Sequence[ColumnLook], rows: int) -> ColumnLook | None:
    """Returns a column of groups: many of them, with repeats, none of them large."""
    fitting = [
        c
        for c in columns
        if _FEWEST_GROUPS <= c.groups[0] <= 0.98 * rows and c.groups[1] <= _LARGEST_GROUP * rows
    ]
    return _by_name(fitting, GROUP_NAMES)


def plain_name(name: str) -> str:
    """Returns a column's name in lower case, its words joined by underscores."""
    return re.sub(r"[\s-]+", "_", name.lower())


def _rank(column: ColumnLook) -> int:
    """Returns how plainly a column is the label."""
    name = plain_name(column.name)
    end = name.rpartition("_")[2]
    if name in LABEL_NAMES:
        return _IS_LABEL
    # But "num_labels" counts them.
    if (end in LABEL_NAMES and end != "labels") or has_opinions(list(column.values or ())):
        return _IS_LIKE_ONE
    if name in RATING_NAMES or end in RATING_NAMES:
        return _IS_RATING
    if name in CLASS_NAMES:
        return _IS_CLASS
    # A class of what? Of products as well as of opinions.
    return _IS_KIND if end in KIND_NAMES else 0


def _plainest(columns: Sequence[ColumnLook]) -> Sequence[ColumnLook]:
    """Leaves out those that most rows lack, and those that only end with a name that one has."""
    most = max(c.filled for c in columns)
    full = [c for c in columns if 2 * c.filled >= most]
    exact = [c for c in full if plain_name(c.name) in (*LABEL_NAMES, *RATING_NAMES)]
    return [c for c in full if not exact or c in exact or has_opinions(list(c.values or ()))]


def _only(columns: Sequence[ColumnLook], where: str) -> ColumnLook:
    """Returns the one column that may be the label; of some that say the same, the one in words."""
    if len(columns) == 1:
        return columns[0]
    in_words = [c for c in columns if has_opinions(list(c.values or ()))]
    if in_words and len({(c.values is None, c.order) for c in columns}) == 1:
        return in_words[0]
    shown = ", ".join(
        f"{c.name[:30]!r} ({len(c.values) if c.values else 'many'} labels)" for c in columns
    )
    raise DataError(
        f"{where}: {shown} may each hold the label. Name the one with {option('label_column')}."
    )


def _several_texts(texts: Sequence[ColumnLook], where: str) -> DataError:
    return DataError(
        f"{where}: {_names(texts)} may each hold the reviews. Name the one with "
        f"{option('text_column')}."
    )


def _by_name(columns: Iterable[ColumnLook], names: Sequence[str]) -> ColumnLook | None:
    """Returns the column that has one of the names, or ends with one: `review_body`."""
    by_name = {plain_name(column.name): column for column in columns}
    by_end = {name.rpartition("_")[2]: column for name, column in reversed(by_name.items())}
    found = (table[name] for table in (by_name, by_end) for name in names if name in table)
    return next(found, None)


def _names(columns: Iterable[ColumnLook]) -> str:
    names = [repr(column.name[:30]) for column in columns]
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "") if names else "no columns"
