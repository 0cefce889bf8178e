"""Reports patches that change what the mesh needs in an object of meshc or of a chart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.checks.applied.view import Fault
from meshc.checks.overlay.namespaces import INJECTION
from meshc.components.contract import PRUNE_PROTECTION
from meshc.kube import Version, as_list, at, pods_in
from meshc.mesh.exports import GLOBAL
from meshc.plan.namespaces import AMBIENT, CONTROL_PLANE_CLUSTERS, NETWORK
from meshc.scanning.plain_values import is_secret
from meshc.sealing.sealed import switches_off
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.checks.applied.view import Touched, View
    from meshc.kube import Body, Identity

_LABELS: Mapping[str, str] = {
    NETWORK: "which tells istiod the network",
    GLOBAL: "which ambient needs to call it from other clusters",
    "istio/multiCluster": "which istiod needs to find it",
    "istio.io/tag": "which tells istiod its revision tag",
    "kubernetes.io/service-name": "which links it to its Service",
}
_ANNOTATIONS: Mapping[str, str] = {
    CONTROL_PLANE_CLUSTERS: "which lets istiod of another cluster serve this cluster",
    "networking.istio.io/cluster": "which tells istiod the name of the cluster",
    "networking.istio.io/exportTo": "which tells istiod which namespaces may use it",
    "kubernetes.io/service-account.name": "which tells Kubernetes whose token to write into it",
}
_VARIABLES = {
    *("CLUSTER_ID", "NETWORK", "REVISION", "EXTERNAL_ISTIOD", "ISTIOD_CUSTOM_HOST", "LOCAL_CLUSTER_SECRET_WATCHER"),
    *("SHARED_MESH_CONFIG", "AMBIENT_ENABLE_MULTI_NETWORK", "CA_TRUSTED_NODE_ACCOUNTS", "ISTIO_MULTIROOT_MESH"),
    *("ISTIO_META_REQUESTED_NETWORK_VIEW", "ISTIO_META_NETWORK", "CA_ADDRESS", "XDS_ADDRESS", "POD_NAMESPACE"),
}
"""Environment variables of istiod, ztunnel and gateways that mesh.yaml decides."""
_SETTINGS = (
    *(("trustDomain",), ("rootNamespace",), ("defaultConfig", "discoveryAddress"), ("defaultConfig", "meshId")),
    *(("trustDomainAliases",), ("meshMTLS",), ("caCertificates",)),
)
_OF_MESH = (15012, 15017, 15443, 15008)
"""Ports of istiod and of gateways between networks."""
_KEEP = "remove the change from the patch; mesh.yaml decides how the mesh is built"


def changed(identity: Identity, before: Body, after: Body) -> Iterator[Fault]:
    """Compares an object of meshc or of a chart before and after its patches, without its cluster."""
    for where, keys in (("labels", _LABELS), ("annotations", _ANNOTATIONS)):
        was, now = (at(body, "metadata", where) or {} for body in (before, after))
        for key, why in keys.items():
            if key in was and was[key] != now.get(key):
                yield _changed(("metadata", where, key), f"{where[:-1]} {key}", was[key], now.get(key), why)
    yield from _protection(before, after)
    for key in at(after, "metadata", "annotations") or {} if is_secret(before) else ():
        if switches_off(key) and key not in (at(before, "metadata", "annotations") or {}):
            what = f"gets annotation {key}, which changes how it is protected"
            yield Fault(("metadata", "annotations", key), what, "remove it from the patch", codes.UNSAFE_ANNOTATION)
    match identity[:2]:
        case ("", "Namespace"):
            yield from _injection(before, after)
        case ("", "ConfigMap"):
            yield from _mesh_config(before, after)
        case ("admissionregistration.k8s.io", _):
            yield from _webhooks(before, after)
        case ("networking.istio.io", "Gateway"):
            yield from _gateway(before, after)


def relied(view: View, one: Touched) -> Iterator[Fault]:
    """Compares an object of meshc or of a chart before and after its patches, with what its cluster needs."""
    if one.before is None or not one.patched:
        return
    before, after = one.before, one.after
    match one.identity[:2]:
        case ("", "Service"):
            yield from _service(view, one)
        case ("apps", _):
            yield from _workload(view, one)
        case ("security.istio.io", "PeerAuthentication"):
            mode = at(after, "spec", "mtls", "mode")
            if mode == "DISABLE" != at(before, "spec", "mtls", "mode") and view.cluster.network:
                why = "but gateways between networks need mutual TLS to distinguish Services"
                yield _changed(("spec", "mtls"), "mode", at(before, "spec", "mtls", "mode"), mode, why)


def _changed(path: tuple[str, ...], what: str, was: Any, now: Any, why: str) -> Fault:
    told = f'loses {what} "{was}"' if now is None else f'has {what} "{now}" instead of "{was}"'
    return Fault(path, f"{told}, {why}", _KEEP, codes.RELIED_ON)


def _protection(before: Body, after: Body) -> Iterator[Fault]:
    """The options against pruning are still there. Argo CD's options are a list, and a patch may add to it."""
    was, now = (at(body, "metadata", "annotations") or {} for body in (before, after))
    for key, value in PRUNE_PROTECTION.items():
        if was.get(key) == value and not {*value.split(",")} <= {*str(now.get(key)).replace(" ", "").split(",")}:
            what = f"loses {key}: {value}, so it may be pruned with everything in it"
            yield Fault(
                ("metadata", "annotations", key), what, f"keep {value} in the annotation's value", codes.RELIED_ON
            )


