"""What the documents say is what there is: commands, options, keys, links, names of files."""

import ast
import csv
import io
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import typer.main
from rich.console import Console

from lstm_study import commands
from lstm_study.analysis.answer.arms import arms_from_records
from lstm_study.cli import app
from lstm_study.cli.text.answer import answer_text
from lstm_study.spec import load_spec
from lstm_study.store import Store
from tests.support.readme import PAGES, ROOT, python_blocks, scripts, shell_lines, text, texts

DOCUMENTS = (*PAGES, "CONTRIBUTING.md", "CHANGES.md")
COMMANDS: dict[str, click.Command] = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def _options(command: click.Command) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts if name[:2] == "--"}


def _first_line(command: click.Command) -> str:
    return (command.help or "").splitlines()[0]


def test_the_table_of_commands_is_that_of_help_word_for_word() -> None:
    rows = re.findall(r"^\| `lstm-study (\w+)(.*?)` \| (.*?) \|$", text(), flags=re.MULTILINE)
    assert [name for name, _, _ in rows] == list(COMMANDS)
    for name, arguments, brief in rows:
        assert brief == _first_line(COMMANDS[name])
        context = COMMANDS[name].make_context(name, [], resilient_parsing=True)
        pieces = [p.strip("[]{}. ") for p in COMMANDS[name].collect_usage_pieces(context)]
        assert [p.strip("[]{}. ") for p in arguments.split()] == pieces[1:]


def test_every_command_line_of_the_pages_is_understood() -> None:
    lines = [line for line in shell_lines() if "lstm-study " in line and "pip" not in line]
    assert len(lines) > 8
    for line in lines:
        words = shlex.split(line)
        name, *arguments = words[words.index("lstm-study") + 1 :]
        # Parses as the command line does, and runs nothing.
        COMMANDS[name].make_context(name, list(arguments))


def test_the_scripts_for_several_machines_are_bash_and_their_commands_are_understood() -> None:
    assert len(scripts()) == 3
    for script in scripts():
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
        for line in re.findall(r"lstm-study (.*?)[&\n]", script.replace("\\\n", " ")):
            # Within ssh's quotes the last one closes the command.
            name, *arguments = shlex.split(line.rstrip(' "') if line.count('"') % 2 else line)
            COMMANDS[name].make_context(name, arguments)


def test_every_option_that_is_named_exists() -> None:
    known = {option for command in COMMANDS.values() for option in _options(command)}
    known |= _options(typer.main.get_command(app))  # type: ignore[arg-type]
    for name in (*PAGES, "CONTRIBUTING.md"):
        prose = re.sub(r"```.*?```", "", text(name), flags=re.DOTALL)
        for inline in re.findall(r"`([^`]*)`", prose):
            if inline.startswith("python -m "):
                continue
            for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", inline):
                assert option in known | {"--help"}, f"{name}: {inline}"
    for command, option in re.findall(r"`(\w+) (--[a-z-]+)", texts()):
        if command in COMMANDS:
            assert option in _options(COMMANDS[command]), f"{command} {option}"


def test_every_command_that_a_message_names_exists_with_its_options() -> None:
    named = 0
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            message = ast.unparse(node) if isinstance(node, ast.JoinedStr) else ""
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                message = node.value
            for line in re.findall(r"`lstm-study ([^`{]+[^`]*)`", message):
                name, *words = line.split()
                options = {word.split("=")[0] for word in words if word.startswith("--")}
                assert options <= _options(COMMANDS[name]), f"{path.name}: {line}"
                named += 1
    assert named > 30


def test_every_setting_that_is_named_exists() -> None:
    keys = set(load_spec(ROOT / "study" / "imdb.toml").flat())
    tables = "study|data|space|search|protocol|baseline|compare|export"
    for name in DOCUMENTS:
        for key in re.findall(rf"`((?:{tables})\.[a-z_]+)(?:`|=| )", text(name)):
            assert key in keys or key.endswith(".toml"), f"{name}: {key}"


def test_the_commands_of_the_benchmarks_are_those_that_their_files_name() -> None:
    folder = ROOT / "reports" / "benchmarks"
    rows = re.findall(r"^\| `([\w-]+\.md)`.*`(python -m [^`]*)`", text(folder / "README.md"), re.M)
    assert len(rows) == 5
    for name, command in rows:
        assert command in " ".join((folder / name).read_text(encoding="utf-8").split())


@pytest.mark.parametrize("name", ["quickstart", "imdb", "imdb-open"])
def test_the_results_that_are_told_are_those_of_the_reports(name: str) -> None:
    summary = _summary(name)
    arms, verdict = summary["arms"], summary["verdict"]
    # Where no recipe is searched, masked batches are all that the winner's training has of its own.
    arms.setdefault("baseline-recipe", arms.get("baseline-masked"))
    cells = [_result(arms.get(arm)) for arm in ARMS]
    cells.append(f"{_points(verdict['difference'])}, {_points(verdict['low'])} to "
                 f"{_points(verdict['high'])}: {verdict['kind']}")  # fmt: skip
    row = f"| [{name}](reports/{name}/report.md) | {' | '.join(cells)} |"
    assert row in text().splitlines()


