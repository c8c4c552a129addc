"""Arrow files and streams, as Feather and as Hugging Face's `save_to_disk` writes them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from lstm_study.corpus.files.columns_of_arrow import (
    BATCH_ROWS,
    check_wanted,
    text_schema,
    values_by_row,
)
from lstm_study.corpus.files.input_files import InputFile
from lstm_study.corpus.files.rows import OpenFile
from lstm_study.errors import DataError

_FILE = b"ARROW1"


@contextmanager
def open_arrow(member: InputFile, columns: Sequence[str] | None) -> Iterator[OpenFile]:
    """Opens an Arrow file or stream to be read a row at a time.

    Raises:
        DataError: It is damaged, in an archive, or lacks a column.
    """
    import pyarrow

    if member.inside or member.compression:
        raise DataError(
            f"{member}: Arrow is not read from an archive or compressed. Unpack it first."
        )
    try:
        with pyarrow.memory_map(str(member.path)) as source:
            is_file = source.read(len(_FILE)) == _FILE
            source.seek(0)
            opener = pyarrow.ipc.open_file if is_file else pyarrow.ipc.open_stream
            with opener(source) as reader:
                names = list(reader.schema.names)
                wanted = names if columns is None else list(columns)
                check_wanted(member, wanted, names)
                done = [0]
                batches = _batches_of_file(reader) if is_file else reader
                yield OpenFile(
                    names=tuple(names),
                    each=values_by_row(_small(batches), wanted, done),
                    position=lambda: done[0],
                    schema=text_schema(reader.schema),
                )
    except (pyarrow.ArrowException, OSError) as error:
        text = " ".join(str(error).split())
        raise DataError(f"{member}: is damaged, or not an Arrow file ({text}).") from error


def _batches_of_file(reader: Any) -> Iterator[Any]:
    return (reader.get_batch(number) for number in range(reader.num_record_batches))


def _small(batches: Iterable[Any]) -> Iterator[Any]:
    """Yields batches in pieces: a file may be one batch."""
    for batch in batches:
        for first in range(0, batch.num_rows, BATCH_ROWS):
            yield batch.slice(first, BATCH_ROWS)