def _injection(before: Body, after: Body) -> Iterator[Fault]:
    """A Namespace in the mesh still has a label that puts its pods into the mesh, no matter which."""
    was, now = (at(body, "metadata", "labels") or {} for body in (before, after))
    if not _injects(was) and was.get(AMBIENT) != "ambient":
        return
    if _injects(now) or now.get(AMBIENT) == "ambient":
        return
    key = next(key for key in (*sorted(INJECTION), AMBIENT) if key in was)
    what = "has no label that puts its pods into the mesh, but mesh.yaml says that they are in it"
    hint = "remove the change from the patch, or write dataplane: none in mesh.yaml"
    yield Fault(("metadata", "labels", key), what, hint, codes.RELIED_ON)


def _injects(labels: Mapping[str, Any]) -> bool:
    return labels.get("istio-injection") == "enabled" or ("istio-injection" not in labels and "istio.io/rev" in labels)


def _mesh_config(before: Body, after: Body) -> Iterator[Fault]:
    """The mesh configuration is one text, so a patch of `mesh` with one setting drops all others."""
    path = ("data", "mesh")
    was, now = at(before, *path), at(after, *path)
    if not isinstance(was, str) or was == now:
        return
    documents, problems = read(str(now or "").encode(), "")
    if problems or not documents or not isinstance(documents[0].data, dict):
        yield Fault(path, "has a mesh configuration that istiod can't read", "write YAML", codes.RELIED_ON)
        return
    old = read(was.encode(), "")[0]
    for setting in _SETTINGS:
        value, new = at(old[0].data if old else None, *setting), at(documents[0].data, *setting)
        if value is not None and value != new:
            why = "which all clusters of the mesh must share"
            yield _changed(path, f"setting {'.'.join(setting)}", value, new, why)


def _gateway(before: Body, after: Body) -> Iterator[Fault]:
    """Servers between networks and to istiod keep their TLS mode and protocol. The selector is the user's choice."""
    was, now = ({at(s, "port", "number"): s for s in as_list(at(b, "spec", "servers"))} for b in (before, after))
    for number, server in was.items():
        told = {
            path: (at(server, *path), at(now.get(number), *path)) for path in (("tls", "mode"), ("port", "protocol"))
        }
        for path, (old, new) in told.items():
            if old != new:
                what = f"port {number}'s {'.'.join(path)}"
                yield _changed(("spec", "servers"), what, old, new, "which other clusters need")


def _service(view: View, one: Touched) -> Iterator[Fault]:
    """Services of istiod and of gateways keep the ports, the type and the pods that other clusters need."""
    before, after = one.before or {}, one.after
    was = {at(port, "port"): port for port in as_list(at(before, "spec", "ports"))}
    now = {at(port, "port"): port for port in as_list(at(after, "spec", "ports"))}
    gateway = view.cluster.gateway
    of_gateway = {gateway.port, *(door.port for door in gateway.doors)} if gateway else set()
    wanted = {*_OF_MESH} | of_gateway | ({443} if 15012 in was else set())
    for number in sorted(wanted & was.keys()):
        if number not in now:
            yield Fault(
                ("spec", "ports"), f"loses port {number}, which the mesh needs to reach it", _KEEP, codes.RELIED_ON
            )
    if at(before, "spec", "type") == "LoadBalancer" and at(after, "spec", "type") in (None, "ClusterIP"):
        what = "has type ClusterIP instead of LoadBalancer, so nothing outside the cluster can reach it"
        yield Fault(("spec", "type"), what, _KEEP, codes.RELIED_ON)
    was_by, now_by = (at(body, "spec", "selector") for body in (before, after))
    if was_by and was_by != now_by and not _is_selected(view, one, now_by):
        yield Fault(("spec", "selector"), "selects no pods of this cluster", _KEEP, codes.RELIED_ON)


