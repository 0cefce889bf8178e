"""How an API server is asked: the real client and real kubectl, over TLS, against one that misbehaves."""

from __future__ import annotations

import json
import os
import re
import select
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from meshc.capture import in_parallel
from meshc.capture.ask import Api
from meshc.capture.connect import connect
from meshc.capture.in_parallel import at_once
from meshc.capture.resource import Resource, core
from meshc.capture.trouble import AskError, Trouble
from meshc.hidden import Hidden
from meshc.issuing.kubeconfig import Credentials
from support.fake_api import ADMIN, FakeCluster, kubeconfig, serving
from support.paths import ROOT
from support.throwaway import make_root
from support.tools import find_tool

pytestmark = pytest.mark.thorough

SERVICES = core("services", "shop")


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    made = FakeCluster("edge-1")
    with serving(made):
        yield made


def api(cluster: FakeCluster, folder: Path, seconds: float = 5.0, ca: bytes = b"", token: str = ADMIN) -> Api:
    return connect("edge-1", "edge-1", kubeconfig(folder / "kubeconfig", cluster, ca=ca, token=token), seconds)


def trouble(asked: Api, resource: Resource = SERVICES) -> AskError:
    with pytest.raises(AskError) as raised:
        asked.listed(resource)
    assert ADMIN not in str(raised.value)
    return raised.value


def test_ten_thousand_services_come_page_by_page(cluster: FakeCluster, tmp_path: Path) -> None:
    for number in range(10_000):
        cluster.put("services", f"s-{number:05d}", "shop", spec={"ports": [{"port": 80}]})
    found = api(cluster, tmp_path, 60).listed(SERVICES)

    assert [body["metadata"]["name"] for body in found] == [f"s-{number:05d}" for number in range(10_000)]
    assert len([one for one in cluster.asked if "/services" in one]) == 20


def test_a_list_that_expires_is_begun_once_more(cluster: FakeCluster, tmp_path: Path) -> None:
    for number in range(1200):
        cluster.put("services", f"s-{number:05d}", "shop")
    cluster.manners["services"] = "gone"

    assert len(api(cluster, tmp_path).listed(SERVICES)) == 1200


@pytest.mark.parametrize(
    ("manner", "expected"),
    [
        ("hang", Trouble.SLOW),
        ("trickle", Trouble.SLOW),
        ("half", Trouble.BROKEN),
        ("garbage", Trouble.BROKEN),
    ],
)
def test_an_answer_that_is_none_ends_in_time(
    cluster: FakeCluster, tmp_path: Path, manner: str, expected: Trouble
) -> None:
    cluster.manners["services"] = manner
    begun = time.monotonic()

    assert trouble(api(cluster, tmp_path, 1.5)).trouble is expected
    assert time.monotonic() - begun < 12


def test_a_right_that_is_missing_is_told_as_the_rule_to_add(cluster: FakeCluster, tmp_path: Path) -> None:
    cluster.forbidden |= {("list", "services"), ("create", "serviceaccounts")}
    account = core("serviceaccounts", "istio-system").named("reader", "token")
    asked = api(cluster, tmp_path)
    with pytest.raises(AskError) as raised:
        asked.create(account, {"spec": {}})

    assert trouble(asked).hint == (
        'add the rule {apiGroups: [""], resources: ["services"], verbs: ["list"]} in a Role of namespace shop'
    )
    assert 'resources: ["serviceaccounts/token"], verbs: ["create"]}' in raised.value.hint


