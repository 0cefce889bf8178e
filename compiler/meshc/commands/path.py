"""Finds the route of a call from a cluster to a Service, from mesh.yaml and the files it names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from meshc.commands.clusters import named
from meshc.commands.compiling import compiled_unrendered
from meshc.errors import UsageError
from meshc.nearest import nearest
from meshc.plan.route import Route, route_to

if TYPE_CHECKING:
    from meshc.commands.opened import Opened
    from meshc.mesh.exports import Export

_SHOWN = 12


def path(opened: Opened, caller: str, service: str, lost: Sequence[str]) -> Route:
    """The route to `service`, which is NAMESPACE/NAME, or a name that only one Service has.

    Assumes that the clusters in `lost` have failed. Raises UsageError for unknown names, and the errors of a compile.
    """
    compiled = compiled_unrendered(opened)
    cluster, *_ = (named(compiled.plan, name) for name in (caller, *lost))
    if caller in lost:
        raise UsageError(f'"{caller}" calls, so it can\'t be lost', "name other clusters with --without")
    return route_to(compiled.plan, cluster, _chosen(compiled.exports, service), compiled.pending, frozenset(lost))


def _chosen(exports: Sequence[Export], service: str) -> Export:
    """The Service with this name. Raises UsageError."""
    found = [one for one in exports if service in (one.name, f"{one.namespace}/{one.name}")]
    if len(found) == 1:
        return found[0]
    names = [f"{one.namespace}/{one.name}" for one in (found or exports)]
    if found:
        raise UsageError(f'"{service}" is in several namespaces', f"write one of {', '.join(names[:_SHOWN])}")
    close = nearest(service, names)
    hint = f'did you mean "{close}"?' if close else f"services there: {', '.join(names[:_SHOWN]) or 'none'}"
    raise UsageError(f'no Service "{service}" is under services', hint)
