"""Where newcomers stumbled: the mesh's name, whose keys open what, what a command compares with or waits for."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from meshc.cli import progress
from support.places import RECIPIENT, Place
from support.processes import meshc
from support.tools import find_tool

pytestmark = pytest.mark.thorough

PRIMARIES = ("init", ".", "--topology", "multi-primary")


def test_init_names_the_mesh(tmp_path: Path) -> None:
    made = meshc("init", ".", "--name", "shop-1", cwd=tmp_path)
    refused = meshc("init", "other", "--name", "Shop", cwd=tmp_path)

    assert made.returncode == 0
    assert "\n  name: shop-1\n" in (tmp_path / "mesh.yaml").read_text()
    assert (refused.returncode, (tmp_path / "other").exists()) == (2, False)
    assert '"Shop" can\'t be the name of a mesh' in refused.stderr


def test_what_init_suggests_opens_each_cluster_to_its_own_key(tmp_path: Path) -> None:
    find_tool("kubectl")
    mesh = tmp_path / "mesh"
    mesh.mkdir()
    meshc(*PRIMARIES, cwd=mesh)
    (mesh / ".git").mkdir()
    text = (mesh / "mesh.yaml").read_text()
    assert text.count("# secrets: {recipients: [age1...]}") == 2
    text = text.replace("# secrets: {recipients: [age1...]}", f"secrets: {{recipients: [{RECIPIENT}]}}")
    (mesh / "mesh.yaml").write_text(text)

    inside = meshc("ca", "init", "--key-out", "root.key", cwd=mesh)
    assert f'is in the Git repository "{mesh}"' in inside.stderr
    for words in (("ca", "init", "--key-out", "../k"), ("ca", "issue", "--root-key", "../k"), ("compile",)):
        assert meshc(*words, cwd=mesh).returncode == 0
    again = meshc("ca", "issue", "--root-key", "../k", cwd=mesh)
    assert again.stdout.endswith("0 files changed; no CA is due; --force issues new ones all the same\n")
    states = [line.split() for line in meshc("secrets", "status", cwd=mesh).stdout.splitlines()]
    assert [row[2] for row in states if row[0] == "sealed/east/cacerts.yaml"] == ["sealed"]


def test_a_remote_needs_no_cacerts(tmp_path: Path) -> None:
    listed = Place(tmp_path).meshc("secrets", "status").splitlines()

    assert [line.split()[-1] for line in listed if "edge-1" in line] == ["pending", "optional"]


def test_a_branch_is_compared_with_where_it_left_and_says_so(tmp_path: Path) -> None:
    find_tool("kubectl")
    place = Place(tmp_path)
    (place.base / "mesh.yaml").unlink()
    place.meshc("init", ".")
    place.meshc("compile")
    place.git("checkout", "-qb", "main")
    place.commit()
    there = meshc("diff", cwd=place.base)
    place.git("checkout", "-qb", "other")
    (place.base / "README").write_text("a later commit\n")
    place.commit()
    later = meshc("diff", cwd=place.base)

    assert "compared with" not in there.stderr
    assert "note: compared with main, where this branch left it: " in later.stderr
    assert "compared with" not in meshc("diff", "--quiet", cwd=place.base).stderr


def test_next_tells_of_the_objects_for_the_engine(tmp_path: Path) -> None:
    find_tool("kubectl")
    place = Place(tmp_path)
    (place.base / "mesh.yaml").unlink()
    place.meshc("init", ".")
    place.commit()
    with (place.base / "mesh.yaml").open("a") as mesh:
        mesh.write("  delivery: {engine: flux, repoURL: https://git.example.com/mesh.git, runsIn: hub}\n")
    stale = place.meshc("next")
    place.meshc("compile")
    compiled = place.meshc("next")

    assert "the objects for Argo CD or Flux are not up to date with mesh.yaml: meshc compile" in stale
    assert "the objects for Argo CD or Flux are compiled, and not committed: git commit" in compiled


def test_switches_of_meshc_stand_behind_a_command_too(tmp_path: Path) -> None:
    meshc("init", ".", cwd=tmp_path)

    assert "read: mesh.yaml" in meshc("plan", "-v", cwd=tmp_path).stderr
    assert meshc("plan", "-q", cwd=tmp_path).stdout == meshc("plan", cwd=tmp_path).stdout
    assert meshc("explain", "--", "-q", cwd=tmp_path).returncode == 2


def test_seal_says_what_it_waits_for(tmp_path: Path) -> None:
    meshc("init", ".", cwd=tmp_path)
    outside, inside = pty.openpty()
    command = [sys.executable, "-m", "meshc", "secrets", "seal", "-", "--remote", "edge-1"]
    process = subprocess.Popen(command, cwd=tmp_path, stdin=inside, stderr=subprocess.PIPE, text=True)
    os.write(outside, b"\n\x04")
    told = process.communicate(timeout=60)[1]
    os.close(outside)
    os.close(inside)

    assert told.startswith("reading standard input: ")
    assert "has 0 objects" in told
    assert "hint: for example: istioctl create-remote-secret" in told


@pytest.mark.parametrize(("after", "shown"), [(0.0, True), (600.0, False)])
def test_few_steps_have_a_bar_once_they_take_long(monkeypatch: pytest.MonkeyPatch, after: float, shown: bool) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "_LONG", after)
    with progress.progress("rendering charts", 3) as done:
        done()
        done()

    assert ("rendering charts" in screen.getvalue()) is shown
    assert ("2/3" in screen.getvalue()) is shown


def test_explain_lists_the_codes_that_begin_so(tmp_path: Path) -> None:
    listed = meshc("explain", "MESH80", cwd=tmp_path).stdout.splitlines()
    words = meshc("explain", "port", cwd=tmp_path).stdout.splitlines()

    assert [line[:7] for line in listed][:2] == ["MESH801", "MESH802"]
    assert all(line.startswith("MESH80") for line in listed)
    assert "MESH811  a port of a Service changes" in words
    assert not [line for line in words if line.startswith("MESH206 ")]  # it says "support" alone
