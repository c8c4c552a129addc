"""Forged records: valid by their digests, with values that no study ever wrote."""

import json
import random
from pathlib import Path
from typing import Any

from lstm_study.files import seal, unseal
from lstm_study.records.kinds import KINDS, Kind
from lstm_study.records.session import LedgerEntry
from lstm_study.store.ledger import Ledger

VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2**63, 10**30, 1e308, -1e-300, 0.5, "", "x", "a\x1b[2J\x00",
    "../../etc/passwd", "<script>alert(1)</script>", "=1+1",
    [], [1, 2], {}, {"a": 1}, "2025-02-30", [[1]] * 50,
)  # fmt: skip


def forge(folder: Path, draw: random.Random) -> str:
    """Changes one value of one record, with a digest that fits; says which."""
    kinds = [kind for kind in KINDS if kind.is_kept and kind.type not in (None, LedgerEntry)]
    choices = [(kind, path) for kind in kinds for path in sorted(folder.glob(kind.path))]
    kind, path = draw.choice(choices)
    text = path.read_text()
    if kind.is_lines:
        first, *rest = text.splitlines()
        changed, said = _forged(first, kind, draw)
        path.write_text("\n".join([changed, *rest]) + "\n")
    else:
        changed, said = _forged(text.rstrip("\n"), kind, draw)
        path.write_text(changed + "\n")
        ledger = Ledger(folder)
        if ledger.files().get(file := str(path.relative_to(folder)), ""):
            ledger.note(file, unseal(changed)[1])
    return f"{path.relative_to(folder)}: {said}"


def _forged(text: str, kind: Kind, draw: random.Random) -> tuple[str, str]:
    values = json.loads(unseal(text)[0])
    place: list[str] = []
    node: Any = values
    while True:
        key = draw.choice(list(node) if isinstance(node, dict) else range(len(node)))
        place.append(str(key))
        child = node[key]
        if not isinstance(child, dict | list) or not child or draw.random() < 0.2:
            break
        node = child
    node[key] = draw.choice(VALUES)
    indent = None if kind.is_record else 1
    return seal(json.dumps(values, indent=indent)), f"{'.'.join(place)} = {node[key]!r:.60}"
