"""The content of a report: every table and every figure, by name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lstm_study.analysis.answer.verdict import Verdict
from lstm_study.records import StudyRecords
from lstm_study.records.scrub import cleaner, neutral
from lstm_study.report.figures import (
    answer,
    arms,
    corpus,
    predictions,
    reviews,
    search,
    space,
    trainings,
)
from lstm_study.report.figures.picture import Picture
from lstm_study.report.tables.answer import ablation_tables, answer_tables
from lstm_study.report.tables.arms import arm_tables
from lstm_study.report.tables.corpus import corpus_tables
from lstm_study.report.tables.method import method_tables
from lstm_study.report.tables.predictions import prediction_tables
from lstm_study.report.tables.reviews import review_tables
from lstm_study.report.tables.search import search_tables
from lstm_study.report.tables.space import space_tables
from lstm_study.report.tables.table import Table
from lstm_study.report.tables.trainings import run_tables, trial_tables
from lstm_study.spec import StudySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a report is rendered from.

    Attributes:
        records: The study.
        spec: Its spec, validated.
        verdict: Its answer.
        tables: By name, in the order of the data dictionary.
        pictures: By name; a figure with nothing to show is absent.
        made_at: Time of the report, ISO 8601 in UTC.
        versions: Versions of the packages that render it.
        git_commit: Of the checkout that makes it, or "".
        bundle: Name of the model bundle's folder beside the report; None without one.
        exports: Files for other tools beside the report.
    """

    records: StudyRecords
    spec: StudySpec
    verdict: Verdict
    tables: Mapping[str, Table]
    pictures: Mapping[str, Picture]
    made_at: str
    versions: Mapping[str, str]
    git_commit: str
    bundle: str | None
    exports: tuple[str, ...] = ()


def gather(
    records: StudyRecords,
    *,
    verdict: Verdict,
    made_at: str,
    versions: Mapping[str, str],
    git_commit: str,
    bundle: str | None,
    exports: tuple[str, ...] = (),
) -> Content:
    """Builds every table; `illustrate` adds the figures.

    Names of machines and paths are removed first (see `neutral`), and excerpts of reviews if the
    study file says so.
    """
    # Notes may quote errors, which contain paths.
    verdict = replace(verdict, notes=tuple(map(cleaner(records), verdict.notes)))
    records = neutral(records)
    spec = StudySpec.model_validate(dict(records.spec), strict=False)
    if records.review_facts is not None and not spec.export.excerpts:
        records = replace(records, review_facts=records.review_facts.without_excerpts())
    tables = {
        table.name: table
        for table in (
            *answer_tables(records, spec, verdict),
            *arm_tables(records, spec, level=verdict.level),
            *run_tables(records, spec),
            *ablation_tables(records, spec),
            *prediction_tables(records),
            *review_tables(records, verdict),
            *trial_tables(records, spec),
            *search_tables(records, spec),
            *space_tables(records, spec),
            *corpus_tables(records.corpus, spec),
            *method_tables(records, spec, versions=versions, git_commit=git_commit),
        )
    }
    return Content(
        records=records, spec=spec, verdict=verdict, tables=tables, pictures={},
        made_at=made_at, versions=versions, git_commit=git_commit, bundle=bundle,
        exports=exports,
    )  # fmt: skip


def illustrate(content: Content) -> Content:
    """Draws every figure that has data, from the tables alone."""
    pictures = pictures_of(content)
    for picture in pictures.values():
        _ = picture.svg
    return replace(content, pictures=pictures)


def pictures_of(content: Content) -> dict[str, Picture]:
    """Returns every figure that has data, by name; each is drawn when it is asked for."""
    tables, spec = content.tables, content.spec
    objective, full = spec.study.objective, spec.search.max_epochs
    every_trial = tables["trials"]
    found = (
        answer.difference(tables["verdict"]),
        answer.waterfall(tables["ablation"], objective=objective),
        arms.seeds(tables["runs"], tables["comparison"]),
        arms.arms_cost(tables["comparison"]),
        trainings.run_curves(tables["run_curves"]),
        predictions.roc(tables["roc"], tables["metrics"]),
        predictions.calibration(tables["calibration"]),
        reviews.accuracy_by_review(tables["accuracy_by_length"], tables["accuracy_by_unknown"]),
        answer.optimism(tables["optimism"]),
        search.best_so_far(tables["best_so_far"], tables["random_control"], objective=objective),
        trainings.trial_curves(tables["trial_curves"], objective=objective),
        trainings.timeline(tables["timeline"]),
        space.importances(tables["importance"]),
        space.slices(tables["slices"], spec),
        space.pairs(tables["pairs"]),
        trainings.parallel(every_trial, spec),
        trainings.distribution(every_trial, objective=objective, full=full),
        search.agreement(tables["early_and_final"], tables["rank_agreement"], full=full),
        trainings.cost(every_trial, objective=objective, direction=spec.study.direction, full=full),
        corpus.lengths(tables["lengths"], tables["maxlen_choices"]),
        corpus.coverage(tables["coverage"]),
    )
    return {picture.name: picture for picture in found if picture is not None}
