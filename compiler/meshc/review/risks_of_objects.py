"""Finds the dangers that the objects of a difference show by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from meshc import codes
from meshc.components.contract import PRUNE_PROTECTION
from meshc.errors import Code
from meshc.kube import Body, Identity, at
from meshc.plan.istiod_values import KUBECONFIG
from meshc.review.diff import Action, Difference, Entry
from meshc.review.modes import _STRENGTH, mode_of
from meshc.review.shown import readers
from meshc.sealedtext import service_of


class Risk(NamedTuple):
    """What happens, in which clusters, and to which object, if only one object is affected.

    `by` are the clusters whose lines of mesh.yaml cause it, if these are other clusters. `entry` is a key of mesh.yaml
    and the name of its entry, for risks without an object.
    """

    code: Code
    what: str
    clusters: tuple[str, ...]
    identity: Identity | None = None
    by: tuple[str, ...] = ()
    entry: tuple[str, str] | None = None


def credentials(difference: Difference) -> Iterator[Risk]:
    """Remote secrets that are removed or moved while their cluster stays."""
    for entry, old, _ in bodies(difference, Action.DELETE, Action.MOVE):
        known = remote_of(old)
        remote = difference.names.get(known, known) if known else None
        stays = remote in difference.after or remote in difference.renamed
        if remote is None or not stays or set(entry.clusters) - set(difference.after):
            continue
        if entry.action is Action.MOVE:
            what = f'no primary has the credentials of "{remote}" until both have synced: they move from {entry.origin}'
            yield Risk(codes.CREDENTIALS_LEAVE, what, entry.clusters, entry.identity)
        else:
            yield Risk(
                codes.CREDENTIALS_LEAVE, f'istiod loses the endpoints of "{remote}"', entry.clusters, entry.identity
            )


def mutual_tls(difference: Difference) -> Iterator[Risk]:
    for entry, old, new in bodies(difference, Action.CHANGE, Action.DELETE, Action.ADD):
        was, now = mode_of(old), mode_of(new)
        if entry.action is Action.ADD:
            if now is not None and _STRENGTH.get(now, 1) < _STRENGTH["STRICT"] and _is_everyday(difference, entry):
                yield Risk(
                    codes.MUTUAL_TLS_WEAKER,
                    f"{entry.identity} sets mutual TLS to {now}",
                    entry.clusters,
                    entry.identity,
                )
        elif was is not None and _STRENGTH.get(was, 1) > _STRENGTH.get(now or "", 1):
            become = f"is {now} instead of {was}" if now else f"with {was} is removed"
            yield Risk(codes.MUTUAL_TLS_WEAKER, f"{entry.identity} {become}", entry.clusters, entry.identity)


def _is_everyday(difference: Difference, entry: Entry) -> bool:
    """True if an object is added to an existing cluster. In a new cluster, everything is added."""
    return any(name in difference.before for name in entry.clusters)


def namespaces(difference: Difference) -> Iterator[Risk]:
    for entry, _, _ in bodies(difference, Action.DELETE):
        staying = tuple(name for name in entry.clusters if name in difference.after)
        if entry.identity.kind == "Namespace" and staying:
            what = f'Namespace "{entry.identity.name}" stays with its workloads, but meshc no longer sets its labels'
            yield Risk(codes.NAMESPACE_LEAVES, what, staying, entry.identity)


def ports(difference: Difference) -> Iterator[Risk]:
    """Renamed ports: the name of a port shows Istio its protocol, and Istio matches endpoints in other clusters by this
    name."""
    for entry, old, new in bodies(difference, Action.CHANGE):
        if entry.identity.kind != "Service" or entry.identity.group:
            continue
        was, now = _ports(old), _ports(new)
        for number in sorted(was.keys() - now.keys()):
            yield Risk(
                codes.PORT_CHANGED,
                f"{entry.identity}: port {number} ({was[number]}) is removed",
                entry.clusters,
                entry.identity,
            )
        for number in sorted(was.keys() & now.keys()):
            if was[number] != now[number]:
                what = f"{entry.identity}: port {number} is {now[number]} instead of {was[number]}"
                yield Risk(codes.PORT_CHANGED, what, entry.clusters, entry.identity)


def webhooks(difference: Difference) -> Iterator[Risk]:
    for entry, old, new in bodies(difference, Action.CHANGE):
        was, now = _policies(old), _policies(new)
        for name in sorted(was.keys() & now.keys()):
            if was[name] != now[name]:
                what = f"{entry.identity}: {name} has failurePolicy {now[name]} instead of {was[name]}"
                yield Risk(codes.FAILURE_POLICY, what, entry.clusters, entry.identity)


def new_readers(difference: Difference) -> Iterator[Risk]:
    for entry, old, new in bodies(difference, Action.CHANGE, Action.MOVE):
        added = sorted({*readers(new)} - {*readers(old)}) if "sops" in old else ()
        if added:
            names = ", ".join(
                f"{one[:16]}..." if len(one) > _KEY and service_of(one) == "age" else one for one in added
            )
            yield Risk(codes.READER_ADDED, f"{names} can decrypt {entry.identity}", entry.clusters, entry.identity)


_KEY = 24
"""The longest recipient that is shown in full, in characters."""


def injection(difference: Difference) -> Iterator[Risk]:
    for entry, old, new in bodies(difference, Action.CHANGE):
        if entry.identity.kind == "Namespace":
            was, now = ({key: at(body, "metadata", "labels", key) for key in _INJECTION} for body in (old, new))
            if was != now:
                told = [f"{key} is {now[key]} instead of {was[key]}" for key in _INJECTION if was[key] != now[key]]
                text = ", ".join(told).replace("None", "absent")
                yield Risk(codes.INJECTION_CHANGED, f"{entry.identity}: {text}", entry.clusters, entry.identity)


_INJECTION = ("istio-injection", "istio.io/rev", "istio.io/dataplane-mode")


def protection(difference: Difference) -> Iterator[Risk]:
    for entry, old, new in bodies(difference, Action.CHANGE):
        lost = [
            key for key, value in PRUNE_PROTECTION.items() if _annotation(old, key) == value != _annotation(new, key)
        ]
        if lost:
            yield Risk(
                codes.PROTECTION_LOST, f"{entry.identity} loses {', '.join(lost)}", entry.clusters, entry.identity
            )


def _annotation(body: Body, key: str) -> object:
    return at(body, "metadata", "annotations", key)


def permissions(difference: Difference) -> Iterator[Risk]:
    """Changes of roles and bindings in clusters that existed before, and policies that are removed or changed."""
    for entry, _, _ in bodies(difference, Action.ADD, Action.CHANGE, Action.DELETE):
        roles = entry.identity.group == "rbac.authorization.k8s.io"
        policy = entry.identity.kind in _POLICIES and entry.action is not Action.ADD
        staying = tuple(name for name in entry.clusters if name in difference.before and name in difference.after)
        if staying and (roles or policy):
            yield Risk(codes.PERMISSIONS_CHANGED, f"{entry.action} {entry.identity}", staying, entry.identity)


_POLICIES = ("AuthorizationPolicy", "RequestAuthentication", "NetworkPolicy")


OF_ENTRIES: tuple[Callable[[Difference], Iterator[Risk]], ...] = (
    credentials,
    mutual_tls,
    namespaces,
    ports,
    webhooks,
    new_readers,
    injection,
    protection,
    permissions,
)
"""The functions that find risks in single entries, in any order."""


def remote_of(body: Body) -> str | None:
    """The ID of the cluster that a remote secret of any form, or the kubeconfig of an external istiod, belongs to."""
    for path in (("metadata",), ("spec", "template", "metadata"), ("spec", "target", "template", "metadata")):
        metadata = at(body, *path)
        named = at(metadata, "annotations", "networking.istio.io/cluster")
        if at(metadata, "labels", "istio/multiCluster") == "true":
            return str(named or at(body, "metadata", "name"))
        if named and at(body, "metadata", "name") == KUBECONFIG:
            return str(named)
    return None


def bodies(difference: Difference, *actions: Action) -> Iterator[tuple[Entry, Body, Body]]:
    """Entries with the object before and after; empty if there is none.

    If the object of an entry differs between clusters, the entry comes once for each state, with the clusters of that
    state.
    """
    for entry in difference.entries:
        if entry.action not in actions:
            continue
        states: dict[tuple[int, int], tuple[Body, Body, list[str]]] = {}
        for name in entry.clusters:
            old = difference.sides[entry.origin or name].before.get(entry.identity, _NOTHING)
            new = difference.sides[name].after.get(entry.identity, _NOTHING)
            states.setdefault((id(old), id(new)), (old, new, []))[2].append(name)
        for old, new, names in states.values():
            yield replace(entry, clusters=tuple(names)), old, new


_NOTHING: Body = {}


def _ports(body: Body) -> dict[int, str]:
    """The protocol of each port in Istio, by number."""
    listed = at(body, "spec", "ports")
    found: dict[int, str] = {}
    for port in listed if isinstance(listed, tuple) else ():
        number = port.get("port") if isinstance(port, Mapping) else None
        if isinstance(number, int):
            named = [str(port[key]) for key in ("name", "appProtocol") if port.get(key)]
            protocol = str(port.get("protocol") or "TCP")
            found[number] = " ".join([*named, *([] if protocol == "TCP" and named else [protocol])])
    return found


def _policies(body: Body) -> dict[str, Any]:
    hooks = body.get("webhooks")
    items = [hook for hook in hooks if isinstance(hook, Mapping)] if isinstance(hooks, tuple) else []
    default = "Fail" if str(body.get("apiVersion", "")).endswith("/v1") else "Ignore"  # the default of an API server
    return {str(hook.get("name")): hook.get("failurePolicy") or default for hook in items}
