"""Programs that meshc starts: what bounds them, and that they end with meshc."""

from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path

import pytest

from meshc.errors import Exit, ToolError
from meshc.process import BoundError, Command, CommandError, run
from support.processes import Running, meshc
from support.tools import find_tool

pytestmark = pytest.mark.thorough

MESH = """\
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {name: small}
spec:
  istio: {version: 1.29.6}
  security: {ca: {type: self-signed}}
  networks: [{name: corp}]
  clusters:
    - name: hub
      role: primary
      kubernetesVersion: "1.34"
      podCIDRs: [10.10.0.0/16]
      patches: [{path: patch.yaml, target: {kind: Namespace}}]
"""


def program(path: Path, *lines: str) -> Path:
    """A shell script that stands for kustomize."""
    text = ("#!/bin/sh", 'test "$1" = version && echo v5.8.1 && exit', *lines)
    path.write_text("\n".join(text) + "\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    folder = tmp_path / "mesh"
    folder.mkdir()
    (folder / "mesh.yaml").write_text(MESH)
    (folder / "patch.yaml").write_text("[{op: add, path: /metadata/labels/a, value: b}]\n")
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    """The files of a folder, less the cache."""
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(".meshc/")}


def next_byte(pipe: int, why: str) -> bytes:
    """The next byte; none once every writer has closed the pipe. Fails with `why` after 20 seconds."""
    assert select.select([pipe], [], [], 20)[0], why
    return os.read(pipe, 1)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"])
def test_programs_end_with_meshc(mesh: Path, tmp_path: Path, name: str) -> None:
    """The pipe closes when its last writer has ended: the script, and the program that the script started."""
    if signal.getsignal(getattr(signal, name)) == signal.SIG_IGN:
        pytest.skip(f"{name} is ignored here, as by nohup, and so meshc ignores it")
    pipe, scratch = tmp_path / "pipe", tmp_path / "scratch"
    os.mkfifo(pipe)
    scratch.mkdir()
    slow = program(tmp_path / "kustomize", f"exec 9>{pipe}", "printf ! >&9", "sleep 300", "echo")
    before = tree(mesh)
    environment = {**os.environ, "MESHC_KUSTOMIZE": str(slow), "TMPDIR": str(scratch)}

    both_ends = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    running = Running("compile", cwd=mesh, environment=environment)
    assert next_byte(both_ends, "kustomize wasn't started") == b"!"
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.close(both_ends)
    os.kill(running.pid, getattr(signal, name))
    done = running.wait(20)
    assert next_byte(reader, "a program outlived meshc") == b""
    os.close(reader)

    assert done.returncode == (-signal.SIGKILL if name == "SIGKILL" else 128 + getattr(signal, name))
    assert "Traceback" not in done.stderr
    assert tree(mesh) == before
    assert bool(list(scratch.iterdir())) == (name == "SIGKILL")

    find_tool("kubectl")
    assert meshc("compile", cwd=mesh, TMPDIR=str(scratch)).returncode == Exit.DONE
    assert not list(scratch.iterdir()), "the folder of the killed run is left"


def test_a_program_that_prints_for_ever_is_stopped_and_told_at_its_file(mesh: Path, tmp_path: Path) -> None:
    """Once its output passes the bound. What it writes to standard error is read on and dropped."""
    endless = program(tmp_path / "kustomize", "yes 'a: b'")
    done = meshc("compile", cwd=mesh, MESHC_KUSTOMIZE=str(endless))

    assert done.returncode == Exit.WRONG_INPUT
    assert "MESH701" in done.stderr
    assert "kustomize wrote more than 16 MiB and was stopped" in done.stderr
    assert not (mesh / "output").exists()


def test_bounds_of_time_and_of_standard_error() -> None:
    with pytest.raises(BoundError, match="sleep took longer than 0 s"):
        run(Command(("sleep", "60"), timeout=0.2))
    with pytest.raises(BoundError, match="sh took longer"):
        run(Command(("sh", "-c", "exec >&- 2>&-; sleep 60"), timeout=0.2))
    with pytest.raises(CommandError) as caught:
        run(Command(("sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 3")))
    assert len(caught.value.said) == 64 << 10
    assert run(Command(("sh", "-c", "echo here"), stdin=b"x" * 3_000_000)) == b"here\n"
    assert run(Command(("cat",), stdin=b"x" * 3_000_000)) == b"x" * 3_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the memory of another process")
def test_kustomize_is_stopped_where_a_patch_doubles_a_value_again_and_again(tmp_path: Path) -> None:
    copies = "".join(f"- {{op: copy, from: /data, path: /data/k{number}}}\n" for number in range(22))
    (tmp_path / "patch.yaml").write_text(copies)
    (tmp_path / "all.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {b: c}\n")
    text = "resources: [all.yaml]\npatches: [{path: patch.yaml, target: {kind: ConfigMap}}]\n"
    (tmp_path / "kustomization.yaml").write_text(text)

    with pytest.raises(BoundError, match="kubectl needed more than 128 MiB of memory"):
        run(Command((find_tool("kubectl"), "kustomize", str(tmp_path)), memory=128 << 20))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "can't be run: No such file"),
        ("#!/nonexistent/shell\n", "can't be run: No such file"),
        ("\0\1\2", "can't be run: Exec format error"),
        ("#!/bin/sh\nkill -9 $$\n", "tool was killed (signal 9)"),
        ("#!/bin/sh\nexit 7\n", "tool failed with exit code 7"),
    ],
)
def test_a_program_that_cannot_run_is_told_as_that(tmp_path: Path, text: str | None, told: str) -> None:
    tool = tmp_path / "tool"
    if text is not None:
        tool.write_text(text)
        tool.chmod(0o755)

    with pytest.raises(ToolError) as caught:
        run(Command((str(tool),)))
    assert told in str(caught.value)
