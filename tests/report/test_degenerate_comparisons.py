"""Comparisons that went wrong, read as the commands read them: a sentence, never a crash or NaN."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from lstm_study import commands
from lstm_study.analysis.answer.arms import arms_from_records
from lstm_study.analysis.statistics.failures import without_failed_runs
from lstm_study.cli.text.answer import answer_text
from lstm_study.cli.text.studies import status_text
from lstm_study.errors import RecordError
from lstm_study.metrics import accuracy
from lstm_study.records import Failure, StudyRecords
from lstm_study.report.content import gather
from lstm_study.report.page.html import render
from lstm_study.report.write import render_files
from tests.support.fake_study import completed_study, failed_study, one_seed_study
from tests.support.stored_study import leave

DIVERGED = Failure(kind="diverged", message="the loss became nan at step 3 of epoch 2.")


def failed(study: StudyRecords, *arms: str) -> StudyRecords:
    runs = tuple(
        replace(run, status="failed", failure=DIVERGED) if run.arm in arms else run
        for run in study.runs
    )
    return replace(study, runs=runs)


def without(study: StudyRecords, arm: str) -> StudyRecords:
    return replace(study, runs=tuple(run for run in study.runs if run.arm != arm))


def giving(study: StudyRecords, values: Callable[[str], np.ndarray]) -> StudyRecords:
    predictions = {run.run_id: values(run.run_id) for run in study.runs}
    runs = tuple(
        replace(run, test_accuracy=accuracy(study.test_labels, predictions[run.run_id]))
        for run in study.runs
    )
    return replace(study, predictions=predictions, runs=runs)


def identical(study: StudyRecords) -> StudyRecords:
    """The winner is the baseline, its trainings the baseline's."""
    configuration = next(run.configuration for run in study.runs if run.arm == "baseline")
    runs = tuple(replace(run, configuration=configuration) for run in study.runs)
    own = study.predictions
    return giving(replace(study, runs=runs), lambda run_id: own[f"baseline-{run_id[-2:]}"])


def damaged(study: StudyRecords) -> StudyRecords:
    damage = {"winner-s1": np.full(2_000, np.nan, dtype=np.float32)}
    return replace(study, predictions={**study.predictions, **damage})


