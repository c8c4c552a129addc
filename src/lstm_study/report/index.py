"""`reports/index.html`: every report of a folder, with its verdict, winner, cost and date."""

import json
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any

from lstm_study.files import read_bytes
from lstm_study.report import numbers
from lstm_study.report.page.html import environment, frame


def render_index(folder: Path) -> str:
    """Renders the index of a folder's reports, the newest first."""
    entries = sorted(_entries(folder), key=itemgetter("made_at", "name"), reverse=True)
    return environment().get_template("index.html.j2").render(
        entries=entries, sections=(), date=numbers.date, **frame()
    )  # fmt: skip


def _entries(folder: Path) -> Iterator[dict[str, str]]:
    for path in sorted(folder.glob("*/summary.json")):
        try:
            if (path.parent / "report.html").is_file():
                yield _entry(json.loads(read_bytes(path)), path.parent.name)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            # Not a summary of ours, of another version, or unreadable: its folder has no row.
            continue


def _entry(summary: dict[str, Any], folder: str) -> dict[str, str]:
    """Returns what the index shows of a report; "" for what there is not yet."""
    winner, baseline = (summary["arms"].get(arm, {}) for arm in ("winner", "baseline"))
    return {
        "name": summary["study"],
        "title": summary.get("title") or summary["study"],
        "verdict": summary["verdict"]["headline"],
        "winner": winner.get("label") or "",
        "accuracy": numbers.show(winner.get("test_accuracy_mean"), "percent"),
        "baseline": numbers.show(baseline.get("test_accuracy_mean"), "percent"),
        "cost": numbers.show(summary["cost"]["both"]["training_seconds"], "duration"),
        "made_at": summary["made_at"],
        "path": f"{folder}/report.html",
    }
