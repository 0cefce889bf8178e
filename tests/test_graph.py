"""The pictures of a mesh are Mermaid, of a bounded size, and no name means anything in them but itself."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from fleet import fleet
from meshc.disk.repository import Repository
from meshc.mesh.source import load
from meshc.output.kustomize import Kustomize
from meshc.pipeline import compile_mesh
from meshc.plan.ir import Plan
from meshc.plan.picture.bundles import Limits, bundled
from meshc.plan.picture.mermaid import mermaid
from meshc.plan.picture.parts import Link, Picture, Thing
from meshc.plan.picture.views import View, view_of
from meshc.review.picture import picture_of
from meshc.review.touched import Touched
from support.cases import find_case

LABEL = r'"((?:[A-Za-z0-9 .,/-]|#\d+;|<br/>)+)"'
NODE = re.compile(rf"(\w+)(?:\[{LABEL}\]|\[\[{LABEL}\]\]|\{{\{{{LABEL}\}}\}}|\[\({LABEL}\)\])(?::::(\w+))?")
ARROW = re.compile(rf"(\w+) (-->|-\.->|==>)\|{LABEL}\| (\w+)")
OPENS = re.compile(rf"subgraph (\w+)\[{LABEL}\]")
CLASS = re.compile(r"classDef (\w+) fill:#[0-9a-f]{6},stroke:#[0-9a-f]{6}(?:,stroke-dasharray:5)?,color:#111827")
LARGEST = 50_000
"""Characters: Mermaid's own maxTextSize. Its maxEdges is 500."""


class Drawn:
    """The part of Mermaid's grammar that is used, read strictly: what isn't of it fails."""

    def __init__(self, text: str) -> None:
        first, *lines = text.splitlines()
        assert first == "flowchart LR"
        assert len(text) < LARGEST
        self.nodes: dict[str, str] = {}
        self.within: dict[str, str] = {}
        self.classes: dict[str, str] = {}
        self.arrows: list[tuple[str, str, str, str]] = []
        self.legend: list[str] = []
        defined: set[str] = set()
        group = ""
        for line in map(str.strip, lines):
            if found := OPENS.fullmatch(line):
                assert not group
                group = found[2]
            elif line == "end":
                assert group
                group = ""
            elif found := ARROW.fullmatch(line):
                assert {found[1], found[4]} <= self.nodes.keys()
                self.arrows.append((found[1], found[2], found[3], found[4]))
            elif found := CLASS.fullmatch(line):
                defined.add(found[1])
            else:
                found = NODE.fullmatch(line)
                assert found, line
                label = next(text for text in found.groups()[1:5] if text)
                if group == "legend":
                    self.legend.append(label)
                    continue
                assert found[1] not in self.nodes
                self.nodes[found[1]], self.within[found[1]], self.classes[found[1]] = label, group, found[6]
        assert not group
        assert {*self.classes.values()} - {None} == defined


def no_kustomize() -> Kustomize:
    raise AssertionError("nothing is built for a picture of a mesh without manifests")


def planned(text: str) -> Plan:
    return compile_mesh(load(text.encode(), "mesh.yaml"), Repository.around(Path("/nowhere")), no_kustomize).plan


@cache
def sample() -> Plan:
    return planned((find_case("graph") / "mesh.yaml").read_text())


def drawn(plan: Plan, view: View) -> Drawn:
    text = mermaid(view_of(plan, view), plan.networks)
    assert text == mermaid(view_of(plan, view), plan.networks)
    return Drawn(text)


def each_for_all(clusters: int) -> str:
    """Each cluster offers all others a service of its own."""
    own = "".join(
        f"    - {{name: own-{n}, namespace: shop, clusters: [edge-{n}], ports: [{{name: http, port: 80}}]}}\n"
        for n in range(clusters)
    )
    remotes = "".join(f"    - {{name: edge-{n}, role: remote, podCIDRs: [10.1.{n}.0/24]}}\n" for n in range(clusters))
    head, _, _ = (find_case("graph") / "mesh.yaml").read_text().partition("    - {name: edge-1,")
    return f"{head}{remotes}  namespaces: [{{name: shop}}]\n  services:\n{own}"


