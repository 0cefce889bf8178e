"""Real merges of branches that both compiled: what conflicts in overlays/ and output/, and how a compile settles it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.clones import Clone
from support.tools import find_tool
from support.trees import trees

pytestmark = pytest.mark.thorough


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
    assert trees(other.base) == trees(clone.base)


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
    assert "markers of a merge conflict" in clone.meshc("compile", code=3)

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
