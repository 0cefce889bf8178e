"""A GitOps tree is adopted as far as it says what runs: what kustomize builds, and how Istio is installed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshc.capture.installations import leads_to, told, unread
from meshc.capture.named_files import Beside
from meshc.disk.repository import Repository
from support.processes import said
from support.running_meshes import SYSTEM, namespace, thing
from support.tools import find_tool

pytestmark = pytest.mark.thorough

GLOBAL: dict[str, Any] = {"meshID": "shop", "multiCluster": {"clusterName": "hub"}, "network": "corp"}
HUB = "registry.example.com/istio"
CONFIG = {"trustDomain": "shop.local"}
VALUES: dict[str, Any] = {"global": {**GLOBAL, "hub": HUB}, "meshConfig": CONFIG, "revision": "1-30"}
TAGGED: dict[str, Any] = {**VALUES, "global": {**VALUES["global"], "tag": "1.30.3"}}


def body(api: str, kind: str, name: str, /, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "istio-system"}, "spec": spec}


def release(values: dict[str, Any], **more: Any) -> dict[str, Any]:
    chart = {"spec": {"chart": "istiod", "version": "1.30.3"}}
    return body("helm.toolkit.fluxcd.io/v2", "HelmRelease", "istiod", chart=chart, values=values, **more)


SOURCE = {"chart": "istiod", "targetRevision": "1.30.3", "helm": {"valuesObject": VALUES}}
TEXT = yaml.safe_dump({**VALUES, "revision": "x"})
IN_TEXT = {**SOURCE, "helm": {"values": TEXT, "parameters": [{"name": "revision", "value": "1-30"}]}}
HERE = {"name": "hub", "namespace": "istio-system"}
ELEMENTS = [{"list": {"elements": [{"cluster": "hub"}]}}]
TEMPLATE = {"spec": {"source": SOURCE, "destination": {**HERE, "name": "{{cluster}}"}}}
ARGO_CD = "argoproj.io/v1alpha1"
CHARTS = [{"name": "istiod", "version": "1.30.3", "namespace": "istio-system", "valuesInline": VALUES}]
OPERATOR = {"hub": HUB, "tag": "1.30.3", "revision": "1-30", "meshConfig": CONFIG, "values": {"global": GLOBAL}}
FILES: dict[str, Any] = {
    "a HelmRelease": release(VALUES),
    "an Application": body(ARGO_CD, "Application", "istiod", source=SOURCE, destination=HERE),
    "an Application with a text": body(ARGO_CD, "Application", "istiod", sources=[IN_TEXT], destination=HERE),
    "an ApplicationSet": body(ARGO_CD, "ApplicationSet", "istiod", generators=ELEMENTS, template=TEMPLATE),
    "an IstioOperator": body("install.istio.io/v1alpha1", "IstioOperator", "istio", **OPERATOR),
    "an Istio of Sail": body("sailoperator.io/v1", "Istio", "1-30", version="v1.30.3", values=VALUES),
    "values": TAGGED,
    "values of a chart around it": {"istiod": TAGGED},
    "charts of kustomize": {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "helmCharts": CHARTS,
    },
}


def adopted(folder: Path) -> tuple[str, Any]:
    both = said("adopt", "--from", "tree", cwd=folder, code=3)
    return both, yaml.safe_load((folder / "mesh.yaml").read_text())["spec"]


def write(folder: Path, path: str, content: Any) -> None:
    (folder / "tree" / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / "tree" / path).write_text(content if isinstance(content, str) else yaml.safe_dump(copy.deepcopy(content)))


@pytest.mark.parametrize("what", FILES)
def test_whatever_says_how_istio_is_installed_is_read(tmp_path: Path, what: str) -> None:
    folder = "apps" if "Application" in what else "hub"
    write(tmp_path, f"{folder}/{'kustomization' if 'kustomize' in what else 'istio'}.yaml", FILES[what])
    both, spec = adopted(tmp_path)

    assert spec["istio"] == {
        "version": "1.30.3",
        "trustDomain": "shop.local",
        "revision": "1-30",
        "images": {"hub": HUB},
    }
    assert spec["networks"] == [{"name": "corp"}]
    assert spec["clusters"] == [{"name": "hub", "role": "primary", "network": "corp"}]
    assert ("apps has no objects of Istio, so it isn't read as a cluster" in both) == (folder == "apps")
    assert "name: shop" in (tmp_path / "mesh.yaml").read_text()
    assert "tell: security.mutualTLS: strict, permissive or disabled? PeerAuthentication isn't in the dump" in both


def test_overlays_are_built_and_their_base_is_no_cluster(tmp_path: Path) -> None:
    find_tool("kubectl")
    write(tmp_path, "base/release.yaml", release(VALUES))
    write(tmp_path, "base/kustomization.yaml", {"resources": ["release.yaml"]})
    for name in ("east", "west"):
        patch = f"- {{op: replace, path: /spec/values/global/multiCluster/clusterName, value: {name}}}"
        patches = [{"patch": patch, "target": {"kind": "HelmRelease"}}]
        write(tmp_path, f"{name}/kustomization.yaml", {"resources": ["../base"], "patches": patches})
    both, spec = adopted(tmp_path)

    assert [(one["name"], one["role"]) for one in spec["clusters"]] == [("east", "primary"), ("west", "primary")]
    assert "base is a base of other folders, so it isn't read as a cluster" in both


def test_alternatives_side_by_side_are_told(tmp_path: Path) -> None:
    find_tool("kubectl")
    write(tmp_path, "base/release.yaml", release(VALUES))
    write(tmp_path, "base/kustomization.yaml", {"resources": ["release.yaml"]})
    for name in ("east", "west"):
        write(tmp_path, f"overlays/{name}/kustomization.yaml", {"resources": ["../../base"]})
    both, _ = adopted(tmp_path)

    assert "not read: overlays/east, overlays/west make the same objects" in both
    assert "--from .../overlays" in both


PROD = {"clusters": {"selector": {"matchLabels": {"env": "prod"}}}}
ASKING = body(ARGO_CD, "ApplicationSet", "istiod", generators=[{"matrix": {"generators": [PROD]}}], template=TEMPLATE)
NOWHERE = [{"kind": "ConfigMap", "name": "values"}, {"kind": "Secret", "name": "more"}]
UNREAD: dict[str, tuple[str, Any]] = {
    "hub/istio.yaml: valuesFrom (ConfigMap values, Secret more) of HelmRelease istiod": (
        "istio",
        release(VALUES, valuesFrom=NOWHERE),
    ),
    "hub/istio.yaml:1:5: a Helm template": ("istio", "a: {{ .Values.x }}\n"),
    "hub can't be built, so its files are read without kustomize": (
        "kustomization",
        {"resources": ["https://example.com/istio"]},
    ),
    "hub/set.yaml: ApplicationSet istiod makes an Application for every cluster that Argo CD knows with labels "
    "env=prod": ("set", ASKING),
}


@pytest.mark.parametrize("told", UNREAD)
def test_what_is_not_read_is_named(tmp_path: Path, told: str) -> None:
    name, content = UNREAD[told]
    write(tmp_path, "hub/space.yaml", namespace(SYSTEM, {"topology.istio.io/network": "corp"}))
    write(tmp_path, f"hub/{name}.yaml", content)
    both, _ = adopted(tmp_path)

    assert f"not read: {told}" in both


def test_a_remote_is_told_by_its_values(tmp_path: Path) -> None:
    world = {"meshID": "shop", "remotePilotAddress": "10.0.5.20", "multiCluster": {"clusterName": "edge-1"}}
    write(tmp_path, "hub/istio.yaml", release(VALUES))
    write(tmp_path, "edge/istio.yaml", release({"profile": "remote", "global": world}))
    _, spec = adopted(tmp_path)

    assert spec["clusters"] == [
        {"name": "edge-1", "role": "remote"},
        {"name": "hub", "role": "primary", "network": "corp", "controlPlane": {"addresses": {"istiod": "10.0.5.20"}}},
    ]


def test_a_folder_that_tells_of_several_clusters_is_each_of_them(tmp_path: Path) -> None:
    for name in ("east", "west"):
        world = {**TAGGED["global"], "multiCluster": {"clusterName": name}, "network": name}
        write(tmp_path, f"istio/values-{name}.yaml", {**TAGGED, "global": world})
    write(tmp_path, "docs/cm.yaml", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}})
    both, spec = adopted(tmp_path)

    assert [(one["name"], one["network"]) for one in spec["clusters"]] == [("east", "east"), ("west", "west")]
    assert "istio describes east, west, so each is read as a cluster" in both
    assert "docs has no objects of Istio, so it isn't read as a cluster" in both


def test_what_an_engine_is_told_to_apply_is_followed(tmp_path: Path) -> None:
    """Flux's own layout: a folder of a cluster names the folders of what it runs, from the repository's top."""
    find_tool("kubectl")
    (tmp_path / ".git").mkdir()
    flux = "kustomize.toolkit.fluxcd.io/v1"
    write(tmp_path, "clusters/hub/istio.yaml", body(flux, "Kustomization", "istio", path="./tree/istio"))
    write(tmp_path, "clusters/hub/more.yaml", body(flux, "Kustomization", "more", path="./tree/nowhere"))
    write(tmp_path, "istio/release.yaml", release(VALUES))
    write(tmp_path, "istio/kustomization.yaml", {"resources": ["release.yaml"]})
    said("adopt", "--from", "tree/clusters", cwd=tmp_path, code=3)
    spec = yaml.safe_load((tmp_path / "mesh.yaml").read_text())["spec"]

    assert spec["clusters"] == [{"name": "hub", "role": "primary", "network": "corp"}]


def test_values_that_a_template_fills_in_are_no_values(tmp_path: Path) -> None:
    world = {**TAGGED["global"], "meshID": "{{ .Values.mesh }}"}
    write(tmp_path, "hub/values.yaml", {**TAGGED, "global": world})
    write(
        tmp_path,
        "hub/more.yaml",
        {**TAGGED, "global": {**TAGGED["global"], "multiCluster": {"clusterName": "${NAME}"}}},
    )
    write(tmp_path, "hub/space.yaml", namespace(SYSTEM, {"topology.istio.io/network": "corp"}))
    both, spec = adopted(tmp_path)

    assert "not read: hub/values.yaml: a template\n" in both
    assert "not read: hub/more.yaml: a template\n" in both
    assert spec["clusters"] == [{"name": "hub", "role": "remote", "network": "corp"}]


@pytest.mark.parametrize("mark", ["cluster{i}", "${NAME}", "<CLUSTER>", "%NAME%", "@NAME@"])
def test_a_name_that_a_script_fills_in_is_no_cluster(tmp_path: Path, mark: str) -> None:
    write(tmp_path, "hub/values.yaml", {"global": {**GLOBAL, "multiCluster": {"clusterName": mark}}})
    both = said("adopt", "--from", "tree", cwd=tmp_path, code=2)

    assert "not read: hub/values.yaml: a template\n" in both
    assert "has objects of Istio, or shows how it is installed" in both
    assert not (tmp_path / "mesh.yaml").exists()


APART: dict[str, Any] = {
    "a demonstration's namespaces": namespace("shop", {"istio.io/rev": "1-30", "istio-injection": "enabled"}),
    "a network that a template fills in": namespace(SYSTEM, {"topology.istio.io/network": "net-${NAME}"}),
    "an empty namespace for Istio": namespace(SYSTEM, {}),
    "an issuer of its CA": thing("Certificate", "cacerts", SYSTEM, "cert-manager.io/v1"),
    "a simulated node": thing("Node", "kwok-node-0"),
    "an app's Services, in a file named like one of a dump": thing("Service", "cart", "shop"),
    "an Argo CD Application": thing("Application", "istio-system", "argocd", ARGO_CD),
}


@pytest.mark.parametrize("what", APART)
def test_a_folder_without_an_istio_is_no_cluster(tmp_path: Path, what: str) -> None:
    write(tmp_path, "more/services.yaml", APART[what])
    alone = said("adopt", "--from", "tree", cwd=tmp_path, code=2)
    write(tmp_path, "hub/istio.yaml", release(VALUES))
    both, spec = adopted(tmp_path)

    assert "more has no objects of Istio, so it isn't read as a cluster" in alone
    assert "more has no objects of Istio, so it isn't read as a cluster" in both
    assert [one["name"] for one in spec["clusters"]] == ["hub"]


def test_a_file_that_overlays_use_is_only_read_there(tmp_path: Path) -> None:
    find_tool("kubectl")
    usual = {"multiCluster": {"clusterName": "usual-name"}}
    write(tmp_path, "fleet/common/istio.yaml", release({**VALUES, "global": {**GLOBAL, **usual}}))
    write(tmp_path, "fleet/common/kustomization.yaml", {"resources": ["istio.yaml"]})
    for name in ("east", "west"):
        patch = f"- {{op: replace, path: /spec/values/global/multiCluster/clusterName, value: {name}}}"
        patches = [{"patch": patch, "target": {"kind": "HelmRelease"}}]
        write(tmp_path, f"fleet/{name}/kustomization.yaml", {"resources": ["../common"], "patches": patches})
    _, spec = adopted(tmp_path)

    assert [one["name"] for one in spec["clusters"]] == ["east", "west"]


def test_the_operator_of_a_gateway_is_no_control_plane(tmp_path: Path) -> None:
    values = {"global": {"network": "corp"}}
    gateways = body("install.istio.io/v1alpha1", "IstioOperator", "east-west", profile="empty", values=values)
    operator = body("install.istio.io/v1alpha1", "IstioOperator", "istio", **OPERATOR)
    write(tmp_path, "first/a-gateway.yaml", gateways)
    write(tmp_path, "first/istio.yaml", operator)
    both, spec = adopted(tmp_path)

    assert spec["clusters"] == [{"name": "hub", "role": "primary", "network": "corp"}]
    assert spec["istio"]["revision"] == "1-30"
    assert "control planes" not in both


def test_files_of_several_clusters_in_one_folder_are_kept_apart(tmp_path: Path) -> None:
    for name, network in (("east", "net-east"), ("west", "net-west")):
        world = {"multiCluster": {"clusterName": name}, "network": network}
        place = f"fleet/istio/{name}"
        write(
            tmp_path,
            f"{place}/istio.yaml",
            body("install.istio.io/v1alpha1", "IstioOperator", "istio", values={"global": world}),
        )
        write(tmp_path, f"{place}/space.yaml", namespace(SYSTEM, {"topology.istio.io/network": network}))
        write(tmp_path, f"fleet/apps/{name}/space.yaml", namespace(f"only-{name}", {"istio-injection": "enabled"}))
    write(tmp_path, "fleet/apps/space.yaml", namespace("shop", {"istio-injection": "enabled"}))
    common = {"tag": "1.30.3", "values": {"global": {"meshID": "shop"}}}
    write(tmp_path, "fleet/istio/all.yaml", body("install.istio.io/v1alpha1", "IstioOperator", "all", **common))
    both, spec = adopted(tmp_path)

    assert "fleet describes east, west, so each is read as a cluster" in both
    assert "make the same objects" not in both
    assert spec["istio"]["version"] == "1.30.3"
    assert "name: shop" in (tmp_path / "mesh.yaml").read_text()
    assert [(one["name"], one["network"]) for one in spec["clusters"]] == [("east", "net-east"), ("west", "net-west")]
    assert spec["namespaces"] == [
        {"name": "only-east", "clusters": ["east"]},
        {"name": "only-west", "clusters": ["west"]},
        {"name": "shop"},
    ]


def argo(kind: str, helm: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An Application of chart istiod, or a set of them."""
    source = {**SOURCE, "helm": helm}
    spec = {"sources": [source, {"ref": "values"}], "destination": {**HERE, "name": more.pop("to", "hub")}}
    return body(ARGO_CD, kind, "istiod", **(spec if kind == "Application" else {"template": {"spec": spec}, **more}))


