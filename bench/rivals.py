"""Makes the objects with the programs that meshc is compared with: kustomize, a chart with a loop, plain writes.
Compares the objects."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import yaml

from measuring import program
from peers import made_by

KUSTOMIZE = [str(program("kubectl", "MESHC_KUBECTL")), "kustomize"]
HELM = [program("helm", "MESHC_HELM") or ""]
_PARSED = 8
"""The number of clusters whose objects are compared as data, if the style differs. It is small, because parsing takes
long."""
_TEMPLATE = """\
{{- range .Values.services }}
---
apiVersion: v1
kind: Service
metadata:
  labels: {app.kubernetes.io/managed-by: meshc}
  name: {{ .name }}
  namespace: {{ .namespace }}
spec:
  type: {{ .type }}
  ports:
  {{- range .ports }}
  - name: {{ .name }}
    port: {{ .port }}
    protocol: {{ .protocol }}
    {{- with .appProtocol }}
    appProtocol: {{ . }}
    {{- end }}
  {{- end }}
{{- end }}
{{- range .Values.objects }}
---
{{ toYaml . }}
{{- end }}
"""
_WRITER = """\
import os, pickle, sys
with open("bytes.pickle", "rb") as file:
    files = pickle.load(file)
top = f"written-{os.getpid()}"
for folder in dict.fromkeys(os.path.dirname(path) for path in files):
    os.makedirs(f"{top}/{folder}", exist_ok=True)
for path, data in files.items():
    with open(f"{top}/{path}", "xb") as file:
        file.write(data)
        if "--sync" in sys.argv:
            file.flush()
            os.fsync(file.fileno())
"""


def prepare_chart(folder: Path, rivals: Path) -> None:
    """Writes a chart, and values for each cluster: its services for a loop, its few other objects unchanged."""
    (rivals / "chart/templates").mkdir(parents=True)
    (rivals / "chart/Chart.yaml").write_text("apiVersion: v2\nname: mesh\nversion: 1.0.0\n")
    (rivals / "chart/templates/all.yaml").write_text(_TEMPLATE)
    parsed: dict[bytes, list[Any]] = {}  # many clusters have equal files
    for cluster in _clusters(folder):
        bodies: list[Any] = []
        for path in _manifests(cluster):
            data = path.read_bytes()
            if data not in parsed:
                parsed[data] = list(yaml.load_all(data, yaml.CSafeLoader))
            bodies += parsed[data]
        copied = [body for body in bodies if body["kind"] == "Service" and _looped(body)]
        loops = [{**body["metadata"], **body["spec"]} for body in copied]
        values = {"services": loops, "objects": [body for body in bodies if body not in copied]}
        (rivals / f"{cluster.name}.values.json").write_text(json.dumps(values))


def _looped(service: Any) -> bool:
    metadata, spec = set(service["metadata"]), set(service["spec"])
    return metadata <= {"name", "namespace", "labels"} and spec == {"type", "ports"}


def prepare_writes(folder: Path, rivals: Path) -> None:
    """Writes a script that only writes both trees."""
    trees = [path for tree in ("overlays", "output") for path in (folder / tree).rglob("*") if path.is_file()]
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in trees}
    (rivals / "bytes.pickle").write_bytes(pickle.dumps(files))
    (rivals / "write.py").write_text(_WRITER)


def refuse_differences(folder: Path, rivals: Path) -> None:
    """Ends with an error unless all programs made the same objects: kustomize's are compared as text in all clusters,
    the others as data."""
    refuse_other_objects(folder, rivals)
    clusters = _clusters(folder)
    for cluster in clusters[:: max(1, len(clusters) // _PARSED)]:
        ours = _objects("\n---\n".join(path.read_text() for path in _manifests(cluster)))
        by_helm = {"helm": (rivals / f"{cluster.name}.helm").read_text()} if HELM[0] else {}
        for name, theirs in {**by_helm, **made_by(rivals, cluster.name)}.items():
            if ours != _objects(theirs):
                sys.exit(f"{cluster.name}: {name} makes other objects")


def refuse_other_objects(folder: Path, rivals: Path) -> None:
    """Ends with an error unless kustomize made the same objects for every cluster, compared as text."""
    for cluster in _clusters(folder):
        ours = sorted(text for path in _manifests(cluster) for text in _documents(path.read_text().partition("\n")[2]))
        if ours != sorted(_documents((rivals / f"{cluster.name}.kustomize").read_text())):
            sys.exit(f"{cluster.name}: kustomize builds other objects")


def _clusters(folder: Path) -> list[Path]:
    return [path for path in sorted((folder / "output").iterdir()) if path.is_dir() and path.name[0] != "_"]


def _manifests(cluster: Path) -> list[Path]:
    return [path for path in sorted(cluster.iterdir()) if path.name != "kustomization.yaml"]


def _documents(text: str) -> list[str]:
    return [document.rstrip("\n") for document in text.split("\n---\n")]


def _objects(text: str) -> list[str]:
    return sorted(json.dumps(body, sort_keys=True) for body in yaml.load_all(text, yaml.CSafeLoader) if body)
