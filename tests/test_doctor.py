"""`meshc doctor` and `meshc capture addresses` as a person runs them, against a hub and a remote that move on."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.credentials import READER, TOKEN, opened
from support.fake_api import FakeCluster, jwt, kubeconfig, serving
from support.places import SOPS, Place
from support.tools import find_tool

pytestmark = pytest.mark.thorough

FILE = "sealed/hub/remote-secret-edge-1.yaml"


class World(Place):
    """Two clusters, and the mesh that is compiled for them; `sync` does what a GitOps engine would."""

    def __init__(self, folder: Path, hub: FakeCluster, edge: FakeCluster) -> None:
        super().__init__(folder, SOPS)
        self.hub, self.edge, self.folder = hub, edge, folder
        mesh = self.base / "mesh.yaml"
        text = mesh.read_text().replace(
            "{name: edge-1,", "{name: edge-1, apiServer: 'https://api.edge-1.invalid:6443',"
        )
        text = text.replace("controlPlane: {", "controlPlane: {exposure: load-balancer, ")
        mesh.write_text(text.replace("10.0.5.20}}", "10.0.5.20}}  # told by the network team"))
        key = self.root()
        self.meshc("ca", "issue", "--root-key", str(key))
        edge.account(READER)
        edge.token_secret(TOKEN, READER)
        edge.put("configmaps", "kube-root-ca.crt", "istio-system", data={"ca.crt": edge.authority.cert_pem.decode()})
        self.move("10.0.5.20")

    def move(self, address: str) -> None:
        self.hub.put(
            "services",
            "istiod-mc",
            "istio-system",
            spec={"type": "LoadBalancer", "selector": {"app": "istiod"}},
            status={"loadBalancer": {"ingress": [{"ip": address}]}},
        )

    def live(self, *words: str, code: int = 0) -> str:
        config = kubeconfig(self.folder / "kubeconfig", self.hub, self.edge)
        said = self.meshc(*words, "--kubeconfig", str(config), code=code)
        for token in self.hub.tokens | self.edge.tokens:
            assert token[5:40] not in said
        return said

    def doctor(self, *words: str, code: int = 0) -> dict[tuple[str, str], dict[str, Any]]:
        """What isn't well, by cluster and what it is."""
        config = kubeconfig(self.folder / "kubeconfig", self.hub, self.edge)
        said = self.meshc("doctor", *words, "--kubeconfig", str(config), "--format", "json", code=code)
        rows = json.loads(said)["clusters"]
        return {(row["cluster"], row["what"]): row for row in rows if row["state"] != "ok"}

    def sync(self) -> None:
        """Applies what is compiled: of the CA its public parts, and the remote secret as sops opens it."""
        self.meshc("compile")
        folder = self.base / "certificates"
        files = {"ca-cert.pem": folder / "hub/ca-cert.pem", "root-cert.pem": folder / "root-cert.pem"}
        data = {name: base64.b64encode(file.read_bytes()).decode() for name, file in files.items()}
        self.hub.put("secrets", "cacerts", "istio-system", data={**data, "ca-key.pem": "eA=="})
        if (self.base / FILE).exists():
            body = yaml.safe_load((self.base / FILE).read_text())
            config = base64.b64encode(json.dumps(opened(self.base / FILE)).encode()).decode()
            metadata = {key: body["metadata"][key] for key in ("labels", "annotations")}
            self.hub.put(
                "secrets", body["metadata"]["name"], "istio-system", data={"edge-1": config}, metadata=metadata
            )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    find_tool("kubectl")
    hub, edge = FakeCluster("hub"), FakeCluster("edge-1", "v1.24.17")
    with serving(hub, edge):
        yield World(tmp_path, hub, edge)


