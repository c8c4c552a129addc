"""Commands in any order on one study, with what people do in between.

After each command the study must be whole; no finished training may be repeated; and whatever the
order, a last `run` must leave what a single `run` with the same settings leaves.
"""

import json
import random
import shutil
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.campaigns.damage import DAMAGES, damageable, pipe
from tests.support.commands import Result
from tests.support.forked_commands import TRAINED, Ended, ForkedCommands
from tests.support.results import results_of
from tests.support.tiny import SPEC

RECORDS = Path("study/runs/tiny")
_FILE = "tiny.toml"
_MOST_STEPS = 9
_TEXT = f"{SPEC}control = false\n[export]\nexcerpts = false\n"
_ONLY_READ = (("status", _FILE, "--json"), ("list",), ("check", _FILE), ("data", _FILE, "--json"))
_SETTINGS = (
    *(f"compare.seeds={number}" for number in (1, 3, 4, 5)),
    *(f"search.max_trials={number}" for number in (2, 3, 5, 9)),
    "compare.control=true",
    "compare.ablation=true",
    "compare.runner_ups=0",
    "compare.runner_ups=2",
    "compare.validation_seeds=0",
    "compare.validation_seeds=2",
    "compare.most_seeds=8",
    "export.ensemble=true",
    "study.title=another",
    "protocol.epochs=3",
    "study.seed=4",
    "search.rerank=2",
    "search.time_limit=1h",
    "search.disk_limit=1KB",
    "search.disk_limit=1GB",
    "baseline.lstm_units=5",
)
# What a study is begun with, besides the tiny study's own.
_BEGINNINGS: tuple[tuple[str, ...], ...] = (
    (),
    (),
    ("search.rerank=2",),
    ("search.rerank=3", "search.include_baseline=true"),
    ("search.tuner=random", "search.max_trials=4"),
    ("search.tuner=bayesian", "search.max_trials=4"),
    ("search.control=random",),
    ("search.iterations=2",),
    ("protocol.masked=false",),
    ("baseline.epochs=3",),
    ("compare.seeds=4", "compare.most_seeds=8", "compare.stop=when settled"),
    ("compare.ablation=true",),
)


class BrokenError(Exception):
    """What an order of commands broke."""


@dataclass(kw_only=True)
class Order:
    """One order of commands, as it goes.

    Attributes:
        commands: What runs them.
        folder: Where the study is now.
        draw: What chooses.
        settings: Those in force, by key.
        said: What was done, for the one who looks into it.
        ended: How often a command was ended.
        loses: Whether a damage may have lost what can't be made again.
        raised: Whether a limit of the search was raised.
        quick: Whether a comparison was shortened.
        added: Whether seeds were added.
        refused: How often a command was refused.
    """

    commands: ForkedCommands
    folder: Path
    draw: random.Random
    settings: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    ended: int = 0
    loses: bool = False
    raised: bool = False
    quick: bool = False
    added: bool = False
    refused: int = 0
    copies: int = 0

    @property
    def records(self) -> Path:
        """Of the study."""
        return self.folder / RECORDS

    def options(self) -> list[str]:
        """The settings in force, as options."""
        return [
            each for key, value in self.settings.items() for each in ("--set", f"{key}={value}")
        ]

    def run(self, *arguments: str, ended: Ended | None = None) -> Result:
        """Runs a command, and makes sure that it ended as a command may."""
        before = _ended_trainings(self.records)
        how = f" [{ended.by} at {ended.operations}]" if ended is not None else ""
        self.said.append(" ".join(arguments) + how)
        result = self.commands.run(*arguments, cwd=self.folder, ended=ended)
        self.said[-1] += f" -> {result.code}"
        allowed = {0, 1, 3} if ended is None else {0, 1, 3, -9, 130, 143}
        if "Traceback" in result.err or "Error:" in result.err or result.code not in allowed:
            raise BrokenError(f"code {result.code}: {result.err[-3000:]}")
        if result.code == 1:
            errors = [line for line in result.err.splitlines() if line.startswith("error:")]
            self.said[-1] += f" ({errors[0] if errors else 'no reason'})"
            is_check = arguments[0] == "check"
            if not is_check and len(errors) != 1:
                raise BrokenError(f"a refusal in {len(errors)} lines: {result.err[-2000:]}")
            self.refused += 1
        after = _ended_trainings(self.records)
        if "--fresh" not in arguments and "--repair" not in arguments:
            changed = [name for name, text in before.items() if after.get(name) != text]
            if changed:
                raise BrokenError(f"ended trainings changed: {', '.join(changed)}")
        if result.code in (-9, 130, 143):
            self.ended += 1
        return result


