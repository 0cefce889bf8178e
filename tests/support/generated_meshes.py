"""Generates valid meshes with hypothesis, and compiles them.

A default run uses the same meshes each time. MESHC_TEST_LONG=1 uses ten times as many, and different ones each time.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from meshc.disk.repository import Repository
from meshc.mesh.source import load
from meshc.output.kustomize import Kustomize
from meshc.pipeline import Compiled, compile_mesh
from meshc.tree import FileTree
from support.tools import tries

LONG = os.environ.get("MESHC_TEST_LONG") == "1"


Mesh = dict[str, Any]


NAMES = ["c-amber", "c-birch", "c-cedar", "c-dune", "c-ember", "c-flint"]
"""Names of clusters. None is part of another name or of a word of Istio's, so that names can be found in text."""


SPACES = ["shop", "billing", "batch", "default"]


REGIONS, STAGES = ["eu", "us"], ["prod", "staging"]


KUBERNETES = {24: "1.30", 26: "1.31", 27: "1.32", 29: "1.33", 30: "1.34"}
"""The generated minor versions of Istio, each with a version of Kubernetes. A remote may be one version behind the
mesh."""


SHARED = "apps/shared.yaml"


MANIFESTS = b"""\
apiVersion: v1
kind: Service
metadata: {name: ledger, namespace: billing, labels: {app: ledger}}
spec:
  selector: {app: ledger}
  ports: [{name: grpc, port: 7000, targetPort: 7001, appProtocol: grpc}, {name: http-admin, port: 9000}]
---
apiVersion: v1
kind: Service
metadata: {name: ledger-peers, namespace: billing}
spec: {clusterIP: None, selector: {app: ledger}, ports: [{name: tcp-peers, port: 7100, protocol: TCP}]}
"""
"""Two Services that several entries can export, each from its own clusters."""


def sometimes(draw: st.DrawFn, key: str, values: st.SearchStrategy[Any]) -> Mesh:
    return {key: draw(values)} if draw(st.booleans()) else {}


def selections(names: list[str]) -> st.SearchStrategy[Any]:
    """Every form of a selection of clusters; some select none."""
    some = st.lists(st.sampled_from(names), min_size=1, unique=True)
    region, stage = st.sampled_from(REGIONS), st.sampled_from(STAGES)
    among = st.fixed_dictionaries(
        {
            "key": st.sampled_from(["region", "stage"]),
            "operator": st.sampled_from(["In", "NotIn"]),
            "values": st.lists(st.sampled_from([*REGIONS, *STAGES]), min_size=1, unique=True),
        }
    )
    there = st.fixed_dictionaries(
        {"key": st.sampled_from(["region", "nothing"]), "operator": st.sampled_from(["Exists", "DoesNotExist"])}
    )
    conditions = {"matchExpressions": st.lists(st.one_of(among, there), min_size=1, max_size=2), "except": some}
    labels = st.one_of(st.builds(lambda r: {"region": r}, region), st.builds(lambda s: {"stage": s}, stage))
    mapping = st.fixed_dictionaries({}, optional={"matchLabels": labels, "names": some, **conditions})
    return st.one_of(st.just("all"), some, mapping)


