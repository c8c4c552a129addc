"""`list`: every study whose records are in this folder."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lstm_study.analysis.search.summary import winner
from lstm_study.commands.open_study import REPORTS_FOLDER, RUNS_FOLDER, OpenStudy
from lstm_study.commands.status import study_state
from lstm_study.comparison.looks import judge_now
from lstm_study.errors import ComparisonError, RecordError, SpecError, StoreError
from lstm_study.records.state import SearchState, VerdictsState
from lstm_study.search.plan_sizes import trials_at_most, with_further_trials
from lstm_study.store import Store
from lstm_study.store.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One study.

    Attributes:
        name: Its name.
        title: Its title.
        state: As `status` says it (see `status.State`), or "damaged", or "unreadable" where the
            user may not read its files.
        trials: Trials that have ended, without the finalists' with fresh seeds.
        planned_trials: Trials that the search plans, without these; 0 before it has started.
        verdict: The answer on winner and baseline; "cannot say" where the study finished without
            one, "" before a verdict was read.
        caveats: What the report's headline says besides, such as that neither network learned
            anything; "" for nothing.
        winner: Embedding width / LSTM units of the winner; "" before there is one.
        changed_at: When a command last started on it, ISO 8601 in UTC; "" before one.
    """

    name: str
    title: str
    state: str
    trials: int
    planned_trials: int
    verdict: str
    caveats: str
    winner: str
    changed_at: str


def list_studies(folder: Path = RUNS_FOLDER) -> list[Listed]:
    """Lists the studies whose records are in a folder, the last changed first."""
    return sorted(_studies(folder), key=lambda each: (each.changed_at, each.name), reverse=True)


def _studies(folder: Path) -> Iterator[Listed]:
    for path in sorted(folder.glob("*")):
        try:
            if (path / "study.json").is_file():
                yield _listed(Snapshot(path))
        except (RecordError, SpecError):
            yield _without_records(path.name, "damaged")
        except (StoreError, OSError):
            yield _without_records(path.name, "unreadable")


def _without_records(name: str, state: str) -> Listed:
    return Listed(
        name=name, title="", state=state, trials=0, planned_trials=0, verdict="", caveats="",
        winner="", changed_at="",
    )  # fmt: skip


def _listed(store: Store) -> Listed:
    spec = store.read_spec()
    planned, looks = store.read_state(SearchState), store.read_state(VerdictsState)
    trials, sessions = store.read_trials(), store.read_sessions()
    best = winner(
        trials, spec.study.direction, max_epochs=spec.search.max_epochs, runs=store.read_runs()
    )
    study = OpenStudy(
        spec=spec,
        spec_text="",
        where="",
        settings=(),
        store=store,
        reports=REPORTS_FOLDER / spec.study.name,
        command="",
    )
    state = study_state(study)
    verdict, caveats = "cannot say" if state == "finished" else "", ""
    if looks is not None and looks.looks:
        verdict = looks.looks[-1].kind
    if verdict:
        # What is damaged is for the commands that need it to say.
        with suppress(RecordError, ComparisonError):
            judged = judge_now(store.read_all(), spec, store)
            verdict, caveats = judged.kind, judged.caveats
    if planned is not None:
        planned = with_further_trials(planned, spec)
    return Listed(
        name=spec.study.name,
        title=spec.study.title,
        state=state,
        trials=sum(trial.has_ended for trial in trials if trial.role != "finalist"),
        planned_trials=trials_at_most(planned, spec, trials) if planned else 0,
        verdict=verdict,
        caveats=caveats,
        winner=best.configuration.label if best is not None else "",
        changed_at=sessions[-1].started_at if sessions else "",
    )
