"""What meshc renders from Istio's own charts is what helm makes by hand of the values that `meshc values` prints.

Every mesh of docs/topologies.md, at every version of Istio in the folder that MESHC_CHARTS names (see
test_charts_agree.py). The output is compared with helm's own, object by object and field by field, but for what
docs/charts.md says is done to it: written here once more, so that a rule that does more than it says is found.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.charts import CLASSIC, FOLDER, ISTIOD, PLACES, VERSIONS, has_ambient, kubernetes_for, need_charts
from support.commands import invoke
from support.paths import ROOT
from support.schemas import check, check_crd
from support.tools import find_helm, find_tool
from support.topologies import Topology, topologies

pytestmark = pytest.mark.skipif(not VERSIONS, reason="MESHC_CHARTS names no charts")

MESHES = {one.title: one for one in topologies()}
OURS = "app.kubernetes.io/managed-by"
SECURE = MESHES["Classic Istio"]._replace(title="Secure", mesh=(ROOT / "examples/classic/mesh.yaml").read_text())


@pytest.mark.parametrize("title", [title for title in MESHES if title != "Classic Istio"])
@pytest.mark.parametrize("version", ISTIOD)
def test_istiod(version: str, title: str, tmp_path: Path) -> None:
    if title.startswith("Ambient") and not has_ambient(version):
        pytest.skip("ambient between clusters began with 1.27")
    need_charts(version, "base", *(("cni", "ztunnel") if title.startswith("Ambient") else ("gateway",)))
    by_hand(MESHES[title], version, tmp_path)


@pytest.mark.parametrize("one", [MESHES["Classic Istio"], SECURE], ids=lambda one: one.title)
@pytest.mark.parametrize("version", CLASSIC)
def test_classic(version: str, one: Topology, tmp_path: Path) -> None:
    need_charts(version, "istio")
    by_hand(one, version, tmp_path)


def by_hand(one: Topology, version: str, folder: Path) -> None:
    """Compiles a mesh with charts, and holds each cluster to what helm makes of the printed values."""
    kubernetes = kubernetes_for(version)
    find_tool("kubectl")
    (folder / ".git").mkdir()
    charts = Path(FOLDER, version)
    shutil.copytree(charts, folder / "istio", ignore=shutil.ignore_patterns("testdata", "*.golden"))
    mesh = with_charts(yaml.safe_load(one.mesh), version, kubernetes)
    (folder / "mesh.yaml").write_text(yaml.safe_dump(mesh))
    said(folder, "vendor")
    said(folder, "compile")
    assert said(folder, "verify").startswith("equal to kustomize")
    for cluster in mesh["spec"]["clusters"]:
        name = cluster["name"]
        made: dict[str, Any] = {}
        for release in printed(said(folder, "values", cluster["name"])):
            made |= rendered(release, charts / PLACES[release.chart], version, kubernetes, folder)
        output = of_output(folder / "output" / name)
        beside = {key: body for key, body in output.items() if key not in made}

        assert len(made) >= (2 if cluster["role"] == "remote" else 10)
        assert [key for key in made if key not in output] == []
        assert [key for key, body in made.items() if body != output[key]] == []
        assert [key for key, body in beside.items() if not is_meshc(body)] == []
        for body in output.values():
            fits(body, version, kubernetes)


def with_charts(mesh: dict[str, Any], version: str, kubernetes: str) -> dict[str, Any]:
    """The mesh with charts for all clusters, east-west gateways where they have to be, and CAs made elsewhere."""
    spec = mesh["spec"]
    spec["istio"] |= {"version": version, "charts": {"source": "istio"}}
    spec["security"] |= {"ca": {"type": "external"}}
    spec["security"].pop("secrets", None)
    for cluster in spec["clusters"]:
        cluster["kubernetesVersion"] = kubernetes
        cluster.pop("patches", None)
    spec["services"] = [entry for entry in spec.get("services", ()) if "manifests" not in entry]
    if any(one.get("dataplane") == "ambient" for one in spec.get("namespaces", ())):
        spec["istio"]["charts"]["also"] = [{"chart": "cni"}, {"chart": "ztunnel"}]
    elif len(spec.get("networks", ())) > 1 and not version.startswith("1.0."):
        spec["istio"]["charts"]["also"] = [{"chart": "gateway"}]
    return mesh


def said(folder: Path, *words: str) -> str:
    done = invoke(*words, "-f", str(folder / "mesh.yaml"))
    assert done.exit_code == 0, done.output
    return done.stdout


@dataclass(frozen=True)
class Release:
    """A chart with the values that were printed for it."""

    chart: str
    name: str
    namespace: str
    values: str


def printed(text: str) -> Iterator[Release]:
    for document in re.split(r"(?m)^---\n", text):
        head, _, values = document.partition("\n")
        found = re.fullmatch(r"# chart (\S+), release (\S+), namespace (\S+)", head)
        assert found, head
        yield Release(found[1], found[2], found[3], values)


def rendered(release: Release, chart: Path, version: str, kubernetes: str, folder: Path) -> dict[str, Any]:
    """What helm makes of a release, by identity, as it may be committed."""
    if release.chart == "istio":  # its CRDs are hooks that no helm of today installs
        chart = Path(shutil.copytree(chart, folder / "by-hand/istio"))
        for file in (*chart.glob("templates/crds.yaml"), *chart.glob("charts/certmanager/templates/crds.yaml")):
            file.write_text(re.sub(r'(?m)^ *"?helm\.sh/hook.*\n', "", file.read_text()))
        if version in ("1.0.0", "1.0.1"):  # one of its templates is none to a helm of today
            (file,) = chart.glob("charts/telemetry-gateway/templates/gateway.yaml")
            file.write_text(re.sub(r"if \((\S+)\) or \((\S+)\)", r"if or (\1) (\2)", file.read_text()))
    (folder / "values.yaml").write_text(release.values)
    skip = ["--skip-schema-validation"] if release.chart == "gateway" and version.startswith("1.24.") else []
    words = ["template", release.name, str(chart), "-n", release.namespace, "-f", str(folder / "values.yaml")]
    command = [find_helm().program, *words, "--kube-version", kubernetes, *skip]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    bodies = flattened(yaml.load_all(done.stdout, Loader=yaml.CSafeLoader))
    kept = [as_committed(body, release, kubernetes) for body in bodies if stays(body, release.chart)]
    return {identity(body): body for body in kept}


def flattened(bodies: Iterator[Any]) -> Iterator[dict[str, Any]]:
    for body in bodies:
        if body:
            yield from flattened(iter(body["items"])) if body["kind"] == "List" else (body,)


def stays(body: dict[str, Any], chart: str) -> bool:
    """Hooks go, and the policies of classic Istio that meshc writes itself or that nobody reads."""
    hook = "helm.sh/hook" in (body["metadata"].get("annotations") or {})
    policy = chart == "istio-remote" and body["kind"] in ("MeshPolicy", "DestinationRule")
    job = body["metadata"]["name"].startswith(("istio-security-custom-resources", "istio-security-post-install"))
    return not (hook or policy or (chart in ("istio", "istio-remote") and job))


NOT_IN_A_NAMESPACE = re.compile("Cluster.*|Custom.*|Mutating.*|Validating.*")
NEWER = {"extensions/v1beta1": "apps/v1", "rbac.authorization.k8s.io/v1beta1": "rbac.authorization.k8s.io/v1"}


def as_committed(body: dict[str, Any], release: Release, kubernetes: str) -> dict[str, Any]:
    """Namespaces, API versions that still are, no empty caBundle or annotations. All else is what helm printed."""
    body = json.loads(json.dumps(body))  # no parts that are shared
    metadata = {key: value for key, value in body["metadata"].items() if value or key != "annotations"}
    body["metadata"] = metadata
    if NOT_IN_A_NAMESPACE.fullmatch(body["kind"]):
        metadata.pop("namespace", None)
    else:
        metadata.setdefault("namespace", release.namespace)
    if body["kind"] in ("Deployment", "DaemonSet", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"):
        body["apiVersion"] = NEWER.get(body["apiVersion"], body["apiVersion"])
    if body["kind"] == "Deployment":
        body["spec"].setdefault("selector", {"matchLabels": body["spec"]["template"]["metadata"]["labels"]})
    if body["kind"] == "HorizontalPodAutoscaler":
        body["spec"]["scaleTargetRef"]["apiVersion"] = "apps/v1"
    for webhook in body.get("webhooks", ()) if kubernetes != "1.12" else ():
        if webhook["clientConfig"].get("caBundle") == "":
            del webhook["clientConfig"]["caBundle"]
    return body


def of_output(folder: Path) -> dict[str, Any]:
    files = [path for path in folder.glob("*.yaml") if path.name != "kustomization.yaml"]
    bodies = [body for path in files for body in yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader)]
    return {identity(body): body for body in bodies}


def identity(body: dict[str, Any]) -> str:
    metadata = body["metadata"]
    return f"{body['kind']} {metadata.get('namespace', '')}/{metadata['name']}"


def is_meshc(body: dict[str, Any]) -> bool:
    """Whether meshc's own components made an object, beside the charts."""
    labelled = (body["metadata"].get("labels") or {}).get(OURS) == "meshc"
    return labelled or body["kind"] in ("Namespace", "PeerAuthentication", "MeshPolicy", "DestinationRule")


def fits(body: dict[str, Any], version: str, kubernetes: str) -> None:
    """The object is one that the API server takes: by Kubernetes' schemas, and by the CRDs of this very chart."""
    group = body["apiVersion"].rpartition("/")[0]
    if version.startswith("1.0."):
        if not group.endswith("istio.io") and group != "apiextensions.k8s.io":  # its CRDs have no schemas
            check(body, kubernetes)
    elif group.endswith("istio.io"):
        check_crd(body, crds(version))
    elif body["kind"] != "CustomResourceDefinition":
        check(body, kubernetes)


@cache
def crds(version: str) -> Path:
    (found,) = Path(FOLDER, version, PLACES["base"]).rglob("crd-all.gen.yaml")
    return found