def test_what_moves_on_is_found_and_mended(world: World) -> None:
    """From nothing to a mesh that is well; then an address and a token change (all of it: test_living_mesh)."""
    first = world.doctor(code=1)
    assert first["edge-1", "credentials in hub"]["hint"] == "meshc capture credentials edge-1"
    assert ("hub", "cacerts") in first

    world.live("capture", "credentials", "edge-1")
    assert world.doctor(code=1)["edge-1", "credentials in hub"]["says"] == "sealed, but not in the cluster yet"
    world.sync()
    assert world.doctor() == {}

    world.move("10.0.5.99")
    moved = world.doctor(code=1)["hub", "address of istiod"]
    assert moved["says"] == "mesh.yaml says 10.0.5.20, but the cluster has 10.0.5.99"
    assert moved["place"].startswith("mesh.yaml:14:")
    before = (world.base / "mesh.yaml").read_text()
    world.live("capture", "addresses", "hub")
    assert (world.base / "mesh.yaml").read_text() == before
    world.live("capture", "addresses", "hub", "--write")
    assert (world.base / "mesh.yaml").read_text() == before.replace("10.0.5.20", "10.0.5.99")

    world.edge.revoke(TOKEN)
    world.edge.token_secret(TOKEN, READER)
    assert "refuses this token" in world.doctor(code=1)["edge-1", "credentials in hub"]["says"]
    world.live("capture", "credentials", "edge-1", "--replace")
    assert "an older one" in world.doctor(code=1)["edge-1", "credentials in hub"]["says"]
    world.sync()
    assert world.doctor() == {}


def test_a_cluster_that_is_not_reached_is_a_row(world: World) -> None:
    world.edge.port = 1
    found = world.doctor(code=4)
    said = world.live("doctor", code=4)

    assert found["edge-1", "api server"]["state"] == "failed"
    assert "can't be reached" in said
    assert ("hub", "api server") not in found


def test_a_right_that_is_missing_is_no_fault(world: World) -> None:
    world.live("capture", "credentials", "edge-1")
    world.sync()
    world.hub.forbidden |= {("get", "secrets"), ("list", "secrets")}
    found = world.doctor()

    assert found["hub", "cacerts"]["state"] == "unknown"
    assert 'resources: ["secrets"], verbs: ["get"], resourceNames: [cacerts]}' in found["hub", "cacerts"]["hint"]
    assert found["edge-1", "credentials in hub"]["state"] == "unknown"


def test_rights_that_the_reader_lost_are_told(world: World) -> None:
    world.live("capture", "credentials", "edge-1")
    world.sync()
    assert world.doctor() == {}
    world.edge.forbidden.add(("list", "nodes"))
    found = world.doctor(code=1)["edge-1", "credentials in hub"]

    assert (found["state"], found["hint"].split(",")[0]) == ("failed", "sync output/edge-1")
    assert found["says"] == "the token is valid, but lacks rights: list nodes"


def test_rights_that_istiods_own_role_gives_and_nobody_waits_for_are_told_apart(world: World) -> None:
    world.live("capture", "credentials", "edge-1")
    world.sync()
    world.edge.forbidden.add(("patch", "mutatingwebhookconfigurations"))
    found = world.doctor(code=1)["edge-1", "credentials in hub"]

    right = "patch mutatingwebhookconfigurations.admissionregistration.k8s.io"
    assert (found["state"], found["says"]) == (
        "differs",
        f"valid, but lack rights of Istio's own role: {right}",
    )


def test_two_secrets_for_one_cluster_and_a_token_that_ends_soon(world: World) -> None:
    ending = jwt("ending", int(time.time()) + 86400)
    world.edge.tokens.add(ending)
    secret = world.edge.objects["secrets", "istio-system", TOKEN]
    secret["data"]["token"] = base64.b64encode(ending.encode()).decode()
    world.live("capture", "credentials", "edge-1")
    world.sync()
    assert world.doctor(code=1)["edge-1", "credentials in hub"]["says"].startswith("expire on 20")

    applied = world.hub.objects["secrets", "istio-system", "istio-remote-secret-edge-1"]
    world.hub.objects["secrets", "istio-system", "byhand"] = {
        **applied,
        "metadata": {**applied["metadata"], "name": "byhand"},
    }
    assert "istiod uses only one of them" in world.doctor(code=1)["edge-1", "credentials in hub"]["says"]


def test_contexts_are_told_apart(world: World) -> None:
    assert 'whose context "x" is' in world.live("doctor", "--context", "x", code=2)
    assert 'context "nowhere" can\'t be used' in world.live("doctor", "hub", "--context", "nowhere", code=4)
    assert 'there is no cluster "huh"' in world.live("doctor", "huh", code=2)
    assert "neither a control plane nor" in world.live("capture", "addresses", "edge-1", code=2)


