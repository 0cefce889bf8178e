"""Which context is whose: what is told goes before what is kept, a name before an address; two are a question."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from meshc.capture.contexts import contexts, kept
from meshc.cli.main import app
from meshc.errors import UsageError
from meshc.mesh.source import load
from meshc.pipeline import plan_mesh
from meshc.plan.ir import ClusterPlan
from support.fake_api import FakeCluster, kubeconfig, serving
from support.places import MESH, SOPS

SERVERS = {"hub": "https://10.0.0.1:6443", "gke_shop_edge": "https://10.1.0.10:6443/", "other": "https://10.9.0.1"}


@pytest.fixture(scope="module")
def clusters() -> tuple[ClusterPlan, ...]:
    text = MESH.format(secrets=SOPS, version="1.29.6", kubernetes="1.34", address="istiod")
    text = text.replace("{name: edge-1,", "{name: edge-1, apiServer: 'https://10.1.0.10:6443',")
    return plan_mesh(load(text.encode(), "mesh.yaml")).clusters


def test_a_context_is_found_by_name_or_by_server(clusters: tuple[ClusterPlan, ...]) -> None:
    assert contexts(clusters, {}, {}, SERVERS) == {"hub": "hub", "edge-1": "gke_shop_edge"}
    assert contexts(clusters, {}, {"edge-1": "mine", "hub": "h"}, SERVERS) == {"hub": "h", "edge-1": "mine"}
    assert contexts(clusters, {"edge-1": "told"}, {"edge-1": "mine"}, SERVERS)["edge-1"] == "told"
    assert contexts(clusters, {}, {}, {}) == {"hub": "hub", "edge-1": "edge-1"}


def test_two_users_of_a_server_are_told(clusters: tuple[ClusterPlan, ...]) -> None:
    servers = {**SERVERS, "admin@edge": "https://10.1.0.10:6443"}

    with pytest.raises(
        UsageError, match="2 contexts have the server of edge-1: gke_shop_edge, admin@edge\n  hint: --context edge"
    ):
        contexts(clusters, {}, {}, servers)
    assert contexts(clusters, {}, {"edge-1": "admin@edge"}, servers)["edge-1"] == "admin@edge"


@pytest.mark.parametrize("text", ["- hub", "shop: 3", "shop: {hub: {a: b}}", "shop: {hub: 3}", "shop: [", "hub"])
def test_a_file_that_is_no_mapping_is_told(text: str) -> None:
    with pytest.raises(UsageError, match=r"contexts\.yaml"):
        kept(text.encode(), "shop", ["hub"])


def test_the_file_is_a_persons_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of thirty clusters none is named on the command line, and what Git brings along isn't believed."""
    fleet = [FakeCluster(f"gke_shop_{number}") for number in range(3)]
    text = MESH.format(secrets=SOPS, version="1.29.6", kubernetes="1.34", address="istiod")
    text += '    - {name: edge-2, role: remote, kubernetesVersion: "1.34", podCIDRs: [10.12.0.0/16]}\n'
    (tmp_path / "mesh.yaml").write_text(text)
    names = {"hub": "gke_shop_0", "edge-1": "gke_shop_1", "edge-2": "gke_shop_2", "gone": "nowhere"}
    settings = tmp_path / "settings"
    (settings / "meshc").mkdir(parents=True)
    (settings / "meshc/contexts.yaml").write_text(yaml.safe_dump({"shop": names, "other": {"hub": "nowhere"}}))
    (tmp_path / "mesh").mkdir()
    (tmp_path / "mesh.yaml").rename(tmp_path / "mesh/mesh.yaml")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(settings))
    monkeypatch.chdir(tmp_path / "mesh")
    with serving(*fleet):
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "kubeconfig", *fleet)))
        rows = json.loads(CliRunner().invoke(app, ["doctor", "--format", "json"]).stdout)["clusters"]

    assert {row["cluster"] for row in rows if row["check"] == "api-server" and row["state"] == "ok"} == names.keys() - {
        "gone"
    }

    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)  # the home folder of a CI may lie in the checkout
    refused = CliRunner().invoke(app, ["doctor"])

    assert refused.exit_code == 5
    assert 'contexts.yaml" is in the repository, where a branch can write it' in refused.stderr
