"""process turns a `Command` into what it prints: no shell, a bound on time, a bare environment."""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from meshc.errors import ToolError

_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "GIT_INDEX_FILE")
"""The last tells a hook of `git commit -a` which index the commit is made from."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments and what it reads from standard input. `timeout` is in seconds."""

    argv: tuple[str, ...]
    cwd: Path | None = None
    timeout: float = 120.0
    stdin: bytes = field(default=b"", repr=False)
    as_person: bool = False
    """With the whole environment of who started us, for what they would run themselves with what they logged in to."""

    def __str__(self) -> str:
        return shlex.join(self.argv)


class CommandError(ToolError):
    """A program failed: `said` is what it wrote to standard error."""

    def __init__(self, command: Command, said: str, why: str) -> None:
        super().__init__(f"{why}\n  command: {command}\n{_indented(said)}" if said else f"{why}\n  command: {command}")
        self.said = said


def run(command: Command) -> bytes:
    """Standard output of the program. Raises CommandError if it can't start, fails, or takes longer than it may.

    Unless `as_person`, it sees PATH and the locale of our environment and little more: no proxy, token or
    kubeconfig, and no .gitconfig: one in the folder that is its HOME would come with the repository, and may name
    programs to run.
    """
    try:
        done = subprocess.run(
            command.argv,
            cwd=command.cwd,
            env=None if command.as_person else _bare(command),
            input=command.stdin,
            capture_output=True,
            timeout=command.timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CommandError(
            command, "", f"{command.argv[0]} took longer than {command.timeout:.0f} s and was stopped"
        ) from None
    except OSError as error:
        raise CommandError(command, "", f"{command.argv[0]} can't be run: {error.strerror}") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise CommandError(command, said, f"{Path(command.argv[0]).name} failed with exit code {done.returncode}")
    return done.stdout


def identity(program: Path, role: str) -> str:
    """A digest that no other program at this path is likely to have: of size, inode, times. Reading it takes long."""
    status = program.stat()
    facts = (program.resolve(), status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
    return sha256(f"{role} {' '.join(map(str, facts))}".encode()).hexdigest()


def _bare(command: Command) -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    home = str(command.cwd or "/nonexistent")
    return {**passed_on, "HOME": home, "KUBECONFIG": os.devnull, "GIT_CONFIG_GLOBAL": os.devnull}


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines()[:20])
