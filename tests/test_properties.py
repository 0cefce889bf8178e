"""What holds for every mesh, whatever it says: over generated ones, from mesh.yaml to the trees.

A default run tries the same meshes each time; with MESHC_TEST_LONG=1 many more, and others each time.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from typer.testing import CliRunner

from meshc.cli.main import app
from meshc.components.registry import COMPONENTS
from meshc.errors import Exit, Severity
from meshc.kube import Identity, identity_of
from meshc.mesh.source import load
from meshc.pipeline import compile_mesh
from meshc.plan.needs import SecretNeed
from meshc.tree import HEADER, FileTree
from support.api_names import refused
from support.generated_meshes import (
    NAMES,
    Mesh,
    compiled,
    meshes,
    names_of,
    no_kustomize,
    objects,
    parsed,
    primary_of,
    repository,
    resources_in,
    tried,
)
from support.paths import ROOT
from support.tools import find_tool

pytestmark = pytest.mark.thorough

Tree = dict[str, bytes]


def overlay(tree: FileTree, cluster: str) -> Tree:
    return {path: data for path, data in tree.items() if path.startswith(f"{cluster}/")}


def canonical(bodies: Iterable[Any]) -> list[str]:
    return sorted(json.dumps(body, sort_keys=True) for body in bodies)


def unordered(tree: FileTree) -> dict[str, list[str]]:
    """Each file as the set of what it lists: objects, or the names in a kustomization."""
    return {
        path: canonical(resources_in(data)) if path.endswith("/kustomization.yaml") else canonical(parsed(data))
        for path, data in tree.items()
    }


def selected(selection: Any, mesh: Mesh) -> set[str]:
    """What a selection means, by the words of the reference alone."""
    found = set()
    for cluster in mesh["spec"]["clusters"]:
        name, labels = cluster["name"], cluster.get("labels", {})
        if selection == "all" or (isinstance(selection, list) and name in selection):
            found.add(name)
        elif isinstance(selection, dict):
            holds = [name not in selection.get("except", []), name in selection.get("names", [name])]
            holds += [labels.get(key) == value for key, value in selection.get("matchLabels", {}).items()]
            for condition in selection.get("matchExpressions", []):
                value, listed = labels.get(condition["key"]), condition.get("values", [])
                holds.append(
                    {
                        "In": value in listed,
                        "NotIn": value not in listed,
                        "Exists": value is not None,
                        "DoesNotExist": value is None,
                    }[condition["operator"]]
                )
            found |= {name} if all(holds) else set()
    return found


# Equal input, equal bytes.


@given(meshes())
@tried(40)
def test_equal_input_gives_equal_bytes(mesh: Mesh) -> None:
    assert dict(compiled(mesh).layout.tree) == dict(compiled(mesh).layout.tree)


DIGESTS = """
import json, sys
from hashlib import sha256
from support.generated_meshes import compiled
for mesh in json.load(sys.stdin):
    tree = compiled(mesh).layout.tree
    print(sha256(repr([*tree.items()]).encode()).hexdigest())
