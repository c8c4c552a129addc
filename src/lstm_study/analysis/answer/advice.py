"""Which model to use: a recommendation by stated rules, from what the comparison measured.

The choice is not backed by a test. It is made on the test reviews, so the accuracy of the model it
names is slightly optimistic, and its intervals are not corrected for the choice.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

from lstm_study.analysis.answer.arms import Arm, arms_from_records
from lstm_study.analysis.answer.combined import combined_arms
from lstm_study.analysis.answer.questions import model_question
from lstm_study.analysis.answer.rule import is_above_majority
from lstm_study.analysis.answer.wording import between
from lstm_study.analysis.statistics.failures import failed_runs, without_failed_runs
from lstm_study.analysis.statistics.intervals import LEVEL, Difference
from lstm_study.analysis.statistics.power import LEAST_SEEDS
from lstm_study.analysis.statistics.significance import auc_by_chance
from lstm_study.arm_names import (
    CONTROL,
    ENSEMBLE,
    ENSEMBLE_WITH_CONTROL,
    LAST_EPOCHS_SUFFIX,
    PRIMARY,
    RUNNER_UP,
    WINNER_WITH_CONTROL,
    WITH_CONTROL_SUFFIX,
    networks_per_run,
)
from lstm_study.metrics import log_loss, majority_share, roc_auc
from lstm_study.records import StudyRecords

RULE = (
    "Of the most accurate model on test and those close to it, the one that predicts fastest is "
    "recommended. A model is close if the interval of its difference to the most accurate one "
    "includes 0 and begins at −1 point or above."
)
LEFT_OUT = "Models not shown to be more accurate than the more frequent label alone are left out."
TOO_FEW = "No network is recommended: that takes four runs of each that did not fail."
LAST_EPOCHS_ARM = f"winner{LAST_EPOCHS_SUFFIX}"
_SINGLE_MODELS = (CONTROL, ENSEMBLE, ENSEMBLE_WITH_CONTROL)
"""Of each of these there is one, not one for each seed."""
_CLOSE = -0.01
"""Lowest difference in accuracy that the interval of a close model may include. Few seeds or
reviews give wide intervals: that they show no difference is no reason to take the faster model.
"""
_CLOSE_IN_WORDS = "at most 1 point less accurate by their intervals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model that a person could use.

    Attributes:
        arm: Its arm.
        accuracy: Mean test accuracy of its runs that did not fail.
        runs: How many these are.
        failed: Evaluated runs that failed by the decision rule.
        log_loss: Mean log loss on test of the runs that did not fail.
        networks: How many networks a prediction takes; 0 for the classical control.
        training_seconds: Of all that it takes to have it; None where not known.
        predict_1000_seconds: To predict 1,000 reviews; None where not measured.
        difference: Its accuracy minus that of the most accurate model that is judged; None for that
            one itself, and with too few seeds to judge.
        roc_auc: Mean on test of the runs that did not fail; None if all reviews have one label.
        is_above_majority: Whether it is shown to be more accurate than the more frequent label
            alone. Only such a model is recommended.
    """

    arm: str
    accuracy: float
    runs: int
    failed: int
    log_loss: float
    networks: int
    training_seconds: float | None
    predict_1000_seconds: float | None
    difference: Difference | None = None
    roc_auc: float | None = None
    is_above_majority: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Which model to use, and the models it was chosen from.

    Attributes:
        models: The most accurate one first.
        sentences: Subject → the sentence: "model", "logistic regression" where it is a part of that
            model, and where they are others "single network" and "ensemble". Empty with fewer than
            two models.
        commands: Subject → the command that its sentence ends with, where it does.
        rule: How the recommendation is made.
    """

    models: tuple[Model, ...]
    sentences: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)
    rule: str = RULE

    @property
    def texts(self) -> tuple[str, ...]:
        """The sentences, with their commands."""
        return tuple(
            f"{sentence} {self.commands.get(subject, '')}".rstrip()
            for subject, sentence in self.sentences.items()
        )


def advise(records: StudyRecords, *, level: float = LEVEL) -> Advice:
    """Compares the models of a study, and says which to use by `RULE`.

    A network with fewer than four runs that did not fail is listed, and neither recommended nor
    compared. Where one label is rare, no model may be more accurate than the other label alone:
    then none is recommended, and the one that tells the labels apart best is named.

    Args:
        records: The study's.
        level: Of every interval.
    """
    arms = arms_from_records(records)
    arms |= combined_arms(records, arms)
    found = [_model(name, arms, records) for name in arms if _is_model(name)]
    ranked = sorted(found, key=lambda model: -model.accuracy)
    judged = _beside_best([each for each in ranked if _has_enough(each)], arms, level)
    others = [each for each in ranked if not _has_enough(each)]
    models = (*judged, *others) if len(judged) > 1 else tuple(ranked)
    if len(models) < 2 or arms[models[0].arm].documents < 2:
        return Advice(models=models)
    if len(judged) < 2:
        return Advice(models=models, sentences={"model": TOO_FEW})
    rule = RULE if all(each.is_above_majority for each in judged) else f"{RULE} {LEFT_OUT}"
    chosen = _choice(judged)
    if chosen is None:
        said, ranking = _of_none(judged, arms)
        return Advice(
            models=models,
            sentences={"model": said},
            commands=_commands({"model": ranking} if ranking is not None else {}, records),
            rule=rule,
        )
    sentences, named = _sentences(chosen, judged, arms, level)
    commands = _commands(named, records)
    return Advice(models=models, sentences=sentences, commands=commands, rule=rule)


def _sentences(
    chosen: Model, judged: Sequence[Model], arms: Mapping[str, Arm], level: float
) -> tuple[dict[str, str], dict[str, Model]]:
    """Returns the sentences on a recommended model and on others beside it, by subject.

    Returns:
        The sentences, and the models of those that may end with a command.
    """
    majority = majority_share(arms[judged[0].arm].labels)
    sentences, named = {"model": _of_choice(chosen, judged, majority)}, {"model": chosen}
    control = next((each for each in judged if each.arm == CONTROL), None)
    if control is not None and chosen.arm.endswith(WITH_CONTROL_SUFFIX):
        sentences["logistic regression"] = _of_part(control, chosen, arms, level)
    networks = [each for each in judged if _is_single_network(each.arm)]
    if networks and chosen.arm not in {each.arm for each in networks}:
        networks = _beside_best(networks, arms, level)
        single = _choice(networks)
        if single is not None:
            sentences["single network"] = _of_single_network(single, networks, arms, level)
            named["single network"] = single
    ensemble = next((each for each in judged if each.arm == ENSEMBLE), None)
    if ensemble is not None and chosen.arm not in (ENSEMBLE, ENSEMBLE_WITH_CONTROL):
        sentences[ENSEMBLE] = _of_ensemble(ensemble, chosen, arms, level)
    return sentences, named


def model_name(arm: str) -> str:
    """Names a model in a sentence."""
    return {
        CONTROL: "the logistic regression",
        ENSEMBLE: "the ensemble of the winner's runs",
        LAST_EPOCHS_ARM: "the mean of the winner's last epochs",
        WINNER_WITH_CONTROL: "the mean of winner and logistic regression",
        ENSEMBLE_WITH_CONTROL: "the mean of the winner's ensemble and the logistic regression",
    }.get(arm, arm if arm.startswith(RUNNER_UP) else f"the {arm}")


def _is_model(arm: str) -> bool:
    return (
        _is_single_network(arm)
        or arm in (*_SINGLE_MODELS, LAST_EPOCHS_ARM)
        or arm.endswith(WITH_CONTROL_SUFFIX)
    )


def _is_single_network(arm: str) -> bool:
    return arm in PRIMARY or arm.startswith(RUNNER_UP)


def _model(name: str, arms: Mapping[str, Arm], records: StudyRecords) -> Model:
    kept = without_failed_runs(arms[name])
    losses = [log_loss(kept.labels, row) for row in kept.probabilities]
    areas = [roc_auc(kept.labels, row) for row in kept.probabilities]
    network = name.removesuffix(WITH_CONTROL_SUFFIX)
    runs = records.completed_runs("winner" if network == ENSEMBLE else network)
    training: list[float | None] = [run.seconds for run in runs]
    predicting = [run.predict_1000_seconds for run in runs]
    networks = networks_per_run(name, runs[0].protocol_epochs) if runs else 1
    predicting = [None if each is None else networks * each for each in predicting]
    control = records.control
    if name == CONTROL and control is not None:
        networks = 0
        training, predicting = [control.fit_seconds], [control.predict_1000_seconds]
    combine: Callable[[Iterable[float]], float] = fmean
    if network == ENSEMBLE:
        combine, networks = math.fsum, len(runs)
    times = [_all_of(training, combine), _all_of(predicting, combine)]
    if name != network and control is not None:
        of_control = (control.fit_seconds, control.predict_1000_seconds)
        times = [_all_of(both, math.fsum) for both in zip(times, of_control, strict=True)]
    return Model(
        arm=name,
        accuracy=kept.accuracy,
        runs=kept.seeds,
        failed=len(failed_runs(arms[network])),
        log_loss=fmean(losses),
        networks=networks,
        training_seconds=times[0],
        predict_1000_seconds=times[1],
        roc_auc=_all_of(areas, fmean),
        is_above_majority=is_above_majority(kept),
    )


def _all_of(
    values: Sequence[float | None], combine: Callable[[Iterable[float]], float]
) -> float | None:
    known = [value for value in values if value is not None]
    return combine(known) if known and len(known) == len(values) else None


def _has_enough(model: Model) -> bool:
    """Whether a model's runs are enough to judge it."""
    return model.arm in _SINGLE_MODELS or model.runs >= LEAST_SEEDS


