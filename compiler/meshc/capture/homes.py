"""Reads from the objects of one cluster: its Istio, its network, its remotes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from meshc.capture import facts, planes
from meshc.capture.addresses import of_services
from meshc.capture.reached import reached_by
from meshc.generation import Generation
from meshc.kube import LABEL, Version, as_list, at
from meshc.trust.proofs import SERVER

if TYPE_CHECKING:
    from meshc.capture.dump import Dump
    from meshc.capture.planes import Plane
    from meshc.kube import Body

_GATEWAYS = ({"istio": "eastwestgateway"}, {"istio": "ingressgateway"})
_INJECTION = re.compile(r"/inject(?:/cluster/(?P<cluster>[^/]+))?(?:/net/(?P<net>[^/]+))?/?")


@dataclass(frozen=True, slots=True)
class Home:
    """One cluster.

    `remotes` are the clusters whose credentials it has, with their servers. `reached` has the addresses of control
    planes in a remote's own objects (see `reached`), and `controlled` the clusters that its namespace allows as control
    plane. `gateway` is the address of its east-west gateway, `dataplanes` has the dataplane of each namespace in the
    mesh. `id` is the cluster's own ID, which may not be a valid name here. `revisions` has the label of each namespace,
    `tags` the revision of each tag, and `injects` is true if a webhook injects sidecars."""

    dump: Dump
    name: str
    id: str
    plane: Plane | None
    planes: tuple[Plane, ...]
    kubernetes: str
    network: str
    pods: list[str]
    services: list[str]
    mesh_config: Mapping[str, Any]
    remotes: Mapping[str, str]
    addresses: Mapping[str, str]
    reached: Mapping[str, str]
    injection_url: str
    injects: bool
    dataplanes: Mapping[str, str]
    revisions: Mapping[str, str]
    tags: Mapping[str, str]
    controlled: tuple[str, ...]
    gateway: str

    @property
    def primary(self) -> bool:
        """True if a control plane runs here."""
        return self.plane is not None

    @property
    def external(self) -> bool:
        """True if that control plane controls only other clusters."""
        return self.plane is not None and self.plane.external

    @staticmethod
    def of(dump: Dump, namespace: str, users: Mapping[str, int]) -> Home:
        """Reads one cluster. `namespace` is Istio's, `users` is the number of namespaces on each revision in the
        mesh."""
        found = planes.planes(dump)
        plane = planes.leading(found, users)
        path, url = _injection(dump)
        called = plane.id if plane else _injected_as(dump, namespace, path)
        external = plane is not None and plane.external  # an external control plane uses the name of its config cluster
        settings = facts.kubeadm(_only(dump.all("ConfigMap", "kube-system", "kubeadm-config")))
        nodes, home = dump.all("Node"), _only(dump.all("Namespace", None, namespace))
        ranges = [cidr for one in dump.all("ServiceCIDR") for cidr in as_list(at(one, "spec", "cidrs"))]
        is_classic = bool(dump.all("ServiceAccount", namespace, "istio-multi"))
        generation = plane.generation if plane else Generation.CLASSIC if is_classic else Generation.ISTIOD
        services = dump.all("Service")
        return Home(
            dump,
            called if LABEL.fullmatch(called) and not external else named_after(dump.cluster),
            called,
            plane,
            tuple(found),
            _kubernetes(dump, nodes),
            _network(dump, home, path),
            list(settings.get("podSubnet", ())) or _pods(nodes),
            list(settings.get("serviceSubnet", ())) or facts.joined(ranges),
            plane.mesh if plane else planes.mesh_config(dump, namespace, "default"),
            _remotes(dump, namespace),
            _addresses(services, namespace, plane),
            reached_by(dump, namespace, generation) or _installed_at(dump),
            url,
            path is not None or bool(dump.all("MutatingWebhookConfiguration", None, "istio-sidecar-injector")),
            {str(at(one, "metadata", "name")): word for one in dump.all("Namespace") if (word := _dataplane(one))},
            planes.revisions_of_namespaces(dump),
            planes.tags(dump),
            _controlled(home),
            next(iter(of_services(services, _GATEWAYS[0]).addresses), "") or _ambient_gateway(dump),
        )


def homes_of(dumps: Sequence[Dump]) -> list[Home]:
    """Every cluster. A control plane with the same ID as a cluster without one is an external control plane. It gets
    the name of its folder, like a cluster whose name is already used."""
    namespace = next((one.namespace for dump in dumps for one in planes.planes(dump)), "istio-system")
    users = planes.used(dumps)
    found = [Home.of(dump, namespace, users) for dump in dumps]
    made: list[Home] = []
    for home in found:
        same = [one for one in found if one is not home and one.id and one.id == home.id and one.dump is not home.dump]
        plane = home.plane
        if plane and not plane.external and any(not one.primary for one in same):
            made.append(replace(home, name=named_after(home.dump.cluster), plane=replace(plane, external=True)))
        elif same and any(one.name == home.name for one in made):
            made.append(replace(home, name=named_after(home.dump.cluster)))
        else:
            made.append(home)
    return made


def named_after(folder: str) -> str:
    """A cluster's name, made from the folder's name, which may be a context such as gke_shop_hub."""
    words = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")
    return words[-63:].strip("-") or "cluster"


def _injection(dump: Dump) -> tuple[re.Match[str] | None, str]:
    """The address of an injector in another cluster: the path with this cluster's name, and the host of the URL."""
    for body in dump.all("MutatingWebhookConfiguration"):
        if _label(body, "app") != "sidecar-injector" or _label(body, "istio.io/tag"):
            continue
        for webhook in as_list(body.get("webhooks")):
            url = str(at(webhook, "clientConfig", "url") or "")
            host, slash, rest = url.removeprefix("https://").partition("/")
            path = f"/{rest}" if slash else str(at(webhook, "clientConfig", "service", "path") or "")
            if match := _INJECTION.fullmatch(path):
                return match, f"https://{host}" if url else ""
    return None, ""


