"""The command line: reads arguments, makes one call, shows what came of it.

Exit codes: 0 done, 1 a known error in one line, 2 usage, 3 finished but with failed trials or runs,
130 interrupted.
"""

import contextlib
import enum
import functools
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TypeVar

import typer
from rich.console import Console

from lstm_study.errors import StudyError

if TYPE_CHECKING:
    from lstm_study.commands import Answer, OpenStudy, Show
    from lstm_study.display import Display

_SLOW_TO_LEAVE = frozenset({"grpc", "tensorflow"})
EXIT_DONE, EXIT_ERROR, EXIT_USAGE, EXIT_FAILED_TRIALS, EXIT_INTERRUPTED = 0, 1, 2, 3, 130

app = typer.Typer(
    name="lstm-study",
    help="Finds out which LSTM reads your reviews best, and whether it really beats the "
    "documented 128/100 baseline.",
    epilog="Start with `lstm-study run`: the quick start takes minutes on a laptop. "
    "Exit codes: 0 done, 1 error, 2 usage, 3 finished but with failed trials, 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

StudyFile = Annotated[
    str,
    typer.Argument(
        metavar="STUDY.toml",
        help="A study file, or the name of one that comes with the package.",
        show_default=False,
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="PATH", help="Where the reviews are, instead of data.path."),
]
OutOption = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for reports.")]
FreshOption = Annotated[
    bool, typer.Option("--fresh", help="Delete what the study left, and start over.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="TABLE.KEY=VALUE", help="Change the study file once; recorded. Repeatable."
    ),
]
WorkersOption = Annotated[
    str,
    typer.Option(
        "--workers", metavar="N", help="Worker processes, or auto: one per GPU, else processor."
    ),
]
WorkersPerGpuOption = Annotated[
    int | None,
    typer.Option(
        "--workers-per-gpu", metavar="K", min=1, help="Workers that share a GPU; 1 if not given."
    ),
]
TensorBoardOption = Annotated[
    bool,
    typer.Option(
        "--tensorboard", help="Write TensorBoard's event files while it runs, beside the report."
    ),
]
REPORTS = Path("reports")


class ReportFormat(enum.StrEnum):
    """What `report` writes."""

    HTML = "html"
    OPTUNA = "optuna"
    TENSORBOARD = "tensorboard"


def handled(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Turns known errors into one line and exit code 1; the only place that catches them."""

    @functools.wraps(function)
    def wrapper(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return function(*args, **kwargs)
        except StudyError as error:
            for line in str(error).splitlines():
                err.print(f"[bold red]error:[/] {_escape(line)}", soft_wrap=True)
            raise typer.Exit(EXIT_ERROR) from None
        except KeyboardInterrupt:
            err.print(
                "Interrupted. All finished epochs are saved; go on with:\n  "
                + _escape(_resume_command()),
                soft_wrap=True,
            )
            raise typer.Exit(EXIT_INTERRUPTED) from None

    return wrapper


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _resume_command() -> str:
    arguments = [argument for argument in sys.argv[1:] if argument != "--fresh"]
    return shlex.join(["lstm-study", *arguments])


def _open(
    study: str,
    *,
    data: Path | None,
    out_folder: Path,
    settings: list[str] | None,
    workers: str = "auto",
    workers_per_gpu: int | None = None,
    bind: str = "",
) -> "OpenStudy":
    from lstm_study.commands import open_study

    return open_study(
        study,
        data=data,
        out=out_folder,
        settings=settings or (),
        command=shlex.join(["lstm-study", *sys.argv[1:]]),
        workers=_workers(workers, least=0 if bind else 1),
        workers_per_gpu=workers_per_gpu,
        bind=bind,
    )


def _shown(
    display: "Display", opened: "OpenStudy", tensorboard: bool
) -> contextlib.AbstractContextManager["Show"]:
    """Shows progress on a display alone, or in TensorBoard's event files, too."""
    if not tensorboard:
        return contextlib.nullcontext(display)
    from lstm_study.commands.tensorboard import WithTensorBoard

    return WithTensorBoard(display, opened)


def _workers(text: str, *, least: int) -> int | None:
    if text == "auto":
        return None
    if not text.isdecimal() or int(text) < least:
        raise typer.BadParameter(f"must be a number >= {least}, or auto. Received: {text!r}.")
    return int(text)


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise typer.BadParameter(f"must be HOST:PORT. Received: {text!r}.")
    return text


def _seconds(text: str) -> int:
    from lstm_study.quantities import seconds_of

    try:
        return seconds_of(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}. Received: {text!r}.") from None


@app.command(epilog="Example: lstm-study run study/imdb.toml --data imdb.npz")
@handled
def run(
    study: StudyFile = "study/quickstart.toml",
    data: DataOption = None,
    out_folder: OutOption = REPORTS,
    fresh: FreshOption = False,
    settings: SetOption = None,
    workers: WorkersOption = "auto",
    workers_per_gpu: WorkersPerGpuOption = None,
    tensorboard: TensorBoardOption = False,
) -> None:
    """Run every stage that is not done yet: search, comparison, model, report."""
    from lstm_study import commands, text
    from lstm_study.display import Display

    opened = _open(
        study,
        data=data,
        out_folder=out_folder,
        settings=settings,
        workers=workers,
        workers_per_gpu=workers_per_gpu,
    )
    with Display(out) as display, _shown(display, opened, tensorboard) as show:
        answer, was_finished = commands.run(opened, fresh=fresh, show=show)
    if was_finished:
        out.print("This study is finished; --fresh starts it over.\n", style="dim")
    out.print(text.answer(answer))
    _exit(answer)


@app.command(epilog="Example: lstm-study init tweets.csv --out tweets.toml")
@handled
def init(
    reviews: Annotated[
        Path, typer.Argument(metavar="REVIEWS", help="Your reviews: CSV, TSV, JSONL or Parquet.")
    ],
    target: Annotated[
        Path, typer.Option("--out", metavar="STUDY.toml", help="The study file to write.")
    ] = Path("study.toml"),
    text_column: Annotated[
        str | None,
        typer.Option("--text-column", metavar="NAME", help="Where it can't be told by itself."),
    ] = None,
    label_column: Annotated[
        str | None,
        typer.Option("--label-column", metavar="NAME", help="Where it can't be told by itself."),
    ] = None,
) -> None:
    """Look at a file of reviews, and write a commented study for it, scaled to its size."""
    from lstm_study import commands, text
    from lstm_study.display import Display

    with Display(out) as show:
        made = commands.write_new_study(
            reviews, out=target, text_column=text_column, label_column=label_column, show=show
        )
    out.print(text.new_study(made))


@app.command(epilog="Example: lstm-study data study/own-reviews.toml --data reviews.csv")
@handled
def data(
    study: StudyFile,
    data: DataOption = None,
    settings: SetOption = None,
) -> None:
    """Look at the reviews: counts, balance, lengths, vocabulary coverage, duplicates, samples."""
    from lstm_study import commands, text
    from lstm_study.corpus.describe import describe
    from lstm_study.display import Display

    opened = _open(study, data=data, out_folder=REPORTS, settings=settings)
    with Display(out) as show:
        corpus = commands.read_corpus(opened, show=show)
    out.print(text.description(describe(corpus, seed=opened.spec.study.seed)))
    power = commands.planned_power(opened, corpus.summary)
    out.print(f"\nPower     {power.sentence}.", soft_wrap=True)


@app.command(epilog="Example: lstm-study baseline study/imdb.toml --data imdb.npz --epochs 1")
@handled
def baseline(
    study: StudyFile,
    data: DataOption = None,
    out_folder: OutOption = REPORTS,
    fresh: FreshOption = False,
    settings: SetOption = None,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Epochs to train, instead of the protocol's; kept apart."),
    ] = None,
) -> None:
    """Train the documented baseline alone: summary, fit, test accuracy, saved model."""
    from lstm_study import commands
    from lstm_study.display import Display

    opened = _open(study, data=data, out_folder=out_folder, settings=settings, workers="1")
    with Display(out) as show:
        found, folder = commands.baseline(
            opened,
            epochs=epochs,
            fresh=fresh,
            show=show,
            summary=lambda summary: out.print(summary, markup=False),
        )
    out.print(f"Accuracy: {found.test_accuracy:.2%}")
    out.print(f"Model     {folder}/")


@app.command(epilog="Example: lstm-study search study/imdb.toml --workers 2")
@handled
def search(
    study: StudyFile,
    data: DataOption = None,
    fresh: FreshOption = False,
    settings: SetOption = None,
    workers: WorkersOption = "auto",
    workers_per_gpu: WorkersPerGpuOption = None,
    tensorboard: TensorBoardOption = False,
) -> None:
    """Search the space with Hyperband, or go on with a search that was stopped."""
    opened = _open(
        study,
        data=data,
        out_folder=REPORTS,
        settings=settings,
        workers=workers,
        workers_per_gpu=workers_per_gpu,
    )
    _search(opened, fresh=fresh, tensorboard=tensorboard)


def _search(opened: "OpenStudy", *, fresh: bool, tensorboard: bool) -> None:
    from lstm_study import commands, text
    from lstm_study.display import Display

    with Display(out) as display, commands.held(opened, fresh=fresh):
        commands.begin(opened, show=display)
        with _shown(display, opened, tensorboard) as show:
            winner = commands.search(opened, show=show)
    out.print(text.winner(winner))
    _exit(commands.read_answer(opened))


@app.command(epilog="Example: lstm-study chief study/imdb.toml --bind 10.0.0.7:8476 --workers 0")
@handled
def chief(
    study: StudyFile,
    data: DataOption = None,
    fresh: FreshOption = False,
    settings: SetOption = None,
    bind: Annotated[
        str,
        typer.Option(
            "--bind",
            metavar="HOST:PORT",
            callback=_address,
            help="Where to listen for workers; this machine alone if not given. Not encrypted.",
        ),
    ] = "127.0.0.1:0",
    workers: Annotated[
        str,
        typer.Option("--workers", metavar="N", help="Worker processes of its own; 0 for none."),
    ] = "auto",
    workers_per_gpu: WorkersPerGpuOption = None,
    tensorboard: TensorBoardOption = False,
) -> None:
    """Search as `search` does, and hand out trials to workers on other machines, too."""
    opened = _open(
        study,
        data=data,
        out_folder=REPORTS,
        settings=settings,
        workers=workers,
        workers_per_gpu=workers_per_gpu,
        bind=bind,
    )
    _search(opened, fresh=fresh, tensorboard=tensorboard)


@app.command(epilog="Example: lstm-study worker study/imdb.toml --chief 10.0.0.7:8476")
@handled
def worker(
    study: StudyFile,
    chief: Annotated[
        str | None,
        typer.Option(
            "--chief",
            metavar="HOST:PORT",
            callback=lambda text: None if text is None else _address(text),
            help="Where the chief listens; if not given, as the study's folder says.",
        ),
    ] = None,
    data: DataOption = None,
    settings: SetOption = None,
    workers: WorkersOption = "auto",
    workers_per_gpu: WorkersPerGpuOption = None,
    wait: Annotated[
        str, typer.Option("--wait", metavar="TIME", help="How long to wait for the chief.")
    ] = "10m",
) -> None:
    """Train on this machine what the chief of a study hands out, in a folder that both share."""
    from lstm_study import commands
    from lstm_study.display import Display

    wait_seconds = _seconds(wait)
    opened = _open(
        study,
        data=data,
        out_folder=REPORTS,
        settings=settings,
        workers=workers,
        workers_per_gpu=workers_per_gpu,
    )
    with Display(out) as show:
        commands.join_chief(opened, address=chief or "", wait_seconds=wait_seconds, show=show)


@app.command(epilog="Example: lstm-study compare study/imdb.toml --more-seeds 4")
@handled
def compare(
    study: StudyFile,
    data: DataOption = None,
    settings: SetOption = None,
    workers: WorkersOption = "auto",
    workers_per_gpu: WorkersPerGpuOption = None,
    more_seeds: Annotated[
        int | None,
        typer.Option(
            "--more-seeds",
            metavar="N",
            min=1,
            help="Add N seeds for every arm; written down, and counted as another look at test.",
        ),
    ] = None,
) -> None:
    """Retrain baseline, winner and the other arms with several seeds; evaluate each on test."""
    from lstm_study import commands, text
    from lstm_study.display import Display

    opened = _open(
        study,
        data=data,
        out_folder=REPORTS,
        settings=settings,
        workers=workers,
        workers_per_gpu=workers_per_gpu,
    )
    with Display(out) as show, commands.held(opened):
        commands.begin(opened, show=show)
        commands.compare(opened, show=show, more_seeds=more_seeds or 0)
    answer = commands.read_answer(opened)
    out.print(text.answer(answer))
    _exit(answer)


@app.command(epilog="Example: lstm-study report study/imdb.toml --out reports")
@handled
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
            help="The same report again from records that `records` kept: no study file, no data.",
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
    from lstm_study import commands, reporting
    from lstm_study.display import Display

    if (study is None) == (records is None) or (records is not None and (data or settings)):
        raise typer.BadParameter("Give STUDY.toml, or --records FOLDER without --data and --set.")
    if records is not None:
        opened = commands.open_kept(records, out=out_folder)
    else:
        opened = _open(study or "", data=data, out_folder=out_folder, settings=settings)
    if written_as is ReportFormat.OPTUNA:
        path = reporting.write_optuna(opened)
        out.print(f"Storage   {path}\nOpen it   optuna-dashboard sqlite:///{path}", soft_wrap=True)
        return
    if written_as is ReportFormat.TENSORBOARD:
        path = reporting.write_tensorboard(opened)
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
        out.print(f"Note      {_escape(note)}", style="dim", soft_wrap=True)


@app.command(epilog="Example: lstm-study records study/imdb.toml --to study/reference/imdb")
@handled
def records(
    study: StudyFile,
    settings: SetOption = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", help="Where to; study/reference/NAME if not given."),
    ] = None,
) -> None:
    """Copy a study's records, small and without this machine's paths, to be committed or shown."""
    from lstm_study import commands
    from lstm_study.quantities import size_in_words

    opened = _open(study, data=None, out_folder=REPORTS, settings=settings)
    kept = commands.keep(opened, folder=to)
    out.print(f"Records   {kept.folder}/ ({kept.files} files, {size_in_words(kept.bytes)})")
    out.print(f"Report it lstm-study report --records {kept.folder}", soft_wrap=True)


