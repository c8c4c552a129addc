"""Commands that show or export the results of a study."""

import codecs
import contextlib
import io
import sys
from collections.abc import Iterator
from itertools import chain, count, islice
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.text import Text

from lstm_study.cli.options import (
    REPORTS,
    ColumnsOption,
    DataOption,
    EncodingOption,
    OutOption,
    SetOption,
    StudyFile,
    column_names,
)
from lstm_study.cli.shared import err, open_with, out, say, waiting
from lstm_study.corpus.files.advice import argument
from lstm_study.corpus.files.encodings import given_encoding
from lstm_study.errors import DataError
from lstm_study.printable import printable


def report(
    study: Annotated[
        str | None,
        typer.Argument(metavar="STUDY.toml", help="A study file, or a packaged study's name."),
    ] = None,
    data: DataOption = None,
    out_folder: OutOption = REPORTS,
    settings: SetOption = None,
    records: Annotated[
        Path | None,
        typer.Option(
            "--records",
            metavar="FOLDER",
            help="Write the report from a folder made by `records`, without study file or reviews.",
        ),
    ] = None,
    written_as: Annotated[
        Literal["html", "optuna", "tensorboard"],
        typer.Option(
            "--format",
            help="html, with CSV files; optuna, for optuna-dashboard; tensorboard, event files.",
        ),
    ] = "html",
) -> None:
    """Write the HTML and CSV report from the records so far; needs no TensorFlow."""
    from lstm_study import commands
    from lstm_study.cli.display import Display
    from lstm_study.report.formats.optuna import write_optuna
    from lstm_study.report.formats.tensorboard import write_tensorboard

    if (study is None) == (records is None) or (records is not None and (data or settings)):
        raise typer.BadParameter("Give STUDY.toml, or --records FOLDER without --data and --set.")
    if records is not None:
        opened = commands.open_kept(records, out=out_folder)
    else:
        opened = open_with(study or "", data=data, out_folder=out_folder, settings=settings)
    if written_as == "optuna":
        path = write_optuna(opened.store.read_all(), folder=opened.reports)
        out.print(f"Storage   {path}\nOpen it   optuna-dashboard sqlite:///{path}", soft_wrap=True)
    if written_as == "tensorboard":
        path = write_tensorboard(opened.store.read_all(), folder=opened.reports)
        out.print(f"Events    {path}\nOpen them tensorboard --logdir {path}", soft_wrap=True)
    if written_as != "html" and not (opened.reports / "report.html").is_file():
        return
    # An existing report is written again, to link what was written beside it.
    notes: tuple[str, ...] = ()
    with Display(out) as show:
        if records is None:
            path = commands.make_report(opened, show=show)
        else:
            path, notes = commands.report_kept(opened, show=show)
    out.print(f"Report    {path}", soft_wrap=True)
    for note in notes:
        out.print(f"Note      {note}", style="dim", soft_wrap=True)


def records(
    study: StudyFile,
    settings: SetOption = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", metavar="FOLDER", help="Folder to copy to; study/reference/NAME if not given."
        ),
    ] = None,
) -> None:
    """Copy a study's records, without weights or this machine's paths, to commit or share."""
    from lstm_study import commands
    from lstm_study.spec.quantities import size_in_words

    opened = open_with(study, data=None, out_folder=REPORTS, settings=settings)
    kept = commands.keep(opened, folder=to)
    out.print(f"Records   {kept.folder}/ ({kept.files} files, {size_in_words(kept.bytes)})")
    out.print(f"Report it lstm-study report --records {argument(str(kept.folder))}", soft_wrap=True)


def diff(
    studies: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDIES",
            help="Two or more: study files, names of packaged studies, folders of records.",
        ),
    ],
    out_folder: OutOption = REPORTS,
) -> None:
    """Compare studies on one page: winners, arms, searches, settings that differ."""
    from lstm_study.commands.diff import make_diff, open_any

    path = make_diff([open_any(study, out=out_folder) for study in studies])
    out.print(f"Report    {path}", soft_wrap=True)


def watch(
    study: StudyFile,
    settings: SetOption = None,
    port: Annotated[
        int,
        typer.Option(
            "--port", metavar="PORT", min=0, max=65_535, help="Port on 127.0.0.1; 0 for a free one."
        ),
    ] = 8765,
) -> None:
    """Serve a live report on this machine, updated while the study runs."""
    from lstm_study.commands.watch import watch as prepare

    opened = open_with(study, data=None, out_folder=REPORTS, settings=settings)
    watching = prepare(opened, port=port, tell=_tell_trouble)
    out.print(f"Watching  {watching.address}\nCtrl-C ends it.", soft_wrap=True)
    with contextlib.suppress(KeyboardInterrupt):
        watching.serve()


def _tell_trouble(reason: str) -> None:
    err.print(
        Text.assemble(("Note", "bold yellow"), f"      the report can't be made now: {reason}"),
        soft_wrap=True,
    )


