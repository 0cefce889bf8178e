"""Runs the programs that tests/go.mod pins as tools, built by the Go beside this Python or on PATH."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from support.tools import find_tool, need_time

_MODULE = Path(__file__).parents[1]


def run_go_tool(name: str, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """The output of `go tool NAME ARGUMENTS`, run in tests/. Paths in the arguments must be absolute.

    The first run builds the tool, later ones find it in Go's cache in the virtual environment. Without Go, the test is
    skipped on a laptop and fails in CI. Fails the test if the tool can't be built.
    """
    need_time("building a Go program from source")
    go, cache = find_tool("go"), f"{sys.prefix}/share/go"
    settings = {"GOCACHE": cache, "GOPATH": cache, "GOFLAGS": "-modcacherw", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    environment = {**os.environ, **settings}
    built = _call([go, "tool", "-n", name], environment)
    if built.returncode:
        pytest.fail(f"{name} can't be built: {built.stderr}")
    return _call([go, "tool", name, *arguments], environment, stdin)


def _call(
    argv: Sequence[str], environment: Mapping[str, str], stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, cwd=_MODULE, env=environment, input=stdin, capture_output=True, text=True, check=False)