@app.command(epilog="Example: lstm-study diff study/quickstart.toml study/own-reviews.toml")
@handled
def diff(
    first: Annotated[str, typer.Argument(metavar="STUDY_A", help="A study that has begun.")],
    second: Annotated[
        str, typer.Argument(metavar="STUDY_B", help="Another; differences are B minus A.")
    ],
    out_folder: OutOption = REPORTS,
) -> None:
    """Put two studies side by side in one page: arms, searches, settings that differ."""
    from lstm_study import reporting

    studies = [
        _open(study, data=None, out_folder=out_folder, settings=None) for study in (first, second)
    ]
    path = reporting.write_diff(*studies)
    out.print(f"Report    {path}")


@app.command(epilog="Example: lstm-study watch study/imdb.toml")
@handled
def watch(
    study: StudyFile,
    settings: SetOption = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="On 127.0.0.1; 0 for any free one.")
    ] = 8765,
) -> None:
    """Serve the report to this machine while the search runs, drawn anew as trials finish."""
    from lstm_study import reporting

    opened = _open(study, data=None, out_folder=REPORTS, settings=settings)
    watching = reporting.watch(opened, port=port)
    out.print(f"Watching  {watching.address}\nCtrl-C ends it.", soft_wrap=True)
    with contextlib.suppress(KeyboardInterrupt):
        watching.serve()


