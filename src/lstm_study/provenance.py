"""Where results come from: the clock, git, package versions, the host.

The only module that reads any of these from the system; all others receive them as values.
"""

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path, PurePosixPath

from lstm_study.records import Machine

PACKAGES = (
    "lstm-study",
    "tensorflow",
    "keras",
    "keras-tuner",
    "jax",
    "numpy",
    "numba",
    "pandas",
    "seaborn",
    "matplotlib",
    "scikit-learn",
    "scipy",
    "optuna",
)

_CGROUPS, _OWN_CGROUP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def now() -> str:
    """Returns the time, ISO 8601 in UTC to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Returns the installed version of each package that is installed."""
    return {name: found for name in packages if (found := _version(name)) is not None}


@cache
def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def git_commit(folder: Path) -> str:
    """Returns the commit of the checkout a folder lies in, "+changes" added if it was changed.

    Returns "" outside a checkout, or where git is not installed.
    """

    def git(*arguments: str) -> str | None:
        try:
            result = subprocess.run(  # noqa: S603
                ["git", "-C", str(folder), *arguments],  # noqa: S607
                capture_output=True,
                text=True,
                timeout=10,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return result.stdout.strip() if result.returncode == 0 else None

    commit = git("rev-parse", "--short=12", "HEAD")
    if commit is None:
        return ""
    return commit + ("+changes" if git("status", "--porcelain", "--untracked-files=no") else "")


def machine(*, backend: str = "", devices: Sequence[str] = ()) -> Machine:
    """Describes this machine; the caller knows backend and devices."""
    return Machine(
        python=platform.python_version(),
        platform=_system(),
        processor=_processor(),
        cpu_count=usable_cpus(),
        memory_bytes=_memory_bytes(),
        backend=backend,
        devices=tuple(devices),
        packages=versions(),
    )


def usable_cpus() -> int:
    """Returns how many cores this process may use, as affinity and cgroup quota allow."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quotas = (limit.split() for limit in _cgroup_limits("cpu.max"))
    return min([count or 1, *(max(1, int(quota) // int(period)) for quota, period in quotas)])


def _cgroup_limits(name: str) -> Iterator[str]:
    """Yields the limits of this process's control group and of those that hold it.

    Containers, Slurm and systemd set them, the latter two not at the root. Groups of version 1 are
    not read.

    Args:
        name: The file's, such as "memory.max"; "max" in it is no limit.
    """
    with suppress(OSError):
        lines = _OWN_CGROUP.read_text(encoding="utf-8").splitlines()
        own = next(line for line in [*lines, "0::/"] if line.startswith("0::"))
        group = PurePosixPath(own.removeprefix("0::"))
        for each in (group, *group.parents):
            with suppress(OSError):
                limit = (_CGROUPS / each.relative_to("/") / name).read_text(encoding="ascii")
                if not limit.startswith("max"):
                    yield limit.strip()


def _system() -> str:
    """Returns system, version, architecture and C library, without what a build added to them."""
    version = re.match(r"[\d.]*", platform.release())
    named = [platform.system(), version[0] if version else "", platform.machine()]
    libc = "".join(platform.libc_ver())
    return "-".join(each for each in [*named, libc] if each)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_bytes() -> int:
    """Returns the memory that this process may use, as the machine and its cgroup allow."""
    if sys.platform == "win32":
        return 0
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([physical, *map(int, _cgroup_limits("memory.max"))])
