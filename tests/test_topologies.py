"""docs/topologies.md is true: each mesh on it gets its CAs, compiles, looks as drawn, and holds what its tables say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from support.credentials import CONFIG, opened
from support.places import RECIPIENT, Place
from support.tools import find_tool
from support.topologies import PAGE, Topology, topologies

pytestmark = pytest.mark.thorough

TWO = ["hub", "hub-2"]


def test_every_row_of_the_table_is_a_section_with_a_mesh() -> None:
    rows = re.findall(r"^\| \[([^]]*)\]\(#([^)]*)\)", PAGE, re.MULTILINE)

    assert [title.lower() for title, _ in rows] == [one.title.lower() for one in topologies()]
    assert [anchor for _, anchor in rows] == [re.sub("[ ,]+", "-", one.title.lower()) for one in topologies()]


@pytest.mark.parametrize("one", topologies(), ids=lambda one: one.title)
def test_a_topology_compiles_and_looks_as_drawn(one: Topology, tmp_path: Path) -> None:
    find_tool("kubectl")
    place = Place(tmp_path)
    text = re.sub(r"age1\w+", RECIPIENT, one.mesh)
    (place.base / "mesh.yaml").write_text(text)
    primaries = [c["name"] for c in yaml.safe_load(text)["spec"]["clusters"] if c["role"] != "remote"]
    root = place.root()
    issued = place.meshc("ca", "issue", "--root-key", str(root), "--accept-recipients")
    place.meshc("compile")

    assert all(re.search(rf"(?m)^ *{name} +issued", issued) for name in primaries)
    assert place.meshc("verify").startswith("equal to kustomize")
    assert place.meshc("graph") == one.picture
    assert one.found
    missing = [(file, text) for file, text in one.found if text not in (place.base / file).read_text()]
    assert missing == []


def test_credentials_are_sealed_for_every_primary_and_later_for_one_that_came(tmp_path: Path) -> None:
    find_tool("kubectl")
    place = Place(tmp_path)
    mesh = place.base / "mesh.yaml"
    text = mesh.read_text().replace("plugged-in", "external").replace("role: remote,", "role: remote, primary: hub,")
    mesh.write_text(text + '    - {name: hub-2, role: primary, kubernetesVersion: "1.34", podCIDRs: [10.12.0.0/16]}\n')
    words, config = ("secrets", "seal", "-", "--accept-recipients"), yaml.safe_dump(CONFIG)
    first = place.meshc(*words, stdin=config)
    files = {name: place.base / f"sealed/{name}/remote-secret-edge-1.yaml" for name in [*TWO, "hub-3"]}
    before = {name: files[name].read_bytes() for name in TWO}
    with mesh.open("a") as end:
        end.write('    - {name: hub-3, role: primary, kubernetesVersion: "1.34", podCIDRs: [10.13.0.0/16]}\n')
    waiting = place.meshc("validate")
    second = place.meshc(*words, stdin=config)
    again = place.meshc(*words, stdin=config, code=2)

    assert [f"wrote sealed/{name}/" in first for name in files] == [True, True, False]
    assert "hub-3 has no credentials of edge-1, which hub has" in waiting
    assert [f"wrote sealed/{name}/" in second for name in files] == [False, False, True]
    assert {name: files[name].read_bytes() for name in TWO} == before
    assert opened(files["hub-3"]) == opened(files["hub"])
    assert "sealed already" in again


def test_credentials_of_the_config_cluster_become_the_kubeconfig_of_an_external_istiod(tmp_path: Path) -> None:
    """As `istioctl create-remote-secret --type config` hands them over, which names the key, not the cluster."""
    find_tool("kubectl")
    place = Place(tmp_path)
    mesh = place.base / "mesh.yaml"
    text = mesh.read_text().replace("plugged-in", "external").replace("role: primary", "role: external-control-plane")
    mesh.write_text(text + '    - {name: edge-2, role: remote, kubernetesVersion: "1.34", podCIDRs: [10.12.0.0/16]}\n')
    mesh.write_text(mesh.read_text().replace("controlPlane: {", "controlPlane: {configCluster: edge-1, "))
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "istio-kubeconfig", "namespace": "istio-system"},
        "stringData": {"config": yaml.safe_dump(CONFIG)},
    }
    waiting = place.meshc("compile")
    place.meshc("secrets", "seal", "-", "--accept-recipients", stdin=yaml.safe_dump(secret))
    compiled = place.meshc("compile")
    placed = yaml.safe_load((place.base / "output/hub/istio-kubeconfig.yaml").read_text())

    assert "edge-1: waiting for credentials in hub" in waiting
    assert "edge-1: waiting" not in compiled
    assert "edge-2: waiting for credentials in hub" in compiled
    assert [path.name for path in (place.base / "sealed").rglob("*.yaml")] == ["istio-kubeconfig.yaml"]
    assert placed["metadata"]["name"] == "istio-kubeconfig"
    assert "labels" not in placed["metadata"]
    assert list(placed["data"]) == ["config"]
    assert opened(place.base / "sealed/hub/istio-kubeconfig.yaml")["current-context"] == "edge-1"
