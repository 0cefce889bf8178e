"""Runs commands on a scratch repository with one randomly changed file, and checks what must be true for every run.

The runs of one kind share a forked child process, which measures time and memory of each run. If a run hangs, only this
child is killed.
"""

from __future__ import annotations

import json
import os
import random
import re
import resource
import select
import shutil
import signal
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from typer.testing import CliRunner, Result

from meshc.cli.main import app
from meshc.errors import Exit
from support.mutations import Mutate, instead

SECONDS, MEBIBYTES = 5.0, 1024
"""The limits of one run: seconds of processor time, and MiB of memory."""
_HANGS = 30.0
_OWN = {".git", ".meshc"}


@dataclass(frozen=True)
class Kind:
    """A kind of input: the files of a world of which one is changed, the way to change it, and the commands of which
    one runs."""

    name: str
    world: str
    files: str
    """A glob below the folder of all worlds. For a file outside of `world`, the commands contain its path."""
    mutate: Mutate
    commands: Sequence[str]
    replaced: bool = True
    """True if the file is sometimes replaced by something else, such as a link or a folder."""
    told_as: str = ""
    """A pattern of other names of the file in messages."""


@dataclass
class Tally:
    """The results of the runs of one kind."""

    runs: int = 0
    refused: int = 0
    seconds: float = 0
    mebibytes: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        worst = f"worst {self.seconds:.2f} s, {self.mebibytes} MiB"
        return f"{self.runs} mutations, {self.refused} refused, {worst}, {len(self.faults)} faults"


def fuzz(kind: Kind, top: Path, numbers: Sequence[int]) -> Tally:
    """Runs the mutations with these numbers. `top` contains all worlds, and is unchanged afterwards."""
    tally, left = Tally(), list(numbers)
    while left:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _serve(kind, top, left, writing)
        os.close(writing)
        begun = _collect(reading, child, tally)
        os.close(reading)
        if begun is None:
            break
        tally.faults.append(f"{kind.name}:{begun}: it didn't end, or its process died")
        left = left[left.index(begun) + 1 :]
        for name in {kind.world, kind.files.partition("/")[0]}:
            shutil.rmtree(top / name)
            shutil.copytree(top / "kept" / name, top / name, symlinks=True)
    return tally


def _collect(reading: int, child: int, tally: Tally) -> int | None:
    """Reads the reports of a child. Returns the number of the run in which it died or hung; None if it finished."""
    begun: int | None = None
    rest = b""
    while select.select([reading], [], [], _HANGS)[0]:
        more = os.read(reading, 1 << 16)
        *lines, rest = (rest + more).split(b"\n")
        for line in lines:
            said: dict[str, Any] = json.loads(line)
            begun = said["number"]
            if "seconds" in said:
                begun = None
                tally.runs += 1
                tally.refused += said["refused"]
                tally.seconds = max(tally.seconds, said["seconds"])
                tally.mebibytes = max(tally.mebibytes, said["mebibytes"])
                tally.faults += said["faults"]
        if not more:
            break
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return begun


def _serve(kind: Kind, top: Path, numbers: Sequence[int], told: int) -> NoReturn:
    try:
        limit = (_status("VmData") + MEBIBYTES) << 20
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        environment = {
            "HOME": str(top / "home"),
            "XDG_CONFIG_HOME": str(top / "home"),
            "KUBECONFIG": str(top / "home/config"),
            "MESHC_ISTIOCTL": str(top / "home/istioctl"),
            "NO_COLOR": "1",
        }
        os.environ.update(environment)
        for number in numbers:
            os.write(told, f"{json.dumps({'number': number})}\n".encode())
            os.write(told, f"{json.dumps({'number': number, **one(kind, top, number)})}\n".encode())
    except BaseException:
        traceback.print_exc()
    os._exit(0)


