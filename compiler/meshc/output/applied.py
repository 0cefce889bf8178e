"""applied turns what patches made of a cluster's objects into what the API server would refuse of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.kube import as_list, at, identity_of
from meshc.overlays.namespaces import INJECTION
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshc.errors import Place, Problem
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan
    from meshc.tree import FileTree

_LOOKED_AT = re.compile(rb"(?m)^kind: (Service|Namespace)$")
_BETWEEN = b"\n---\n"


def check_applied(cluster: ClusterPlan, rendered: FileTree) -> Iterator[Problem]:
    """Services and Namespaces as they will be applied. Only a cluster with patches pays for it."""
    if not cluster.patches:
        return
    for name, data in rendered.items():
        parts = [part for part in data.split(_BETWEEN) if _LOOKED_AT.search(part)]
        for document in read(_BETWEEN.join(parts), name)[0] if parts else ():
            body = document.data
            for what, hint in _faults(body) if isinstance(body, dict) else ():
                first, *others = _causes(cluster, body)
                told = f"{cluster.name}: as patched, {identity_of(body)} {what}"
                code = codes.BOTH_INJECTION_LABELS if body["kind"] == "Namespace" else codes.PATCHED_WRONG
                yield code.at(first, told, hint, also=others, clusters=(cluster.name,))


def _faults(body: Body) -> Iterator[tuple[str, str]]:
    if body.get("kind") == "Namespace":
        if set(at(body, "metadata", "labels") or {}) >= INJECTION:
            yield "has both istio-injection and istio.io/rev", "keep one of them: with both, the revision is ignored"
    elif body.get("kind") == "Service" and body.get("apiVersion") == "v1":
        yield from _ports(as_list(at(body, "spec", "ports")))


def _ports(ports: tuple[Any, ...]) -> Iterator[tuple[str, str]]:
    """What the API server asks of the ports of a Service: names and numbers that are theirs alone."""
    seen: set[object] = set()
    hint = "kustomize joins ports by number and protocol: write both as they stand in overlays/, or use a JSON patch"
    for port in ports:
        number, name, protocol = at(port, "port"), at(port, "name"), at(port, "protocol") or "TCP"
        if name is None and len(ports) > 1:
            yield f"has several ports, and {number} no name", "give it a name"
        if name is not None and name in seen:
            yield f'has two ports named "{name}"', hint
        if (number, protocol) in seen:
            yield f"has port {number}/{protocol} twice", hint
        if type(number) is not int or not 1 <= number <= 65535:
            yield "has a port that is no number from 1 to 65535", "write a number, without quotes"
        seen |= {name, (number, protocol)}


def _causes(cluster: ClusterPlan, body: Body) -> list[Place]:
    """The patches that most likely made it: those for its name, else those for its kind, else all."""
    identity = identity_of(body)
    named, alike = [], []
    for patch in cluster.patches:
        for one in patch.file.objects:
            target = patch.target or {"name": identity_of(one.body).name, "kind": identity_of(one.body).kind}
            if target.get("name") == identity.name and target.get("kind") in (None, identity.kind):
                named.append(one.place)
            elif target.get("kind") == identity.kind:
                alike.append(one.place)
    return named or alike or [patch.place for patch in cluster.patches]