ODD: tuple[Any, ...] = (None, [], "x", 3, {"token": 3, "edge-1": [], "ca.crt": {}}, {"edge-1": "a2luZDogQ29uZmlnCg=="})


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_whatever_a_secret_holds_is_a_row(world: World, odd: Any) -> None:
    noted = {"labels": {"istio/multiCluster": "true"}, "annotations": odd if isinstance(odd, dict) else []}
    world.hub.put("secrets", "cacerts", "istio-system", data=odd)
    world.hub.put("secrets", "istio-remote-secret-edge-1", "istio-system", data=odd, metadata=noted)
    world.edge.objects["secrets", "istio-system", TOKEN]["data"] = odd
    world.edge.objects["configmaps", "istio-system", "kube-root-ca.crt"]["data"] = odd
    found = world.doctor(code=1)

    assert found["edge-1", "credentials in hub"]["state"] == "failed"
    assert found["hub", "cacerts"]["state"] == "failed"


def test_an_east_west_gateway_that_moved_is_found_and_mended(world: World) -> None:
    """Remotes come in by the gateway of the hub's network, so mesh.yaml names no exposure."""
    mesh = world.base / "mesh.yaml"
    text = re.sub("controlPlane: .*", "network: a", mesh.read_text()).replace(
        "podCIDRs: [10.11", "network: b, podCIDRs: [10.11"
    )
    networks = "networks: [{name: a, gateway: {address: 10.0.9.1}}, {name: b, gateway: {address: 10.1.9.1}}]"
    mesh.write_text(text.replace("  clusters:\n", f"  {networks}\n  clusters:\n", 1))

    def gateway(cluster: FakeCluster, address: str) -> None:
        cluster.put(
            "services",
            "istio-eastwestgateway",
            "istio-system",
            spec={"type": "LoadBalancer", "selector": {"istio": "eastwestgateway"}},
            status={"loadBalancer": {"ingress": [{"ip": address}]}},
        )

    gateway(world.hub, "10.0.9.1")
    gateway(world.edge, "10.1.9.99")
    found = world.doctor(code=1)
    assert ("hub", "address of gateway") not in found
    assert found["edge-1", "address of gateway"]["says"] == "mesh.yaml says 10.1.9.1, but the cluster has 10.1.9.99"

    gateway(world.hub, "10.0.9.9")
    assert world.doctor(code=1)["hub", "address of gateway"]["place"].startswith("mesh.yaml:9:")
    before = mesh.read_text()
    world.live("capture", "addresses", "hub", "--write")
    world.live("capture", "addresses", "edge-1", "--write")
    assert mesh.read_text() == before.replace("10.0.9.1}", "10.0.9.9}").replace("10.1.9.1}", "10.1.9.99}")
    assert not [what for _, what in world.doctor(code=1) if what.startswith("address")]


def test_the_replacement_of_a_root_is_told_beside_the_clusters(world: World) -> None:
    """What the files say is told, whatever the clusters answer: here they have nothing of it yet."""
    world.meshc("compile")
    world.commit(2)
    new = world.keys / "new.pem"
    world.meshc("ca", "init", "--key-out", str(world.keys / "new.key"), "--certificate", str(new))
    world.meshc("ca", "rotate-root", "--new-root", str(new))
    world.meshc("compile")
    world.commit(1)
    config = str(kubeconfig(world.folder / "kubeconfig", world.hub, world.edge))

    found = json.loads(world.meshc("doctor", "--kubeconfig", config, "--format", "json", code=1))
    assert found["rotation"]["underOldRoot"] == ["hub"]
    assert found["rotation"]["allowed"] is False
    assert found["departed"] == []
    said = world.meshc("doctor", "--kubeconfig", config, code=1)
    assert "the root is being replaced; next is to re-issue under the new root, from 20" in said
    assert "CAs under the old root: hub" in said


@pytest.mark.parametrize("words", [("doctor",), ("capture", "facts")])
@pytest.mark.parametrize("form", ["sarif", "junit", "gitlab"])
def test_a_format_of_problems_does_not_look_as_if_nothing_were_wrong(
    world: World, words: tuple[str, ...], form: str
) -> None:
    assert "no rows of live clusters" in world.live(*words, "--format", form, code=2)


def test_a_fact_that_does_not_come_in_time_is_told_once(world: World) -> None:
    world.edge.manners |= {"nodes": "hang"}
    told = world.live("capture", "facts", "edge-1", "--timeout", "2", code=4)

    assert told.count("no complete answer within 2 s") == 1