def test_the_lines_of_what_was_found_are_what_the_reports_say() -> None:
    said = " ".join(text().split("## What was found")[1].split("Test accuracy:")[0].split())
    six, opened, classical, mean = (f"**{line}" for line in said.split("- **")[1:])
    verdict, arms = _summary("imdb")["verdict"], _summary("imdb")["arms"]
    assert f"on all of IMDB: {verdict['kind']}.**" in six
    difference = f"difference to the baseline is {_points(verdict['difference'])} points"
    assert f"{difference} (95% interval " in six
    assert f"{_points(verdict['low'])} to {_points(verdict['high'])})" in six
    sizes = [arms[arm]["parameter_count"] for arm in ("baseline", "winner")]
    assert ("an eighth" in six) == (round(sizes[0] / sizes[1]) == 8)
    verdict, arms = _summary("imdb-open")["verdict"], _summary("imdb-open")["arms"]
    beside = {(row["arm"], row["reference"]): row for row in _table("imdb-open", "further_arms")}
    whole, alike = verdict, beside["winner", "baseline-recipe"]
    bounds = [[_points(float(each[key]))[1:] for key in KEYS] for each in (whole, alike)]
    headline = f"opened: {verdict['kind']} by {bounds[0][0]} points** "
    assert f"{headline}({' to '.join(bounds[0][1:])})" in opened
    assert f"{bounds[1][0]} ({' to '.join(bounds[1][1:])}) remain" in opened
    tie = beside["control", "ensemble"]
    assert tie["answer"] == "no difference shown"
    difference, *interval = (_points(float(tie[key])) for key in KEYS)
    assert f"no difference is shown: {difference[1:]} points, {' to '.join(interval)}." in classical
    for name in STUDIES:
        best = {arm: found["test_accuracy_high"] for arm, found in _summary(name)["arms"].items()}
        best.pop("ensemble", None)
        assert max(best, key=lambda arm: best[arm]) == "control", name
    best, *others = _table("imdb-open", "models")
    (control,) = [row for row in others if row["arm"] == "control"]
    assert best["arm"] == "ensemble-with-control"
    difference, low, high = (_points(-float(control[key]))[1:] for key in ("from_best", *KEYS[1:]))
    accuracy = f"{float(best['test_accuracy']):.2%}"
    assert f"most accurate: {accuracy}, {difference} points ({high} to {low}) more than" in mean


def test_the_means_with_the_logistic_regression_are_told_as_the_reports_have_them() -> None:
    names = ("study/decisions/0028-the-winner-and-the-control-as-one-model.md", "study/RESULTS.md")
    decision, results = (" ".join(text(name).split()) for name in names)
    for name in ("imdb", "quickstart"):
        rows = {row["arm"]: row for row in _table(name, "models")}
        mean = rows["winner-with-control"]
        assert rows["control"]["from_best"] == "", "it is the most accurate"
        difference, low, high = (_points(float(mean[key])) for key in ("from_best", *KEYS[1:]))
        accuracy = f"{float(mean['test_accuracy']):.2%}"
        assert f"| {accuracy}, {difference} ({low} to {high}) | – |" in decision
        if name == "imdb":
            told = f"by {difference[1:]} points ({high[1:]} to {low[1:]})"
            assert told in results
    rows = {row["arm"]: row for row in _table("imdb-open", "models")}
    single, both, control = (
        f"{float(rows[arm]['test_accuracy']):.2%}"
        for arm in ("winner-with-control", "ensemble-with-control", "control")
    )
    assert f"| {control} | {single} | {both}, +0.69 (0.46 to 0.93) |" in decision
    assert f"classifies {single} correctly, and that with the ensemble {both}: 0.69" in results


def test_the_weights_that_were_looked_at_before_are_told_with_what_they_gave() -> None:
    arms = arms_from_records(Store(ROOT / "study/reference/imdb-open").read_all())
    control = arms["control"].probabilities[0].astype(np.float64)

    def accuracy(name: str, weight: float) -> float:
        mean = weight * control + (1 - weight) * arms[name].probabilities
        return float(((mean > 0.5) == arms[name].labels).mean())

    told = []
    for name in ("winner", "ensemble"):
        found = {weight: accuracy(name, weight) for weight in (0.3, 0.5, 0.7)}
        assert max(found, key=lambda weight: found[weight]) == 0.7
        told.append(f"{found[0.7]:.2%}")
    decision = "study/decisions/0028-the-winner-and-the-control-as-one-model.md"
    words = "0.7 was best ({} with the winner of `imdb-open`, {} with its ensemble)".format(*told)
    assert words in " ".join(text(decision).split())


