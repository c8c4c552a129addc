"""Parquet, read a batch of rows at a time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from lstm_study.corpus.files.columns_of_arrow import (
    BATCH_ROWS,
    check_wanted,
    text_schema,
    values_by_row,
)
from lstm_study.corpus.files.input_files import InputFile
from lstm_study.corpus.files.rows import OpenFile
from lstm_study.errors import DataError


@contextmanager
def open_parquet(member: InputFile, columns: Sequence[str] | None) -> Iterator[OpenFile]:
    """Opens a Parquet file to be read a row at a time.

    Raises:
        DataError: It is damaged, compressed as a whole, or lacks a column.
    """
    import pyarrow
    import pyarrow.parquet

    if member.inside or member.compression:
        raise DataError(f"{member}: Parquet is compressed already. Unpack it first.")
    try:
        with pyarrow.parquet.ParquetFile(member.path) as file:
            names = list(file.schema_arrow.names)
            wanted = names if columns is None else list(columns)
            check_wanted(member, wanted, names)
            done = [0]
            yield OpenFile(
                names=tuple(names),
                each=values_by_row(
                    file.iter_batches(batch_size=BATCH_ROWS, columns=wanted), wanted, done
                ),
                position=lambda: done[0],
                schema=text_schema(file.schema_arrow),
            )
    except (pyarrow.ArrowException, OSError) as error:
        text = " ".join(str(error).split())
        raise DataError(f"{member}: is damaged, or not a Parquet file ({text}).") from error
