"""Workers on this machine for a chief on another, with a folder that both share."""

from dataclasses import replace

from lstm_study.commands.opened import OpenStudy, Show, read_corpus
from lstm_study.errors import ChangedStudyError, StudyError
from lstm_study.records.state import SearchState
from lstm_study.spec import StudySpec
from lstm_study.spec.quantities import duration_in_words

_OWN_KEYS = ("path", "test_path")


def join_chief(study: OpenStudy, *, address: str, wait_seconds: float, show: Show) -> None:
    """Trains what the study's chief hands out until it has no more.

    The spec is the chief's, as the study's folder has it, whatever this machine's file says; where
    the reviews lie may differ (`--data`), the reviews may not. Chief and workers may be started in
    any order.

    Args:
        study: The study; its name says which folder, its data where the reviews are.
        address: The chief's, "host:port"; "" to read it from the study's folder.
        wait_seconds: How long to wait for the chief.
        show: Where to tell of the progress.

    Raises:
        SearchError: The chief did not answer in time, fell silent, or gave these workers up.
        ChangedStudyError: The reviews here are not those of the study.
    """
    from lstm_study.search.join import run_crew
    from lstm_study.search.link import find_chief

    store = study.store

    def is_done() -> bool:
        plan = store.read_state(SearchState)
        return not store.read_chief() and plan is not None and plan.stopped == ""

    found = find_chief(
        store,
        address=address,
        wait_seconds=wait_seconds,
        on_wait=lambda what: show.stage(
            "Worker", f"{what}: waiting, {duration_in_words(wait_seconds)} at most"
        ),
        is_done=is_done,
    )
    if found is None:
        show.stage("Worker", "the search is finished: there is nothing left to train")
        return
    began = store.read_began()
    spec = _as_it_began(study, began.spec)
    corpus = read_corpus(replace(study, spec=spec), show=show)
    if corpus.digest != began.data_digest:
        raise ChangedStudyError(
            f"{store.folder}: the reviews on this machine are not those that the study began with. "
            "Give theirs with --data PATH."
        )
    del corpus  # Each worker reads its own from the cache.
    try:
        ended_by = run_crew(
            spec,
            store,
            found,
            context=study.context,
            report=show.progress,
            on_join=lambda crew, workers: show.stage(
                "Worker", f"joined {found.address} as {crew}, {workers} at work"
            ),
        )
    except StudyError as error:
        raise type(error)(f"{error} Go on with: {study.command}") from error
    show.stage("Worker", f"the search has ended: {ended_by or 'nothing is left to train'}")


def _as_it_began(study: OpenStudy, began: dict[str, dict[str, object]]) -> StudySpec:
    """Returns the chief's spec, with this machine's own paths to the reviews where it has any."""
    given = {setting.partition("=")[0].strip() for setting in study.settings}
    own = {key: getattr(study.spec.data, key) for key in _OWN_KEYS if f"data.{key}" in given}
    return StudySpec.model_validate(began | {"data": began["data"] | own}, strict=False)
