"""The built-in remote component and Istio's own charts make the same objects, but for the differences written here.

MESHC_CHARTS names a folder of Istio releases or checkouts, one a version (<version>/manifests/charts/...,
<version>/install/kubernetes/helm/...); every version there is held to it. Without one these tests skip.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshc.charts.helm import Helm
from meshc.charts.vendor import vendor
from meshc.commands.listener import Silent
from meshc.commands.opened import Opened
from meshc.pipeline import compile_mesh, fleet_of
from support.charts import CLASSIC, FOLDER, ISTIOD, VERSIONS, kubernetes_for, need_charts
from support.injected_pods import PODS, render
from support.tools import find_helm

pytestmark = pytest.mark.skipif(not VERSIONS, reason="MESHC_CHARTS names no charts")

MESH = """
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {{name: small}}
spec:
  istio: {{version: {version}{istio}}}
  security: {{mutualTLS: {mtls}, ca: {{type: {ca}}}{security}}}
  networks: [{{name: corp}}]
  clusters:
    - name: hub
      role: {role}
      kubernetesVersion: "{kubernetes}"
      podCIDRs: [10.10.0.0/16]
      serviceCIDRs: [10.110.0.0/16]
      controlPlane: {control_plane}
    - name: edge
      role: remote
      kubernetesVersion: "{kubernetes}"
      podCIDRs: [10.11.0.0/16]
      serviceCIDRs: [10.111.0.0/16]{edge}
