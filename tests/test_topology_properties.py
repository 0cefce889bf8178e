"""Any mix of primaries, remotes and networks: who watches whom, who is attached to whom, by which way."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshc.components import exposure
from meshc.kube import at, identity_of
from meshc.mesh.source import load
from meshc.pipeline import needs_of, plan_mesh
from meshc.plan.values import values_of
from support.generated_meshes import Mesh, compiled, objects, tried

pytestmark = pytest.mark.thorough

NETWORKS = {"corp": "203.0.113.7", "cloud": "203.0.113.8", "lab": "203.0.113.9"}
PORTS = [15443, 15444]


@st.composite
def topologies(draw: st.DrawFn) -> Mesh:
    """An istiod mesh of up to seven clusters in up to three networks, each remote with some primary's name."""
    used = draw(st.lists(st.sampled_from(list(NETWORKS)), min_size=1, unique=True))
    primaries = [f"hub-{number}" for number in range(draw(st.integers(1, 3)))]
    remotes = [f"edge-{number}" for number in range(draw(st.integers(0, 4)))]
    clusters: list[Mesh] = []
    for name in draw(st.permutations([*primaries, *remotes])):
        cluster: Mesh = {"name": name, "network": draw(st.sampled_from(used)), "kubernetesVersion": "1.34"}
        if name in primaries:
            exposure = draw(st.sampled_from([{}, {"exposure": "load-balancer"}, {"exposure": "gateway"}]))
            cluster |= {"role": "primary", "controlPlane": {**exposure, "addresses": {"istiod": "10.0.5.20"}}}
        else:
            cluster |= {"role": "remote", "primary": draw(st.sampled_from(primaries))}
        clusters.append(cluster)
    spec = {
        "istio": {"version": "1.29.6"},
        "security": {"ca": {"type": "external"}},
        "networks": [
            {"name": name, "gateway": {"address": NETWORKS[name], "port": draw(st.sampled_from(PORTS))}}
            for name in used
        ],
        "clusters": clusters,
    }
    return {"apiVersion": "meshc/v1alpha1", "kind": "Mesh", "metadata": {"name": "m"}, "spec": spec}


def by_name(mesh: Mesh) -> dict[str, Mesh]:
    return {cluster["name"]: cluster for cluster in mesh["spec"]["clusters"]}


def named(bodies: list[Any], kind: str, name: str) -> list[Any]:
    return [body for body in bodies if (body["kind"], body["metadata"]["name"]) == (kind, name)]


@given(topologies())
@tried(60)
def test_every_primary_watches_every_other_cluster_once(mesh: Mesh) -> None:
    clusters = by_name(mesh)
    wanted = Counter(
        (primary, name)
        for primary, cluster in clusters.items()
        if cluster["role"] == "primary"
        for name in clusters
        if name != primary
    )

    needs = [need for need in needs_of(compiled(mesh).plan) if need.kind == "remote secret"]

    assert Counter((need.cluster, *need.keys) for need in needs) == wanted


@given(topologies())
@tried(60)
def test_a_remote_belongs_to_its_own_primary_and_network(mesh: Mesh) -> None:
    clusters, tree = by_name(mesh), compiled(mesh).layout.tree
    for name, cluster in clusters.items():
        bodies = objects(tree, name)
        (namespace,) = named(bodies, "Namespace", "istio-system")
        assert namespace["metadata"]["labels"]["topology.istio.io/network"] == cluster["network"]
        assert at(namespace, "metadata", "annotations", "topology.istio.io/controlPlaneClusters") == cluster.get(
            "primary"
        )
        if cluster["role"] == "primary":
            continue
        (webhooks,) = named(bodies, "MutatingWebhookConfiguration", "istio-sidecar-injector")
        paths = {one["clientConfig"]["service"]["path"] for one in webhooks["webhooks"]}
        primary = clusters[cluster["primary"]]
        by_gateway = cluster["network"] != primary["network"] and "exposure" not in primary["controlPlane"]
        (slices,) = named(bodies, "EndpointSlice", "istiod")

        assert paths == {f"/inject/cluster/{name}/net/{cluster['network']}"}
        assert slices["endpoints"][0]["addresses"] == [NETWORKS[primary["network"]] if by_gateway else "10.0.5.20"]
        assert not by_gateway or named(objects(tree, cluster["primary"]), "Gateway", "istiod-gateway")


