"""`meshc doctor` where several primaries hold credentials of one another: one row for each that holds them."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from meshc.cli.main import app
from meshc.hidden import Hidden
from meshc.issuing.kubeconfig import Credentials
from support.fake_api import ADMIN, FakeCluster, kubeconfig, serving
from support.throwaway import make_root

pytestmark = pytest.mark.thorough

MESH = """\
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {name: shop}
spec:
  istio: {version: 1.29.6}
  security: {ca: {type: external}}
  clusters:
    - {name: east, role: primary, kubernetesVersion: "1.34", podCIDRs: [10.1.0.0/16]}
    - {name: west, role: primary, kubernetesVersion: "1.34", podCIDRs: [10.2.0.0/16],
       controlPlane: {addresses: {istiod: 10.2.9.9}}}
    - {name: edge-1, role: remote, primary: west, kubernetesVersion: "1.34", podCIDRs: [10.3.0.0/16]}
"""


def hold(primary: FakeCluster, remote: FakeCluster, token: str = ADMIN, ca: bytes = b"") -> None:
    """A remote secret, as somebody's hands made it."""
    ca = ca or remote.authority.cert_pem
    made = Credentials(remote.name, f"https://{remote.name}.invalid:6443", ca, Hidden(token.encode()))
    data = {remote.name: base64.b64encode(made.kubeconfig(remote.name).reveal()).decode()}
    labels = {"istio/multiCluster": "true"}
    primary.put("secrets", f"of-{remote.name}", "istio-system", data=data, metadata={"labels": labels})


def test_each_primary_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "mesh.yaml").write_text(MESH)
    east, west, edge = clusters = [FakeCluster(name) for name in ("east", "west", "edge-1")]
    for cluster in clusters:
        told = {"ca.crt": cluster.authority.cert_pem.decode()}
        cluster.put("configmaps", "kube-root-ca.crt", "istio-system", data=told)
    hold(east, west)
    hold(east, edge, token="rotated")
    hold(west, east, ca=make_root("Former").cert_pem)
    with serving(*clusters):
        config = kubeconfig(tmp_path / "kubeconfig", *clusters)
        words = ["doctor", "-f", str(tmp_path / "mesh.yaml"), "--format", "json", "--kubeconfig", str(config)]
        result = CliRunner().invoke(app, words, catch_exceptions=False)
        one = CliRunner().invoke(app, [*words, "west"], catch_exceptions=False)
    rows = json.loads(result.stdout)["clusters"]
    found = {(row["cluster"], row["of"]): row["says"] for row in rows if row["check"] == "credentials"}

    assert result.exit_code == 1
    assert found["west", "east"].startswith("valid, without expiry; tested at the address in your kubeconfig")
    assert found["edge-1", "east"] == "edge-1 refuses this token"
    assert found["east", "west"] == "trust another CA than that of east"
    assert found["edge-1", "west"] == "there are none"
    assert len(found) == 4
    assert {row["cluster"] for row in json.loads(one.stdout)["clusters"]} == {"west"}


def test_a_primary_without_its_role_is_told_to_install_the_chart_that_has_it(tmp_path: Path) -> None:
    """What meshc compiles for a primary without charts in mesh.yaml has no role: Istio's chart has it."""
    (tmp_path / "mesh.yaml").write_text(MESH)
    east, west = FakeCluster("east"), FakeCluster("west")
    hold(east, west)
    west.forbidden.add(("list", "nodes"))
    with serving(east, west):
        config = kubeconfig(tmp_path / "kubeconfig", east, west)
        words = ["doctor", "-f", str(tmp_path / "mesh.yaml"), "--format", "json", "--kubeconfig", str(config)]
        result = CliRunner().invoke(app, [*words, "east", "west"], catch_exceptions=False)
    rows = {(row["cluster"], row["of"]): row for row in json.loads(result.stdout)["clusters"]}

    assert rows["west", "east"]["says"] == "the token is valid, but lacks rights: list nodes"
    assert rows["west", "east"]["hint"].startswith("install chart istiod in west, which has the account's role")
    assert "meshc values west --chart istiod" in rows["west", "east"]["hint"]
