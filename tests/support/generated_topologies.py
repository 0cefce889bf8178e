"""Generates valid meshes of several primaries, remotes and networks with hypothesis, with IDs and labels of Istio."""

from __future__ import annotations

from hypothesis import strategies as st

from support.generated_meshes import Mesh, sometimes

NETWORKS = {"corp": "203.0.113.7", "cloud": "203.0.113.8", "lab": "203.0.113.9"}
SECOND = {"corp": "203.0.113.107", "cloud": "203.0.113.108", "lab": "203.0.113.109"}
"""The addresses of each network's first and second gateway."""
PORTS = [15443, 15444]
SELECTORS = [{"istio": "inner"}, {"istio": "In_ner"}, {"istio": "in-ner"}, {"app": "inner"}, {"gateway": ""}]
"""Labels of gateways' pods. Some lead to the same name, and some to no valid name."""


@st.composite
def topologies(draw: st.DrawFn, *, plain: bool = False) -> Mesh:
    """An istiod mesh of up to seven clusters in up to three networks. Each remote names a primary.

    A plain mesh has one gateway for each network, and one control plane for each primary.
    """
    used = draw(st.lists(st.sampled_from(list(NETWORKS)), min_size=1, unique=True))
    primaries = [f"hub-{number}" for number in range(draw(st.integers(1, 3)))]
    remotes = [f"edge-{number}" for number in range(draw(st.integers(0, 4)))]
    clusters: list[Mesh] = []
    for name in draw(st.permutations([*primaries, *remotes])):
        cluster: Mesh = {"name": name, "network": draw(st.sampled_from(used)), "kubernetesVersion": "1.34"}
        cluster |= sometimes(draw, "clusterID", st.just(f"k8s.{name}"))
        if name in primaries:
            exposure = draw(st.sampled_from([{}, {"exposure": "load-balancer"}, {"exposure": "gateway"}]))
            cluster |= {"role": "primary", "controlPlane": {**exposure, "addresses": {"istiod": "10.0.5.20"}}}
        else:
            cluster |= {"role": "remote", "primary": draw(st.sampled_from(primaries))}
        clusters.append(cluster)
    spec: Mesh = {
        "istio": {"version": "1.29.6"},
        "security": {"ca": {"type": "external"}},
        "networks": [draw(network(name, plain)) for name in used],
        "clusters": clusters,
        "namespaces": [{"name": "shop", **sometimes(draw, "annotations", st.just({"example.com/Owner": "Shop"}))}],
    }
    if not plain and draw(st.booleans()):
        add_control_plane(draw, spec)
    return {"apiVersion": "meshc/v1alpha1", "kind": "Mesh", "metadata": {"name": "m"}, "spec": spec}


@st.composite
def network(draw: st.DrawFn, name: str, plain: bool) -> Mesh:
    port = st.sampled_from(PORTS)
    found: Mesh = {"name": name, **sometimes(draw, "label", st.just(f"{name}.net"))}
    if plain or draw(st.booleans()):
        return {**found, "gateway": {"address": NETWORKS[name], "port": draw(port)}}
    first, second = (
        {"address": address[name], "port": draw(port), **sometimes(draw, "selector", st.sampled_from(SELECTORS))}
        for address in (NETWORKS, SECOND)
    )
    return {**found, "gateways": [first, second]}


def add_control_plane(draw: st.DrawFn, spec: Mesh) -> None:
    """Adds a control plane beside the mesh's own, and a tag that points to it in some clusters."""
    spec["istio"] |= {"controlPlanes": [{"revision": "next"}], "revisionTags": {"prod": "default"}}
    spec["namespaces"][0] |= sometimes(draw, "revision", st.sampled_from(["next", "prod"]))
    for cluster in spec["clusters"]:
        cluster |= sometimes(draw, "istio", st.just({"revisionTags": {"prod": "next"}}))
        if cluster["role"] == "primary" and cluster["controlPlane"].get("exposure") != "gateway":
            cluster["controlPlane"]["addresses"]["istiod-next"] = "10.0.5.30"