@app.command(epilog="Example: lstm-study export study/imdb.toml")
@handled
def export(
    study: StudyFile,
    data: DataOption = None,
    out_folder: OutOption = REPORTS,
    settings: SetOption = None,
) -> None:
    """Write the winner's model bundle: .keras, .h5, vocabulary, model card, example."""
    from lstm_study import commands
    from lstm_study.display import Display

    opened = _open(study, data=data, out_folder=out_folder, settings=settings)
    with Display(out) as show:
        folder = commands.write_bundle(opened, show=show)
    out.print(f"Model     {folder}/")


@app.command(epilog='Example: lstm-study predict reports/quickstart/model "A fine film."')
@handled
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
        bool, typer.Option("--ensemble", help="Read with the mean of all runs (export.ensemble).")
    ] = False,
) -> None:
    """Say for each text how probable the positive label is."""
    from lstm_study import prediction
    from lstm_study.display import Bar

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
        typer.echo(item)


@app.command(epilog="Example: lstm-study status study/imdb.toml")
@handled
def status(
    study: StudyFile,
    data: DataOption = None,
    out_folder: OutOption = REPORTS,
    settings: SetOption = None,
) -> None:
    """Say what is done, running and failed, and how long the rest will take."""
    from lstm_study import commands, text

    opened = _open(study, data=data, out_folder=out_folder, settings=settings)
    out.print(text.status(commands.read_status(opened)))


@app.command(epilog="Example: KERAS_BACKEND=jax lstm-study doctor")
@handled
def doctor() -> None:
    """Say what this machine is, and what a study would use of it."""
    from lstm_study import text
    from lstm_study.doctor import examine

    out.print(text.examination(examine()))


def _exit(answer: "Answer") -> None:
    if answer.failed_trials:
        raise typer.Exit(EXIT_FAILED_TRIALS)


def main() -> Any:
    """The console script's entry point."""
    try:
        app()
    except SystemExit as ended:
        _leave_at_once(ended.code)
        raise


def _leave_at_once(code: object) -> None:
    """Ends the process without taking down what it loaded, where that would take long.

    All is written and every worker has ended by now. Python's own way out frees TensorFlow and gRPC
    piece by piece: seconds after a Ctrl-C, and once, on a busy machine, more than a minute.
    """
    if isinstance(code, int) and not _SLOW_TO_LEAVE.isdisjoint(sys.modules):
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
