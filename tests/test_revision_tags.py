"""The objects of revision tags are those of Istio's own chart, and what each control plane gets is told apart.

MESHC_CHARTS names a folder of Istio releases; without one the comparison with the charts skips.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from meshc.commands.opened import Opened
from meshc.components import revision_tags
from meshc.kube import Version
from meshc.pipeline import plan_mesh
from meshc.plan.values import values_of
from meshc.yamltext.read import read
from support.charts import FOLDER, ISTIOD, PLACES, kubernetes_for, need_charts
from support.tools import find_helm

MESH = """
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {{name: small}}
spec:
  istio: {{version: {version}, namespace: {namespace}, revision: {revision}, revisionTags: {{prod: {revision}{tags}}}}}
  security: {{ca: {{type: self-signed}}}}
  networks: [{{name: corp}}]
  clusters:
    - name: hub
      role: primary
      kubernetesVersion: "{kubernetes}"
      controlPlane: {{exposure: load-balancer, addresses: {{istiod: 10.0.5.20}}{url}}}
    - {{name: edge, role: remote, kubernetesVersion: "{kubernetes}"}}
"""
OURS = ("app.kubernetes.io/", "operator.istio.io/", "install.operator.istio.io/", "helm.sh/", "release")
"""Labels that say who installed an object."""


@pytest.mark.parametrize(
    ("namespace", "revision", "tags", "url"),
    [
        ("istio-system", "default", "", ""),
        ("istio-system", "stable", ", default: stable", ""),
        ("mesh-control", "stable", ", default: stable", ", injectionURL: 'https://istiod.example.com:15017'"),
    ],
)
@pytest.mark.parametrize("name", ["hub", "edge"])
@pytest.mark.parametrize("version", ISTIOD)
def test_as_the_chart_makes_them(
    version: str, name: str, namespace: str, revision: str, tags: str, url: str, tmp_path: Path
) -> None:
    need_charts(version, "istiod")
    kubernetes = kubernetes_for(version)
    said = {"namespace": namespace, "revision": revision, "tags": tags, "url": url}
    (tmp_path / ".git").mkdir()
    (tmp_path / "mesh.yaml").write_text(MESH.format(version=version, kubernetes=kubernetes, **said))
    plan = plan_mesh(Opened(tmp_path / "mesh.yaml").source)
    cluster = plan.cluster(name)
    release = "istiod" if revision == "default" else f"istiod-{revision}"
    values = {**values_of(plan, cluster, "istiod", release, {}), "revisionTags": list(cluster.revision_tags)}
    folder = Path(FOLDER, version, PLACES["istiod"])
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    text = find_helm().template(files, values, release, namespace, Version.parse(kubernetes) or Version(1, 34))
    made = [document.data for document in read(text, "chart")[0] if "istio.io/tag" in _labels(document.data)]

    ours = [_seen(body) for body in revision_tags.lower(plan, cluster)]

    theirs = [_seen(body) for body in made if name == "hub" or body["kind"] != "Service"]
    assert ours
    assert sorted(ours) == sorted(theirs)


def _labels(body: Any) -> dict[str, str]:
    return (body or {}).get("metadata", {}).get("labels") or {}


def _seen(body: Any) -> str:
    """An object as text, without the marks of who installed it and without what is the default anyway."""
    labels = {key: value for key, value in _labels(body).items() if not key.startswith(OURS)}
    metadata = {**body["metadata"], "labels": labels}
    if body["kind"] != "Service":
        metadata.pop("namespace", None)
    return yaml.dump({**_plain(body), "metadata": _plain(metadata)})


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
