"""Finds installations of Istio in a GitOps tree, with their Helm values, without rendering them.

HelmReleases of Flux, Applications of Argo CD, charts in a kustomization, IstioOperators, the Istios of Sail, and files
of values all name a chart, its version and its values.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from meshc.capture.generators import Files, applications, asked_for
from meshc.capture.placeholders import is_filled_in
from meshc.capture.valued import mapping, merged, parsed, put
from meshc.kube import Version, as_list, at, identity_of

if TYPE_CHECKING:
    from meshc.kube import Body

_CHARTS = ("istiod", "istio-discovery", "istio-remote", "istio", "discovery")
_TELLING = ("meshID", "multiCluster", "remotePilotAddress", "externalIstiod", "configCluster")
"""Keys of `global` that only the values of a control plane have, not those of a gateway or anything else."""


@dataclass(frozen=True, slots=True)
class Told:
    """One installation of Istio, and its place.

    `cluster` is its destination, if it names one. `left` lists the parts that aren't read.
    """

    where: str
    version: str
    namespace: str
    values: Mapping[str, Any]
    cluster: str = ""
    left: str = ""

    @property
    def cluster_name(self) -> str:
        """The cluster's name in Istio."""
        return str(at(self.values, "global", "multiCluster", "clusterName") or "")


class Around(Files, Protocol):
    """The context of a document: the files of the tree, and the ConfigMaps of the same cluster."""

    def config_map(self, namespace: str, name: str) -> Mapping[str, Any] | None: ...


def told(body: Any, where: str, around: Around) -> Iterator[Told]:
    """The installations in one document; none for documents of other kinds, and for values that a template fills in
    later."""
    return (one for one in _every(body, where, around) if not is_template(one))


def is_template(one: Told) -> bool:
    """True if the values that identify a cluster are still template text."""
    world = mapping(at(one.values, "global"))
    telling = (world.get("meshID"), one.cluster_name, world.get("network"))
    return any(is_filled_in(text) for text in telling)


def _every(body: Any, where: str, around: Around) -> Iterator[Told]:
    if not isinstance(body, dict):
        return
    identity = identity_of(body)
    match identity.group, identity.kind:
        case "helm.toolkit.fluxcd.io", "HelmRelease":
            yield from _of_flux(body, where, around)
        case "argoproj.io", "Application":
            yield from _of_argo_cd(body, where, around)
        case "argoproj.io", "ApplicationSet":
            for one in applications(body, around):
                yield from _of_argo_cd(one, where, around)
        case "install.istio.io", "IstioOperator":
            yield _of_operator(body, where)
        case "sailoperator.io", "Istio":
            yield _of_sail(body, where)
        case _ if identity.kind == "Kustomization" and identity.group.startswith("kustomize.config"):
            yield from _of_charts(body, where, around)
        case "", "":
            yield from _of_values(body, where)
            yield from (_of_source(one, {}, where, around) for one in _sources(body))


def _release(text: Any) -> str:
    """A version in the form of charts and operators; empty for a range."""
    version = Version.of_release(str(text or "").removeprefix("v").removesuffix("-latest"))
    return str(version) if version else ""


def _of_flux(body: Body, where: str, around: Around) -> Iterator[Told]:
    chart = mapping(at(body, "spec", "chart", "spec"))
    if chart.get("chart") in _CHARTS:
        space = str(at(body, "metadata", "namespace") or "")
        values, left = _values_from(body, space, around)
        values = merged(values, mapping(at(body, "spec", "values")))
        target = str(at(body, "spec", "targetNamespace") or space)
        yield Told(where, _release(chart.get("version")), target, values, "", left)


def _values_from(body: Body, space: str, around: Around) -> tuple[dict[str, Any], str]:
    """The values from ConfigMaps of the tree, and the names of missing ones. Ignores Secrets."""
    values: dict[str, Any] = {}
    left = []
    for one in as_list(at(body, "spec", "valuesFrom")):
        found = around.config_map(space, str(at(one, "name"))) if at(one, "kind") == "ConfigMap" else None
        text = at(found, str(at(one, "valuesKey") or "values.yaml"))
        if not isinstance(text, str):
            left.append(f"{at(one, 'kind')} {at(one, 'name')}")
        elif isinstance(path := at(one, "targetPath"), str):
            put(values, path.split("."), text)
        else:
            values = merged(values, parsed(text))
    return values, f"valuesFrom ({', '.join(left)})" if left else ""


def _of_argo_cd(body: Body, where: str, around: Around) -> Iterator[Told]:
    destination = mapping(at(body, "spec", "destination"))
    for source in (at(body, "spec", "source"), *as_list(at(body, "spec", "sources"))):
        if at(source, "chart") in _CHARTS:
            yield _of_source(source, destination, where, around)
        elif isinstance(path := at(source, "path"), str) and at(source, "helm"):
            yield from _of_own_chart(source, path, destination, where, around)


def _of_own_chart(source: Any, path: str, destination: Mapping[str, Any], where: str, around: Around) -> Iterator[Told]:
    """A chart of the tree that has Istio's chart as a dependency: the values for Istio are below the name of the
    dependency."""
    about = around.mapping(posixpath.join(path, "Chart.yaml"))
    for one in as_list(at(about, "dependencies")):
        if (name := at(one, "name")) in _CHARTS:
            above = _of_source(source, destination, where, around)
            own = around.mapping(posixpath.join(path, "values.yaml")) or {}
            values = mapping(merged(own, above.values).get(str(at(one, "alias") or name)))
            yield Told(where, _release(at(one, "version")), above.namespace, values, above.cluster, above.left)


