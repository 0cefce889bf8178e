"""`meshc capture facts` and `meshc capture services` as a person runs them; what is captured compiles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.fake_api import FakeCluster, kubeconfig, serving
from support.places import SOPS, Place
from support.tools import find_tool

pytestmark = pytest.mark.thorough

KUBEADM = "apiServer: {}\nnetworking:\n  podSubnet: 10.10.0.0/16,fd00:10::/48\n  serviceSubnet: 10.96.0.0/12\n"


class Land(Place):
    """A mesh whose hub is a fake one."""

    def __init__(self, folder: Path, hub: FakeCluster, *, classic: bool = False) -> None:
        super().__init__(folder, SOPS, classic=classic)
        self.hub, self.config = hub, kubeconfig(folder / "kubeconfig", hub)
        text = (self.base / "mesh.yaml").read_text().replace("type: plugged-in", "type: self-signed")
        (self.base / "mesh.yaml").write_text(text)

    def capture(self, *words: str, code: int = 0) -> str:
        return self.meshc("capture", *words, "--kubeconfig", str(self.config), code=code)


@pytest.fixture
def land(tmp_path: Path) -> Iterator[Land]:
    hub = FakeCluster("hub", "v1.34.1-gke.100")
    with serving(hub):
        yield Land(tmp_path, hub)


def test_facts_that_differ_go_into_mesh_yaml(land: Land) -> None:
    land.hub.version = "v1.33.4"
    land.hub.put("configmaps", "kubeadm-config", "kube-system", data={"ClusterConfiguration": KUBEADM})
    land.hub.put("nodes", "n1", spec={"podCIDR": "10.10.1.0/24"})
    land.hub.put("services", "kubernetes", "default", spec={"clusterIP": "10.96.0.1"})
    land.hub.put("namespaces", "istio-system", metadata={"labels": {"topology.istio.io/network": "corp"}})
    container = {"name": "discovery", "image": "docker.io/istio/pilot:1.30.4-distroless"}
    container["env"] = [{"name": "CLUSTER_ID", "value": "Kubernetes"}]  # type: ignore[assignment]
    spec = {"template": {"spec": {"containers": [container]}}}
    land.hub.put("deployments", "istiod", "istio-system", metadata={"labels": {"app": "istiod"}}, spec=spec)
    said = land.capture("facts", "hub", code=1)

    assert "v1.33.4, but mesh.yaml has 1.34.0" in said
    assert "mesh.yaml:12:26" in said
    assert "1.30.4, but mesh.yaml has 1.29.6" in said
    assert "corp, but mesh.yaml has none" in said
    assert "nothing is written without --write" in said

    land.capture("facts", "hub", "--write")
    hub: dict[str, Any] = yaml.safe_load((land.base / "mesh.yaml").read_text())["spec"]["clusters"][0]

    assert "Kubernetes, but mesh.yaml has hub" in said
    assert hub["clusterID"] == "Kubernetes"
    assert hub["kubernetesVersion"] == "1.33"
    assert hub["podCIDRs"] == ["10.10.0.0/16", "fd00:10::/48"]
    assert hub["serviceCIDRs"] == ["10.96.0.0/12"]


def test_facts_that_may_not_be_asked_are_unknown(land: Land) -> None:
    land.hub.forbidden |= {("get", "configmaps"), ("list", "servicecidrs"), ("list", "nodes"), ("get", "services")}
    said = land.capture("facts", "hub")

    assert "the cluster doesn't tell their ranges" in said
    assert 'add the rule {apiGroups: [""], resources: ["nodes"], verbs: ["list"]} in a ClusterRole' in said
    assert 'apiGroups: ["networking.k8s.io"], resources: ["servicecidrs"]' in said


def test_parts_that_lie_outside_of_what_is_recorded_are_told(land: Land) -> None:
    land.hub.put("nodes", "n1", spec={"podCIDRs": ["10.10.1.0/24"]})
    land.hub.put("nodes", "n2", spec={"podCIDRs": ["10.77.1.0/24"]})

    assert "10.10.1.0/24, 10.77.1.0/24, but mesh.yaml has 10.10.0.0/16" in land.capture("facts", "hub", code=1)


def service(hub: FakeCluster, name: str, **spec: Any) -> None:
    hub.put(
        "services",
        name,
        "shop",
        metadata={
            "labels": {"app": name},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": '{"token": "x"}', "owner": "shop"},
            "managedFields": [{"manager": "kubectl"}],
        },
        spec={
            "clusterIP": "10.96.4.4",
            "clusterIPs": ["10.96.4.4"],
            "type": "NodePort",
            "selector": {"app": name},
            "ports": [{"name": "http", "port": 80, "targetPort": 8080, "nodePort": 30080, "protocol": "TCP"}],
            **spec,
        },
        status={"loadBalancer": {}},
    )


def test_services_become_manifests_that_compile(land: Land) -> None:
    find_tool("kubectl")
    service(land.hub, "cart")
    service(land.hub, "queue", type="ClusterIP", clusterIP="None")
    said = land.capture("services", "hub", "-n", "shop")
    bodies = list(yaml.safe_load_all((land.base / "apps/shop/shop.yaml").read_text()))

    assert bodies[0] == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "cart",
            "namespace": "shop",
            "labels": {"app": "cart"},
            "annotations": {"owner": "shop"},
        },
        "spec": {
            "type": "NodePort",
            "selector": {"app": "cart"},
            "ports": [{"name": "http", "port": 80, "targetPort": 8080}],
        },
    }
    assert bodies[1]["spec"]["clusterIP"] == "None"
    assert "    - name: shop\n      manifests: apps/shop\n      clusters: [hub]" in said

    mesh = land.base / "mesh.yaml"
    entry = "  namespaces: [{name: shop}]\n  services: [{name: shop, manifests: apps/shop, clusters: [hub]}]\n"
    mesh.write_text(mesh.read_text() + entry)
    land.meshc("compile")
    assert "as before" in land.capture("services", "hub", "-n", "shop")

    service(land.hub, "wishes")
    assert "hint: overwrite it with --replace" in land.capture("services", "hub", "-n", "shop", code=2)
    land.capture("services", "hub", "-n", "shop", "--replace")
    ours = {"labels": {"app.kubernetes.io/managed-by": "meshc"}}
    land.hub.put("services", "copied", "shop", metadata=ours, spec={"ports": [{"name": "http", "port": 80}]})
    before = (land.base / "apps/shop/shop.yaml").read_bytes()
    land.capture("services", "hub", "-n", "shop")
    assert (land.base / "apps/shop/shop.yaml").read_bytes() == before
    assert "is a copy by meshc: the Service runs in another cluster" in land.capture(
        "services", "hub", "copied", "-n", "shop", code=2
    )
    assert "no Service shop/nothing" in land.capture("services", "hub", "nothing", "-n", "shop", code=2)


def test_classic_control_planes_tell_the_addresses_of_their_pods(tmp_path: Path) -> None:
    hub = FakeCluster("hub", "v1.15.12")
    pods = {"pilot": ("istio", "pilot", "10.10.3.7"), "policy": ("istio-mixer-type", "policy", "10.10.3.8")}
    pods["telemetry"] = ("istio-mixer-type", "telemetry", "10.10.3.9")
    for name, (key, value, address) in pods.items():
        status = {"podIP": address, "conditions": [{"type": "Ready", "status": "True"}]}
        hub.put("pods", name, "istio-system", metadata={"labels": {key: value}}, status=status)
    with serving(hub):
        land = Land(tmp_path, hub, classic=True)
        mesh = land.base / "mesh.yaml"
        mesh.write_text(mesh.read_text().replace("controlPlane: {", "controlPlane: {exposure: pod-ip, "))
        land.capture("addresses", "hub", "--write")

    assert "addresses: {pilot: 10.10.3.7, policy: 10.10.3.8, telemetry: 10.10.3.9}" in mesh.read_text()


def test_an_external_control_plane_behind_a_gateway_tells_the_address_of_that_gateway(land: Land) -> None:
    """Of the ingress gateway that the compiled Gateway selects, and not of one between networks."""
    mesh = land.base / "mesh.yaml"
    text = mesh.read_text().replace("role: primary", "role: external-control-plane")
    mesh.write_text(text.replace("controlPlane: {", "controlPlane: {exposure: gateway, configCluster: edge-1, "))
    for name, selector, address in (("ew", "eastwestgateway", "10.0.5.98"), ("in", "ingressgateway", "10.0.5.99")):
        spec = {"type": "LoadBalancer", "selector": {"istio": selector}}
        status = {"loadBalancer": {"ingress": [{"ip": address}]}}
        land.hub.put("services", name, "istio-system", spec=spec, status=status)
    said = land.capture("addresses", "hub")

    assert "istiod: 10.0.5.99" in said
    assert "10.0.5.98" not in said
