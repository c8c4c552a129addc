"""Writes study/api.md from the docstrings of `Study`: `python -m tests.support.api_page`."""

import inspect
from pathlib import Path

from lstm_study import Study, errors

PAGE = Path(__file__).parents[2] / "study" / "api.md"
_HEAD = """# Working in Python

Made from the docstrings of `lstm_study.Study` by `python -m tests.support.api_page`.
[working-in-python.ipynb](working-in-python.ipynb) is a notebook that uses it.

```python
from lstm_study import Study
```

"""


def api_page() -> str:
    """Returns the page: the class, then each public method and property in order."""
    parts = [_HEAD, _section("Study", str(inspect.getdoc(Study)), level=2)]
    for name, member in vars(Study).items():
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            heading = f"Study.{name}"
            text = str(inspect.getdoc(member))
        else:
            function = getattr(Study, name)
            heading = f"Study.{name}{_signature(function)}"
            text = str(inspect.getdoc(function))
        parts.append(_section(heading, text, level=3))
    parts.append(_errors())
    return "".join(parts)


def _errors() -> str:
    """Returns the section on errors: the tree that the module's docstring draws."""
    tree = str(inspect.getdoc(errors)).partition("::\n\n")[2].partition("\n\nA message")[0]
    return (
        "## Errors\n\n"
        "Every error that this package raises on purpose is a `StudyError`, of the module "
        "`lstm_study.errors`; its\ntext is one line that says what to do. Another exception is a "
        "bug.\n\n"
        f"```text\n{inspect.cleandoc(tree)}\n```\n"
    )


def _signature(function: object) -> str:
    signature = inspect.signature(function)  # type: ignore[arg-type]
    given = [each for name, each in signature.parameters.items() if name != "self"]
    shown = [each.replace(annotation=inspect.Parameter.empty) for each in given]
    return str(signature.replace(parameters=shown, return_annotation=inspect.Signature.empty))


def _section(heading: str, text: str, *, level: int) -> str:
    lines = text.splitlines()
    found = [f"{'#' * level} `{heading}`", ""]
    for place, line in enumerate(lines):
        words = line.strip()
        if line.endswith("::"):
            found += [line[:-1], "", "```python"]
            code = []
            rest = lines[place + 1 :]
            code = [each[4:] for each in rest if not each or each.startswith("    ")]
            found += ["\n".join(code).strip("\n"), "```"]
            break
        if words in ("Args:", "Returns:", "Warns:", "Raises:"):
            found += ["", f"**{words[:-1]}**", ""]
        elif line.startswith("        "):
            found[-1] += f" {words}"
        elif line.startswith("    "):
            name, colon, rest = words.partition(": ")
            is_named = bool(colon) and name.replace("_", "").isalnum()
            found.append(f"- `{name}`: {rest}" if is_named else words)
        else:
            found.append(line)
    return "\n".join(found) + "\n\n"


if __name__ == "__main__":
    PAGE.write_text(api_page().rstrip() + "\n", encoding="utf-8")
