"""The Python interface: `from lstm_study import Study`."""

import json
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from html import escape
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lstm_study import commands
from lstm_study.analysis.frames import epochs_frame, frame_of
from lstm_study.analysis.search.summary import finalists, ranking
from lstm_study.commands.answer import read_runs, read_trials
from lstm_study.commands.custom_builder import builder_of, recorded
from lstm_study.commands.open_study import as_run
from lstm_study.commands.predict import (
    checked_texts,
    load_model_quietly,
    predictions_frame,
    unknown_in_words,
)
from lstm_study.commands.progress_bar import ProgressBar
from lstm_study.configuration import Configuration, Value
from lstm_study.errors import (
    BuilderError,
    ComparisonError,
    ExportError,
    ReportError,
)
from lstm_study.provenance import now, versions
from lstm_study.records import Run, Trial
from lstm_study.spec import StudySpec

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from lstm_study.analysis.answer.verdict import Verdict
    from lstm_study.export import Bundle, ClassicalBundle, CombinedModel
    from lstm_study.report.content import Content
    from lstm_study.report.figures.picture import Picture

Builder = Callable[[Any], Any]
"""A function from Keras Tuner's `HyperParameters` to a Keras model."""


class Study:
    """One study: its file, its records, and what can be done with them.

    Stages do what the commands of the same names do, in the current folder: records go to
    `study/runs/<name>`, report and model to `reports/<name>`. A stage that is done returns at once,
    one that was interrupted resumes. Progress is shown as a bar, in a notebook and a terminal.

    Example::

        study = Study.load("study/imdb.toml", data="imdb.npz")
        study.run()
        study                                    # in a notebook: the answer, with its figure
        study.trials().query("rank <= 3")
        study.figure("slices")
        study.predict(["A fine film.", "What a bore."])
    """

    def __init__(self, opened: commands.OpenStudy) -> None:
        self._opened = opened

    @classmethod
    def load(
        cls,
        study: str | Path,
        *,
        data: str | Path | None = None,
        out: str | Path = "reports",
        settings: Sequence[str] = (),
        workers: int | None = None,
        cluster: str = "",
        build: Builder | str | Path | None = None,
        baseline: Mapping[str, Value] | None = None,
    ) -> Self:
        """Reads a study file; nothing is trained or written.

        Args:
            study: A path, or the name of a study that comes with the package.
            data: Where the reviews are, instead of the study file's `data.path`.
            out: Folder for reports.
            settings: Changes of the study file, each "table.key=value"; they are recorded.
            workers: Worker processes; None to choose.
            cluster: A Ray cluster to run on, such as "auto"; "" for this machine's processes.
            build: A function from Keras Tuner's hyperparameters to a Keras model, which replaces
                the LSTM: see "A network of your own" in study/NETWORKS.md. Or where one is, as
                "my_model.py:build", from the study file's folder. The study file's `[space]` and
                `[baseline]` are ignored.
            baseline: The baseline's value of each hyperparameter that `build` declares.

        Raises:
            SpecError: The file is missing or breaks rules.
            BuilderError: `build` can't be written to a separate file, or is missing beside
                `baseline`.
        """
        text = None
        if baseline is not None and build is None:
            raise BuilderError(
                "Study.load: baseline is of the hyperparameters that build declares. Give build, "
                'or change the study file\'s [baseline] with settings=["baseline.lstm_units=64"].'
            )
        if build is not None:
            name, text = builder_of(build) if callable(build) else (str(build), None)
            values = {"model.builder": name} | {
                f"baseline.{key}": value for key, value in (baseline or {}).items()
            }
            settings = [*settings, *(f"{key}={json.dumps(v)}" for key, v in values.items())]
        opened = commands.open_study(
            study,
            data=Path(data) if data is not None else None,
            out=Path(out),
            settings=settings,
            command=f"Study.load({str(study)!r})",
            workers=workers,
            cluster=cluster,
            builder_text=text,
        )
        return cls(opened)

    def __repr__(self) -> str:
        return f"Study({self.spec.study.name!r})"

    def _repr_html_(self) -> str:
        """The answer with its figure, as a notebook shows it."""
        title = escape(self.spec.study.heading)
        if not self._opened.store.has_begun:
            return f"<h3>{title}</h3><p>This study has not started: call run().</p>"
        content = self._content()
        pictures = self._pictures(content)
        # Too few seeds give no difference; then the runs are shown.
        shown = [pictures[name] for name in ("difference", "seeds") if name in pictures][:1]
        drawn = "".join(
            f'<div style="max-width:40rem">{picture.svg[picture.svg.index("<svg") :]}</div>'
            for picture in shown
        )
        return f"<h3>{title}</h3><p>{escape(content.verdict.sentence)}</p>{drawn}"

    @property
    def spec(self) -> StudySpec:
        """The validated study file; once it has begun, with what a builder declares."""
        return self._begun.spec

    @property
    def folder(self) -> Path:
        """The folder of the study's records."""
        return self._opened.store.folder

    @property
    def report_folder(self) -> Path:
        """The folder of report and model."""
        return self._opened.reports

    def status(self) -> commands.Status:
        """Returns what is done, running and failed, and how long the rest will take."""
        return commands.read_status(self._begun)

    def run(
        self, *, fresh: bool = False, quick: bool = False, show: commands.Show | None = None
    ) -> "Verdict":
        """Runs every stage that is not done yet, and returns the verdict.

        Args:
            fresh: Whether to start over; the earlier study is kept until the new one is done.
            quick: Whether to compare winner and baseline alone, with the fewest seeds that a
                verdict needs; recorded as a deviation.
            show: Where to show the progress; a bar unless given, `Silent()` for none.
        """
        study = self._as("run")
        answer, _ = commands.run(study, fresh=fresh, show=show or ProgressBar(), quick=quick)
        return answer.verdict

    def search(self, *, show: commands.Show | None = None) -> Trial:
        """Searches the space, or resumes a search, and returns the winner.

        Args:
            show: Where to show the progress; a bar unless given.
        """
        study, show = self._as("search"), show or ProgressBar()
        with commands.held(study, show=show) as begun:
            corpus = commands.begin(begun, show=show)
            return commands.search(begun, corpus, show=show)

    def compare(
        self,
        *,
        more_seeds: int = 0,
        only_seeds: int | None = None,
        quick: bool = False,
        show: commands.Show | None = None,
    ) -> "Verdict":
        """Retrains every arm with several seeds, evaluates each run on test, returns the verdict.

        Args:
            more_seeds: Seeds to add for every arm; recorded, and counted as another look at test.
            only_seeds: Train at most so many seeds of each arm now; the verdict on them counts as a
                look at test, too.
            quick: Whether to compare winner and baseline alone; see `run`.
            show: Where to show the progress; a bar unless given.

        Raises:
            ComparisonError: No trial has completed the full budget, or the numbers of seeds exclude
                each other or are none.
        """
        _check_seeds(more_seeds, only_seeds, quick=quick)
        study, show = self._as("compare"), show or ProgressBar()
        with commands.held(study, show=show) as begun:
            corpus = commands.begin(begun, show=show, searches=False)
            commands.compare(
                begun,
                corpus,
                show=show,
                more_seeds=more_seeds,
                only_seeds=only_seeds,
                quick=quick,
            )
        return self.verdict()

    def report(self, *, show: commands.Show | None = None) -> Path:
        """Writes the report from the records, finished or not, and returns the HTML file."""
        return commands.make_report(self._as("report"), show=show or ProgressBar())

    def export(self, *, arm: str = "winner", show: commands.Show | None = None) -> Path:
        """Writes the model bundle of the winner, or of another arm, and returns its folder.

        Args:
            arm: Such as "runner-up-1"; its bundle is a folder of its own beside the winner's.
            show: Where to show the progress; a bar unless given.

        Raises:
            ComparisonError: The arm has no completed run, or is not a single network.
        """
        return commands.export_arm(self._as("export"), arm=arm, show=show or ProgressBar())

    def verdict(self) -> "Verdict":
        """Judges winner against baseline from the records."""
        return commands.read_answer(self._begun).verdict

    @property
    def winner(self) -> Trial | None:
        """The search's winner; None while no trial has completed the full budget."""
        found = self._ranked()
        return found[0] if found else None

    @property
    def best_configuration(self) -> Configuration:
        """The winner's configuration.

        Raises:
            ComparisonError: No trial has completed the full budget.
        """
        return self._ranked_or_raise()[0].configuration

    def best_hyperparameters(self, num_trials: int = 1) -> list[dict[str, Any]]:
        """Returns the hyperparameters of the best trials at the full budget, the best first.

        Args:
            num_trials: How many, >= 1; fewer are returned if there are fewer.

        Raises:
            ComparisonError: No trial has completed the full budget, or `num_trials` is no such
                number.
        """
        _check_count("num_trials", num_trials, least=1)
        return [trial.configuration.as_dict() for trial in self._ranked_or_raise()[:num_trials]]

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[Any]:
        """Returns Keras Tuner's `HyperParameters` of the best trials, as its tuners do."""
        best = self.best_hyperparameters(num_trials)
        from lstm_study.model.space import hyperparameters

        found = []
        for values in best:
            hp = hyperparameters(self.spec.space)
            hp.values.update(values)
            found.append(hp)
        return found

    def results_summary(self, num_trials: int = 10) -> None:
        """Prints the best trials at the full budget, as Keras Tuner's tuners do.

        Finalists come first, by the mean score of their trainings with fresh seeds.
        """
        import sys

        _check_count("num_trials", num_trials, least=1)
        lines = [f"Results summary of {self.spec.study.name}, by {self.spec.study.objective}"]
        fresh = self._fresh_means()
        for rank, trial in enumerate(self._ranked()[:num_trials], start=1):
            chosen = trial.configuration.as_dict().items()
            # What a study does not open and leaves to its protocol is no choice of the trial's.
            values = ", ".join(f"{key} {value}" for key, value in chosen if value is not None)
            mean = fresh.get(trial.trial_id)
            again = "" if mean is None else f", mean of fresh seeds {mean:.4f}"
            lines.append(f"{rank:>3}  {trial.trial_id}  score {trial.score:.4f}{again}  {values}")
        if len(lines) == 1:
            lines.append("No trial has completed the full budget.")
        sys.stdout.write("\n".join(lines) + "\n")

    def trials(self) -> "pd.DataFrame":
        """Returns one row per trial: id, rank, hyperparameters, budget, status, scores, times.

        `rank` is among the completed trials at the full budget, `<NA>` for others: finalists first,
        by `fresh_mean`, the mean score of their trainings with fresh seeds, then all others by
        `score`. `started_at` and `ended_at` are timestamps in UTC, `seconds` is a number.
        """
        frame = frame_of(read_trials(self._opened), Trial)
        ranks = {trial.trial_id: rank for rank, trial in enumerate(self._ranked(), start=1)}
        fresh = frame["trial_id"].map(self._fresh_means()).astype("Float64")
        frame.insert(list(frame.columns).index("score") + 1, "fresh_mean", fresh)
        frame.insert(1, "rank", frame["trial_id"].map(ranks).astype("Int64"))
        return frame

    def runs(self) -> "pd.DataFrame":
        """Returns one row per run: arm, seed, hyperparameters, status, test accuracy, times."""
        return frame_of(read_runs(self._opened), Run)

    def epochs(self) -> "pd.DataFrame":
        """Returns one row per epoch of every trial and run."""
        store = self._opened.store
        return epochs_frame([*store.read_trials(), *store.read_runs()])

    def figures(self) -> Mapping[str, str]:
        """Returns the names of the report's figures that have data, each with its title."""
        return {name: picture.title for name, picture in self._pictures(self._content()).items()}

    def figure(self, name: str) -> "Figure":
        """Draws one figure of the report, and returns it as a Matplotlib figure.

        Args:
            name: One of `figures()`.

        Raises:
            ReportError: There is no such figure, or it has no data yet.
        """
        found = self._pictures(self._content())
        if name not in found:
            raise ReportError(
                f"figure: must be one of {', '.join(found) or 'none: nothing is trained yet'}. "
                f"Received: {name!r}."
            )
        return found[name].figure()

    def load_model(self) -> Any:
        """Loads the exported winner, and returns it as a Keras model.

        It reads token ids; `predict` reads texts.

        Raises:
            ExportError: No model was exported, or it is damaged.
        """
        from lstm_study.export import Bundle

        found = self._exported()
        assert isinstance(found, Bundle), "model/ has the network"
        return found.networks[0]

    def predict(
        self, texts: str | Iterable[str], *, ensemble: bool = False, with_control: bool = False
    ) -> "pd.DataFrame":
        """Classifies texts with the exported winner.

        Args:
            texts: One text or several.
            ensemble: Whether to take the mean of all of the winner's runs (`export.ensemble`).
            with_control: Whether to take the mean of that and the logistic regression's
                probability, as `lstm-study predict MODEL_DIR --with MODEL_DIR` does.

        Returns:
            One row per text: text, probability of the positive label, label.

        Warns:
            UserWarning: Some texts hold no word that the model knows.

        Raises:
            ExportError: No model was exported, or it is damaged.
            DataError: What was given is a table, or not all of it is text.
        """
        listed = checked_texts(texts)
        others = [self.report_folder / "model-classical"] if with_control else []
        found, unknown = predictions_frame(self._exported(ensemble=ensemble, others=others), listed)
        if unknown:
            warnings.warn(unknown_in_words(unknown), stacklevel=2)
        return found

    @property
    def _begun(self) -> commands.OpenStudy:
        """The study as it began, if it has: a custom builder was asked by then."""
        opened = self._opened
        return replace(opened, spec=recorded(opened.spec, opened.store, where=opened.where))

    def _as(self, stage: str) -> commands.OpenStudy:
        return replace(self._begun, command=f"{self._opened.command}.{stage}()")

    def _ranked(self) -> tuple[Trial, ...]:
        study = as_run(self._begun)
        return ranking(
            study.store.read_trials(),
            study.spec.study.direction,
            max_epochs=study.spec.search.max_epochs,
            runs=study.store.read_runs(),
        )

    def _fresh_means(self) -> dict[str, float | None]:
        return {each.trial_id: each.mean for each in finalists(read_trials(self._opened))}

    def _ranked_or_raise(self) -> tuple[Trial, ...]:
        found = self._ranked()
        if not found:
            raise ComparisonError(
                f"{self.folder}: no trial has completed the full budget, so there is no best one. "
                "Call search() or run() first."
            )
        return found

    def _exported(
        self, *, ensemble: bool = False, others: Sequence[Path] = ()
    ) -> "Bundle | ClassicalBundle | CombinedModel":
        folder = self.report_folder / "model"
        try:
            return load_model_quietly(folder, ensemble=ensemble, others=others)
        except ExportError:
            if folder.exists():
                raise
            raise ExportError(
                f"{folder}: no model has been exported. Call run(), or export() if the study has "
                "been compared."
            ) from None

    def _content(self) -> "Content":
        from lstm_study.report.content import gather

        answer = commands.read_answer(self._begun, is_noted=False)
        return gather(
            answer.records,
            verdict=answer.verdict,
            made_at=now(),
            versions=versions(),
            git_commit="",
            bundle=None,
        )

    def _pictures(self, content: "Content") -> "Mapping[str, Picture]":
        from lstm_study.report.content import pictures_of

        return pictures_of(content)


def _check_count(name: str, value: object, *, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        raise ComparisonError(f"{name} must be a whole number >= {least}. Received: {value!r}.")


def _check_seeds(more_seeds: int, only_seeds: int | None, *, quick: bool) -> None:
    if (more_seeds != 0) + (only_seeds is not None) + quick > 1:
        raise ComparisonError(
            "compare: more_seeds, only_seeds and quick exclude each other. Give one of them."
        )
    _check_count("compare: more_seeds", more_seeds, least=0)
    if only_seeds is not None:
        _check_count("compare: only_seeds", only_seeds, least=1)
