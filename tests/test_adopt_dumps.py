"""What a dump has to hold, and what becomes of one that lacks something: it is asked for, and never guessed."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshc.capture.kinds import KINDS
from support import dumping
from support.credentials import CANARY
from support.dumping import adopted, istiod
from support.fake_api import CORE, GROUPS, FakeCluster, kubeconfig, serving
from support.paths import ROOT
from support.processes import meshc, said
from support.running_meshes import SYSTEM, balancer, cacerts, namespace, nodes, policy, remote_secret, system, thing
from support.throwaway import make_root
from support.tools import find_tool

pytestmark = pytest.mark.thorough

POLICIES = "peerauthentications.security.istio.io.yaml"


def test_the_docs_list_the_kinds_that_are_read() -> None:
    page = (ROOT / "docs/adopt.md").read_text()
    rows = re.findall(r"(?m)^\| `([a-z.0-9]+)` \|", page)

    assert rows == list(dict.fromkeys(kind.word for kind in KINDS))


def test_the_script_dumps_what_living_clusters_tell_and_no_secret(tmp_path: Path) -> None:
    cluster = FakeCluster("hub")
    bodies = [*nodes("10.10.0.0/16"), istiod(), policy("STRICT"), cacerts(make_root(), "hub"), remote_secret("edge-1")]
    bodies += [system("corp"), balancer("lb", {"app": "istiod"}, "10.0.5.20", [15012])]
    bodies.append(thing("Secret", "unrelated", "shop", data={"password": base64.b64encode(CANARY.encode()).decode()}))
    plural = {kind: name for names in (CORE, *GROUPS.values()) for name, kind in names.items()}
    for body in bodies:
        fields = {key: value for key, value in body.items() if key not in ("apiVersion", "kind", "metadata")}
        metadata = {key: value for key, value in body["metadata"].items() if key not in ("name", "namespace")}
        where = body["metadata"].get("namespace", "")
        cluster.put(plural[body["kind"]], body["metadata"]["name"], where, metadata=metadata, **fields)
    script = meshc("adopt", "--print-dump-command", cwd=tmp_path).stdout
    (tmp_path / "dump.sh").write_text(script)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/kubectl").symlink_to(find_tool("kubectl"))
    for place in ("offline", "live"):
        (tmp_path / place).mkdir()
    with serving(cluster):
        config = kubeconfig(tmp_path / "kubeconfig", cluster)
        environment = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "KUBECONFIG": str(config), "HOME": str(tmp_path)}
        command = [find_tool("sh"), "dump.sh", "hub"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        live = said("adopt", "--context", "hub", "--kubeconfig", str(config), cwd=tmp_path / "live")

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    texts = {path.name: path.read_text() for path in (tmp_path / "dumps/hub").iterdir()}
    assert not any(word in text for text in texts.values() for word in (CANARY, CANARY[5:25], "PRIVATE"))
    assert "ca-key" not in texts["cacerts.yaml"]
    assert "https://edge-1.example.com:6443" in texts["remote-secrets.yaml"]
    assert texts["meshpolicies.authentication.istio.io.yaml"].startswith("# this API server has no")

    offline = said("adopt", "--from", "../dumps", cwd=tmp_path / "offline")

    assert "STRICT" in texts[POLICIES]
    assert (tmp_path / "offline/mesh.yaml").read_text() == (tmp_path / "live/mesh.yaml").read_text()
    assert "mutualTLS: strict" in (tmp_path / "live/mesh.yaml").read_text()
    assert "edge-1, but the dumps have no objects of these clusters" in live
    assert "edge-1, but the dumps have no objects of these clusters" in offline


def test_a_policy_that_is_not_in_the_dump_is_asked_for(tmp_path: Path) -> None:
    both, spec = adopted(tmp_path, istiod(), system(), without=POLICIES, code=3)

    assert spec["security"]["mutualTLS"] == "UNKNOWN"
    assert (
        "tell: security.mutualTLS: strict, permissive or disabled? PeerAuthentication isn't in the dump of hub" in both
    )
    assert "MESH104" in both
    assert "doesn't compile until you fill in these values" in both
    assert "next:" not in both


@pytest.mark.parametrize(
    ("policies", "mode"),
    [
        ([], "permissive"),
        ([policy("STRICT")], "strict"),
        ([policy("DISABLE")], "disabled"),
        ([policy("UNSET")], "permissive"),
        ([{**policy("STRICT"), "metadata": {"name": "whole-mesh", "namespace": SYSTEM}}], "strict"),
        ([{**policy("STRICT"), "metadata": {"name": "default", "namespace": "shop"}}], "permissive"),
        ([{**policy("STRICT"), "spec": {"selector": {"matchLabels": {}}, "mtls": {"mode": "STRICT"}}}], "strict"),
        ([{**policy("STRICT"), "spec": {"selector": {"matchLabels": {"a": "b"}}, "mtls": {}}}], "permissive"),
    ],
)
def test_the_policy_of_the_whole_mesh_is_taken(tmp_path: Path, policies: list[Any], mode: str) -> None:
    _, spec = adopted(tmp_path, istiod(), system(), *policies)

    assert spec["security"]["mutualTLS"] == mode


def test_nothing_is_guessed_of_ca_and_version_either(tmp_path: Path) -> None:
    image = "registry.example.com/istio/pilot@sha256:" + "0" * 64
    both, spec = adopted(tmp_path, istiod(image=image), system(), without="cacerts.yaml", code=3)

    assert spec["istio"] == {"version": "UNKNOWN", "images": {"hub": "registry.example.com/istio"}}
    assert spec["security"]["ca"] == {"type": "UNKNOWN"}
    assert (
        "tell: security.ca.type: plugged-in, self-signed or external? Secret cacerts isn't in the dump of hub" in both
    )


@pytest.mark.parametrize(
    ("labels", "version"),
    [
        ({"helm.sh/chart": "istiod-1.30.3"}, "1.30.3"),
        ({"helm.sh/chart": "istiod-1.0.0"}, "UNKNOWN"),  # of every development branch
        ({"helm.sh/chart": "istiod-1.0.0", "operator.istio.io/version": "1.31.0"}, "1.31.0"),
        ({"helm.sh/chart": "istiod-1.0.0", "operator.istio.io/version": "unknown"}, "UNKNOWN"),
    ],
)
def test_labels_tell_the_version_if_the_image_does_not(tmp_path: Path, labels: dict[str, str], version: str) -> None:
    plane = istiod(image="registry.example.com/istio/pilot:latest")
    plane["metadata"]["labels"] |= labels
    _, spec = adopted(tmp_path, plane, system(), code=3 if version == "UNKNOWN" else 0)

    assert spec["istio"]["version"] == version
    assert spec["istio"]["images"] == {"hub": "registry.example.com/istio", "tag": "latest"}


def test_a_namespace_on_different_revisions_is_told(tmp_path: Path) -> None:
    for name, revision in (("east", "1-30-3"), ("west", "1-31-0")):
        planes = [istiod(name, "1-30-3"), istiod(name, "1-31-0", "docker.io/istio/pilot:1.31.0")]
        spaces = [namespace(f"shop-{word}", {"istio.io/rev": "1-30-3"}) for word in "abc"]
        spaces.append(namespace("till", {"istio.io/rev": revision}))
        dumping.dump(tmp_path / "dumps" / name, [*nodes("10.10.0.0/16"), system(), *planes, *spaces])
    both = said("adopt", "--from", "dumps", cwd=tmp_path, code=3)

    assert (
        "look at: namespace till has different revisions (1-30-3 in east, 1-31-0 in west), "
        "but mesh.yaml can only have one: 1-31-0"
    ) in both
    assert "shop-a is on" not in both


def endpoints(name: str, kind: str = "") -> Any:
    labels = {"kubernetes.io/service-name": name}
    endpoint = {"addresses": ["10.10.0.9"], **({"targetRef": {"kind": kind, "name": "x"}} if kind else {})}
    version = "discovery.k8s.io/v1"
    return thing("EndpointSlice", f"{name}-x", "shop", version, metadata={"labels": labels}, endpoints=[endpoint])


def service(name: str, selects: bool = True) -> Any:
    spec: dict[str, Any] = {"ports": [{"name": "http", "port": 80}]}
    return thing("Service", name, "shop", spec=spec | ({"selector": {"app": name}} if selects else {}))


def test_what_has_endpoints_runs_whoever_owns_its_pods(tmp_path: Path) -> None:
    shop = namespace("shop", {"istio-injection": "enabled"})
    pods = {"template": {"metadata": {"labels": {"app": "asleep"}}}}
    here = [
        *(service("rollout"), endpoints("rollout", "Pod")),
        *(service("knative", selects=False), endpoints("knative", "Pod")),
        *(service("elsewhere", selects=False), endpoints("elsewhere")),
        *(service("asleep"), thing("StatefulSet", "asleep", "shop", "apps/v1", spec=pods)),
        service("nothing"),
    ]
    names = ["rollout", "knative", "elsewhere", "asleep", "nothing"]
    stubs = [service(name, selects=False) for name in names]
    dumping.dump(tmp_path / "dumps/edge-1", [*nodes("10.11.0.0/16"), shop, *stubs])
    reached = balancer("lb", {"app": "istiod"}, "10.0.5.20", [15012])
    both, spec = adopted(tmp_path, istiod(), system(), reached, shop, *here)
    written = list(yaml.safe_load_all((tmp_path / "apps/shop/services.yaml").read_text()))

    assert [one["metadata"]["name"] for one in written] == ["asleep", "knative", "rollout"]
    assert spec["services"] == [{"name": "shop", "manifests": "apps/shop", "clusters": ["hub"]}]
    assert "Service shop/elsewhere: it selects no pods" in both
    assert "Service shop/nothing: it selects no pods" in both


def test_a_service_of_which_no_endpoints_were_dumped_is_not_said_to_be_without(tmp_path: Path) -> None:
    bodies = [istiod(), namespace("shop", {"istio-injection": "enabled"}), service("cart"), *nodes("10.10.0.0/16")]
    (tmp_path / "dumps/hub").mkdir(parents=True)
    (tmp_path / "dumps/hub/all.yaml").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": bodies}))
    both = said("adopt", "--from", "dumps", cwd=tmp_path, code=3)

    assert "Service shop/cart: the dump doesn't show whether it has endpoints in hub" in both


@pytest.mark.parametrize(
    ("folder", "called", "name"),
    [("gke_shop_hub", "gke_shop_hub", "gke-shop-hub"), ("hub", "Kubernetes", "hub"), ("Hub", "", "hub")],
)
def test_an_id_that_is_no_name_is_told_and_its_folder_is_read(
    tmp_path: Path, folder: str, called: str, name: str
) -> None:
    dumping.dump(tmp_path / "dumps" / folder, [*nodes("10.10.0.0/16"), istiod(called), system()])
    both = said("adopt", "--from", "dumps", cwd=tmp_path)
    (cluster,) = yaml.safe_load((tmp_path / "mesh.yaml").read_text())["spec"]["clusters"]

    assert cluster["name"] == name
    assert cluster.get("clusterID", "") == called
    assert (
        f"{folder} has the ID {called} (CLUSTER_ID)" in both if called else f"mesh.yaml names {folder} {name}" in both
    )


def test_two_control_planes_their_tags_and_who_is_on_which_are_told(tmp_path: Path) -> None:
    """mesh.yaml has the one that most namespaces are on, with its own settings of the mesh."""
    mesh = "trustDomain: {}\ndefaultConfig: {{meshId: {}}}\n"
    settings = [
        thing("ConfigMap", name, SYSTEM, data={"mesh": mesh.format(trust, mesh_id)})
        for name, trust, mesh_id in (("istio", "old.local", "old"), ("istio-1-30", "shop.local", "shop"))
    ]
    labels = {"app": "sidecar-injector", "istio.io/tag": "prod", "istio.io/rev": "1-30"}
    hooks = "admissionregistration.k8s.io/v1"
    tag = thing("MutatingWebhookConfiguration", "istio-revision-tag-prod", "", hooks, metadata={"labels": labels})
    spaces = [namespace(name, {"istio.io/rev": "prod"}) for name in ("shop", "till")]
    old = istiod(image="docker.io/istio/pilot:1.29.6")
    spaces += [namespace("legacy", {"istio-injection": "enabled"}), namespace("lost", {"istio.io/rev": "1-28"})]
    both, spec = adopted(tmp_path, old, istiod(revision="1-30"), system(), tag, *settings, *spaces)

    assert spec["istio"] == {
        "version": "1.30.3",
        "trustDomain": "shop.local",
        "revision": "1-30",
        "controlPlanes": [{"revision": "default", "version": "1.29.6"}],
        "revisionTags": {"prod": "1-30"},
    }
    assert spec["namespaces"] == [
        {"name": "legacy", "revision": "default"},
        {"name": "lost"},
        {"name": "shop", "revision": "prod"},
        {"name": "till", "revision": "prod"},
    ]
    assert "name: shop" in (tmp_path / "mesh.yaml").read_text()
    assert "hub runs 2 control planes (default (1.29.6), 1-30 (1.30.3)): mesh.yaml uses 1-30" in both
    assert "hub: namespace lost uses revision 1-28, which has no control plane in the cluster" in both
    assert "namespace shop is on" not in both


def test_what_is_not_in_the_dump_is_no_addition(tmp_path: Path) -> None:
    """Of a kind that was dumped, what isn't there is added."""
    adopted(tmp_path, istiod(), system())
    without = said("adopt", "--from", "dumps", "--diff", cwd=tmp_path, code=1)
    (tmp_path / "dumps/hub" / POLICIES).unlink()
    unread = said("adopt", "--from", "dumps", "--diff", cwd=tmp_path)

    assert "+ add PeerAuthentication istio-system/default  [hub]" in without
    assert "0 to add" in unread
    assert "isn't in the dump, so it isn't compared:\n  hub: PeerAuthentication istio-system/default" in unread


def test_the_difference_needs_no_sealed_secret(tmp_path: Path) -> None:
    adopted(tmp_path, istiod(), system(), policy("STRICT"), cacerts(make_root(), "hub"))

    assert "MESH401" in said("validate", cwd=tmp_path, code=3)
    assert "0 to add, 0 to change" in said("adopt", "--from", "dumps", "--diff", cwd=tmp_path)


def test_a_namespace_that_is_none_gets_into_no_script(tmp_path: Path) -> None:
    words = ("adopt", "--print-dump-command", "--namespace", "x; rm -r y")

    assert "can't be a namespace" in said(*words, cwd=tmp_path, code=2)
