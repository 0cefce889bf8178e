"""Runs Git so that the settings of a hostile repository have no effect, and returns its output.

The settings are in Git's environment, so they also apply to every program that Git starts, and a caller can't forget
them. Every argument from outside was checked by `address`, or is the name of an object.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from subprocess import PIPE, TimeoutExpired
from typing import TYPE_CHECKING

from meshc.children import CHILDREN
from meshc.errors import RefusedError, ToolError
from meshc.git import ForeignRepositoryError, is_foreign
from meshc.supported import GIT

if TYPE_CHECKING:
    from git.cmd import Git as Program

Settings = Sequence[tuple[str, str]]

_OLDEST = f"{GIT.major}.{GIT.minor}"
_ELSEWHERE = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_NAMESPACE"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_SHALLOW_FILE"),
)
_GUARDS: Settings = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", os.devnull),
    ("core.alternateRefsCommand", ":"),
    ("core.pager", "cat"),
    ("diff.external", ""),
    ("fetch.recurseSubmodules", "false"),
    ("push.recurseSubmodules", "no"),
    ("push.gpgSign", "false"),
    ("push.followTags", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("i18n.commitEncoding", "utf-8"),
    ("safe.bareRepository", "explicit"),
)
_USERINFO = re.compile(r"(https?://)[^/\s@]*@")
_LONGEST = 600.0


class GitError(ToolError):
    """Git failed: `said` is Git's message, without possible passwords."""

    def __init__(self, command: str, said: str) -> None:
        self.said = _USERINFO.sub(r"\1", said).strip()
        lines = "".join(f"\n  {line}" for line in self.said.splitlines()[:12])
        super().__init__(f"git {command} failed{lines}")


class Git:
    """Git in one folder. `settings` have lower priority than the user's own, `guards` have the highest.

    `protocols` are the allowed protocols (`https:ssh`); by default none.
    """

    def __init__(
        self,
        folder: Path,
        *,
        settings: Settings = (),
        guards: Settings = (),
        protocols: str = "none",
        bare: bool = False,
    ) -> None:
        self._folder, self._bare = folder, bare
        self._program = _program(folder)
        self._environment = {
            "GIT_ALLOW_PROTOCOL": protocols,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_LITERAL_PATHSPECS": "1",
            **_numbered([*settings, *_of_the_person(), *_GUARDS, *guards]),
        }

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """The output of Git. Raises GitError."""
        code, out, said = self._start(arguments, stdin)
        if code and is_foreign(said):
            raise ForeignRepositoryError(self._folder, said)
        if code:
            raise GitError(arguments[0], said)
        return out

    def lines(self, *arguments: str) -> list[str]:
        """The lines of Git's output. Raises GitError."""
        return self.run(*arguments).decode(errors="replace").splitlines()

    def find(self, *arguments: str) -> str:
        """The first line of Git's output; "" if there is none."""
        code, out, _ = self._start(arguments, b"")
        return "" if code else out.decode(errors="replace").partition("\n")[0]

    def values(self, key: str) -> list[str]:
        """Every value of a setting."""
        return self._start(("config", "--get-all", "-z", key), b"")[1].decode(errors="replace").split("\0")[:-1]

    def holds(self, *arguments: str) -> bool:
        """True if Git exits with 0."""
        return self._start(arguments, b"")[0] == 0

    def _start(self, arguments: Iterable[str], stdin: bytes) -> tuple[int, bytes, str]:
        where = (f"--git-dir={self._folder}",) if self._bare else ()
        running = self._program.execute(
            [self._program.GIT_PYTHON_GIT_EXECUTABLE or "git", *where, *arguments],
            istream=PIPE,
            as_process=True,
            env=self._environment,
            process_group=CHILDREN.group(in_foreground=self._environment["GIT_ALLOW_PROTOCOL"] != "none"),
        )
        try:
            out, said = running.communicate(stdin, timeout=_LONGEST)
        except TimeoutExpired:
            running.kill()
            raise ToolError(f"git took longer than {_LONGEST:.0f} s and was stopped") from None
        return running.returncode, out, said.decode(errors="replace")


def _program(folder: Path) -> Program:
    for name in _ELSEWHERE:
        if name in os.environ:
            hint = f"unset it; in a hook: env -u {name} meshc publish"
            raise RefusedError(f"{name} is set, which makes Git use another repository", hint)
    try:
        from git.cmd import Git as Program
    except ImportError:
        raise ToolError("git wasn't found", f"install Git {_OLDEST} or later") from None
    program = Program(str(folder))
    if program.version_info[:2] < GIT.line:
        found = ".".join(map(str, program.version_info))
        raise ToolError(
            f"this is Git {found}, which can't ignore a repository's settings", f"install Git {_OLDEST} or later"
        )
    return program


def _of_the_person() -> list[tuple[str, str]]:
    """Settings that are already in the environment; CI systems set some."""
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    numbers = range(int(count) if count.isdecimal() else 0)
    pairs = ((os.environ.get(f"GIT_CONFIG_KEY_{n}"), os.environ.get(f"GIT_CONFIG_VALUE_{n}")) for n in numbers)
    return [(key, value) for key, value in pairs if key and value is not None]


def _numbered(settings: Settings) -> dict[str, str]:
    keys = {f"GIT_CONFIG_KEY_{n}": key for n, (key, _) in enumerate(settings)}
    values = {f"GIT_CONFIG_VALUE_{n}": value for n, (_, value) in enumerate(settings)}
    return {"GIT_CONFIG_COUNT": str(len(settings)), **keys, **values}
