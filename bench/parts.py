"""Compares a fleet in many files with the same fleet in one file: python bench/parts.py [--size 300x200] [--files 40]
[--write]

Both compile to the same bytes. Runs of the two alternate, so that a busy machine slows both. The figures are medians of
five runs, with the ratio of the parts to the one file. --write writes the table between its marks in
docs/performance.md.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from fleet import fleet, parted
from measuring import MESHC, NAMED, Run, in_those_of, measure, middle

PAGE = Path(__file__).parent.parent / "docs/performance.md"
RUNS = 5
_MARKS = re.compile("(?<=<!-- parts -->\n).*(?=<!-- /parts -->)", re.DOTALL)
_COMPLETE = {"_MESHC_COMPLETE": "complete_bash", "COMP_WORDS": "meshc plan -c e", "COMP_CWORD": "3"}


def made(folder: Path, files: dict[str, str]) -> Path:
    """Makes a repository of these files, compiled and committed."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    subprocess.run(["git", "init", "-q", folder], check=True)
    measure(*MESHC, "compile", cwd=folder)
    return folder


def rows(top: Path, folder: Path) -> dict[str, Callable[[], Run]]:
    """The runs that are timed in a folder. The first is a compile without trees and without a cache."""

    def fresh() -> Run:
        before = Path(tempfile.mkdtemp(dir=top))
        for name in ("overlays", "output", ".git/meshc"):
            (folder / name).rename(before / Path(name).name)
        return measure(*MESHC, "compile", cwd=folder)

    return {
        "compile, no trees and no cache": fresh,
        "compile, up to date": lambda: measure(*MESHC, "compile", cwd=folder),
        "check, up to date": lambda: measure(*MESHC, "check", cwd=folder),
        "check, nothing remembered": lambda: measure(*MESHC, "check", "--no-cache", cwd=folder),
        "validate": lambda: measure(*MESHC, "validate", cwd=folder),
        "completion of a cluster's name": lambda: measure(*NAMED, cwd=folder, variables=_COMPLETE),
    }


def table(clusters: int, services: int, files: int) -> str:
    """The table. Ends with an error if the two fleets don't compile to the same bytes."""
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        one = made(top / "one", {"mesh.yaml": fleet(clusters, services)})
        many = made(top / "many", parted(clusters, services, files))
        for tree in ("overlays", "output"):
            subprocess.run(["diff", "-rq", one / tree, many / tree], check=True)
        lines = [f"| {clusters}x{services} | one file | {files} files | in runs of one file |", "|---|---|---|---|"]
        for what, run in rows(top, one).items():
            pairs = [(run(), rows(top, many)[what]()) for _ in range(RUNS)]
            alone, parts = (middle(runs) for runs in zip(*pairs, strict=True))
            lines.append(f"| {what} | {alone} | {parts} | {in_those_of(parts, alone)} |")
    load = f"{before:.1f} before and {os.getloadavg()[0]:.1f} after"
    return (
        f"{os.cpu_count()} processors, load {load}; medians of {RUNS}, processor seconds in brackets.\n\n"
        + "\n".join([*lines, ""])
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="300x200", help="clusters x services")
    parser.add_argument("--files", type=int, default=40, help="how many parts")
    parser.add_argument("--write", action="store_true", help=f"write the table into {PAGE.name}")
    asked = parser.parse_args()
    clusters, services = map(int, asked.size.split("x"))
    text = table(clusters, services, asked.files)
    if asked.write:
        PAGE.write_text(_MARKS.sub(lambda _: text, PAGE.read_text()))
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
