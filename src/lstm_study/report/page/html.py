"""The report as one self-contained HTML file, which loads nothing.

Every number in it is a cell of a table and names it: `data-source="tables/trials.csv#3,score"` on
an element, or `data-source` on a table, `data-row` on its rows and `data-column` on its headers.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lstm_study.analysis.search.importance import why_none
from lstm_study.analysis.search.summary import after
from lstm_study.analysis.statistics.calibration import why_not_calibrated
from lstm_study.arm_names import (
    LAST_EPOCHS_SUFFIX,
    MASKED_BASELINE,
    OWN_EPOCH_SUFFIX,
    RECIPE_BASELINE,
)
from lstm_study.metrics import UNEQUAL
from lstm_study.report import numbers
from lstm_study.report.content import Content
from lstm_study.report.figures.picture import Picture
from lstm_study.report.page.cells import cell, html_table
from lstm_study.report.page.trial_data import (
    same_in_every_trial,
    trial_data,
    trial_hyperparameters,
    trial_rows,
)
from lstm_study.report.tables.arms import training_differences
from lstm_study.report.tables.metrics import CALIBRATED
from lstm_study.report.tables.search import budgets
from lstm_study.report.tables.table import Table

SECTIONS = (
    ("answer", "The answer"),
    ("winner", "Winner and baseline"),
    ("comparison", "Comparison on test"),
    ("search", "The search"),
    ("optimism", "Optimism of the search"),
    ("failures", "Failed and interrupted"),
    ("data", "The reviews"),
    ("method", "How it was done"),
    ("downloads", "Downloads"),
    ("glossary", "Glossary"),
)

_BESIDE = ("baseline", "winner", MASKED_BASELINE, RECIPE_BASELINE)


def render(content: Content) -> str:
    """Renders the report; equal content gives equal text."""
    tables = content.tables
    arms = [str(arm) for arm in tables["comparison"].column("arm")]
    gain = [float(value or 0) for value in tables["differing_reviews"].column("gain")]
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            content=content,
            records=content.records,
            spec=content.spec,
            tables=tables,
            sections=SECTIONS,
            **writers(tables, content.pictures),
            **frame(),
            arms=arms,
            differing=lambda *arms: _listed(
                training_differences(tables["comparison"], content.spec, arms or None)
            ),
            besides="what the builder declares"
            if content.spec.builder
            else "hyperparameters of text and network",
            is_baseline=_has_the_baselines_values(tables["hyperparameters"]),
            trial_rows=trial_rows(tables["trials"]),
            same_in_every_trial=same_in_every_trial(tables["trials"], content.spec),
            winner_rows=dict.fromkeys(tables["trials"].where(rank=1), "winner"),
            trial_data=trial_data(content),
            trial_hyperparameters=trial_hyperparameters(content.spec),
            downloads=_downloads(content),
            evaluated_again=[
                arm for arm in arms if arm.endswith((OWN_EPOCH_SUFFIX, LAST_EPOCHS_SUFFIX))
            ],
            beside=[arm for arm in _BESIDE if arm in arms],
            beside_rows=[arms.index(arm) for arm in _BESIDE if arm in arms],
            calibrated=CALIBRATED,
            unequal=UNEQUAL,
            no_importance=_why_no_importance(content),
            not_calibrated=why_not_calibrated(content.records.runs, "winner"),
            gains=[row for row, value in enumerate(gain) if value > 0],
            losses=[row for row, value in enumerate(gain) if value < 0],
            commands=_commands(content),
            date=numbers.date,
        )
    )


def _why_no_importance(content: Content) -> str:
    """Says why there is no importance after the smallest budget, where most configurations are."""
    spec = content.spec
    measured = after(content.records.trials, objective=spec.study.objective, epoch=budgets(spec)[0])
    return why_none(measured, spec.space)


def _has_the_baselines_values(hyperparameters: Table) -> bool:
    """Whether the winner has the baseline's values, so that no path leads from one to the other."""
    names = {column.name for column in hyperparameters.columns}
    return "winner" in names and (
        hyperparameters.column("baseline") == hyperparameters.column("winner")
    )


def render_live(title: str) -> str:
    """Renders the page of a study that runs: it fills itself from its own server."""
    return environment().get_template("live.html.j2").render(
        title=title, sections=(("live", "Progress"), *SECTIONS), **frame(live=True)
    )  # fmt: skip


def frame(*, live: bool = False) -> dict[str, Any]:
    """Returns what every page needs: style, scripts, and the content security policy.

    A live page may ask its own server, and no other, for news.
    """
    scripts = ["report.js", "live.js"] if live else ["report.js"]
    return {
        "style": Markup(_asset("report.css")),  # noqa: S704 - the package's own file
        "scripts": [Markup(_asset(name)) for name in scripts],  # noqa: S704 - the package's own
        "script_digests": Markup(" ".join(_digest(_asset(name)) for name in scripts)),  # noqa: S704 - base64
        "live": live,
    }


def _digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def writers(
    tables: Mapping[str, Table], pictures: Mapping[str, Picture]
) -> dict[str, Callable[..., Markup]]:
    """Returns the functions by which templates write a cell, a table and a figure by their names.

    A figure that is absent is empty.
    """
    template = environment().get_template("figure.html.j2")

    def figure(name: str, caption: str) -> Markup:
        picture = pictures.get(name)
        if picture is None:
            return Markup("")
        return Markup(  # noqa: S704 - rendered by the autoescaping environment
            template.render(picture=picture, svg=Markup(picture.inline), caption=caption)  # noqa: S704 - matplotlib escapes its text
        )

    return {
        "n": lambda name, row, column, **options: cell(tables[name], row, column, **options),
        "grid": lambda name, caption, **options: html_table(
            tables[name], caption=caption, **options
        ),
        "figure": figure,
    }


def _listed(words: Sequence[str]) -> str:
    """["epochs", "masking", "rate"] → "epochs, masking and rate"."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def _downloads(content: Content) -> list[tuple[str, list[str]]]:
    """Lists every file of the report by group, each with its path."""
    tables = [table.path for table in content.tables.values()]
    if content.records.predictions:
        tables.append("tables/predictions.csv.gz")
    names = [f"figures/{name}" for name in content.pictures]
    groups = [
        ("Tables, as CSV", ["tables/README.csv", *tables]),
        ("Figures, as SVG", [f"{name}.svg" for name in names]),
        ("Figures, as PNG", [f"{name}.png" for name in names]),
        ("Summaries", ["report.md", "summary.json", "manifest.json"]),
        ("For other tools", list(content.exports)),
    ]
    return [(words, paths) for words, paths in groups if paths]


def _commands(content: Content) -> list[int]:
    """Returns the first session of each distinct command and settings."""
    seen: dict[tuple[object, object], int] = {}
    table = content.tables["sessions"]
    for number in range(len(table.rows)):
        seen.setdefault((table.value(number, "command"), table.value(number, "settings")), number)
    return list(seen.values())


@cache
def _asset(name: str) -> str:
    return (resources.files("lstm_study.report.page") / "templates" / name).read_text(
        encoding="utf-8"
    )


@cache
def environment() -> Environment:
    """Returns the environment of the report's templates, with autoescaping."""
    return Environment(
        loader=PackageLoader("lstm_study.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
