"""Reads a report's HTML back, and traces every number in it to a table."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

from lstm_study.report import numbers

_VOID = {"meta", "link", "br", "hr", "img", "input"}
_NO_NUMBERS_OF_THE_STUDY = {"script", "style", "svg", "time", "thead", "title"}


@dataclass
class Node:
    """One element: its tag, attributes and children, texts among them."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Node | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text below."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    def find(self, tag: str) -> list["Node"]:
        """Every element of a tag below, in order."""
        return [node for node in self.walk() if node.tag == tag]

    def walk(self) -> Iterator["Node"]:
        """This element and all below, in order."""
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.walk()


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Node("document")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in _VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parse(html: str) -> Node:
    """Parses HTML whose elements are all closed, as the report's are."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    assert builder.open == [builder.root], f"not closed: {[node.tag for node in builder.open]}"
    return builder.root


def untraced(html: str, tables: Mapping[str, str]) -> list[str]:
    """Lists what in a page is a number without a table, or differs from the table it names.

    Args:
        html: The page.
        tables: Path within the report's folder → CSV text.
    """
    read = {path: list(csv.DictReader(io.StringIO(text))) for path, text in tables.items()}
    return list(_check(parse(html).find("body")[0], read))


def _check(node: Node, tables: Mapping[str, list[dict[str, str]]]) -> Iterator[str]:
    if node.tag in _NO_NUMBERS_OF_THE_STUDY or "data-verbatim" in node.attributes:
        return
    if "data-source" in node.attributes and node.tag == "table":
        yield from _check_table(node, tables)
        return
    if "data-source" in node.attributes:
        path, _, place = node.attributes["data-source"].partition("#")
        row, _, column = place.partition(",")
        yield from _differs(
            tables[path][int(row)][column], node.attributes["data-form"], node.text, place
        )
        return
    for child in node.children:
        if isinstance(child, Node):
            yield from _check(child, tables)
        elif any(letter.isdigit() for letter in child):
            yield f"no table for: {child.strip()!r}"


def _check_table(node: Node, tables: Mapping[str, list[dict[str, str]]]) -> Iterator[str]:
    rows = tables[node.attributes["data-source"]]
    heads = [head.attributes for head in node.find("thead")[0].find("th")]
    for line in node.find("tbody")[0].find("tr"):
        cells = [child for child in line.children if isinstance(child, Node)]
        assert len(cells) == len(heads)
        for head, cell in zip(heads, cells, strict=True):
            number = int(line.attributes["data-row"])
            place = f"{node.attributes['data-source']}#{number},{head['data-column']}"
            raw = rows[number][head["data-column"]]
            form = cell.attributes.get("data-form", head["data-form"])
            yield from _differs(raw, form, cell.text, place)
            if "data-v" in cell.attributes and cell.attributes["data-v"] != raw:
                yield f"{place}: sorts by {cell.attributes['data-v']}, the table has {raw}"


def _differs(raw: str, form: str, shown: str, place: str) -> Iterator[str]:
    value: str | float = raw
    if form not in ("text", "date") and raw and not (form == "plain" and raw[0].isalpha()):
        value = float(raw)
    elif raw.startswith("'"):
        value = raw[1:]
    if numbers.show(value, form) != shown:
        yield f"{place}: the page says {shown!r}, the table {raw!r}"


def short_floats(text: str) -> str:
    """Shortens long floats to eight digits: the rest depends on the processor."""
    return re.sub(r"-?\d+\.\d{9,}(?:e-?\d+)?", lambda found: f"{float(found[0]):.8g}", text)