BY_FILES = [{"git": {"files": [{"path": "tree/fleet/*/cluster.yaml"}]}}]
BY_FOLDERS = [{"git": {"directories": [{"path": "tree/fleet/*"}]}}]
WITH_FILES = {"valueFiles": ["$values/tree/fleet/hub/values.yaml"]}
WITH_PLACES = {"valueFiles": ["$values/tree/{{path}}/values.yaml"]}
OWN_CHART = {"path": "tree/charts/istiod", "helm": {"valueFiles": ["../../fleet/hub/wrapped.yaml"]}}
CONFIG_MAP = [{"kind": "ConfigMap", "name": "values"}]
ELSEWHERE: dict[str, Any] = {
    "a file of values": argo("Application", WITH_FILES),
    "a file for each of Git's files": argo(
        "ApplicationSet", {"valueFiles": ["$values/{{path}}/values.yaml"]}, generators=BY_FILES, to="{{name}}"
    ),
    "a file for each of Git's folders": argo(
        "ApplicationSet",
        {"valueFiles": ["$values/{{path}}/values.yaml"]},
        generators=BY_FOLDERS,
        to="{{path.basename}}",
    ),
    "lists of two in a matrix": argo(
        "ApplicationSet",
        {"valueFiles": ["$values/tree/{{where}}/{{ .name }}/values.yaml"]},
        generators=[
            {"matrix": {"generators": [*ELEMENTS, {"list": {"elements": [{"name": "hub", "where": "fleet"}]}}]}}
        ],
        to="{{cluster}}",
    ),
    "a chart of one's own": body(ARGO_CD, "Application", "istiod", source=OWN_CHART, destination=HERE),
    "a ConfigMap": release({}, valuesFrom=CONFIG_MAP),
}