def _beside_best(models: Sequence[Model], arms: Mapping[str, Arm], level: float) -> list[Model]:
    """Returns models, the most accurate one first, with their differences to that one."""
    if not models or arms[models[0].arm].documents < 2:
        return list(models)
    best = models[0].arm
    return [replace(each, difference=_difference(arms, each.arm, best, level)) for each in models]


def _difference(
    arms: Mapping[str, Arm], candidate: str, reference: str, level: float
) -> Difference | None:
    if candidate == reference:
        return None
    return model_question(arms, candidate, reference, level=level).difference


def _tied(models: Sequence[Model]) -> list[Model]:
    """Returns the most accurate model and those that are not shown to be less accurate."""
    return [each for each in models if each.difference is None or each.difference.high >= 0]


def _above_majority(models: Sequence[Model]) -> list[Model]:
    return [each for each in models if each.is_above_majority]


def _useful(models: Sequence[Model]) -> list[Model]:
    """Returns those that the rule chooses from, the most accurate one first.

    If the most accurate model is left out, all that are not shown to differ from it remain.
    """
    useful = _above_majority(_tied(models))
    if not models[0].is_above_majority:
        return useful
    return [each for each in useful if each.difference is None or each.difference.low >= _CLOSE]


def _choice(models: Sequence[Model]) -> Model | None:
    """Applies the rule; where a time that it needs is not known, the most accurate one stays.

    None if no model that it chooses from is shown to beat the more frequent label.
    """
    useful = _useful(models)
    if not useful or any(each.predict_1000_seconds is None for each in useful):
        return next(iter(useful), None)
    return min(useful, key=lambda each: each.predict_1000_seconds or 0.0)


