"""Where studies stand, what is damaged in one, which there are, and the machine they run on."""

import shlex
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lstm_study.cli.text.layout import names_and_values
from lstm_study.corpus.files.advice import argument
from lstm_study.spec.quantities import counted, duration_in_words, pace_in_words

if TYPE_CHECKING:
    from pathlib import Path

    from lstm_study.commands import Check, StageStatus, Status
    from lstm_study.commands.doctor import Examination
    from lstm_study.commands.list_studies import Listed


def status_text(found: "Status") -> RenderableType:
    """What is done, running and failed, and how long the rest takes."""
    if not found.begun:
        if found.problem:
            return Text(found.problem, style="red")
        return Text(
            f"{found.name} has not started. Start it with: lstm-study run {argument(found.where)}"
        )
    table = names_and_values()
    table.add_row("Study", found.name + (f", in use by {found.holder}" if found.holder else ""))
    if found.on_another_machine:
        table.add_row(
            "In use",
            Text(
                f"not on this machine; by {found.on_another_machine}, unless that was killed",
                style="yellow",
            ),
        )
    if found.differences:
        table.add_row("Settings", Text(_differences(found), style="yellow"))
    if found.problem:
        table.add_row("Records", Text(found.problem, style="red"))
    for stage in found.stages:
        table.add_row(stage.name, _counts(stage))
        for line in stage.rounds:
            table.add_row("", Text(line, style="dim"))
        for line in stage.running:
            table.add_row("", Text(line, style="cyan"))
        for line in stage.failures:
            table.add_row("", Text(line, style="red"))
    if found.time_left is not None:
        table.add_row("Time left", found.time_left.sentence)
    missing = "in another folder: give it with --out" if found.is_elsewhere else "not written yet"
    table.add_row("Report", found.report or missing)
    table.add_row("Model", found.model or missing)
    return table


def _counts(stage: "StageStatus") -> str:
    counts = f"{stage.done} of {stage.total} done" if stage.total else "not started"
    if stage.done and not stage.total:  # the plan was lost
        counts = f"{stage.done} done"
    if stage.remark:
        counts += f" ({stage.remark})"
    if stage.failed:
        counts += f", {stage.failed} failed"
    if stage.seconds:
        counts += f", {duration_in_words(stage.seconds)} spent"
    if stage.seconds and stage.epochs:
        counts += f", {pace_in_words(stage.epochs, stage.seconds)}"
    if stage.remaining_seconds:
        counts += f", about {duration_in_words(stage.remaining_seconds)} left"
    return counts


def _differences(found: "Status") -> str:
    """Says that a study file is not what the study was run with, and what follows."""
    which = "which `run` will use" if found.is_taken_up else "and all below describes the run"
    said = (
        f"{found.where} differs from what the study was run with, {which}: "
        f"{'; '.join(found.differences)}"
    )
    if not found.left_out:
        return f"{said}."
    settings = " ".join(f"--set {shlex.quote(each)}" for each in found.left_out)
    return f"{said}. It was run with {settings}."


def check_text(found: "Check", *, where: str, aside: "Path | None" = None) -> RenderableType:
    """What is damaged or missing in a study file's records or a copy of them, and what to do."""
    count = f"{counted(found.files, 'file')} read, {len(found.findings)} damaged or missing"
    lines = [Text(f"{found.folder}: {count}.")]
    for finding in found.findings:
        lines.append(Text(f"{finding.file}: {finding.problem}.", style="red"))
        lines.append(Text(f"    Without it, {finding.lost}.", style="dim"))
    lines += [Text(each, style="yellow") for each in found.lost]
    if found.passed_over:
        more = len(found.passed_over) - 1
        beside = f" and {more} more" if more else ""
        lines.append(
            Text(
                f"Not this study's, and passed over: {found.passed_over[0]}{beside}. Another "
                "program left that; nothing is lost with it.",
                style="dim",
            )
        )
    if not found.is_sealed:
        lines.append(
            Text(
                "These records were written by an earlier version, without digests: a changed "
                "number is detected only if it contradicts another one. `lstm-study run` adds "
                "digests.",
                style="dim",
            )
        )
    if not found.findings:
        return Group(*lines)
    if len(found.repairable) < len(found.findings):
        lines.append(
            Text("Restore study.json from a copy, or start over with `lstm-study run --fresh`.")
        )
    elif aside is not None:
        lost = [finding.file for finding in found.repairable if not finding.is_made_again]
        lines += [
            Text(
                f"{file} can't be made again: if you have a copy of it, put that at "
                f"{found.folder / file} before you run the study again."
            )
            for file in lost
        ]
        moved = f"Moved to {aside}/."
        if len(lost) < len(found.findings):
            rest = "the others" if lost else "them"
            moved += f" Make {rest} again with: lstm-study run {argument(where)}"
        lines.append(Text(moved))
    elif where:
        lines.append(Text(f"Move them aside with: lstm-study check {argument(where)} --repair"))
    else:
        lines.append(Text("Get a new copy of the folder of records."))
    return Group(*lines)


def studies_text(found: "list[Listed]") -> RenderableType:
    """The studies of a folder, the last changed first."""
    if not found:
        return Text("There are no studies in this folder. Start one with: lstm-study run")
    table = Table(box=None, pad_edge=False)
    for name in ("study", "state", "trials", "verdict", "winner", "last started (UTC)"):
        table.add_column(name, justify="right" if name == "trials" else "left")
    for each in found:
        planned = f" of {each.planned_trials}" if each.planned_trials else ""
        table.add_row(
            Text(each.name),
            each.state,
            f"{each.trials}{planned}",
            Text("; ".join(filter(None, (each.verdict, each.caveats))) or "-"),
            each.winner or "-",
            each.changed_at[:16].replace("T", " ") or "-",
        )
    return table


def examination_text(found: "Examination") -> RenderableType:
    """This machine, and what of it a study would use."""
    table = names_and_values()
    for name, value in found.rows:
        table.add_row(name, Text(value))
    return table
