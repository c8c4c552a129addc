"""Commands that train: run, baseline, search, compare."""

from typing import Annotated

import typer

from lstm_study.cli.options import (
    REPORTS,
    ClusterOption,
    DataOption,
    FreshOption,
    OutOption,
    PopulationOption,
    QuickOption,
    SetOption,
    StudyFile,
    StudyFileOrDefault,
    TensorBoardOption,
    WorkersOption,
    WorkersPerGpuOption,
)
from lstm_study.cli.shared import displayed, exit_with, open_with, out


def run(
    study: StudyFileOrDefault = "",
    data: DataOption = None,
    out_folder: OutOption = REPORTS,
    fresh: FreshOption = False,
    settings: SetOption = None,
    workers: WorkersOption = "auto",
    workers_per_gpu: WorkersPerGpuOption = None,
    population: PopulationOption = None,
    cluster: ClusterOption = "",
    tensorboard: TensorBoardOption = False,
    quick: QuickOption = False,
) -> None:
    """Run every stage that is not done yet: search, comparison, model, report."""
    from lstm_study import commands
    from lstm_study.cli.display import Display
    from lstm_study.cli.text.answer import answer_text

    opened = open_with(
        study,
        data=data,
        out_folder=out_folder,
        settings=settings,
        workers=workers,
        workers_per_gpu=workers_per_gpu,
        population=population,
        cluster=cluster,
    )
    with Display(out) as display, displayed(display, opened, tensorboard) as show:
        answer, was_finished = commands.run(opened, fresh=fresh, show=show, quick=quick)
    if was_finished:
        out.print("This study is finished; --fresh starts it over.\n", style="dim")
    out.print(answer_text(answer))
    exit_with(answer)


def baseline(
    study: StudyFile,
    data: DataOption = None,
    out_folder: OutOption = REPORTS,
    fresh: FreshOption = False,
    settings: SetOption = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            "--epochs",
            metavar="N",
            min=1,
            help="Epochs to train, instead of the protocol's; kept separately.",
        ),
    ] = None,
) -> None:
    """Train the documented baseline alone: summary, fit, test accuracy, saved model."""
    from lstm_study import commands
    from lstm_study.cli.display import Display

    opened = open_with(study, data=data, out_folder=out_folder, settings=settings, workers="1")
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


def search(
    study: StudyFile,
    data: DataOption = None,
    fresh: FreshOption = False,
    settings: SetOption = None,
    workers: WorkersOption = "auto",
    workers_per_gpu: WorkersPerGpuOption = None,
    population: PopulationOption = None,
    cluster: ClusterOption = "",
    tensorboard: TensorBoardOption = False,
) -> None:
    """Search the space with Hyperband, or resume an interrupted search."""
    from lstm_study import commands
    from lstm_study.cli.display import Display
    from lstm_study.cli.text.answer import winner_text

    opened = open_with(
        study,
        data=data,
        out_folder=REPORTS,
        settings=settings,
        workers=workers,
        workers_per_gpu=workers_per_gpu,
        population=population,
        cluster=cluster,
    )
    with Display(out) as display, commands.held(opened, show=display, fresh=fresh) as begun:
        corpus = commands.begin(begun, show=display)
        with displayed(display, begun, tensorboard) as show:
            winner = commands.search(begun, corpus, show=show)
    out.print(winner_text(winner))
    exit_with(commands.read_answer(begun))


def compare(
    study: StudyFile,
    data: DataOption = None,
    settings: SetOption = None,
    workers: WorkersOption = "auto",
    workers_per_gpu: WorkersPerGpuOption = None,
    population: PopulationOption = None,
    cluster: ClusterOption = "",
    more_seeds: Annotated[
        int | None,
        typer.Option(
            "--more-seeds",
            metavar="N",
            min=1,
            help="Add N seeds to every arm; recorded, and counted as another look at test.",
        ),
    ] = None,
    only_seeds: Annotated[
        int | None,
        typer.Option(
            "--only-seeds",
            metavar="N",
            min=1,
            help="Train only N seeds of each arm now; the verdict counts as a look at test.",
        ),
    ] = None,
    quick: QuickOption = False,
) -> None:
    """Retrain baseline, winner and the other arms with several seeds; evaluate each on test."""
    from lstm_study import commands
    from lstm_study.cli.display import Display
    from lstm_study.cli.text.answer import answer_text

    if (more_seeds is not None) + (only_seeds is not None) + quick > 1:
        raise typer.BadParameter("--more-seeds, --only-seeds and --quick exclude each other.")
    opened = open_with(
        study,
        data=data,
        out_folder=REPORTS,
        settings=settings,
        workers=workers,
        workers_per_gpu=workers_per_gpu,
        population=population,
        cluster=cluster,
    )
    with Display(out) as show, commands.held(opened, show=show) as opened:
        corpus = commands.begin(opened, show=show, searches=False)
        commands.compare(
            opened,
            corpus,
            show=show,
            more_seeds=more_seeds or 0,
            only_seeds=only_seeds,
            quick=quick,
        )
    answer = commands.read_answer(opened)
    out.print(answer_text(answer))
    exit_with(answer)
