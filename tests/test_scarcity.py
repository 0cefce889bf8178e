"""meshc on a machine that lacks something: the message names what is lacking, and nothing is written or lost.

MESHC_TEST_LONG=1 tries every limit below and more commands.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from meshc.errors import Exit
from meshc.scarcity import ran_out_of_memory, scarce
from support.paths import ROOT
from support.tools import find_tool

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux"),
]
LONG = os.environ.get("MESHC_TEST_LONG") == "1"

FILES = "too many open files: this process may open only"
MEMORY = ("ran out of memory", "not enough memory")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, compiled, in a Git repository."""
    return sample(tmp_path_factory.mktemp("sample"))


def sample(folder: Path) -> Path:
    find_tool("kubectl")
    subprocess.run(["git", "clone", "-q", "--depth=1", ROOT.as_uri(), str(folder)], check=True)
    return folder


def limited(
    *words: str, cwd: Path, limits: Mapping[int, int] | None = None, close: tuple[int, ...] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """A new Python that runs meshc with these limits: importing needs files and memory too."""

    def prepare() -> None:
        for kind, most in (limits or {}).items():
            resource.setrlimit(kind, (most, most))
        for stream in close:
            os.close(stream)

    argv = [sys.executable, "-m", "meshc", *words]
    settings = {**os.environ, "NO_COLOR": "1", **environment}
    return subprocess.run(
        argv, cwd=cwd, env=settings, preexec_fn=prepare, capture_output=True, text=True, timeout=120, check=False
    )


def state(folder: Path) -> str:
    """What differs from the last commit."""
    return subprocess.run(["git", "status", "-s"], cwd=folder, capture_output=True, text=True, check=True).stdout


def judge(done: subprocess.CompletedProcess[str], *causes: str) -> None:
    """It went well, or it failed for one of the causes and names it."""
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode in (Exit.DONE, Exit.TOOL), done.stderr
    if done.returncode:
        assert any(cause in done.stderr for cause in causes), done.stderr
        assert "no kustomize was found" not in done.stderr


@pytest.mark.parametrize("most", range(5, 30) if LONG else (8, 24))
@pytest.mark.parametrize("command", ["compile", "diff", "check", "plan"] if LONG else ["compile"])
def test_few_file_descriptors(compiled: Path, command: str, most: int) -> None:
    words = (command, "--no-cache") if command == "compile" else (command,)
    done = limited(*words, cwd=compiled, limits={resource.RLIMIT_NOFILE: most})
    judge(done, FILES)
    assert (done.returncode == Exit.TOOL) == (most < 24)
    assert state(compiled) == ""


@pytest.mark.parametrize("most", [60, 100, 200, 400, 800, 1200] if LONG else [100, 400])
@pytest.mark.parametrize("kind", [resource.RLIMIT_AS, resource.RLIMIT_DATA] if LONG else [resource.RLIMIT_AS])
def test_little_memory(compiled: Path, kind: int, most: int) -> None:
    done = limited("compile", "--no-cache", cwd=compiled, limits={kind: most << 20})
    judge(done, *MEMORY)
    assert state(compiled) == ""


def test_a_program_that_lacked_memory_is_not_remembered_as_no_kustomize(tmp_path: Path) -> None:
    compiled = sample(tmp_path / "new")
    first = limited("compile", cwd=compiled, limits={resource.RLIMIT_AS: 400 << 20})
    assert first.returncode == Exit.TOOL
    assert limited("compile", cwd=compiled).returncode == Exit.DONE


@pytest.mark.parametrize("kib", [0, 1, 4] if LONG else [1])
def test_small_files_alone(compiled: Path, kib: int) -> None:
    done = limited("compile", "--no-cache", cwd=compiled, limits={resource.RLIMIT_FSIZE: kib << 10})
    judge(done, "file too large", "cannot make a temporary folder")
    assert state(compiled) == ""


@pytest.mark.parametrize("words", [("schema",), ("plan",), ("explain", "MESH101")])
def test_a_full_device_for_the_result(compiled: Path, words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        argv = [sys.executable, "-m", "meshc", *words]
        done = subprocess.run(argv, cwd=compiled, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == Exit.TOOL
    assert done.stderr == "error: cannot write the result: No space left on device\n"


@pytest.mark.parametrize("close", [(0,), (1,), (2,), (0, 1, 2)] if LONG else [(0, 1, 2)])
def test_closed_streams_and_odd_settings(compiled: Path, close: tuple[int, ...]) -> None:
    done = limited("check", cwd=compiled, close=close, LC_ALL="xx", TMPDIR="/nonexistent", MESHC_KUSTOMIZE="kubectl")
    assert done.returncode == Exit.DONE
    assert state(compiled) == ""


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(24, "Too many open files"), "too many open files"),
        (MemoryError(), "not enough memory"),
        (OSError(12, "Cannot allocate memory"), "not enough memory"),
        (OSError(28, "No space left on device", "/x"), 'no space left on the disk for "/x"'),
        (RuntimeError("can't start new thread"), "starts no more processes"),
        (ImportError("libx.so: failed to map segment from shared object"), "not enough memory"),
        (OSError(2, "No such file or directory"), None),
        (RuntimeError("anything else"), None),
    ],
)
def test_what_an_error_tells(error: Exception, told: str | None) -> None:
    found = scarce(error)
    assert (told is None and found is None) or (told is not None and found is not None and told in found.what)


def test_last_words_of_programs() -> None:
    assert ran_out_of_memory(b"fatal error: runtime: out of memory\n\nruntime stack:")
    assert ran_out_of_memory(b"runtime: failed to create new OS thread (have 2 already; errno=11)")
    assert not ran_out_of_memory(b"error: no matches for Id")
