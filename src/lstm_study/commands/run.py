"""`run`: every stage of a study that is not done yet."""

from lstm_study.commands.answer import Answer, read_answer
from lstm_study.commands.begin import begin, check_writable
from lstm_study.commands.compare import compare, extent_of, is_compared, planned_power
from lstm_study.commands.custom_builder import check_unchanged
from lstm_study.commands.estimate import estimate, time_left_in_words
from lstm_study.commands.export import export_arm
from lstm_study.commands.open_study import OpenStudy, Show, held
from lstm_study.commands.outputs import is_model_current, is_report_current, own_model, own_report
from lstm_study.commands.report import make_report
from lstm_study.commands.search import search, why_stopped
from lstm_study.commands.workers import stage_workers


def run(study: OpenStudy, *, fresh: bool, show: Show, quick: bool = False) -> tuple[Answer, bool]:
    """Runs every stage that is not done yet.

    Args:
        study: The study.
        fresh: Whether to move away all that it left, and begin again.
        show: Where to report progress.
        quick: Whether to shorten the comparison; see `comparison.quick`.

    Returns:
        What the study says, and whether it was finished already.
    """
    if not fresh:
        check_unchanged(study.spec, folder=study.folder, text=study.builder_text, where=study.where)
    was_done = not fresh and is_done(study, quick=quick)
    if was_done and study.store.has_spec_and_corpus:
        return read_answer(study), True
    check_writable(study.reports)
    with held(study, show=show, fresh=fresh) as begun:
        corpus = begin(begun, show=show)
        if was_done:  # what it began with was missing, and is written again
            return read_answer(begun), True
        show.stage("Power", planned_power(begun, corpus.summary).sentence)
        extent = extent_of(quick=quick)
        begun.store.write_extent(extent)
        show.stage(
            "Time", time_left_in_words(estimate(begun, corpus.summary, show=show, extent=extent))
        )
        with stage_workers(begun) as workers:
            search(begun, corpus, show=show, extent=extent, workers=workers)
            compare(begun, corpus, show=show, quick=quick, workers=workers)
        export_arm(begun, show=show)
        make_report(begun, show=show)
        answer = read_answer(begun)
        begun.store.delete_moved_away()
    return answer, False


def is_done(study: OpenStudy, *, quick: bool = False) -> bool:
    """Whether every stage of this very spec is done, and report and model are there.

    The copies of study file and corpus summary, which each command writes again, may be missing.

    Args:
        study: The study.
        quick: Whether a shortened comparison will do.
    """
    if not study.store.exists:
        return False
    # A key that is newer than the study had its default.
    same_spec = study.store.read_spec() == study.spec
    searched = why_stopped(study) is not None
    compared = searched and is_compared(study, extent=extent_of(quick=quick))
    model = own_model(study)
    return bool(
        same_spec
        and searched
        and compared
        and model is not None
        and is_model_current(study, model)
        and own_report(study) is not None
        and is_report_current(study.store)
    )
