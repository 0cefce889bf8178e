"""The picture of a mesh is Mermaid, of a bounded size, and no name means anything in it but itself."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from fleet import fleet
from meshc.disk.repository import Repository
from meshc.mesh.source import load
from meshc.output.kustomize import Kustomize
from meshc.pipeline import compile_mesh
from meshc.plan.graph import mermaid
from support.cases import find_case

LABEL = r'"((?:[A-Za-z0-9 .,/-]|#\d+;|<br/>)+)"'
NODE = re.compile(rf"(\w+)(?:\[{LABEL}\]|\[\[{LABEL}\]\])")
ARROW = re.compile(rf"(\w+) (-->|-\.->)\|{LABEL}\| (\w+)")
OPENS = re.compile(rf"subgraph (\w+)\[{LABEL}\]")
LARGEST = 50_000
"""Characters: Mermaid's own maxTextSize. Its maxEdges is 500."""


class Picture:
    """The part of Mermaid's grammar that is used, read strictly: what isn't of it fails."""

    def __init__(self, text: str) -> None:
        first, *lines = text.splitlines()
        assert first == "flowchart LR"
        self.nodes: dict[str, str] = {}
        self.within: dict[str, str] = {}
        self.arrows: list[tuple[str, str, str, str]] = []
        network = ""
        for line in map(str.strip, lines):
            if found := OPENS.fullmatch(line):
                assert not network
                network = found[2]
            elif line == "end":
                assert network
                network = ""
            elif found := ARROW.fullmatch(line):
                assert {found[1], found[4]} <= self.nodes.keys()
                self.arrows.append((found[1], found[2], found[3], found[4]))
            else:
                found = NODE.fullmatch(line)
                assert found, line
                assert found[1] not in self.nodes
                self.nodes[found[1]] = found[2] or found[3]
                self.within[found[1]] = network
        assert not network


def no_kustomize() -> Kustomize:
    raise AssertionError("nothing is built for a picture of a mesh without manifests")


def drawn(text: str, folder: Path) -> str:
    (folder / "mesh.yaml").write_text(text)
    source = load(text.encode(), "mesh.yaml")
    return mermaid(compile_mesh(source, Repository.around(folder), no_kustomize).plan)


@pytest.mark.thorough
def test_a_thousand_clusters_fit(tmp_path: Path) -> None:
    text = drawn(fleet(1000, 100), tmp_path)
    picture = Picture(text)

    assert len(text) < LARGEST
    assert picture.nodes["c0"] == "hub<br/>primary, Istio 1.30.3"
    assert set(picture.within.values()) == {"network corp"}
    assert sum(total(label) for label in picture.nodes.values()) == 1000
    assert ("c1", "-->", "service-9, service-99", "c0") in picture.arrows
    assert text == drawn(fleet(1000, 100), tmp_path)


@pytest.mark.thorough
def test_where_no_two_are_alike_most_are_counted(tmp_path: Path) -> None:
    """Each of 200 clusters offers all others a service of its own."""
    own = "".join(
        f"    - {{name: own-{n}, namespace: shop, clusters: [edge-{n}], ports: [{{name: http, port: 80}}]}}\n"
        for n in range(200)
    )
    remotes = "".join(f"    - {{name: edge-{n}, role: remote, podCIDRs: [10.1.{n}.0/24]}}\n" for n in range(200))
    mesh = find_case("graph") / "mesh.yaml"
    head, _, services = mesh.read_text().partition("    - {name: edge-1,")
    text = drawn(f"{head}{remotes}  namespaces: [{{name: shop}}]\n  services:\n{own}", tmp_path)
    picture = Picture(text)

    assert services
    assert len(text) < LARGEST
    assert len(picture.arrows) < 200
    assert picture.nodes["c39"] == "and 162 more clusters"
    assert picture.within["c39"] == ""
    assert picture.nodes["more"] == "and 1402 more arrows of services"
    assert sum(total(label) for label in picture.nodes.values() if "arrows" not in label) == 201


def total(label: str) -> int:
    """How many clusters a label stands for."""
    names = label.partition("<br/>")[0]
    more = re.search(r"and (\d+) more clusters", names)
    return names.count(",") + (int(more[1]) + (not names.startswith("and")) if more else 1)


@pytest.mark.parametrize("name", ['x"] --> y', "<b>", "`x`", "**x**", "#quot;", "%%{init: {}}%%", "a\nend", "[x](y)"])
def test_no_name_is_more_than_a_name(tmp_path: Path, name: str) -> None:
    """The model refuses such names; whoever loosens it finds them harmless here."""
    (tmp_path / "mesh.yaml").write_text("")
    text = (find_case("graph") / "mesh.yaml").read_text()
    plan = compile_mesh(load(text.encode(), "mesh.yaml"), Repository.around(tmp_path), no_kustomize).plan
    clusters = tuple(replace(cluster, network=name) for cluster in plan.clusters)
    picture = Picture(mermaid(replace(plan, clusters=clusters)))
    (network,) = set(picture.within.values())

    assert re.sub(r"#(\d+);", lambda found: chr(int(found[1])), network) == f"network {name}"