def _injected_as(dump: Dump, namespace: str, path: re.Match[str] | None) -> str:
    """The name of a cluster without a control plane: from its injector's path, else from injected pods."""
    if path and path["cluster"]:
        return path["cluster"]
    for name, key in (("istio-sidecar-injector", "values"), ("values", "merged-values")):
        found = at(planes.text_in(dump, namespace, name, key), "global", "multiCluster", "clusterName")
        if isinstance(found, str) and found:
            return found
    return _installed(dump, "multiCluster", "clusterName")


def _network(dump: Dump, home: Body | None, path: re.Match[str] | None) -> str:
    told = path["net"] if path else ""
    return _label(home, "topology.istio.io/network") or told or _installed(dump, "network")


def _installed(dump: Dump, *keys: str) -> str:
    """The Helm values under `global`, if a GitOps tree installs Istio."""
    return next((str(found) for one in dump.said if (found := at(one.values, "global", *keys))), "")


def _installed_at(dump: Dump) -> dict[str, str]:
    address = _installed(dump, "remotePilotAddress")
    return {"istiod": address} if address else {}


def _controlled(namespace: Body | None) -> tuple[str, ...]:
    told = at(namespace, "metadata", "annotations", "topology.istio.io/controlPlaneClusters")
    return tuple(name.strip() for name in told.split(",")) if isinstance(told, str) else ()


def _kubernetes(dump: Dump, nodes: list[Body]) -> str:
    """The version of the API server; else that of the oldest kubelet, which may be older."""
    said = [Version.parse(str(at(node, "status", "nodeInfo", "kubeletVersion"))) for node in nodes]
    version = Version.parse(dump.version) or min((one for one in said if one), default=None)
    return f"{version.major}.{version.minor}" if version else ""


def _remotes(dump: Dump, namespace: str) -> dict[str, str]:
    found = {}
    for secret in dump.all("Secret", namespace):
        if _label(secret, "istio/multiCluster") == "true":
            for key, server in secret["public"].items():
                found[key] = server or str(at(secret, "metadata", "annotations", SERVER) or "")
    return found


def _addresses(services: list[Body], namespace: str, plane: Plane | None) -> dict[str, str]:
    """The addresses of the control plane itself, part by part, else of a gateway before it."""
    if plane is None:
        return {}
    mine = [one for one in services if at(one, "metadata", "namespace") == namespace]
    wanted = plane.generation.labels
    found = {part: first for part, labels in wanted.items() if (first := _first(mine, labels))}
    for labels in () if found else _GATEWAYS:
        if first := _first(services, labels):
            return {next(iter(wanted)): first}
    return found


def _first(services: list[Body], labels: Mapping[str, str]) -> str:
    return next(iter(of_services(services, labels).addresses), "")


def _ambient_gateway(dump: Dump) -> str:
    """The address of the ambient gateway that istiod creates."""
    for body in dump.all("Gateway"):
        if at(body, "spec", "gatewayClassName") == "istio-east-west":
            for address in as_list(at(body, "status", "addresses")):
                return str(at(address, "value") or "")
    return ""


def _pods(nodes: list[Body]) -> list[str]:
    """The ranges of the nodes, with neighbours merged. Nodes don't show the whole range."""
    return facts.joined(cidr for node in nodes for cidr in as_list(at(node, "spec", "podCIDRs")))


def _dataplane(body: Body) -> str:
    if _label(body, "istio.io/dataplane-mode") == "ambient":
        return "ambient"
    return "sidecar" if _label(body, "istio-injection") == "enabled" or _label(body, "istio.io/rev") else ""


def _label(body: Body | None, key: str) -> str:
    return str((at(body, "metadata", "labels") or {}).get(key) or "")


def _only(bodies: list[Body]) -> Body | None:
    return bodies[0] if bodies else None