def _is_selected(view: View, one: Touched, selector: Any) -> bool:
    """True if a workload of the cluster makes pods that match, or if no workload is known."""
    made = view.labels_of_pods(one.identity.namespace)
    wanted = selector.items() if isinstance(selector, Mapping) else ()
    return not made or any(all(labels.get(key) == value for key, value in wanted) for labels in made)


def _webhooks(before: Body, after: Body) -> Iterator[Fault]:
    now = {at(hook, "name"): hook for hook in as_list(after.get("webhooks"))}
    for hook in as_list(before.get("webhooks")):
        name = at(hook, "name")
        if name not in now:
            yield Fault(("webhooks",), f"loses webhook {name}", _KEEP, codes.RELIED_ON)
        elif _asked(hook) != _asked(now[name]):
            yield Fault(("webhooks",), f"has another address in webhook {name}", _KEEP, codes.RELIED_ON)


def _asked(hook: Any) -> tuple[Any, ...]:
    config = at(hook, "clientConfig")
    return at(config, "url"), *(at(config, "service", key) for key in ("name", "namespace", "path", "port"))


def _workload(view: View, one: Touched) -> Iterator[Fault]:
    """Checks the charts' workloads: istiod, ztunnel, the CNI node agent and gateways."""
    before, after = one.before or {}, one.after
    if at(before, "spec", "replicas") != at(after, "spec", "replicas") == 0:
        yield Fault(("spec", "replicas"), "has 0 replicas, so it has no pods", _KEEP, codes.RELIED_ON)
    was, now = _variables(before), _variables(after)
    for name in sorted(was.keys() & _VARIABLES):
        if was[name] != now.get(name):
            yield _changed(
                ("spec", "template"), f"variable {name}", was[name], now.get(name), "which mesh.yaml decides"
            )
    path = ("spec", "template", "metadata")
    for where in ("labels", "annotations"):
        was_said, said = (str(at(body, *path, where, "sidecar.istio.io/inject")) for body in (before, after))
        if said == "false" != was_said and _is_auto(after):
            what = 'has sidecar.istio.io/inject "false", but only injection replaces its image "auto"'
            yield Fault((*path, where), what, _KEEP, codes.RELIED_ON)
    yield from _images(view, before, after)


def _is_auto(body: Body) -> bool:
    return any(at(one, "image") == "auto" for pod in pods_in(body) for one in as_list(pod.get("containers")))


def _images(view: View, before: Body, after: Body) -> Iterator[Fault]:
    was, now = _versions(before), _versions(after)
    for name, version in now.items():
        if name in was and version is not None and was[name] not in (None, version):
            mine = view.cluster.istio
            if version.line not in {plane.istio.line for plane in view.cluster.planes}:
                what = f'runs Istio {version} in container "{name}", but mesh.yaml says {mine}'
                hint = "change istio.version in mesh.yaml, as meshc checks and compiles for that version"
                yield Fault(("spec", "template"), what, hint, codes.RELIED_ON)


def _versions(body: Body) -> dict[str, Version | None]:
    found: dict[str, Version | None] = {}
    for pod in pods_in(body):
        for container in as_list(pod.get("containers")):
            name, _, tag = str(at(container, "image")).rpartition(":")
            if name.rpartition("/")[2] in ("pilot", "proxyv2", "ztunnel", "install-cni"):
                found[str(at(container, "name"))] = Version.parse(tag)
    return found


def _variables(body: Body) -> dict[str, Any]:
    """The environment variables by name, each with its value, or with the reference that gives the value."""
    return {
        str(at(variable, "name")): at(variable, "value") or at(variable, "valueFrom")
        for pod in pods_in(body)
        for container in as_list(pod.get("containers"))
        for variable in as_list(at(container, "env"))
    }