"""


@given(st.lists(meshes(), min_size=8, max_size=8))
@tried(2, 20)
def test_the_seed_of_hashes_changes_no_byte(some: list[Mesh]) -> None:
    """Sets are in another order in each process; what is written isn't."""
    told = [
        subprocess.run(
            [sys.executable, "-c", DIGESTS],
            input=json.dumps(some),
            env={
                **os.environ,
                "PYTHONHASHSEED": seed,
                "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT / "compiler")]),
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for seed in ("1", "2")
    ]

    assert len(told[0]) == len(some)
    assert told[0] == told[1]


@given(meshes(), st.randoms(use_true_random=False))
@tried(40)
def test_the_order_of_keys_changes_no_byte(mesh: Mesh, chance: Random) -> None:
    assert dict(compiled(mesh).layout.tree) == dict(compiled(shuffled(mesh, chance)).layout.tree)


@given(meshes(), st.randoms(use_true_random=False))
@tried(40)
def test_the_order_of_clusters_and_namespaces_changes_no_object(mesh: Mesh, chance: Random) -> None:
    """It shows where things are listed, and nowhere else. Of services the first wins, of overrides the last."""
    other = json.loads(json.dumps(mesh))
    chance.shuffle(other["spec"]["clusters"])
    chance.shuffle(other["spec"]["namespaces"])

    assert unordered(compiled(mesh).layout.tree) == unordered(compiled(other).layout.tree)


def shuffled(value: Any, chance: Random) -> Any:
    """The same data, the keys of every mapping in another order."""
    if isinstance(value, dict):
        keys = chance.sample(list(value), len(value))
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(item, chance) for item in value] if isinstance(value, list) else value


# What stands in the trees.


@given(meshes())
@tried(50)
def test_an_api_server_takes_each_name_and_copies_have_their_namespace(mesh: Mesh) -> None:
    result = compiled(mesh)
    for cluster in names_of(mesh):
        bodies = objects(result.layout.tree, cluster)
        identities = [identity_of(body) for body in bodies]
        namespaces = {identity.name for identity in identities if identity.kind == "Namespace"}
        used = {identity.namespace for identity in identities} - {""}
        elsewhere = {
            entry["name"]
            for entry in mesh["spec"]["namespaces"]
            if not entry["managed"] and cluster in selected(entry["clusters"], mesh)
        }

        assert refused(bodies) == []
        assert used - namespaces <= elsewhere
        assert not namespaces & {entry["name"] for entry in mesh["spec"]["namespaces"] if not entry["managed"]}


@given(meshes())
@tried(50)
def test_a_copy_stands_where_it_was_asked_for_and_nowhere_else(mesh: Mesh) -> None:
    """Not where the Service runs, whichever entry says so; and none of a Service that runs nobody knows where."""
    tree = compiled(mesh).layout.tree
    homes: dict[Identity, set[str]] = {}
    asked: dict[Identity, set[str]] = {}
    for entry in mesh["spec"]["services"]:
        for service in exported(entry):
            homes.setdefault(service, set()).update(selected(entry["clusters"], mesh))
            somewhere = selected(entry["clusters"], mesh)
            asked.setdefault(service, set()).update(selected(entry.get("copyTo", "all"), mesh) if somewhere else ())
    for cluster in names_of(mesh):
        copies = {identity_of(body) for body in objects(tree, cluster)} & homes.keys()

        assert copies == {service for service in asked if cluster in asked[service] - homes[service]}


def exported(entry: Mesh) -> list[Identity]:
    names = [entry["name"]] if "ports" in entry else [n for n in ("ledger", "ledger-peers") if n not in excluded(entry)]
    return [Identity("", "Service", entry["namespace"], name) for name in names]


def excluded(entry: Mesh) -> list[str]:
    return list(entry.get("exclude", []))


@given(meshes())
@tried(40)
def test_a_namespace_stands_where_it_was_asked_for(mesh: Mesh) -> None:
    tree = compiled(mesh).layout.tree
    for cluster in names_of(mesh):
        there = {body["metadata"]["name"] for body in objects(tree, cluster) if body["kind"] == "Namespace"}
        asked = {
            entry["name"]
            for entry in mesh["spec"]["namespaces"]
            if entry["managed"] and cluster in selected(entry["clusters"], mesh)
        }

        assert asked | {mesh["spec"]["istio"]["namespace"]} <= there


@given(meshes())
@tried(40)
def test_a_primary_waits_for_every_remote_and_never_for_itself(mesh: Mesh) -> None:
    result = compiled(mesh)
    primary = primary_of(mesh)
    remotes = [name for name in names_of(mesh) if name != primary]
    ids = {one["name"]: one["clusterID"] for one in mesh["spec"]["clusters"] if "clusterID" in one}
    needs = [
        (cluster.name, item.keys)
        for cluster in result.plan.clusters
        for item in COMPONENTS["remote-secrets"].lower(result.plan, cluster)
        if isinstance(item, SecretNeed)
    ]

    assert list(result.pending) == [f"{remote}: waiting for credentials in {primary}" for remote in remotes]
    assert needs == [(primary, (ids.get(remote, remote),)) for remote in remotes]


@given(meshes())
@tried(50)
def test_a_cluster_names_no_other_but_its_primary(mesh: Mesh) -> None:
    """A remote knows itself and its primary, a primary itself and its remotes; what several share knows none."""
    tree, primary = compiled(mesh).layout.tree, primary_of(mesh)
    for path, data in tree.items():
        owner = path.partition("/")[0]
        allowed = set(names_of(mesh)) if owner == primary else {owner, primary} if owner in names_of(mesh) else set()

        assert {name for name in NAMES if name.encode() in data} <= allowed, path


@given(meshes(), st.data())
@tried(50)
def test_a_removed_cluster_leaves_every_other_as_it_was(mesh: Mesh, data: st.DataObject) -> None:
    """Byte for byte; only a copy may move between a shared base and a cluster's own file.

    What ran nowhere else has no copies any more: such meshes are passed over.
    """
    gone = data.draw(st.sampled_from([name for name in names_of(mesh) if name != primary_of(mesh)]))
    assume(not any(selected(entry["clusters"], mesh) == {gone} for entry in mesh["spec"]["services"]))
    before, after = compiled(mesh).layout.tree, compiled(without(mesh, gone)).layout.tree
    moving = ("kustomization.yaml", "services.yaml")

    assert overlay(before, gone)
    assert not overlay(after, gone)
    for cluster in names_of(mesh):
        if cluster == gone:
            continue
        files = [
            {path: data for path, data in overlay(tree, cluster).items() if not path.endswith(moving)}
            for tree in (before, after)
        ]
        bases = [base_copies(tree, cluster) for tree in (before, after)]

        assert files[0] == files[1]
        assert canonical(objects(before, cluster)) == canonical(objects(after, cluster))
        assert bases[0] != bases[1] or overlay(before, cluster) == overlay(after, cluster)


def without(mesh: Mesh, gone: str) -> Mesh:
    """The mesh after a person removed a cluster, and its name wherever it was chosen by name."""
    spec = {**mesh["spec"], "clusters": [c for c in mesh["spec"]["clusters"] if c["name"] != gone]}
    for key in ("overrides", "namespaces", "services", "acknowledge"):
        spec[key] = [
            {word: unnamed(value, gone) if word in ("clusters", "copyTo") else value for word, value in entry.items()}
            for entry in spec.get(key, [])
        ]
    spec["acknowledge"] = [entry for entry in spec["acknowledge"] if entry["clusters"]]
    return {**mesh, "spec": spec}


def unnamed(selection: Any, gone: str) -> Any:
    if isinstance(selection, list):
        return [name for name in selection if name != gone]
    if isinstance(selection, dict):
        return {key: unnamed(value, gone) if key in ("names", "except") else value for key, value in selection.items()}
    return selection


def base_copies(tree: FileTree, cluster: str) -> Tree:
    resources = resources_in(tree[f"{cluster}/kustomization.yaml"])
    bases = [resource.removeprefix("../") for resource in resources if resource.startswith("../")]
    return {base: tree[f"{base}/services.yaml"] for base in bases}


@given(meshes())
@tried(40)
def test_what_is_written_tells_nothing_of_the_machine(mesh: Mesh) -> None:
    with repository() as at:
        tree = compile_mesh(load(json.dumps(mesh).encode(), "mesh.yaml"), at, no_kustomize).layout.tree
        machine = {str(at.base), at.base.name, tempfile.gettempdir() + "/", str(ROOT), str(Path.cwd())}
    machine |= {socket.getfqdn()} if "." in socket.getfqdn() else set()
    for path, data in tree.items():
        assert {word for word in machine if word.encode() in data} == set(), path
        assert data.startswith(HEADER), path
        if path.endswith("/kustomization.yaml"):
            named = resources_in(data)
            assert not [resource for resource in named if resource.startswith("/") or ":" in resource], path


@given(meshes())
@tried(30)
def test_what_is_generated_here_is_rich(mesh: Mesh) -> None:
    """No problem but those that are only told: else these tests would prove little about valid meshes."""
    result = compiled(mesh)

    assert {p.code.id for p in result.problems} <= {
        "MESH107",
        "MESH213",
        "MESH218",
        "MESH246",
        "MESH247",
        "MESH503",
        "MESH507",
        "MESH519",
        "MESH521",
    }
    assert all(problem.severity is not Severity.ERROR for problem in result.problems)


# Through real kustomize.


@given(meshes(most=3))
@tried(8, 100)
def test_the_overlays_built_by_kustomize_are_the_output(mesh: Mesh) -> None:
    """Every object once, in kustomize's own bytes; and the output built again is the same."""
    kubectl = find_tool("kubectl")
    with repository() as at:
        (at.base / "mesh.yaml").write_text(json.dumps(mesh))
        done = CliRunner().invoke(app, ["compile", "-f", str(at.base / "mesh.yaml")])
        tree = compiled(mesh).layout.tree

        assert done.exit_code == Exit.DONE, done.output
        for cluster in names_of(mesh):
            built = [
                subprocess.run([kubectl, "kustomize", folder], cwd=at.base, capture_output=True, check=True).stdout
                for folder in (f"overlays/{cluster}", f"output/{cluster}")
            ]
            files = [path for path in (at.base / "output" / cluster).iterdir() if path.name != "kustomization.yaml"]
            split = [one for path in files for one in documents(path.read_bytes().removeprefix(HEADER))]

            assert built[0] == built[1]
            assert Counter(documents(built[0])) == Counter(split)
            assert objects_alike(built[0], objects(tree, cluster))


def documents(stream: bytes) -> list[bytes]:
    return [document.rstrip(b"\n") for document in stream.split(b"\n---\n")]


def objects_alike(stream: bytes, bodies: Iterable[Any]) -> bool:
    return canonical(parsed(stream)) == canonical(bodies)
