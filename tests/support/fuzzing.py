"""Commands on a scratch repository, one of whose files was changed by chance, and what holds of every such run.

The runs of one kind share a forked child: it measures time and memory of each, and dies alone where one doesn't end.
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
"""What one run may take, of a processor and of memory."""
_HANGS = 30.0
_OWN = {".git", ".meshc"}


@dataclass(frozen=True)
class Kind:
    """A kind of input: the files of a world to change one of, how, and the commands to run one of."""

    name: str
    world: str
    files: str
    """A glob below the folder of all worlds; where it names a file outside of `world`, commands say where."""
    mutate: Mutate
    commands: Sequence[str]
    replaced: bool = True
    """Whether something else is put in place of the file now and then."""
    told_as: str = ""
    """A pattern of what else stands for the file in what is said of it."""


@dataclass
class Tally:
    """What the runs of one kind came to."""

    runs: int = 0
    refused: int = 0
    seconds: float = 0
    mebibytes: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        worst = f"worst {self.seconds:.2f} s, {self.mebibytes} MiB"
        return f"{self.runs} mutations, {self.refused} refused, {worst}, {len(self.faults)} faults"


def fuzz(kind: Kind, top: Path, numbers: Sequence[int]) -> Tally:
    """Runs the mutations of these numbers. `top` holds all worlds, and is as it was afterwards."""
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
    """Reads what a child reports. The number that it was at when it died or hung; None if it came to its end."""
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
    """One run, and what is wrong with it."""
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
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
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
    """Every file of a world but Git's and meshc's own, with what tells a change of it."""
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
    """Seconds of a processor that this process and the programs that it started took."""
    return sum(os.times()[:4])


def _is_unfinished(words: Sequence[str], code: int) -> bool:
    """Whether adopt wrote a mesh.yaml in which a person has to fill in what the dumps don't tell. It ends with 3."""
    return words[0] == "adopt" and code == Exit.WRONG_INPUT


def _status(name: str) -> int:
    """A number of the kernel's about this process, in MiB; 0 where there is no such kernel."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) >> 10
    return 0
