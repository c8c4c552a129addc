"""The documented baseline alone."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lstm_study.commands.begin import begin, check_writable
from lstm_study.commands.compare import train_arms
from lstm_study.commands.export import export_arm
from lstm_study.commands.open_study import RUNS_FOLDER, OpenStudy, Show, held
from lstm_study.commands.progress import baseline_progress
from lstm_study.comparison.arms import ComparisonPlan
from lstm_study.errors import ComparisonError
from lstm_study.records import Run, Trial
from lstm_study.store import Store
from lstm_study.training.console import redirect_output


def baseline(
    study: OpenStudy, *, epochs: int | None, fresh: bool, show: Show, summary: Callable[[str], None]
) -> tuple[Any, Path]:
    """Trains the documented baseline alone, evaluates it, and saves it.

    With the protocol's own epochs it is the comparison's first baseline run. With others it is a
    study of its own, so that it never mixes with the comparison.

    With `fresh` what is done is trained again, unless that would start the search over, too.
    `summary` receives the model's summary, as Keras prints it.

    Raises:
        ComparisonError: The baseline failed, or it is a part of a study that has begun to search.

    Returns:
        The run's record, and the folder with the saved model.
    """
    one_seed = study.spec.compare.model_copy(update={"seeds": 1})
    key = "protocol" if study.spec.baseline.epochs is None else "baseline"
    table = getattr(study.spec, key)
    if epochs is not None and epochs != table.epochs:
        name = f"{study.spec.study.name}-baseline-{epochs}-epochs"
        spec = study.spec.model_copy(
            update={
                "study": study.spec.study.model_copy(update={"name": name}),
                key: table.model_copy(update={"epochs": epochs}),
                "compare": one_seed,
            }
        )
        study = replace(
            study,
            spec=spec,
            settings=(*study.settings, f"{key}.epochs={epochs}"),
            store=Store(RUNS_FOLDER / name),
            reports=study.reports.parent / name,
        )
    if fresh:
        _check_alone(study)
    check_writable(study.reports)
    with held(study, show=show, fresh=fresh) as study:
        corpus = begin(study, show=show)
        summary(_model_summary(study))
        plan = ComparisonPlan(arms={"baseline": study.spec.baseline.configuration}, seeds=1)
        train_arms(study, plan, corpus, report=baseline_progress(study, show))
        found = study.store.read(Run, "baseline-s1")
        assert found is not None
        if found.status == "failed":
            assert found.failure is not None
            raise ComparisonError(
                f"The baseline failed ({found.failure.kind}): {found.failure.message}. "
                f"More is in {study.store.log_path}."
            )
        folder = export_arm(study, arm="baseline", show=show)
    return found, folder


def _check_alone(study: OpenStudy) -> None:
    """Refuses to start over more than the baseline."""
    if study.store.paths(Trial) or study.store.is_compared:
        raise ComparisonError(
            f"{study.store.folder}: with --fresh the search would start over, too, since its "
            f"comparison has this baseline. Run `{study.command_line('run')} --fresh` for that; "
            "for a baseline of its own add --set study.name=NAME."
        )


def _network(study: OpenStudy) -> Any:
    configuration, seed = study.spec.baseline.configuration, study.spec.study.seed
    if study.spec.builder is None:
        from lstm_study.model.network import build_network

        return build_network(configuration, seed=seed)
    from lstm_study.model.builder import call

    return call(study.spec.builder, configuration.as_dict(), seed=seed)[0]


def _model_summary(study: OpenStudy) -> str:
    lines: list[str] = []
    with redirect_output(study.store.log_path):
        network = _network(study)
        network.summary(print_fn=lambda line, **_: lines.append(line))
    return "\n".join(lines)
