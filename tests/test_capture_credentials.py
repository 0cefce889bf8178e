"""`meshc capture credentials` as a person runs it, against two API servers; real sops opens what it seals."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.credentials import CLASSIC, READER, TOKEN, opened
from support.fake_api import FakeCluster, jwt, kubeconfig, serving
from support.places import SOPS, Place
from support.tools import find_tool

pytestmark = pytest.mark.thorough

FILE = "sealed/hub/remote-secret-edge-1.yaml"


class Ground(Place):
    """A mesh of hub and edge-1, whose API server is a fake one."""

    def __init__(self, folder: Path, cluster: FakeCluster, *, classic: bool = False) -> None:
        super().__init__(folder, SOPS, classic=classic)
        self.cluster, self.folder = cluster, folder
        self.change("type: plugged-in", "type: self-signed")
        self.change("{name: edge-1,", "{name: edge-1, apiServer: 'https://10.1.0.10:6443',")

    def change(self, old: str, new: str) -> None:
        mesh = self.base / "mesh.yaml"
        assert old in mesh.read_text()
        mesh.write_text(mesh.read_text().replace(old, new))

    def capture(self, *words: str, code: int = 0) -> str:
        config = kubeconfig(self.folder / "kubeconfig", self.cluster)
        said = self.meshc("capture", "credentials", "edge-1", *words, "--kubeconfig", str(config), code=code)
        self.shows_no_token(said)
        return said

    def shows_no_token(self, said: str) -> None:
        """No token of the cluster, in any of its disguises, in what was said or what lies on the disk."""
        left = [path.read_bytes() for path in self.base.rglob("*") if path.is_file()]
        for token in self.cluster.tokens:
            pieces = [base64.b64encode(b"x" * shift + token.encode())[4:40] for shift in range(3)]
            for data in (*left, said.encode()):
                assert not any(piece in data for piece in (token[5:40].encode(), *pieces))


@pytest.fixture
def modern(tmp_path: Path) -> Iterator[Ground]:
    cluster = FakeCluster("edge-1")
    cluster.account(READER)
    with serving(cluster):
        yield Ground(tmp_path, cluster)


def inside(ground: Ground) -> dict[str, Any]:
    return opened(ground.base / FILE)


def test_a_secret_that_is_synced_is_taken_and_compiles(modern: Ground) -> None:
    find_tool("kubectl")
    modern.cluster.token_secret(TOKEN, READER)
    said = modern.capture()
    compiled = modern.meshc("compile")
    config = inside(modern)

    assert f"edge-1: token of Secret istio-system/{TOKEN}, which has no end" in said
    assert f"wrote {FILE}" in said
    assert config["users"] == [{"name": "edge-1", "user": {"token": modern.cluster.token(TOKEN)}}]
    assert config["clusters"] == [
        {
            "name": "edge-1",
            "cluster": {
                "server": "https://10.1.0.10:6443",
                "certificate-authority-data": base64.b64encode(modern.cluster.authority.cert_pem).decode(),
            },
        }
    ]
    assert "waiting for credentials" not in compiled
    assert not [one for one in modern.cluster.asked if one.startswith("POST /api/")]


def test_one_that_is_missing_is_made_once_it_is_allowed(modern: Ground) -> None:
    refused = modern.capture(code=2)
    assert f"service account istio-system/{READER}: a Secret {READER}-token-... is made for its token" in refused
    assert not [one for one in modern.cluster.asked if one.startswith("POST")]

    modern.capture("--yes")

    assert inside(modern)["users"][0]["user"]["token"] in modern.cluster.tokens


def test_one_that_is_not_filled_yet_is_waited_for(modern: Ground) -> None:
    import threading

    modern.cluster.token_secret(TOKEN, READER, filled=False)
    threading.Timer(1.5, modern.cluster.fill, (TOKEN, "istio-system")).start()
    modern.capture()

    assert inside(modern)["users"][0]["user"]["token"] == modern.cluster.token(TOKEN)


def test_a_token_that_ends_is_requested(modern: Ground) -> None:
    modern.cluster.put("configmaps", "kube-root-ca.crt", "istio-system", data={"ca.crt": _ca(modern)})
    said = modern.capture("--duration", "90d", "--yes")

    assert "edge-1: a token made for this, until 20" in said
    assert inside(modern)["users"][0]["user"]["token"].count(".") == 2
    assert "no time such as" in modern.capture("--duration", "soon", "--replace", code=2)


def test_a_token_that_is_granted_for_less_than_was_asked_is_not_sealed(modern: Ground) -> None:
    """Managed clouds cap tokens at a day or two, and say so in the answer alone."""
    modern.cluster.put("configmaps", "kube-root-ca.crt", "istio-system", data={"ca.crt": _ca(modern)})
    modern.cluster.longest = 2 * 3600
    before = modern.files()
    said = modern.capture("--duration", "90d", "--yes", code=4)

    assert "meshc asked for a token for 90 days, but the API server limits it to 2 h" in said
    assert modern.files() == before
    modern.capture("--duration", "2h", "--yes")


@pytest.mark.parametrize("right", ["nodes", "endpointslices"])
def test_a_secret_that_was_made_for_a_token_that_can_not_be_used_is_taken_back(modern: Ground, right: str) -> None:
    modern.cluster.forbidden.add(("list", right))
    before = modern.files()
    said = modern.capture("--yes", code=4)

    assert f"its account lacks rights: list {right}" in said
    assert "first sync output/edge-1" in said
    assert not [key for key in modern.cluster.objects if key[0] == "secrets"]
    assert modern.files() == before


def test_nothing_is_made_where_another_remote_ends_it_all(modern: Ground) -> None:
    mesh = modern.base / "mesh.yaml"
    edge = '    - {name: edge-2, role: remote, kubernetesVersion: "1.34", podCIDRs: [10.12.0.0/16]}\n'
    mesh.write_text(mesh.read_text() + edge)
    config = kubeconfig(modern.folder / "kubeconfig", modern.cluster)
    words = ("capture", "credentials", "edge-1", "edge-2", "--context", "edge-2=nowhere", "--kubeconfig", str(config))
    said = modern.meshc(*words, "--yes", code=4)

    assert 'edge-2: context "nowhere" can\'t be used' in said
    assert not [one for one in modern.cluster.asked if one.startswith(("DELETE", "POST"))]
    assert not [key for key in modern.cluster.objects if key[0] == "secrets"]


def test_a_rotation_makes_the_new_one_before_the_old_one_goes(modern: Ground) -> None:
    modern.cluster.token_secret(TOKEN, READER)
    modern.capture()
    assert "sealed already" in modern.capture(code=2)
    said = modern.capture("--rotate", "--yes")
    token = inside(modern)["users"][0]["user"]["token"]

    assert token in modern.cluster.tokens
    assert token != modern.cluster.token(TOKEN)
    assert "have the new token: meshc capture credentials edge-1 --prune-tokens" in said
    assert [path.name for path in (modern.base / "sealed/hub").iterdir()] == ["remote-secret-edge-1.yaml"]

    modern.cluster.revoke(TOKEN)
    modern.capture("--replace")

    assert inside(modern)["users"][0]["user"]["token"] == token


STORE = """\
import json, os, sys
given = sys.stdin.read()
json.dump([sys.argv[1:], dict(os.environ), given], open(os.environ["STORED"], "w"))
sys.exit(given if "fail" in sys.argv else 0)
"""


def test_a_store_is_given_what_it_holds_by_the_command_that_was_named(
    modern: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On its input: neither the arguments, the environment nor the file hold it, nor what is told where it fails."""
    token = modern.cluster.token(modern.cluster.token_secret(TOKEN, READER))
    assert "leave --to-command out" in modern.capture("--to-command", "put {key}", code=2)
    modern.change(SOPS, "{backend: external-secrets, store: {name: vault}}")
    stored, program = modern.folder / "stored", modern.folder / "store.py"
    program.write_text(STORE)
    monkeypatch.setenv("STORED", str(stored))
    assert "--to-command 'vault kv put secret/{key} {property}=-'" in modern.capture("--yes", code=2)
    assert "where {key} goes" in modern.capture("--to-command", "true", code=2)
    assert modern.cluster.asked == []

    command = f"{sys.executable} {program} put secret/{{key}} '{{property}}=-'"
    before = modern.files()
    assert "shop/hub/istio-remote-secret-edge-1 isn't in the store" in modern.capture(
        "--to-command", f"{command} fail", code=4
    )
    assert modern.files() == before

    modern.capture("--to-command", command)
    argv, environment, given = json.loads(stored.read_text())
    body = yaml.safe_load((modern.base / FILE).read_text())

    assert argv == ["put", "secret/shop/hub/istio-remote-secret-edge-1", "edge-1=-"]
    assert yaml.safe_load(given)["users"] == [{"name": "edge-1", "user": {"token": token}}]
    assert token not in str(environment)
    assert body["kind"] == "ExternalSecret"
    assert body["spec"]["data"] == [
        {"secretKey": "edge-1", "remoteRef": {"key": "shop/hub/istio-remote-secret-edge-1", "property": "edge-1"}}
    ]
    modern.meshc("compile")


