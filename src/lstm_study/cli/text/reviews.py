"""Reviews as `data` shows them, and the study that `init` wrote for them."""

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lstm_study.cli.text.layout import names_and_values
from lstm_study.corpus.files.advice import argument
from lstm_study.records import CorpusSummary
from lstm_study.spec import DataTable
from lstm_study.spec.quantities import counted

if TYPE_CHECKING:
    from lstm_study.commands import NewStudy
    from lstm_study.corpus.describe import Description


def description_text(found: "Description") -> RenderableType:
    """The reviews in numbers, and samples of them."""
    summary = found.summary
    splits = Table(title=f"{summary.source} {summary.path}".strip(), title_justify="left")
    for name in ("split", "reviews", f"{summary.labels[1]}", "tokens"):
        splits.add_column(name, justify="left" if name == "split" else "right")
    for name in ("min", "5%", "25%", "median", "75%", "95%", "max", "duplicates"):
        splits.add_column(name, justify="right")
    for split in summary.splits:
        share = split.positive / split.reviews if split.reviews else 0.0
        splits.add_row(
            split.name,
            f"{split.reviews:,}",
            f"{share:.1%}",
            f"{split.tokens:,}",
            *(f"{length:,}" for length in split.length_quantiles),
            f"{split.duplicates:,}",
        )
    parts: list[RenderableType] = [splits, Text(_corpus_in_words(summary))]
    for sample in found.samples:
        rating = f", {sample.rating} of 10 stars" if sample.rating is not None else ""
        parts.append(
            Text.assemble(
                (f"\n{sample.document_id} ", "cyan"),
                (f"{sample.label}{rating}, {counted(sample.tokens, 'token')}\n", "dim"),
                (sample.text or "(words unknown: no word index was found)"),
                " ..." if sample.is_cut else "",
            )
        )
    return Group(*parts)


def sides_text(labels: tuple[str, str], *, data: DataTable) -> Text:
    """Which label is positive and which negative, and if only the alphabet chose."""
    from lstm_study.corpus.sources.polarity import chosen_by_alphabet

    note = chosen_by_alphabet(labels, is_named=bool(data.positive or data.negative))
    if note and data.positive_label is not None:
        note = "set by data.positive_label, as the labels themselves do not say"
    low, high = data.sides(labels)
    are = "is" if len(high) == 1 else "are"
    return Text(
        f"\nLabels    {' and '.join(map(repr, high))} {are} positive, "
        f"{' and '.join(map(repr, low))} negative{note and '; '}{note}."
    )


def new_study_text(made: "NewStudy") -> RenderableType:
    """What a file of reviews contains, and the study file written for it."""
    found, proposal = made.found, made.proposal
    table = names_and_values()
    labels = ", ".join(f"{name!r} ({count:,})" for name, count in found.label_counts.items())
    split = f"; {found.split_column} marks the splits" if found.split_column else ""
    splits = ", ".join(f"{split.reviews:,} {split.name}" for split in made.summary.splits)
    across = made.summary.duplicates_across
    repeated = across + sum(s.duplicates for s in made.summary.splits)
    have = "test review has" if across == 1 else "test reviews have"
    kept = f"{across:,} {have} the text of a training review" if across else "kept in one split"
    median, _, most = made.size.lengths
    table.add_row("Columns", Text(", ".join(column.name for column in found.columns)))
    if found.files > 1:
        by_name = "; their names or folders mark the splits" * (found.has_test and not split)
        table.add_row("Files", f"{found.files:,}{by_name}")
    if found.encoding:
        table.add_row("Encoding", found.encoding)
    table.add_row("Text", Text(f"{found.text_column}{split}"))
    table.add_row("Labels", Text(f"{found.label_column}: {labels}"))
    table.add_row("Positive", Text(", ".join(made.data.sides(made.summary.labels)[1])))
    table.add_row("Reviews", f"{found.rows:,} ({splits})")
    table.add_row("Tokens", f"median {median:,}, at most {most:,} in 95% of the training reviews")
    near = made.summary.near_equal
    more = f"; {near:,} more with the same words" if near else ""
    table.add_row("Duplicates", f"{counted(repeated, 'repeated text')}{more}; {kept}")
    if found.group_column:
        table.add_row("Groups", Text(f"{made.summary.groups:,} of {found.group_column}"))
    for why, count in made.summary.left_out:
        table.add_row("Left out", f"{counted(count, 'row')} {why}")
    if made.summary.tokens == "characters":
        table.add_row("Language", "without spaces between words: every character is a token")
    for note in found.notes:
        table.add_row("Read", Text(note))
    table.add_row(
        "Plan",
        f"{counted(proposal.trials, 'trial')}, {counted(proposal.trial_epochs, 'epoch')}; then "
        f"{counted(proposal.seeds, 'seed')} of {counted(proposal.epochs, 'epoch')} for each arm, "
        f"in batches of {proposal.batch_size}",
    )
    table.add_row("Time", made.time)
    if not proposal.power.is_small:
        table.add_row("Power", proposal.power.sentence)
    for warning in made.warnings:
        table.add_row(Text("Note", style="bold yellow"), Text(warning))
    table.add_row("Study", Text(str(made.path)))
    table.add_row("Next", Text(f"lstm-study run {argument(str(made.path))}"))
    return table


def _corpus_in_words(summary: CorpusSummary) -> str:
    coverage = ", ".join(f"{size:,}: {share:.1%}" for size, share in summary.coverage)
    return (
        f"Lengths in tokens, start token included. {summary.vocabulary_size:,} different token ids."
        f"\nVocabulary size and the share of validation tokens it holds: {coverage}."
        f"\nTest reviews whose exact text is also in train or validation: "
        f"{summary.duplicates_across:,}. Reviews with the words of another, but not its text: "
        f"{summary.near_equal:,}."
        + "".join(f"\nLeft out: {counted(count, 'row')} {why}." for why, count in summary.left_out)
        + (f"\nGroups, each in one split: {summary.groups:,}." if summary.groups else "")
    )
