"""`meshc doctor --deep` and `--metrics`: every object of output/, what istiod says of its remotes, time series."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.credentials import READER, TOKEN
from support.fake_api import ADMIN, CORE, GROUPS, UNPLACED, FakeCluster, kubeconfig, serving
from support.paths import ROOT
from support.places import SOPS, Place
from support.schemas import check
from support.throwaway import make_root
from support.tools import find_tool

pytestmark = pytest.mark.thorough

METRICS = "/api/v1/namespaces/istio-system/pods/istiod-1:15014/proxy/metrics"
SYNCED = 'istiod_managed_clusters{cluster_type="local"} 1\nistiod_managed_clusters{cluster_type="remote"} 1\n'
DELIVERY = "  delivery: {engine: flux, repoURL: 'https://git.example.com/mesh', runsIn: hub}\n"
SAYS = 'istiod_remote_cluster_sync_status{cluster="edge-1",cluster_type="remote",status="STATUS"} 1\n'


class World(Place):
    """A hub and a remote that hold what was compiled for them."""

    def __init__(self, folder: Path, hub: FakeCluster, edge: FakeCluster) -> None:
        super().__init__(folder, SOPS)
        self.clusters, self.folder = {"hub": hub, "edge-1": edge}, folder
        mesh = self.base / "mesh.yaml"
        mesh.write_text(mesh.read_text().replace("plugged-in", "external"))
        self.meshc("compile")
        labels = {"app": "istiod", "istio.io/rev": "default"}
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        hub.put("pods", "istiod-1", "istio-system", metadata={"labels": labels}, status=ready)
        hub.texts[METRICS] = SYNCED + SAYS.replace("STATUS", "synced")
        plural = {kind: name for names in (CORE, *GROUPS.values()) for name, kind in names.items()}
        for name, cluster in self.clusters.items():
            for path in sorted((self.base / "output" / name).glob("*.yaml")):
                for body in yaml.safe_load_all(path.read_text()):
                    if body["kind"] not in ("Kustomization", "Secret"):
                        self.apply(cluster, plural[body["kind"]], body)
        edge.token_secret(TOKEN, READER)

    @staticmethod
    def apply(cluster: FakeCluster, plural: str, body: dict[str, Any]) -> None:
        metadata = {key: value for key, value in body["metadata"].items() if key not in ("name", "namespace")}
        fields = {key: value for key, value in body.items() if key not in ("apiVersion", "kind", "metadata")}
        space = "" if plural in UNPLACED else body["metadata"]["namespace"]
        cluster.put(plural, body["metadata"]["name"], space, metadata=metadata, **fields)

    def live(self, *words: str, code: int = 0, token: str = "") -> str:
        config = kubeconfig(self.folder / "kubeconfig", *self.clusters.values(), token=token or ADMIN)
        return self.meshc("doctor", *words, "--kubeconfig", str(config), code=code)

    def deep(self, code: int, word: str = "--deep") -> dict[tuple[str, str], list[dict[str, Any]]]:
        found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in json.loads(self.live(word, "--format", "json", code=code))["clusters"]:
            found.setdefault((row["cluster"], row["check"]), []).append(row)
        return found


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    find_tool("kubectl")
    hub, edge = FakeCluster("hub"), FakeCluster("edge-1")
    with serving(hub, edge):
        yield World(tmp_path, hub, edge)


def test_what_a_cluster_lacks_or_holds_otherwise_and_who_else_applies_it(world: World) -> None:
    edge = world.clusters["edge-1"]
    first = world.deep(code=1)
    assert [row["state"] for row in first["hub", "objects"] + first["edge-1", "objects"]] == ["ok", "ok"]
    assert "objects" not in world.live(code=1)

    applied = edge.objects["namespaces", "", "istio-system"]["metadata"]
    applied["labels"] = {"kustomize.toolkit.fluxcd.io/name": "shop.edge-1"}
    assert world.deep(code=1)["edge-1", "owners"][0]["says"].startswith("Flux Kustomization flux-system/shop.edge-1")
    mesh = world.base / "mesh.yaml"
    mesh.write_text(mesh.read_text() + DELIVERY)
    assert ("edge-1", "owners") not in world.deep(code=1)

    name = "istio-reader-clusterrole-istio-system"
    del edge.objects["clusterrolebindings", "", name]
    edge.objects["clusterroles", "", name]["rules"].reverse()
    edge.objects["services", "istio-system", "istiod"]["spec"]["ports"][0]["port"] = 15010
    edge.objects["mutatingwebhookconfigurations", "", "istio-sidecar-injector"]["webhooks"][0]["clientConfig"][
        "caBundle"
    ] = "eA=="
    account = edge.objects["serviceaccounts", "istio-system", READER]["metadata"]
    account |= {"labels": {}, "annotations": {"meta.helm.sh/release-name": "base"}}
    found = world.deep(code=1)

    assert [row["says"] for row in found["edge-1", "objects"]] == [
        f"lacks ClusterRoleBinding {name}",
        f"has different values: ServiceAccount istio-system/{READER}, Service istio-system/istiod",
    ]
    assert (
        found["edge-1", "owners"][0]["says"]
        == f"Helm default/base also applies these objects: ServiceAccount istio-system/{READER}"
    )
    edge.forbidden.add(("get", "services"))
    assert "unknown" in [row["state"] for row in world.deep(code=1)["edge-1", "objects"]]


def test_a_dry_run_tells_what_an_apply_would_change_and_changes_nothing(world: World) -> None:
    edge = world.clusters["edge-1"]
    assert [row["state"] for row in world.deep(1, "--dry-run")["edge-1", "objects"]] == ["ok"]

    service = edge.objects["services", "istio-system", "istiod"]
    service["spec"]["ports"][0]["name"] = "theirs"
    service["spec"]["ports"].append({"name": "more", "port": 1})
    service["metadata"]["managedFields"] = [managed("helm", "Update", ["f:name", "f:targetPort"])]
    edge.objects["clusterroles", "", "istio-reader-clusterrole-istio-system"]["rules"].reverse()
    before = json.dumps([*edge.objects.values()])
    found = world.deep(1, "--dry-run")

    assert [row["says"] for row in found["edge-1", "objects"]] == [
        "has different values: Service istio-system/istiod (spec.ports[0].name)",
        "has more list items than output/edge-1: Service istio-system/istiod (spec.ports)",
    ]
    assert [row["says"] for row in found["edge-1", "fields"]] == [
        "helm writes fields that output/ sets: Service istio-system/istiod (spec.ports[15012,TCP].name (another value))"
    ]
    assert json.dumps([*edge.objects.values()]) == before


def managed(manager: str, operation: str, fields: list[str], hour: int = 12) -> dict[str, Any]:
    """What a server notes of who wrote these fields of the first port."""
    port: dict[str, Any] = {word: {} for word in (".", *fields)}
    said = {"f:spec": {"f:ports": {'k:{"port":15012,"protocol":"TCP"}': port}}}
    noted = {"manager": manager, "operation": operation, "time": f"2026-11-28T{hour}:00:00Z"}
    return {**noted, "fieldsType": "FieldsV1", "fieldsV1": said}


def test_who_else_writes_a_field_is_told_where_it_goes_on(world: World) -> None:
    mesh = world.base / "mesh.yaml"
    mesh.write_text(mesh.read_text() + DELIVERY)
    service = world.clusters["edge-1"].objects["services", "istio-system", "istiod"]
    for manager, operation, told in (
        ("kustomize-controller", "Apply", False),  # what applies output/ itself
        ("kubectl", "Apply", True),  # a second one that applies the same
        ("kubectl-edit", "Update", False),  # who wrote it once, and not otherwise
        ("argocd-controller", "Update", True),  # who writes it again and again
    ):
        service["metadata"]["managedFields"] = [managed(manager, operation, ["f:port"])]
        assert (("edge-1", "fields") in world.deep(code=1)) == told
    engine = managed("kustomize-controller", "Apply", ["f:port"])
    for hour, told in ((11, False), (13, True)):  # what wrote before the engine did, and has not since
        service["metadata"]["managedFields"] = [managed("helm", "Update", ["f:port"], hour), engine]
        assert (("edge-1", "fields") in world.deep(code=1)) == told


def test_what_a_server_would_not_take_or_lets_nobody_try_is_told(world: World) -> None:
    edge = world.clusters["edge-1"]
    for code, state, says in (
        (422, "failed", "changes an immutable field"),
        (403, "failed", "is refused by an admission policy"),
        (400, "unknown", "the server answers 400 to patch"),
    ):
        edge.refuses["services"] = code
        (row,) = [row for row in world.deep(1, "--dry-run")["edge-1", "objects"] if row["state"] != "ok"]
        assert (row["state"], says in row["says"]) == (state, True)

    edge.asked.clear()
    edge.forbidden.add(("patch", "services"))
    edge.objects["services", "istio-system", "istiod"]["spec"]["ports"][0]["name"] = "theirs"
    first, second = world.deep(1, "--dry-run")["edge-1", "objects"]
    assert (first["state"], first["says"]) == ("differs", "has different values: Service istio-system/istiod")
    assert "Service: not allowed to patch them" in second["says"]
    assert not [one for one in edge.asked if one.startswith("PATCH") and "/services/" in one]


@pytest.mark.parametrize(
    ("said", "state", "says"),
    [
        (SYNCED + SAYS.replace("STATUS", "synced"), "ok", "istiod reads it"),
        (SYNCED + SAYS.replace("STATUS", "timeout"), "failed", "istiod says: timeout"),
        (SAYS.replace("edge-1", "other").replace("STATUS", "synced"), "failed", "istiod says: nothing about it"),
    ],
)
def test_istiod_tells_whether_it_reads_a_remote(world: World, said: str, state: str, says: str) -> None:
    world.clusters["hub"].texts[METRICS] = said
    (row,) = world.deep(code=1)["edge-1", "read-by-istiod"]

    assert (row["state"], row["says"], row["of"]) == (state, says, "hub")


def test_an_istiod_that_only_counts_and_one_that_is_not_there(world: World) -> None:
    hub = world.clusters["hub"]
    hub.texts[METRICS] = SYNCED
    (row,) = world.deep(code=1)["hub", "read-by-istiod"]
    assert (row["state"], row["says"]) == ("ok", "reads 1 of 1 remotes")

    hub.texts[METRICS] = SYNCED.replace('"remote"} 1', '"remote"} 0')
    assert world.deep(code=1)["hub", "read-by-istiod"][0]["state"] == "differs"
    del hub.objects["pods", "istio-system", "istiod-1"]
    assert world.deep(code=1)["hub", "read-by-istiod"][0]["says"] == "no pod of istiod is ready"


def test_proxies_that_trust_another_root_are_told(world: World) -> None:
    root, other = make_root(), make_root()
    (world.base / "certificates").mkdir()
    (world.base / "certificates/root-cert.pem").write_bytes(root.cert_pem)
    edge = world.clusters["edge-1"]
    for pem, state in ((root.cert_pem + other.cert_pem, "ok"), (other.cert_pem, "failed")):
        edge.put("configmaps", "istio-ca-root-cert", "istio-system", data={"root-cert.pem": pem.decode()})
        assert world.deep(code=1)["edge-1", "root-of-proxies"][0]["state"] == state


def test_metrics_are_prometheus_own_text_and_end_well(world: World) -> None:
    text = world.live("--metrics")
    sample = re.compile(r'(meshc_\w+)\{((?:\w+="[^"\n]*",?)+)\} (\d+)')
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    found = [match for line in lines if (match := sample.fullmatch(line))]
    states = [one for one in found if one[1] == "meshc_check_state" and 'check="credentials"' in one[2]]
    run = next(one for one in found if one[1] == "meshc_doctor_run_timestamp_seconds")

    assert len(found) == len(lines)
    assert [one[2].rpartition("state=")[2] for one in states if one[3] == "1"] == ['"failed"']
    assert len(states) == 4
    assert abs(int(run[3]) - time.time()) < 600
    assert len(re.findall(r"(?m)^# TYPE meshc_\w+ gauge$", text)) == 3
    assert "leave --format out" in world.live("--metrics", "--format", "json", code=2)


@pytest.mark.parametrize("word", ["--deep", "--dry-run"])
def test_the_account_of_the_deep_look_has_what_it_needs_and_no_more(world: World, word: str) -> None:
    bodies = list(yaml.safe_load_all(world.meshc("doctor", "--print-rbac", word)))
    rules = [(one["metadata"].get("namespace", ""), rule) for one in bodies for rule in one.get("rules", ())]
    for cluster in world.clusters.values():
        cluster.roles["alone"] = rules
        cluster.tokens.add("alone")
        cluster.put("configmaps", "kube-root-ca.crt", "istio-system", data={"ca.crt": "x"})
    said = world.live(word, code=1, token="alone")
    used = {key for cluster in world.clusters.values() for key in cluster.used}

    allowed = {
        (verb, group, plural, place)
        for place, rule in rules
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for plural in rule["resources"]
    }

    assert "not allowed" not in said
    assert allowed - used == {("get", "", "secrets", "istio-system")}
    assert any(verb == "patch" for verb, *_ in allowed) == (word == "--dry-run")
    assert not any(verb == "patch" and "rbac" in group for verb, group, *_ in allowed)


def test_the_docs_job_and_alerts_are_what_kubernetes_and_prometheus_take(world: World) -> None:
    page = (ROOT / "docs/capture.md").read_text()
    job, alerts = (
        yaml.safe_load(block) for block in re.findall(r"```yaml\n((?:apiVersion|groups).*?)```", page, re.DOTALL)
    )
    account = next(yaml.safe_load_all(world.meshc("doctor", "--print-rbac")))
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    named = set(re.findall(r"meshc_\w+", " ".join(rule["expr"] for rule in alerts["groups"][0]["rules"])))

    check(job, "1.34")
    assert (pod["serviceAccountName"], job["metadata"]["namespace"]) == (
        account["metadata"]["name"],
        account["metadata"]["namespace"],
    )
    assert named == set(re.findall(r"(?m)^# TYPE (\w+) ", world.live("--metrics")))
