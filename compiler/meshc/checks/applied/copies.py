"""Compares a Service in the cluster that runs it with its copies elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.checks.applied.view import Fault
from meshc.kube import as_list, at

if TYPE_CHECKING:
    from meshc.checks.applied.view import Touched, View
    from meshc.plan.offers import Port, ServiceCopy

_Port = tuple[Any, str, str]


def copies(view: View, one: Touched) -> Iterator[Fault]:
    """A Service and its copies have the same ports and the same type, as istiod merges them into one."""
    if one.identity[:2] != ("", "Service"):
        return
    copy = view.offered.get((one.identity.namespace, one.identity.name))
    if copy is None:
        return
    if one.before is not None and view.cluster.name not in copy.homes:
        yield from _copy(one, copy)
    elif one.before is None and view.cluster.name in copy.homes:
        yield from _home(one, copy)


def _copy(one: Touched, copy: ServiceCopy) -> Iterator[Fault]:
    homes = ", ".join(copy.homes[:3])
    hint = f"change the Service in the cluster that runs it ({homes}); meshc then changes its copies"
    for told, is_missing in _differing(_wanted(copy.ports), _ports(one)):
        does = "does" if is_missing else "doesn't"
        what = f"{told}, but the Service in {homes} {does}"
        yield Fault(("spec", "ports"), what, hint, codes.COPY_DIFFERS)
    spec = one.after.get("spec")
    if at(spec, "selector"):
        what = "has a selector, so pods of this cluster answer calls to the Service"
        yield Fault(("spec", "selector"), what, "remove the selector: a copy has no pods", codes.COPY_DIFFERS)
    was = at(one.before, "spec")
    for key, default in (("type", "ClusterIP"), ("externalName", None)):
        old, new = at(was, key) or default, at(spec, key) or default
        if old != new:
            what = f"has {key} {new} instead of {old}"
            yield Fault(("spec", key), what, hint, codes.COPY_DIFFERS)
    if (at(was, "clusterIP") == "None") != (at(spec, "clusterIP") == "None"):
        what = (
            "is headless only in this cluster"
            if at(spec, "clusterIP") == "None"
            else "is headless in every other cluster"
        )
        yield Fault(("spec", "clusterIP"), what, hint, codes.COPY_DIFFERS)


def _home(one: Touched, copy: ServiceCopy) -> Iterator[Fault]:
    hint = "write the same ports of the Service under services, in its manifests and in each cluster's resources"
    for told, is_missing in _differing(_wanted(copy.ports), _ports(one)):
        do = "do" if is_missing else "don't"
        what = f"{told}, but its copies in other clusters {do}"
        yield Fault(("spec", "ports"), what, hint, codes.COPY_DIFFERS)


def _differing(wanted: set[_Port], there: set[_Port]) -> Iterator[tuple[str, bool]]:
    """What differs in the ports that are there, and whether a port is missing."""
    for number, name, protocol in sorted(there - wanted, key=str):
        yield f"has port {number}/{protocol}" + (f' "{name}"' if name else ""), False
    for number, name, protocol in sorted(wanted - there, key=str):
        if not any(other[0] == number for other in there):
            yield f"doesn't have port {number}/{protocol}" + (f' "{name}"' if name else ""), True


def _wanted(ports: Iterable[Port]) -> set[_Port]:
    return {(port.port, port.name, port.protocol or "TCP") for port in ports}


def _ports(one: Touched) -> set[_Port]:
    listed = as_list(at(one.after, "spec", "ports"))
    return {(at(p, "port"), str(at(p, "name") or ""), str(at(p, "protocol") or "TCP")) for p in listed}
