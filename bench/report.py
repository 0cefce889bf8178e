"""Times `meshc report` and shows the size of its page: python bench/report.py [CLUSTERS SERVICES]

The fleet of fleet.py is compiled and committed, then one service's port changes in every cluster's copy. Prints a
Markdown table with medians of three runs, and processor seconds in brackets; by default for 10, 50 and 300 clusters.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from fleet import fleet
from measuring import MESHC, measure, median

RUNS, SIZES = 3, ((10, 20), (50, 100), (300, 500))


def row(clusters: int, services: int) -> str:
    """One row of the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mesh = folder / "mesh.yaml"
        mesh.write_text(fleet(clusters, services))
        for words in (
            [*MESHC, "compile"],
            ["git", "init", "-q", "."],
            ["git", "add", "mesh.yaml", "overlays", "output"],
            ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "one"],
        ):
            subprocess.run(words, cwd=folder, check=True, capture_output=True)
        text = mesh.read_text()
        port = next(line for line in text.splitlines() if "port: " in line)
        mesh.write_text(text.replace(port, port.replace("port: ", "port: 1"), 1))
        words = [*MESHC, "-q", "report", "-o", "page.html"]
        alone = median(lambda: measure(*words, cwd=folder), RUNS)
        size = (folder / "page.html").stat().st_size
        changed = median(lambda: measure(*words, "--base", "HEAD", cwd=folder), RUNS)
        more = (folder / "page.html").stat().st_size
    times = [f"{run.seconds:.2f} s ({run.processor:.2f})" for run in (alone, changed)]
    numbers = f"{times[0]} | {size / 1000:.0f} kB | {times[1]} | {more / 1000:.0f} kB"
    return f"| {clusters} | {services} | {numbers} | {changed.mebibytes:.0f} MiB |"


def main(sizes: tuple[tuple[int, int], ...]) -> None:
    print("| clusters | services | page | size | with a change | size | most memory |\n|---|---|---|---|---|---|---|")
    for clusters, services in sizes:
        print(row(clusters, services), flush=True)


if __name__ == "__main__":
    words = [int(word) for word in sys.argv[1:3]]
    main(((words[0], words[1]),) if words else SIZES)
