"""A study file for a user's own reviews, written from what the files hold."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal

import numpy as np

from lstm_study.commands.estimate import estimate, time_left_in_words
from lstm_study.commands.init_warnings import about_labels, about_repeats
from lstm_study.commands.open_study import Show, open_study
from lstm_study.commands.proposal import Proposal, Size, held_out_fraction, propose
from lstm_study.corpus.files.advice import INIT_FLAGS, argument, as_flags
from lstm_study.corpus.files.input_files import COMPRESSIONS, walk
from lstm_study.corpus.load import load
from lstm_study.corpus.sources.polarity import chosen_by_alphabet
from lstm_study.corpus.sources.survey import Survey, UserChoices, survey
from lstm_study.corpus.text.vocabulary import RESERVED
from lstm_study.corpus.types import Corpus
from lstm_study.errors import SpecError
from lstm_study.metrics import UNEQUAL
from lstm_study.printable import printable
from lstm_study.records import CorpusSummary
from lstm_study.spec import DataTable, parse_spec

SEED = 1
_VALIDATION_FRACTION = 0.2


@dataclass(frozen=True, kw_only=True)
class NewStudy:
    """A study file that was written, and what it was written from.

    Attributes:
        path: The study file.
        found: What the files hold.
        data: How the study reads them.
        summary: The reviews as the study splits them.
        size: Their size, as the study file says it.
        proposal: Its space and protocol.
        warnings: The proposal's, and those of `init_warnings`.
        time: How long it will take on this machine, in words.
    """

    path: Path
    found: Survey
    data: DataTable
    summary: CorpusSummary
    size: Size
    proposal: Proposal
    warnings: tuple[str, ...]
    time: str


def write_new_study(
    reviews: Sequence[Path],
    *,
    out: Path,
    choices: UserChoices | None = None,
    tokens: Literal["words", "characters"] | None = None,
    drop_empty: bool = False,
    documented: bool = False,
    show: Show,
) -> NewStudy:
    """Looks at files of reviews and writes a commented study for them, ready to run.

    Args:
        reviews: Each a file, a folder, a zip archive or a pattern.
        out: The study file to write; never one that is there already.
        choices: What cannot be told from the files.
        tokens: How texts are split; None to tell from the texts.
        drop_empty: Whether rows without a word or a label are left out.
        documented: Whether to propose the documented six hyperparameters, not the open space.
        show: Where to show the progress.

    Raises:
        SpecError: There is a file at `out`, or it can't be written.
        DataError: No study can be made of these reviews; it says what to do.
    """
    choices = choices or UserChoices()
    with as_flags(INIT_FLAGS):
        if out.exists():
            walk(reviews)  # a path that names nothing is an error, too, and the first to correct
            _check_new(out)
        show.stage("Data", f"looking at {', '.join(map(str, reviews))}")
        found = survey(reviews, choices=choices)
        paths = [str(path) for path in reviews]
        table = DataTable(
            source="csv",
            path=paths[0] if len(paths) == 1 else paths,
            columns=list(choices.columns) or None,
            text_column=found.text_column,
            label_column=found.label_column,
            split_column=found.split_column,
            group_column=found.group_column,
            positive=list(choices.positive) or None,
            negative=list(choices.negative) or None,
            test_fraction=None if found.has_test else held_out_fraction(found.rows),
            validation_fraction=_VALIDATION_FRACTION,
            encoding=found.encoding or None,
            tokens=tokens or ("characters" if found.has_no_spaces else None),
            drop_empty=drop_empty,
        )
        show.stage("Data", f"reading {found.rows:,} reviews")
        corpus = load(table, seed=SEED)
    size = _size(corpus)
    proposal = propose(size, is_open=not documented)
    warnings = (
        *proposal.warnings,
        *about_repeats(corpus.summary, group_column=None if found.has_test else found.group_column),
        *about_labels(corpus, seed=SEED),
    )
    text = _render(found, table, corpus, size, proposal, warnings, out=out)
    # A broken rule here would be a bug, not the user's mistake.
    parse_spec(text, where=str(out))
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        _check_new(out)
    except OSError as error:
        raise SpecError(f"{out}: cannot be written ({error.strerror}). Choose another.") from error
    left = estimate(open_study(out), corpus.summary, show=show, is_new=True)
    return NewStudy(
        path=out,
        found=found,
        data=table,
        summary=corpus.summary,
        size=size,
        proposal=proposal,
        warnings=warnings,
        time=time_left_in_words(left),
    )


def name_of(path: Path) -> str:
    """Derives a study's name from a file's.

    Example:
        >>> name_of(Path("data/My Tweets 2024.csv"))
        'my-tweets-2024'
    """
    stem = path.name.partition(".")[0] if path.suffix in COMPRESSIONS else path.stem
    name = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:63]
    return name.rstrip("-") or "reviews"


def _check_new(out: Path) -> None:
    if out.exists():
        raise SpecError(f"{out}: already exists. Choose another name with --out.")


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
    found: Survey,
    table: DataTable,
    corpus: Corpus,
    size: Size,
    proposal: Proposal,
    warnings: Sequence[str],
    *,
    out: Path,
) -> str:
    from jinja2 import Environment, StrictUndefined

    summary = corpus.summary
    source = resources.files("lstm_study.commands").joinpath("templates", "study.toml.jinja")
    environment = Environment(  # noqa: S701 - TOML, and every value is quoted by `toml`
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined
    )
    environment.filters["toml"] = _toml
    positive = sum(split.positive for split in summary.splits)
    return environment.from_string(source.read_text(encoding="utf-8")).render(
        path=_in_a_comment(", ".join(map(str, found.paths))),
        data=table,
        size=size,
        summary=summary,
        p=proposal,
        out=argument(_in_a_comment(str(out))),
        name=name_of(found.paths[0]),
        labels=[_in_a_comment(label) for label in corpus.summary.labels],
        positive_label=None if table.positive or table.negative else corpus.summary.labels[1],
        by_alphabet=bool(chosen_by_alphabet(corpus.summary.labels)),
        negative=size.reviews - positive,
        positive=positive,
        duplicates=sum(each.duplicates for each in summary.splits) + summary.duplicates_across,
        is_unequal=max(size.positive_share, 1 - size.positive_share) >= UNEQUAL,
        warnings=[_in_a_comment(warning) for warning in warnings],
        choices=_choices,
    )


def _choices(values: Sequence[int]) -> str:
    if len(values) == 1:
        return str(values[0])
    return f"{{ choices = {list(values)} }}"


def _toml(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(_toml, value))}]"
    text = str(value)
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _in_a_comment(text: str) -> str:
    """Returns a text, which may hold anything, on one line."""
    return " ".join(printable(" ".join(text.split())).split())