WHOLE = completed_study()
CASES = {
    "one seed": (one_seed_study(), "cannot say", "the winner has 1 run that did not fail"),
    "two seeds": (completed_study(seeds=2), "cannot say", "Too few seeds to say"),
    "a failed run": (failed_study(), "", "Of the winner, 1 of 4 runs is left out: 1 failed."),
    "all probabilities equal": (
        giving(WHOLE, lambda _: np.full(2_000, 0.5, dtype=np.float32)), "cannot say",
        "the same label: it has learned nothing",
    ),
    "all read right": (
        giving(WHOLE, lambda _: WHOLE.test_labels.astype(np.float32)), "no difference shown",
        "what could be shown is not known",
    ),
    "no winner": (without(WHOLE, "winner"), "cannot say", "no completed run of the winner"),
    "no baseline": (without(WHOLE, "baseline"), "cannot say", "no completed run of the baseline"),
    "an arm failed": (failed(WHOLE, "winner"), "cannot say", "4 of 4 runs are left out: 4 failed"),
    "both arms failed": (failed(WHOLE, "winner", "baseline"), "cannot say", "of the baseline (4"),
    "identical arms": (identical(WHOLE), "no difference shown", "is the baseline itself"),
    "runs alike": (
        giving(WHOLE, lambda run_id: WHOLE.predictions[f"{run_id.partition('-')[0]}-s1"]), "",
        "check that their seeds differ",
    ),
    "nothing compared": (replace(WHOLE, runs=()), "cannot say", "neither has a completed run"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_went_wrong_is_a_sentence_on_the_terminal_and_in_the_report(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, kind, words = CASES[name]
    monkeypatch.chdir(tmp_path)
    opened = commands.open_study(leave(study, tmp_path))
    answer = commands.read_answer(opened)
    assert answer.verdict.kind == (kind or answer.verdict.kind)

    out = io.StringIO()
    console = Console(file=out, width=400, no_color=True)
    console.print(answer_text(answer), status_text(commands.read_status(opened)))
    said = " ".join(out.getvalue().split())
    assert words in said
    assert not re.search(r"\b(nan|None|inf)\b", said)

    content = gather(
        answer.records, verdict=answer.verdict, made_at="2025-03-02T10:00:00.000Z", versions={},
        git_commit="", bundle=None,
    )  # fmt: skip
    assert words in " ".join(re.sub(r"&#39;", "'", render(content)).split())
    files = render_files(content)
    for path in ("report.html", "report.md", "tables/verdict.csv"):
        assert not re.search(r"[>|,]\s*(nan|None|inf)\s*[<|,]", files[path].decode()), path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("all probabilities equal", "The winner has learned nothing. The baseline has learned"),
        ("identical arms", "The search found nothing better than the baseline."),
        ("two seeds", "Too few seeds to say whether the winner beats the baseline"),
    ],
)
def test_the_headline_repeats_no_sentence_that_follows_it(
    name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = commands.read_answer(commands.open_study(leave(CASES[name][0], tmp_path)))
    content = gather(
        answer.records, verdict=answer.verdict, made_at="2025-03-02T10:00:00.000Z", versions={},
        git_commit="", bundle=None,
    )  # fmt: skip
    summary = render_files(content)["report.md"].decode()
    bold, said = re.findall(r"^\*\*(.*)\*\* (.*)$", summary, flags=re.MULTILINE)[0]
    sentences = re.compile(r"(?<=\.) (?=[A-Z])")
    assert not {*sentences.split(bold)} & {*sentences.split(said)}
    assert bold.startswith(words)


@pytest.mark.parametrize(
    ("study", "words"),
    [
        (damaged(WHOLE), r"winner-s1\.npy: must hold probabilities from 0 to 1\."),
        (
            replace(WHOLE, predictions={}),
            r"labels\.npy: is missing, and .* was evaluated on test\.",
        ),
    ],
    ids=["damaged", "gone"],
)
def test_probabilities_that_are_damaged_or_gone_are_refused_and_give_no_verdict(
    study: StudyRecords, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    opened = commands.open_study(leave(study, tmp_path))
    with pytest.raises(RecordError, match=words):
        commands.read_answer(opened)


def test_a_further_arms_difference_says_that_it_leaves_failed_runs_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mean before it is of all runs: without a word the two would contradict each other."""
    whole = completed_study(seeds=5, compare__runner_ups="1")
    second = [
        replace(run, arm="runner-up-1", run_id=f"runner-up-1-s{run.seed_index}")
        for run in whole.runs
        if run.arm == "winner"
    ]
    study = giving(
        replace(whole, runs=(*whole.runs, *second)),
        lambda run_id: (
            np.full(2_000, 0.5, np.float32)
            if run_id == "runner-up-1-s1"
            else whole.predictions[run_id.replace("runner-up-1", "winner")]
        ),
    )
    monkeypatch.chdir(tmp_path)
    answer = commands.read_answer(commands.open_study(leave(study, tmp_path)))
    out = io.StringIO()
    Console(file=out, width=400, no_color=True).print(answer_text(answer))
    (line,) = (line for line in out.getvalue().splitlines() if line.startswith("Runner-up 1"))
    assert re.search(r"\(5 seeds, .*\); without 1 failed run [+−]\d", line), line


def test_the_terminal_gives_the_winners_accuracy_without_its_failed_runs_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = completed_study(seeds=5)
    study = giving(
        whole,
        lambda run_id: (
            np.full(2_000, 0.5, np.float32) if run_id == "winner-s1" else whole.predictions[run_id]
        ),
    )
    monkeypatch.chdir(tmp_path)
    answer = commands.read_answer(commands.open_study(leave(study, tmp_path)))
    kept = without_failed_runs(arms_from_records(study)["winner"])
    out = io.StringIO()
    Console(file=out, width=2_000, no_color=True).print(answer_text(answer))
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    winner, baseline = lines[1:3]
    assert kept.seeds == 4
    assert winner.endswith(f"; without 1 failed run {kept.accuracy:.2%}")
    assert "without" not in baseline
