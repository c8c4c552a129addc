"""The model bundle of a study, and the classical control beside it."""

import shlex
from pathlib import Path
from typing import Any

from lstm_study.analysis.statistics.calibration import temperature_of, why_not_calibrated
from lstm_study.arm_names import (
    ABLATION,
    CONTROL,
    ENSEMBLE,
    LAST_EPOCHS_SUFFIX,
    PRIMARY,
    VALIDATION_SUFFIX,
)
from lstm_study.commands.answer import read_answer
from lstm_study.commands.open_study import OpenStudy, Show, as_run
from lstm_study.comparison.classical_control import fit
from lstm_study.corpus.load import load
from lstm_study.corpus.types import Corpus
from lstm_study.errors import ChangedStudyError, ComparisonError
from lstm_study.provenance import now, versions
from lstm_study.records import Run, StudyRecords
from lstm_study.records.kinds import kind_of
from lstm_study.store.repair_advice import repair_advice
from lstm_study.training.checkpoint import read_weights
from lstm_study.training.console import redirect_output
from lstm_study.training.memory import allocate_gpu_memory_as_needed
from lstm_study.training.runtime import keep_jax_from_hidden_gpus


def export_arm(study: OpenStudy, *, arm: str = "winner", show: Show) -> Path:
    """Writes the model bundle of an arm's middle run, and returns its folder.

    The run is never chosen by test: see `export.choose_run`. Words and labels are those of the
    reviews that the study was run on, whatever its file says now. The winner's bundle is `model/`,
    with the classical control beside it; another arm's is `ARM-model/`.

    Raises:
        ComparisonError: The arm has no completed run, or is not a single network.
        ChangedStudyError: The reviews are not those that it was run on.
    """
    from lstm_study.export import choose_run, exportable_arms
    from lstm_study.export import write_bundle as write

    study = as_run(study)
    answer = read_answer(study)
    if arm not in (found := exportable_arms(answer.records)):
        raise ComparisonError(
            f"{study.store.folder}: {_why_not(arm)}. "
            + (
                f"Export one of: {', '.join(found)}."
                if found and arm not in PRIMARY
                else f"Run `{study.command_line('run')}` first."
            )
        )
    choice = choose_run(answer.records, arm=arm)
    run = choice.run
    weights = _weights_of(study, run)
    show.stage("Export", f"the {arm}'s run with seed {run.seed_index}, chosen without test")
    corpus = load(study.spec.data, seed=study.spec.study.seed)
    if corpus.summary.digest != study.store.read_began().data_digest:
        raise ChangedStudyError(
            f"{corpus.summary.path or study.spec.data.source}: these are not the reviews that "
            f"{study.where} was run on, so their vocabulary does not fit its model. Give the "
            "original reviews with --data, or run the study again with --fresh."
        )
    runs, calibrates = answer.records.runs, study.spec.export.calibrate
    folder = study.reports / ("model" if arm == "winner" else f"{arm}-model")
    allocate_gpu_memory_as_needed()
    keep_jax_from_hidden_gpus()
    with redirect_output(study.store.log_path):
        write(
            run=run,
            chosen=choice.reason,
            weights=weights,
            ensemble=_members(study, answer.records) if arm == "winner" else None,
            vocabulary=corpus.vocabulary,
            labels=corpus.summary.labels,
            records=answer.records,
            verdict_sentence=answer.verdict.sentence,
            advice=answer.advice,
            folder=folder,
            made_at=now(),
            versions=versions(),
            pairs=corpus.pairs if run.configuration.pair_rows else None,
            temperature=temperature_of(runs, arm) if calibrates else None,
            no_temperature=why_not_calibrated(runs, arm) if calibrates else "",
            builder=study.spec.builder,
        )
    if arm == "winner":
        _write_classical(study, corpus, answer.records, show=show)
    return folder


def _why_not(arm: str) -> str:
    """Says why an arm can't be exported."""
    if arm == CONTROL:
        return "the classical control is exported beside the winner, as model-classical/"
    if arm == ENSEMBLE:
        return "the ensemble is a part of the winner's bundle where export.ensemble is true"
    if arm.endswith(LAST_EPOCHS_SUFFIX):
        return f"{arm} is no single network: it is the mean of several epochs'"
    if arm == ABLATION or arm.endswith(VALIDATION_SUFFIX):
        return f"{arm} is trained without the validation reviews: only runs on all are exported"
    return f"the arm {arm!r} has no completed run to export"


def _write_classical(
    study: OpenStudy, corpus: Corpus, records: StudyRecords, *, show: Show
) -> None:
    """Writes the classical control beside the model, where it completed and words are known.

    It is trained again, which takes seconds and gives the same coefficients: it draws nothing.
    """
    from lstm_study.export import write_classical

    control = records.control
    if control is None or control.status != "completed" or corpus.vocabulary is None:
        return
    assert control.weighting and control.inverse_regularisation is not None
    show.stage("Export", "the classical control")
    model = fit(
        corpus.training,
        weighting=control.weighting,
        inverse_regularisation=control.inverse_regularisation,
    )
    write_classical(
        study.reports / "model-classical",
        features=model.features,
        coefficients=model.regression.coef_[0],
        intercept=float(model.regression.intercept_[0]),
        control=control,
        vocabulary=corpus.vocabulary,
        labels=corpus.summary.labels,
        records=records,
        made_at=now(),
        versions=versions(),
    )


def _weights_of(study: OpenStudy, run: Run) -> tuple[Any, ...]:
    path = study.store.weights_path(run.run_id)
    with repair_advice(kind_of(f"models/{path.name}")):
        found = read_weights(path, run)
    if found is None:
        record = study.store.folder / "runs" / f"{run.run_id}.json"
        raise ComparisonError(
            f"{path}: is missing; kept records have no weights. To get a model, delete "
            f"{record}, remove it from the list of files with `lstm-study check "
            f"{shlex.quote(study.where)} --repair`, and run `{study.command_line('run')}`: it "
            "trains that run again and opens the test reviews for it once more. "
            f"`{study.command_line('report')}` needs no weights."
        )
    return found


def _members(study: OpenStudy, records: StudyRecords) -> list[tuple[Run, tuple[Any, ...]]] | None:
    """Returns the winner's completed runs with their weights, if the study asks for an ensemble."""
    if not study.spec.export.ensemble:
        return None
    return [(run, _weights_of(study, run)) for run in records.completed_runs("winner")]
