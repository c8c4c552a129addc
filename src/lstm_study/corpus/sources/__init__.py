"""One module for each source of reviews; `spec/sources.py` has its row."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from lstm_study.corpus.documents import Documents
from lstm_study.corpus.sources.located import Located
from lstm_study.corpus.types import Split
from lstm_study.spec import DataTable
from lstm_study.spec.sources import SOURCES


class SourceModule(Protocol):
    """The three functions that every module of a source has."""

    def locate(self, data: DataTable, *, base: Path, cache: Path) -> Located:
        """Finds the files and checks their digests.

        Raises:
            DataError: There is no such file, or it is not the one it should be.
            DependencyError: The source needs a package that is not installed.
        """

    def read_documents(self, located: Located, *, data: DataTable) -> Documents:
        """Reads every review, in the source's order.

        Raises:
            DataError: The files cannot be read, or hold something else.
        """

    def read_texts(
        self, split: Split, positions: Sequence[int], *, data: DataTable, base: Path
    ) -> dict[int, str]:
        """Reads the texts of some reviews of a split again: position → text, {} if it has none.

        Raises:
            DataError: The files are gone, or are not what they were.
        """


def module_of(source: str) -> SourceModule:
    """Returns the module of a source that `spec.sources` has a row for."""
    return cast(SourceModule, import_module(f"{__name__}.{SOURCES[source].module}"))
