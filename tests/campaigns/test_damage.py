"""No damage to a file of a study changes its answer in silence."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from lstm_study.commands import open_study, read_answer
from lstm_study.errors import RecordError
from lstm_study.records import Opening
from lstm_study.store import Store
from tests.campaigns.damage import HELD, answer, attempt
from tests.support.stored_study import stored

TRIES = 500


@pytest.mark.parametrize("name", ["compared", "interrupted"])
def test_a_damaged_file_is_named_or_changes_nothing(name: str, tmp_path: Path) -> None:
    folder = stored(name, tmp_path)
    before = answer(folder)
    draw = random.Random(f"damage to {name}")
    tries = [attempt(folder, tmp_path, before, draw) for _ in range(TRIES)]
    assert [each for each in tries if each.outcome not in HELD] == []
    counts = Counter(each.outcome for each in tries)
    # Where nothing changed, the damaged bytes were no part of the answer (the report's time).
    assert counts["refused"] > 0.7 * TRIES
    assert len({each.file.partition("/")[0] for each in tries}) > 10


def _score(folder: Path) -> Path:
    path = folder / "trials" / "b0-00-r0.json"
    text = path.read_text()
    place = text.index('"score": 0.') + len('"score": 0.')
    path.write_text(f"{text[:place]}{int(text[place]) ^ 1}{text[place + 1 :]}")
    return path


def _label(folder: Path) -> Path:
    path = folder / "predictions" / "labels.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    return path


def _zeroed(folder: Path) -> Path:
    path = folder / "predictions" / "winner-s2.npy"
    data = path.read_bytes()
    path.write_bytes(data[:128] + bytes(len(data) - 128))
    return path


def _worst(folder: Path) -> Path:
    runs = [run for run in Store(folder).read_runs() if run.arm == "winner"]
    worst = min(runs, key=lambda run: run.test_accuracy or 0.0)
    path = folder / "predictions" / f"{worst.run_id}.npy"
    path.unlink()
    return path


def _torn(folder: Path) -> Path:
    path = folder / "predictions" / "baseline-s1.npy"
    path.write_bytes(path.read_bytes()[:1_000])
    return path


def _openings(folder: Path) -> Path:
    path = folder / "openings.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))
    return path


def _plan(folder: Path) -> Path:
    (folder / "plan.json").write_text("")
    return folder / "plan.json"


@pytest.mark.parametrize("damage", [_score, _label, _zeroed, _worst, _torn, _openings, _plan])
def test_what_once_changed_the_answer_in_silence_is_one_sentence(
    damage: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = stored("compared", tmp_path)
    study = open_study("fake.toml")
    read_answer(study, is_noted=False)
    path = damage(folder)
    with pytest.raises(RecordError) as caught:
        read_answer(study, is_noted=False)
    said = str(caught.value)
    assert path.name in said
    assert "`lstm-study check STUDY.toml --repair` moves it aside" in said
    assert "--fresh" not in said
    assert "\n" not in said


def test_the_order_of_openings_is_part_of_their_digests(tmp_path: Path) -> None:
    path = stored("compared", tmp_path) / "openings.jsonl"
    first, second, *rest = path.read_text().splitlines(keepends=True)
    path.write_text("".join([second, first, *rest]))
    with pytest.raises(RecordError, match=r"openings\.jsonl:1: .*digest does not match"):
        Store(path.parent).read_openings()


def test_an_opening_that_was_torn_by_a_kill_is_passed_over_and_the_next_is_whole(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)
    openings = [Opening(opened_at="t", command="c", run_id=f"winner-s{n}") for n in range(3)]
    store.add_opening(openings[0])
    with store.path(Opening).open("ab") as file:
        file.write(b'{"kind": "opening", "sch')
    for opening in openings[1:]:
        store.add_opening(opening)
    assert Store(tmp_path).read_openings() == openings
