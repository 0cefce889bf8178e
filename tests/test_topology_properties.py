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
from meshc.lowering import needs_of
from meshc.mesh.source import load
from meshc.pipeline import plan_mesh
from meshc.plan.values import values_of
from support.api_names import refused
from support.generated_meshes import Mesh, compiled, objects, tried
from support.generated_topologies import NETWORKS, topologies

pytestmark = pytest.mark.thorough


def by_name(mesh: Mesh) -> dict[str, Mesh]:
    return {cluster["name"]: cluster for cluster in mesh["spec"]["clusters"]}


def id_of(cluster: Mesh) -> str:
    return str(cluster.get("clusterID", cluster["name"]))


def gateways_of(mesh: Mesh) -> dict[str, list[Mesh]]:
    """The gateways of each network."""
    return {one["name"]: one.get("gateways") or [one["gateway"]] for one in mesh["spec"]["networks"]}


def labels_of(mesh: Mesh) -> dict[str, str]:
    """What Istio calls each network."""
    return {one["name"]: one.get("label", one["name"]) for one in mesh["spec"]["networks"]}


def named(bodies: list[Any], kind: str, name: str) -> list[Any]:
    return [body for body in bodies if (body["kind"], body["metadata"]["name"]) == (kind, name)]


@given(topologies())
@tried(60)
def test_every_primary_watches_every_other_cluster_once(mesh: Mesh) -> None:
    clusters = by_name(mesh)
    wanted = Counter(
        (primary, id_of(other))
        for primary, cluster in clusters.items()
        if cluster["role"] == "primary"
        for name, other in clusters.items()
        if name != primary
    )

    needs = [need for need in needs_of(compiled(mesh).plan) if need.kind == "remote secret"]

    assert Counter((need.cluster, *need.keys) for need in needs) == wanted


@given(topologies())
@tried(60)
def test_a_remote_belongs_to_its_own_primary_and_network(mesh: Mesh) -> None:
    clusters, labels, tree = by_name(mesh), labels_of(mesh), compiled(mesh).layout.tree
    for name, cluster in clusters.items():
        bodies = objects(tree, name)
        (namespace,) = named(bodies, "Namespace", "istio-system")
        controller = at(namespace, "metadata", "annotations", "topology.istio.io/controlPlaneClusters")
        assert namespace["metadata"]["labels"]["topology.istio.io/network"] == labels[cluster["network"]]
        assert controller == (id_of(clusters[cluster["primary"]]) if "primary" in cluster else None)
        if cluster["role"] == "primary":
            continue
        (webhooks,) = named(bodies, "MutatingWebhookConfiguration", "istio-sidecar-injector")
        paths = {one["clientConfig"]["service"]["path"] for one in webhooks["webhooks"]}
        primary = clusters[cluster["primary"]]
        by_gateway = cluster["network"] != primary["network"] and "exposure" not in primary["controlPlane"]
        (slices,) = named(bodies, "EndpointSlice", "istiod")

        assert paths == {f"/inject/cluster/{id_of(cluster)}/net/{labels[cluster['network']]}"}
        assert slices["endpoints"][0]["addresses"] == [NETWORKS[primary["network"]] if by_gateway else "10.0.5.20"]
        assert not by_gateway or named(objects(tree, cluster["primary"]), "Gateway", "istiod-gateway")


@given(topologies())
@tried(60)
def test_gateways_are_told_once_in_each_primary_and_claim_nothing_twice(mesh: Mesh) -> None:
    clusters, tree = by_name(mesh), compiled(mesh).layout.tree
    several = len({cluster["network"] for cluster in clusters.values()}) > 1
    doors = {
        name: [(one["port"], tuple(one.get("selector", {"istio": "eastwestgateway"}).items())) for one in gateways]
        for name, gateways in gateways_of(mesh).items()
    }
    for name, cluster in clusters.items():
        gateways = [body for body in objects(tree, name) if body["kind"] == "Gateway"]
        claims = [
            (server["port"]["number"], host, *body["spec"]["selector"].items())
            for body in gateways
            for server in body["spec"]["servers"]
            for host in server["hosts"]
        ]
        between = [body for body in gateways if body["metadata"]["name"].startswith("cross-network-gateway")]
        controlled = [one for one in clusters.values() if one is cluster or one.get("primary") == name]

        assert max(Counter(claims).values(), default=1) == 1
        heard = {
            (server["port"]["number"], tuple(body["spec"]["selector"].items()))
            for body in between
            for server in body["spec"]["servers"]
        }
        watching = several and cluster["role"] == "primary"
        assert heard == ({door for one in controlled for door in doors[one["network"]]} if watching else set())
        assert cluster["role"] == "primary" or not gateways


@given(topologies(plain=True))
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
            assert told in (cluster.network_label, None)
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


@given(topologies())
@tried(40)
def test_an_api_server_takes_every_name(mesh: Mesh) -> None:
    tree = compiled(mesh).layout.tree

    assert [refused(objects(tree, name)) for name in by_name(mesh)] == [[]] * len(by_name(mesh))
