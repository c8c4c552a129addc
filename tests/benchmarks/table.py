"""The result of the benchmarks: a CSV with every number, and a Markdown table to read.

Both are replaced whole at each new number, so that a stopped run keeps what it measured. A row that
was not measured again keeps its line, with the day and commit it was measured at.
"""

import csv
import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lstm_study.records import Machine
from tests.benchmarks.measure import Row, median

COLUMNS = (
    "row", "case", "quantity", "unit",
    "ours", "ours_least", "ours_most",
    "other", "other_least", "other_most", "against",
    "ratio", "ratio_least", "ratio_most",
    "share", "share_least", "share_most",
    "rounds", "bound", "note", "measured_on", "commit",
)  # fmt: skip
Line = dict[str, str]
_HOW_TO_READ = (
    "Medians of alternating runs, each in a process of its own, least to most in brackets. A ratio "
    "says how many times better ours is than what it is compared with, round by round; a bound, "
    "where there is one, is the project's own aim. Limit is the arithmetic limit's share of the "
    "step: the time that its matrix products alone take on this machine, each of the step's own "
    "shapes by the fastest of NumPy, the backend and our own, on one thread, counted and timed by "
    "`tests/benchmarks/arithmetic.py`. Ours has op determinism on, as workers have; Keras's side "
    "has Keras's defaults."
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a run's numbers come from.

    Attributes:
        machine: What it ran on.
        gpu: The GPU's name; None without one.
        measured_on: The day.
        commit: Of the checkout; "" outside one.
        quick: Whether sizes were those of a smoke test.
    """

    machine: Machine
    gpu: str | None
    measured_on: str
    commit: str
    quick: bool

    @property
    def slug(self) -> str:
        """Names the files: the GPU, or the processor and its cores; never the host."""
        name = self.gpu or f"{self.machine.processor} {self.machine.cpu_count} cores"
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        return f"{slug}-quick" if self.quick else slug


def gpu_name() -> str | None:
    """Returns the name of the first GPU that the driver lists and this process may see."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return None
    try:
        listing = subprocess.run(
            ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"],
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    names = listing.stdout.strip().splitlines() if listing.returncode == 0 else []
    return names[0].strip() if names else None


def line_of(row: Row, source: Source) -> Line:
    """Returns a row of the CSV."""

    def three(name: str, samples: Sequence[float]) -> Line:
        numbers = (median(samples), min(samples), max(samples)) if samples else ("", "", "")
        return {
            column: f"{number:.6g}" if number != "" else ""
            for column, number in zip((name, f"{name}_least", f"{name}_most"), numbers, strict=True)
        }

    return {
        "row": row.row, "case": row.case, "quantity": row.quantity, "unit": row.unit,
        **three("ours", row.ours), **three("other", row.other), "against": row.against,
        **three("ratio", row.ratios), **three("share", row.share),
        "rounds": str(len(row.ours)), "bound": row.bound, "note": row.note,
        "measured_on": source.measured_on, "commit": source.commit,
    }  # fmt: skip


def read(path: Path) -> list[Line]:
    """Reads an earlier CSV; empty where there is none."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def merged(before: Iterable[Line], row: str, lines: Iterable[Line], order: list[str]) -> list[Line]:
    """Puts the lines of one row in the place of its earlier ones.

    Args:
        before: The lines so far.
        row: The row's name.
        lines: Its new lines.
        order: All rows, in the order of the table.
    """
    kept = [line for line in before if line["row"] != row and line["row"] in order]
    return sorted([*kept, *lines], key=lambda line: order.index(line["row"]))


def write(lines: Sequence[Line], source: Source, *, folder: Path, titles: dict[str, str]) -> None:
    """Writes `<machine>.csv` and `<machine>.md`, each replaced whole."""
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / f"{source.slug}.csv"
    draft = table.with_suffix(".part")
    with draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    draft.replace(table)
    draft.write_text(_markdown(lines, source, titles), encoding="utf-8")
    draft.replace(table.with_suffix(".md"))


def _markdown(lines: Sequence[Line], source: Source, titles: dict[str, str]) -> str:
    machine = source.machine
    days = sorted({line["measured_on"] for line in lines})
    commits = sorted({line["commit"] for line in lines} - {""})
    packages = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
    text = [f"# Benchmarks: {source.gpu or f'{machine.processor}, {machine.cpu_count} cores'}", ""]
    if source.quick:
        text += ["A smoke test (`--quick`): the numbers mean nothing.", ""]
    opening = (
        f"Processor: {machine.processor}, {machine.cpu_count} usable; memory "
        f"{machine.memory_bytes / 1024**3:.0f} GiB; GPU: {source.gpu or 'none'}. "
        f"{machine.platform}, Python {machine.python}. {packages}. Measured {_range(days)}, at "
        f"{', '.join(commits) or 'no commit'}, by `python -m tests.benchmarks`."
    )
    text += [opening, "", _HOW_TO_READ]
    for row in dict.fromkeys(line["row"] for line in lines):
        of_row = [line for line in lines if line["row"] == row]
        text += ["", f"## {row}: {titles[row]}", ""]
        text += [_said(line) for line in of_row if not line["ours"]]
        measured = [line for line in of_row if line["ours"]]
        if measured:
            text += ["", *_table(measured)] if len(measured) < len(of_row) else _table(measured)
    return "\n".join(text) + "\n"


def _table(lines: Sequence[Line]) -> list[str]:
    rows = [
        "| case | quantity | ours | compared with | ratio | limit | bound |",
        "| --- | --- | --: | --- | --: | --: | --- |",
    ]
    for line in lines:
        beside = f"{_three(line, 'other')}: {line['against']}" if line["other"] else ""
        note = f"; {line['note']}" if line["note"] else ""
        unit = f", {line['unit']}" if line["unit"] else ""
        cells = (
            line["case"], f"{line['quantity']}{unit}{note}", _three(line, "ours"), beside,
            _three(line, "ratio"), _share(line), line["bound"],
        )  # fmt: skip
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _said(line: Line) -> str:
    return f"- {line['case']}: {line['note']}."


def _three(line: Line, name: str) -> str:
    if not line[name]:
        return ""
    middle, least, most = (_number(line[key]) for key in (name, f"{name}_least", f"{name}_most"))
    return middle if least == most else f"{middle} ({least} to {most})"


def _share(line: Line) -> str:
    return f"{float(line['share']):.0%}" if line["share"] else ""


def _number(text: str) -> str:
    number = float(text)
    if abs(number) >= 100:
        return f"{number:,.0f}"
    return (
        f"{number:.1f}"
        if abs(number) >= 10
        else f"{number:.2g}"
        if abs(number) < 1
        else f"{number:.2f}"
    )


def _range(days: Sequence[str]) -> str:
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
