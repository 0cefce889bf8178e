"""Finds installations of Istio in a GitOps tree, with their Helm values, without rendering them.

HelmReleases of Flux, Applications of Argo CD, charts in a kustomization, IstioOperators, the Istios of Sail, and files
of values all name a chart, its version and its values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.kube import Version, as_list, at, identity_of
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.kube import Body

_CHARTS = ("istiod", "istio-discovery", "istio-remote", "istio", "discovery")
_TELLING = ("meshID", "multiCluster", "remotePilotAddress", "externalIstiod", "configCluster")
"""Keys of `global` that only the values of a control plane have, not those of a gateway or anything else."""


@dataclass(frozen=True, slots=True)
class Told:
    """An installation, and its place.

    `cluster` is its destination, if one is named. `left` lists what isn't read.
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


def told(body: Any, where: str) -> Iterator[Told]:
    """The installations in one document; none for another kind, and none if a template must be filled in first."""
    return (one for one in _every(body, where) if not is_template(one))


def is_template(one: Told) -> bool:
    """True if the values that identify a cluster are still template text."""
    world = at(one.values, "global") or {}
    return any("{{" in str(world.get(key)) for key in ("meshID", "multiCluster", "network"))


def _every(body: Any, where: str) -> Iterator[Told]:
    if not isinstance(body, dict):
        return
    identity = identity_of(body)
    match identity.group, identity.kind:
        case "helm.toolkit.fluxcd.io", "HelmRelease":
            yield from _of_flux(body, where)
        case "argoproj.io", "Application":
            yield from _of_argo_cd(body, where)
        case "argoproj.io", "ApplicationSet":
            for one in _listed(body):
                yield from _of_argo_cd(one, where)
        case "install.istio.io", "IstioOperator":
            yield _of_operator(body, where)
        case "sailoperator.io", "Istio":
            yield _of_sail(body, where)
        case _ if identity.kind == "Kustomization" and identity.group.startswith("kustomize.config"):
            yield from _of_charts(body, where)
        case "", "":
            yield from _of_values(body, where)
            yield from (_of_source(one, {}, where) for one in _sources(body))


def _release(text: Any) -> str:
    """A version in the form of charts and operators; empty for a range."""
    version = Version.of_release(str(text or "").removeprefix("v").removesuffix("-latest"))
    return str(version) if version else ""


def _of_flux(body: Body, where: str) -> Iterator[Told]:
    chart = at(body, "spec", "chart", "spec") or {}
    if chart.get("chart") in _CHARTS:
        space = at(body, "spec", "targetNamespace") or at(body, "metadata", "namespace")
        left = "valuesFrom" if as_list(at(body, "spec", "valuesFrom")) else ""
        yield Told(
            where, _release(chart.get("version")), str(space or ""), _mapping(at(body, "spec", "values")), "", left
        )


def _of_argo_cd(body: Body, where: str) -> Iterator[Told]:
    destination = at(body, "spec", "destination") or {}
    for source in (at(body, "spec", "source"), *as_list(at(body, "spec", "sources"))):
        if at(source, "chart") in _CHARTS:
            yield _of_source(source, destination, where)


def _of_source(source: Any, destination: Mapping[str, Any], where: str) -> Told:
    helm = at(source, "helm") or {}
    values = _parsed(helm.get("values")) | dict(_mapping(helm.get("valuesObject")))
    for one in as_list(helm.get("parameters")):
        _set(values, str(at(one, "name")).split("."), at(one, "value"))
    left = "valueFiles" if as_list(helm.get("valueFiles")) else ""
    cluster, space = str(destination.get("name") or ""), str(destination.get("namespace") or "")
    return Told(where, _release(at(source, "targetRevision")), space, values, cluster, left)


def _sources(value: Any) -> Iterator[Any]:
    """Mappings in the form of an Application's source, anywhere in the values of a user's own chart."""
    if isinstance(value, dict):
        if value.get("chart") in _CHARTS and isinstance(value.get("helm"), dict):
            yield value
        for one in value.values():
            yield from _sources(one)
    for one in as_list(value):
        yield from _sources(one)