@st.composite
def meshes(draw: st.DrawFn, most: int = 5) -> Mesh:
    """A valid mesh of a primary and some remotes, of either generation."""
    classic = draw(st.booleans())
    names = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=most, unique=True))
    primary = draw(st.sampled_from(names))
    remotes = [name for name in names if name != primary]
    minor = draw(st.sampled_from([24, 27, 30]))
    version = f"1.0.{draw(st.integers(0, 9))}" if classic else f"1.{minor}.{draw(st.integers(0, 9))}"
    namespace = "istio-system" if classic else draw(st.sampled_from(["istio-system", "mesh-system"]))
    behind = [] if classic else draw(st.lists(st.sampled_from(remotes), unique=True)) if minor > 24 else []
    clusters = [
        draw(classic_cluster(name) if classic else istiod_cluster(name, minor - (name in behind), minor))
        for name in names
    ]
    for cluster in clusters:
        cluster |= {"role": "primary" if cluster["name"] == primary else "remote"}
        if cluster["name"] == primary:
            cluster["controlPlane"] = draw(control_plane(classic, minor - bool(behind)))
            cluster.pop("controlPlaneAddresses", None)
            cluster.pop("sidecarInjection", None)
    revision = {} if classic else sometimes(draw, "revision", st.sampled_from(["default", "canary"]))
    security = {
        "mutualTLS": draw(st.sampled_from(["strict", "permissive", "disabled"])),
        "ca": {"type": "external" if classic else draw(st.sampled_from(["self-signed", "external"]))},
    }
    if classic:
        security |= sometimes(draw, "controlPlaneTLS", st.booleans())
    services = draw(service_entries(names))
    spec: Mesh = {
        "istio": {"version": version, "namespace": namespace, **revision},
        "security": security,
        "networks": [{"name": "corp", **sometimes(draw, "label", st.just("corp.net"))}] if draw(st.booleans()) else [],
        "clusters": clusters,
        "overrides": draw(overrides(names, primary, behind, version)),
        "namespaces": draw(namespace_entries(names, {service["namespace"] for service in services})),
        "services": services,
    }
    if not classic:
        spec["istio"] |= sometimes(draw, "trustDomain", st.just("mesh.example"))
        spec["istio"] |= sometimes(draw, "meshID", st.just("one"))
        spec["istio"] |= sometimes(draw, "clusterDomain", st.just("corp.example"))
        spec["istio"] |= sometimes(draw, "trustDomainAliases", st.just(["old.example"]))
    spec["istio"] |= sometimes(
        draw, "images", st.just({"hub": "registry.example/istio", "tag": "x", "pullSecrets": ["pull"]})
    )
    if not classic and draw(st.booleans()):
        others = draw(st.lists(st.sampled_from(remotes), min_size=1, unique=True))
        for cluster in clusters:
            if cluster["name"] in others:
                cluster["istio"] = {**cluster.get("istio", {}), "revision": "next"}
        spec["acknowledge"] = [{"code": "MESH210", "clusters": others, "reason": "both revisions run"}]
    if not classic and draw(st.booleans()):
        add_revisions(draw, spec, next(one for one in clusters if one["role"] == "primary")["controlPlane"])
    return {"apiVersion": "meshc/v1alpha1", "kind": "Mesh", "metadata": {"name": "m"}, "spec": spec}


def add_revisions(draw: st.DrawFn, spec: Mesh, plane: Mesh) -> None:
    """Adds a control plane beside the mesh's own, a tag, and namespaces that use either."""
    spec["istio"]["controlPlanes"] = [{"revision": "after"}]
    spec["istio"]["revisionTags"] = {"prod": "after"}
    tagged = draw(st.lists(st.sampled_from([cluster["name"] for cluster in spec["clusters"]]), unique=True))
    for cluster in (one for one in spec["clusters"] if one["name"] in tagged):
        own = cluster.get("istio", {})
        revision = own.get("revision", spec["istio"].get("revision", "default"))
        cluster["istio"] = {**own, "revisionTags": {"prod": revision}}
    if plane["exposure"] != "gateway" or "injectionURL" in plane:
        plane["addresses"]["istiod-after"] = "after.example" if "injectionURL" in plane else "10.0.5.30"
    for namespace in spec["namespaces"]:
        if namespace.get("dataplane", "sidecar") == "sidecar":
            namespace |= sometimes(draw, "revision", st.sampled_from(["after", "prod"]))


@st.composite
def istiod_cluster(draw: st.DrawFn, name: str, minor: int, of_mesh: int) -> Mesh:
    number = NAMES.index(name)
    cluster = draw(any_cluster(name))
    cluster |= sometimes(draw, "kubernetesVersion", st.just(KUBERNETES[minor]))
    if minor < of_mesh and draw(st.booleans()):  # else an override sets it
        cluster["istio"] = {"version": f"1.{minor}.1"}
    cluster |= sometimes(draw, "sidecarInjection", st.sampled_from(["automatic", "manual"]))
    cluster |= sometimes(draw, "clusterID", st.just(f"k8s.{number}"))
    route = [f"172.20.{number}.9"] + ([f"fd00:99::{number + 1}"] if min(minor, of_mesh) >= 30 else [])
    return cluster | sometimes(draw, "controlPlaneAddresses", st.builds(dict, istiod=st.sampled_from(route)))