@pytest.mark.parametrize("what", ELSEWHERE)
def test_values_that_stand_elsewhere_in_the_tree_are_read(tmp_path: Path, what: str) -> None:
    (tmp_path / ".git").mkdir()
    chart = {"name": "mine", "version": "1.0.0", "dependencies": [{"name": "istiod", "version": "1.30.3"}]}
    write(tmp_path, "charts/istiod/Chart.yaml", chart)
    write(tmp_path, "fleet/hub/cluster.yaml", {"name": "hub"})
    write(tmp_path, "fleet/hub/values.yaml", {**VALUES, "global": {**VALUES["global"], "network": "corp"}})
    write(tmp_path, "fleet/hub/wrapped.yaml", {"istiod": VALUES})
    values = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "values"}}
    write(tmp_path, "hub/values.yaml", {**values, "data": {"values.yaml": yaml.safe_dump(VALUES)}})
    write(tmp_path, "hub/istio.yaml", ELSEWHERE[what])
    (tmp_path / "tree/only").mkdir()
    _, spec = adopted(tmp_path)
    alone = [one for one in spec["clusters"] if one["name"] == "hub"]

    assert alone == [{"name": "hub", "role": "primary", "network": "corp"}]
    assert spec["istio"]["version"] == "1.30.3"
    assert "not read" not in _


