"""`meshc adopt` as a person runs it, on dumps as kubectl writes them: what comes out compiles, and changes little."""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from support import dumping
from support.credentials import CONFIG
from support.fake_api import CORE, FakeCluster, jwt, kubeconfig, serving
from support.processes import said
from support.throwaway import make_root, pem
from support.tools import find_tool

pytestmark = pytest.mark.thorough

CANARY = jwt("canary")


def meshc(folder: Path, *words: str, code: int = 0) -> str:
    both = said(*words, cwd=folder, code=code)

    assert CANARY[5:40] not in both

    return both


def thing(kind: str, name: str, namespace: str = "", labels: dict[str, str] | None = None, **fields: Any) -> Any:
    group = {"Deployment": "apps/v1", "EndpointSlice": "discovery.k8s.io/v1"}.get(kind, "v1")
    metadata = {"name": name, "uid": "u", "resourceVersion": "7", "labels": labels or {}}
    placed = {"namespace": namespace} if namespace else {}
    return {"apiVersion": group, "kind": kind, "metadata": {**metadata, **placed}, **fields}


def workload(name: str) -> Any:
    return thing("Deployment", name, "shop", spec={"template": {"metadata": {"labels": {"app": name}}}})


def service(name: str, selects: bool = True) -> Any:
    spec: dict[str, Any] = {"clusterIP": "10.96.3.3", "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]}
    return thing("Service", name, "shop", {"app": name}, spec=spec | ({"selector": {"app": name}} if selects else {}))


def node(cidr: str, version: str = "v1.34.1") -> Any:
    return thing("Node", f"n-{cidr[:-3]}", spec={"podCIDRs": [cidr]}, status={"nodeInfo": {"kubeletVersion": version}})


def dump(folder: Path, cluster: str, *bodies: Any) -> None:
    dumping.dump(folder / cluster, bodies)
    (folder / cluster / "notes.txt").write_text("nothing")


def dumped(folder: Path) -> list[Any]:
    return [
        body for path in sorted(folder.glob("*.yaml")) for body in yaml.safe_load(path.read_text()).get("items", ())
    ]


@pytest.fixture
def dumps(tmp_path: Path) -> Path:
    root = make_root()
    hub = root.issue("hub")
    parts = {"ca-cert.pem": hub.cert_pem, "cert-chain.pem": pem(hub, root), "root-cert.pem": root.cert_pem}
    cacerts = {key: base64.b64encode(value).decode() for key, value in (parts | {"ca-key.pem": hub.key_pem}).items()}
    config = {**CONFIG, "users": [{"name": "reader", "user": {"token": CANARY}}]}
    env = [{"name": "CLUSTER_ID", "value": "hub"}]
    container = {"name": "discovery", "image": "docker.io/istio/pilot:1.30.3", "env": env}
    mesh = "trustDomain: shop.local\ndefaultConfig:\n  meshId: shop\n"
    balancer = {"type": "LoadBalancer", "selector": {"app": "istiod"}}
    shop = thing("Namespace", "shop", labels={"istio-injection": "enabled", "team": "shop"})
    dump(
        tmp_path / "dumps",
        "gke-hub",
        node("10.10.0.0/17"),
        node("10.10.128.0/17"),
        shop,
        thing("Namespace", "istio-system"),
        thing("ConfigMap", "istio", "istio-system", data={"mesh": mesh}),
        thing(
            "Deployment",
            "istiod",
            "istio-system",
            {"app": "istiod"},
            spec={"template": {"spec": {"containers": [container]}}},
        ),
        thing(
            "Service",
            "istiod-mc",
            "istio-system",
            spec=balancer,
            status={"loadBalancer": {"ingress": [{"ip": "10.0.5.20"}]}},
        ),
        thing("Secret", "cacerts", "istio-system", data=cacerts),
        thing(
            "Secret",
            "istio-remote-secret-edge-1",
            "istio-system",
            {"istio/multiCluster": "true"},
            data={"edge-1": base64.b64encode(json.dumps(config).encode()).decode()},
        ),
        workload("cart"),
        thing("Namespace", "till", labels={"istio.io/dataplane-mode": "ambient"}),
        service("cart"),
        service("invoices"),
        workload("ledger"),
        service("ledger"),
    )
    dump(
        tmp_path / "dumps",
        "edge-1",
        node("10.11.0.0/16", "v1.33.4"),
        shop,
        thing("ServiceAccount", "istio-reader-service-account", "istio-system"),
        workload("invoices"),
        service("invoices"),
        service("cart", selects=False),
    )
    return tmp_path / "dumps"


def test_what_runs_becomes_a_mesh_that_compiles(dumps: Path, tmp_path: Path) -> None:
    find_tool("kubectl")
    place = tmp_path / "mesh"
    place.mkdir()
    said = meshc(place, "adopt", "--from", str(dumps))
    mesh = yaml.safe_load((place / "mesh.yaml").read_text())

    assert mesh["metadata"] == {"name": "shop"}
    assert mesh["spec"] == {
        "istio": {"version": "1.30.3", "trustDomain": "shop.local"},
        "security": {"mutualTLS": "permissive", "ca": {"type": "plugged-in"}},
        "clusters": [
            {
                "name": "edge-1",
                "role": "remote",
                "kubernetesVersion": "1.33",
                "apiServer": "https://10.1.0.10:6443",
                "podCIDRs": ["10.11.0.0/16"],
                "primary": "hub",
                "sidecarInjection": "manual",
            },
            {
                "name": "hub",
                "role": "primary",
                "kubernetesVersion": "1.34",
                "podCIDRs": ["10.10.0.0/16"],
                "controlPlane": {"addresses": {"istiod": "10.0.5.20"}},
            },
        ],
        "namespaces": [{"name": "shop"}, {"name": "till", "dataplane": "ambient", "clusters": ["hub"]}],
        "services": [
            {"name": "shop", "manifests": "apps/shop", "clusters": ["hub"]},
            {"name": "shop-2", "manifests": "apps/shop-2", "clusters": ["edge-1"]},
        ],
    }
    assert "gke-hub has the ID hub" in said
    assert "gke-hub: 15 objects read, 1 file ignored" in said
    assert "these Services exist only where they run, so meshc writes no entry: shop/ledger" in said
    assert "meshc doesn't read the keys of the CAs" in said
    assert (place / "certificates/hub/ca-cert.pem").read_bytes().startswith(b"-----BEGIN CERTIFICATE-----")
    for path in place.rglob("*"):
        assert path.is_dir() or not any(word in path.read_bytes() for word in (b"PRIVATE KEY", CANARY[5:40].encode()))

    text = (place / "mesh.yaml").read_text().replace("type: plugged-in", "type: self-signed")
    (place / "mesh.yaml").write_text(text)
    meshc(place, "compile")

    again = meshc(place, "adopt", "--from", str(dumps), code=5)
    assert "already there; nothing was written" in again


def test_parts_are_the_same_mesh(dumps: Path, tmp_path: Path) -> None:
    find_tool("kubectl")
    trees: list[dict[Path, bytes]] = []
    for words in ((), ("--parts",)):
        place = tmp_path / f"mesh{len(trees)}"
        place.mkdir()
        meshc(place, "adopt", "--from", str(dumps), *words)
        text = (place / "mesh.yaml").read_text().replace("type: plugged-in", "type: self-signed")
        (place / "mesh.yaml").write_text(text)
        meshc(place, "compile")
        trees.append({path.relative_to(place): path.read_bytes() for path in (place / "output").rglob("*.yaml")})
    mesh = yaml.safe_load((place / "mesh.yaml").read_text())["spec"]
    files = {path.relative_to(place).as_posix() for path in place.rglob("*.yaml")}
    team = yaml.safe_load((place / "teams/shop.yaml").read_text())

    assert trees[0] == trees[1]
    assert mesh["include"] == [
        {"files": "clusters/*.yaml", "may": ["clusters"]},
        {"files": "teams/*.yaml", "may": ["namespaces", "services"]},
    ]
    assert not mesh.keys() & {"clusters", "namespaces", "services"}
    assert files >= {"clusters/hub.yaml", "clusters/edge-1.yaml", "teams/shop.yaml", "teams/till.yaml"}
    assert team["kind"] == "MeshPart"
    assert [one["manifests"] for one in team["spec"]["services"]] == ["../apps/shop", "../apps/shop-2"]
    assert "--diff writes nothing" in meshc(place, "adopt", "--from", str(dumps), "--parts", "--diff", code=2)


def test_the_difference_is_what_a_sync_would_change(dumps: Path, tmp_path: Path) -> None:
    """Until it is empty: what is applied from output/ and dumped again differs in nothing."""
    find_tool("kubectl")
    place = tmp_path / "mesh"
    place.mkdir()
    meshc(place, "adopt", "--from", str(dumps))
    text = (place / "mesh.yaml").read_text().replace("type: plugged-in", "type: self-signed")
    (place / "mesh.yaml").write_text(text)
    said = meshc(place, "adopt", "--from", str(dumps), "--diff", code=1)

    assert "ClusterRole istio-reader-clusterrole-istio-system" in said
    assert "0 to delete" in said
    assert "PRIVATE" not in said

    meshc(place, "compile")
    for cluster, folder in (("hub", "gke-hub"), ("edge-1", "edge-1")):
        for path in (place / "output" / cluster).glob("*.yaml"):
            (dumps / folder / f"z-{path.name}").write_bytes(path.read_bytes())
    assert "0 to add, 0 to change, 0 to delete" in meshc(place, "adopt", "--from", str(dumps), "--diff")


def test_a_folder_that_holds_no_clusters_is_told(tmp_path: Path) -> None:
    (tmp_path / "dumps").mkdir()
    (tmp_path / "dumps/README.md").write_text("nothing")

    assert "has objects of Istio, or shows how it is installed" in meshc(tmp_path, "adopt", "--from", "dumps", code=2)
    assert 'there is no folder "x"' in meshc(tmp_path, "adopt", "--from", "x", code=2)


def test_a_dump_that_is_cut_off_is_told_without_a_line_of_it(dumps: Path, tmp_path: Path) -> None:
    (dumps / "edge-1/more.yaml").write_text(f"a: [{CANARY}")
    (tmp_path / "mesh").mkdir()
    said = meshc(tmp_path / "mesh", "adopt", "--from", str(dumps))

    assert "not read: edge-1/more.yaml:" in said


@pytest.mark.parametrize("bad", ["items: 3", "[1, 2]", "{apiVersion: v1, kind: Pod, metadata: {name: x, labels: []}}"])
def test_what_is_no_object_is_passed_over(tmp_path: Path, bad: str) -> None:
    (tmp_path / "dumps/hub").mkdir(parents=True)
    (tmp_path / "dumps/hub/bad.yaml").write_text(bad)
    (tmp_path / "dumps/hub/good.yaml").write_text("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}")
    (tmp_path / "dumps/hub/odd.yaml").write_text(
        "{apiVersion: v1, kind: Secret, metadata: {name: cacerts, namespace: istio-system}, "
        "data: {ca-cert.pem: [], x: eA}}"
    )
    said = meshc(tmp_path, "adopt", "--from", "dumps", code=3)

    assert "1 file ignored" in said
    assert "so the primary isn't known" in said


def test_living_clusters_tell_the_same_as_a_dump_of_them(dumps: Path, tmp_path: Path) -> None:
    clusters = [FakeCluster("hub"), FakeCluster("edge-1", "v1.33.4")]
    plural = {kind: name for name, kind in CORE.items()} | {"Deployment": "deployments"}
    for cluster, folder in zip(clusters, ("gke-hub", "edge-1"), strict=True):
        for body in dumped(dumps / folder):
            metadata = body.pop("metadata")
            name, namespace = metadata["name"], metadata.get("namespace", "")
            fields = {key: value for key, value in body.items() if key not in ("apiVersion", "kind")}
            cluster.put(plural[body["kind"]], name, namespace, metadata={"labels": metadata["labels"]}, **fields)
    made, offline = tmp_path / "made", tmp_path / "offline"
    made.mkdir()
    offline.mkdir()
    meshc(offline, "adopt", "--from", str(dumps))
    with serving(*clusters):
        config = kubeconfig(tmp_path / "kubeconfig", *clusters)
        words = ("adopt", "--context", "edge-1", "--context", "hub=hub", "--kubeconfig", str(config))
        meshc(made, *words)
        clusters[0].tokens.clear()
        said = meshc(made, *words, "--diff", code=4)

    assert "hub: the credentials are invalid" in said
    assert {path.name: path.read_bytes() for path in made.rglob("*") if path.is_file()} == {
        path.name: path.read_bytes() for path in offline.rglob("*") if path.is_file()
    }
    assert "either a folder or clusters" in meshc(made, "adopt", code=2)


def lb(name: str, address: str, selector: dict[str, str]) -> Any:
    spec = {"type": "LoadBalancer", "selector": selector}
    status = {"loadBalancer": {"ingress": [{"ip" if address[0].isdigit() else "hostname": address}]}}
    return thing("Service", name, "istio-system", spec=spec, status=status)


def remote_secret(name: str, server: str) -> Any:
    config = copy.deepcopy(CONFIG)
    config["clusters"][0]["cluster"]["server"] = server
    config["users"] = [{"name": "reader", "user": {"token": CANARY}}]
    data = {name: base64.b64encode(json.dumps(config).encode()).decode()}
    return thing("Secret", f"istio-remote-secret-{name}", "istio-system", {"istio/multiCluster": "true"}, data=data)


def primary(name: str, network: str, version: str = "1.30.3") -> list[Any]:
    env = [{"name": "CLUSTER_ID", "value": name}]
    containers = [{"name": "discovery", "image": f"docker.io/istio/pilot:{version}", "env": env}]
    spec = {"template": {"spec": {"containers": containers}}}
    return [
        thing("Namespace", "istio-system", labels={"topology.istio.io/network": network}),
        thing("Deployment", "istiod", "istio-system", {"app": "istiod"}, spec=spec),
    ]


def test_a_mesh_of_several_primaries_and_networks(tmp_path: Path) -> None:
    """Each primary has credentials of all, so a remote's own primary is told by where its Endpoints lead."""
    servers = {name: f"https://{name}.example.com:6443" for name in ("east", "west", "edge-1", "edge-2")}

    def holding(name: str) -> list[Any]:
        return [remote_secret(other, server) for other, server in servers.items() if other != name]

    gateway = {"istio": "eastwestgateway"}
    injector = json.dumps({"global": {"multiCluster": {"clusterName": "edge-1"}}})
    slice_labels = {"kubernetes.io/service-name": "istiod"}
    place = thing("Namespace", "istio-system", labels={"topology.istio.io/network": "b"})
    dump(
        tmp_path / "dumps",
        "gke-east",
        *primary("east", "a"),
        node("10.1.0.0/16"),
        lb("ew", "203.0.113.1", gateway),
        *holding("east"),
    )
    dump(
        tmp_path / "dumps",
        "west",
        *primary("west", "b", "1.29.6"),
        node("10.2.0.0/16"),
        lb("ew", "gw.west.example.com", gateway),
        lb("istiod-lb", "10.20.0.9", {"app": "istiod"}),
        *holding("west"),
    )
    dump(
        tmp_path / "dumps",
        "aks-edge",
        place,
        node("10.3.0.0/16"),
        thing("ConfigMap", "istio-sidecar-injector", "istio-system", data={"values": injector}),
        thing("EndpointSlice", "istiod-x", "istio-system", slice_labels, endpoints=[{"addresses": ["10.20.0.9"]}]),
    )
    noted = {"annotations": {"topology.istio.io/controlPlaneClusters": "west"}}
    dump(tmp_path / "dumps", "edge-2", node("10.4.0.0/16"), {**place, "metadata": {**place["metadata"], **noted}})
    said = meshc(tmp_path, "adopt", "--from", "dumps", code=3)
    spec = yaml.safe_load((tmp_path / "mesh.yaml").read_text())["spec"]

    assert "aks-edge has the ID edge-1" in said
    assert spec["istio"]["version"] == "1.30.3"
    assert spec["networks"] == [
        {"name": "a", "gateway": {"address": "203.0.113.1"}},
        {"name": "b", "gateway": {"hostname": "gw.west.example.com"}},
    ]
    clusters = {cluster.pop("name"): cluster for cluster in spec["clusters"]}
    assert {name: cluster["apiServer"] for name, cluster in clusters.items()} == servers
    assert {name: cluster.get("primary") for name, cluster in clusters.items()} == {
        "edge-1": "west",
        "edge-2": "west",
        "east": None,
        "west": None,
    }
    assert clusters["west"]["controlPlane"] == {"addresses": {"istiod": "10.20.0.9"}}
    assert clusters["west"]["istio"] == {"version": "1.29.6"}
    assert "controlPlane" not in clusters["east"]
    text = (tmp_path / "mesh.yaml").read_text()
    (tmp_path / "mesh.yaml").write_text(text.replace("type: self-signed", "type: external"))
    meshc(tmp_path, "validate")

    dumping.dump(tmp_path / "dumps/aks-edge", [place, node("10.3.0.0/16")])
    (tmp_path / "other").mkdir()
    said = meshc(tmp_path / "other", "adopt", "--from", "../dumps", code=3)

    assert "aks-edge: no primary has a remote secret for it" in said
    assert "aks-edge: its primary isn't known, it can be east or west: write primary" in said
    assert "east has credentials of edge-1, but the dumps have no objects of these clusters" in said


def test_kubeconfigs_that_an_istiod_mounts(dumps: Path, tmp_path: Path) -> None:
    find_tool("kubectl")
    file = dumps / "gke-hub/deployments.apps.yaml"
    body = yaml.safe_load(file.read_text())
    (istiod,) = [one for one in body["items"] if one["metadata"]["name"] == "istiod"]
    env = istiod["spec"]["template"]["spec"]["containers"][0]["env"]
    env.append({"name": "PILOT_MULTICLUSTER_KUBECONFIG_PATH", "value": "/x"})
    file.write_text(yaml.safe_dump(body))
    place = tmp_path / "mesh"
    place.mkdir()
    said = meshc(place, "adopt", "--from", str(dumps))

    assert yaml.safe_load((place / "mesh.yaml").read_text())["spec"]["istio"]["remoteSecrets"] == "mounted"
    assert "hub: istiod reads mounted kubeconfigs, which adopt can't read" in said