@st.composite
def classic_cluster(draw: st.DrawFn, name: str) -> Mesh:
    number = NAMES.index(name)
    cluster = draw(any_cluster(name))
    cluster |= sometimes(draw, "kubernetesVersion", st.sampled_from(["1.9", "1.13", "1.16.4", "1.21"]))
    cluster |= sometimes(draw, "istio", st.builds(lambda patch: {"version": f"1.0.{patch}"}, st.integers(0, 9)))
    cluster |= sometimes(draw, "sidecarInjection", st.sampled_from(["automatic", "manual"]))
    own = {"pilot": f"172.20.{number}.9", "zipkin": f"zipkin.site{number}.example"}
    return cluster | sometimes(draw, "controlPlaneAddresses", st.just(own))


@st.composite
def any_cluster(draw: st.DrawFn, name: str) -> Mesh:
    """The settings of a cluster of either generation. Ranges depend on the number of the name, so that none overlap."""
    number = NAMES.index(name)
    pods = [f"10.{number + 10}.0.0/16", f"fd00:10:{number}::/48"]
    services = [f"10.{number + 110}.0.0/16", f"fd00:20:{number}::/108"]
    cluster: Mesh = {"name": name}
    cluster |= sometimes(draw, "labels", st.fixed_dictionaries({"region": st.sampled_from(REGIONS)}))
    if draw(st.booleans()):
        cluster.setdefault("labels", {})["stage"] = draw(st.sampled_from(STAGES))
    cluster |= sometimes(draw, "podCIDRs", st.lists(st.sampled_from(pods), min_size=1, unique=True))
    cluster |= sometimes(draw, "serviceCIDRs", st.sampled_from([services, services[::-1]]))
    return cluster | sometimes(draw, "apiServer", st.just(f"https://10.0.{number}.10:6443"))


@st.composite
def control_plane(draw: st.DrawFn, classic: bool, minor: int) -> Mesh:
    exposure = {"exposure": draw(st.sampled_from(["load-balancer", "gateway"]))}
    if classic:
        addresses: Mesh = {"pilot": "10.0.5.20"}
        for part, values in (
            ("policy", ["10.0.5.21"]),
            ("telemetry", ["telemetry.example"]),
            ("zipkin", ["zipkin.example"]),
        ):
            addresses |= sometimes(draw, part, st.sampled_from(values))
        return {**exposure, "addresses": addresses, **sometimes(draw, "pilotService", st.booleans())}
    address = draw(st.sampled_from(["10.0.5.20", "istiod.example"] + (["fd00:99::20"] if minor >= 30 else [])))
    url = st.just("https://istiod.example:15017")
    named = {"injectionURL": draw(url)} if address == "istiod.example" else sometimes(draw, "injectionURL", url)
    if exposure["exposure"] == "gateway":
        named |= sometimes(draw, "gatewaySelector", st.just({"istio": "Inner_gateway"}))
    return {**exposure, "addresses": {"istiod": address}, **named}


@st.composite
def overrides(draw: st.DrawFn, names: list[str], primary: str, behind: list[str], version: str) -> list[Mesh]:
    """Overrides for many clusters: they set what a cluster leaves out. A cluster's own setting wins."""
    classic, _, minor = version.startswith("1.0."), *version.split(".")[:2]
    found: list[Mesh] = [{"clusters": "all", "set": {"kubernetesVersion": "1.12" if classic else "1.31"}}]
    if behind:
        found.append({"clusters": behind, "set": {"istio": {"version": f"1.{int(minor) - 1}.4"}}})
    if draw(st.booleans()):
        newer = draw(st.sampled_from(["1.13", "1.17"] if classic else ["1.30", "1.33"]))
        found.append({"clusters": draw(selections(names)), "set": {"kubernetesVersion": newer}})
    if draw(st.booleans()):
        chosen = draw(selections(names))
        others = {**(chosen if isinstance(chosen, dict) else {}), "except": [primary]}
        found.append({"clusters": others, "set": {"sidecarInjection": draw(st.sampled_from(["automatic", "manual"]))}})
    return found


