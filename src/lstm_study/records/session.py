"""Records of commands: their machine and time, openings of the test half, files written."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lstm_study.records.strict import STRICT


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What ran the study: Python, operating system, processors, memory, backend and devices."""

    python: str
    platform: str
    processor: str
    cpu_count: int
    memory_bytes: int
    backend: str = ""
    devices: tuple[str, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """One opening of the test half: when, by what command, for which run."""

    __pydantic_config__ = STRICT

    opened_at: str
    command: str
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One line of a study's list of files.

    Attributes:
        file: Its path below the study's folder.
        sha256: Of its content, or the digest that it carries; "" while it may still change.
        is_removed: Whether it was moved aside, to be made again.
    """

    __pydantic_config__ = STRICT

    file: str
    sha256: str = ""
    is_removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One command's work on the study, for time worked and for the manifest.

    Attributes:
        command: The command line, without the program's path.
        stage: "search" or "compare".
        started_at: ISO 8601 in UTC.
        seconds: Time worked, as of when the record was last written.
        workers: Worker processes.
        threads: Threads per worker.
        machine: What ran it.
        git_commit: Of the checkout the command ran in; "" outside one.
        settings: The one-off `--set` changes in force.
    """

    __pydantic_config__ = STRICT

    command: str
    stage: str
    started_at: str
    seconds: float
    workers: int
    threads: int
    machine: Machine
    git_commit: str = ""
    settings: tuple[str, ...] = ()
