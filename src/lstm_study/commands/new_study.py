"""A study file for a user's own reviews, written from what is in them."""

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from lstm_study.commands.opened import Show
from lstm_study.commands.proposal import Proposal, Size, held_out_fraction, propose
from lstm_study.corpus.load import load
from lstm_study.corpus.sources.survey import Survey, survey
from lstm_study.corpus.text.vocabulary import RESERVED
from lstm_study.corpus.types import Corpus
from lstm_study.errors import SpecError
from lstm_study.records import CorpusSummary
from lstm_study.spec import DataTable, parse_spec

SEED = 1
_VALIDATION_FRACTION = 0.2


@dataclass(frozen=True, kw_only=True)
class NewStudy:
    """A study file that was written, and what it was written from.

    Attributes:
        path: The study file.
        found: What the file of reviews holds.
        summary: The reviews as the study splits them.
        proposal: Its space and protocol.
    """

    path: Path
    found: Survey
    summary: CorpusSummary
    proposal: Proposal


def write_new_study(
    reviews: Path,
    *,
    out: Path,
    text_column: str | None = None,
    label_column: str | None = None,
    show: Show,
) -> NewStudy:
    """Looks at a file of reviews and writes a commented study for it, ready to run.

    Args:
        reviews: CSV, TSV, JSONL or Parquet.
        out: The study file to write; never one that is there already.
        text_column: Where it can't be told from the file.
        label_column: The same for the labels.
        show: Where progress is shown.

    Raises:
        SpecError: There is a file at `out`, or it can't be written.
        DataError: No study can be made of these reviews; it says what to do.
    """
    _check_new(out)
    show.stage("Data", f"looking at {reviews}")
    found = survey(reviews, text_column=text_column, label_column=label_column)
    table = DataTable(
        source="csv",
        path=str(reviews),
        text_column=found.text_column,
        label_column=found.label_column,
        split_column=found.split_column,
        test_fraction=None if found.has_test else held_out_fraction(found.rows),
        validation_fraction=_VALIDATION_FRACTION,
        encoding=found.encoding if found.encoding not in ("", "utf-8", "utf-8-sig") else None,
    )
    show.stage("Data", f"reading {found.rows:,} reviews")
    corpus = load(table, seed=SEED)
    proposal = propose(_size(corpus))
    text = _render(found, table, corpus, proposal, out=out)
    # The file must be valid as written: an invalid one would be a bug here.
    parse_spec(text, where=str(out))
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        _check_new(out)
    except OSError as error:
        raise SpecError(f"{out}: cannot be written ({error.strerror}). Choose another.") from error
    return NewStudy(path=out, found=found, summary=corpus.summary, proposal=proposal)


def name_of(path: Path) -> str:
    """Makes a study's name of a file's.

    Example:
        >>> name_of(Path("data/My Tweets 2024.csv"))
        'my-tweets-2024'
    """
    name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:63]
    return name.rstrip("-") or "reviews"


def _check_new(out: Path) -> None:
    if out.exists():
        raise SpecError(
            f"{out}: must be a new file, and there is one. Choose another name with --out."
        )


def _size(corpus: Corpus) -> Size:
    summary = corpus.summary
    train, validation, test = summary.splits
    counts = np.bincount(corpus.training.token_ids)[RESERVED:]
    half, three_quarters, most = (
        int(length) for length in np.quantile(corpus.training.lengths, (0.5, 0.75, 0.95))
    )
    training = train.reviews + validation.reviews
    return Size(
        reviews=training + test.reviews,
        training=training,
        test=test.reviews,
        lengths=(half, three_quarters, most),
        words=int(np.count_nonzero(counts)),
        repeated_words=int(np.count_nonzero(counts > 1)),
        positive_share=(train.positive + validation.positive) / training,
    )


def _render(
    found: Survey, table: DataTable, corpus: Corpus, proposal: Proposal, *, out: Path
) -> str:
    from jinja2 import Environment, StrictUndefined

    size, splits = _size(corpus), corpus.summary.splits
    source = resources.files("lstm_study.commands").joinpath("templates", "study.toml.jinja")
    environment = Environment(  # noqa: S701 - TOML, and every value is quoted by `toml`
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined
    )
    environment.filters["toml"] = _toml
    positive = sum(split.positive for split in splits)
    return environment.from_string(source.read_text(encoding="utf-8")).render(
        path=_in_a_comment(str(found.path)),
        data_path=str(found.path),
        out=shlex.quote(_in_a_comment(str(out))),
        name=name_of(found.path),
        rows=size.reviews,
        lengths=(0, *size.lengths[::2]),
        labels=[_in_a_comment(label) for label in corpus.labels],
        positive_label=corpus.labels[1],
        negative=size.reviews - positive,
        positive=positive,
        duplicates=sum(split.duplicates for split in splits) + corpus.summary.duplicates_across,
        text_column=found.text_column,
        label_column=found.label_column,
        encoding=table.encoding,
        split_column=found.split_column,
        test_fraction=table.test_fraction,
        training=size.training,
        repeated_words=size.repeated_words,
        warnings=proposal.warnings,
        p=proposal,
        choices=_choices,
    )


def _choices(values: Sequence[int]) -> str:
    if len(values) == 1:
        return str(values[0])
    return f"{{ choices = {list(values)} }}"


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _in_a_comment(text: str) -> str:
    """A label or path may hold anything; a comment is one line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
