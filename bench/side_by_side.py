"""Compares meshc with other tools and with plain writes: python bench/side_by_side.py [--sizes 10x50,...] [--write]

For each fleet, it times whole processes: meshc, kustomize for the same overlays and helm for a chart with a loop (both
in parallel on all processors), Kapitan and cdk8s if peers.py finds them, and a script that only writes the same bytes.
It prints medians and ratios. All must have made the same objects. --write writes the tables between the marks of
docs/performance.md.

Nothing is deleted before the end, because for some minutes ext4 skips the inodes of deleted files one by one. This
makes creating files up to three times slower.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fleet import fleet
from measuring import MESHC, NAMED, Run, in_those_of, measure, measure_all, median
from peers import prepare_kapitan, runs
from rivals import HELM, KUSTOMIZE, prepare_chart, prepare_writes, refuse_differences

SIZES = "10x50,50x200,100x500,1000x50"
PAGE = Path(__file__).parent.parent / "docs/performance.md"
_MARKS = re.compile("(?<=<!-- bench -->\n).*(?=<!-- /bench -->)", re.DOTALL)
_WRITTEN = ("overlays", "output")


class Row(NamedTuple):
    """One row of the table: the program to run. A program that takes minutes runs only once. A row without a name isn't
    shown."""

    name: str
    run: Callable[[], Run]
    slow: bool = False


def rows_of(folder: Path, rivals: Path) -> list[Row]:
    """Everything that is timed in a fleet's folder, in this order, because each row makes the files that the next row
    needs."""
    changes = iter(range(1, 250))
    text = (folder / "mesh.yaml").read_text()

    def meshc(*words: str) -> Run:
        return measure(*MESHC, *words, cwd=folder)

    def fresh(*words: str) -> Run:
        before = Path(tempfile.mkdtemp(prefix="before-", dir=rivals))
        for name in _WRITTEN:
            (folder / name).rename(before / name)
        return meshc("compile", *words)

    def one_changed() -> Run:
        (folder / "mesh.yaml").write_text(_with_a_change(text, next(changes)))
        return meshc("compile")

    def restored() -> Run:
        (folder / "mesh.yaml").write_text(text)
        return meshc("compile")

    overlays = [path.name for path in sorted((folder / "overlays").iterdir()) if path.name[0] != "_"]
    built = [([*KUSTOMIZE, f"overlays/{name}"], rivals / f"{name}.kustomize") for name in overlays]
    looped = [([*HELM, "template", "mesh", "chart", "-f", f"{n}.values.json"], rivals / f"{n}.helm") for n in overlays]
    rows = [
        Row("meshc compile, kustomize builds everything", lambda: fresh("--link", "kustomize"), slow=True),
        Row("meshc compile", fresh),
        Row("meshc compile, nothing changed", lambda: meshc("compile")),
        Row("meshc check, nothing changed", lambda: meshc("check")),
        Row("meshc compile, one cluster changed", one_changed),
        Row("", restored),
        Row("kustomize over the same overlays", lambda: measure_all(built, folder), slow=True),
        Row("helm over a chart with a loop", lambda: measure_all(looped, rivals), slow=True),
        *(Row(name, run, slow=True) for name, run in runs(rivals).items()),
        Row("a script that writes the same bytes", lambda: measure(sys.executable, "write.py", cwd=rivals)),
        Row("the script, with fsync of each file", lambda: measure(sys.executable, "write.py", "--sync", cwd=rivals)),
    ]
    return [row for row in rows if HELM[0] or "helm" not in row.name]


def _with_a_change(text: str, number: int) -> str:
    """The mesh in which one remote has its own address of the control plane, and so another overlay."""
    head, mark, tail = text.partition("    - name: us-1\n")
    return f"{head}{mark}      controlPlaneAddresses: {{istiod: 203.0.113.{number}}}\n{tail}"


def measured(top: Path, clusters: int, services: int, repeats: int) -> dict[str, Run]:
    """Measures one fleet in its own Git repository, below `top`. Returns the median of each row."""
    folder, rivals = (Path(tempfile.mkdtemp(dir=top)) for _ in range(2))
    subprocess.run(["git", "init", "-q", folder], check=True)
    (folder / "mesh.yaml").write_text(fleet(clusters, services))
    measure(*MESHC, "compile", cwd=folder)
    prepare_chart(folder, rivals)
    prepare_writes(folder, rivals)
    prepare_kapitan(rivals)
    rows = rows_of(folder, rivals)
    found = {row.name: median(row.run, 1 if row.slow else repeats) for row in rows}
    refuse_differences(folder, rivals)
    del found[""]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=SIZES, help="clusters x services of each fleet")
    parser.add_argument("--repeats", type=int, default=5, help="runs whose median is shown; once for what is slow")
    parser.add_argument("--write", action="store_true", help=f"write the tables into {PAGE.name}")
    asked = parser.parse_args()
    fleets = {}
    with tempfile.TemporaryDirectory() as top:
        for size in asked.sizes.split(","):
            clusters, services = map(int, size.split("x"))
            print(f"{size} ...", file=sys.stderr, flush=True)
            fleets[size] = measured(Path(top), clusters, services, asked.repeats)
    text = "\n".join([machine(asked.repeats), table(fleets), starts(asked.repeats)])
    if asked.write:
        PAGE.write_text(_MARKS.sub(lambda _: text, PAGE.read_text()))
    else:
        print(text)


def table(fleets: dict[str, dict[str, Run]]) -> str:
    """A row for each program, a column for each fleet."""
    ours = "meshc compile"
    names = list(next(iter(fleets.values())))
    lines = [f"| clusters x services | {' | '.join(fleets)} |", "|---|" + "---|" * len(fleets)]
    for name in names:
        lines.append(f"| {name} | {' | '.join(str(found[name]) for found in fleets.values())} |")
    for name in [name for name in names if "meshc" not in name]:
        lines.append(f"| **{name}, in multiples of meshc compile** | {' | '.join(_ratios(fleets, name, ours))} |")
    most = [f"{found[ours].mebibytes:.0f} MiB" for found in fleets.values()]
    return "\n".join([*lines, f"| most memory of meshc compile | {' | '.join(most)} |", ""])


def _ratios(fleets: dict[str, dict[str, Run]], name: str, ours: str) -> list[str]:
    return [in_those_of(found[name], found[ours]) for found in fleets.values()]


def starts(repeats: int) -> str:
    """A table with the times of the smallest commands, compared with their imports."""
    here = Path.cwd()
    complete = {"_MESHC_COMPLETE": "complete_bash", "COMP_WORDS": "meshc comp", "COMP_CWORD": "1"}
    runs = {
        "python -c 'import typer'": lambda: measure(sys.executable, "-c", "import typer", cwd=here),
        "meshc --version": lambda: measure(*MESHC, "--version", cwd=here),
        "completion of a command": lambda: measure(*NAMED, cwd=here, variables=complete),
        "python -c 'import typer, pydantic, yaml'": lambda: measure(sys.executable, "-c", _IMPORTS, cwd=here),
    }
    found = {name: median(run, repeats * 4) for name, run in runs.items()}
    lines = [f"| {name} | {run.seconds:.3f} s ({run.processor:.3f}) |" for name, run in found.items()]
    return "\n".join(["| start | takes |", "|---|---|", *lines, ""])


_IMPORTS = "import typer, pydantic, yaml"


def machine(repeats: int) -> str:
    """A description of the machine, which the figures depend on."""
    told = subprocess.run([*KUSTOMIZE[:1], "version", "--client"], capture_output=True, text=True, check=True).stdout
    kustomize = found[1] if (found := re.search(r"Kustomize Version: v(\S+)", told)) else told.strip()
    facts = [f"{os.cpu_count()} processors", f"Python {platform.python_version()}", f"kustomize {kustomize}"]
    if HELM[0]:
        version = subprocess.run([HELM[0], "version", "--short"], capture_output=True, text=True, check=True).stdout
        facts.append(f"helm {version.strip().partition('+')[0].lstrip('v')}")
    return f"{', '.join(facts)}; medians of {repeats} runs (slow rows: one run). In brackets: processor seconds.\n"


if __name__ == "__main__":
    main()
