"""Defines `Problem`, one fault in the user's input, and the few exceptions with their exit codes."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Path = tuple[str | int, ...]
"""The path of a value inside a document: `("spec", "clusters", 1, "network")`."""


class Exit(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    DIFFERS = 1
    USAGE = 2
    WRONG_INPUT = 3
    TOOL = 4
    REFUSED = 5
    BUG = 70


class Severity(StrEnum):
    """How much a problem matters. Only errors stop a compile."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """A position in a file, counted as editors do: lines and columns from 1. Line 0 means the whole file."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The fix of a problem: the key or value `was` at the problem's place becomes `value`."""

    was: str
    value: str | int | bool


@dataclass(frozen=True, slots=True)
class Rename:
    """The fix of a problem: the file at the problem's place is renamed to this path, which has the same base as the
    path of the place."""

    to: str


Fix = Rewrite | Rename


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: its stable code, its place, what is wrong, and what to do next.

    `what` and `hint` are lower case without a full stop, never contain a secret, and quote values with double quotes.
    `path` is the path of the value inside its document (`spec.clusters[1].network`), `also` are other places that are
    part of the fault, and `clusters` are the affected clusters (`acknowledge` selects by them). `fix` is set only if
    the right value is certain.
    """

    code: Code
    place: Place
    what: str
    hint: str = ""
    path: str = ""
    also: tuple[Place, ...] = ()
    clusters: tuple[str, ...] = ()
    fix: Fix | None = None

    @property
    def severity(self) -> Severity:
        return self.code.severity

    @property
    def order(self) -> tuple[Place, str, str]:
        """The key for `sorted`: file order, so that reports never depend on the order of checks."""
        return (self.place, self.code.id, self.what)


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of problem. The meaning of an `id` never changes. Everything else comes from the top of its page in
    `pages/`."""

    id: str

    @property
    def title(self) -> str:
        """What is wrong, in a few words."""
        return _page(self.id).title

    @property
    def advice(self) -> str:
        """What to do about it, in one line."""
        return _page(self.id).advice

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return next(severity for severity in Severity if severity in _page(self.id).marks)

    @property
    def exit(self) -> Exit:
        """The exit code of a command that this problem stops."""
        return Exit.REFUSED if "refused" in _page(self.id).marks else Exit.WRONG_INPUT

    @property
    def acknowledgeable(self) -> bool:
        """True if a person may accept the problem with a reason."""
        return "can be acknowledged" in _page(self.id).marks

    def at(
        self,
        place: Place,
        what: str,
        hint: str = "",
        *,
        path: str = "",
        also: Iterable[Place] = (),
        clusters: Iterable[str] = (),
        fix: Fix | None = None,
    ) -> Problem:
        """A problem of this kind at `place`."""
        return Problem(self, place, what, hint, path, tuple(also), tuple(clusters), fix)


@dataclass(frozen=True, slots=True)
class _Page:
    title: str
    marks: tuple[str, ...]
    advice: str


@cache
def _page(code: str) -> _Page:
    """The top of a page: `# MESH001: title`, an empty line, `*error, refused*: advice`."""
    with (_PAGES / f"{code}.md").open(encoding="utf-8") as page:
        title, _, about = (page.readline().rstrip("\n") for _ in range(3))
    marks, _, advice = about.partition("*: ")
    return _Page(title.partition(": ")[2], tuple(marks.strip("*").split(", ")), advice)


_PAGES = pathlib.Path(__file__).with_name("pages")


class MeshcError(Exception):
    """An error that ends a command without a traceback: `what` says what is wrong, and `hint` what to do next.

    Both are for the user. `str` gives the text that a terminal shows.
    """

    exit: Exit = Exit.WRONG_INPUT

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what, hint)
        self.what, self.hint = what, hint

    def __str__(self) -> str:
        return f"{self.what}\n  hint: {self.hint}" if self.hint else self.what


class ProblemsError(MeshcError):
    """The input is wrong: carries every problem found, in file order. Exit 5 if any of them is a refusal, else 3."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: Sequence[Problem] = sorted(problems, key=lambda p: p.order)
        super().__init__(f"{len(self.problems)} problems")
        refused = any(p.severity is Severity.ERROR and p.code.exit is Exit.REFUSED for p in self.problems)
        self.exit = Exit.REFUSED if refused else Exit.WRONG_INPUT


def stop_on(problems: Iterable[Problem]) -> None:
    """Raises ProblemsError if any of the problems is an error."""
    found = list(problems)
    if any(problem.severity is Severity.ERROR for problem in found):
        raise ProblemsError(found)


class UsageError(MeshcError):
    """The command line names something that doesn't exist: a cluster, a code, a file."""

    exit = Exit.USAGE


class ToolError(MeshcError):
    """An external tool is missing, is too old, or failed."""

    exit = Exit.TOOL


class BuildError(ToolError):
    """kustomize ran and refused its input: the user's files are wrong, not the tool."""


class RefusedError(MeshcError):
    """Stopped for safety: a file that meshc didn't make, a path outside the repository, another running meshc."""

    exit = Exit.REFUSED


def dotted(path: Path) -> str:
    """`("spec", "clusters", 1)` as people write a path: `spec.clusters[1]`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