"""
"""What both sides are compiled from."""


@dataclass(frozen=True)
class Scenario:
    """One way to set a mesh up."""

    control_plane: str
    istio: str = ""
    security: str = ""
    edge: str = ""
    mtls: str = "disabled"
    ca: str = "self-signed"
    role: str = "primary"


ON_ISTIOD = {
    "by address": Scenario("{addresses: {istiod: 10.0.5.20}}"),
    "by host name": Scenario("{addresses: {istiod: istiod.example.com}, injectionURL: 'https://i.example.com:15017'}"),
    "at a revision": Scenario("{addresses: {istiod: 10.0.5.20}}", ", revision: canary"),
    "beside a further control plane": Scenario(
        "{addresses: {istiod: 10.0.5.20, istiod-next: 10.0.5.21}}", ", controlPlanes: [{revision: next}]"
    ),
    "in another namespace": Scenario("{addresses: {istiod: 10.0.5.20}}", ", namespace: mesh-control"),
    "with manual injection": Scenario("{addresses: {istiod: 10.0.5.20}}", edge="\n      sidecarInjection: manual"),
    "of an external control plane": Scenario("{addresses: {istiod: 10.0.5.20}}", role="external-control-plane"),
    "of one behind an HTTPS gateway": Scenario(
        "{exposure: gateway, https: {secret: x}, addresses: {istiod: i.example.com},"
        " injectionURL: 'https://i.example.com:15017'}",
        role="external-control-plane",
    ),
    "of one by host name, at a revision": Scenario(
        "{addresses: {istiod: istiod.example.com}, injectionURL: 'https://i.example.com:15017'}",
        ", revision: canary",
        role="external-control-plane",
    ),
}
ADDRESSES = "{pilot: 10.0.5.20, policy: 10.0.5.21, telemetry: 10.0.5.22, zipkin: 10.0.5.23}"
PLAIN = ", controlPlaneTLS: false"
ON_CLASSIC = {
    "with four addresses": Scenario(f"{{addresses: {ADDRESSES}}}", security=PLAIN),
    "with pilot alone": Scenario("{addresses: {pilot: 10.0.5.20}}", security=PLAIN),
    "with manual injection": Scenario(
        f"{{addresses: {ADDRESSES}}}", security=PLAIN, edge="\n      sidecarInjection: manual"
    ),
    "secure": Scenario(f"{{addresses: {ADDRESSES}}}", mtls="strict", ca="external"),
    "from a registry of one's own": Scenario(
        f"{{addresses: {ADDRESSES}}}", ", images: {hub: r.example.com/i, tag: x, pullSecrets: [r]}", PLAIN
    ),
    "in another namespace": Scenario(f"{{addresses: {ADDRESSES}}}", ", namespace: mesh-control", PLAIN),
}


@dataclass(frozen=True)
class Difference:
    """Where the two may differ (an expression over `Kind name path`), and why."""

    where: str
    why: str
    shown_by: str = ""
    """The versions that show the difference, as an expression. Without it, some version of each generation does."""


INSTALLER = r"(app\.kubernetes\.io/\S+|helm\.sh/chart|chart|heritage|release|(install\.)?operator\.istio\.io/\S+)"
SINCE_1_24, SINCE_1_26, SINCE_1_28 = (rf"1\.(2[{first}-9]|[3-9]\d)\." for first in (4, 6, 8))
DIFFERENCES = (
    Difference(rf"\S+ \S+ \.metadata\.labels\.{INSTALLER}:", "labels that say who installed an object"),
    Difference(
        r"(?!MutatingWebhookConfiguration|ConfigMap istio )\S+ \S+ \.metadata\.labels\.(app|istio|istio\.io/rev):",
        "labels of an object that nothing selects by; those of pods are compared",
    ),
    Difference(
        r"EndpointSlice \S+ \.metadata\.labels\.endpointslice\.kubernetes\.io/managed-by:", "who made it", SINCE_1_28
    ),
    Difference(
        r"(Service|Endpoints) \S+ \.\S+\[\d\]\.protocol: 'TCP' built in, None", "TCP is Kubernetes' own default"
    ),
    Difference(
        r"CustomResourceDefinition \S+ only by the chart", "a remote's configuration is its primary's", SINCE_1_24
    ),
    Difference(
        r"ValidatingWebhookConfiguration istiod?-default-validator only by the chart",
        "base checks Istio's configuration; what lies in a remote isn't read",
        SINCE_1_24,
    ),
    Difference(
        r"ConfigMap istio \.data\.mesh\.policyCheckFailOpen: False",
        "the default, which 1.0.2 doesn't write",
        r"1\.0\.2$",
    ),
    Difference(r"Service istiod only by the chart", "of 1.24, without an address: it leads nowhere", r"1\.24\."),
    Difference(r"ConfigMap values\S* only by the chart", "it records what the release was installed with", SINCE_1_26),
    Difference(
        r"ConfigMap istio-sidecar-injector \.data\.config\.template:", "judged by the pods it makes, below", r"1\.0\."
    ),
)


def overlay(tmp_path: Path, text: str, helm: Helm, charts: str = "") -> list[bytes]:
    """The files of objects in the remote's overlay."""
    folder = tmp_path / ("chart" if charts else "built-in")
    (folder / ".git").mkdir(parents=True)
    if charts:
        shutil.copytree(charts, folder / "istio", ignore=shutil.ignore_patterns("testdata", "*.golden"))
        text = text.replace("  istio: {", "  istio: {charts: {source: istio, clusters: [edge]}, ")
    (folder / "mesh.yaml").write_text(text)
    opened = Opened(folder / "mesh.yaml")
    if charts:
        vendor(fleet_of(opened.source), opened.source, opened.repository, lambda: helm, Silent().steps)
    tree = compile_mesh(opened.source, opened.repository, lambda: opened.kustomize).layout.tree
    return [data for path, data in tree.under("edge").items() if path != "kustomization.yaml"]


def objects(files: list[bytes]) -> dict[str, Any]:
    """The fields of every object, by kind and name. What is empty isn't there."""
    bodies = [body for data in files for body in yaml.load_all(data, Loader=yaml.CSafeLoader)]
    return {
        f"{body['kind']} {body['metadata']['name']}": {
            path: value for path, value in leaves(granted(body), "") if value not in ("", None)
        }
        for body in bodies
    }


