"""Credentials of many clusters in one Secret that istiod mounts: captured, added to, taken out, looked at."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from meshc.cli.main import app
from support.credentials import READER, TOKEN
from support.fake_api import FakeCluster, kubeconfig, serving
from support.places import IDENTITY, RECIPIENT
from support.sealing import sops
from support.throwaway import make_root
from support.unsealing import unseal

pytestmark = pytest.mark.thorough

FILE, NAME = "sealed/hub/remote-kubeconfigs.yaml", "istio-remote-kubeconfigs"
MESH = """\
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {name: shop}
spec:
  istio: {version: 1.30.4, remoteSecrets: mounted}
  security: {ca: {type: external}, secrets: SECRETS}
  acknowledge: [{code: MESH229, reason: a test}]
  clusters:
    - {name: hub, role: primary, kubernetesVersion: "1.34", podCIDRs: [10.1.0.0/16],
       controlPlane: {addresses: {istiod: 10.0.5.20}}}
"""
SEALED = "{backend: sealed-secrets}"
STORED = "{backend: external-secrets, store: {name: vault}}"


class Ground:
    """A mesh of hub and some remotes, whose API servers are fake ones."""

    def __init__(self, folder: Path, secrets: str, *names: str) -> None:
        self.folder, self.file = folder, folder / FILE
        self.clusters = {name: FakeCluster(name) for name in ("hub", *names)}
        (folder / "mesh.yaml").write_text(MESH.replace("SECRETS", secrets).replace("  acknowledge", "  # acknowledge"))
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        number = len((self.folder / "mesh.yaml").read_text().splitlines())
        line = f"    - {{name: {name}, role: remote, clusterID: id.of.{name}, kubernetesVersion: '1.34', "
        line += f"podCIDRs: [10.{number}.0.0/16], apiServer: 'https://10.9.0.{number}:6443'}}\n"
        with (self.folder / "mesh.yaml").open("a") as mesh:
            mesh.write(line)
        cluster = self.clusters.setdefault(name, FakeCluster(name))
        cluster.account(READER)
        cluster.token_secret(TOKEN, READER)
        cluster.put("configmaps", "kube-root-ca.crt", "istio-system", data={"ca.crt": _pem(cluster)})

    def remove(self, name: str) -> None:
        lines = (self.folder / "mesh.yaml").read_text().splitlines(keepends=True)
        (self.folder / "mesh.yaml").write_text("".join(line for line in lines if f"name: {name}," not in line))

    def meshc(self, *words: str, code: int = 0) -> str:
        config = kubeconfig(self.folder / "kubeconfig", *self.clusters.values())
        living = ["--kubeconfig", str(config), "--timeout", "5"] if words[0] in ("capture", "doctor") else []
        done: Result = CliRunner().invoke(app, [*words, *living, "-f", str(self.folder / "mesh.yaml")])
        assert done.exit_code == code, done.output
        return done.output

    def opened(self, file: Path | None = None) -> dict[str, Any]:
        """The kubeconfigs by key, in their order, as real sops opens them."""
        environment = {"SOPS_AGE_KEY": str(IDENTITY), "HOME": "/nonexistent", "SOPS_DISABLE_VERSION_CHECK": "1"}
        words = [str(sops()), "--config", "/dev/null", "-d", str(file or self.file)]
        done = subprocess.run(words, env=environment, capture_output=True, check=True)
        data = yaml.safe_load(done.stdout)["data"]
        return {key: yaml.safe_load(base64.b64decode(value)) for key, value in data.items()}


def _pem(cluster: FakeCluster) -> str:
    return cluster.authority.cert_pem.decode()


@contextmanager
def ground(folder: Path, secrets: str, *names: str) -> Iterator[Ground]:
    made = Ground(folder, secrets, *names)
    with serving(*made.clusters.values()):
        yield made


BY_SOPS = f"{{recipients: [{RECIPIENT}]}}"


def test_sops_takes_all_at_once_and_compiles(tmp_path: Path) -> None:
    with ground(tmp_path, BY_SOPS, "edge-10", "edge-2") as here:
        said = here.meshc("capture", "credentials", "--all")
        again = here.meshc("capture", "credentials", "--all")
        here.meshc("compile")
        inside, applied = here.opened(), here.opened(tmp_path / "output/hub/remote-kubeconfigs.yaml")

    assert "edge-10  sealed  token of Secret" in said
    assert "2 clusters: 2 up to date" in again
    assert [*inside] == ["id.of.edge-2.yaml", "id.of.edge-10.yaml"], "kustomize's order of keys, which a MAC covers"
    assert applied == inside
    for key, config in inside.items():
        assert [one["name"] for one in config["clusters"]] == [key.removesuffix(".yaml")], "istiod takes it for the ID"
        assert config["current-context"] == config["contexts"][0]["name"]
    assert not list((tmp_path / "sealed/hub").glob("remote-secret-*"))


def test_a_cluster_more_needs_all_of_them_or_a_key(tmp_path: Path) -> None:
    with ground(tmp_path, BY_SOPS, "edge-1", "edge-2", "edge-3") as here:
        here.remove("edge-3")
        here.meshc("capture", "credentials", "--all")
        before = here.file.read_bytes()
        here.add("edge-3")
        refused = here.meshc("capture", "credentials", "edge-3", code=2)
        assert "holds the credentials of edge-1, edge-2 as well" in refused
        assert "--identity FILE" in refused
        assert "pending    edge-3: waiting for credentials in hub" in here.meshc("compile")
        assert here.file.read_bytes() == before

        here.meshc("capture", "credentials", "--all")
        assert len(here.opened()) == 3

        here.file.write_bytes(before)
        (tmp_path / "key").write_text(f"{IDENTITY}\n")
        here.meshc("capture", "credentials", "edge-3", "--identity", str(tmp_path / "key"))
        assert len(here.opened()) == 3

        here.remove("edge-1")
        said = here.meshc("compile", code=3)
        assert 'key "id.of.edge-1.yaml" isn\'t the key of a cluster that hub watches' in said
        here.meshc("capture", "credentials", "--all", "--replace")
        assert [*here.opened()] == ["id.of.edge-2.yaml", "id.of.edge-3.yaml"]


def test_one_that_is_not_reached_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    with ground(tmp_path, BY_SOPS, "edge-1", "edge-2") as here:
        here.meshc("capture", "credentials", "--all")
        before = here.file.read_bytes()
        here.clusters["edge-2"].forbidden.add(("list", "secrets"))
        said = here.meshc("capture", "credentials", "--all", "--replace", code=2)

    assert "holds the credentials of edge-2 as well" in said
    assert here.file.read_bytes() == before


def test_a_sealed_secret_keeps_what_stays_in_it(tmp_path: Path) -> None:
    controller = make_root("sealed-secrets", key="RSA-2048", ca=False)
    (tmp_path / "certificates/hub").mkdir(parents=True)
    (tmp_path / "certificates/hub/sealing-cert.pem").write_bytes(controller.cert_pem)
    with ground(tmp_path, SEALED, "edge-1", "edge-2") as here:
        here.meshc("capture", "credentials", "edge-1")
        first = yaml.safe_load(here.file.read_text())
        here.meshc("capture", "credentials", "edge-2")
        both = yaml.safe_load(here.file.read_text())
        here.meshc("compile")

    kept, now = (one["spec"]["encryptedData"] for one in (first, both))
    assert now["id.of.edge-1.yaml"] == kept["id.of.edge-1.yaml"]
    opened = unseal(both, controller.key)["data"]  # type: ignore[arg-type]
    assert [*opened] == ["id.of.edge-1.yaml", "id.of.edge-2.yaml"]
    assert {*json.loads(both["metadata"]["annotations"]["meshc/remotes"])} == {*opened}


def test_a_store_is_referred_to_by_a_property_for_each(tmp_path: Path) -> None:
    with ground(tmp_path, STORED, "edge-1", "edge-2") as here:
        for name in ("edge-1", "edge-2"):
            said = here.meshc("capture", "credentials", name, "--to-command", "true {key} {property}")
            assert f"put into the store: shop/hub/{NAME}, property id.of.{name}.yaml" in said
        here.meshc("compile")
        sealed = yaml.safe_load(here.file.read_text())

    assert [one["secretKey"] for one in sealed["spec"]["data"]] == ["id.of.edge-1.yaml", "id.of.edge-2.yaml"]
    assert {one["remoteRef"]["key"] for one in sealed["spec"]["data"]} == {f"shop/hub/{NAME}"}


def test_doctor_tries_each_key_and_a_rotation_ends(tmp_path: Path) -> None:
    with ground(tmp_path, BY_SOPS, "edge-1", "edge-2") as here:
        assert "there are none" in here.meshc("doctor", "edge-1", "hub", code=1)
        here.meshc("capture", "credentials", "--all")
        assert "sealed, but not in the cluster yet" in here.meshc("doctor", "edge-1", "hub", code=1)
        _sync(here)
        assert here.meshc("doctor").count("valid, without expiry") == 2

        here.meshc("capture", "credentials", "--all", "--rotate", "--yes")
        assert "doesn't use the credentials of edge-1 that are sealed" in here.meshc(
            "capture", "credentials", "edge-1", "--prune-tokens", "--yes", code=4
        )
        _sync(here)
        said = here.meshc("capture", "credentials", "edge-1", "--prune-tokens", "--yes")
        assert f"Secret istio-system/{TOKEN}" in said


def _sync(here: Ground) -> None:
    """What Flux makes of the sealed Secret in hub."""
    sealed = yaml.safe_load(here.file.read_text())
    data = {key: base64.b64encode(json.dumps(one).encode()).decode() for key, one in here.opened().items()}
    metadata = {"annotations": sealed["metadata"]["annotations"]}
    here.clusters["hub"].put("secrets", NAME, "istio-system", data=data, metadata=metadata)


def test_each_cluster_of_a_choice_is_by_itself(tmp_path: Path) -> None:
    with ground(tmp_path, BY_SOPS, "edge-1", "edge-2", "edge-3") as here:
        mesh = tmp_path / "mesh.yaml"
        mesh.write_text(mesh.read_text().replace(", remoteSecrets: mounted", ""))
        here.meshc("capture", "credentials", "edge-1")
        here.clusters["edge-2"].forbidden.add(("list", "secrets"))
        here.meshc("capture", "credentials", "edge-2", "edge-3", code=4)
        assert not (tmp_path / "sealed/hub/remote-secret-edge-3.yaml").exists(), "of those that are named all or none"
        lines = here.meshc("capture", "credentials", "edge-*", code=4).splitlines()

    assert "wrote sealed/hub/remote-secret-edge-3.yaml" in lines
    states = {line.split()[0]: line for line in lines if line.startswith("edge-")}
    assert "up to date  sealed already" in states["edge-1"]
    assert "failed" in states["edge-2"]
    assert "sealed  " in states["edge-3"]
    assert "3 clusters: 1 sealed, 1 up to date, 1 failed" in lines
