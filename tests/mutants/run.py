"""Changes the checks and the overlays in small ways, and reports which changes no case notices: `make mutants`.

mutmut writes the changed functions, finds out which cases call each, and runs those until one fails. It gets a copy of
the code and of the cases in the virtual environment, as it wants a layout of its own and rewrites what it is given.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from argparse import ArgumentParser
from collections import Counter
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACE = Path(sys.prefix) / "share/mutants"
MUTMUT = [sys.executable, "-m", "mutmut"]


def main() -> None:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, default=60, help="how long it may run; what is left is counted")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("mutants", nargs="*", help="names as reported, or patterns of them; default: all")
    options = parser.parse_args()
    stage()
    command = [*MUTMUT, "run", "--max-children", str(options.processes), *options.mutants]
    process = subprocess.Popen(command, cwd=PLACE, start_new_session=True)
    try:
        ended = process.wait(60 * options.minutes)
    except subprocess.TimeoutExpired:
        ended = 0  # the report counts the mutants that weren't run
    finally:
        with suppress(ProcessLookupError):  # the processes that mutmut started for single mutants too
            os.killpg(process.pid, signal.SIGKILL)
    if ended:
        sys.exit(ended)
    report()


def stage() -> None:
    """Lays out what mutmut wants. Cases with symbolic links are left out, as mutmut follows links when it copies."""
    shutil.rmtree(PLACE, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "compiler", PLACE / "src", ignore=ignored)
    shutil.copytree(ROOT / "tests", PLACE / "tests", symlinks=True, ignore=ignored)
    shutil.copy(Path(__file__).with_name("pyproject.toml"), PLACE)
    for case in [file.parent for file in (PLACE / "tests/cases").rglob("mesh.yaml")]:
        if any(path.is_symlink() for path in case.rglob("*")):
            shutil.rmtree(case)


def report() -> None:
    """Prints the survivors with their changes, and the score: killed mutants among those that were run."""
    subprocess.run([*MUTMUT, "export-cicd-stats"], cwd=PLACE, check=True, capture_output=True)
    counted: Counter[str] = Counter(json.loads((PLACE / "mutants/mutmut-cicd-stats.json").read_text()))
    listed = subprocess.run([*MUTMUT, "results"], cwd=PLACE, check=True, capture_output=True, text=True).stdout
    for line in listed.splitlines():
        name, _, outcome = line.strip().partition(": ")
        if outcome in ("survived", "no tests"):
            shown = subprocess.run([*MUTMUT, "show", name], cwd=PLACE, check=True, capture_output=True, text=True)
            print(f"{outcome}: {name}\n{shown.stdout}")
    noticed = counted["killed"] + counted["timeout"] + counted["suspicious"] + counted["segfault"]
    run = noticed + counted["survived"] + counted["no_tests"]
    print(f"{noticed} of {run} mutants noticed ({noticed / max(run, 1):.1%}), {counted['total'] - run} not run")


if __name__ == "__main__":
    main()
