"""Dumps of clusters as the script of `meshc adopt --print-dump-command` leaves them: a file a kind, if empty too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from meshc.capture.dump import word_of
from meshc.capture.kinds import KINDS


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
