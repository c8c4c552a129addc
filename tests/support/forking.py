"""A process of its own that does one job for each line it is given, in a process that it forks."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[2]


class ForkingProcess:
    """What has imported what its jobs need, and runs no threads, unlike the tests' process."""

    module = ""
    """The module that it runs: reads JSON, a line a job, and answers each with a line."""
    environment: Mapping[str, str] = MappingProxyType({})

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", self.module],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def answer(self, *job: Any) -> str:
        """Has a job done, and returns the line that was said of it."""
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(job), file=self._process.stdin, flush=True)
        return self._process.stdout.readline().strip()
