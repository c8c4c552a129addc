"""Plain, versioned records: the only meeting place of training and analysis.

Training writes them, analysis and report read them; neither imports the other. On disk each record
is one JSON object with its `kind` and `schema_version`.

Schema history:

* 1: first version.
* 2: trials and runs say whether they were `masked`; those of version 1 were not. The kind
  `review_facts` came later: studies without it have none, and nothing else changed.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from lstm_study.configuration import Configuration
from lstm_study.errors import RecordError

SCHEMA_VERSION = 2
READABLE_VERSIONS = (1, 2)

Status = Literal["running", "completed", "failed", "interrupted"]
Role = Literal["search", "control"]
TrainedOn = Literal["training", "train"]
Weighting = Literal["nb", "tfidf"]
TextFrom = Literal["source", "tokens", "left out", ""]
ErrorKind = Literal["diverged", "out_of_memory", "bug", "lost_worker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """What one epoch of one training left.

    Attributes:
        epoch: Its number, from 1, counted from the configuration's first training step.
        train_loss: Mean binary cross-entropy over the epoch's steps, dropout on.
        train_accuracy: Share of reviews read right, in [0, 1], dropout on.
        validation_loss: Binary cross-entropy on the validation reviews; None without any.
        validation_accuracy: Share of validation reviews read right; None without any.
        train_seconds: Wall time of the training steps.
        validation_seconds: Wall time of the validation.
        ended_at: When the epoch ended, ISO 8601 in UTC.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    train_seconds: float
    validation_seconds: float
    ended_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a training failed: its class, one line, and the traceback where there is one."""

    kind: ErrorKind
    message: str
    traceback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One configuration at one budget, inside the search.

    Attributes:
        trial_id: "b2-03-r1": bracket 2, slot 3 of its first round, round 1. The slot names the
            configuration: a promoted trial differs from its parent in the round alone.
        configuration: The hyperparameters.
        seed: Seed of weights, dropout and shuffling; a promoted trial keeps its parent's.
        iteration: Which pass over all brackets, from 0.
        bracket: Hyperband's bracket; bracket 0 trains everything for the full budget.
        round: Round of successive halving within the bracket, from 0.
        initial_epoch: Epochs the parent had trained; 0 in round 0.
        budget_epochs: Epochs after which the trial ends, the parent's included.
        role: Whether it is part of the search, or of the random control, which can't win.
        parent: The trial it was promoted from, if any.
        masked: Whether padding was masked, and reviews of similar length shared a batch.
        status: Where it stands.
        epochs: The history since `initial_epoch`; a promoted trial's parent holds the rest.
        parameter_count: Trainable numbers in the network.
        score: The objective's value that the search ranks by; None until completed.
        score_last_epoch: The objective at the last epoch.
        score_best_epoch: The best of the objective over this trial's epochs.
        worker: The process that trained it last.
        started_at: When training first began, ISO 8601 in UTC.
        ended_at: When it completed or failed.
        seconds: Time worked in this record's epochs, training and validation, over restarts.
        failure: Set exactly when status is "failed".
    """

    trial_id: str
    configuration: Configuration
    seed: int
    iteration: int
    bracket: int
    round: int
    initial_epoch: int
    budget_epochs: int
    role: Role = "search"
    parent: str | None = None
    masked: bool = False
    status: Status = "running"
    epochs: tuple[Epoch, ...] = ()
    parameter_count: int | None = None
    score: float | None = None
    score_last_epoch: float | None = None
    score_best_epoch: float | None = None
    worker: str = ""
    started_at: str = ""
    ended_at: str = ""
    seconds: float = 0.0
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One training with one seed, outside the search, and its one evaluation.

    Most runs train on all training reviews and are evaluated on test. A validation run ("train")
    leaves the validation reviews out, is validated after each epoch, and never sees test.

    Attributes:
        run_id: "baseline-s1": arm and seed index.
        arm: What a comparison compares: "baseline", "winner", ...; validation runs belong to
            "baseline-validation", "winner-validation" and "ablation".
        seed_index: From 1; runs of different arms with one index share their data order.
        seed: Seed of weights, dropout and shuffling.
        configuration: The hyperparameters.
        protocol_epochs: Epochs to train before the evaluation.
        trained_on: All training reviews, or the train split alone.
        own_epoch: The epoch that validation chose for this arm, fixed before test was opened; None
            where none was chosen.
        trained_as: The run whose training this one was evaluated in, at another epoch; "" where it
            has a training of its own.
        masked: Whether padding was masked, and reviews of similar length shared a batch.
        status: Where it stands.
        epochs: The history, to `protocol_epochs`.
        parameter_count: Trainable numbers in the network.
        test_accuracy: Share of test reviews read right, in [0, 1].
        test_loss: Binary cross-entropy on test.
        test_roc_auc: Area under the ROC curve on test; None where it is not defined.
        test_f1: Harmonic mean of precision and recall of the positive label on test.
        test_brier_score: Mean squared distance of probability and label on test.
        test_calibration_error: Expected calibration error on test.
        test_seconds: Wall time of the evaluation, compiling included.
        test_reviews: How many reviews were evaluated.
        predict_1000_seconds: Wall time to read 1,000 training reviews, once compiled.
        worker: The process that trained it last.
        started_at: When training first began, ISO 8601 in UTC.
        ended_at: When it completed or failed.
        seconds: Time worked in this record's epochs, training and validation, over restarts.
        failure: Set exactly when status is "failed".
    """

    run_id: str
    arm: str
    seed_index: int
    seed: int
    configuration: Configuration
    protocol_epochs: int
    trained_on: TrainedOn = "training"
    own_epoch: int | None = None
    trained_as: str = ""
    masked: bool = False
    status: Status = "running"
    epochs: tuple[Epoch, ...] = ()
    parameter_count: int | None = None
    test_accuracy: float | None = None
    test_loss: float | None = None
    test_roc_auc: float | None = None
    test_f1: float | None = None
    test_brier_score: float | None = None
    test_calibration_error: float | None = None
    test_seconds: float | None = None
    test_reviews: int | None = None
    predict_1000_seconds: float | None = None
    worker: str = ""
    started_at: str = ""
    ended_at: str = ""
    seconds: float = 0.0
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlCandidate:
    """One setting of the classical control, trained on the train split, scored on validation.

    Attributes:
        weighting: "nb" for naive Bayes log-count ratios, "tfidf" for TF-IDF.
        inverse_regularisation: scikit-learn's C of the logistic regression.
        validation_accuracy: Share of validation reviews read right.
        validation_loss: Binary cross-entropy on the validation reviews.
        seconds: Wall time of its fit.
    """

    weighting: Weighting
    inverse_regularisation: float
    validation_accuracy: float
    validation_loss: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The classical control: logistic regression over words and pairs of words.

    It draws nothing at random, so that one training is all there can be. Its test probabilities
    are kept under the id "control".

    Attributes:
        status: Where it stands.
        weighting: What validation chose; "" before it did.
        inverse_regularisation: What validation chose.
        candidates: Everything that was tried.
        feature_count: Words and pairs of words that stand in two training reviews or more.
        seconds: Wall time of all of it but the evaluation on test.
        fit_seconds: Wall time of the final training, features included.
        test_accuracy: As of a run; so are the other metrics.
        test_reviews: How many reviews were evaluated.
        predict_1000_seconds: Wall time to read 1,000 test reviews, features included.
        worker: The process that trained it.
        started_at: ISO 8601 in UTC.
        ended_at: When it completed or failed.
        failure: Set exactly when status is "failed".
    """

    status: Status = "running"
    weighting: Weighting | Literal[""] = ""
    inverse_regularisation: float | None = None
    candidates: tuple[ControlCandidate, ...] = ()
    feature_count: int | None = None
    seconds: float = 0.0
    fit_seconds: float | None = None
    test_accuracy: float | None = None
    test_loss: float | None = None
    test_roc_auc: float | None = None
    test_f1: float | None = None
    test_brier_score: float | None = None
    test_calibration_error: float | None = None
    test_reviews: int | None = None
    predict_1000_seconds: float | None = None
    worker: str = ""
    started_at: str = ""
    ended_at: str = ""
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicates:
    """Test reviews that stand nearly word for word among the training reviews.

    Attributes:
        shingle_words: Words in a row that are compared as one.
        threshold: Share of the shorter review's shingles that the other must hold, from which on
            the two are near-duplicates.
        test_reviews: Test reviews there are.
        positions: Positions of the near-duplicates in the test half, ascending.
        exact: How many of them stand there word for word.
        other_label: How many of them have the other label in training.
        seconds: Wall time of the count.
    """

    shingle_words: int
    threshold: float
    test_reviews: int
    positions: tuple[int, ...]
    exact: int
    other_label: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownWords:
    """How many tokens of each test review a vocabulary does not hold.

    Attributes:
        vocabulary_size: Token ids kept, the reserved ones included.
        tokens: One count per test review. Words that no training review holds are no tokens.
    """

    vocabulary_size: int
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Some words of one test review: its position in the test half, and the text, not escaped."""

    position: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFacts:
    """What a report tells of single test reviews, written down when the test half was open.

    Attributes:
        lengths: Tokens of each test review, the start token included.
        unknown: For the vocabulary of each arm, ascending by size.
        excerpts: Of the reviews on which winner and baseline differ most, by position.
        text_from: Where the excerpts' words are from: the source's own text, or the words of the
            token ids; there are no excerpts where they are left out by the study file, or where
            neither is known, which is "".
        runs: The runs of winner and baseline whose probabilities chose the excerpts.
    """

    lengths: tuple[int, ...]
    unknown: tuple[UnknownWords, ...]
    excerpts: tuple[Excerpt, ...] = ()
    text_from: TextFrom = ""
    runs: tuple[str, ...] = ()

    def without_excerpts(self) -> "ReviewFacts":
        """The same without a word of any review."""
        return replace(self, excerpts=(), text_from="left out")


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSummary:
    """One split of the corpus in numbers: reviews, how many are positive, token counts.

    Attributes:
        name: "train" (validation left out), "validation" or "test".
        reviews: Reviews in it.
        positive: Reviews labelled positive.
        tokens: Tokens in it, start tokens included.
        length_quantiles: Tokens per review at 0, 5, 25, 50, 75, 95 and 100 per cent.
        duplicates: Reviews whose text stands earlier in the same split.
    """

    name: str
    reviews: int
    positive: int
    tokens: int
    length_quantiles: tuple[int, ...]
    duplicates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusSummary:
    """The reviews of a study in numbers.

    Attributes:
        source: "imdb", "aclimdb", "reviews" or "csv".
        path: The file or folder read, as it was given; "" for packaged reviews.
        digest: SHA-256 of token ids, offsets, labels and splits: what training sees.
        source_sha256: SHA-256 of the file read; "" for a folder.
        labels: Names of the negative and the positive label.
        vocabulary_size: Distinct words of the training reviews, plus the reserved ids.
        coverage: (vocabulary size, share of validation tokens it holds) in ascending order.
        length_counts: (upper end of a bin of review lengths in tokens, training reviews in it).
        splits: train, validation, test.
        duplicates_across: Test reviews whose exact text is also in train or validation.
        near_equal: Reviews that have all words of an earlier one, but not its exact text.
        left_out: Rows that were left out: why, and how many.
        groups: How many groups of `data.group_column` keep to one split; 0 without groups.
        tokens: How texts were split: "keras", "words" or "characters".
    """

    source: str
    path: str
    digest: str
    source_sha256: str
    labels: tuple[str, str]
    vocabulary_size: int
    coverage: tuple[tuple[int, float], ...]
    length_counts: tuple[tuple[int, int], ...]
    splits: tuple[SplitSummary, ...]
    duplicates_across: int
    near_equal: int = 0
    left_out: tuple[tuple[str, int], ...] = ()
    groups: int = 0
    tokens: str = "keras"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What ran the study: Python, operating system, processors, memory, backend and devices."""

    python: str
    platform: str
    processor: str
    cpu_count: int
    memory_bytes: int
    backend: str = ""
    devices: tuple[str, ...] = ()
    packages: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """One opening of the test half: when, by what command, for which run."""

    opened_at: str
    command: str
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One command's work on the study, for time worked and for the manifest.

    Attributes:
        command: The command line, without the program's path.
        stage: "search" or "compare".
        started_at: ISO 8601 in UTC.
        seconds: Time worked, up to the last sign of life.
        workers: Worker processes.
        threads: Threads per worker.
        machine: What ran it.
        git_commit: Of the checkout the command ran in; "" outside one.
        settings: The one-off `--set` changes in force.
    """

    command: str
    stage: str
    started_at: str
    seconds: float
    workers: int
    threads: int
    machine: Machine
    git_commit: str = ""
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRecords:
    """All that a study left, read at one moment: what analysis and report work from.

    Attributes:
        name: The study's name.
        title: Its title, or its name.
        spec_text: The study file, verbatim.
        spec: Every setting in force, as `StudySpec.model_dump(mode="json")` gives it.
        deviations: How baseline and protocol differ from the documented ones, in words.
        settings: The one-off `--set` changes in force.
        corpus: The reviews in numbers; None before they were first read.
        planned_trials: Trials the schedule plans.
        planned_epochs: Epochs the schedule plans.
        trials: By trial id.
        runs: By arm, then seed index.
        sessions: In order of time.
        openings: In order of time.
        predictions: run id → test probabilities, float32 [test reviews].
        test_labels: int8 [test reviews], 0 or 1; None before the first evaluation.
        control: The classical control; None before it began.
        near_duplicates: Of the test reviews; None before they were counted.
        review_facts: Of single test reviews; None before the comparison was through, and in studies
            that were compared before there was such a record.
    """

    name: str
    title: str
    spec_text: str
    spec: Mapping[str, Any]
    deviations: tuple[str, ...]
    settings: tuple[str, ...]
    corpus: CorpusSummary | None
    planned_trials: int
    planned_epochs: int
    trials: tuple[Trial, ...]
    runs: tuple[Run, ...]
    sessions: tuple[Session, ...]
    openings: tuple[Opening, ...]
    predictions: Mapping[str, Any]
    test_labels: Any | None
    control: Control | None = None
    near_duplicates: NearDuplicates | None = None
    review_facts: ReviewFacts | None = None


Record = Trial | Run | Control | NearDuplicates | ReviewFacts | CorpusSummary | Session | Opening
_KINDS: dict[str, type[Any]] = {
    "trial": Trial,
    "run": Run,
    "control": Control,
    "near_duplicates": NearDuplicates,
    "review_facts": ReviewFacts,
    "corpus": CorpusSummary,
    "session": Session,
    "opening": Opening,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}

RecordT = TypeVar(
    "RecordT", Trial, Run, Control, NearDuplicates, ReviewFacts, CorpusSummary, Session, Opening
)


def to_json(record: Record) -> str:
    """Writes a record as one line of JSON; equal records give equal bytes.

    Raises:
        ValueError: A number in it is NaN or infinite: a failed training has no score.
    """
    header = {"kind": _NAMES[type(record)], "schema_version": SCHEMA_VERSION}
    return json.dumps(header | _plain(record), allow_nan=False, ensure_ascii=False)


def from_json(text: str, kind: type[RecordT], *, where: str) -> RecordT:
    """Reads what `to_json` wrote.

    Args:
        text: One JSON object.
        kind: The record's class.
        where: What an error calls it: its path.

    Raises:
        RecordError: The text is torn, of another kind, or of a version this package can't read.
    """
    try:
        values = json.loads(text)
    except ValueError as error:
        raise RecordError(f"{where}: is not a whole record ({error}).") from error
    if not isinstance(values, dict) or values.pop("kind", None) != _NAMES[kind]:
        raise RecordError(f"{where}: is not a {_NAMES[kind]} record.")
    version = values.pop("schema_version", None)
    if version not in READABLE_VERSIONS:
        raise RecordError(
            f"{where}: schema_version must be 1 to {SCHEMA_VERSION}. Received: {version!r}. "
            "Read it with the version of lstm-study that wrote it, or start over with --fresh."
        )
    try:
        return _build(kind, values)
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(f"{where}: is not a whole {_NAMES[kind]} record ({error}).") from error


def finite(value: float) -> float | None:
    """Returns the value, or None where it is NaN or infinite, which JSON and CSV can't say."""
    return value if math.isfinite(value) else None


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _tuple(value: Any) -> Any:
    return tuple(_tuple(item) for item in value) if isinstance(value, list) else value


def _build(kind: type[RecordT], values: dict[str, Any]) -> RecordT:
    parts: dict[str, Any] = {name: _tuple(value) for name, value in values.items()}
    if "configuration" in values:
        parts["configuration"] = Configuration.from_dict(values["configuration"])
    if "epochs" in values:
        parts["epochs"] = tuple(Epoch(**epoch) for epoch in values["epochs"])
    if "candidates" in values:
        parts["candidates"] = tuple(ControlCandidate(**each) for each in values["candidates"])
    if "unknown" in values:
        parts["unknown"] = tuple(
            UnknownWords(vocabulary_size=each["vocabulary_size"], tokens=_tuple(each["tokens"]))
            for each in values["unknown"]
        )
    if "excerpts" in values:
        parts["excerpts"] = tuple(Excerpt(**each) for each in values["excerpts"])
    if values.get("failure") is not None:
        parts["failure"] = Failure(**values["failure"])
    if "splits" in values:
        parts["splits"] = tuple(
            SplitSummary(**{name: _tuple(item) for name, item in split.items()})
            for split in values["splits"]
        )
    if "machine" in values:
        parts["machine"] = Machine(**{k: _tuple(v) for k, v in values["machine"].items()})
    return kind(**parts)
