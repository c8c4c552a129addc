"""The notebook in study/ runs from top to bottom, and shows what it promises."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "study" / "working-in-python.ipynb"


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The notebook's code cells, run in a folder of their own."""
    book = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    folder = tmp_path_factory.mktemp("notebook")
    NotebookClient(
        book, timeout=500, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return [cell for cell in book.cells if cell.cell_type == "code"]


def _data(cells: list[Any], source: str) -> dict[str, Any]:
    cell = next(cell for cell in cells if cell.source.startswith(source))
    (found,) = [each for each in cell.outputs if each.output_type == "execute_result"]
    return dict(found.data)


def test_the_answer_is_shown_with_its_figure(cells: list[Any]) -> None:
    (answer,) = [cell for cell in cells if cell.source == "study"]
    html = answer.outputs[-1].data["text/html"]
    assert "<svg" in html
    assert "baseline" in html


def test_figures_and_frames_are_shown(cells: list[Any]) -> None:
    assert "image/png" in _data(cells, 'study.figure("slices")')
    assert "<table" in _data(cells, "trials = study.trials()")["text/html"]
    assert "A quiet, lovely film." in _data(cells, "study.export()")["text/html"]


def test_progress_is_a_bar(cells: list[Any]) -> None:
    search = next(cell for cell in cells if cell.source == "study.search()")
    shown = [
        each.data["text/html"] for each in search.outputs if "text/html" in each.get("data", {})
    ]
    assert any("<progress" in html for html in shown)


def test_nothing_is_printed_as_an_error(cells: list[Any]) -> None:
    for cell in cells:
        assert not [each for each in cell.outputs if each.output_type == "error"]
        assert not [each for each in cell.outputs if "INFO" in each.get("text", "")]


def test_what_it_studies_has_learned_something(cells: list[Any]) -> None:
    (answer,) = [cell for cell in cells if cell.source == "study"]
    html = answer.outputs[-1].data["text/html"]
    assert "Too few seeds" not in html
    assert "is not shown to be better than" not in html
