"""A mesh that runs is adopted, and then moves on: each change is found by doctor, mended, and reviewed as one commit.

One test, as it is one story, with kubectl as second witness. The tokens in it turn up nowhere.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.commands import invoke
from support.fake_api import FakeCluster, kubeconfig, serving
from support.paths import ROOT
from support.places import IDENTITY, RECIPIENT
from support.sealing import cacerts, sops
from support.throwaway import Authority, make_root
from support.tools import find_tool

pytestmark = pytest.mark.thorough

READER, SYSTEM = "istio-reader-service-account", "istio-system"
TOKEN = f"{READER}-istio-remote-secret-token"
SERVER = "https://api.edge-1.invalid:6443"
"""As the hub reaches it: not from here."""


class Mesh:
    """Two clusters that run, a person's repository, and everything that was ever said or started."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.base, self.said, self.started = folder / "mesh", "", list[str]()
        self.base.mkdir()
        self.hub, self.edge = FakeCluster("hub"), FakeCluster("edge-1")
        self.config = folder / "kubeconfig"
        self.root = make_root()
        monkeypatch.chdir(self.base)
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("KUBECONFIG", str(self.config))
        real = subprocess.Popen.__init__

        def recorded(popen: Any, args: Any, *rest: Any, **named: Any) -> None:
            self.started.append(repr((args, named.get("env") or dict(os.environ))))
            real(popen, args, *rest, **named)

        monkeypatch.setattr(subprocess.Popen, "__init__", recorded)
        self.git("init", "-q", ".")

    def install(self) -> None:
        """What somebody's hands and istioctl left behind."""
        env = [{"name": "CLUSTER_ID", "value": "hub"}]
        containers = [{"name": "discovery", "image": "docker.io/istio/pilot:1.29.6", "env": env}]
        template = {"spec": {"containers": containers}}
        for cluster, pods in ((self.hub, "10.10.0.0/16"), (self.edge, "10.11.0.0/16")):
            cluster.put("namespaces", SYSTEM)
            cluster.put("nodes", "n1", spec={"podCIDRs": [pods]}, status={"nodeInfo": {"kubeletVersion": "v1.34.1"}})
            told = {"ca.crt": cluster.authority.cert_pem.decode()}
            cluster.put("configmaps", "kube-root-ca.crt", SYSTEM, data=told)
        self.hub.put(
            "deployments", "istiod", SYSTEM, metadata={"labels": {"app": "istiod"}}, spec={"template": template}
        )
        self.move("10.0.5.20")
        self.sign(self.root.issue("hub"))
        self.edge.account(READER)
        self.edge.token_secret("by-hand", READER)
        self.edge.token_secret(TOKEN, READER)
        self.remember(self.config_of_edge())

    def config_of_edge(self) -> dict[str, Any]:
        """A remote secret's kubeconfig, as istioctl writes it."""
        ca = base64.b64encode(self.edge.authority.cert_pem).decode()
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "edge-1",
            "clusters": [{"name": "edge-1", "cluster": {"server": SERVER, "certificate-authority-data": ca}}],
            "contexts": [{"name": "edge-1", "context": {"cluster": "edge-1", "user": "edge-1"}}],
            "users": [{"name": "edge-1", "user": {"token": self.edge.token(TOKEN)}}],
        }

    def remember(self, config: dict[str, Any], annotations: dict[str, str] | None = None) -> None:
        data = {"edge-1": base64.b64encode(json.dumps(config).encode()).decode()}
        noted = {"labels": {"istio/multiCluster": "true"}, "annotations": annotations or {}}
        self.hub.put("secrets", "istio-remote-secret-edge-1", SYSTEM, data=data, metadata=noted)

    def move(self, address: str) -> None:
        """The load balancer of the control plane gets another address."""
        status = {"loadBalancer": {"ingress": [{"ip": address}]}}
        spec = {"type": "LoadBalancer", "selector": {"app": "istiod"}}
        self.hub.put("services", "istiod-mc", SYSTEM, spec=spec, status=status)

    def sign(self, authority: Authority) -> None:
        """The hub's CA is replaced."""
        self.hub.put("secrets", "cacerts", SYSTEM, data=cacerts(authority, self.root)["data"])

    def rotate(self) -> None:
        """Somebody deletes the token's Secret, and makes it again."""
        self.edge.revoke(TOKEN)
        self.edge.token_secret(TOKEN, READER)

    def meshc(self, line: str, code: int = 0, stdin: str = "") -> str:
        kubeconfig(self.config, self.hub, self.edge)
        result = invoke(*shlex.split(line), stdin=stdin)
        self.said += result.output
        assert result.exit_code == code, result.output
        return result.output if code else result.stdout

    def git(self, *words: str) -> str:
        name = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        return subprocess.run(["git", *name, *words], cwd=self.base, check=True, capture_output=True, text=True).stdout

    def ill(self, code: int) -> dict[tuple[str, str], str]:
        """What doctor finds that isn't well: its code and what it says to do."""
        rows = json.loads(self.meshc("doctor --format json", code))["clusters"]
        return {(row["cluster"], row["check"]): row["hint"] for row in rows if row["state"] != "ok"}

    def settle(self, *changed: str) -> None:
        """Compiles, checks, commits and syncs: the commit changed these files, besides what is compiled."""
        self.meshc("compile")
        self.meshc("check")
        self.git("add", "-A")
        self.git("commit", "-qm", "reviewed")
        files = self.git("show", "--format=", "--name-only", "HEAD").split()
        assert {one for one in files if not one.startswith(("output/", "overlays/"))} == {*changed}
        self.sync()
        assert self.ill(0) == {}

    def sync(self) -> None:
        """What a GitOps engine does: the two Secrets of the hub, as real sops opens them."""
        for name in ("cacerts", "remote-secret-edge-1"):
            file = next((self.base / "output/hub").glob(f"*{name}.yaml"))
            environment = {"SOPS_AGE_KEY": str(IDENTITY), "HOME": "/nonexistent", "SOPS_DISABLE_VERSION_CHECK": "1"}
            argv = [str(sops()), "--config", "/dev/null", "-d", str(file)]
            body = yaml.safe_load(subprocess.run(argv, env=environment, capture_output=True, check=True).stdout)
            metadata = {key: body["metadata"].get(key) or {} for key in ("labels", "annotations")}
            self.hub.put("secrets", body["metadata"]["name"], SYSTEM, data=body["data"], metadata=metadata)

    def kubectl(self, line: str) -> str:
        """A second witness."""
        argv = [find_tool("kubectl"), "--context", "hub", "-n", SYSTEM, *shlex.split(line)]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    def shows_no_token(self, tokens: set[str]) -> None:
        """No token that ever was, in plain or base64: in files, in history, in what was said or started."""
        objects = ["git", "cat-file", "--batch-all-objects", "--unordered", "--batch"]
        history = subprocess.run(objects, cwd=self.base, check=True, capture_output=True).stdout
        files = [path.read_bytes() for path in self.base.rglob("*") if path.is_file()]
        everything = [history, *files, self.said.encode(), "\n".join(self.started).encode()]
        assert len(self.started) > 10
        assert any(b"remote-secret-edge-1" in one for one in everything)
        for token in tokens:
            for piece in (
                token.encode(),
                *(base64.b64encode(b"x" * shift + token.encode())[4:-8] for shift in range(3)),
            ):
                assert not any(piece[4:44] in one for one in everything)


