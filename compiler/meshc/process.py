"""Runs a program without a shell, with limits on its resources, and with a minimal environment."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from meshc.children import CHILDREN, MIB, Bounds, Ended, OverOutputError, OverTimeError
from meshc.errors import ToolError
from meshc.scarcity import ScarceError, memory_is_limited, more_memory, ran_out_of_memory, scarce

_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "GIT_INDEX_FILE")
"""The environment variables that every program gets. In a hook of `git commit -a`, GIT_INDEX_FILE is the index of the
commit."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments, its standard input, and its limits. `timeout` is in seconds."""

    argv: tuple[str, ...]
    cwd: Path | None = None
    timeout: float = 120.0
    stdin: bytes = field(default=b"", repr=False)
    as_person: bool = False
    """True to pass the user's whole environment, for a program that uses the user's logins."""
    memory: int = 768 * MIB
    """Bytes of memory that the program may use. With `as_person` there is no such limit, because the user chose the
    program."""
    output: int = 64 * MIB
    """Bytes that the program may write to standard output."""

    def __str__(self) -> str:
        return shlex.join(self.argv)


class CommandError(ToolError):
    """A program couldn't start, or failed. `said` is its standard error."""

    def __init__(self, command: Command, said: str, why: str) -> None:
        super().__init__(f"{why}\n  command: {command}\n{_indented(said)}" if said else f"{why}\n  command: {command}")
        self.said = said
        self.why = why


class BoundError(CommandError):
    """A program was stopped because it exceeded a limit of time, memory or output."""


def run(command: Command) -> bytes:
    """Runs a program and returns its standard output.

    Raises CommandError if the program can't start or fails, BoundError if it exceeds a limit, and ScarceError if the
    machine has too few resources for it.

    Unless `as_person`, the program gets only PATH, the locale and a few other variables: no proxy, token or kubeconfig.
    It reads no .gitconfig either: its HOME is the working directory, where a .gitconfig comes with the repository, and
    could name programs to run.
    """
    name = Path(command.argv[0]).name
    sys.audit("meshc.run", str(command))
    try:
        ended = CHILDREN.run(
            command.argv,
            bounds=Bounds(command.timeout, None if command.as_person else command.memory, command.output),
            stdin=command.stdin,
            cwd=command.cwd,
            environment=None if command.as_person else _bare(command),
            in_foreground=command.as_person,
        )
    except OverTimeError:
        raise BoundError(command, "", f"{name} took longer than {command.timeout:.0f} s and was stopped") from None
    except OverOutputError:
        why = f"{name} wrote more than {command.output // MIB} MiB and was stopped"
        raise BoundError(command, "", why) from None
    except OSError as error:
        if found := scarce(error):
            raise ScarceError(f"{name} can't be started: {found.what}", found.hint) from None
        raise CommandError(command, "", f"{command.argv[0]} can't be run: {error.strerror}") from None
    if ended.code:
        raise _failure(command, name, ended)
    return ended.out


def _failure(command: Command, name: str, ended: Ended) -> ToolError:
    said = ended.said.decode(errors="replace").strip()
    if ended.code == -signal.SIGXCPU:
        return BoundError(command, "", f"{name} used the processor for too long and was stopped")
    if ended.code in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGHUP):
        return ScarceError(
            f"{name} was killed (signal {-ended.code})",
            "a system with too little memory kills programs: give it more, or run fewer programs at once",
        )
    if ended.code != 1 and ran_out_of_memory(ended.said):  # Go programs exit with 1 after an ordinary error
        if memory_is_limited():
            return ScarceError(f"{name} ran out of memory", more_memory())
        return BoundError(command, "", f"{name} needed more than {command.memory // MIB} MiB of memory")
    return CommandError(command, said, f"{name} failed with exit code {ended.code}")


def identity(program: Path, role: str) -> str:
    """A digest of size, inode and times, which changes when the program is replaced. Reading the whole program would
    take long."""
    status = program.stat()
    facts = (program.resolve(), status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
    return sha256(f"{role} {' '.join(map(str, facts))}".encode()).hexdigest()


def _bare(command: Command) -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    home = str(command.cwd or "/nonexistent")
    return {**passed_on, "HOME": home, "KUBECONFIG": os.devnull, "GIT_CONFIG_GLOBAL": os.devnull}


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines()[:20])