def granted(body: dict[str, Any]) -> dict[str, Any]:
    """A role by what it allows, each permission once, in place of rules: `group resource verb`."""
    if "rules" not in body:
        return body
    everything = {
        (group, resource, verb)
        for rule in body["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    kept = {one for one in everything if one[1] == "*" or (one[0], "*", one[2]) not in everything}
    return {**body, "rules": {" ".join(one): True for one in kept}}


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every scalar with its path; YAML inside a ConfigMap is read too."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from leaves(item, f"{path}[{number}]")
    elif isinstance(value, str) and path in (".data.mesh", ".data.config"):
        yield from leaves(yaml.safe_load(value), path)
    else:
        yield path, value


def differences(built_in: dict[str, Any], chart: dict[str, Any]) -> list[str]:
    """Every field that isn't the same on both sides."""
    found = []
    for name in sorted(built_in.keys() | chart.keys()):
        if name not in built_in or name not in chart:
            found.append(f"{name} only {'built in' if name in built_in else 'by the chart'}")
            continue
        one, other = built_in[name], chart[name]
        for path in sorted(one.keys() | other.keys()):
            if one.get(path) != other.get(path):
                found.append(f"{name} {path}: {one.get(path)!r} built in, {other.get(path)!r} by the chart")
    return found


@pytest.mark.parametrize("scenario", ON_ISTIOD)
@pytest.mark.parametrize("version", ISTIOD)
def test_istiod(version: str, scenario: str, tmp_path: Path) -> None:
    need_charts(version, "base")
    assert unexplained(version, ON_ISTIOD[scenario], tmp_path) == []


@pytest.mark.parametrize("scenario", ON_CLASSIC)
@pytest.mark.parametrize("version", CLASSIC)
def test_classic(version: str, scenario: str, tmp_path: Path) -> None:
    assert unexplained(version, ON_CLASSIC[scenario], tmp_path) == []


@pytest.mark.parametrize("scenario", ON_CLASSIC)
@pytest.mark.parametrize("version", CLASSIC)
def test_classic_pods(version: str, scenario: str, tmp_path: Path) -> None:
    """What the two injection templates add to pods is the same, whatever the pods say of themselves."""
    text = MESH.format(version=version, kubernetes=kubernetes_for(version), **vars(ON_CLASSIC[scenario]))
    helm, pods = find_helm(), [pod for pod, _ in PODS.values()]
    made: list[dict[str, Any]] = []
    for charts in ("", f"{FOLDER}/{version}"):
        sidecars = render(b"---\n".join(overlay(tmp_path, text, helm, charts)), pods)
        made.append({name: dict(leaves(one, "")) for name, one in zip(PODS, sidecars, strict=True)})

    assert [one for one in differences(*made) if not any(re.search(known.where, one) for known in OF_PODS)] == []


OF_PODS = (
    Difference(
        r"args\[\d+\]: '(\d+)' built in, \1 by the chart", "a number without quotes is read as the text that it is"
    ),
    Difference(r"args\[\d+\]: '' built in, None by the chart", "so is nothing"),
    Difference(r"args\[11\]: '8080,9090,15020,' built in, '8080, 9090, 15020,'", "spaces in a list of ports"),
    Difference(r"securityContext\.restartPolicy: None built in", "there is no such field"),
    Difference(
        r"securityContext\.privileged: None built in", "1.0.0 alone says so; NET_ADMIN is what istio-init needs"
    ),
    Difference(r"^processor alone \S+memory: '128Mi' built in", "the chart asks for no memory, which is no quantity"),
)


def unexplained(version: str, scenario: Scenario, tmp_path: Path) -> list[str]:
    """The differences that no line of DIFFERENCES explains."""
    found = all_differences(version, scenario, tmp_path)
    return [one for one in found if not any(re.match(known.where, one) for known in DIFFERENCES)]


def all_differences(version: str, scenario: Scenario, tmp_path: Path) -> list[str]:
    text = MESH.format(version=version, kubernetes=kubernetes_for(version), **vars(scenario))
    helm = find_helm()
    built_in, chart = overlay(tmp_path, text, helm), overlay(tmp_path, text, helm, f"{FOLDER}/{version}")
    return differences(objects(built_in), objects(chart))


@pytest.mark.skipif(not (CLASSIC and ISTIOD), reason="MESHC_CHARTS has charts of one generation only")
def test_every_line_explains_something(tmp_path: Path) -> None:
    """Of the lines that these versions can show: what none of them differs in any more isn't in the list."""
    for version in ISTIOD:
        need_charts(version, "base")
    tried = [(version, one) for version in ISTIOD for one in ON_ISTIOD.values()]
    tried += [(version, one) for version in CLASSIC for one in ON_CLASSIC.values()]
    found: list[str] = []
    for number, (version, scenario) in enumerate(tried):
        found += all_differences(version, scenario, tmp_path / str(number))
    shown = [known for known in DIFFERENCES if any(re.match(known.shown_by, version) for version in VERSIONS)]

    assert [known.why for known in shown if not any(re.match(known.where, one) for one in found)] == []
