"""What holds for every mesh, whatever it says: over generated ones, from mesh.yaml to the tree of overlays/."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from meshc.disk.repository import Repository
from meshc.kube import identity_of
from meshc.mesh.source import load
from meshc.output.kustomize import Kustomize
from meshc.pipeline import Compiled, compile_mesh

Mesh = dict[str, Any]
NAMES = st.sampled_from(["hub", "edge-1", "edge-2", "edge-3", "far-away", "x"])
SPACES = st.sampled_from(["shop", "billing", "batch", "default"])


@st.composite
def meshes(draw: st.DrawFn) -> Mesh:
    """A valid mesh of a primary and some remotes."""
    names = draw(st.lists(NAMES, min_size=2, max_size=5, unique=True))
    chosen = st.one_of(
        st.just("all"),
        st.lists(st.sampled_from(names), min_size=1, unique=True),
        st.builds(lambda n: {"except": [n]}, st.sampled_from(names)),
    )
    clusters: list[Mesh] = [{"name": name, "role": "remote", "kubernetesVersion": "1.34"} for name in names]
    clusters[0] |= {"role": "primary", "controlPlane": {"addresses": {"istiod": "10.0.5.20"}}}
    for cluster in clusters[1:]:
        if draw(st.booleans()):
            cluster["sidecarInjection"] = "manual"
    services = [
        {
            "name": f"s{number}",
            "namespace": draw(SPACES),
            "clusters": draw(chosen),
            "copyTo": draw(chosen),
            "ports": [{"name": "http", "port": 8080}],
        }
        for number in range(draw(st.integers(0, 4)))
    ]
    namespaces = [
        {
            "name": name,
            "clusters": draw(chosen),
            "managed": draw(st.booleans()),
            "dataplane": draw(st.sampled_from(["sidecar", "none"])),
        }
        for name in draw(st.lists(SPACES, unique=True))
    ]
    spec: Mesh = {
        "istio": {
            "version": draw(st.sampled_from(["1.24.6", "1.27.8", "1.30.3"])),
            "revision": draw(st.sampled_from(["default", "canary"])),
        },
        "security": {"ca": {"type": "self-signed"}},
        "networks": [{"name": "corp"}] if draw(st.booleans()) else [],
        "clusters": clusters,
        "namespaces": namespaces,
        "services": services,
    }
    return {"apiVersion": "meshc/v1alpha1", "kind": "Mesh", "metadata": {"name": "m"}, "spec": spec}


def no_kustomize() -> Kustomize:
    raise AssertionError("nothing here has to be built")


def compiled(mesh: Mesh) -> Compiled:
    """JSON is YAML: the mesh goes in as text, as a person's would."""
    with tempfile.TemporaryDirectory() as folder:
        return compile_mesh(load(json.dumps(mesh).encode(), "mesh.yaml"), Repository.around(Path(folder)), no_kustomize)


def objects(result: Compiled, cluster: str) -> list[Any]:
    """Everything in a cluster's overlay, its shared bases included."""
    tree = result.layout.tree
    resources = yaml.safe_load(tree[f"{cluster}/kustomization.yaml"])["resources"]
    files = [f"{r.removeprefix('../')}/services.yaml" if r.startswith("../") else f"{cluster}/{r}" for r in resources]
    return [body for file in files for body in yaml.safe_load_all(tree[file])]


@given(meshes())
@settings(deadline=None, max_examples=60)
def test_equal_input_gives_equal_bytes(mesh: Mesh) -> None:
    assert dict(compiled(mesh).layout.tree) == dict(compiled(mesh).layout.tree)


@given(meshes(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_the_order_of_keys_and_remotes_changes_no_object(mesh: Mesh, chance: Any) -> None:
    shuffled = json.loads(json.dumps(mesh))
    remotes = shuffled["spec"]["clusters"][1:]
    chance.shuffle(remotes)
    shuffled["spec"]["clusters"][1:] = remotes
    chance.shuffle(shuffled["spec"]["namespaces"])
    shuffled["spec"] = dict(chance.sample(list(shuffled["spec"].items()), len(shuffled["spec"])))
    one, other = compiled(mesh), compiled(shuffled)

    for cluster in mesh["spec"]["clusters"]:
        both = [sorted(map(json.dumps, objects(result, cluster["name"]))) for result in (one, other)]

        assert both[0] == both[1]


@given(meshes())
@settings(deadline=None, max_examples=60)
def test_objects_are_unique_and_copies_have_their_namespace(mesh: Mesh) -> None:
    result = compiled(mesh)
    unmanaged = {n["name"] for n in mesh["spec"]["namespaces"] if not n["managed"]}
    for cluster in mesh["spec"]["clusters"]:
        bodies = objects(result, cluster["name"])
        identities = [identity_of(body) for body in bodies]
        namespaces = {identity.name for identity in identities if identity.kind == "Namespace"}
        used = {identity.namespace for identity in identities} - {""}

        assert len(set(identities)) == len(identities)
        assert used - namespaces <= unmanaged


@given(meshes())
@settings(deadline=None, max_examples=60)
def test_no_cluster_gets_a_copy_of_what_runs_there(mesh: Mesh) -> None:
    result = compiled(mesh)
    for cluster in result.plan.clusters:
        held = {copy.name for base in result.plan.bases if base.name in cluster.bases for copy in base.copies}
        held |= {copy.name for copy in cluster.copies}
        for service in mesh["spec"]["services"]:
            homes = service["clusters"]
            runs = homes == "all" or (
                cluster.name not in homes["except"] if isinstance(homes, dict) else cluster.name in homes
            )

            assert not (runs and service["name"] in held)


@given(meshes())
@settings(deadline=None, max_examples=60)
def test_a_removed_cluster_leaves_every_other_as_it_was(mesh: Mesh) -> None:
    gone = {"name": "gone", "role": "remote", "kubernetesVersion": "1.34"}
    more = {**mesh, "spec": {**mesh["spec"], "clusters": [*mesh["spec"]["clusters"], gone]}}
    before, after = compiled(more), compiled(mesh)

    assert any(path.startswith("gone/") for path in before.layout.tree)
    assert not any(path.startswith("gone/") for path in after.layout.tree)
    for cluster in mesh["spec"]["clusters"]:
        assert objects(before, cluster["name"]) == objects(after, cluster["name"])


@given(meshes())
@settings(deadline=None, max_examples=30)
def test_a_primary_waits_for_every_remote_and_never_for_itself(mesh: Mesh) -> None:
    result = compiled(mesh)
    primary, *remotes = [cluster["name"] for cluster in mesh["spec"]["clusters"]]

    assert list(result.pending) == [f"{remote}: waiting for credentials in {primary}" for remote in remotes]