@pytest.fixture
def mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mesh]:
    made = Mesh(tmp_path, monkeypatch)
    with serving(made.hub, made.edge):
        made.install()
        yield made


def test_a_mesh_is_adopted_and_kept_while_the_world_moves_on(mesh: Mesh) -> None:
    tokens = {mesh.edge.token(TOKEN)}
    mesh.meshc("adopt --context hub --context edge-1")
    file = mesh.base / "mesh.yaml"
    sealing = f"  security:\n    secrets: {{recipients: [{RECIPIENT}]}}\n"
    file.write_text(file.read_text().replace("  security:\n", sealing))
    assert f"apiServer: {SERVER}" in file.read_text()

    secret = "secrets seal - --cluster hub"
    mesh.meshc(secret, stdin=mesh.kubectl("get secret cacerts -o yaml"))
    for line in guide():
        mesh.meshc(line)
    sealed, places = "sealed/hub/remote-secret-edge-1.yaml", "certificates/hub"
    trusted = ("certificates/root-cert.pem", f"{places}/ca-cert.pem", f"{places}/cert-chain.pem")
    mesh.settle("mesh.yaml", "mesh.schema.json", ".sops.yaml", *trusted, "sealed/hub/cacerts.yaml", sealed)

    mesh.rotate()
    tokens.add(mesh.edge.token(TOKEN))
    again = "meshc capture credentials edge-1 --replace"
    assert mesh.ill(1) == {("edge-1", "credentials"): again}
    mesh.meshc(again.removeprefix("meshc "))
    mesh.settle(sealed)

    mesh.move("10.0.5.99")
    assert "10.0.5.99" in mesh.kubectl("get service istiod-mc -o jsonpath={.status.loadBalancer.ingress[0].ip}")
    assert mesh.ill(1) == {("hub", "address"): "meshc capture addresses hub --write"}
    mesh.meshc("capture addresses hub --write")
    mesh.settle("mesh.yaml")
    assert "10.0.5.99" in "".join(path.read_text() for path in (mesh.base / "output/edge-1").glob("*.yaml"))

    mesh.edge.trust_another(make_root("Successor"))
    assert mesh.ill(1) == {("edge-1", "credentials"): again}
    mesh.meshc(again.removeprefix("meshc "))
    mesh.settle(sealed)

    mesh.sign(mesh.root.issue("hub"))
    hint = mesh.ill(1)["hub", "certificate"]
    kubectl, _, command = hint.partition("on purpose: ")[2].partition(" | meshc ")
    mesh.meshc(command, stdin=mesh.kubectl(kubectl.removeprefix("kubectl --context hub ")))
    mesh.settle(f"{places}/ca-cert.pem", f"{places}/cert-chain.pem", "sealed/hub/cacerts.yaml")

    said = mesh.meshc("capture credentials edge-1 --rotate --yes")
    assert "edge-1 --prune-tokens" in said
    prune = "capture credentials edge-1 --prune-tokens"
    assert "sync output/hub" in mesh.meshc(f"{prune} --yes", 4)
    mesh.settle(sealed)
    assert f"Secret {SYSTEM}/{TOKEN}, whose token no primary uses, is deleted" in mesh.meshc(prune, 2)
    assert mesh.meshc(f"{prune} --yes") == f"edge-1: deleted Secret {SYSTEM}/{TOKEN}\n"
    assert mesh.meshc(prune) == "edge-1: no token of meshc's is left over\n"
    assert len([one for one in mesh.edge.objects if one[0] == "secrets"]) == 2
    assert mesh.ill(0) == {}

    mesh.shows_no_token(tokens | mesh.edge.tokens)


def guide() -> list[str]:
    """The five commands that docs/capture.md puts in the place of Istio's guide."""
    page = (ROOT / "docs/capture.md").read_text()
    block = re.search(r"as five commands\n.*?```\n(.*?)```", page, re.DOTALL)
    assert block is not None
    lines = [line.partition("#")[0].strip().removeprefix("meshc ") for line in block[1].splitlines()]
    assert len(lines) == 5
    return lines
