"""Test is opened through one door, and every opening is written down first."""

import ast
import functools
from pathlib import Path

import pytest

from lstm_study.corpus.load import load
from lstm_study.engine.messages import OpenRequest, Reply
from lstm_study.engine.opening import log_opening, read_test, request_test
from lstm_study.errors import StoreError
from lstm_study.spec import DataTable
from lstm_study.store import Store
from tests.support.reviews import made_up_reviews, write_csv

SOURCE = Path(__file__).resolve().parents[3] / "src" / "lstm_study"
# Who may name what: the half is read in `corpus`, and opened by one module outside of it.
DOORS = {
    "open_test": {"engine/opening.py"},
    "unopened_test": {"corpus/types.py"},
    "_read_split": {"corpus/cache.py"},
}


@functools.cache
def parsed() -> dict[Path, list[ast.AST]]:
    """Every module that has one of the names in its text, as the nodes of its syntax tree."""
    texts = {path: path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")}
    return {
        path: list(ast.walk(ast.parse(text)))
        for path, text in texts.items()
        if any(name in text for name in DOORS)
    }


def users_of(name: str) -> set[str]:
    """The modules that call or read something of this name on an object, or a function so named."""
    found = set()
    for path, nodes in parsed().items():
        for node in nodes:
            of_object = isinstance(node, ast.Attribute) and node.attr == name
            private = isinstance(node, ast.Name) and node.id == name and name.startswith("_")
            if of_object or private:
                found.add(path.relative_to(SOURCE).as_posix())
    return found


@pytest.mark.parametrize("name", sorted(DOORS))
def test_no_other_module_can_reach_the_test_reviews(name):
    assert users_of(name) == DOORS[name]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reviews")
    write_csv(folder / "reviews.csv", [(text, str(label)) for text, label in made_up_reviews(100)])
    data = DataTable(source="csv", path=str(folder / "reviews.csv"))
    return load(data, seed=3, cache=folder / "cache")


class Granting:
    """A link whose other end logs an opening, then grants it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def send(self, message) -> None:
        assert isinstance(message, OpenRequest)
        log_opening(self._store, run_id=message.run_id, command="lstm-study compare tiny.toml")

    def receive(self) -> Reply:
        return Reply()


def test_an_opening_is_logged_with_what_it_was_for_and_by_what_command(corpus, tmp_path):
    store = Store(tmp_path / "study")
    reviews = request_test(Granting(store), corpus, run_id="winner-s2")
    assert len(reviews) == 20
    (opening,) = store.read_openings()
    assert (opening.run_id, opening.command) == ("winner-s2", "lstm-study compare tiny.toml")
    assert opening.opened_at


def test_what_can_not_be_logged_is_not_read(corpus, tmp_path):
    class Full(Store):
        def add_opening(self, opening):
            raise StoreError("the disk is full")

    full = Full(tmp_path / "study")
    with pytest.raises(StoreError):
        request_test(Granting(full), corpus, run_id="control")
    with pytest.raises(StoreError):
        read_test(corpus, lambda: log_opening(full, run_id="control", command=""))
    assert Store(tmp_path / "study").read_openings() == []
