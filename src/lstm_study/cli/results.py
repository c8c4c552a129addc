"""Commands that show or export the results of a study."""

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from lstm_study.cli.frame import err, escape, open_with, out
from lstm_study.cli.options import (
    REPORTS,
    DataOption,
    OutOption,
    ReportFormat,
    SetOption,
    StudyFile,
)
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
            help="Write the report from a folder that `records` wrote: no study file, no data.",
        ),
    ] = None,
    written_as: Annotated[
        ReportFormat,
        typer.Option(
            "--format", help="html with CSV; optuna: a storage for optuna-dashboard; tensorboard."
        ),
    ] = ReportFormat.HTML,
) -> None:
    """Write the HTML and CSV reports from the records, finished or not; needs no TensorFlow."""
    from lstm_study import commands
    from lstm_study.cli.display import Display
    from lstm_study.commands import formats

    if (study is None) == (records is None) or (records is not None and (data or settings)):
        raise typer.BadParameter("Give STUDY.toml, or --records FOLDER without --data and --set.")
    if records is not None:
        opened = commands.open_kept(records, out=out_folder)
    else:
        opened = open_with(study or "", data=data, out_folder=out_folder, settings=settings)
    if written_as is ReportFormat.OPTUNA:
        path = formats.write_optuna(opened)
        out.print(f"Storage   {path}\nOpen it   optuna-dashboard sqlite:///{path}", soft_wrap=True)
        return
    if written_as is ReportFormat.TENSORBOARD:
        path = formats.write_tensorboard(opened)
        out.print(f"Events    {path}\nOpen them tensorboard --logdir {path}", soft_wrap=True)
        return
    notes: tuple[str, ...] = ()
    with Display(out) as show:
        if records is None:
            path = commands.write_report(opened, show=show)
        else:
            path, notes = commands.report_kept(opened, show=show)
    out.print(f"Report    {path}", soft_wrap=True)
    for note in notes:
        out.print(f"Note      {escape(note)}", style="dim", soft_wrap=True)


def records(
    study: StudyFile,
    settings: SetOption = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", metavar="FOLDER", help="The copy's folder; study/reference/NAME if not given."
        ),
    ] = None,
) -> None:
    """Copy a study's records, small and without this machine's paths, to be committed or shown."""
    from lstm_study import commands
    from lstm_study.spec.quantities import size_in_words

    opened = open_with(study, data=None, out_folder=REPORTS, settings=settings)
    kept = commands.keep(opened, folder=to)
    out.print(f"Records   {kept.folder}/ ({kept.files} files, {size_in_words(kept.bytes)})")
    out.print(f"Report it lstm-study report --records {kept.folder}", soft_wrap=True)


def diff(
    first: Annotated[str, typer.Argument(metavar="STUDY_A", help="A study that has begun.")],
    second: Annotated[
        str, typer.Argument(metavar="STUDY_B", help="Another; differences are B minus A.")
    ],
    out_folder: OutOption = REPORTS,
) -> None:
    """Put two studies side by side in one page: arms, searches, settings that differ."""
    from lstm_study.commands.diff import write_diff

    studies = [
        open_with(study, data=None, out_folder=out_folder, settings=None)
        for study in (first, second)
    ]
    path = write_diff(*studies)
    out.print(f"Report    {path}")


def watch(
    study: StudyFile,
    settings: SetOption = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="On 127.0.0.1; 0 for any free one.")
    ] = 8765,
) -> None:
    """Serve the report on this machine while the search runs, updated as trials finish."""
    from lstm_study.commands.watch import watch as prepare

    opened = open_with(study, data=None, out_folder=REPORTS, settings=settings)
    watching = prepare(opened, port=port)
    out.print(f"Watching  {watching.address}\nCtrl-C ends it.", soft_wrap=True)
    with contextlib.suppress(KeyboardInterrupt):
        watching.serve()


def export(
    study: StudyFile,
    data: DataOption = None,
    out_folder: OutOption = REPORTS,
    settings: SetOption = None,
) -> None:
    """Write the winner's model bundle: .keras, .h5, vocabulary, model card, example."""
    from lstm_study import commands
    from lstm_study.cli.display import Display

    opened = open_with(study, data=data, out_folder=out_folder, settings=settings)
    with Display(out) as show:
        folder = commands.write_bundle(opened, show=show)
    out.print(f"Model     {folder}/")


def predict(
    model_dir: Annotated[Path, typer.Argument(metavar="MODEL_DIR", help="A model bundle.")],
    texts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TEXT]...", help="Texts; without any, the lines of stdin."),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="IN", help="Read texts from a CSV file.")
    ] = None,
    target: Annotated[
        Path | None,
        typer.Option("--out", metavar="OUT", help="Write the CSV with probabilities here."),
    ] = None,
    text_column: Annotated[
        str, typer.Option("--text-column", help="The CSV's column that holds the texts.")
    ] = "text",
    ensemble: Annotated[
        bool, typer.Option("--ensemble", help="Use the mean of all runs (export.ensemble).")
    ] = False,
) -> None:
    """Print for each text the probability of the positive label."""
    from lstm_study.cli.display import Bar
    from lstm_study.commands import predict as prediction

    if (csv is None) != (target is None):
        raise typer.BadParameter("--csv IN and --out OUT go together.")
    if csv is not None and target is not None:
        with Bar(err) as bar:
            rows = prediction.predict_file(
                model_dir,
                csv,
                target,
                text_column=text_column,
                ensemble=ensemble,
                progress=bar.show,
            )
        out.print(f"{rows:,} rows written to {target}")
        return
    lines = texts if texts else (line.rstrip("\n") for line in sys.stdin)
    # At a terminal each line is answered when it is typed, else many at once.
    at_once = 1 if not texts and sys.stdin.isatty() else prediction.AT_ONCE
    for item in prediction.predict_lines(model_dir, lines, at_once=at_once, ensemble=ensemble):
        typer.echo(printable(item))
