"""CAs of clusters that have left the mesh stay visible for as long as they are trusted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from support.places import Place

pytestmark = pytest.mark.thorough

EDGE = '    - {name: edge-1, role: remote, kubernetesVersion: "1.34", podCIDRs: [10.11.0.0/16]}\n'


class Left(Place):
    """A mesh of two clusters with a CA each; the CA of one was renewed, and then the cluster left."""

    def __init__(self, folder: Path, days: int = 730) -> None:
        super().__init__(folder)
        self.key = self.root()
        issue = ("ca", "issue", "edge-1", "--root-key", str(self.key), "--days", str(days), "--renew-before", "0")
        self.meshc("ca", "issue", "hub", "--root-key", str(self.key))
        self.meshc(*issue)
        self.commit()
        self.meshc(*issue, "--force")
        self.commit()

    def leave(self) -> None:
        mesh = self.base / "mesh.yaml"
        mesh.write_text(mesh.read_text().replace(EDGE, ""))
        shutil.rmtree(self.base / "certificates/edge-1")
        shutil.rmtree(self.base / "sealed/edge-1")
        self.meshc("compile")
        self.commit()

    def gone(self, command: str = "ca status") -> Any:
        return json.loads(self.meshc(*command.split(), "--format", "json"))["departed"]


def test_both_cas_are_told_until_the_root_goes(tmp_path: Path) -> None:
    place = Left(tmp_path)
    assert place.gone() == []
    place.leave()

    assert [(row["name"], row["state"], row["expiring"]) for row in place.gone()] == [
        ("edge-1", "left the mesh", False)
    ] * 2
    assert place.gone() == place.gone("next")
    assert place.meshc("ca", "status").count("trusted until 20") == 2
    assert place.meshc("next").count("edge-1 has left the mesh, and its CA ") == 2
    place.meshc("ca", "status", "--fail-on", "expiring")

    new = place.keys / "new.pem"
    place.meshc("ca", "init", "--key-out", str(place.keys / "new.key"), "--certificate", str(new))
    for words in (["--new-root", str(new)], ["--root-key", str(place.keys / "new.key")], []):
        assert len(place.gone()) == 2
        place.meshc("ca", "rotate-root", "--workloads-restarted", *words)
        place.meshc("compile")
        place.commit()
    assert place.gone() == []


def test_one_that_was_merged_and_one_that_lies_there_are_told(tmp_path: Path) -> None:
    place = Left(tmp_path)
    mesh = place.base / "mesh.yaml"
    mesh.write_text(mesh.read_text().replace(EDGE, ""))
    assert len(place.gone()) == 2

    place.git("checkout", "-qb", "side", "HEAD~1")
    place.leave()
    place.git("checkout", "-q", "-f", "-")
    place.git("merge", "-q", "-s", "ours", "-m", "merged", "side")
    mesh.write_text(mesh.read_text().replace(EDGE, ""))

    assert len(place.gone()) == 2


def test_a_cluster_that_was_renamed_has_not_left(tmp_path: Path) -> None:
    place = Left(tmp_path)
    mesh = place.base / "mesh.yaml"
    mesh.write_text(mesh.read_text().replace("name: edge-1", "name: edge-2"))
    for folder in ("certificates", "sealed"):
        (place.base / folder / "edge-1").rename(place.base / folder / "edge-2")
    place.commit()

    assert len(place.gone()) == 1  # the CA before it was renewed


def test_what_has_ended_and_what_is_no_ca_of_the_mesh_is_not_told(tmp_path: Path) -> None:
    place = Left(tmp_path)
    (tmp_path / "other").mkdir()
    other = Place(tmp_path / "other")
    other.meshc("ca", "issue", "--root-key", str(other.root()))
    for name, data in {
        "junk": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "empty": b"",
        "large": b"-" * 100_000,
        "foreign": (other.base / "certificates/hub/ca-cert.pem").read_bytes(),
    }.items():
        (place.base / "certificates" / name).mkdir()
        (place.base / "certificates" / name / "ca-cert.pem").write_bytes(data)
        (place.base / "certificates" / name / "cert-chain.pem").write_bytes(data)
    (place.base / "certificates/edge-1/cert-chain.pem").write_bytes(b"no chain")
    place.commit()
    place.git("rm", "-q", "-r", "certificates/edge-1", "certificates/junk", "certificates/empty", "certificates/large")
    place.git("rm", "-q", "-r", "certificates/foreign")
    mesh = place.base / "mesh.yaml"
    mesh.write_text(mesh.read_text().replace(EDGE, ""))

    assert {row["name"] for row in place.gone()} == {"edge-1"}


def test_without_git_nothing_is_told(tmp_path: Path) -> None:
    place = Left(tmp_path)
    place.leave()
    shutil.rmtree(place.base / ".git")

    assert place.gone() == []
