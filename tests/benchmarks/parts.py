"""What each opened part of a winner brings: the winner with that part at its documented value.

    python -m tests.benchmarks.parts STUDY.toml [--data PATH] [--seeds 3]
        [--most-seeds 10 --most PART ...] [--out reports/benchmarks/parts.md]

The study has to be searched. Each network is trained as the search's finalists are, for the full
budget and without the validation reviews, with the same fresh seeds for every part; test is never
read. Its trainings are trials of a study of their own beside it, `NAME-parts`, which a second run
resumes; the winner's trainings as a finalist count. The parts that `--most` names are trained with
`--most-seeds` seeds, and so is the winner, which each of them is compared with on its own seeds.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import stats

from lstm_study.analysis.answer.wording import points
from lstm_study.analysis.statistics.significance import holm
from lstm_study.commands import open_study
from lstm_study.commands.begin import begin
from lstm_study.commands.open_study import OpenStudy, Silent, held
from lstm_study.commands.winner import winner_of
from lstm_study.commands.workers import stage_workers
from lstm_study.configuration import HYPERPARAMETERS, Configuration, value_in_words
from lstm_study.engine.dispatch import dispatch
from lstm_study.provenance import git_commit, machine, now
from lstm_study.records import Trial
from lstm_study.search.rerank import RerankStage
from lstm_study.seeds import derive
from lstm_study.spec import StudySpec
from lstm_study.store import Store

WHOLE = "winner"


def without_each(winner: Configuration, spec: StudySpec) -> dict[str, Configuration]:
    """Returns the winner's configuration with each opened part at its documented value, by name.

    Without pairs there is no word dropout either, where the study ties the two together.
    """
    found = {}
    for name, row in HYPERPARAMETERS.items():
        if row.is_required:
            continue
        value = row.documented
        if value is None:
            value = getattr(spec.protocol, name)
        if winner.value(name) in (value, None):
            continue
        values = {name: value}
        if name == "pair_vocabulary_size" and getattr(spec.space.word_dropout, "when", None):
            values["word_dropout"] = 0.0
        found[name] = winner.with_values(**values)
    return found


def plan(
    study: OpenStudy, parts: Mapping[str, Configuration], *, seeds: Mapping[str, int]
) -> list[Trial]:
    """Returns the trainings, seed by seed; those that the search's finalists were are done.

    Args:
        study: The study, searched.
        parts: Part → the configuration without it.
        seeds: Part → the number of its seeds.
    """
    winner = winner_of(study)
    trials = study.store.read_trials()
    done = {
        (trial.configuration, trial.seed): trial
        for trial in trials
        if trial.role == "finalist" and trial.has_ended
    }
    planned = []
    for index in range(1, max(seeds.values()) + 1):
        for part, configuration in parts.items():
            if index > seeds[part]:
                continue
            seed = derive(study.spec.study.seed, "finalist", index)
            trial = Trial(
                trial_id=trial_id(part, index), configuration=configuration, seed=seed,
                iteration=0, bracket=0, round=0, initial_epoch=0,
                budget_epochs=study.spec.search.max_epochs, role="finalist", masked=winner.masked,
                status="interrupted",
            )  # fmt: skip
            found = done.get((configuration, seed))
            if found is not None:
                trial = replace(found, trial_id=trial.trial_id, parent=None)
            planned.append(trial)
    return planned


def trial_id(part: str, index: int) -> str:
    """Names a training: "clip-norm-s2"."""
    return f"{part.replace('_', '-')}-s{index}"


def train(study: OpenStudy, planned: Sequence[Trial]) -> dict[str, Trial]:
    """Trains what is not done yet, in a study beside the given one, and returns all by id."""
    spec = study.spec
    name = f"{spec.study.name}-parts"
    spec = spec.model_copy(update={"study": spec.study.model_copy(update={"name": name})})
    beside = replace(study, spec=spec, store=Store(study.store.folder.with_name(name)))
    with held(beside, show=Silent()) as beside:
        corpus = begin(beside, show=Silent())
        known = {trial.trial_id: trial for trial in beside.store.read_trials()}
        trials = [known.get(trial.trial_id, trial) for trial in planned]
        left = sum(not trial.has_ended for trial in trials)
        stage = RerankStage(spec, trials, beside.store, report=lambda progress: None)
        if left:
            with stage_workers(beside) as workers, workers.engine(left) as engine:
                engine.set_up(spec, corpus)
                dispatch(stage, engine, store=beside.store, corpus=corpus, context=beside.context)
        return {trial.trial_id: trial for trial in beside.store.read_trials()}


def rows(
    parts: Mapping[str, Configuration],
    trials: Mapping[str, Trial],
    winner: Configuration,
    *,
    first: int,
) -> Iterator[str]:
    """Yields the table's lines: score of each network, and what its part brings, paired by seed.

    `first` is how many seeds every part has: those that a choice of parts for more may have seen.
    """
    whole = scores(WHOLE, trials)
    found = {part: scores(part, trials) for part in parts if part != WHOLE}
    gains = {
        part: np.array([whole[index] - score for index, score in of_part.items() if index in whole])
        for part, of_part in found.items()
    }
    p_values = {
        part: float(stats.ttest_1samp(each, 0.0).pvalue)
        for part, each in gains.items()
        if len(each) > 1 and np.ptp(each) > 0
    }
    corrected = holm(p_values)
    yield (
        "| part | winner | without | seeds | score without it | sd | it brings | 95% interval | "
        "p, corrected | later seeds alone |"
    )
    yield "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |"
    mean, spread = np.mean(list(whole.values())), _spread(list(whole.values()))
    yield f"| all | | | {len(whole)} | {mean:.2%} | {spread} | | | | |"
    for part, of_part in found.items():
        yield (
            f"| {part} | {value_in_words(winner.value(part))} | "
            f"{value_in_words(parts[part].value(part))} | {len(of_part)} | "
            f"{np.mean(list(of_part.values())):.2%} | {_spread(list(of_part.values()))} | "
            f"{points(gains[part].mean())} | {_interval(gains[part])} | "
            f"{_probability(corrected.get(part))} | {_alone(gains[part][first:])} |"
        )


def _probability(value: float | None) -> str:
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _alone(gains: np.ndarray) -> str:
    return f"{points(gains.mean())}, {_interval(gains)}" if len(gains) > 1 else "–"


def _interval(gains: np.ndarray) -> str:
    if len(gains) < 2:
        return "–"
    margin = stats.t.ppf(0.975, len(gains) - 1) * stats.sem(gains)
    return f"{points(gains.mean() - margin)} to {points(gains.mean() + margin)}"


def scores(part: str, trials: Mapping[str, Trial]) -> dict[int, float]:
    """Returns the score of each completed training of a part, by the index of its seed."""
    found = {}
    index = 1
    while (trial := trials.get(trial_id(part, index))) is not None:
        if trial.score is not None:
            found[index] = trial.score
        index += 1
    return found


def _spread(values: Sequence[float]) -> str:
    return f"{100 * np.std(values, ddof=1):.2f}" if len(values) > 1 else "–"


def main() -> int:
    """Trains what is not done yet, and writes the table; 1 if a training failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.parts")
    parser.add_argument("study")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--most-seeds", type=int, default=10)
    parser.add_argument("--most", nargs="+", default=[], metavar="PART")
    parser.add_argument("--out", type=Path, default=Path("reports/benchmarks/parts.md"))
    options = parser.parse_args()
    command = " ".join(["python -m tests.benchmarks.parts", *sys.argv[1:]])
    study = open_study(options.study, data=options.data, command=command)
    winner = winner_of(study).configuration
    parts = {WHOLE: winner, **without_each(winner, study.spec)}
    if unknown := [name for name in options.most if name not in parts]:
        parser.error(f"--most: no such part: {', '.join(unknown)}. There are: {', '.join(parts)}")
    seeds = {part: options.most_seeds if part in options.most else options.seeds for part in parts}
    seeds[WHOLE] = max(seeds.values())
    planned = plan(study, parts, seeds=seeds)
    trials = train(study, planned)
    failed = [trial.trial_id for trial in trials.values() if trial.status == "failed"]
    here = machine()
    spec = study.spec
    table = "\n".join(rows(parts, trials, winner, first=options.seeds))
    text = f"""# What each part of the winner of `{spec.study.name}` brings

The winner: {winner.description}.

Each row is that network with one part at its documented value, trained with the same fresh seeds
for {spec.search.max_epochs} epochs without the validation reviews. Scores are
{spec.study.objective} after the last epoch; what a part brings is the mean difference to the
winner in percentage points, paired by seed, with Student's interval over seeds for these validation
reviews. p is of Student's test, corrected over all parts (Holm); the intervals are single ones.
Which parts have more than {options.seeds} seeds was chosen by hand: the last column is of the
later seeds alone. Test was not read.

{table}

Failed trainings: {", ".join(failed) or "none"}. {now()[:10]}, {here.processor},
{here.cpu_count} processors, commit {git_commit(Path.cwd())}: `{command}`
"""
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text)
    print(text)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
