"""Finds the control planes in the objects of one cluster: each revision with its settings and its tags."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.capture import facts
from meshc.capture.valued import mapping
from meshc.generation import Generation
from meshc.kube import Version, as_list, at
from meshc.plan.istiod_values import KUBECONFIG, READS_FILES
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.capture.dump import Dump
    from meshc.capture.installations import Told
    from meshc.kube import Body

_CHART = re.compile(r"(?:istiod|istio|pilot)-(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)")


@dataclass(frozen=True, slots=True)
class Plane:
    """One control plane: istiod, or Pilot.

    `mesh` is its mesh configuration, `id` its CLUSTER_ID. `external` is true if it reads its configuration in another
    cluster, `ca` names the CA that signs, if it is known, and `domain` is the DNS domain of Services.
    """

    namespace: str
    revision: str
    generation: Generation
    istio: str
    hub: str
    tag: str
    id: str
    mesh: Mapping[str, Any]
    external: bool
    ca: str
    domain: str
    mounts: bool
    """True if it reads the credentials of other clusters from files."""

    @property
    def described(self) -> str:
        """A name for messages."""
        return f"{self.revision}{f' ({self.istio})' if self.istio else ''}"


def planes(dump: Dump) -> list[Plane]:
    """Every control plane in a cluster; the one without a revision comes first."""
    found = [_plane(dump, body, generation) for body, generation in _deployments(dump)]
    if not found:
        said = [_installed(told) for told in dump.said if not is_remote(told) and not _only_gateways(told)]
        first: dict[str, Plane] = {}
        for plane in sorted(said, key=_named, reverse=True):  # of several files, the one that names the cluster
            first.setdefault(plane.revision, plane)
        found = list(first.values())
    return sorted(found, key=lambda one: (one.revision != "default", one.revision))


def is_remote(told: Told) -> bool:
    """True if the values are for a cluster that another one controls."""
    return told.values.get("profile") == "remote" or bool(at(told.values, "global", "remotePilotAddress"))


def _only_gateways(told: Told) -> bool:
    """True for the IstioOperator of a gateway, such as that of Istio's script for east-west gateways."""
    return told.values.get("profile") == "empty"


def _named(plane: Plane) -> int:
    """The number of values of a control plane's identity that are known."""
    return sum(map(bool, (plane.id, at(plane.mesh, "defaultConfig", "meshId"), plane.istio)))


def _installed(told: Told) -> Plane:
    """A control plane, from the Helm values of its installation."""
    values = told.values
    world = mapping(at(values, "global"))
    tag = str(world.get("tag") or values.get("tag") or "")
    istio = told.version or _version(tag)
    config = at(values, "meshConfig") if isinstance(at(values, "meshConfig"), dict) else {}
    defaults = {"meshId": world["meshID"]} if world.get("meshID") else {}
    return Plane(
        told.namespace or str(world.get("istioNamespace") or "istio-system"),
        str(values.get("revision") or "default"),
        Generation.of(istio),
        istio,
        str(world.get("hub") or values.get("hub") or ""),
        tag,
        str(at(world, "multiCluster", "clusterName") or ""),
        {**config, "defaultConfig": {**defaults, **mapping(at(config, "defaultConfig"))}},
        False,
        str(world.get("caAddress") or ""),
        str(at(world, "proxy", "clusterDomain") or ""),
        bool(at(values, "pilot", "env", READS_FILES) or at(values, "env", READS_FILES)),
    )


def _deployments(dump: Dump) -> Iterator[tuple[Body, Generation]]:
    for body in dump.all("Deployment"):
        labels = at(body, "metadata", "labels") or {}
        if labels.get("app") == "istiod" or labels.get("istio") == "pilot":
            yield body, Generation.ISTIOD if labels.get("app") == "istiod" else Generation.CLASSIC


