"""Real merges of branches that both compiled: what conflicts in overlays/ and output/, and how a compile settles it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import find_tool
from meshc.cli.init import ATTRIBUTES

MESH = """\
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {name: shop}
spec:
  istio: {version: 1.30.3}
  security: {ca: {type: self-signed}}
  overrides:
    - {clusters: all, set: {kubernetesVersion: "1.34"}}
  clusters:
    - name: hub
      role: primary
      podCIDRs: [10.10.0.0/16]
      controlPlane: {addresses: {istiod: 10.0.5.20}}
    # the first edge
    - {name: edge-1, role: remote, podCIDRs: [10.11.0.0/16]}
    # the second edge
    - {name: edge-2, role: remote, podCIDRs: [10.12.0.0/16]}
    # no more
  namespaces:
    - {name: shop}
    # no more
  services:
    - {name: catalog, namespace: shop, clusters: [hub], ports: [{name: http, port: 80}]}
"""
NAMED = ("-c", "user.name=a", "-c", "user.email=a@example.com")


class Clone:
    """A repository of a compiled mesh with branches of it, and both programs run in it."""

    def __init__(self, base: Path, *, driver: bool) -> None:
        self.base = base
        self.git("init", "-q", "-b", "main", ".")
        if driver:
            self.git("config", "merge.meshc.driver", "true")
        (base / ".gitattributes").write_text(ATTRIBUTES)
        (base / "mesh.yaml").write_text(MESH)
        self.commit("main")

    def git(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(["git", *NAMED, *words], cwd=self.base, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def meshc(self, *words: str, code: int = 0) -> str:
        argv, environment = [sys.executable, "-m", "meshc", *words], {**os.environ, "NO_COLOR": "1"}
        done = subprocess.run(argv, cwd=self.base, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def commit(self, message: str) -> None:
        self.meshc("compile")
        self.git("add", "-A")
        self.git("commit", "-qm", message)

    def branch(self, name: str, old: str, new: str) -> None:
        """A branch off main in which mesh.yaml was edited and compiled."""
        self.git("switch", "-qc", name, "main")
        file = self.base / "mesh.yaml"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))
        self.commit(name)

    def conflicts(self) -> list[str]:
        return self.git("diff", "--name-only", "--diff-filter=U").splitlines()

    def trees(self) -> dict[str, bytes]:
        files = (path for tree in ("overlays", "output") for path in (self.base / tree).rglob("*") if path.is_file())
        return {str(path.relative_to(self.base)): path.read_bytes() for path in files}


def both_change(clone: Clone) -> None:
    """Two branches that change different lines of mesh.yaml, and the same lines of what is compiled."""
    clone.branch("ours", "    - {name: shop}\n", "    - {name: shop}\n    - {name: billing}\n")
    more = "    - {name: ledger, namespace: books, clusters: [hub], ports: [{name: http, port: 80}]}\n"
    clone.branch("theirs", "  services:\n", f"  services:\n{more}")
    clone.git("switch", "-q", "ours")


@pytest.fixture(autouse=True)
def _kustomize() -> None:
    find_tool("kubectl")


def test_with_the_driver_nothing_conflicts_and_check_asks_for_a_compile(tmp_path: Path) -> None:
    clone = Clone(tmp_path, driver=True)
    both_change(clone)
    clone.git("merge", "-q", "theirs")

    assert clone.conflicts() == []
    assert "run meshc compile" in clone.meshc("check", code=1)
    assert "ledger" in (tmp_path / "mesh.yaml").read_text()

    clone.meshc("compile")
    clone.meshc("check")


@pytest.mark.parametrize("side", ["--ours", "--theirs", ""])
def test_without_it_either_side_will_do_or_neither(tmp_path: Path, side: str) -> None:
    """A compile writes over the marks of a conflict, too."""
    clone = Clone(tmp_path, driver=False)
    both_change(clone)
    clone.git("merge", "-q", "theirs", code=1)
    conflicts = clone.conflicts()

    assert "output/edge-1/namespaces.yaml" in conflicts
    assert "mesh.yaml" not in conflicts

    if side:
        clone.git("checkout", side, "--", *conflicts)
    clone.commit("merged")

    assert clone.conflicts() == []
    clone.meshc("check")

    (tmp_path / "another").mkdir()
    other = Clone(tmp_path / "another", driver=True)
    both_change(other)
    other.git("merge", "-q", "theirs")
    other.commit("merged")
    assert other.trees() == clone.trees()


def test_a_cluster_removed_here_and_changed_there_conflicts_even_with_the_driver(tmp_path: Path) -> None:
    clone = Clone(tmp_path, driver=True)
    clone.branch("ours", "    - {name: edge-1, role: remote, podCIDRs: [10.11.0.0/16]}\n", "")
    clone.git("switch", "-q", "main")
    clone.branch("theirs", "    - {name: shop}\n", "    - {name: shop}\n    - {name: billing}\n")
    clone.git("switch", "-q", "ours")
    said = clone.git("merge", "theirs", code=1)

    assert "CONFLICT (modify/delete): output/edge-1/namespaces.yaml" in said

    clone.meshc("compile")
    clone.git("add", "-A", "overlays", "output")
    clone.git("commit", "-qm", "merged")

    assert clone.conflicts() == []
    assert not (tmp_path / "output/edge-1").exists()
    clone.meshc("check")


def test_one_cluster_added_by_both(tmp_path: Path) -> None:
    clone = Clone(tmp_path, driver=False)
    for name, way in (("ours", "10.0.6.1"), ("theirs", "10.0.7.1")):
        line = "    - {name: edge-3, role: remote, podCIDRs: [10.13.0.0/16], controlPlaneAddresses: {istiod: WAY}}\n"
        line = line.replace("WAY", way)
        clone.branch(name, "    # no more\n  namespaces:\n", f"{line}    # no more\n  namespaces:\n")
    clone.git("merge", "-q", "ours", code=1)

    assert "output/edge-3/istio-remote.yaml" in clone.conflicts()
    assert "the marks of a merge conflict" in clone.meshc("compile", code=3)

    clone.git("checkout", "--theirs", "--", "mesh.yaml")
    clone.commit("merged")
    clone.meshc("check")


def test_a_rebase_goes_the_same_way(tmp_path: Path) -> None:
    clone = Clone(tmp_path, driver=True)
    both_change(clone)
    clone.git("rebase", "-q", "theirs")
    clone.meshc("check", code=1)
    clone.meshc("compile")
    clone.meshc("check")
