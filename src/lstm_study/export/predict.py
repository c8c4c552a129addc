"""Predicts texts from users' files with a bundle, as a stream."""

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.corpus.files.advice import PREDICT_FLAGS, as_flags
from lstm_study.corpus.files.rows import MISSING, Row, not_text
from lstm_study.corpus.files.table import FileTable, open_table
from lstm_study.corpus.sources.survey import text_column_of
from lstm_study.errors import DataError, ExportError
from lstm_study.export.classifier import Classifier
from lstm_study.export.combined import CombinedModel
from lstm_study.files import replacing

OnProgress = Callable[[str, int, int], None]

ROWS_AT_ONCE = 1_024
_KINDS = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """The result of predicting files.

    Attributes:
        rows: Texts that were read.
        column: The column that held them.
        unknown: Texts without a word that the model knows; they all get one probability.
        notes: How the files were read, where that is not plain.
    """

    rows: int
    column: str
    unknown: int
    notes: tuple[str, ...]


def predict_files(
    model: Classifier | CombinedModel,
    sources: Sequence[Path],
    target: Path,
    *,
    text_column: str | None = None,
    encoding: str | None = None,
    columns: Sequence[str] = (),
    progress: OnProgress | None = None,
) -> Predicted:
    """Copies a table with two more columns: `probability` and `label`.

    Everything that `lstm-study init` reads is read. The columns keep their values, whatever they
    hold; a CSV file keeps its delimiter (comma, semicolon, tab or bar), line ends and encoding. A
    column of the table's own that has one of the two names keeps it, and the new one is called
    `predicted_probability` or `predicted_label`. About a thousand rows are held at a time. A
    failure leaves an earlier target as it was. Where it is a link, what it leads to is replaced.

    Args:
        model: One that was exported, or several combined.
        sources: Files, folders, archives or patterns.
        target: Where the copy goes; its suffix says what it is: CSV, TSV, JSONL or Parquet.
        text_column: The column that holds the texts; by default the study's own, if the table has
            it, else the one that looks like texts.
        encoding: The files'; detected by default.
        columns: The names of all columns, of CSV files that do not begin with them.
        progress: Called with "predicting", bytes read and bytes in all.

    Raises:
        ExportError: A bundle does not know words, or the target can't be written.
        DataError: The files can't be read, or lack the column.
    """
    write = _writer(target)
    target = _file_of(target)
    with as_flags(PREDICT_FLAGS):
        table = open_table(sources, encoding=encoding, names=columns, labelled=False)
        if target.exists() and any(target.samefile(member.path) for member in table.members):
            raise ExportError(f"{target}: is also an input. Choose another output file.")
        column = _column(table, text_column or "", model.text_column, where=str(sources[0]))
        predictions = _Predictions(model, table, column, progress)
        advice = "Free space, or choose another file."
        with (
            replacing(target, durable=False, error=ExportError, next_step=advice) as temporary,
            _explaining(target),
        ):
            write(temporary, predictions)
        return Predicted(
            rows=predictions.rows,
            column=column,
            unknown=predictions.unknown,
            notes=tuple(table.remarks),
        )


def predict_some(
    model: Classifier | CombinedModel, texts: Sequence[str]
) -> tuple[NDArray[np.float32], int]:
    """Predicts some texts.

    Returns:
        Their probabilities, float32 [texts], and how many hold no word that the model knows.
    """
    probabilities, unknown = model.predict_texts(texts)
    return probabilities, int(unknown.sum())


class _Predictions:
    """The rows of a table with their predictions, in chunks."""

    def __init__(
        self,
        model: Classifier | CombinedModel,
        table: FileTable,
        column: str,
        progress: OnProgress | None,
    ) -> None:
        self.table, self.rows, self.unknown = table, 0, 0
        self._model, self._progress = model, progress
        self._position = table.names.index(column)
        self.added = [_free_name(name, table.names) for name in ("probability", "label")]

    def chunks(self) -> Iterator[list[list[Any]]]:
        """Yields rows: the table's own values, the probability and the label."""
        rows = self.table.rows()
        while chunk := list(islice(rows, ROWS_AT_ONCE)):
            texts = [self._text(row) for row in chunk]
            probabilities, unknown = predict_some(self._model, texts)
            self.rows += len(chunk)
            self.unknown += unknown
            yield [
                [*row.values, float(f"{value:.8f}"), self._model.label_of(float(value))]
                for row, value in zip(chunk, probabilities, strict=True)
            ]
            if self._progress is not None:
                self._progress("predicting", self.table.done_bytes, self.table.bytes)

    def _text(self, row: Row) -> str:
        value = row.values[self._position]
        if value is MISSING or value is None or value != value:  # noqa: PLR0124 - NaN
            return ""
        if not isinstance(value, str):
            raise DataError(not_text(value, row.place))
        return value


def _column(table: FileTable, given: str, studys: str, *, where: str) -> str:
    name = given or (studys if studys in table.names else text_column_of(table, where=where))
    # A name that is unknown, or that two columns have, is refused.
    next(table.rows((name,)), None)
    if name not in table.names:
        raise DataError(f"{where}: must have a column {name!r}. Name it with --text-column.")
    return name


