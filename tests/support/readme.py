"""The commands of README and of the pages in study/, read out of their fenced blocks."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]

PAGES = (
    "README.md",
    *sorted(f"study/{path.name}" for path in (ROOT / "study").glob("*.md")),
)
"""What a user reads, README first: the order in which a newcomer comes to their commands."""


def text(name: str = "README.md") -> str:
    """The text of a document, named from the repository's root."""
    return (ROOT / name).read_text(encoding="utf-8")


def texts(names: tuple[str, ...] = PAGES) -> str:
    """The texts of documents, one after the other."""
    return "\n".join(map(text, names))


def shell_lines() -> list[str]:
    """Every line of the pages' `sh` blocks, comments taken off."""
    blocks = re.findall(r"```sh\n(.*?)```", texts(), flags=re.DOTALL)
    lines = [
        shlex.join(shlex.split(line, comments=True)) for b in blocks for line in b.splitlines()
    ]
    return [line for line in lines if line]


def scripts() -> list[str]:
    """Every `bash` block of the pages: several lines that belong together."""
    return re.findall(r"```bash\n(.*?)```", texts(), flags=re.DOTALL)


def python_blocks(name: str) -> list[str]:
    """Every `python` block of a document."""
    return re.findall(r"```python\n(.*?)```", text(name), flags=re.DOTALL)