def export(
    study: StudyFile,
    data: DataOption = None,
    out_folder: OutOption = REPORTS,
    settings: SetOption = None,
    arm: Annotated[
        str,
        typer.Option("--arm", metavar="ARM", help="Another arm's model, such as runner-up-1."),
    ] = "winner",
) -> None:
    """Write the winner's model bundle: .keras, .h5, vocabulary, model card, example."""
    from lstm_study import commands
    from lstm_study.cli.display import Display

    opened = open_with(study, data=data, out_folder=out_folder, settings=settings)
    with Display(out) as show:
        folder = commands.export_arm(opened, arm=arm, show=show)
    out.print(f"Model     {folder}/")


def predict(
    model_dir: Annotated[Path, typer.Argument(metavar="MODEL_DIR", help="A model bundle.")],
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT",
            help="Texts, after -- if one begins with a dash; if none or -, the lines of stdin.",
        ),
    ] = None,
    tables: Annotated[
        list[Path] | None,
        typer.Option(
            "--file",
            "--csv",
            metavar="IN",
            help="Read texts from a CSV, TSV, JSON, Parquet or Arrow file, a folder or a pattern.",
        ),
    ] = None,
    target: Annotated[
        Path | None,
        typer.Option("--out", metavar="OUT", help="Write a table with the predictions here."),
    ] = None,
    text_column: Annotated[
        str | None,
        typer.Option(
            "--text-column", metavar="NAME", help="Column of the texts; the study's if not given."
        ),
    ] = None,
    encoding: EncodingOption = None,
    columns: ColumnsOption = None,
    ensemble: Annotated[
        bool, typer.Option("--ensemble", help="Predict with the ensemble (export.ensemble).")
    ] = False,
    others: Annotated[
        list[Path] | None,
        typer.Option(
            "--with",
            metavar="MODEL_DIR",
            help="Predict with the mean of this model's probability and MODEL_DIR's; repeatable.",
        ),
    ] = None,
) -> None:
    """Print the probability of the positive label for each text."""
    from lstm_study.cli.display import Bar
    from lstm_study.commands import predict as prediction

    if bool(tables) != (target is not None):
        raise typer.BadParameter("--file IN and --out OUT go together.")
    if tables and texts:
        raise typer.BadParameter("Give texts, or --file IN, and not both.")
    if tables and target is not None:
        model = prediction.load_model_quietly(model_dir, ensemble=ensemble, others=others or ())
        from lstm_study.export import predict_files
        from lstm_study.spec.quantities import counted

        with Bar(err) as bar:
            found = predict_files(
                model,
                tables,
                target,
                text_column=text_column,
                encoding=encoding,
                columns=column_names(columns),
                progress=bar.show,
            )
        for note in found.notes:
            say(note, to=err)
        say(f"{counted(found.rows, 'row')} of column {found.column!r} written to {target}", to=out)
        _say_unknown(found.unknown)
        return
    texts = _typed_texts(texts)
    lines = texts or _stdin_lines(encoding or "utf-8")
    # At a terminal each line is answered when it is typed, else many at once.
    is_typed = not texts and sys.stdin.isatty()
    at_once = 1 if is_typed else prediction.AT_ONCE
    with contextlib.nullcontext() if is_typed else waiting("loading the model"):
        model = prediction.load_model_quietly(model_dir, ensemble=ensemble, others=others or ())
        answers = prediction.predict_lines(model, lines, at_once=at_once, on_unknown=_say_unknown)
        first = list(islice(answers, 1))
    for item in chain(first, answers):
        typer.echo(printable(item, keep="\t"))


def _say_unknown(count: int) -> None:
    from lstm_study.commands.predict import unknown_in_words

    if count:
        say(unknown_in_words(count), to=err)


def _typed_texts(texts: list[str] | None) -> list[str]:
    """Returns the texts of the command line; none where a dash alone asks for stdin."""
    return [] if texts is None or texts == ["-"] else texts


def _stdin_lines(encoding: str) -> Iterator[str]:
    """Yields the lines of stdin.

    Raises:
        DataError: They are not in that encoding.
    """
    found = given_encoding(encoding, "stdin")
    lines: Iterator[bytes] = iter(sys.stdin.buffer)
    if codecs.lookup(found.name).name.startswith(("utf-16", "utf-32")):
        # A line feed is a part of other characters, too: as a whole, and again as UTF-8.
        wide = io.TextIOWrapper(sys.stdin.buffer, found.name, found.errors, newline="\n")
        found, lines = given_encoding("utf-8", "stdin"), (line.encode() for line in wide)
    for number in count(1):
        try:
            line = next(lines, b"").decode(found.name, found.errors)
            if not line:
                return
            yield (line.removeprefix("\ufeff") if number == 1 else line).rstrip("\r\n")
        except UnicodeError as error:
            raise DataError(
                f"stdin:{number}: is not {found.name} ({error}). Name its encoding with "
                "--encoding cp1252, or whichever it is."
            ) from error