@st.composite
def service_entries(draw: st.DrawFn, names: list[str]) -> list[Mesh]:
    port = st.fixed_dictionaries(
        {"port": st.integers(1, 65535)},
        optional={
            "protocol": st.sampled_from(["TCP", "UDP"]),
            "appProtocol": st.sampled_from(["grpc", "kubernetes.io/h2c"]),
        },
    )
    found: list[Mesh] = []
    for number in range(draw(st.integers(0, 4))):
        entry: Mesh = {"name": f"s{number}", "clusters": draw(selections(names))}
        entry |= sometimes(draw, "copyTo", selections(names))
        if draw(st.integers(0, 3)) == 0:
            entry |= {"manifests": SHARED, "namespace": "billing"}
            entry |= sometimes(draw, "exclude", st.just(["ledger-peers"]))
        else:
            ports = draw(st.lists(port, min_size=1, max_size=3, unique_by=lambda one: int(one["port"])))
            named = len(ports) > 1 or draw(st.booleans())
            entry["ports"] = [{**one, **({"name": f"p{n}"} if named else {})} for n, one in enumerate(ports)]
            entry |= {"namespace": draw(st.sampled_from(SPACES))} | sometimes(draw, "headless", st.booleans())
        found.append(entry)
    return found


@st.composite
def namespace_entries(draw: st.DrawFn, names: list[str], of_services: set[str]) -> list[Mesh]:
    found = []
    for name in draw(st.lists(st.sampled_from(SPACES), unique=True)):
        managed = draw(st.booleans())
        everywhere = not managed and name in of_services  # the namespace of a copy is in the clusters of the copy
        entry = {"name": name, "managed": managed, "clusters": "all" if everywhere else draw(selections(names))}
        entry |= sometimes(draw, "labels", st.just({"team": "x"})) if managed else {}
        entry |= sometimes(draw, "annotations", st.just({"example.com/Owner": "X, Y"})) if managed else {}
        found.append(entry | sometimes(draw, "dataplane", st.sampled_from(["sidecar", "none"])))
    return found


def tried(number: int, long: int | None = None) -> settings:
    return settings(
        deadline=None,
        max_examples=(long or number * 10) if LONG else tries(number),
        derandomize=not LONG,
        phases=set(Phase) - {Phase.explain},
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def no_kustomize() -> Kustomize:
    raise AssertionError("nothing here has to be built")


@contextmanager
def repository() -> Iterator[Repository]:
    """A folder with the manifests that generated meshes use."""
    with tempfile.TemporaryDirectory(prefix="meshc-property-") as folder:
        base = Path(folder)
        (base / SHARED).parent.mkdir()
        (base / SHARED).write_bytes(MANIFESTS)
        yield Repository.around(base)


def compiled(mesh: Mesh) -> Compiled:
    """Compiles a mesh from its text, which is JSON and so also YAML."""
    with repository() as at:
        return compile_mesh(load(json.dumps(mesh).encode(), "mesh.yaml"), at, no_kustomize)


def names_of(mesh: Mesh) -> list[str]:
    return [cluster["name"] for cluster in mesh["spec"]["clusters"]]


def primary_of(mesh: Mesh) -> str:
    return next(str(cluster["name"]) for cluster in mesh["spec"]["clusters"] if cluster["role"] == "primary")


def objects(tree: FileTree, cluster: str) -> list[Any]:
    """Everything in a cluster's overlay, including its shared bases."""
    resources = resources_in(tree[f"{cluster}/kustomization.yaml"])
    files = [f"{r.removeprefix('../')}/services.yaml" if r.startswith("../") else f"{cluster}/{r}" for r in resources]
    return [body for file in files for body in parsed(tree[file])]


def parsed(data: bytes) -> list[Any]:
    return list(yaml.load_all(data, yaml.CSafeLoader))


def resources_in(kustomization: bytes) -> list[str]:
    return list(parsed(kustomization)[0]["resources"])
