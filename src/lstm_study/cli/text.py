"""The final output of commands: values in, rich text out."""

import shlex
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lstm_study.analysis.answer.wording import points
from lstm_study.analysis.statistics.intervals import TEST_NAME
from lstm_study.arm_names import RUNNER_UP
from lstm_study.corpus.files.advice import argument
from lstm_study.records import CorpusSummary, Trial
from lstm_study.spec import DataTable
from lstm_study.spec.quantities import duration_in_words, rate_in_words

if TYPE_CHECKING:
    from pathlib import Path

    from lstm_study.analysis.answer.arms import ArmSummary
    from lstm_study.analysis.answer.questions import Comparison
    from lstm_study.analysis.answer.verdict import Verdict
    from lstm_study.commands import Answer, Check, NewStudy, StageStatus, Status
    from lstm_study.commands.doctor import Examination
    from lstm_study.commands.list_studies import Listed
    from lstm_study.corpus.describe import Description


def answer(found: "Answer") -> RenderableType:
    """The answer: winner, baseline, difference, verdict, and where report and model are."""
    table = _names_and_values()
    verdict = found.verdict
    if found.winner is not None:
        table.add_row("Winner", found.winner.configuration.description)
    for arm in verdict.arms:
        table.add_row("" if arm.name == "winner" else _arm_name(arm.name), _arm_in_words(arm))
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
            note = (
                f" (older than the last training: lstm-study {command} {found.where})"
                if old
                else ""
            )
            table.add_row(name, Text(f"{path}{'/' if name == 'Model' else ''}{note}"))
    return table


def _names_and_values() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column()
    return table


def _beside(entry: "Comparison") -> str:
    """Returns an arm's difference from the baseline in short; "" where there is none."""
    found = entry.verdict.difference
    if found is None or (entry.is_tested and entry.adjusted_p_value is None):
        return ""
    failures = entry.verdict.failures
    failed = len(failures.runs) if failures is not None else 0
    without = f"without {failed} failed run{'s' * (failed > 1)} " if failed else ""
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


def _caveats(found: "Answer") -> list[str]:
    notes = []
    if found.records.deviations:
        notes.append(
            "This study differs from the documented one: "
            + "; ".join(found.records.deviations)
            + "."
        )
    if found.failed_trials:
        notes.append(f"{found.failed_trials} trainings failed; the report lists them.")
    return notes


def winner_lines(trial: Trial) -> RenderableType:
    """The search's winner in two lines."""
    assert trial.score is not None
    return Text.assemble(
        ("Winner    ", "bold"),
        f"{trial.configuration.description}\n",
        f"          {trial.trial_id}, score {trial.score:.4f} after epoch {trial.budget_epochs}",
    )


def description(found: "Description") -> RenderableType:
    """The reviews in numbers, and samples of them."""
    summary = found.summary
    splits = Table(title=f"{summary.source} {summary.path}".strip(), title_justify="left")
    for name in ("split", "reviews", f"{summary.labels[1]}", "tokens"):
        splits.add_column(name, justify="left" if name == "split" else "right")
    for name in ("min", "5%", "25%", "median", "75%", "95%", "max", "duplicates"):
        splits.add_column(name, justify="right")
    for split in summary.splits:
        share = split.positive / split.reviews if split.reviews else 0.0
        splits.add_row(
            split.name,
            f"{split.reviews:,}",
            f"{share:.1%}",
            f"{split.tokens:,}",
            *(f"{length:,}" for length in split.length_quantiles),
            f"{split.duplicates:,}",
        )
    parts: list[RenderableType] = [splits, Text(_corpus_in_words(summary))]
    for sample in found.samples:
        rating = f", {sample.rating} of 10 stars" if sample.rating is not None else ""
        parts.append(
            Text.assemble(
                (f"\n{sample.document_id} ", "cyan"),
                (f"{sample.label}{rating}, {sample.tokens:,} tokens\n", "dim"),
                (sample.text or "(words unknown: no word index was found)"),
                " ..." if sample.is_cut else "",
            )
        )
    return Group(*parts)


def sides(labels: tuple[str, str], *, data: DataTable) -> Text:
    """Which label is positive and which negative, and if only the alphabet chose."""
    from lstm_study.corpus.sources.polarity import chosen_by_alphabet

    note = chosen_by_alphabet(labels, is_named=bool(data.positive or data.negative))
    if note and data.positive_label is not None:
        note = "set by data.positive_label, as the labels themselves do not say"
    low, high = data.sides(labels)
    are = "is" if len(high) == 1 else "are"
    return Text(
        f"\nLabels    {' and '.join(map(repr, high))} {are} positive, "
        f"{' and '.join(map(repr, low))} negative{note and '; '}{note}."
    )


