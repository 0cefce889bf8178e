"""Finds the cases in tests/cases/<area>/<name>/, and the trees that each case expects.

If a file has the same bytes in overlays/ and output/, it is stored once, in expected/tree/both/. Files that differ, or
that are in only one of the trees, are in expected/tree/overlays/ and expected/tree/output/.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from support.paths import TESTS

CASES = sorted(folder for folder in (TESTS / "cases").glob("*/*") if folder.is_dir())
ELSEWHERE = {"MESH009", "MESH020", "MESH032", "MESH428"}
"""Problems without a case, because a case would need megabytes, many files, or a committed .meshc."""

Files = Mapping[str, bytes]


def find_case(name: str) -> Path:
    """The folder of a case by its name, which is unique in all areas."""
    (found,) = [case for case in CASES if case.name == name]
    return found


def id_of(case: Path) -> str:
    """`area/name`, as pytest shows it."""
    return f"{case.parent.name}/{case.name}"


def read(folder: Path, within: str = "") -> dict[str, bytes]:
    """All files in a folder by path, except Git's. `within` is the prefix of each path."""
    return {
        f"{within}{path.relative_to(folder)}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git/" not in f"{path}"
    }


def expected_trees(case: Path) -> dict[str, bytes]:
    """The files of overlays/ and output/ that a case expects, by path. Empty if it expects none."""
    return unfolded(read(case / "expected/tree"))


def folded(trees: Files) -> dict[str, bytes]:
    """overlays/ and output/ in the form in which a case stores them."""
    kept: dict[str, bytes] = {}
    for path, data in trees.items():
        tree, _, rest = path.partition("/")
        other = "output" if tree == "overlays" else "overlays"
        kept[f"both/{rest}" if trees.get(f"{other}/{rest}") == data else path] = data
    return kept


def unfolded(kept: Files) -> dict[str, bytes]:
    """overlays/ and output/ in the form in which a compile writes them. Raises ValueError if a file is stored twice."""
    trees: dict[str, bytes] = {}
    for path, data in kept.items():
        tree, _, rest = path.partition("/")
        for name in ("overlays", "output") if tree == "both" else (tree,):
            if f"{name}/{rest}" in trees:
                raise ValueError(f"{name}/{rest} is kept twice")
            trees[f"{name}/{rest}"] = data
    return trees