def _of_source(source: Any, destination: Mapping[str, Any], where: str, around: Around) -> Told:
    helm = mapping(at(source, "helm"))
    values: dict[str, Any] = {}
    left = []
    for file in as_list(helm.get("valueFiles")):
        found = around.mapping(_file_of(str(file), str(at(source, "path") or "")))
        values = merged(values, found or {})
        left += [] if found is not None else [str(file)]
    values = merged(merged(values, parsed(helm.get("values"))), mapping(helm.get("valuesObject")))
    for one in as_list(helm.get("parameters")):
        put(values, str(at(one, "name")).split("."), at(one, "value"))
    cluster, space = str(destination.get("name") or ""), str(destination.get("namespace") or "")
    unread = f"valueFiles ({', '.join(left)})" if left else ""
    return Told(where, _release(at(source, "targetRevision")), space, values, cluster, unread)


def _file_of(file: str, path: str) -> str:
    """The path of a file of values in the tree: below the source that `ref` names, from the top, or from the chart."""
    if file.startswith("$"):
        return file.partition("/")[2]
    return file.lstrip("/") if file.startswith("/") else posixpath.join(path, file)


def _sources(value: Any) -> Iterator[Any]:
    """Mappings in the form of an Application's source, anywhere in the values of a user's own chart."""
    if isinstance(value, dict):
        if value.get("chart") in _CHARTS and isinstance(value.get("helm"), dict):
            yield value
        for one in value.values():
            yield from _sources(one)
    for one in as_list(value):
        yield from _sources(one)


def unread(body: Any, where: str, around: Around) -> str:
    """A note on a document that can't be read; empty for most documents."""
    if not isinstance(body, dict):
        return ""
    identity = identity_of(body)
    if (identity.group, identity.kind) == ("argoproj.io", "ApplicationSet") and (asked := asked_for(body)):
        return f"{where}: ApplicationSet {identity.name} makes an Application for {asked}, which the tree doesn't list"
    every = list(_every(body, where, around))
    left = next((one.left for one in every if one.left), "")
    left = "a template" if any(map(is_template, every)) else left
    of = f"{identity.kind} {identity.name}".strip()
    return f"{where}: {left}{f' of {of}' if of else ''}" if left else ""


def leads_to(body: Any) -> list[str]:
    """Folders of the repository whose objects an engine applies in the same cluster, from the repository's top."""
    identity = identity_of(body) if isinstance(body, dict) else None
    if identity and (identity.group, identity.kind) == ("kustomize.toolkit.fluxcd.io", "Kustomization"):
        return [] if at(body, "spec", "kubeConfig") else [str(at(body, "spec", "path") or "")]
    if identity and (identity.group, identity.kind) == ("argoproj.io", "Application"):
        if not _is_here(at(body, "spec", "destination")):
            return []
        sources = (at(body, "spec", "source"), *as_list(at(body, "spec", "sources")))
        return [str(at(one, "path") or "") for one in sources if not at(one, "chart")]
    return []


def _is_here(destination: Any) -> bool:
    """True if an Application is for the cluster in which Argo CD itself runs."""
    name, server = at(destination, "name"), at(destination, "server")
    return name in (None, "", "in-cluster") and server in (None, "", "https://kubernetes.default.svc")


def _of_operator(body: Body, where: str) -> Told:
    """The settings equal those of the charts, but some are one level higher."""
    spec = mapping(at(body, "spec"))
    values = dict(mapping(spec.get("values")))
    values["global"] = {**{key: spec[key] for key in ("hub", "tag") if spec.get(key)}, **mapping(values.get("global"))}
    values |= {key: spec[key] for key in ("meshConfig", "revision", "profile") if spec.get(key)}
    if at(spec, "components", "pilot", "enabled") is True and values.get("profile") == "empty":
        del values["profile"]  # an empty profile has no control plane, unless it is asked for
    space = spec.get("namespace") or at(body, "metadata", "namespace") or ""
    return Told(
        where, _release(spec.get("tag")), str(space), values, "", "components" if spec.get("components") else ""
    )


def _of_sail(body: Body, where: str) -> Told:
    spec, name = mapping(at(body, "spec")), str(at(body, "metadata", "name"))
    values = dict(mapping(spec.get("values")))
    values |= {"revision": name} if name != "default" else {}
    values |= {"profile": spec["profile"]} if spec.get("profile") else {}
    return Told(where, _release(spec.get("version")), str(spec.get("namespace") or ""), values)


def _of_charts(body: Body, where: str, around: Around) -> Iterator[Told]:
    for chart in as_list(body.get("helmCharts")):
        if at(chart, "name") in _CHARTS:
            values, left = dict(mapping(at(chart, "valuesInline"))), ""
            if isinstance(file := at(chart, "valuesFile"), str):
                found = around.mapping(posixpath.join(posixpath.dirname(where), file))
                values, left = merged(found or {}, values), "" if found is not None else f"valuesFile ({file})"
            yield Told(where, _release(at(chart, "version")), str(at(chart, "namespace") or ""), values, "", left)


def _of_values(body: Body, where: str) -> Iterator[Told]:
    """A file of values: for the chart itself, or for a chart that depends on it and has the values under the chart's
    name."""
    for values in (body, *(mapping(body.get(name)) for name in _CHARTS)):
        world = mapping(values.get("global"))
        if any(key in world for key in _TELLING):
            yield Told(where, _release(world.get("tag")), str(world.get("istioNamespace") or ""), values)
