"""Compiles a mesh with a kustomize that counts its runs, and compares the result with a build of each whole overlay."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from support.processes import meshc
from support.tools import find_tool

KUBECTL = os.environ.get("MESHC_TEST_KUBECTL", "")
"""Another kubectl to try, of the versions in `supported.KUSTOMIZE`."""


def counting(folder: Path) -> Path:
    """A kustomize that writes the arguments of each run into the file `log`."""
    program = folder / "kustomize"
    program.write_text(f'#!/bin/sh\necho "$*" >>{folder / "log"}\nexec {KUBECTL or find_tool("kubectl")} "$@"\n')
    program.chmod(0o755)
    return program


def compiled(folder: Path) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Compiles a mesh; the result, and the folders that kustomize was started for."""
    result = meshc("compile", "--jobs", "2", cwd=folder, MESHC_KUSTOMIZE=str(counting(folder)))
    lines = (folder / "log").read_text().splitlines()
    return result, [line.removeprefix("kustomize ") for line in lines if "version" not in line]


def accepted(folder: Path, write: Callable[[Sequence[str]], None]) -> bool:
    """Writes a mesh that acknowledges its own errors. False if kustomize refuses it, which can't be acknowledged."""
    write(())
    found = set(re.findall("error (MESH[0-9]+)", meshc("compile", "--no-cache", cwd=folder).stderr))
    write(sorted(found - {"MESH701"}))
    return "MESH701" not in found


def built(folder: Path) -> list[str]:
    """Compiles and verifies a mesh; the folders that kustomize was started for in the compile."""
    result, started = compiled(folder)
    assert result.returncode == 0, result.stdout + result.stderr
    verified = meshc("verify", cwd=folder, MESHC_KUSTOMIZE=str(folder / "kustomize"))
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "equal to kustomize" in verified.stdout
    return started
