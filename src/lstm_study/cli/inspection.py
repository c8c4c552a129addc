"""Commands that show reviews, a study's progress, or the machine."""

import contextlib
from pathlib import Path
from typing import Annotated, Literal

import typer

from lstm_study.cli.options import (
    REPORTS,
    ColumnsOption,
    DataOption,
    EncodingOption,
    JsonOption,
    OutOption,
    SetOption,
    StudyFile,
    column_names,
)
from lstm_study.cli.shared import (
    EXIT_DONE,
    EXIT_ERROR,
    err,
    open_with,
    out,
    print_json,
    print_result,
)
from lstm_study.corpus.files.advice import split_labels


def init(
    reviews: Annotated[
        list[Path],
        typer.Argument(
            metavar="REVIEWS",
            help="Your reviews: CSV, TSV, JSON, Parquet, Arrow, folders of texts, or patterns.",
        ),
    ],
    target: Annotated[
        Path, typer.Option("--out", metavar="STUDY.toml", help="The study file to write.")
    ] = Path("study.toml"),
    text_column: Annotated[
        str | None,
        typer.Option(
            "--text-column", metavar="NAME", help="Column of the texts; detected if not given."
        ),
    ] = None,
    label_column: Annotated[
        str | None,
        typer.Option(
            "--label-column", metavar="NAME", help="Column of the labels; detected if not given."
        ),
    ] = None,
    documented: Annotated[
        bool,
        typer.Option("--documented", help="Search only the six documented hyperparameters."),
    ] = False,
    split_column: Annotated[
        str | None,
        typer.Option(
            "--split-column", metavar="NAME", help="Column with train, validation or test."
        ),
    ] = None,
    group_column: Annotated[
        str | None,
        typer.Option(
            "--group-column",
            metavar="NAME",
            help="Column of groups, such as products or users, that stay in one split.",
        ),
    ] = None,
    positive: Annotated[
        list[str] | None,
        typer.Option(
            "--positive", metavar="LABELS", help="Labels that count as positive, such as 4,5."
        ),
    ] = None,
    negative: Annotated[
        list[str] | None,
        typer.Option(
            "--negative", metavar="LABELS", help="Labels that count as negative, such as 1,2."
        ),
    ] = None,
    encoding: EncodingOption = None,
    columns: ColumnsOption = None,
    tokens: Annotated[
        Literal["words", "characters"] | None,
        typer.Option("--tokens", help="How texts are split; detected if not given."),
    ] = None,
    drop_empty: Annotated[
        bool, typer.Option("--drop-empty", help="Leave out rows without a word or a label.")
    ] = False,
) -> None:
    """Inspect your reviews, and write a commented study file scaled to their number."""
    from lstm_study import commands
    from lstm_study.cli.display import Display
    from lstm_study.cli.text.reviews import new_study_text
    from lstm_study.corpus.sources.survey import UserChoices

    with Display(out) as show:
        made = commands.write_new_study(
            reviews,
            out=target,
            choices=UserChoices(
                text_column=text_column,
                label_column=label_column,
                split_column=split_column,
                group_column=group_column,
                positive=_labels(positive),
                negative=_labels(negative),
                encoding=encoding,
                columns=column_names(columns),
            ),
            tokens=tokens,
            drop_empty=drop_empty,
            documented=documented,
            show=show,
        )
    out.print(new_study_text(made))


def _labels(given: list[str] | None) -> tuple[str, ...]:
    """Reads labels from options that may be repeated and may hold several, separated by commas."""
    return tuple(label for each in given or () for label in split_labels(each))


def data(
    study: StudyFile,
    data: DataOption = None,
    settings: SetOption = None,
    encoding: EncodingOption = None,
    as_json: JsonOption = False,
) -> None:
    """Describe the reviews: counts, balance, lengths, vocabulary coverage, duplicates, samples."""
    from lstm_study import commands
    from lstm_study.cli.display import Display
    from lstm_study.cli.text.reviews import description_text, sides_text
    from lstm_study.corpus.describe import describe

    if encoding is not None:
        settings = [*(settings or ()), f"data.encoding={encoding}"]
    opened = open_with(study, data=data, out_folder=REPORTS, settings=settings)
    with Display(err if as_json else out) as show:
        corpus = commands.read_corpus(opened, show=show)
        time = "" if as_json else commands.time_in_words(opened, corpus.summary, show=show)
    found = describe(corpus, seed=opened.spec.study.seed)
    if as_json:
        print_json(found)
        return
    out.print(description_text(found))
    out.print(sides_text(corpus.summary.labels, data=opened.spec.data), soft_wrap=True)
    power = commands.planned_power(opened, corpus.summary)
    out.print(f"Power     {power.sentence}.", soft_wrap=True)
    out.print(f"Time      {time}.", soft_wrap=True)


def status(
    study: StudyFile,
    data: DataOption = None,
    out_folder: OutOption = REPORTS,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what is done, running and failed, and how long the rest will take."""
    from lstm_study import commands
    from lstm_study.cli.text.studies import status_text

    opened = open_with(study, data=data, out_folder=out_folder, settings=settings)
    found = commands.read_status(opened)
    print_result(found, status_text(found), as_json=as_json)


def list_studies(as_json: JsonOption = False) -> None:
    """List the studies in this folder: state, verdict, winner, last start."""
    from lstm_study.cli.text.studies import studies_text
    from lstm_study.commands.list_studies import list_studies as listed

    found = listed()
    print_result(found, studies_text(found), as_json=as_json)


def check(
    study: Annotated[
        str | None,
        typer.Argument(metavar="STUDY.toml", help="A study file, or a packaged study's name."),
    ] = None,
    records: Annotated[
        Path | None,
        typer.Option("--records", metavar="FOLDER", help="Check a copy that `records` made."),
    ] = None,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Move damaged files aside, so that `run` makes them again."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Verify every file of a study, and list those that are damaged or missing."""
    from lstm_study import commands
    from lstm_study.cli.display import Display
    from lstm_study.cli.text.studies import check_text
    from lstm_study.store import Store

    if (study is None) == (records is None) or (records is not None and repair):
        raise typer.BadParameter("Give STUDY.toml, or --records FOLDER without --repair.")
    aside = None
    if records is not None:
        found = commands.check(Store(records))
    else:
        opened = open_with(study or "", data=None, out_folder=REPORTS, settings=None)
        with contextlib.ExitStack() as stack:
            if repair:
                show = stack.enter_context(Display(err if as_json else out))
                stack.enter_context(commands.held(opened, show=show, trains=False))
            found = commands.check(opened.store)
            if repair:
                aside = commands.repair(opened.store, found.repairable)
    print_result(found, check_text(found, where=study or "", aside=aside), as_json=as_json)
    left = len(found.findings) - (len(found.repairable) if repair else 0)
    raise typer.Exit(EXIT_ERROR if left else EXIT_DONE)


def doctor(as_json: JsonOption = False) -> None:
    """Show versions, devices, memory and disk of this machine, and what a study would use."""
    from lstm_study.cli.text.studies import examination_text
    from lstm_study.commands.doctor import examine

    found = examine()
    print_result(found, examination_text(found), as_json=as_json)