def _of_choice(chosen: Model, models: Sequence[Model], majority: float) -> str:
    tied, useful = _tied(models), _useful(models)
    said = f"Use {model_name(chosen.arm)}: it classifies {chosen.accuracy:.2%} of the test reviews"
    is_timed = all(each.predict_1000_seconds is not None for each in useful)
    left_out = [each for each in tied if not each.is_above_majority]
    if len(tied) == 1:
        why = " correctly, more than every other model here, by intervals that exclude 0."
    elif chosen is tied[0]:
        why = " correctly, the most of these models"
        if not is_timed:
            why += "; times to predict are not all known."
        elif len(useful) > 1:
            those = "those that are not left out and" if left_out else "those"
            why += f"; of {those} {_CLOSE_IN_WORDS}, it predicts fastest."
        elif len(_above_majority(tied)) > 1:
            why += "; by their intervals, the others may be more than 1 point less accurate."
        else:
            why += "."
    else:
        assert chosen.difference is not None, "it is not the most accurate one"
        why = (
            f" correctly; no difference to the most accurate, {model_name(tied[0].arm)}, was shown"
            f", {between(chosen.difference)}, and "
        )
        those = _CLOSE_IN_WORDS if tied[0] in useful else "that are not left out"
        fastest = f"it predicts fastest of those {those}."
        why += fastest if is_timed else "times to predict are not all known."
    if left_out:
        names = ", ".join(model_name(each.arm) for each in left_out)
        is_one = len(left_out) == 1
        why += (
            f" {names[0].upper()}{names[1:]} {'is' if is_one else 'are'} left out: not shown to be "
            f"more accurate than {_label_alone(majority)}."
        )
    return said + why + _remarks(chosen)


