"""The Python interface: `from lstm_study import Study`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from lstm_study import commands
from lstm_study.records import Run, Trial
from lstm_study.spec import StudySpec

if TYPE_CHECKING:
    import pandas as pd

    from lstm_study.analysis.answer.verdict import Verdict


class Study:
    """One study: its file, and all that it left.

    Example::

        study = Study.load("study/imdb.toml", data="imdb.npz")
        study.run()
        study.trials().sort_values("score")
        print(study.verdict().sentence)

    `run` and its stages do what the commands of the same names do, in the current folder: records
    go to `study/runs/<name>`, the report to `reports/<name>`.
    """

    def __init__(self, opened: commands.OpenStudy) -> None:
        self._opened = opened

    @classmethod
    def load(
        cls,
        study: str | Path,
        *,
        data: str | Path | None = None,
        out: str | Path = commands.REPORTS_FOLDER,
        settings: Sequence[str] = (),
        workers: int | None = None,
    ) -> Self:
        """Reads a study file; nothing is trained or written.

        Args:
            study: A path, or the name of a study that comes with the package.
            data: Where the reviews are, in place of the spec's `data.path`.
            out: Folder for reports.
            settings: One-off changes, each "table.key=value".
            workers: Worker processes; None to choose.

        Raises:
            SpecError: The file is missing or breaks rules.
        """
        opened = commands.open_study(
            study,
            data=Path(data) if data is not None else None,
            out=Path(out),
            settings=settings,
            command=f"Study.load({str(study)!r})",
            workers=workers,
        )
        return cls(opened)

    def __repr__(self) -> str:
        return f"Study({self.spec.study.name!r})"

    @property
    def spec(self) -> StudySpec:
        """The validated study file."""
        return self._opened.spec

    @property
    def folder(self) -> Path:
        """Where the study's records are."""
        return self._opened.store.folder

    def run(self, *, fresh: bool = False, show: commands.Show | None = None) -> "Verdict":
        """Runs every stage that is not done yet, and returns the verdict.

        Args:
            fresh: Whether to delete all that the study left, and begin again.
            show: Where to tell of the progress; nowhere unless given.
        """
        study = replace(self._opened, command=f"{self._opened.command}.run()")
        answer, _ = commands.run(study, fresh=fresh, show=show or commands.Silent())
        return answer.verdict

    def verdict(self) -> "Verdict":
        """Judges winner against baseline from the records."""
        return commands.read_answer(self._opened).verdict

    def trials(self) -> "pd.DataFrame":
        """Returns one row per trial: id, hyperparameters, budget, status, scores, seconds."""
        from lstm_study.analysis.frames import frame_of

        return frame_of(self._opened.store.read_trials(), Trial)

    def runs(self) -> "pd.DataFrame":
        """Returns one row per run: arm, seed, hyperparameters, status, test accuracy, seconds."""
        from lstm_study.analysis.frames import frame_of

        return frame_of(self._opened.store.read_runs(), Run)

    def epochs(self) -> "pd.DataFrame":
        """Returns one row per epoch of every trial and run."""
        from lstm_study.analysis.frames import epochs_frame

        store = self._opened.store
        return epochs_frame([*store.read_trials(), *store.read_runs()])