def new_study(made: "NewStudy") -> RenderableType:
    """What a file of reviews contains, and the study file written for it."""
    found, proposal = made.found, made.proposal
    table = _names_and_values()
    labels = ", ".join(f"{name!r} ({count:,})" for name, count in found.label_counts.items())
    split = f"; {found.split_column} marks the splits" if found.split_column else ""
    splits = ", ".join(f"{split.reviews:,} {split.name}" for split in made.summary.splits)
    across = made.summary.duplicates_across
    repeated = across + sum(s.duplicates for s in made.summary.splits)
    have = "test review has" if across == 1 else "test reviews have"
    kept = f"{across:,} {have} the text of a training review" if across else "kept in one split"
    median, _, most = made.size.lengths
    table.add_row("Columns", Text(", ".join(column.name for column in found.columns)))
    if found.files > 1:
        by_name = "; their names or folders mark the splits" * (found.has_test and not split)
        table.add_row("Files", f"{found.files:,}{by_name}")
    if found.encoding:
        table.add_row("Encoding", found.encoding)
    table.add_row("Text", Text(f"{found.text_column}{split}"))
    table.add_row("Labels", Text(f"{found.label_column}: {labels}"))
    table.add_row("Positive", Text(", ".join(made.data.sides(made.summary.labels)[1])))
    table.add_row("Reviews", f"{found.rows:,} ({splits})")
    table.add_row("Tokens", f"median {median:,}, at most {most:,} in 95% of the training reviews")
    near = made.summary.near_equal
    more = f"; {near:,} more with the same words" if near else ""
    table.add_row("Duplicates", f"{repeated:,} repeated text{'s' * (repeated != 1)}{more}; {kept}")
    if found.group_column:
        table.add_row("Groups", Text(f"{made.summary.groups:,} of {found.group_column}"))
    for why, count in made.summary.left_out:
        table.add_row("Left out", f"{count:,} rows {why}")
    if made.summary.tokens == "characters":
        table.add_row("Language", "without spaces between words: every character is a token")
    for note in found.notes:
        table.add_row("Read", Text(note))
    table.add_row(
        "Plan",
        f"{proposal.trials} trials, {proposal.trial_epochs} epochs; then {proposal.seeds} seeds of "
        f"{proposal.epochs} epochs for each arm, in batches of {proposal.batch_size}",
    )
    table.add_row("Time", made.time)
    if not proposal.power.is_small:
        table.add_row("Power", proposal.power.sentence)
    for warning in made.warnings:
        table.add_row(Text("Note", style="bold yellow"), Text(warning))
    table.add_row("Study", Text(str(made.path)))
    table.add_row("Next", Text(f"lstm-study run {argument(str(made.path))}"))
    return table


def _corpus_in_words(summary: CorpusSummary) -> str:
    coverage = ", ".join(f"{size:,}: {share:.1%}" for size, share in summary.coverage)
    return (
        f"Lengths in tokens, start token included. {summary.vocabulary_size:,} different token ids."
        f"\nVocabulary size and the share of validation tokens it holds: {coverage}."
        f"\nTest reviews whose exact text is also in train or validation: "
        f"{summary.duplicates_across:,}. Reviews with the words of another, but not its text: "
        f"{summary.near_equal:,}."
        + "".join(f"\nLeft out: {count:,} rows {why}." for why, count in summary.left_out)
        + (f"\nGroups, each in one split: {summary.groups:,}." if summary.groups else "")
    )


def status(found: "Status") -> RenderableType:
    """What is done, running and failed, and how long the rest takes."""
    if not found.begun:
        if found.problem:
            return Text(found.problem, style="red")
        return Text(
            f"{found.name} has not started. Start it with: lstm-study run {argument(found.where)}"
        )
    table = _names_and_values()
    table.add_row("Study", found.name + (f", in use by {found.holder}" if found.holder else ""))
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
        counts += f", {rate_in_words(stage.epochs, stage.seconds, what='epochs')}"
    if stage.remaining_seconds:
        counts += f", about {duration_in_words(stage.remaining_seconds)} left"
    return counts


def _differences(found: "Status") -> str:
    """Says that a study file is not what the study was run with, and what follows."""
    counted = "which `run` will use" if found.is_taken_up else "and all below describes the run"
    said = (
        f"{found.where} differs from what the study was run with, {counted}: "
        f"{'; '.join(found.differences)}"
    )
    if not found.left_out:
        return f"{said}."
    settings = " ".join(f"--set {shlex.quote(each)}" for each in found.left_out)
    return f"{said}. It was run with {settings}."


def check(found: "Check", *, where: str, aside: "Path | None" = None) -> RenderableType:
    """What is damaged or missing in a study file's records or a copy of them, and what to do."""
    count = f"{found.files} files read, {len(found.findings)} damaged or missing"
    lines = [Text(f"{found.folder}: {count}.")]
    for finding in found.findings:
        lines.append(Text(f"{finding.file}: {finding.problem}.", style="red"))
        lines.append(Text(f"    Without it, {finding.lost}.", style="dim"))
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
        lines.append(
            Text(f"Moved to {aside}/. Make them again with: lstm-study run {argument(where)}")
        )
    elif where:
        lines.append(Text(f"Move them aside with: lstm-study check {argument(where)} --repair"))
    else:
        lines.append(Text("Get a new copy of the folder of records."))
    return Group(*lines)


def studies(found: "list[Listed]") -> RenderableType:
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
            each.verdict or "-",
            each.winner or "-",
            each.changed_at[:16].replace("T", " ") or "-",
        )
    return table


def examination(found: "Examination") -> RenderableType:
    """This machine, and what of it a study would use."""
    table = _names_and_values()
    for name, value in found.rows:
        table.add_row(name, Text(value))
    return table