def one(kind: Kind, top: Path, number: int) -> dict[str, Any]:
    """Does one run, and returns its faults."""
    chance = random.Random(f"{kind.name}:{number}")
    world = top / kind.world
    os.chdir(world)
    victim = chance.choice(sorted(path for path in top.glob(kind.files) if path.is_file()))
    words = chance.choice(kind.commands).format(victim=os.path.relpath(victim)).split()
    kept, mode = victim.read_bytes(), victim.stat().st_mode
    if kind.replaced and not chance.randrange(25):
        how = instead(victim, chance)
    else:
        how = "changed"
        victim.chmod(0o644)
        victim.write_bytes(kind.mutate(kept, chance))
    before, memory, start = _standing(world), _status("VmRSS"), _processor()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # resets the peak of memory
    result = CliRunner().invoke(app, words)
    seconds, mebibytes = _processor() - start, max(0, _status("VmHWM") - memory)
    after = _standing(world)
    about = f"{kind.name}:{number}: {how} {victim.relative_to(top)}: {' '.join(words)}"
    faults = [f"{about}: {fault}" for fault in _faults(result, kind, victim, words, seconds, mebibytes)]
    if result.exit_code and before != after and not _is_unfinished(words, result.exit_code):
        faults.append(f"{about}: written on an error: {sorted(before.items() ^ after.items())[:4]}")
    _put_back(victim, kept, mode)
    if before != after:
        shutil.rmtree(world)
        shutil.copytree(top / "kept" / kind.world, world, symlinks=True)
    return {"seconds": seconds, "mebibytes": mebibytes, "refused": result.exit_code != 0, "faults": faults}


def _faults(
    result: Result, kind: Kind, victim: Path, words: Sequence[str], seconds: float, mebibytes: int
) -> Iterator[str]:
    said = result.output
    error = result.exception
    if error is not None and not isinstance(error, SystemExit):
        frames = traceback.extract_tb(error.__traceback__)[-4:]
        yield f"{error!r:.300} at {' < '.join(f'{Path(f.filename).name}:{f.lineno}' for f in reversed(frames))}"
        return
    if result.exit_code not in (0, 1, 2, 3, 4, 5):
        yield f"exit {result.exit_code}: {said[-300:]}"
    if seconds > SECONDS:
        yield f"{seconds:.1f} seconds"
    if mebibytes > MEBIBYTES:
        yield f"{mebibytes} MiB"
    if "Traceback" in said:
        yield f"a traceback: {said[-300:]}"
    if words[0] != "inject" and (odd := re.search(r"[^\n\x20-\x7e\xa0-\ud7ff\ue000-\U0010ffff]", said)):
        yield f"{odd[0]!r} is printed"
    if len(said) > 4 << 20:
        yield f"{len(said)} characters are printed"
    names = rf"\.(?:ya?ml|pem|tgz|json|key)\b|{re.escape(victim.name)}"
    if result.exit_code > 1 and not re.search(f"{names}|{kind.told_as or names}", said):
        yield f"no file is named: {said[:300]}"


def _standing(folder: Path) -> dict[str, tuple[int, ...]]:
    """Every file of a world except Git's and meshc's own, with data that changes whenever the file changes."""
    found: dict[str, tuple[int, ...]] = {}
    for above, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _OWN]
        for name in (*folders, *names):
            status = os.lstat(f"{above}/{name}")
            times = (status.st_size, status.st_mtime_ns, status.st_ino) if name in names else ()
            found[f"{above}/{name}"] = (status.st_mode, *times)
    return found


def _put_back(path: Path, data: bytes, mode: int) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)


def _processor() -> float:
    """Seconds of processor time that this process and its children used."""
    return sum(os.times()[:4])


def _is_unfinished(words: Sequence[str], code: int) -> bool:
    """True if adopt ended with 3 because a person has to fill in values that the dumps don't show."""
    return words[0] == "adopt" and code == Exit.WRONG_INPUT


def _status(name: str) -> int:
    """A value in MiB that the kernel reports for this process; 0 if the kernel doesn't report it."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) >> 10
    return 0
