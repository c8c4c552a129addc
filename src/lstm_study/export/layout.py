"""The files of a bundle's folder, and their digests."""

from dataclasses import dataclass
from pathlib import Path

from lstm_study.errors import ExportError
from lstm_study.files import sha256_of

FORMAT = "lstm-study model bundle"
FORMAT_VERSION = 2

NETWORK = "sentiment-lstm.keras"
NETWORK_H5 = "sentiment-lstm.h5"
ENSEMBLE = "sentiment-lstm-ensemble.keras"
ONNX = "sentiment-lstm.onnx"
TEXT_MODEL = "text-model"
VOCABULARY = "vocabulary.txt"
PAIRS = "pairs.txt"
CONFIGURATION = "configuration.json"
CARD = "MODEL_CARD.md"
EXAMPLE = "example.py"
SUMS = "SHA256SUMS"

_EXPORT_AGAIN = "Write the bundle again with `lstm-study export`."


@dataclass(frozen=True, slots=True, kw_only=True)
class BundlePaths:
    """Where a bundle's files lie.

    Attributes:
        folder: The bundle.
        network: The network in Keras's own format.
        network_h5: The same network in Keras's older HDF5 format.
        configuration: Hyperparameters, labels, rules, versions, digests, as JSON.
        card: The model card.
        example: A program that reads texts with the bundle alone.
        sums: SHA-256 of every other file, as `sha256sum` writes and checks them.
        vocabulary: The words, one a line; None if the study does not know them.
        text_model: TensorFlow SavedModel that takes raw text; None if it could not be made.
        ensemble: All of the arm's networks in one, whose probability is their mean; None if it was
            not asked for.
        onnx: The network for ONNX runtimes; None if its exporter is not installed.
        pairs: The pairs of words it knows, as token ids, one pair a line; None without pairs.
    """

    folder: Path
    network: Path
    network_h5: Path
    configuration: Path
    card: Path
    example: Path
    sums: Path
    vocabulary: Path | None
    text_model: Path | None
    ensemble: Path | None = None
    onnx: Path | None = None
    pairs: Path | None = None


def paths_of(
    folder: Path,
    *,
    vocabulary: bool,
    text_model: bool,
    ensemble: bool = False,
    onnx: bool = False,
    pairs: bool = False,
) -> BundlePaths:
    """Names the files of a bundle, whether they are there or not."""
    return BundlePaths(
        folder=folder,
        network=folder / NETWORK,
        network_h5=folder / NETWORK_H5,
        configuration=folder / CONFIGURATION,
        card=folder / CARD,
        example=folder / EXAMPLE,
        sums=folder / SUMS,
        vocabulary=folder / VOCABULARY if vocabulary else None,
        text_model=folder / TEXT_MODEL if text_model else None,
        ensemble=folder / ENSEMBLE if ensemble else None,
        onnx=folder / ONNX if onnx else None,
        pairs=folder / PAIRS if pairs else None,
    )


def refuse_other_folders(folder: Path) -> None:
    """Refuses to replace a folder that is neither empty nor a bundle.

    Raises:
        ExportError: It holds something else.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / SUMS).is_file():
        raise ExportError(
            f"{folder}: must be empty or a model bundle, for it would be replaced. Received: a "
            f"folder without {SUMS}. Move what it holds, or choose another with --out."
        )


def write_sums(folder: Path) -> None:
    """Writes the SHA-256 of every file in the folder, in order of name, beside them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    lines = [f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def read_sums(folder: Path) -> dict[str, str]:
    """Reads the SHA-256 of each file by its name in the folder.

    Raises:
        ExportError: There is no such folder, it is no bundle, or the list is damaged.
    """
    if not folder.is_dir():
        raise ExportError(
            f"{folder}: no such model folder. Give the folder that `lstm-study export` wrote, "
            "such as reports/quickstart/model."
        )
    path = folder / SUMS
    sums = {}
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            digest, _, name = line.partition("  ")
            sums[name] = digest
    except FileNotFoundError:
        raise _missing(path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(f"{path}: cannot be read ({error}). {_EXPORT_AGAIN}") from error
    return sums


def check(folder: Path, name: str, sums: dict[str, str]) -> Path:
    """Returns the path of one of the bundle's files once its bytes are found to be whole.

    Raises:
        ExportError: The file is missing, or not the one that was written.
    """
    path = folder / name
    if not path.is_file():
        raise _missing(path)
    try:
        found = sha256_of(path)
    except OSError as error:
        raise ExportError(f"{path}: cannot be read ({error.strerror or error}).") from error
    if name not in sums:
        raise ExportError(f"{path}: is not listed in {SUMS}. {_EXPORT_AGAIN}")
    if found != sums[name]:
        raise ExportError(
            f"{path}: must have the SHA-256 that {SUMS} gives, {sums[name][:12]}... "
            f"Received: {found[:12]}... The file is damaged or was changed. {_EXPORT_AGAIN}"
        )
    return path


def _missing(path: Path) -> ExportError:
    return ExportError(f"{path}: is missing, so this is no whole model bundle. {_EXPORT_AGAIN}")
