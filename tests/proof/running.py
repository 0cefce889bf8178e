"""Programs that run until they are ended by their id, each with a log of its own, each in a network namespace."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Seen = TypeVar("Seen")


class FailedError(AssertionError):
    """What a story asserts and didn't see."""


@dataclass
class Running:
    """A program that was started, and its log."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def end(self) -> None:
        """Ends the program and what it started: the process is the leader of its own group."""
        if self.process.poll() is None:
            for number, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
                os.killpg(self.process.pid, number)
                try:
                    self.process.wait(seconds)
                    return
                except subprocess.TimeoutExpired:
                    continue

    def signal(self, number: int) -> None:
        """To stop a program (SIGSTOP), let it go on (SIGCONT), or kill it."""
        os.killpg(self.process.pid, number)

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def tail(self, lines: int = 5) -> str:
        """The end of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def start(
    name: str, argv: Sequence[str], logs: Path, namespace: str = "", environment: Mapping[str, str] | None = None
) -> Running:
    """Starts a program, in a network namespace if one is named."""
    log = logs / f"{name}.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*inside(namespace), *argv],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=dict(environment) if environment is not None else None,
        )
    return Running(name, process, log)


def run(*argv: str | Path, stdin: str | None = None, namespace: str = "", limit: float = 60) -> str:
    """What a short program prints. Fails with what it says on its error output, or if it takes too long."""
    whole = [*inside(namespace), *map(str, argv)]
    try:
        done = subprocess.run(whole, input=stdin, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        raise FailedError(f"{' '.join(map(str, argv))}: not within {limit:.0f} s") from None
    if done.returncode:
        raise FailedError(f"{' '.join(map(str, argv))}: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


def inside(namespace: str) -> list[str]:
    """What starts a program in a network namespace."""
    return ["nsenter", f"--net=/run/netns/{namespace}"] if namespace else []


def wait_for(what: str, look: Callable[[], Seen | None], seconds: float, pause: float = 0.3) -> Seen:
    """The first value that isn't None or False, within so many seconds."""
    end = time.monotonic() + seconds
    last: Exception | None = None
    while True:
        try:
            if seen := look():
                return seen
            last = None
        except (FailedError, OSError) as error:
            last = error
        if time.monotonic() > end:
            raise FailedError(f"not within {seconds:.0f} s: {what}" + (f" ({last})" if last else ""))
        time.sleep(pause)