def test_what_only_others_use_is_no_cluster(tmp_path: Path) -> None:
    """Bases beside others of which one is used by nobody, and a folder that an engine of another one applies."""
    find_tool("kubectl")
    (tmp_path / ".git").mkdir()
    label = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}}
    for name in ("istiod", "gateway", "unused"):
        write(tmp_path, f"packages/{name}/space.yaml", label)
        write(tmp_path, f"packages/{name}/kustomization.yaml", {"resources": ["space.yaml"]})
    for name in ("east", "west"):
        for one in ("istiod", "gateway"):
            write(tmp_path, f"{name}/{one}/kustomization.yaml", {"resources": [f"../../packages/{one}"]})
        world = {**VALUES, "global": {**VALUES["global"], "multiCluster": {"clusterName": name}}}
        write(tmp_path, f"{name}/flux/istio.yaml", release(world))
    flux = "kustomize.toolkit.fluxcd.io/v1"
    write(tmp_path, "east/flux/apps.yaml", body(flux, "Kustomization", "apps", path="./tree/apps"))
    elsewhere = body(flux, "Kustomization", "far", path="./tree/west", kubeConfig={"secretRef": {"name": "west"}})
    write(tmp_path, "east/flux/far.yaml", elsewhere)
    write(tmp_path, "apps/space.yaml", label)
    both, spec = adopted(tmp_path)

    assert [one["name"] for one in spec["clusters"]] == ["east", "west"]
    assert "packages is a base of other folders" in both
    assert "an engine applies apps as part of another cluster" in both


