"""Measures whole runs of a program: elapsed seconds, processor seconds, and memory."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

MESHC = (sys.executable, "-m", "meshc")
NAMED = (sys.executable, "-c", "import sys; sys.argv[0] = 'meshc'; from meshc.cli.main import run; run()")
"""The same program under the name meshc, which shells use for completion."""
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class Run(NamedTuple):
    """The figures of a program and its children: elapsed seconds, processor seconds, and the peak of memory in MiB."""

    seconds: float
    processor: float
    mebibytes: float

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s ({self.processor:.2f})"


def measure(
    *argv: str,
    cwd: Path,
    codes: tuple[int, ...] = (0,),
    into: Path | None = None,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Run:
    """Runs a program to its end. Its standard output goes to `into`."""
    with Path(into or os.devnull).open("wb") as out:
        start = time.perf_counter()
        process = subprocess.Popen(argv, cwd=cwd, stdout=out, env={**_ENVIRONMENT, **variables})
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in codes:
        sys.exit(f"{' '.join(argv)} failed with exit code {process.returncode}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def measure_all(commands: Iterable[tuple[Sequence[str], Path]], cwd: Path) -> Run:
    """Runs programs in parallel, one for each processor. Each has a target for its output."""
    start = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = list(pool.map(lambda one: measure(*one[0], cwd=cwd, into=one[1]), commands))
    processor = sum(run.processor for run in runs)
    return Run(time.perf_counter() - start, processor, max(run.mebibytes for run in runs))


def median(run: Callable[[], Run], repeats: int) -> Run:
    """Runs a program several times. Returns the median of each figure, and the maximum of memory."""
    return middle([run() for _ in range(repeats)])


def middle(runs: Sequence[Run]) -> Run:
    """The median of each figure of the runs, and the maximum of memory."""
    seconds, processor, mebibytes = zip(*runs, strict=True)
    return Run(statistics.median(seconds), statistics.median(processor), max(mebibytes))


def in_those_of(run: Run, other: Run) -> str:
    """The ratio of this run's time to that of another program, and in brackets the ratio of processor seconds."""
    return f"{run.seconds / other.seconds:.1f} ({run.processor / other.processor:.1f})"


def program(name: str, variable: str) -> str | None:
    """The path of a tool: from a variable, beside Python, or on PATH."""
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return shutil.which(os.environ.get(variable) or name, path=beside)
