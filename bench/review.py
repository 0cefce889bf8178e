"""Times the commands of a pull request, compared with only Git and Python: python bench/review.py [CLUSTERS SERVICES]

A fleet is compiled and committed. Then diff and check run without a change, and after one service's port changed in
every cluster's copy. Prints a Markdown table with medians of five runs.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from fleet import fleet
from measuring import MESHC, measure, median

RUNS = 5


def seconds(*argv: str, cwd: Path, codes: tuple[int, ...] = (0,)) -> float:
    """The median of a program's whole runs. A run before them fills the caches."""
    measure(*argv, cwd=cwd, codes=codes)
    return median(lambda: measure(*argv, cwd=cwd, codes=codes), RUNS).seconds


def main(clusters: int, services: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "mesh.yaml").write_text(fleet(clusters, services))
        for words in (
            "git init -q .",
            "git add mesh.yaml overlays output",
            "git -c user.name=a -c user.email=a@example.com commit -qm one",
        ):
            if "add" in words:
                subprocess.run([*MESHC, "compile"], cwd=folder, capture_output=True, check=True)
            subprocess.run(words.split(), cwd=folder, check=True, capture_output=True)
        rows = [
            ("python and typer start", seconds(sys.executable, "-c", "import typer", cwd=folder)),
            ("git status", seconds("git", "status", "--porcelain", cwd=folder)),
            ("check, nothing changed", seconds(*MESHC, "check", cwd=folder)),
            ("diff, nothing changed", seconds(*MESHC, "diff", "--base", "HEAD", cwd=folder)),
        ]
        mesh = folder / "mesh.yaml"
        text = mesh.read_text()
        port = next(line for line in text.splitlines() if "port: " in line)
        mesh.write_text(text.replace(port, port.replace("port: ", "port: 1"), 1))
        rows += [
            ("diff, a port changed everywhere", seconds(*MESHC, "diff", "--base", "HEAD", cwd=folder, codes=(1,))),
            ("check, a port changed everywhere", seconds(*MESHC, "check", cwd=folder, codes=(1,))),
        ]
    start = rows[0][1]
    print(f"| {clusters} clusters, {services} services | seconds | times a bare start |\n|---|---|---|")
    for name, took in rows:
        print(f"| {name} | {took:.2f} | {took / start:.1f} |")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:3] or ("100", "500")))