@pytest.mark.parametrize("broken", ["account", "server", "right", "token", "ca"])
def test_what_is_missing_is_told_and_nothing_written(modern: Ground, broken: str) -> None:
    cluster = modern.cluster
    name = cluster.token_secret(TOKEN, READER)
    code, expected = 4, ""
    if broken == "account":
        del cluster.objects["serviceaccounts", "istio-system", READER]
        expected = "there is no service account istio-system/istio-reader-service-account"
    elif broken == "server":
        modern.change(" apiServer: 'https://10.1.0.10:6443',", "")
        expected = "a primary can't reach its server"
    elif broken == "right":
        cluster.forbidden.add(("list", "secrets"))
        expected = '{apiGroups: [""], resources: ["secrets"], verbs: ["list"]} in a Role of namespace istio-system'
    elif broken == "token":
        cluster.tokens.discard(cluster.token(name))
        expected = "the API server refuses the cluster's own token"
    else:
        cluster.objects["secrets", "istio-system", name]["data"]["ca.crt"] = base64.b64encode(b"no CA").decode()
        expected = "the cluster doesn't show the CA"
    before = modern.files()

    assert expected in modern.capture(code=code)
    assert modern.files() == before


def test_a_token_of_an_account_that_was_deleted_is_not_taken(modern: Ground) -> None:
    modern.cluster.token_secret(TOKEN, READER)
    modern.cluster.put("serviceaccounts", READER, "istio-system")

    assert "is made for its token" in modern.capture(code=2)


