"""Istio's charts do with the computed values what a mesh of several networks needs: gateways for sidecars, and ambient.

MESHC_CHARTS names a folder of Istio releases, as for test_charts_agree.py. Without one these tests skip.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshc.charts.vendor import vendor
from meshc.commands.listener import Silent
from meshc.commands.opened import Opened
from meshc.mesh.exports import GLOBAL
from meshc.pipeline import compile_mesh, fleet_of
from support.charts import FOLDER, ISTIOD, has_ambient, kubernetes_for, need_charts
from support.tools import find_helm

pytestmark = pytest.mark.skipif(not ISTIOD, reason="MESHC_CHARTS names no charts of istiod")

MESH = """
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {{name: small}}
spec:
  istio:
    version: {version}
    images: {{pullSecrets: [pull]}}
    charts: {{source: charts, also: [{also}]}}
  security: {{ca: {{type: external}}}}
  networks:
    - {{name: net-east, gateway: {{address: 203.0.113.7}}}}
    - {{name: net-west, gateway: {{hostname: west.example.com, port: {port}}}}}
  clusters:
    - {{name: east, role: primary, network: net-east, kubernetesVersion: "{kubernetes}", podCIDRs: [10.10.0.0/16]}}
    - {{name: west, role: primary, network: net-west, kubernetesVersion: "{kubernetes}", podCIDRs: [10.10.0.0/16]}}
  namespaces: [{{name: shop, dataplane: {dataplane}}}]
"""
Objects = dict[str, dict[str, Any]]


def outputs(folder: Path, version: str, also: str, dataplane: str, port: int = 15443) -> tuple[Objects, Objects]:
    """The objects of east and of west, by kind and name."""
    (folder / ".git").mkdir()
    shutil.copytree(f"{FOLDER}/{version}/manifests", folder / "charts/manifests")
    kubernetes = kubernetes_for(version)
    text = MESH.format(version=version, also=also, dataplane=dataplane, port=port, kubernetes=kubernetes)
    (folder / "mesh.yaml").write_text(text)
    opened, helm = Opened(folder / "mesh.yaml"), find_helm()
    vendor(fleet_of(opened.source), opened.source, opened.repository, lambda: helm, Silent().steps)
    tree = compile_mesh(opened.source, opened.repository, lambda: opened.kustomize).layout.tree
    return objects(tree.under("east").values()), objects(tree.under("west").values())


def objects(files: Iterable[bytes]) -> Objects:
    bodies = [body for data in files for body in yaml.load_all(data, Loader=yaml.CSafeLoader)]
    return {f"{body['kind']} {body['metadata']['name']}": body for body in bodies if body and "metadata" in body}


def env(workload: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one.get("value", "") for one in workload["spec"]["template"]["spec"]["containers"][0]["env"]}


@pytest.mark.parametrize("version", ISTIOD)
def test_the_gateway_of_sidecars(version: str, tmp_path: Path) -> None:
    need_charts(version, "base", "gateway")
    made = outputs(tmp_path, version, "{chart: gateway}", "sidecar", 8443)
    for one, network, port, address in zip(made, NETWORKS, (15443, 8443), ("203.0.113.7", None), strict=True):
        service, gateway = one["Service istio-eastwestgateway"], one["Deployment istio-eastwestgateway"]
        pod, passes_on = gateway["spec"]["template"], one["Gateway cross-network-gateway"]["spec"]

        assert service["metadata"]["labels"]["topology.istio.io/network"] == network
        assert service["spec"].get("loadBalancerIP") == address
        assert {port, 15021} <= {each["port"] for each in service["spec"]["ports"]}
        assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        assert passes_on["selector"].items() <= pod["metadata"]["labels"].items()
        assert [server["port"]["number"] for server in passes_on["servers"]] == [port]
        assert env(gateway)["ISTIO_META_REQUESTED_NETWORK_VIEW"] == network
        assert pod["spec"]["imagePullSecrets"] == [{"name": "pull"}]
        assert [name for name in one if name.startswith("Service ") and "gateway" in name] == [SERVICE]


@pytest.mark.parametrize("version", [one for one in ISTIOD if has_ambient(one)])
def test_ambient(version: str, tmp_path: Path) -> None:
    need_charts(version, "base", "cni", "ztunnel")
    made = outputs(tmp_path, version, "{chart: cni}, {chart: ztunnel}", "ambient", 15008)
    for one, cluster, network in zip(made, ("east", "west"), NETWORKS, strict=True):
        istiod, ztunnel = env(one["Deployment istiod"]), env(one["DaemonSet ztunnel"])
        mesh = yaml.safe_load(one["ConfigMap istio"]["data"]["mesh"])
        scope = mesh["serviceScopeConfigs"][0]["servicesSelector"]["matchExpressions"][0]

        assert [istiod[name] for name in ("PILOT_ENABLE_AMBIENT", "AMBIENT_ENABLE_MULTI_NETWORK")] == ["true", "true"]
        assert (ztunnel["NETWORK"], ztunnel["ISTIO_META_CLUSTER_ID"]) == (network, cluster)
        assert one["ConfigMap istio-cni-config"]["data"]["AMBIENT_ENABLED"] == "true"
        assert one["Gateway ambient-eastwestgateway"]["metadata"]["labels"]["topology.istio.io/network"] == network
        assert (scope["key"], scope["values"]) == (GLOBAL, ["true"])


NETWORKS = ("net-east", "net-west")
SERVICE = "Service istio-eastwestgateway"