def _free_name(name: str, header: Sequence[str]) -> str:
    for candidate in (name, f"predicted_{name}"):
        if candidate not in header:
            return candidate
    raise ExportError(
        f"The table has columns {name!r} and 'predicted_{name}' already, so a new one has no "
        "name. Rename one of them."
    )


def _file_of(target: Path) -> Path:
    """Returns the file that is written: the target, or what it links to."""
    found = Path(os.path.realpath(target)) if target.is_symlink() else target
    if found.exists() and not found.is_file():
        kind = "a folder" if found.is_dir() else "a device or a pipe"
        raise ExportError(
            f"{target}: must be a file. Received: {kind}. Choose another output file."
        )
    return found


def _writer(target: Path) -> Callable[[Path, _Predictions], None]:
    kind = target.suffix.lower()
    if kind not in _KINDS:
        raise ExportError(
            f"{target}: its name must end in {', '.join(_KINDS)}. Received: {target.suffix!r}."
        )
    if kind == ".parquet":
        return _write_parquet
    if "json" in kind:
        return _write_jsonl
    return partial(_write_csv, delimiter="" if kind == ".csv" else "\t")


def _write_csv(path: Path, found: _Predictions, *, delimiter: str) -> None:
    table = found.table
    encodings = {(each.name, each.errors) for each in table.encodings if each is not None}
    name, errors = encodings.pop() if len(encodings) == 1 else ("utf-8", "strict")
    name = "utf-8" if errors == "replace" else name
    delimiter = delimiter or table.delimiter or ","
    with path.open("w", encoding=name, newline="") as out:
        writer = csv.writer(out, delimiter=delimiter, lineterminator=table.line_end or "\n")
        writer.writerow([*table.names, *found.added])
        for chunk in found.chunks():
            for *values, probability, label in chunk:
                writer.writerow([*map(_cell, values), f"{probability:.8f}", label])


def _cell(value: Any) -> Any:
    if value is MISSING or value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _write_jsonl(path: Path, found: _Predictions) -> None:
    names = [*found.table.names, *found.added]
    # Half a character can only be written as an escape, which is JSON's, too: "\\ud83d".
    with path.open("w", encoding="utf-8", errors="backslashreplace") as out:
        for chunk in found.chunks():
            for row in chunk:
                record = {
                    name: value
                    for name, value in zip(names, row, strict=True)
                    if value is not MISSING
                }
                out.write(json.dumps(record, ensure_ascii=False, default=str) + "\n")


def _write_parquet(path: Path, found: _Predictions) -> None:
    import pyarrow
    import pyarrow.parquet

    names = [*found.table.names, *found.added]
    schema = found.table.schema
    if schema is not None:
        added = (pyarrow.float64(), pyarrow.string())
        for name, kind in zip(found.added, added, strict=True):
            schema = schema.append(pyarrow.field(name, kind))
    writer = None
    try:
        for chunk in found.chunks():
            columns = {
                name: [None if value is MISSING else value for value in column]
                for name, column in zip(names, zip(*chunk, strict=True), strict=True)
            }
            batch = pyarrow.table(columns, schema=schema)
            if writer is None:
                schema = _without_nulls(batch.schema)
                writer = pyarrow.parquet.ParquetWriter(path, schema)
            if schema is not None:
                _check_whole_numbers(columns, schema)
            writer.write_table(batch.cast(schema))
        if writer is None:
            empty = {name: pyarrow.array([], pyarrow.string()) for name in names}
            table = pyarrow.table(empty) if schema is None else schema.empty_table()
            pyarrow.parquet.write_table(table, path)
    finally:
        if writer is not None:
            writer.close()


def _check_whole_numbers(columns: Mapping[str, Sequence[Any]], schema: Any) -> None:
    """Refuses a fraction in a column of whole numbers, which pyarrow would cut off."""
    import pyarrow

    for name, values in columns.items():
        if pyarrow.types.is_integer(schema.field(name).type):
            for value in values:
                if isinstance(value, float) and not value.is_integer():
                    raise pyarrow.ArrowInvalid(f"{name}: whole numbers, then {value}")


def _without_nulls(schema: Any) -> Any:
    """A column that is empty in the first rows may hold texts later."""
    import pyarrow

    fields = [
        field.with_type(pyarrow.string()) if pyarrow.types.is_null(field.type) else field
        for field in schema
    ]
    return pyarrow.schema(fields)


@contextmanager
def _explaining(target: Path) -> Iterator[None]:
    """Says which values a kind of file cannot hold, and which kind can."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise ExportError(
            f"{target}: a value cannot be written in {error.encoding} ({error}). Write JSONL."
        ) from error
    except (ValueError, TypeError, OverflowError, NotImplementedError) as error:
        if target.suffix.lower() != ".parquet":
            raise
        raise ExportError(
            f"{target}: a column holds values of several types, or too large ones "
            f"({' '.join(str(error).split())}). Write CSV or JSONL."
        ) from error