def _of_none(models: Sequence[Model], arms: Mapping[str, Arm]) -> tuple[str, Model | None]:
    """Says that no model is recommended, and returns the one that it names nevertheless, if any."""
    majority = majority_share(arms[models[0].arm].labels)
    said = (
        f"No model is recommended: neither the most accurate, {model_name(models[0].arm)} "
        f"({models[0].accuracy:.2%}), nor any not shown to differ from it is shown to be more "
        f"accurate than {_label_alone(majority)}."
    )
    ranking = max(models, key=lambda each: each.roc_auc or 0.0)
    chance = auc_by_chance(arms[ranking.arm].labels)
    if chance is None or (ranking.roc_auc or 0.0) <= chance[1]:
        return said, None
    said += (
        f" By ROC AUC, which needs no threshold, {model_name(ranking.arm)} tells the labels "
        f"apart best ({ranking.roc_auc:.4f}).{_remarks(ranking)}"
    )
    return said, ranking


def _label_alone(majority: float) -> str:
    return f"the more frequent label alone ({majority:.2%})"


def _of_single_network(
    chosen: Model, networks: Sequence[Model], arms: Mapping[str, Arm], level: float
) -> str:
    said = f"If you need a single network: {model_name(chosen.arm)} classifies "
    said += f"{chosen.accuracy:.2%} correctly"
    winner = next((each for each in networks if each.arm == "winner"), None)
    found = _difference(arms, chosen.arm, "winner", level) if winner is not None else None
    if winner is not None and found is not None:
        said += f", {between(found)} against the winner{_cost(chosen, winner)}"
    said += "."
    useful = _useful(networks)
    if {each.arm for each in useful} - {chosen.arm, "winner"} and all(
        each.predict_1000_seconds is not None for each in useful
    ):
        listed = ", ".join(each.arm for each in useful)
        said += f" Of those {_CLOSE_IN_WORDS} ({listed}) it predicts fastest."
    return said + _remarks(chosen)


def _of_part(control: Model, chosen: Model, arms: Mapping[str, Arm], level: float) -> str:
    """Says what the control alone does that is a part of the recommended model."""
    found = _difference(arms, CONTROL, chosen.arm, level)
    against = f", {between(found)} against that mean" if found is not None else ""
    return (
        f"The logistic regression alone classifies {control.accuracy:.2%} correctly{against}"
        f"{_cost(control, chosen)}."
    )


def _of_ensemble(ensemble: Model, chosen: Model, arms: Mapping[str, Arm], level: float) -> str:
    said = f"The ensemble of the winner's runs classifies {ensemble.accuracy:.2%} correctly"
    found = _difference(arms, ENSEMBLE, chosen.arm, level)
    if found is None:
        return f"{said}."
    against = f"{between(found)} against {model_name(chosen.arm)}"
    if found.low <= 0 <= found.high:
        against = f"no difference to {model_name(chosen.arm)} was shown, {between(found)}"
    return (
        f"{said}: {against}{_cost(ensemble, chosen)}. "
        "The interval is of this ensemble, not over other seeds of it."
    )


def _cost(model: Model, other: Model) -> str:
    """Says what a model costs beside another one, as far as it is known."""
    costs = [
        ("training", model.training_seconds, other.training_seconds),
        ("prediction", model.predict_1000_seconds, other.predict_1000_seconds),
    ]
    said = [
        f"{_times(first / second)} its {what} time" for what, first, second in costs
        if first and second
    ]  # fmt: skip
    return f", at {' and '.join(said)}" if said else ""


def _times(ratio: float) -> str:
    return f"{ratio:.0%} of" if ratio < 1.95 else f"{ratio:.0f} times"


def _remarks(model: Model) -> str:
    said = ""
    if model.failed:
        said += f" Of its {model.runs + model.failed} runs {model.failed} failed."
    if model.arm == LAST_EPOCHS_ARM:
        said += " It is not exported."
    purpose, _ = _command(model, "")
    return f"{said} {purpose}:" if purpose else said


def _commands(named: Mapping[str, Model], records: StudyRecords) -> dict[str, str]:
    """Returns the commands that `_remarks` announces, by subject."""
    found = {subject: _command(model, records.name)[1] for subject, model in named.items()}
    return {subject: command for subject, command in found.items() if command}


def _command(model: Model, study: str) -> tuple[str, str]:
    """Returns what is to be done to use a model, and the command for it; "" for nothing more."""
    if model.arm.endswith(WITH_CONTROL_SUFFIX):
        ensemble = " --ensemble" if model.arm == ENSEMBLE_WITH_CONTROL else ""
        folder = f"reports/{study}"
        parts = f"{folder}/model{ensemble} --with {folder}/model-classical"
        return "To predict with it", f"lstm-study predict {parts}"
    if _is_single_network(model.arm) and model.arm != "winner":
        return "To export it", f"lstm-study export STUDY.toml --arm {model.arm}"
    return "", ""
