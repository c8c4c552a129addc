"""The answer of a study, and the winner of its search."""

import math
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from lstm_study.analysis.answer.wording import points
from lstm_study.analysis.statistics.intervals import TEST_NAME
from lstm_study.arm_names import RUNNER_UP
from lstm_study.cli.text.layout import names_and_values
from lstm_study.records import Trial
from lstm_study.spec.quantities import counted

if TYPE_CHECKING:
    from lstm_study.analysis.answer.arms import ArmSummary
    from lstm_study.analysis.answer.questions import Comparison
    from lstm_study.analysis.answer.verdict import Verdict
    from lstm_study.commands import Answer


def answer_text(found: "Answer") -> RenderableType:
    """The answer: winner, baseline, difference, verdict, and where report and model are."""
    table = names_and_values()
    verdict = found.verdict
    if found.winner is not None:
        table.add_row("Winner", found.winner.configuration.description)
    for arm in verdict.arms:
        words = f"{_arm_in_words(arm)}{_without_failed(arm, verdict)}"
        table.add_row("" if arm.name == "winner" else _arm_name(arm.name), words)
    shown = {arm.name for arm in verdict.arms}
    others = sorted((arm for arm in found.arms if arm.name not in shown), key=_place)
    beside = {
        entry.verdict.candidate: _beside(entry)
        for entry in found.comparisons
        if entry.verdict.reference == verdict.reference
    }
    for arm in others:
        words = f"{_arm_in_words(arm)}{beside.get(arm.name, '')}"
        table.add_row(_arm_name(arm.name), Text(words, style="dim"))
    if any(beside.get(arm.name) for arm in others):
        table.add_row("", Text(_family(verdict), style="dim"))
    table.add_row("Verdict", Text(verdict.headline, style="bold"))
    for sentence in found.advice:
        table.add_row("Use" if sentence == found.advice[0] else "", Text(sentence))
    table.add_row("Details", Text(verdict.details))
    for note in (*verdict.notes, *_caveats(found)):
        table.add_row("Note", Text(note, style="dim"))
    for name, path, command in (
        ("Report", found.report, "report"),
        ("Model", found.model, "export"),
    ):
        if path is not None:
            old = path in found.outdated
            note = f" (out of date: lstm-study {command} {found.where})" if old else ""
            table.add_row(name, Text(f"{path}{'/' if name == 'Model' else ''}{note}"))
    return table


def _beside(entry: "Comparison") -> str:
    """Returns an arm's difference from the baseline in short; "" where there is none."""
    found = entry.verdict.difference
    if found is None or (entry.is_tested and entry.adjusted_p_value is None):
        return ""
    failures = entry.verdict.failures
    failed = len(failures.runs) if failures is not None else 0
    without = f"without {counted(failed, 'failed run')} " if failed else ""
    tested = entry.answer
    if entry.adjusted_p_value is not None:
        tested = f"p {_probability(entry.adjusted_p_value)}"
    return (
        f"; {without}{points(found.difference)} points, {points(found.low)} to "
        f"{points(found.high)}, {tested}"
    )


def _probability(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _family(verdict: "Verdict") -> str:
    level = "an"
    if verdict.difference is not None:
        level = f"a {100 * verdict.difference.level:.4g}%"
    return (
        f"Points are against the {verdict.reference}, with {level} interval; p-values are of the "
        f"{TEST_NAME}, corrected over these arms (Holm)."
    )


def _place(arm: "ArmSummary") -> int:
    """Ranks a further arm for display: those closest to winner and baseline come first."""
    kinds = ("own-epoch", "masked", "last-three", "recipe", "runner-up", "control", "ensemble")
    return next((place for place, kind in enumerate(kinds) if kind in arm.name), len(kinds))


def _arm_name(name: str) -> str:
    if name.startswith(RUNNER_UP):
        return f"Runner-up {name.removeprefix(RUNNER_UP)}"
    for suffix in ("masked", "own-epoch", "last-three", "recipe"):
        name = name.replace(f"-{suffix}", f", {suffix}")
    return name.replace("-", " ").capitalize()


def _arm_in_words(arm: "ArmSummary") -> str:
    spread = f", {arm.lowest:.2%} to {arm.highest:.2%}" if arm.seeds > 1 else ""
    seeds = "1 run" if arm.seeds == 1 else f"{arm.seeds} seeds"
    return f"{arm.accuracy:.2%} of the test reviews classified correctly ({seeds}{spread})"


def _without_failed(arm: "ArmSummary", verdict: "Verdict") -> str:
    """Returns the accuracy that the verdict compares, where it leaves runs of the arm out."""
    failed = [
        run.accuracy
        for run in (verdict.failures.runs if verdict.failures is not None else ())
        if run.arm == arm.name and run.accuracy is not None
    ]
    if not failed or len(failed) == arm.seeds:
        return ""
    kept = (arm.accuracy * arm.seeds - math.fsum(failed)) / (arm.seeds - len(failed))
    return f"; without {counted(len(failed), 'failed run')} {kept:.2%}"


def _caveats(found: "Answer") -> list[str]:
    notes = []
    if found.records.deviations:
        notes.append(
            "This study differs from the documented one: "
            + "; ".join(found.records.deviations)
            + "."
        )
    if found.failed_trainings:
        notes.append(f"{counted(found.failed_trainings, 'training')} failed; see the report.")
    return notes


def winner_text(trial: Trial) -> RenderableType:
    """The search's winner in two lines."""
    assert trial.score is not None
    return Text.assemble(
        ("Winner    ", "bold"),
        f"{trial.configuration.description}\n",
        f"          {trial.trial_id}, score {trial.score:.4f} after epoch {trial.budget_epochs}",
    )
