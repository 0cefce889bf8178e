"""Writes dumps of clusters in the form of the script from `meshc adopt --print-dump-command`: one file for each kind,
even if it is empty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from meshc.capture.dump import word_of
from meshc.capture.kinds import KINDS
from support.processes import said
from support.running_meshes import SYSTEM, nodes, thing


def dump(folder: Path, bodies: Iterable[Mapping[str, Any]], version: str = "") -> None:
    """Writes the objects of one cluster. Secrets go into the files that the script writes for them."""
    folder.mkdir(parents=True, exist_ok=True)
    words = [*(kind.word for kind in KINDS), "cacerts", "remote-secrets"]
    found: dict[str, list[Mapping[str, Any]]] = {word: [] for word in words}
    for body in bodies:
        secret = "cacerts" if body["metadata"]["name"] == "cacerts" else "remote-secrets"
        found.setdefault(secret if body["kind"] == "Secret" else word_of(body) or "others", []).append(body)
    for word, listed in found.items():
        text = yaml.dump({"apiVersion": "v1", "kind": "List", "items": listed}, Dumper=yaml.CSafeDumper)
        (folder / f"{word}.yaml").write_text(text)
    version = version or next(n["status"]["nodeInfo"]["kubeletVersion"] for n in found["nodes"])
    (folder / "version.yaml").write_text(f"serverVersion: {{gitVersion: {version}}}\n")


def istiod(cluster_id: str = "hub", revision: str = "default", image: str = "docker.io/istio/pilot:1.30.3") -> Any:
    container = {"name": "discovery", "image": image, "env": [{"name": "CLUSTER_ID", "value": cluster_id}]}
    labels = {"app": "istiod", "istio.io/rev": revision}
    name = "istiod" if revision == "default" else f"istiod-{revision}"
    spec = {"template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}}
    return thing("Deployment", name, SYSTEM, "apps/v1", metadata={"labels": labels}, spec=spec)


def adopted(folder: Path, *bodies: Any, code: int = 0, without: str = "") -> tuple[str, Any]:
    """The output of adopt for one cluster `hub`, and the written mesh.yaml."""
    dump(folder / "dumps/hub", [*nodes("10.10.0.0/16"), *bodies])
    if without:
        (folder / "dumps/hub" / without).unlink()
    both = said("adopt", "--from", "dumps", cwd=folder, code=code)
    return both, yaml.safe_load((folder / "mesh.yaml").read_text())["spec"]