def test_the_classic_one_is_found_on_kubernetes_that_makes_tokens_by_itself(tmp_path: Path) -> None:
    cluster = FakeCluster("edge-1", "v1.15.12")
    cluster.account(CLASSIC)
    with serving(cluster):
        ground = Ground(tmp_path, cluster, classic=True)
        ground.capture()
        said = ground.capture("--rotate", "--yes")
    body = yaml.safe_load((ground.base / FILE).read_text())

    assert body["metadata"]["name"] == "edge-1"
    assert "pilot reads a changed secret only when it starts" in said
    assert f"  kubectl -n istio-system delete secret {CLASSIC}-token-x7f2k" in said


def test_what_is_asked_leaves_no_token_in_the_list_of_processes(modern: Ground) -> None:
    modern.cluster.token_secret(TOKEN, READER)
    modern.cluster.manners["serviceaccounts"] = "hang"
    config = kubeconfig(modern.folder / "kubeconfig", modern.cluster, token=jwt("canary"))
    modern.cluster.tokens.add(jwt("canary"))
    words = ["capture", "credentials", "edge-1", "--kubeconfig", str(config), "--timeout", "2"]
    argv = [sys.executable, "-m", "meshc", *words]  # a real one: its command line and environment are what is read
    running = subprocess.Popen(argv, cwd=modern.base, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while not modern.cluster.asked:
        pass
    shown = Path(f"/proc/{running.pid}/cmdline").read_bytes()
    environment = Path(f"/proc/{running.pid}/environ").read_bytes()
    said, _ = running.communicate()

    assert b"no complete answer within 2 s" in said
    assert jwt("canary")[5:40].encode() not in shown + environment + said


def _ca(ground: Ground) -> str:
    return ground.cluster.authority.cert_pem.decode()


def test_an_external_istiod_gets_the_token_of_its_own_account_in_the_config_cluster(tmp_path: Path) -> None:
    """Not that of the reader, which may not write there; under the name and key of `istioctl --type config`."""
    find_tool("kubectl")
    cluster = FakeCluster("edge-1")
    for account in (READER, "istiod"):
        cluster.account(account)
        cluster.token_secret(f"{account}-istio-remote-secret-token", account)
    with serving(cluster):
        ground = Ground(tmp_path, cluster)
        ground.change("role: primary", "role: external-control-plane")
        said = ground.capture()
        compiled = ground.meshc("compile")
    placed = yaml.safe_load((ground.base / "output/hub/istio-kubeconfig.yaml").read_text())
    users = opened(ground.base / "sealed/hub/istio-kubeconfig.yaml")["users"]

    assert "token of Secret istio-system/istiod-istio-remote-secret-token" in said
    assert "waiting for credentials" not in compiled
    assert list(placed["data"]) == ["config"]
    assert users == [{"name": "edge-1", "user": {"token": cluster.token("istiod-istio-remote-secret-token")}}]
