"""living turns the objects of one cluster into what they tell of it: its Istio, its network, its remotes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.capture import facts
from meshc.capture.addresses import of_services
from meshc.kube import LABEL, Version, at
from meshc.trust.proofs import SERVER
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.capture.dump import Dump
    from meshc.kube import Body


_GATEWAY = {"istio": "eastwestgateway"}


@dataclass(frozen=True, slots=True)
class Home:
    """One cluster. `remotes` are those it holds credentials of, with the servers in them; `reached` is where a
    remote's own Endpoints say that the control plane is, `controlled` by whom its namespace says that it may be.
    `gateway` is the address of its east-west gateway, `dataplanes` the namespaces that are in the mesh, and how."""

    dump: Dump
    name: str
    primary: bool
    namespace: str
    istio: str
    revision: str
    kubernetes: str
    network: str
    pods: list[str]
    services: list[str]
    mesh_config: Mapping[str, Any]
    remotes: Mapping[str, str]
    addresses: Mapping[str, str]
    reached: Mapping[str, str]
    dataplanes: Mapping[str, str]
    controlled: tuple[str, ...]
    gateway: str

    @staticmethod
    def of(dump: Dump) -> Home:
        """What the objects tell."""
        deployment = _control_plane(dump)
        namespace = str(at(deployment, "metadata", "namespace") or "istio-system")
        own = facts.environment(deployment).get("CLUSTER_ID", "") or _injected_as(dump, namespace)
        settings = facts.kubeadm(_only(dump.all("ConfigMap", "kube-system", "kubeadm-config")))
        nodes = dump.all("Node")
        versions = [Version.parse(str(at(node, "status", "nodeInfo", "kubeletVersion"))) for node in nodes]
        oldest = min((one for one in versions if one), default=None)
        config = _only(dump.all("ConfigMap", namespace, "istio"))
        documents, problems = read(str(at(config, "data", "mesh") or "").encode(), "mesh")
        mesh = documents[0].data if documents and not problems else {}
        return Home(
            dump,
            own if LABEL.fullmatch(own) and own != "Kubernetes" else dump.cluster,
            deployment is not None,
            namespace,
            facts.tag(deployment),
            str(at(deployment, "metadata", "labels", "istio.io/rev") or "default"),
            f"{oldest.major}.{oldest.minor}" if oldest else "",
            _label(_only(dump.all("Namespace", None, namespace)), "topology.istio.io/network"),
            list(settings.get("podSubnet", ())) or _pods(nodes),
            list(settings.get("serviceSubnet", ())),
            mesh if isinstance(mesh, dict) else {},
            _remotes(dump, namespace),
            _addresses(dump, namespace, deployment),
            _reached(dump, namespace),
            {str(at(one, "metadata", "name")): word for one in dump.all("Namespace") if (word := _dataplane(one))},
            _controlled(_only(dump.all("Namespace", None, namespace))),
            next(iter(of_services(dump.all("Service"), _GATEWAY).addresses), ""),
        )


def _injected_as(dump: Dump, namespace: str) -> str:
    """The cluster's name in what a remote's sidecars are injected with."""
    settings = _only(dump.all("ConfigMap", namespace, "istio-sidecar-injector"))
    documents, problems = read(str(at(settings, "data", "values") or "").encode(), "values")
    found = at(documents[0].data, "global", "multiCluster", "clusterName") if documents and not problems else None
    return found if isinstance(found, str) else ""


def _controlled(namespace: Body | None) -> tuple[str, ...]:
    told = at(namespace, "metadata", "annotations", "topology.istio.io/controlPlaneClusters")
    return tuple(name.strip() for name in told.split(",")) if isinstance(told, str) else ()


def _control_plane(dump: Dump) -> Body | None:
    for labels in ({"app": "istiod"}, {"istio": "pilot"}):
        for body in dump.all("Deployment"):
            if labels.items() <= (at(body, "metadata", "labels") or {}).items():
                return body
    return None


def _remotes(dump: Dump, namespace: str) -> dict[str, str]:
    found = {}
    for secret in dump.all("Secret", namespace):
        if _label(secret, "istio/multiCluster") == "true":
            for key, server in secret["public"].items():
                found[key] = server or str(at(secret, "metadata", "annotations", SERVER) or "")
    return found


def _addresses(dump: Dump, namespace: str, deployment: Body | None) -> dict[str, str]:
    """Of the control plane itself, else of a gateway to it."""
    classic = _label(deployment, "istio") == "pilot" and _label(deployment, "app") != "istiod"
    part, labels = ("pilot", {"istio": "pilot"}) if classic else ("istiod", {"app": "istiod"})
    services = dump.all("Service", namespace)
    for wanted in (labels, _GATEWAY):
        if found := of_services(services, wanted).addresses:
            return {part: found[0]}
    return {}


def _reached(dump: Dump, namespace: str) -> dict[str, str]:
    for part, name in (("istiod", "istiod"), ("pilot", "istio-pilot")):
        for body in dump.all("Endpoints", namespace, name):
            for subset in body.get("subsets") or ():
                for address in (subset.get("addresses") or ()) if isinstance(subset, dict) else ():
                    return {part: str(at(address, "ip"))}
        for body in dump.all("EndpointSlice", namespace):
            if _label(body, "kubernetes.io/service-name") == name:
                for endpoint in body.get("endpoints") or ():
                    for address in at(endpoint, "addresses") or ():
                        return {part: str(address)}
    return {}


def _pods(nodes: list[Body]) -> list[str]:
    """The ranges of nodes, joined where they are neighbours: what the whole range is they don't tell."""
    return facts.joined(cidr for node in nodes for cidr in at(node, "spec", "podCIDRs") or ())


def _dataplane(body: Body) -> str:
    if _label(body, "istio.io/dataplane-mode") == "ambient":
        return "ambient"
    return "sidecar" if _label(body, "istio-injection") == "enabled" or _label(body, "istio.io/rev") else ""


def _label(body: Body | None, key: str) -> str:
    return str((at(body, "metadata", "labels") or {}).get(key) or "")


def _only(bodies: list[Body]) -> Body | None:
    return bodies[0] if bodies else None
