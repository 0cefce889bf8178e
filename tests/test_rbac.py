"""`--print-rbac` prints what commands need in living clusters: no less, and nothing that none of them uses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from support.credentials import READER, TOKEN
from support.fake_api import FakeCluster, kubeconfig, serving
from support.places import SOPS, Place
from support.tools import find_tool

pytestmark = pytest.mark.thorough

ACCOUNT = "a-token-of-meshc-alone"
DELIVERY = "  delivery: {engine: argo-cd, repoURL: 'https://git.example.com/mesh', runsIn: hub}\n"


class World(Place):
    """Two clusters, asked as an account that has the rights that were printed, and no other."""

    def __init__(self, folder: Path, hub: FakeCluster, edge: FakeCluster) -> None:
        super().__init__(folder, SOPS)
        self.clusters, self.folder = (hub, edge), folder
        mesh = self.base / "mesh.yaml"
        mesh.write_text(
            mesh.read_text().replace("{name: edge-1,", "{name: edge-1, apiServer: 'https://10.1.0.10:6443',") + DELIVERY
        )
        self.meshc("ca", "issue", "--root-key", str(self.root()))
        ca = edge.authority.cert_pem.decode()
        for cluster in self.clusters:
            cluster.put("configmaps", "kube-root-ca.crt", "istio-system", data={"ca.crt": ca})
        edge.account(READER)
        balancer = {"type": "LoadBalancer", "selector": {"app": "istiod"}}
        status = {"loadBalancer": {"ingress": [{"ip": "10.0.5.20"}]}}
        hub.put("services", "istiod-mc", "istio-system", spec=balancer, status=status)
        hub.put("services", "cart", "shop", spec={"selector": {"app": "cart"}, "ports": [{"name": "http", "port": 80}]})

    def allow(self, *words: str) -> set[tuple[str, str, str, str]]:
        """Binds what is printed, and nothing else. What that is, right by right."""
        bodies = list(yaml.safe_load_all(self.meshc(*words, "--print-rbac")))
        roles = {(one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]): one for one in bodies}
        found: list[tuple[str, Any]] = []
        for (kind, place, _), body in roles.items():
            if kind.endswith("Binding"):
                role = roles[body["roleRef"]["kind"], place, body["roleRef"]["name"]]
                found += [(place, rule) for rule in role["rules"]]
                subject = body["subjects"][0]
                assert roles[subject["kind"], subject["namespace"], subject["name"]]
        for cluster in self.clusters:
            cluster.roles[ACCOUNT] = found
            cluster.tokens.add(ACCOUNT)
        return {
            (verb, group, plural, place)
            for place, rule in found
            for verb in rule["verbs"]
            for group in rule["apiGroups"]
            for plural in rule["resources"]
        }

    def live(self, *words: str, code: int = 0) -> str:
        config = kubeconfig(self.folder / "kubeconfig", *self.clusters, token=ACCOUNT)
        both = self.meshc(*words, "--kubeconfig", str(config), code=code)
        assert "not allowed" not in both
        return both

    @property
    def used(self) -> set[tuple[str, str, str, str]]:
        return self.clusters[0].used | self.clusters[1].used


def test_each_account_may_do_what_its_command_does_and_uses_all_of_it(tmp_path: Path) -> None:
    find_tool("kubectl")
    hub, edge = FakeCluster("hub"), FakeCluster("edge-1")
    with serving(hub, edge):
        world = World(tmp_path, hub, edge)
        allowed = world.allow("capture")
        world.live("capture", "facts")
        world.live("capture", "addresses", "hub")
        world.live("capture", "services", "hub", "-n", "shop")
        world.live("capture", "credentials", "edge-1", "--yes")
        made = [name for plural, _, name in edge.objects if plural == "secrets"]
        world.live("capture", "credentials", "edge-1", "--duration", "24h", "--replace", "--yes")
        edge.forbidden.add(("list", "nodes"))
        assert "lacks rights" in world.live("capture", "credentials", "edge-1", "--rotate", "--yes", code=4)
        edge.forbidden.clear()
        assert len(made) == 1
        assert [name for plural, _, name in edge.objects if plural == "secrets"] == made
        assert allowed - world.used == set()

        hub.used.clear()
        edge.used.clear()
        edge.token_secret(TOKEN, READER)
        allowed = world.allow("doctor")
        world.live("doctor", code=1)
        assert ("create", "", "secrets", "istio-system") not in allowed
        assert allowed - world.used == set()

        at_the_remote = world.meshc("doctor", "edge-1", "--print-rbac")
        assert "argocd" in world.meshc("doctor", "hub", "--print-rbac")
        assert "argocd" not in at_the_remote

        hub.used.clear()
        edge.used.clear()
        allowed = world.allow("adopt")
        (tmp_path / "adopted").mkdir()
        world.live(
            "adopt", "--context", "hub", "--context", "edge-1", "-f", str(tmp_path / "adopted/mesh.yaml"), code=3
        )
        assert allowed - world.used == set()


def test_options_of_the_group_are_not_lost_before_a_command(tmp_path: Path) -> None:
    place = Place(tmp_path, SOPS)

    assert "without a command, or after" in place.meshc("capture", "--print-rbac", "facts", code=2)
    assert "without a command, or after" in place.meshc("capture", "-f", "other.yaml", "facts", code=2)
    assert "can't be a namespace" in place.meshc("adopt", "--print-rbac", "--namespace", "a b", code=2)
