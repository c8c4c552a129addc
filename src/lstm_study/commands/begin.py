"""How a command begins a study, or resumes it: its reviews, its machine, its disk."""

import shutil
from pathlib import Path
from tempfile import TemporaryFile

from lstm_study.commands.open_study import OpenStudy, Show
from lstm_study.commands.winner import check_not_grown
from lstm_study.corpus.load import load
from lstm_study.corpus.types import Corpus
from lstm_study.engine.backend import in_force
from lstm_study.engine.devices import usable_gpus, visible_gpus
from lstm_study.errors import DependencyError, ReportError, SpecError
from lstm_study.spec.sources import SOURCES


def begin(study: OpenStudy, *, show: Show, searches: bool = True) -> Corpus:
    """Reads the reviews, and begins the study or checks that it is the one that began.

    Args:
        study: The study, held by this process.
        show: Where to show what is read, and what changed.
        searches: Whether the command searches, so that a larger limit of the search takes effect.

    Raises:
        RecordError: A file of the study is gone: made again, it would hide what was lost.
        ChangedStudyError: Spec or reviews differ from what the study began with.
        ComparisonError: A limit of the search grew, and the command does not search.
    """
    study.store.check_complete()
    if not searches:
        check_not_grown(study)
    corpus = read_corpus(study, show=show)
    if study.store.exists and not study.store.ledger.exists:
        show.stage("Records", "written by an earlier version: adding digests to their files")
    changed = study.store.begin(
        study.spec,
        spec_text=study.spec_text,
        settings=study.settings,
        data_digest=corpus.summary.digest,
    )
    for change in changed:
        show.stage("Settings", f"{change}; finished work stays valid")
    study.store.write(corpus.summary)
    show_machine(study, show)
    return corpus


def show_machine(study: OpenStudy, show: Show) -> None:
    """Says what the study trains with, where that is not the usual or not what it began on."""
    from lstm_study.training.runtime import is_numba_cache_filled

    backend, gpus = in_force(), visible_gpus()
    if backend.name != "jax" and (study.population or 1) > 1:
        raise DependencyError(
            f"--population {study.population}: only JAX trains several networks at once, and "
            f"this study trains with {backend.name} ({backend.reason}). Set KERAS_BACKEND=jax "
            "for a new study, or leave the option out."
        )
    if backend.is_another or backend.name != "tensorflow" or gpus:
        # Of a cluster's nodes this machine knows nothing.
        is_idle = gpus and not study.cluster and not usable_gpus(backend.name)
        where = " on the CPU, since it has no CUDA" if is_idle else ""
        show.stage("Machine", f"trains with {backend.name}{where}: {backend.reason}")
    elif not is_numba_cache_filled():
        show.stage("Machine", "the first training on this machine compiles code for some seconds")


def read_corpus(study: OpenStudy, *, show: Show) -> Corpus:
    """Reads the reviews, from the cache if they were read before.

    Raises:
        SpecError: Their path is neither given, nor known from the study's begin.
        DataError: They can't be read.
    """
    data = study.spec.data
    source = SOURCES[data.source]
    if source.needs_path and not data.paths:
        raise SpecError(
            f'{study.where}: data.path is needed when data.source is "{data.source}" '
            f"({source.about}). Give it with --data, or in the file."
        )
    show.stage("Data", f"reading the reviews ({data.source})")
    corpus = load(data, seed=study.spec.study.seed)
    counts = {split.name: split.reviews for split in corpus.summary.splits}
    show.stage(
        "Data",
        ", ".join(f"{count:,} {name}" for name, count in counts.items()) + " reviews",
    )
    return corpus


def check_writable(folder: Path) -> None:
    """Makes sure, before hours of training, that the report can be written in the end.

    Raises:
        ReportError: It can't.
    """
    existing = existing_part(folder)
    try:
        with TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise ReportError(
            f"{folder}: cannot be written to ({existing}: {error.strerror}). "
            "Choose another folder with --out DIR."
        ) from error


def free_bytes(folder: Path) -> int:
    """Returns the free disk space where a folder is, or will be."""
    return shutil.disk_usage(existing_part(folder)).free


def existing_part(folder: Path) -> Path:
    """Returns a folder, or the nearest folder above it that exists."""
    while not folder.exists():
        folder = folder.parent
    return folder
