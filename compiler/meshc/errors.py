"""What can go wrong: `Problem`, one fault of the user's input, and the few exceptions with their exit codes."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Path = tuple[str | int, ...]
"""Where a value stands inside a document: `("spec", "clusters", 1, "network")`."""


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
    """A spot in a file, as editors count: lines and columns from 1. Line 0 means the file as a whole."""

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
    """The fix of a problem: the file at the problem's place gets this path, which is shown like that of the place."""

    to: str


Fix = Rewrite | Rename


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: a stable code, where it is, what is wrong, and what to do next.

    `what` and `hint` are lower case without a full stop, never hold a secret, and quote values with double
    quotes. `path` names the value inside its document (`spec.clusters[1].network`), `also` the other places
    that take part, `clusters` the clusters it is about (what `acknowledge` selects on). `fix` is there where it is
    certain what was meant.
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
        """File order: what `sorted` uses, so that reports never depend on the order of checks."""
        return (self.place, self.code.id, self.what)


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of problem. `id` never changes its meaning; all else stands at the top of its page in `pages/`."""

    id: str

    @property
    def title(self) -> str:
        """What is wrong, in a few words."""
        return _page(self.id).title

    @property
    def advice(self) -> str:
        """What to do about it, in a line."""
        return _page(self.id).advice

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return next(severity for severity in Severity if severity in _page(self.id).marks)

    @property
    def exit(self) -> Exit:
        """The exit code of a command that it stops."""
        return Exit.REFUSED if "refused" in _page(self.id).marks else Exit.WRONG_INPUT

    @property
    def acknowledgeable(self) -> bool:
        """Whether a person may accept it with a reason."""
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
        """The problem of this kind at `place`."""
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
    """Anything that ends a command in good order: `what` is the matter, and in `hint` what to do next.

    Both are for the user, who sees no traceback. As text an exception is what a terminal shows.
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
    """The command line names what isn't there: a cluster, a code, a file."""

    exit = Exit.USAGE


class ToolError(MeshcError):
    """An outside tool is missing, too old or failed."""

    exit = Exit.TOOL


class BuildError(ToolError):
    """kustomize ran and refused what it was given: the user's files are wrong, not the tool."""


class RefusedError(MeshcError):
    """Stopped for safety: a file that isn't ours, a path outside the repository, another meshc at work."""

    exit = Exit.REFUSED


def dotted(path: Path) -> str:
    """`("spec", "clusters", 1)` as people write it: `spec.clusters[1]`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