def test_the_sample_of_the_terminal_is_what_the_command_line_prints(tmp_path: Path) -> None:
    (sample,) = re.findall(r"```text\n(.*?)```", text(), flags=re.DOTALL)
    # A copy: the records that are kept are never written to.
    kept = shutil.copytree(ROOT / "study" / "reference" / "imdb-open", tmp_path / "imdb-open")
    opened = commands.open_kept(kept, out=tmp_path)
    terminal = io.StringIO()
    console = Console(width=80, file=terminal, no_color=True, highlight=False)
    console.print(answer_text(commands.read_answer(opened, is_noted=False)))
    printed = [line.rstrip() for line in terminal.getvalue().splitlines()]
    shown = sample.splitlines()
    assert shown[0].startswith("Verdict")
    first = printed.index(shown[0])
    assert printed[first : first + len(shown)] == shown


def test_the_times_that_are_told_are_those_of_the_reports() -> None:
    def minutes(name: str) -> int:
        return round(_summary(name)["cost"]["both"]["session_seconds"] / 60)

    for page in ("README.md", "study/RESULTS.md"):
        assert f"{minutes('imdb') // 60} h {minutes('imdb') % 60} min" in text(page), page
        assert f"{minutes('imdb-open')} minutes" in text(page), page


STUDIES = ("quickstart", "imdb", "imdb-open")
KEYS = ("difference", "low", "high")


def _summary(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text(f"reports/{name}/summary.json"))
    return found


def _table(report: str, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text(f"reports/{report}/tables/{name}.csv").splitlines()))


ARMS = ("baseline", "baseline-recipe", "winner", "ensemble", "control")


def _result(arm: dict[str, Any] | None) -> str:
    if arm is None:
        return "–"
    spread = "" if arm["seeds"] == 1 else f" ({100 * arm['test_accuracy_sd']:.2f}, {arm['seeds']})"
    return f"{arm['test_accuracy_mean']:.2%}{spread}"


def _points(share: float) -> str:
    return f"{100 * share:+.2f}".replace("-", "−")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_to_a_file_and_a_heading(name: str) -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text(name)) if "://" not in link]
    missing = []
    for link in links:
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        is_there = target.exists() and (not anchor or anchor in _anchors(target))
        missing += [] if is_there else [link]
    assert not missing


def _anchors(path: Path) -> set[str]:
    """The headings of a document as GitHub links to them."""
    prose = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_protocol_lists_every_page_and_study_file_and_the_readme_leads_there() -> None:
    listed = set(re.findall(r"\]\(([^)#]+)\)", text("study/README.md").split("## ")[0]))
    kinds = ("*.md", "*.toml", "*.ipynb")
    there = {path.name for kind in kinds for path in (ROOT / "study").glob(kind)} - {"README.md"}
    assert there <= listed
    assert "(study/README.md)" in text()
    # A page that only the list leads to is one that nobody finds.
    assert all(f"({page})" in text() for page in PAGES[1:])


def test_make_targets_and_extras_that_are_named_exist() -> None:
    makefile = text("Makefile")
    targets = set(re.findall(r"(?:^ {4}|`)make ([a-z]+)\b", texts(DOCUMENTS), re.MULTILINE))
    assert {"study", "test", "unit", "bench"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
    project = tomllib.loads(text("pyproject.toml"))["project"]
    named = set(re.findall(r"install '\.\[([\w-]+)\]'", texts()))
    assert (
        {"gpu", "gpu-tensorflow", "cluster", "tensorboard"}
        <= named
        <= set(project["optional-dependencies"])
    )


def test_files_of_the_code_that_contributing_names_exist() -> None:
    package = ROOT / "src" / "lstm_study"
    named = set(re.findall(r"`((?:src|tests|study)/[\w/.-]+|[a-z_]+/[\w/.-]+\.\w+|\w+\.py)`",
                           text("CONTRIBUTING.md")))  # fmt: skip
    assert len(named) > 10
    missing = [n for n in sorted(named) if not (ROOT / n).exists() and not (package / n).exists()]
    assert not missing


def test_the_python_of_the_pages_is_python_and_names_what_there_is() -> None:
    from lstm_study import Study

    (block,), (build,) = python_blocks("README.md"), python_blocks("study/NETWORKS.md")
    declared = {
        node.args[0].value
        for node in ast.walk(ast.parse(build))
        if isinstance(node, ast.Call) and getattr(node.func, "value", None)
        and getattr(node.func.value, "id", "") == "hp"
    }  # fmt: skip
    assert declared == {"maxlen", "vocabulary_size", "filters", "kernel_size"}
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert hasattr(Study, node.attr), node.attr


def test_the_documents_name_no_path_of_a_machine() -> None:
    for path in [*map(Path, DOCUMENTS), *(ROOT / "study" / "decisions").glob("*.md")]:
        assert not re.search(r"(?<![\w.])/(?:home|work|tmp|root|Users)/", (ROOT / path).read_text())
