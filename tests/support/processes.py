"""Runs meshc as a separate process, forked from a process that has already imported it."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import BinaryIO, NamedTuple

Run = subprocess.CompletedProcess[str]
MESHC = "from meshc.cli.main import run\nrun()\n"
"""The program that `python -m meshc` runs."""

_ONE_AT_A_TIME = Lock()


class Running:
    """A run of meshc that may not have ended."""

    def __init__(
        self, *words: str, cwd: Path, stdin: str = "", environment: Mapping[str, str], program: str = MESHC
    ) -> None:
        """Starts the run with exactly this environment."""
        self.words = words
        wanted = {"words": words, "cwd": os.fspath(cwd), "environment": dict(environment), "program": program}
        (self._out, out), (self._err, err), (self._told, told) = os.pipe(), os.pipe(), os.pipe()
        with _file(json.dumps(wanted)) as request, _file(stdin) as said, _ONE_AT_A_TIME:
            socket.send_fds(_server().control, [b"!"], [request.fileno(), said.fileno(), out, err, told])
        for end in (out, err, told):
            os.close(end)
        self.pid = int(_line(self._told))

    def kill(self) -> None:
        """Kills the run if it hasn't ended. Call it only before `wait`, because afterwards another process may have the
        ID."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float = 120) -> Run:
        """Waits for the end of the run. Returns its output and its exit code, which is negative if a signal ended it.

        Raises TimeoutError if the run takes longer, and kills it.
        """
        said = {self._out: b"", self._err: b""}
        reading, end = set(said), time.monotonic() + timeout
        while reading:
            ready = select.select(reading, [], [], max(0, end - time.monotonic()))[0]
            if not ready:
                self.kill()
                raise TimeoutError(f"meshc {' '.join(self.words)} took more than {timeout:.0f} seconds")
            for stream in ready:
                more = os.read(stream, 1 << 16)
                said[stream] += more
                reading -= set() if more else {stream}
        code = int(_line(self._told))
        for stream in (*said, self._told):
            os.close(stream)
        return Run(["meshc", *self.words], code, said[self._out].decode(), said[self._err].decode())


def _line(pipe: int) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        more = os.read(pipe, 1)
        assert more, "the process that starts meshc has ended"
        line += more
    return line


def meshc(*words: str, cwd: Path, stdin: str = "", **environment: str) -> Run:
    """Runs meshc to its end. `environment` is added to the environment of the tests."""
    return Running(*words, cwd=cwd, stdin=stdin, environment={**os.environ, "NO_COLOR": "1", **environment}).wait()


def said(*words: str, cwd: Path, code: int = 0, stdin: str = "", **environment: str) -> str:
    """The output of meshc on both streams. Fails unless meshc ends with this exit code."""
    done = meshc(*words, cwd=cwd, stdin=stdin, **environment)
    both = done.stdout + done.stderr

    assert done.returncode == code, both
    assert "Traceback" not in both

    return both


def _file(text: str = "") -> BinaryIO:
    """An anonymous file with this text. The reader closes it."""
    file = tempfile.TemporaryFile()  # noqa: SIM115
    file.write(text.encode())
    file.seek(0)
    return file


class _Server(NamedTuple):
    control: socket.socket
    process: subprocess.Popen[bytes]


@cache
def _server() -> _Server:
    """The server for this test process. It starts with the first run."""
    ours, theirs = socket.socketpair()
    argv = [sys.executable, str(Path(__file__).with_name("fork_server.py")), str(theirs.fileno())]
    environment = {**os.environ, "PYDANTIC_DISABLE_PLUGINS": "__all__"}
    process = subprocess.Popen(argv, pass_fds=[theirs.fileno()], env=environment)
    theirs.close()
    return _Server(ours, process)


def stop() -> None:
    """Stops the server, if it was started."""
    if _server.cache_info().currsize:
        _server().control.close()
        _server().process.wait()
        _server.cache_clear()