@given(topologies())
@tried(60)
def test_gateways_are_told_once_in_each_primary_and_claim_nothing_twice(mesh: Mesh) -> None:
    clusters, tree = by_name(mesh), compiled(mesh).layout.tree
    several = len({cluster["network"] for cluster in clusters.values()}) > 1
    ports = {one["name"]: one["gateway"]["port"] for one in mesh["spec"]["networks"]}
    for name, cluster in clusters.items():
        gateways = [body for body in objects(tree, name) if body["kind"] == "Gateway"]
        claims = [
            (server["port"]["number"], host)
            for body in gateways
            for server in body["spec"]["servers"]
            for host in server["hosts"]
        ]
        between = named(gateways, "Gateway", "cross-network-gateway")
        controlled = [one for one in clusters.values() if one is cluster or one.get("primary") == name]

        assert max(Counter(claims).values(), default=1) == 1
        assert len(between) == (several and cluster["role"] == "primary")
        assert cluster["role"] == "primary" or not gateways
        for body in between:
            heard = {server["port"]["number"] for server in body["spec"]["servers"]}
            assert heard == {ports[one["network"]] for one in controlled}


@given(topologies())
@tried(60)
def test_each_address_is_asked_for_once_where_the_chart_makes_gateways(mesh: Mesh) -> None:
    """By the Services of chart gateway, by computed values alone, and by those that expose istiod."""
    spec = {
        **mesh["spec"],
        "istio": {"version": "1.29.6", "charts": {"source": "charts", "also": [{"chart": "gateway"}]}},
    }
    own = {name: f"10.0.5.{number}" for number, name in enumerate(by_name(mesh), 20)}
    for cluster in spec["clusters"]:
        if cluster["role"] == "primary":
            cluster["controlPlane"]["addresses"]["istiod"] = own[cluster["name"]]
    plan = plan_mesh(load(json.dumps({**mesh, "spec": spec}).encode(), "mesh.yaml"))
    asked: Counter[str] = Counter()
    for cluster in plan.clusters:
        asked.update(body["spec"]["loadBalancerIP"] for body in exposure.lower(plan, cluster))
        for chart in (one for one in cluster.charts if one.chart == "gateway"):
            values = values_of(plan, cluster, chart.chart, chart.release, {})
            asked.update([values["service"]["loadBalancerIP"]] if "loadBalancerIP" in values.get("service", {}) else [])
            told = values.get("networkGateway") or values.get("labels", {}).get("topology.istio.io/network")
            assert told in (cluster.network, None)
    used = {cluster.network for cluster in plan.clusters}
    wanted = {NETWORKS[str(name)] for name in used} if len(used) > 1 else set()
    wanted |= {
        own[one.name] for one in plan.clusters if one.exposure and one.exposure.addresses["istiod"] == own[one.name]
    }

    assert asked == Counter(wanted)


@given(topologies(), st.randoms(use_true_random=False))
@tried(40)
def test_the_order_of_clusters_changes_no_cluster(mesh: Mesh, chance: Any) -> None:
    clusters = mesh["spec"]["clusters"]
    other = {**mesh, "spec": {**mesh["spec"], "clusters": chance.sample(clusters, len(clusters))}}
    trees = [compiled(one).layout.tree for one in (mesh, other)]
    for name in by_name(mesh):
        first, second = ({identity_of(body): body for body in objects(tree, name)} for tree in trees)

        assert first == second