def test_arrows_lead_from_who_calls_to_who_is_called() -> None:
    found = drawn(sample(), View.OVERVIEW)
    at = {label.partition("<br/>")[0]: node for node, label in found.nodes.items()}
    calls = [(arrow[0], arrow[3]) for arrow in found.arrows if arrow[1] == "-->"]
    control = [(arrow[0], arrow[3]) for arrow in found.arrows if arrow[1] == "-.->"]

    assert (at["hub"], at["edge-1"]) in calls, "the hub has a copy of scanner, which runs in edge-1"
    assert (at["edge-2"], at["edge-1"]) in calls
    assert (at["edge-1"], at["edge-2"]) not in calls
    assert control == [(at["edge-1"], at["hub"]), (at["edge-2"], at["hub"])]
    assert found.classes[at["hub"]] == "primary"
    assert found.legend == ["primary", "remote"]


@pytest.mark.thorough
@pytest.mark.parametrize("view", View)
def test_a_large_fleet_makes_a_small_picture(view: View) -> None:
    for text in (fleet(300, 50), each_for_all(50)):
        plan = planned(text)
        found = drawn(plan, view)

        assert 1 < len(found.nodes) <= Limits().bundles
        assert len(found.arrows) <= Limits().arrows
        assert sum(total(label) for label in found.nodes.values() if "Istio" in label) == len(plan.clusters)


def total(label: str) -> int:
    """How many clusters a label stands for."""
    found = re.search(r"<br/>(\d+) (?:remotes|primaries)", label)
    return int(found[1]) if found else 1


def test_fifty_that_call_one_another_are_one_bundle() -> None:
    found = drawn(planned(each_for_all(50)), View.SERVICES)

    assert list(found.nodes.values())[1] == "edge-0, edge-1, edge-2 and 47 more<br/>50 remotes, Istio 1.29.6"
    assert ("c1", "-->", "50 services #40;2450#41;", "c1") in found.arrows
    assert ("c0", "-->", "50 services #40;50#41;", "c1") in found.arrows
    assert len(found.arrows) == 2


def test_calls_to_another_network_go_by_gateway() -> None:
    far = tuple(replace(one, network="far" if one.name == "edge-1" else one.network) for one in sample().clusters)
    found = drawn(replace(sample(), clusters=far), View.SERVICES)
    at = {label.partition("<br/>")[0]: node for node, label in found.nodes.items()}

    assert (at["hub"], "==>", "scanner by gateway", at["edge-1"]) in found.arrows
    assert all((line == "==>") == (at["edge-1"] in (source, target)) for source, line, _, target in found.arrows)


def test_bundles_hold_what_is_alike_and_nothing_is_lost() -> None:
    """Two stars of twenty, one of which calls its centre by another kind of link."""
    names = [f"{star}{n}" for star in "ab" for n in range(20)]
    things = tuple(Thing(name, "remote") for name in [*names, "one", "two"])
    links = tuple(
        Link(name, "one" if name[0] == "a" else "two", "calls" if name[0] == "a" else "control plane") for name in names
    )
    found = bundled(Picture(things, links), Limits())

    assert [len(bundle) for bundle in found.bundles] == [20, 20, 1, 1]
    assert sorted((arrow.kind, arrow.links) for arrow in found.arrows) == [("calls", 20), ("control plane", 20)]
    assert len(bundled(Picture(things, links), Limits(bundles=2)).bundles) == 1


@pytest.mark.parametrize("name", ['x"] --> y', "<b>", "`x`", "**x**", "#quot;", "%%{init: {}}%%", "a\nend", "[x](y)"])
def test_no_name_is_more_than_a_name(name: str) -> None:
    """The model refuses such names; whoever loosens it finds them harmless here."""
    clusters = tuple(replace(cluster, network=name) for cluster in sample().clusters)
    found = drawn(replace(sample(), clusters=clusters), View.OVERVIEW)
    (network,) = set(found.within.values())

    assert re.sub(r"#(\d+);", lambda found: chr(int(found[1])), network) == f"network {name}"


@pytest.mark.parametrize("number", [0, 1, 4, 51])
def test_the_picture_of_a_change_has_eight_nodes_at_most(number: int) -> None:
    """The last cluster leaves; of a single one that changes, the neighbours are drawn too."""
    before = planned(each_for_all(50))
    names = [one.name for one in before.clusters][::-1][:number]
    found = [Touched(name, "changed" if at else "removed", 0, 1, 0, 0, ()) for at, name in enumerate(names)]
    after = replace(before, clusters=before.clusters[:-1])
    text = picture_of(found, before, after)

    assert bool(text) == bool(number)
    if number:
        picture = Drawn(text)
        assert 1 < len(picture.nodes) <= 8
        assert [picture.classes[node] for node, label in picture.nodes.items() if label.startswith("edge-49<")] == [
            "removed"
        ]
        assert sum(total(label) for label in picture.nodes.values()) == (51 if number == 1 else number)