def unread(body: Any, where: str) -> str:
    """Notes on parts of a document that meshc can't read; empty for most documents."""
    if not isinstance(body, dict):
        return ""
    identity = identity_of(body)
    if (identity.group, identity.kind) == ("argoproj.io", "ApplicationSet") and not list(_listed(body)):
        return f"{where}: ApplicationSet {identity.name} asks clusters or Git for what it makes"
    every = list(_every(body, where))
    left = next((one.left for one in every if one.left), "")
    left = "a template" if any(map(is_template, every)) else left
    return f"{where}: {left} of {identity.kind} {identity.name}" if left else ""


def _listed(body: Body) -> Iterator[Body]:
    """The Applications of an ApplicationSet whose generator is a list."""
    for generator in as_list(at(body, "spec", "generators")):
        for element in as_list(at(generator, "list", "elements")):
            yield _filled(at(body, "spec", "template"), _flat(element))


def _flat(element: Any, above: str = "") -> dict[str, str]:
    """The values of an element, by the names that a template uses."""
    found: dict[str, str] = {}
    for key, one in element.items() if isinstance(element, dict) else ():
        found |= _flat(one, f"{above}{key}.") if isinstance(one, dict) else {f"{above}{key}": str(one)}
    return found


def leads_to(body: Any) -> list[str]:
    """Folders of the repository whose objects an engine applies in the same cluster, from the repository's top."""
    identity = identity_of(body) if isinstance(body, dict) else None
    if identity and (identity.group, identity.kind) == ("kustomize.toolkit.fluxcd.io", "Kustomization"):
        return [str(at(body, "spec", "path") or "")]
    if identity and (identity.group, identity.kind) == ("argoproj.io", "Application"):
        sources = (at(body, "spec", "source"), *as_list(at(body, "spec", "sources")))
        return [str(at(one, "path") or "") for one in sources if not at(one, "chart")]
    return []


def _filled(value: Any, element: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(one, element) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_filled(one, element) for one in value)
    if isinstance(value, str):
        for key, one in element.items():
            for form in ("{{%s}}", "{{ %s }}", "{{.%s}}", "{{ .%s }}"):
                value = value.replace(form % key, str(one))
    return value


def _of_operator(body: Body, where: str) -> Told:
    """The settings equal those of the charts, but some are one level higher."""
    spec = at(body, "spec") or {}
    values = dict(_mapping(spec.get("values")))
    values["global"] = {**{key: spec[key] for key in ("hub", "tag") if spec.get(key)}, **_mapping(values.get("global"))}
    values |= {key: spec[key] for key in ("meshConfig", "revision", "profile") if spec.get(key)}
    space = spec.get("namespace") or at(body, "metadata", "namespace") or ""
    return Told(
        where, _release(spec.get("tag")), str(space), values, "", "components" if spec.get("components") else ""
    )


def _of_sail(body: Body, where: str) -> Told:
    spec, name = at(body, "spec") or {}, str(at(body, "metadata", "name"))
    values = dict(_mapping(spec.get("values")))
    values |= {"revision": name} if name != "default" else {}
    values |= {"profile": spec["profile"]} if spec.get("profile") else {}
    return Told(where, _release(spec.get("version")), str(spec.get("namespace") or ""), values)


def _of_charts(body: Body, where: str) -> Iterator[Told]:
    for chart in as_list(body.get("helmCharts")):
        if at(chart, "name") in _CHARTS:
            left = "valuesFile" if at(chart, "valuesFile") else ""
            values = _mapping(at(chart, "valuesInline"))
            yield Told(where, _release(at(chart, "version")), str(at(chart, "namespace") or ""), values, "", left)


def _of_values(body: Body, where: str) -> Iterator[Told]:
    """A file of values: for the chart itself, or for a chart that wraps it and has the values under its name."""
    for values in (body, *(_mapping(body.get(name)) for name in _CHARTS)):
        world = _mapping(values.get("global"))
        if any(key in world for key in _TELLING):
            yield Told(where, _release(world.get("tag")), str(world.get("istioNamespace") or ""), values)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _parsed(text: Any) -> dict[str, Any]:
    documents, problems = read(str(text or "").encode(), "values")
    return dict(_mapping(documents[0].data)) if documents and not problems else {}


def _set(values: dict[str, Any], steps: list[str], value: Any) -> None:
    for step in steps[:-1]:
        inner = dict(_mapping(values.get(step)))
        values[step] = inner
        values = inner
    values[steps[-1]] = value
