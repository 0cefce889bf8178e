"""Starts programs with bounds on their time, memory and output, and ends them when meshc ends.

On POSIX systems all programs share one process group. A shell leads this group and reads from a pipe that only meshc
can write to. When meshc ends for any reason, even by SIGKILL, the pipe closes and the shell kills the whole group.
"""

from __future__ import annotations

import os
import resource
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of a program: seconds of time, bytes of memory (None: no limit), bytes of output.

    On Linux, the kernel limits memory and processor time. On every system, meshc itself limits time and output.
    """

    seconds: float = 120.0
    memory: int | None = 768 * MIB
    output: int = 64 * MIB


@dataclass(frozen=True, slots=True)
class Ended:
    """The result of a program: its exit code (negative for a signal), its output, and the beginning of its standard
    error."""

    code: int
    out: bytes
    said: bytes


class OverTimeError(Exception):
    """The program took more time than its limit."""


class OverOutputError(Exception):
    """The program wrote more than its limit."""


_KEPT = 64 << 10
"""Bytes of standard error that are kept. The rest is read and dropped."""


class Children:
    """The programs that this process has started."""

    def __init__(self) -> None:
        self._guard: int | None = None
        self._lock = Lock()
        self._ending = False

    def run(
        self,
        argv: Sequence[str],
        *,
        bounds: Bounds,
        stdin: bytes = b"",
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        in_foreground: bool = False,
    ) -> Ended:
        """Runs a program to its end. A program in the foreground can ask the user at the terminal.

        Raises OSError if the program can't start, OverTimeError, OverOutputError, and InterruptedError after `end`.
        """
        pipe = subprocess.PIPE
        child = subprocess.Popen(
            argv,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            cwd=cwd,
            env=environment,
            process_group=self.group(in_foreground=in_foreground),
        )
        try:
            _limit(child.pid, bounds)
            out, said = _talk(child, stdin, bounds)
            return Ended(child.wait(), out, said)
        except BaseException:
            child.kill()
            child.wait()
            raise
        finally:
            for stream in (child.stdin, child.stdout, child.stderr):
                if stream:
                    stream.close()

    def group(self, *, in_foreground: bool = False) -> int | None:
        """The process group in which to start a program. None means meshc's own group.

        If there is a terminal, a program in the foreground gets meshc's own group: no other group can read from the
        terminal. Raises InterruptedError after `end`.
        """
        if in_foreground and _has_terminal():
            return None
        with self._lock:
            if self._ending:
                raise InterruptedError("meshc is being stopped")
            if not self._has_guard():
                self._guard = None
                with suppress(FileNotFoundError):
                    self._guard = _start_guard()
            return self._guard

    def _has_guard(self) -> bool:
        """True if this process has a running guard. A process that was forked from this one has none yet."""
        try:
            return self._guard is not None and os.waitpid(self._guard, os.WNOHANG)[0] == 0
        except ChildProcessError:
            return False

    def end(self) -> None:
        """Kills all programs, and prevents new ones from starting. Takes no lock, because the thread that has the lock
        may be waiting for a program."""
        self._ending = True
        if self._guard is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._guard, signal.SIGKILL)


def _start_guard() -> int:
    """Starts the shell that leads the group, and returns its process ID. Its pipe deliberately stays open until this
    process ends."""
    reading, _writing = os.pipe()
    try:
        return os.posix_spawn(
            "/bin/sh",
            ("sh", "-c", "read line; kill -KILL 0"),
            {},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, reading, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
            setpgroup=0,
        )
    finally:
        os.close(reading)


CHILDREN = Children()
"""The one set of children that a process has."""


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _limit(pid: int, bounds: Bounds) -> None:
    """Sets the kernel's limits, if the system can set them for another process.

    Limits memory by RLIMIT_DATA, because Go programs reserve far more address space than they use.
    """
    if not hasattr(resource, "prlimit"):
        return
    limits = {resource.RLIMIT_CORE: 0}
    if bounds.memory is not None:
        limits[resource.RLIMIT_DATA] = bounds.memory
        limits[resource.RLIMIT_CPU] = (int(bounds.seconds) + 1) * (os.cpu_count() or 1)
    for kind, most in limits.items():
        with suppress(ProcessLookupError, PermissionError):
            _, hard = resource.prlimit(pid, kind)
            least = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.prlimit(pid, kind, (least, least))


def _talk(child: subprocess.Popen[bytes], stdin: bytes, bounds: Bounds) -> tuple[bytes, bytes]:
    """Writes the program's standard input and reads its output, until the program closes its output."""
    if not (child.stdin and child.stdout and child.stderr):
        raise ValueError("the program has no pipes")
    end = time.monotonic() + bounds.seconds
    out, said, left = bytearray(), bytearray(), memoryview(stdin)
    with selectors.DefaultSelector() as waiting:
        for stream, event in (
            (child.stdin, selectors.EVENT_WRITE),
            (child.stdout, selectors.EVENT_READ),
            (child.stderr, selectors.EVENT_READ),
        ):
            os.set_blocking(stream.fileno(), False)
            waiting.register(stream, event)
        while waiting.get_map():
            for stream in _ready(waiting, end):
                if stream is child.stdin:
                    left = _write(stream, left)
                    is_open = bool(left)
                else:
                    more = os.read(stream.fileno(), 1 << 16)
                    is_open = bool(more)
                    if stream is child.stdout:
                        out += more
                    elif len(said) < _KEPT:
                        said += more
                if len(out) > bounds.output:
                    raise OverOutputError
                if not is_open:
                    waiting.unregister(stream)
                    stream.close()
        _wait(child, end)
    return bytes(out), bytes(said[:_KEPT])


def _ready(waiting: selectors.BaseSelector, end: float) -> Iterable[IO[bytes]]:
    left = end - time.monotonic()
    found = waiting.select(left) if left > 0 else []
    if not found and time.monotonic() >= end:
        raise OverTimeError
    streams: list[IO[bytes]] = [key.fileobj for key, _ in found]  # type: ignore[misc]
    return streams


def _write(stream: IO[bytes], left: memoryview) -> memoryview:
    if not left:
        return left
    try:
        return left[os.write(stream.fileno(), left[: 1 << 16]) :]
    except BrokenPipeError:  # the program has ended or closed its input
        return left[:0]


def _wait(child: subprocess.Popen[bytes], end: float) -> None:
    try:
        child.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise OverTimeError from None
