"""The README's commands, read out of its fenced blocks."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]


def text(name: str = "README.md") -> str:
    """The text of a document at the repository's root."""
    return (ROOT / name).read_text(encoding="utf-8")


def shell_lines() -> list[str]:
    """Every line of the README's `sh` blocks, comments taken off."""
    blocks = re.findall(r"```sh\n(.*?)```", text(), flags=re.DOTALL)
    lines = [
        shlex.join(shlex.split(line, comments=True)) for b in blocks for line in b.splitlines()
    ]
    return [line for line in lines if line]


def scripts() -> list[str]:
    """Every `bash` block of the README: several lines that belong together."""
    return re.findall(r"```bash\n(.*?)```", text(), flags=re.DOTALL)


def python_blocks() -> list[str]:
    """Every `python` block of the README."""
    return re.findall(r"```python\n(.*?)```", text(), flags=re.DOTALL)
