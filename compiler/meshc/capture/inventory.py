"""Writes an inventory of clusters, without credentials, from a management cluster or a kubeconfig.

Keeps only the fields that mesh.yaml reads from an inventory, so credentials of Argo CD or Cluster API are never copied.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from meshc.capture.facts import Facts
from meshc.capture.rbac import Right
from meshc.capture.resource import Resource, core
from meshc.capture.trouble import AskError, Trouble
from meshc.kube import Version, as_list, at
from meshc.mesh.inventory_formats import value_at
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from meshc.capture.ask import Api
    from meshc.errors import Path
    from meshc.kube import Body

ASKED = ("argocd-secrets", "clusterprofiles", "cluster-api")
"""The formats whose objects are read from one management cluster."""
_GROUPS = {
    "clusterprofiles": ("multicluster.x-k8s.io", "clusterprofiles", ("v1", "v1beta1", "v1alpha1")),
    "cluster-api": ("cluster.x-k8s.io", "clusters", ("v1", "v1beta2", "v1beta1")),
}
_OF_ARGO = "argocd.argoproj.io/secret-type=cluster"
_OPEN = ("name", "server")
"""Keys of Argo CD's cluster Secrets that are copied."""
_KEPT: Mapping[str, tuple[Path, ...]] = {
    "clusterprofiles": (("spec", "displayName"), ("status", "version", "kubernetes")),
    "cluster-api": (
        ("spec", "clusterNetwork", "pods", "cidrBlocks"),
        ("spec", "clusterNetwork", "services", "cidrBlocks"),
        ("spec", "controlPlaneEndpoint", "host"),
        ("spec", "controlPlaneEndpoint", "port"),
        ("spec", "topology", "version"),
    ),
}
_PROVIDERS = ("accessProviders", "credentialProviders")


def rights_for(form: str, namespace: str) -> list[Right]:
    """The rights that a format needs. Objects of Argo CD are in one namespace, others in all namespaces."""
    if form == "argocd-secrets":
        return [Right(("list",), "secrets", namespace)]
    group, plural, _ = _GROUPS[form]
    return [Right(("list",), plural, "", group)]


def objects(api: Api, form: str, namespace: str, fields: Iterable[str]) -> list[Body]:
    """The objects that describe clusters, reduced to the needed fields, in a stable order. `fields` are the paths of
    further values.

    Raises AskError, also if the cluster doesn't know the kind.
    """
    if form == "argocd-secrets":
        found = api.listed(core("secrets", namespace), labelSelector=_OF_ARGO)
        stripped = [_of_argo_cd(one, fields) for one in found]
    else:
        stripped = [_kept(one, form, fields) for one in _listed(api, form)]
    return sorted(stripped, key=lambda one: (str(at(one, "metadata", "namespace")), str(at(one, "metadata", "name"))))


def _listed(api: Api, form: str) -> list[Body]:
    group, plural, versions = _GROUPS[form]
    version = next((one for one in versions if api.kinds(f"{group}/{one}")), None)
    if version is None:
        what = f"{api.name}: the cluster has no kind {plural}.{group}"
        raise AskError(Trouble.MISSING, what, "check that this is the management cluster of the others")
    kind = "ClusterProfile" if form == "clusterprofiles" else "Cluster"
    found = api.listed(Resource(plural, group=group, version=version))
    return [{**one, "apiVersion": f"{group}/{version}", "kind": kind} for one in found]


def _of_argo_cd(body: Body, fields: Iterable[str]) -> Body:
    """A cluster Secret with only its name and server, decoded, because neither is a secret."""
    data = {key: _decoded(at(body, "data", key)) for key in _OPEN}
    found = {"apiVersion": "v1", "kind": "Secret", "metadata": _metadata(body, fields)}
    return {**found, "stringData": {key: value for key, value in data.items() if value}}


def _kept(body: Body, form: str, fields: Iterable[str]) -> Body:
    found: dict[str, Any] = {key: body[key] for key in ("apiVersion", "kind")}
    found["metadata"] = _metadata(body, fields)
    for path in _KEPT[form]:
        if (value := at(body, *map(str, path))) not in (None, "", [], {}):
            _put(found, path, value)
    for key in _PROVIDERS if form == "clusterprofiles" else ():
        servers = [str(server) for one in as_list(at(body, "status", key)) if (server := at(one, "cluster", "server"))]
        if servers:
            _put(found, ("status", key), [{"cluster": {"server": server}} for server in servers])
    return found


def _metadata(body: Body, fields: Iterable[str]) -> Body:
    """The name, namespace and labels of an object, and the annotations that mesh.yaml reads."""
    metadata = at(body, "metadata")
    kept = {key: metadata[key] for key in ("name", "namespace", "labels") if at(metadata, key)}
    annotations = {}
    for way in fields:
        told = value_at(body, way)
        if told and told[1][:2] == ("metadata", "annotations") and isinstance(told[0], str):
            annotations[str(told[1][-1])] = told[0]
    return {**kept, **({"annotations": annotations} if annotations else {})}


def _put(body: dict[str, Any], path: Path, value: Any) -> None:
    for step in path[:-1]:
        body = body.setdefault(str(step), {})
    body[str(path[-1])] = value


def _decoded(text: Any) -> str:
    try:
        return base64.b64decode(str(text or ""), validate=True).decode()
    except ValueError:
        return ""


def of_contexts(servers: Mapping[str, str]) -> Body:
    """A kubeconfig with the servers of clusters, and without users."""
    clusters = [{"name": name, "cluster": {"server": server}} for name, server in sorted(servers.items())]
    return {"apiVersion": "v1", "kind": "Config", "clusters": clusters}


def of_facts(server: str, told: Facts) -> Body:
    """The facts about a cluster, with the keys of mesh.yaml."""
    version = Version.parse(told.kubernetes)
    found = {
        "apiServer": server,
        "kubernetesVersion": f"{version.major}.{version.minor}" if version else "",
        "clusterID": told.cluster_id,
        "network": told.network,
        "podCIDRs": list(told.pods),
        "serviceCIDRs": list(told.services),
    }
    return {key: value for key, value in found.items() if value}


def text_of(bodies: Iterable[Body], form: str) -> bytes:
    """The file, whose first line says how it was made."""
    first = f"# Made by meshc capture inventory --format {form}; it contains no credentials.\n"
    return (first + "---\n".join(write(body) for body in bodies)).encode()
