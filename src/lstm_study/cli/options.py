"""Arguments and options that several commands share, and their parsers."""

from pathlib import Path
from typing import Annotated

import typer

from lstm_study.corpus.files.advice import split_names

StudyFile = Annotated[
    str,
    typer.Argument(
        metavar="STUDY.toml",
        help="A study file, or the name of one that comes with the package.",
        show_default=False,
    ),
]
StudyFileOrDefault = Annotated[
    str,
    typer.Argument(
        metavar="STUDY.toml",
        help="A study file, or the name of one that comes with the package.",
        show_default="./study.toml if there is one, else quickstart",
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="PATH", help="Where the reviews are, instead of data.path."),
]
OutOption = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for reports.")]
FreshOption = Annotated[
    bool,
    typer.Option(
        "--fresh", help="Start over; the earlier study is kept until the new one is done."
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="TABLE.KEY=VALUE",
        help="Override a setting; give it again with the study's later commands. Repeatable.",
    ),
]
WorkersOption = Annotated[
    str,
    typer.Option(
        "--workers",
        metavar="N",
        help="Worker processes, or auto: one per GPU, else one per core if memory allows.",
    ),
]
WorkersPerGpuOption = Annotated[
    int | None,
    typer.Option(
        "--workers-per-gpu", metavar="K", min=1, help="Workers that share a GPU; 1 if not given."
    ),
]
PopulationOption = Annotated[
    int | None,
    typer.Option(
        "--population",
        metavar="N",
        min=1,
        help="Most networks that a worker trains at once (JAX); default: as many as fit the GPU.",
    ),
]
ClusterOption = Annotated[
    str,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Train on a running Ray cluster: auto for this machine's, HOST:PORT, or ray://…",
        show_default=False,
    ),
]
QuickOption = Annotated[
    bool,
    typer.Option(
        "--quick",
        help="Compare only winner and baseline, with four seeds; a run without it adds the rest.",
    ),
]
TensorBoardOption = Annotated[
    bool,
    typer.Option(
        "--tensorboard", help="Write TensorBoard's event files while it runs, beside the report."
    ),
]
EncodingOption = Annotated[
    str | None,
    typer.Option(
        "--encoding", metavar="NAME", help="Encoding of the files; detected if not given."
    ),
]
ColumnsOption = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="NAMES",
        help="Names of all columns, for files without a header line: label,text.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
REPORTS = Path("reports")


def number_of_workers(text: str) -> int | None:
    """Reads a number of workers; None for "auto".

    Raises:
        typer.BadParameter: It is neither.
    """
    if text == "auto":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise typer.BadParameter(f"must be a number >= 1, or auto. Received: {text!r}.")
    return int(text)


def column_names(text: str | None) -> tuple[str, ...]:
    """Reads names of columns, separated by commas; none of no option.

    Raises:
        typer.BadParameter: None is a name, or a name is there twice.
    """
    if text is None:
        return ()
    names = split_names(text)
    named = [name for name in names if name]
    if not named or len(set(named)) < len(named):
        raise typer.BadParameter(
            f"--columns must name each column once, such as label,text; with nothing between two "
            f"commas, a column is left out. Received: {text!r}."
        )
    return names


class Verbosity:
    """How much commands print, from `-q` and `-v`: −1 results only, 0 as usual, 1 more."""

    level = 0