def one_order(commands: ForkedCommands, folder: Path, draw: random.Random) -> Order:
    """Runs one order of commands to its end.

    Raises:
        BrokenError: It broke something.
    """
    shutil.rmtree(folder, ignore_errors=True)
    order = Order(commands=commands, folder=folder / "at0", draw=draw)
    order.folder.mkdir(parents=True)
    (order.folder / _FILE).write_text(_TEXT)
    for setting in draw.choice(_BEGINNINGS):
        key, _, value = setting.partition("=")
        order.settings[key] = value
    try:
        for _ in range(draw.randint(2, _MOST_STEPS)):
            draw.choices(_STEPS, weights=_WEIGHTS)[0](order)
            _check_whole(order)
        _finish(order)
    except BrokenError as error:
        raise BrokenError(f"{error}\n  " + "\n  ".join(order.said)) from error
    return order


def _train(order: Order) -> None:
    draw = order.draw
    command = draw.choice(("run", "run", "search", "search", "compare", "baseline"))
    arguments = [command, _FILE, *order.options()]
    if command != "baseline":
        arguments += ["--workers", str(draw.choice((1, 1, 2, 3)))]
    extra = draw.random()
    if command == "run" and extra < 0.15:
        arguments.append("--quick")
    if command == "compare":
        if extra < 0.15:
            arguments.append("--quick")
        elif extra < 0.35:
            arguments += ["--only-seeds", str(draw.randint(1, 3))]
        elif extra < 0.5:
            arguments += ["--more-seeds", str(draw.randint(1, 3))]
    if command == "baseline" and extra < 0.2:
        arguments += ["--epochs", "1"]
    if command in ("run", "search") and extra > 0.95:
        arguments.append("--fresh")
    ended = None
    if draw.random() < 0.4:
        by = draw.choice(("kill -9", "kill -9", "kill", "Ctrl-C"))
        ended = Ended(by=by, operations=draw.randint(1, 250))
    before = _ended_trainings(order.records)
    result = order.run(*arguments, ended=ended)
    if "--fresh" in arguments and result.code != 1:
        order.raised = order.quick = order.added = order.loses = False
        (order.folder / TRAINED).unlink(missing_ok=True)
    if (
        result.code == 1
        and _ended_trainings(order.records) != before
        and "was started with other" in result.err
    ):
        raise BrokenError("a refused command changed the study")
    if result.code != 1:
        order.quick = order.quick or "--quick" in arguments
        order.added = order.added or "--more-seeds" in arguments


def _set(order: Order) -> None:
    setting = order.draw.choice(_SETTINGS)
    key, _, value = setting.partition("=")
    before = order.settings.get(key)
    if before is not None and order.draw.random() < 0.5:
        del order.settings[key]
    else:
        order.settings[key] = value
    if key in ("search.max_trials", "search.disk_limit", "search.time_limit"):
        order.raised = True
    order.said.append(f"settings: {order.settings}")


def _read(order: Order) -> None:
    before = _contents(order.records)
    arguments = order.draw.choice(_ONLY_READ)
    with_settings = order.options() if arguments[0] in ("status", "data") else []
    result = order.run(*arguments, *with_settings)
    if result.code and arguments[0] in ("status", "list"):
        raise BrokenError(f"{arguments}: {result.err}")
    if _contents(order.records) != before:
        raise BrokenError(f"{arguments} changed the study")


def _report(order: Order) -> None:
    order.run(order.draw.choice(("report", "export", "records")), _FILE, *order.options())


def _move(order: Order) -> None:
    order.copies += 1
    new = order.folder.parent / f"at{order.copies}"
    if order.draw.random() < 0.5:
        order.said.append("copied elsewhere")
        shutil.copytree(order.folder, new)
    else:
        order.said.append("zipped and unpacked elsewhere")
        name = shutil.make_archive(str(order.folder), "zip", order.folder)
        with zipfile.ZipFile(name) as archive:
            archive.extractall(new)
        Path(name).unlink()
    shutil.rmtree(order.folder)
    order.folder = new


def _damage(order: Order) -> None:
    if not order.records.is_dir():
        return
    paths = [path for path in damageable(order.records) if path.name != "study.json"]
    if not paths:
        return
    path, damaging = order.draw.choice(paths), order.draw.choice(DAMAGES)
    if damaging is pipe or not path.stat().st_size:
        return
    damaging(path, order.draw)
    order.said.append(f"{damaging.__name__} {path.relative_to(order.records)}")
    result = order.run("check", _FILE)
    if result.code:
        order.loses = order.loses or (
            path.suffix in (".jsonl", ".json") and path.parent == order.records
        )
        order.ended += 1
        repaired = order.run("check", _FILE, "--repair")
        if "no study has been started" not in repaired.err and repaired.code not in (0, 1):
            raise BrokenError(f"not repaired: {repaired.err} {repaired.out}")


