"""`meshc tree` names the origin of each object, and `meshc ca tree` puts each CA under the root that signs it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from meshc.commands.ca_tree import ca_tree
from meshc.commands.compiling import compiled_unrendered
from meshc.commands.listener import Silent
from meshc.commands.opened import Opened
from meshc.commands.tree import tree_in, tree_of
from meshc.commands.work import opened_work
from support.cases import find_case
from support.paths import ROOT
from support.tools import find_helm, find_tool

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def test_each_object_of_a_cluster_stands_in_its_tree_once() -> None:
    find_tool("kubectl")
    opened = Opened(ROOT / "mesh.yaml")
    compiled = compiled_unrendered(opened)
    for cluster in compiled.plan.clusters:
        leaves = [leaf for branch in tree_in(compiled, opened.source, cluster).branches for leaf in branch.leaves]
        made = [str(one.identity) for one in compiled.layout.made(cluster)]
        made += [identity for file in cluster.resources for identity in named_in(file.data.decode())]

        assert sorted(str(leaf.identity) for leaf in leaves) == sorted(made)
        assert all(leaf.origins for leaf in leaves)


def named_in(text: str) -> list[str]:
    """The objects of a file with plain block style, as an identity is written."""
    kinds = re.findall(r"^kind: (\S+)$", text, re.MULTILINE)
    names = re.findall(r"^  name: (\S+)$", text, re.MULTILINE)
    spaces = re.findall(r"^  namespace: (\S+)$", text, re.MULTILINE)
    return [f"{kind} {space}/{name}" for kind, space, name in zip(kinds, spaces, names, strict=True)]


def test_every_origin_is_a_file_that_is_there() -> None:
    leaves = [leaf for branch in tree_of(Opened(ROOT / "mesh.yaml"), "hub").branches for leaf in branch.leaves]
    files = {one.where.partition(":")[0] for leaf in leaves for one in leaf.origins}

    assert len(files) > 4
    assert [file for file in sorted(files) if not Path(file).is_file()] == []


def test_objects_of_a_chart_come_from_the_chart() -> None:
    find_helm()
    branches = tree_of(Opened(find_case("charts-of-istiod") / "mesh.yaml"), "hub").branches
    charts = {branch.component: branch.leaves for branch in branches if branch.component.startswith("chart ")}

    assert charts
    assert {one.what for leaves in charts.values() for leaf in leaves for one in leaf.origins} == {"chart", "mesh.yaml"}


def test_cas_stand_under_their_root() -> None:
    (root,) = ca_tree(opened_work(ROOT / "mesh.yaml", Silent(), writes=False), NOW)

    assert root.placed_in == ("hub", "edge-1", "edge-2", "edge-3")
    assert {one.row.name: one.signs_for for one in root.below} == {
        "hub": ("hub", "edge-1", "edge-2", "edge-3"),
        "edge-1": (),
    }
    assert all(one.row.fingerprint != root.row.fingerprint for one in root.below)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("two-roots-while-rotating", {"root 1": ["hub"], "root 2": ["edge-1"]}),
        ("chains-over-a-policy-ca", {"root": ["hub", "edge-1", "edge-2", "edge-3"]}),
        ("ca-under-another-root", {"root": ["hub"], "edge-1": [], "edge-2": [], "edge-3": []}),
        ("root-certificate-missing", {"root": [], "hub": []}),
    ],
)
def test_cas_stand_under_the_root_that_they_chain_to(case: str, expected: dict[str, list[str]]) -> None:
    found = ca_tree(opened_work(find_case(case) / "mesh.yaml", Silent(), writes=False), NOW)

    assert {one.row.name: [below.row.name for below in one.below] for one in found} == expected