def test_folders_that_tell_of_the_same_clusters_are_joined(tmp_path: Path) -> None:
    for folder, key in (("planes", "network"), ("gateways", "network")):
        for name in ("east", "west"):
            world = {"multiCluster": {"clusterName": name}, "meshID": "shop", key: name}
            write(tmp_path, f"{folder}/{name}.yaml", {**TAGGED, "global": {**TAGGED["global"], **world}})
    _, spec = adopted(tmp_path)

    assert [one["name"] for one in spec["clusters"]] == ["east", "west"]


def spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every mapping and list in a document, with each of its keys."""
    for key, one in [*value.items()] if isinstance(value, dict) else [*enumerate(value)]:
        yield value, key
        if isinstance(one, dict | list):
            yield from spots(one)


def frozen(value: Any) -> Any:
    """As meshc reads YAML: sequences can't be changed."""
    if isinstance(value, dict):
        return {key: frozen(one) for key, one in value.items()}
    return tuple(map(frozen, value)) if isinstance(value, list | tuple) else value


def test_no_value_of_another_type_ends_in_a_traceback(tmp_path: Path) -> None:
    beside = Beside(Repository.around(tmp_path, cached=False), [])
    tried = 0
    for document in (*FILES.values(), *ELSEWHERE.values(), ASKING, release({}, valuesFrom=NOWHERE)):
        whole = copy.deepcopy(document)
        for holder, key in spots(whole):
            there = holder[key]
            for odd in (None, 3, True, "x", [], ["x"], [None], {}, {"x": None}):
                holder[key] = odd
                body = frozen(whole)
                assert [unread(body, "f", beside), *told(body, "f", beside), *leads_to(body)]
                tried += 1
            holder[key] = there

    assert tried > 2000