def _plane(dump: Dump, body: Body, generation: Generation) -> Plane:
    namespace = str(at(body, "metadata", "namespace") or "istio-system")
    revision = str(at(body, "metadata", "labels", "istio.io/rev") or "default")
    environment = facts.environment(body)
    hub, tag = _image(body)
    return Plane(
        namespace,
        revision,
        generation,
        _version(tag) or facts.tag(body) or _of_labels(body, generation),
        hub,
        tag,
        environment.get("CLUSTER_ID", ""),
        mesh_config(dump, namespace, revision),
        bool(dump.all("Secret", namespace, KUBECONFIG)),
        environment.get("CA_ADDR", "") or environment.get("EXTERNAL_CA", ""),
        str(at(injected(dump, namespace, revision), "global", "proxy", "clusterDomain") or ""),
        bool(environment.get(READS_FILES)),
    )


def injected(dump: Dump, namespace: str, revision: str) -> Mapping[str, Any]:
    """The injection values of a revision."""
    name = "istio-sidecar-injector" if revision == "default" else f"istio-sidecar-injector-{revision}"
    return text_in(dump, namespace, name, "values")


def _image(body: Body) -> tuple[str, str]:
    for container in as_list(at(body, "spec", "template", "spec", "containers")):
        hub, _, image = str(at(container, "image")).partition("@")[0].rpartition("/")
        name, _, tag = image.partition(":")
        if name in ("pilot", "istiod", "discovery"):
            return hub, tag
    return "", ""


def _version(tag: str) -> str:
    """The Istio version in an image tag, without a suffix for a variant of the image."""
    version = Version.of_release(tag.removesuffix("-distroless").removesuffix("-debug"))
    return str(version) if version else ""


def _of_labels(body: Body, generation: Generation) -> str:
    """The version from the labels of istioctl or Helm, for images with a digest or another tag.

    Charts of Istio's development branches all have the version 1.0.0, which says nothing about an istiod.
    """
    labels = at(body, "metadata", "labels") or {}
    charts = (_CHART.fullmatch(str(labels.get(key))) for key in ("helm.sh/chart", "chart"))
    said = [_version(str(labels.get("operator.istio.io/version") or "")), *(match[1] for match in charts if match)]
    return next((one for one in said if one and (generation is Generation.CLASSIC or one != "1.0.0")), "")


def mesh_config(dump: Dump, namespace: str, revision: str) -> Mapping[str, Any]:
    """The configuration of the mesh in the ConfigMap of a revision."""
    name = "istio" if revision == "default" else f"istio-{revision}"
    return text_in(dump, namespace, name, "mesh")


def text_in(dump: Dump, namespace: str, name: str, key: str) -> Mapping[str, Any]:
    """The mapping in a text value of a ConfigMap; empty if there is none."""
    for body in dump.all("ConfigMap", namespace, name):
        documents, problems = read(str(at(body, "data", key) or "").encode(), name)
        if documents and not problems and isinstance(documents[0].data, dict):
            return documents[0].data
    return {}


def tags(dump: Dump) -> dict[str, str]:
    """The revision of each tag, from the webhooks that Istio creates for tags."""
    found = {}
    for body in dump.all("MutatingWebhookConfiguration"):
        labels = at(body, "metadata", "labels") or {}
        if labels.get("istio.io/tag"):
            found[str(labels["istio.io/tag"])] = str(labels.get("istio.io/rev") or "default")
    return found


def revisions_of_namespaces(dump: Dump) -> dict[str, str]:
    """The label of each namespace with sidecars: a revision, a tag, or `default`."""
    found = {}
    for body in dump.all("Namespace"):
        labels = at(body, "metadata", "labels") or {}
        told = "default" if labels.get("istio-injection") == "enabled" else labels.get("istio.io/rev")
        if told:
            found[str(at(body, "metadata", "name"))] = str(told)
    return found


def used(dumps: Sequence[Dump]) -> Counter[str]:
    """The number of namespaces on each revision in all clusters, including through tags."""
    return Counter(tags(dump).get(word, word) for dump in dumps for word in revisions_of_namespaces(dump).values())


def leading(found: Sequence[Plane], users: Mapping[str, int]) -> Plane | None:
    """The control plane with the most namespaces, then the newest, if a cluster has several."""

    def weight(one: Plane) -> tuple[int, Version]:
        return users.get(one.revision, 0), Version.parse(one.istio) or Version(0, 0)

    return max(found, key=weight, default=None)
