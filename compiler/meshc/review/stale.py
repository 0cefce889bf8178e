"""Compares both trees on disk with the trees that a compile would write: which files differ, and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from typing import TYPE_CHECKING, NamedTuple

from meshc.errors import Place
from meshc.output.trees import OUTPUT, OVERLAYS, out_of_step
from meshc.overlays.layout import BASES
from meshc.plain import count
from meshc.review.differing import differing, unified

if TYPE_CHECKING:
    from meshc.plan.ir import Plan
    from meshc.review.behind import Behind
    from meshc.review.honest import Honest
    from meshc.review.lines import Block
    from meshc.tree import FileTree

_SHOWN, _WIDTH = 8, 160
_SECRET = re.compile(rb"""(?m)^[ \t\r\f\v{-]*["']?kind["']?\s*:\s*["']?(Secret|List)\b|stringData""")
_WORDS = (b"Secret", b"List", b"stringData")
"""Each match of the pattern above contains one of these words."""
_DATA = re.compile(rb"""(?m)[dD]ata["']?\s*:(?<!metadata:)""")
"""Matches files whose lines aren't shown, because a manual edit may have added a secret."""


class State(StrEnum):
    """The state of a file."""

    MISSING = "missing"
    LEFT_OVER = "left over"
    STALE = "stale"
    EDITED = "edited by hand"
    BOTH = "stale and edited by hand"
    OTHER_TOOL = "written by another version"
    LINE_ENDS = "line ends changed"


@dataclass(frozen=True, slots=True)
class Stale:
    """One file that differs: its path, its first lines that differ, and the changed input that causes the difference,
    if that is known."""

    path: str
    state: State
    lines: tuple[str, ...]
    because: tuple[str, ...] = ()


@dataclass(frozen=True)
class Input:
    """Changes of the input since the trees were last committed: lines of the mesh, and other files."""

    lines: tuple[Place, ...]
    """The changed lines of mesh.yaml and its parts."""
    files: tuple[str, ...]
    blocks: Mapping[str, Block]
    """The lines that are about one cluster."""
    behind: Behind
    shown: Callable[[str], str]

    @cached_property
    def of_no_cluster(self) -> list[Place]:
        """The changed lines that aren't about one cluster."""
        return [line for line in self.lines if not any(block.holds(line) for block in self.blocks.values())]


class Pair(NamedTuple):
    """The trees on disk, and the trees that a compile would write."""

    found: FileTree
    expected: FileTree


def stale_files(
    pair: Pair, plan: Plan, honest: Honest | None, *, same_tools: bool, since: Input | None
) -> Iterator[Stale]:
    """Every file that differs from the compiled one, in the order of paths."""
    states = _States(pair, plan, honest, same_tools)
    lines_of = cache(lambda old, new: tuple(_lines(old, new)))  # many clusters have the same file
    for path in states.differing:
        what = states.of(path)
        both = path in pair.found and path in pair.expected
        lines = lines_of(pair.found[path], pair.expected[path]) if both else ()
        known = since is not None and what in (State.STALE, State.MISSING, State.LEFT_OVER, State.BOTH)
        yield Stale(path, what, lines, _because(path, since) if known and since else ())


class _States:
    """Finds the cause of each file that differs.

    output/ is the result of overlays/, so if only one of the two differs, that one was edited. If both differ, `honest`
    checks whether a cluster's output is the result of its overlay. `honest` is None if only output/ exists.
    """

    def __init__(self, pair: Pair, plan: Plan, honest: Honest | None, same_tools: bool) -> None:
        self.differing = dict(out_of_step(pair.found, pair.expected))
        self._converted = {
            path
            for path, what in self.differing.items()
            if what == "stale" and _is_converted(pair.found[path], pair.expected[path])
        }
        others = {path: what for path, what in self.differing.items() if path not in self._converted}
        folders = {"/".join(path.split("/")[:depth]) for path in others for depth in (2, 3)}
        self._rendered = {one.name: f"{OUTPUT}/{one.name}" in folders for one in plan.clusters}
        self._laid_out = {
            one.name: f"{OVERLAYS}/{one.name}" in folders
            or any(f"{OVERLAYS}/{BASES}/{base}" in folders for base in one.bases)
            for one in plan.clusters
        }
        both = [name for name in self._rendered if same_tools and self._rendered[name] and self._laid_out[name]]
        self._is_honest = honest.told(both) if honest else {}
        self._honest, self._same_tools = honest, same_tools
        self._clients = {base.name: base.clients for base in plan.bases}

    def of(self, path: str) -> State:
        """The state of a file that differs."""
        if path in self._converted:
            return State.LINE_ENDS
        if self.differing[path] != "stale":
            return State(self.differing[path])
        if not self._same_tools:
            return State.OTHER_TOOL
        if self._honest is None:
            return State.STALE
        tree, folder, rest = path.split("/", 2)
        names = self._clients.get(rest.partition("/")[0], ()) if folder == BASES else (folder,)
        other = self._laid_out if tree == OUTPUT else self._rendered
        if not any(other.get(name, True) for name in names):
            return State.EDITED
        follows = tree == OVERLAYS or self._is_honest.get(folder, True) or self._honest.follows(path)
        return State.STALE if follows else State.BOTH


def changed_lines(before: bytes, after: bytes, shown: str) -> tuple[Place, ...]:
    """The changed lines of a file, counted from 1. If lines were removed, the line that is now at their place."""
    old, new = (data.decode(errors="replace").split("\n") for data in (before, after))
    found: list[int] = []
    for _, _, first, last in differing(old, new):
        found += range(first + 1, max(last, first + 1) + 1)
    return tuple(Place(shown, line) for line in found if line <= len(new))


def _because(path: str, since: Input) -> tuple[str, ...]:
    """The user's changed files that a file comes from, and the changed lines of its own cluster.

    If there are neither, the changed lines that belong to no cluster, else all other changed files.
    """
    files = [since.shown(one) for one in since.behind.of(path, since.files)]
    own = since.blocks.get(path.split("/")[1])
    mine = [line for line in since.lines if own and own.holds(line)]
    chosen = mine if files else mine or since.of_no_cluster or since.lines
    lines = [f"{line.file}:{line.line}" for line in _firsts(chosen)]
    return tuple((files + lines or [since.shown(one) for one in since.files])[:_SHOWN])


def _firsts(lines: Iterable[Place]) -> Iterator[Place]:
    """The first of each run of lines."""
    last = Place("")
    for line in lines:
        if (line.file, line.line) != (last.file, last.line + 1):
            yield line
        last = line


def _has_secret(data: bytes) -> bool:
    """True if a document in a file may contain a secret."""
    if not any(word in data for word in _WORDS):  # faster than the patterns
        return False
    return any(_SECRET.search(text) and _DATA.search(text) for text in data.split(b"\n---\n"))


def _is_converted(old: bytes, new: bytes) -> bool:
    """True if only the line endings differ, because a checkout converted them to those of Windows."""
    return old.replace(b"\r\n", b"\n") == new


def _lines(old: bytes, new: bytes) -> Iterator[str]:
    if _is_converted(old, new):
        yield "only the line endings differ: they are CRLF"
        return
    if any(map(_has_secret, (old, new))):
        yield "the file contains a Secret, so its lines aren't shown: run meshc check --diff"
        return
    before, after = (data.decode(errors="replace").splitlines() for data in (old, new))
    changed = list(unified(before, after))
    for line in changed[:_SHOWN]:
        yield line if len(line) <= _WIDTH else line[: _WIDTH - 3] + "..."
    if len(changed) > _SHOWN:
        yield f"... and {count(len(changed) - _SHOWN, 'more line')}"
