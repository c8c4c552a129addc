"""`report`: the HTML page and the tables of a study that is on this machine."""

from pathlib import Path

from lstm_study.commands.answer import read_answer
from lstm_study.commands.open_study import OpenStudy, Show
from lstm_study.provenance import git_commit, now, versions
from lstm_study.records.state import ReportState
from lstm_study.records.trainings import trainings_sha256


def make_report(study: OpenStudy, *, show: Show) -> Path:
    """Writes the report from the records, and returns the HTML file.

    Records that the user may not write stay as they are, and do not know of the report.

    Raises:
        StoreError: The study has not been started.
        RecordError: A record is damaged.
    """
    study.store.check_there_is_one()
    from lstm_study.report.write import write_report as write

    show.stage("Report", "drawing figures and tables")
    answer = read_answer(study)
    made_at, installed, commit = now(), versions(), git_commit(Path.cwd())
    page = write(
        answer.records,
        verdict=answer.verdict,
        folder=study.reports,
        made_at=made_at,
        versions=installed,
        git_commit=commit,
        bundle=answer.model,
    )
    if study.store.is_read_only:
        show.stage("Records", f"{study.store.folder} is read-only: this report is not noted there")
        return page
    # From this, kept records give the same report again.
    model = answer.model.name if answer.model is not None else ""
    found = answer.records
    study.store.write_state(
        ReportState(
            made_at=made_at,
            versions=installed,
            git_commit=commit,
            model=model,
            trainings_sha256=trainings_sha256(found.trials, found.runs, found.control),
            title=found.title,
            export=found.spec.get("export"),
        )
    )
    return page
