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
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from conftest import ROOT, find_tool
from meshc.cli.main import app
from meshc.components.registry import COMPONENTS
from meshc.disk.repository import Repository
from meshc.errors import Exit, Severity
from meshc.kube import Identity, identity_of
from meshc.mesh.source import load
from meshc.output.kustomize import Kustomize
from meshc.pipeline import Compiled, compile_mesh
from meshc.plan.needs import SecretNeed
from meshc.tree import HEADER, FileTree

LONG = os.environ.get("MESHC_TEST_LONG") == "1"

Mesh = dict[str, Any]
Tree = dict[str, bytes]

NAMES = ["c-amber", "c-birch", "c-cedar", "c-dune", "c-ember", "c-flint"]
"""None of them is part of another, or of a word of Istio's: what names a cluster can be found as text."""
SPACES = ["shop", "billing", "batch", "default"]
REGIONS, STAGES = ["eu", "us"], ["prod", "staging"]
KUBERNETES = {24: "1.30", 26: "1.31", 27: "1.32", 29: "1.33", 30: "1.34"}
"""Istio's minor versions that are generated, as mesh's and, one behind, as a remote's, with a Kubernetes for each."""

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
"""Two Services that several entries may export, from clusters of their own."""


def sometimes(draw: st.DrawFn, key: str, values: st.SearchStrategy[Any]) -> Mesh:
    return {key: draw(values)} if draw(st.booleans()) else {}


def selections(names: list[str]) -> st.SearchStrategy[Any]:
    """Every form in which clusters are chosen; some choose none."""
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
        "networks": [{"name": "corp"}] if draw(st.booleans()) else [],
        "clusters": clusters,
        "overrides": draw(overrides(names, primary, behind, version)),
        "namespaces": draw(namespace_entries(names, {service["namespace"] for service in services})),
        "services": services,
    }
    if not classic:
        spec["istio"] |= sometimes(draw, "trustDomain", st.just("mesh.example"))
        spec["istio"] |= sometimes(draw, "meshID", st.just("one"))
    spec["istio"] |= sometimes(
        draw, "images", st.just({"hub": "registry.example/istio", "tag": "x", "pullSecrets": ["pull"]})
    )
    if not classic and draw(st.booleans()):
        others = draw(st.lists(st.sampled_from(remotes), min_size=1, unique=True))
        for cluster in clusters:
            if cluster["name"] in others:
                cluster["istio"] = {**cluster.get("istio", {}), "revision": "next"}
        spec["acknowledge"] = [{"code": "MESH210", "clusters": others, "reason": "both revisions run"}]
    return {"apiVersion": "meshc/v1alpha1", "kind": "Mesh", "metadata": {"name": "m"}, "spec": spec}


@st.composite
def istiod_cluster(draw: st.DrawFn, name: str, minor: int, of_mesh: int) -> Mesh:
    number = NAMES.index(name)
    cluster = draw(any_cluster(name))
    cluster |= sometimes(draw, "kubernetesVersion", st.just(KUBERNETES[minor]))
    if minor < of_mesh and draw(st.booleans()):  # else an override says it
        cluster["istio"] = {"version": f"1.{minor}.1"}
    cluster |= sometimes(draw, "sidecarInjection", st.sampled_from(["automatic", "manual"]))
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
    """What clusters of both generations say; ranges by the name's number, so that none overlap."""
    number = NAMES.index(name)
    pods = [f"10.{number + 10}.0.0/16", f"fd00:10:{number}::/48"]
    services = [f"10.{number + 110}.0.0/16", f"fd00:20:{number}::/108"]
    cluster: Mesh = {"name": name}
    cluster |= sometimes(draw, "labels", st.fixed_dictionaries({"region": st.sampled_from(REGIONS)}))
    if draw(st.booleans()):
        cluster.setdefault("labels", {})["stage"] = draw(st.sampled_from(STAGES))
    cluster |= sometimes(draw, "podCIDRs", st.lists(st.sampled_from(pods), min_size=1, unique=True))
    cluster |= sometimes(draw, "serviceCIDRs", st.lists(st.sampled_from(services), min_size=1, unique=True))
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
    return {**exposure, "addresses": {"istiod": address}, **named}


@st.composite
def overrides(draw: st.DrawFn, names: list[str], primary: str, behind: list[str], version: str) -> list[Mesh]:
    """Settings for many at once: what a cluster leaves out is said here, what it says itself wins."""
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
        everywhere = not managed and name in of_services  # a copy's namespace is where the copy goes
        entry = {"name": name, "managed": managed, "clusters": "all" if everywhere else draw(selections(names))}
        found.append(entry | sometimes(draw, "dataplane", st.sampled_from(["sidecar", "none"])))
    return found


def tried(number: int, long: int | None = None) -> settings:
    return settings(
        deadline=None,
        max_examples=(long or number * 10) if LONG else number,
        derandomize=not LONG,
        phases=set(Phase) - {Phase.explain},
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def no_kustomize() -> Kustomize:
    raise AssertionError("nothing here has to be built")


@contextmanager
def repository() -> Iterator[Repository]:
    """A folder with the manifests that generated meshes name."""
    with tempfile.TemporaryDirectory(prefix="meshc-property-") as folder:
        base = Path(folder)
        (base / SHARED).parent.mkdir()
        (base / SHARED).write_bytes(MANIFESTS)
        yield Repository.around(base)


def compiled(mesh: Mesh) -> Compiled:
    """JSON is YAML: the mesh goes in as text, as a person's would."""
    with repository() as at:
        return compile_mesh(load(json.dumps(mesh).encode(), "mesh.yaml"), at, no_kustomize)


def names_of(mesh: Mesh) -> list[str]:
    return [cluster["name"] for cluster in mesh["spec"]["clusters"]]


def primary_of(mesh: Mesh) -> str:
    return next(str(cluster["name"]) for cluster in mesh["spec"]["clusters"] if cluster["role"] == "primary")


def overlay(tree: FileTree, cluster: str) -> Tree:
    return {path: data for path, data in tree.items() if path.startswith(f"{cluster}/")}


def objects(tree: FileTree, cluster: str) -> list[Any]:
    """Everything in a cluster's overlay, its shared bases included."""
    resources = resources_in(tree[f"{cluster}/kustomization.yaml"])
    files = [f"{r.removeprefix('../')}/services.yaml" if r.startswith("../") else f"{cluster}/{r}" for r in resources]
    return [body for file in files for body in parsed(tree[file])]


def parsed(data: bytes) -> list[Any]:
    return list(yaml.load_all(data, yaml.CSafeLoader))


def resources_in(kustomization: bytes) -> list[str]:
    return list(parsed(kustomization)[0]["resources"])


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
from test_properties import compiled
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
def test_objects_are_unique_and_copies_have_their_namespace(mesh: Mesh) -> None:
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

        assert {one: number for one, number in Counter(identities).items() if number > 1} == {}
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
    needs = [
        (cluster.name, item.keys)
        for cluster in result.plan.clusters
        for item in COMPONENTS["remote-secrets"].lower(result.plan, cluster)
        if isinstance(item, SecretNeed)
    ]

    assert list(result.pending) == [f"{remote}: waiting for credentials in {primary}" for remote in remotes]
    assert needs == [(primary, (remote,)) for remote in remotes]


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

    assert {p.code.id for p in result.problems} <= {"MESH107", "MESH213", "MESH218", "MESH503"}
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
