"""Credentials of an external istiod's config cluster: another name, key and file, and no label of remote secrets."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from support.credentials import CONFIG, opened
from support.places import Place

pytestmark = pytest.mark.thorough

FILE = "sealed/control/istio-kubeconfig.yaml"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    text = (made.base / "mesh.yaml").read_text().replace("plugged-in", "external")
    text = text.replace("role: primary", "role: external-control-plane").replace("name: hub", "name: control")
    (made.base / "mesh.yaml").write_text(text)
    return made


def test_a_kubeconfig_is_sealed_and_placed(place: Place) -> None:
    said = place.meshc("secrets", "seal", "-", "--accept-recipients", stdin=yaml.safe_dump(CONFIG))
    compiled = place.meshc("compile")
    sealed = yaml.safe_load((place.base / FILE).read_text())
    rules = (place.base / ".sops.yaml").read_text()

    assert f"wrote {FILE}" in said
    assert "pending" not in compiled
    assert (place.base / "output/control/istio-kubeconfig.yaml").is_file()
    assert "labels" not in sealed["metadata"]
    assert sealed["metadata"]["name"] == "istio-kubeconfig"
    assert sealed["metadata"]["annotations"]["networking.istio.io/cluster"] == "edge-1"
    assert "istio-kubeconfig" in rules
    assert list(sealed["data"]) == ["config"]
    assert opened(place.base / FILE)["current-context"] == "edge-1"


def test_the_label_of_remote_secrets_is_refused(place: Place) -> None:
    place.meshc("secrets", "seal", "-", "--accept-recipients", stdin=yaml.safe_dump(CONFIG))
    file = place.base / FILE
    text = file.read_text()
    file.write_text(text.replace("metadata:\n", 'metadata:\n  labels:\n    istio/multiCluster: "true"\n', 1))

    assert "MESH408" in place.meshc("validate", code=3)