def test_credentials_that_are_not_taken_and_a_ca_that_is_another_are_told_apart(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    assert trouble(api(cluster, tmp_path, token="expired")).trouble is Trouble.UNAUTHORISED
    assert trouble(api(cluster, tmp_path, ca=make_root("Other").cert_pem)).trouble is Trouble.CERTIFICATE


def test_a_server_that_is_gone_and_a_context_that_is_none(tmp_path: Path) -> None:
    cluster = FakeCluster("edge-1", port=1)
    asked = api(cluster, tmp_path)
    with pytest.raises(AskError) as raised:
        connect("edge-1", "nowhere", tmp_path / "kubeconfig", 1)

    assert trouble(asked).trouble is Trouble.UNREACHABLE
    assert raised.value.trouble is Trouble.CONTEXT
    assert "--context edge-1=CONTEXT" in raised.value.hint


def test_a_kubeconfig_that_trusts_anyone_is_refused(cluster: FakeCluster, tmp_path: Path) -> None:
    file = kubeconfig(tmp_path / "kubeconfig", cluster)
    file.write_text(file.read_text().replace("    server:", "    insecure-skip-tls-verify: true\n    server:"))
    with pytest.raises(AskError, match="doesn't verify the server's certificate"):
        connect("edge-1", "edge-1", file, 1)


def test_a_token_is_tried_without_anything_of_the_kubeconfigs_user(cluster: FakeCluster, tmp_path: Path) -> None:
    asked = api(cluster, tmp_path)
    cluster.tokens.add("another")

    assert asked.as_bearer(Hidden(b"another")).version() == "v1.34.1"
    with pytest.raises(AskError, match="invalid or have expired"):
        asked.as_bearer(Hidden(b"wrong")).version()


def test_a_program_logs_in(cluster: FakeCluster, tmp_path: Path) -> None:
    """As cloud providers have it: the kubeconfig holds no token, but what prints one."""
    said = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": ADMIN}}
    program = {"apiVersion": said["apiVersion"], "command": "echo", "args": [json.dumps(said)]}
    file = kubeconfig(tmp_path / "kubeconfig", cluster)
    config = yaml.safe_load(file.read_text())
    config["users"][0]["user"] = {"exec": {**program, "interactiveMode": "Never"}}
    file.write_text(yaml.safe_dump(config))

    assert connect("edge-1", "edge-1", file, 5).version() == "v1.34.1"


def test_the_proxy_of_a_context_is_the_way_to_its_cluster(cluster: FakeCluster, tmp_path: Path) -> None:
    """And the way of a token that is tried there, with the credentials' own address."""
    file = kubeconfig(tmp_path / "kubeconfig", cluster)
    with tunnelling() as (port, asked):
        config = yaml.safe_load(file.read_text())
        config["clusters"][0]["cluster"]["proxy-url"] = f"http://127.0.0.1:{port}"
        file.write_text(yaml.safe_dump(config))
        api = connect("edge-1", "edge-1", file, 5)
        held = Credentials("edge-1", cluster.url, cluster.authority.cert_pem, Hidden(ADMIN.encode()))

        assert api.version() == "v1.34.1"
        assert api.as_bearer(Hidden(ADMIN.encode())).version() == "v1.34.1"
        assert api.as_held(held, 5).version() == "v1.34.1"
    assert [line.rpartition(" ")[0] for line in asked] == [f"CONNECT 127.0.0.1:{cluster.port}"] * 3


def test_credentials_are_tried_with_their_own_ca_and_address(cluster: FakeCluster, tmp_path: Path) -> None:
    asked = api(cluster, tmp_path)
    mine = Credentials("edge-1", cluster.url, cluster.authority.cert_pem, Hidden(ADMIN.encode()))

    def trouble_of(held: Credentials) -> Trouble:
        with pytest.raises(AskError) as raised:
            asked.as_held(held, 2).version()
        return raised.value.trouble

    assert asked.as_held(mine, 2).version() == "v1.34.1"
    assert trouble_of(replace(mine, ca=make_root("Other").cert_pem)) is Trouble.CERTIFICATE
    assert trouble_of(replace(mine, token=Hidden(b"old"))) is Trouble.UNAUTHORISED
    assert trouble_of(replace(mine, server="https://api.edge-1.invalid:6443")) is Trouble.UNREACHABLE


@contextmanager
def tunnelling() -> Iterator[tuple[int, list[str]]]:
    """A proxy that lets TLS through, and keeps what it was asked."""
    asked: list[str] = []

    class Tunnel(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            asked.append(self.rfile.readline().decode().strip())
            while self.rfile.readline().strip():
                pass
            host, port = asked[-1].split()[1].split(":")
            with socket.create_connection((host, int(port))) as there:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                while ready := select.select([self.connection, there], [], [], 5)[0]:
                    for side in ready:
                        data = side.recv(1 << 16)
                        if not data:
                            return
                        (there if side is self.connection else self.connection).sendall(data)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tunnel) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server.server_address[1], asked
        server.shutdown()


def test_kubectl_reads_the_same(cluster: FakeCluster, tmp_path: Path) -> None:
    for number in range(700):
        cluster.put("services", f"s-{number:05d}", "shop", spec={"ports": [{"port": 80}]})
    asked = api(cluster, tmp_path)
    command = [find_tool("kubectl"), "--context", "edge-1", "get", "services", "-n", "shop", "-o", "json"]
    environment = {**os.environ, "KUBECONFIG": str(tmp_path / "kubeconfig"), "HOME": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    bare = [
        {k: v for k, v in one.items() if k not in ("kind", "apiVersion")} for one in json.loads(done.stdout)["items"]
    ]

    assert bare == asked.listed(SERVICES)


def test_one_slow_cluster_holds_no_other_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_parallel, "_GRACE", 0.5)

    def ask(name: str) -> str:
        time.sleep(60 if name == "hangs" else 0.01)
        return f"{name} answers"

    begun = time.monotonic()
    answers = at_once(["a", "hangs", "b"], ask, lambda name: f"{name} is late", 0.1)

    assert answers == ["a answers", "hangs is late", "b answers"]
    assert time.monotonic() - begun < 5


def test_a_bug_in_a_question_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        at_once([1, 0], lambda number: 1 // number, lambda number: 0, 1)


def test_two_modules_import_the_client_and_its_http_and_only_when_they_ask() -> None:
    sources = (ROOT / "compiler/meshc").rglob("*.py")
    pattern = re.compile(r"^( *)(?:from|import) (kubernetes|urllib3)\b", re.MULTILINE)
    importers = {file.name: pattern.findall(file.read_text()) for file in sources}

    found = {name: lines for name, lines in importers.items() if lines}
    assert {name: {module for _, module in lines} for name, lines in found.items()} == {
        "connect.py": {"kubernetes"},
        "ask.py": {"urllib3"},
    }
    assert all(indent for lines in found.values() for indent, _ in lines)


def test_without_the_extra_it_is_told_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "kubernetes.py").write_text("raise ImportError\n")
    (tmp_path / "mesh.yaml").write_bytes((ROOT / "mesh.yaml").read_bytes())
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        [sys.executable, "-m", "meshc", "doctor"], cwd=tmp_path, env=environment, capture_output=True, check=False
    )

    assert done.returncode == 2
    assert b'hint: pip install "meshc[live]"' in done.stderr
