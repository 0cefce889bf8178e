"""`meshc capture inventory` against API servers that know other clusters: what is written, and what never is."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from meshc.cli.main import app
from support.fake_api import FakeCluster, kubeconfig, serving

pytestmark = pytest.mark.thorough

CANARY = "eyJhbGciOiJub25lIn0.eyJjYW5hcnkiOnRydWV9.c2lnbmF0dXJl"
MESH = """\
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {name: shop}
spec:
  istio: {version: 1.29.6}
  security: {ca: {type: external}}
  clustersFrom:
    - {file: inventory/clusters.yaml, format: FORMAT}
  clusters:
    - {name: hub, role: primary, kubernetesVersion: "1.34", podCIDRs: [10.1.0.0/16],
       controlPlane: {addresses: {istiod: 10.0.5.20}}}
  overrides: [{clusters: all, set: {kubernetesVersion: "1.34"}}]
"""


class Ground:
    def __init__(self, folder: Path, *clusters: FakeCluster) -> None:
        self.folder, self.clusters = folder, clusters
        self.file = folder / "inventory/clusters.yaml"

    def use(self, form: str) -> None:
        (self.folder / "mesh.yaml").write_text(MESH.replace("FORMAT", form))

    def capture(self, *words: str, code: int = 0) -> str:
        config = str(kubeconfig(self.folder / "kubeconfig", *self.clusters))
        options = ["-f", str(self.folder / "mesh.yaml"), "--kubeconfig", config]
        done: Result = CliRunner().invoke(app, ["capture", "inventory", *words, *options])
        assert done.exit_code == code, done.output
        assert CANARY not in done.output
        assert not self.file.exists() or CANARY not in self.file.read_text()
        return done.output


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    home, edge = FakeCluster("management"), FakeCluster("edge-9", "v1.33.4")
    with serving(home, edge):
        yield Ground(tmp_path, home, edge)


def argo(cluster: FakeCluster, name: str, server: str, **labels: str) -> None:
    values = {"name": name, "server": server, "config": f'{{"bearerToken": "{CANARY}"}}', "project": "x"}
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": CANARY, "site": f"site-{name}"}
    told = {"labels": {"argocd.argoproj.io/secret-type": "cluster", **labels}, "annotations": annotations}
    cluster.put("secrets", f"cluster-{name}", "argocd", data=data, metadata=told, type="Opaque")


def test_cluster_secrets_of_argo_cd_lose_what_logs_in(ground: Ground) -> None:
    home = ground.clusters[0]
    argo(home, "edge-2", "https://10.0.0.2:6443", env="prod")
    argo(home, "edge-1", "https://10.0.0.1:6443")
    home.put("secrets", "other", "argocd", data={"token": base64.b64encode(CANARY.encode()).decode()})
    ground.use("argocd-secrets")
    shown = ground.capture("--context", "management", code=1)
    assert "nothing is written without --write" in shown
    assert not ground.file.exists()

    said = ground.capture("--context", "management", "--write")
    bodies = [*yaml.safe_load_all(ground.file.read_text())]
    assert "2 clusters in inventory/clusters.yaml" in said
    assert [one["stringData"] for one in bodies] == [
        {"name": "edge-1", "server": "https://10.0.0.1:6443"},
        {"name": "edge-2", "server": "https://10.0.0.2:6443"},
    ]
    assert all("annotations" not in one["metadata"] for one in bodies)
    assert bodies[1]["metadata"]["labels"]["env"] == "prod"
    assert "has these values already" in ground.capture("--context", "management")
    planned = CliRunner().invoke(app, ["plan", "-f", str(ground.folder / "mesh.yaml"), "-c", "edge-2"])
    assert "edge-2: remote" in planned.output, planned.output

    del home.objects["secrets", "argocd", "cluster-edge-2"]
    assert "-    env: prod" in ground.capture("--context", "management", code=1)


def test_an_annotation_that_mesh_yaml_reads_is_kept(ground: Ground) -> None:
    argo(ground.clusters[0], "edge-1", "https://10.0.0.1:6443")
    ground.use("argocd-secrets, fields: {name: metadata.annotations.site}")
    ground.capture("--context", "management", "--write")

    assert yaml.safe_load(ground.file.read_text())["metadata"]["annotations"] == {"site": "site-edge-1"}


def test_what_is_not_whole_is_not_written(ground: Ground) -> None:
    home = ground.clusters[0]
    ground.use("argocd-secrets")
    assert "has no objects that describe clusters, so nothing is written" in ground.capture(
        "--context", "management", "--write", code=3
    )
    argo(home, "edge_1", "https://10.0.0.1:6443")
    assert 'these names are invalid for a cluster: "edge_1"' in ground.capture(
        "--context", "management", "--write", code=3
    )
    argo(home, "edge-1", "https://10.0.0.1:6443", leak=CANARY)
    home.objects.pop(("secrets", "argocd", "cluster-edge_1"))
    home.forbidden.add(("list", "secrets"))
    assert 'resources: ["secrets"]' in ground.capture("--context", "management", "--write", code=4)
    assert "--context CONTEXT" in ground.capture("--write", code=2)
    assert not ground.file.exists()


def test_profiles_and_clusters_of_cluster_api(ground: Ground) -> None:
    home = ground.clusters[0]
    provider = {"name": "x", "cluster": {"server": "https://10.0.0.3:6443", "extensions": [{"token": CANARY}]}}
    status = {"version": {"kubernetes": "v1.33.1"}, "accessProviders": [provider], "conditions": [CANARY]}
    home.put("clusterprofiles", "edge-3", "fleet", status=status, spec={"displayName": "three"})
    ground.use("clusterprofiles")
    ground.capture("--context", "management", "--write")
    profile = yaml.safe_load(ground.file.read_text())
    assert profile["status"] == {
        "version": {"kubernetes": "v1.33.1"},
        "accessProviders": [{"cluster": {"server": "https://10.0.0.3:6443"}}],
    }

    network = {"pods": {"cidrBlocks": ["10.9.0.0/16"]}, "serviceDomain": "x"}
    spec = {"clusterNetwork": network, "controlPlaneEndpoint": {"host": "10.0.0.4", "port": 6443}, "paused": CANARY}
    home.put("clusters", "edge-4", "fleet", spec=spec)
    ground.file.unlink()
    ground.use("cluster-api")
    ground.capture("--context", "management", "--write")
    cluster = yaml.safe_load(ground.file.read_text())
    assert cluster["spec"] == {
        "clusterNetwork": {"pods": {"cidrBlocks": ["10.9.0.0/16"]}},
        "controlPlaneEndpoint": {"host": "10.0.0.4", "port": 6443},
    }


def test_a_kubeconfig_and_the_clusters_themselves(ground: Ground) -> None:
    ground.use("kubeconfig")
    ground.capture("--context", "edge-9", "--context", "far=management", "--write")
    config = yaml.safe_load(ground.file.read_text())
    assert {one["name"]: one["cluster"] for one in config["clusters"]} == {
        "edge-9": {"server": ground.clusters[1].url},
        "far": {"server": ground.clusters[0].url},
    }

    ground.file.unlink()
    ground.use("list, at: fleet.members")
    ground.clusters[1].put("namespaces", "istio-system", metadata={"labels": {"topology.istio.io/network": "lab"}})
    assert "context" in ground.capture("--context", "edge-9", "--context", "none=nowhere", "--write", code=4)
    assert not ground.file.exists()
    ground.capture("--context", "edge-9", "--write")
    members = yaml.safe_load(ground.file.read_text())["fleet"]["members"]
    assert members == {
        "edge-9": {"apiServer": ground.clusters[1].url, "kubernetesVersion": "1.33", "network": "lab"},
    }


def test_a_file_in_json_is_not_written(ground: Ground) -> None:
    ground.use("argocd-secrets")
    mesh = ground.folder / "mesh.yaml"
    mesh.write_text(mesh.read_text().replace("clusters.yaml", "clusters.json"))

    assert "call it .yaml in mesh.yaml" in ground.capture("--context", "management", code=2)


def test_a_file_that_mesh_yaml_does_not_name_yet(ground: Ground) -> None:
    (ground.folder / "mesh.yaml").write_text(
        MESH.replace("  clustersFrom:\n    - {file: inventory/clusters.yaml, format: FORMAT}\n", "")
    )
    assert "the file or its format is missing" in ground.capture("--context", "edge-9", code=2)
    said = ground.capture("inventory/clusters.yaml", "--format", "kubeconfig", "--context", "edge-9", "--write")
    assert "- {file: inventory/clusters.yaml, format: kubeconfig}" in said
    (ground.folder / "theirs.yaml").write_text("a: b\n")
    assert "an inventory in mesh.yaml" in ground.capture("theirs.yaml", "--format", "kubeconfig", code=2)
    assert "no YAML file below" in ground.capture("../x.yaml", "--format", "kubeconfig", code=2)


def test_rights_are_the_least(ground: Ground) -> None:
    ground.use("argocd-secrets")
    bodies = [*yaml.safe_load_all(ground.capture("--format", "argocd-secrets", "--print-rbac"))]
    rules = {one["kind"]: one["rules"] for one in bodies if "rules" in one}
    assert rules == {"Role": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]}
    assert {one["metadata"]["namespace"] for one in bodies} == {"argocd"}
    whole = [*yaml.safe_load_all(ground.capture("--format", "cluster-api", "--print-rbac"))]
    assert [one["rules"] for one in whole if one["kind"] == "ClusterRole"] == [
        [{"apiGroups": ["cluster.x-k8s.io"], "resources": ["clusters"], "verbs": ["list"]}]
    ]
