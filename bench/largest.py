"""Times the largest fleets, and Git with the written files: python bench/largest.py [--sizes 1000x500] [--write]

Measures each fleet of fleet.py in its own repository: a compile, git add and git commit of all files, then the same
after a port changed in every cluster. --write writes the table between its marks in docs/performance.md.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from fleet import fleet
from measuring import MESHC, Run, measure

PAGE = Path(__file__).parent.parent / "docs/performance.md"
_MARKS = re.compile("(?<=<!-- largest -->\n).*(?=<!-- /largest -->)", re.DOTALL)
_AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@example.com")
_TREES = ("overlays", "output")


def column(folder: Path, clusters: int, services: int) -> dict[str, str]:
    """The figures of one fleet."""
    subprocess.run(["git", "init", "-q", folder], check=True)
    mesh = folder / "mesh.yaml"
    mesh.write_text(fleet(clusters, services))

    def git(*words: str) -> Run:
        return measure("git", *_AUTHOR, *words, cwd=folder)

    first = measure(*MESHC, "compile", cwd=folder)
    added, committed = git("add", "."), git("commit", "-qm", "one")
    mesh.write_text(mesh.read_text().replace("port: 8080", "port: 8081", 1))
    again = measure(*MESHC, "compile", cwd=folder)
    files = [path for tree in _TREES for path in (folder / tree).rglob("*") if path.is_file()]
    sizes = [path.stat().st_size for path in files]
    return {
        "objects in output/": f"{sum(map(_objects, (folder / 'output').rglob('*.yaml'))):,}",
        "files": f"{len(files):,}",
        "bytes": f"{sum(sizes) / 1e6:.0f} MB",
        "meshc compile": _shown(first),
        "git add": str(added),
        "git commit": str(committed),
        "meshc compile, a port changed in every cluster": _shown(again),
        "git add and commit of that": str(_sum(git("add", "."), git("commit", "-qm", "two"))),
        "Git's objects": f"{_size_of_git(folder) / 1e6:.0f} MB",
    }


def _shown(run: Run) -> str:
    return f"{run}, {run.mebibytes:.0f} MiB"


def _sum(*runs: Run) -> Run:
    return Run(sum(one.seconds for one in runs), sum(one.processor for one in runs), max(r.mebibytes for r in runs))


def _objects(path: Path) -> int:
    return 0 if path.name == "kustomization.yaml" else path.read_bytes().count(b"\nkind: ")


def _size_of_git(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / ".git/objects").rglob("*") if path.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="250x500,500x500,1000x500", help="clusters x services of each fleet")
    parser.add_argument("--write", action="store_true", help=f"write the table into {PAGE.name}")
    asked = parser.parse_args()
    columns: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as top:
        for size in asked.sizes.split(","):
            print(f"{size} ...", file=sys.stderr, flush=True)
            clusters, services = map(int, size.split("x"))
            columns[size] = column(Path(tempfile.mkdtemp(dir=top)), clusters, services)
    lines = [f"| clusters x services | {' | '.join(columns)} |", "|---|" + "---|" * len(columns)]
    for name in next(iter(columns.values())):
        lines.append(f"| {name} | {' | '.join(found[name] for found in columns.values())} |")
    text = "\n".join([*lines, ""])
    if asked.write:
        PAGE.write_text(_MARKS.sub(lambda _: text, PAGE.read_text()))
    else:
        print(text)


if __name__ == "__main__":
    main()
