"""Times meshc beside kustomize alone: python bench/run.py [CLUSTERS SERVICES]...

For each fleet: a first compile, a second one that changes nothing, one after a service was added, check and validate,
each with the peak memory of meshc itself; then kustomize on the same overlays, as many at once as there are processors.
What it prints is a Markdown table.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from fleet import fleet

SIZES = [(10, 50), (100, 100), (1000, 100)]


class Run(NamedTuple):
    """How long a program took, in seconds, and the most memory it held, in MiB."""

    seconds: float
    mebibytes: float

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s, {self.mebibytes:.0f} MiB"


def measure(*arguments: str, cwd: Path) -> Run:
    """A meshc command, to its end."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "meshc", *arguments], cwd=cwd, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"meshc {' '.join(arguments)} failed with exit code {process.returncode}")
    return Run(seconds, usage.ru_maxrss / 1024)


def kustomize_alone(folder: Path) -> float:
    """Seconds that kustomize takes for every overlay, in parallel, with nothing else to do."""
    kubectl = shutil.which("kubectl", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    overlays = [path for path in sorted((folder / "overlays").iterdir()) if path.name[0] != "_"]

    def build(overlay: Path) -> None:
        subprocess.run([str(kubectl), "kustomize", str(overlay)], stdout=subprocess.DEVNULL, check=True)

    start = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(build, overlays))
    return time.perf_counter() - start


def row(clusters: int, services: int) -> str:
    """One fleet, measured in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "mesh.yaml").write_text(fleet(clusters, services))
        runs = [measure(command, cwd=folder) for command in ("validate", "compile", "compile", "check")]
        alone = kustomize_alone(folder)
        (folder / "mesh.yaml").write_text(fleet(clusters, services + 1))
        runs.append(measure("compile", cwd=folder))
        files = sum(len(names) for _, _, names in os.walk(folder / "output"))
    figures = " | ".join(map(str, runs))
    return f"| {clusters} x {services} | {files} | {figures} | {alone:.1f} s |"


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    sizes = list(zip(numbers[::2], numbers[1::2], strict=True)) or SIZES
    heads = (
        "clusters x services",
        "files",
        "validate",
        "first compile",
        "again",
        "check",
        "one more service",
        "kustomize",
    )
    print(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|")
    for size in sizes:
        print(row(*size), flush=True)
