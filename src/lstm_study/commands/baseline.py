"""The documented baseline alone."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from lstm_study.commands.opened import (
    RUNS_FOLDER,
    OpenStudy,
    Show,
    begin,
    check_writable,
    held,
    telling,
)
from lstm_study.commands.stages import start_engine, write_bundle
from lstm_study.errors import ComparisonError
from lstm_study.records import Run
from lstm_study.store import Store


def baseline(
    study: OpenStudy, *, epochs: int | None, fresh: bool, show: Show, summary: Callable[[str], None]
) -> tuple[Any, Path]:
    """Trains the documented baseline alone, evaluates it, and saves it.

    With the protocol's own epochs it is the comparison's first baseline run. With others it is a
    study of its own, so that it never mixes with the comparison.

    Args:
        study: The study.
        epochs: Epochs to train; None for the protocol's.
        fresh: Whether to train again what is done.
        show: Where to show progress.
        summary: Receives the model's summary, as Keras prints it.

    Returns:
        The run's record, and the folder with the saved model.
    """
    from lstm_study.comparison.arms import ComparisonPlan
    from lstm_study.comparison.runs import run_comparison

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
    check_writable(study.reports)
    with held(study, show=show, fresh=fresh and epochs is not None):
        corpus = begin(study, show=show)
        configuration = study.spec.baseline.configuration
        summary(_model_summary(study))
        run_comparison(
            ComparisonPlan(arms={"baseline": configuration}, seeds=1),
            study.spec,
            study.store,
            start_engine=partial(start_engine, study),
            corpus=corpus,
            context=study.context,
            report=telling(study, show),
        )
        found = study.store.read(Run, "baseline-s1")
        assert found is not None
        if found.status == "failed":
            assert found.failure is not None
            raise ComparisonError(
                f"The baseline failed ({found.failure.kind}): {found.failure.message}. "
                f"More is in {study.store.log_path}."
            )
        folder = write_bundle(study, arm="baseline", show=show)
    return found, folder


def _model_summary(study: OpenStudy) -> str:
    from lstm_study.training.console import redirect_output

    lines: list[str] = []
    with redirect_output(study.store.log_path):
        from lstm_study.model.network import build_network

        network = build_network(study.spec.baseline.configuration, seed=study.spec.study.seed)
        network.summary(print_fn=lambda line, **_: lines.append(line))
    return "\n".join(lines)