def _finish(order: Order) -> None:
    """Runs the study to its end, and compares it with one that was run once."""
    result = order.run("run", _FILE, *order.options())
    if result.code == 1:
        _settings_as_begun(order)
        result = order.run("run", _FILE, *order.options())
    if "no trial completed" in result.err:
        for key in ("search.max_trials", "search.disk_limit"):
            if order.settings.get("search.tuner") is None or key != "search.max_trials":
                order.settings.pop(key, None)
        order.raised = True
        result = order.run("run", _FILE, *order.options())
    if result.code != 0:
        raise BrokenError(f"does not end: {result.err[-2000:]}")
    again = order.run("run", _FILE, *order.options())
    if "This study is finished" not in again.out:
        raise BrokenError(f"is not finished after it has ended: {again.out[-500:]}")
    status = json.loads(order.run("status", _FILE, "--json", *order.options()).out)
    if status["state"] != "finished":
        raise BrokenError(f"status says {status['state']}")
    _check_whole(order)
    _check_trained_once(order)
    _compare(order)


def _settings_as_begun(order: Order) -> None:
    """Takes up the settings that the study was run with; none where they kept it from beginning."""
    path = order.records / "study.json"
    began = json.loads(path.read_text())["settings"] if path.exists() else []
    order.settings = dict(setting.split("=", 1) for setting in began)
    order.said.append(f"settings as begun: {order.settings}")


_REFERENCES: dict[str, dict[str, Any]] = {}


def _compare(order: Order) -> None:
    options = order.options()
    key = json.dumps(sorted(order.settings.items()))
    if key not in _REFERENCES:
        folder = order.folder.parent / "reference"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / _FILE).write_text(_TEXT)
        done = order.commands.run("run", _FILE, *options, cwd=folder)
        if done.code != 0:
            raise BrokenError(f"the reference: {done.code} {done.err[-2000:]}")
        _REFERENCES[key] = results_of(folder / RECORDS)
    expected, found = _REFERENCES[key], results_of(order.records)
    expected, found = (
        _comparable(results, has_own_epochs=not order.quick) for results in (expected, found)
    )
    may_have_more = order.added or order.quick
    # Further finalists follow a raised limit; which trials a full disk leaves depends on times.
    is_free = order.raised or "search.disk_limit" in order.settings
    if is_free or order.loses:
        return
    missing = expected.keys() - found.keys()
    more = found.keys() - expected.keys()
    different = [name for name in expected.keys() & found.keys() if expected[name] != found[name]]
    if may_have_more or "compare.stop" in order.settings:
        more = set()
        different = [name for name in different if name not in ("review-facts",)]
    if missing or more or different:
        raise BrokenError(
            f"another result: missing {sorted(missing)}, more {sorted(more)}, "
            f"different {sorted(different)}"
        )


def _comparable(results: dict[str, Any], *, has_own_epochs: bool) -> dict[str, Any]:
    """Leaves out what depends on the order: whether an own epoch was known when a run was written.

    Its evaluations are runs of their own, which are compared, except after a shortened comparison.
    """
    return {
        name: value | {"own_epoch": None}
        if isinstance(value, dict) and "own_epoch" in value
        else value
        for name, value in results.items()
        if has_own_epochs or not ("own-epoch" in name or name == "review-facts")
    }


def _check_whole(order: Order) -> None:
    if not (order.records / "study.json").is_file():
        return
    result = order.commands.run("check", _FILE, cwd=order.folder)
    if result.code != 0:
        raise BrokenError(f"check is not content: {result.out} {result.err}")


def _check_trained_once(order: Order) -> None:
    """No epoch is trained more often than commands were ended, or files repaired."""
    path = order.folder / TRAINED
    lines = path.read_text().splitlines() if path.exists() else []
    for epoch, count in Counter(lines).items():
        # An own epoch that is fixed after its arm was trained is trained for again.
        again = epoch.startswith(("baseline-s", "baseline-1")) and count == 2
        if count > 1 + order.ended and not again and not order.loses:
            raise BrokenError(f"{epoch} was trained {count} times, after {order.ended} ends")


def _ended_trainings(folder: Path) -> dict[str, str]:
    found = {}
    for name in ("trials", "runs"):
        for path in (folder / name).glob("*.json"):
            try:
                text = path.read_text()
            except (OSError, ValueError):
                continue
            # The mean of the last epochs is evaluated with its training, again where that is.
            if '"status": "completed"' in text and "-last-three-" not in path.stem:
                found[f"{name}/{path.stem}"] = _without_own_epoch(text)
    return found


def _without_own_epoch(text: str) -> str:
    try:
        return json.dumps(
            {k: v for k, v in json.loads(text).items() if k not in ("own_epoch", "seal")}
        )
    except ValueError:
        return text


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("study.log", "lock") and not path.is_fifo()
    }


_STEPS = (_train, _set, _read, _report, _move, _damage)
_WEIGHTS = (10, 4, 2, 2, 1, 1.5)
