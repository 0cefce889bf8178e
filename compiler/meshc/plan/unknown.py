"""Messages for a name that no cluster of a plan has, with the existing names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.errors import UsageError
from meshc.plain import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshc.plan.ir import Plan

_SHOWN = 12


def no_cluster(plan: Plan, name: str, before: str = "clusters:") -> UsageError:
    """The error for an unknown cluster name, which may be a cluster's ID. `before` starts the list of known names."""
    meant = next((cluster.name for cluster in plan.clusters if cluster.id == name), "")
    hint = f"that is the ID of {meant} in Istio: write {meant}" if meant else ""
    known = some([cluster.name for cluster in plan.clusters])
    return UsageError(f'there is no cluster "{plain(name)}"', hint or f"{before} {known}")


def some(names: Sequence[str]) -> str:
    """The first of many names, and the number of the others."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(map(plain, names[:_SHOWN]))}{more}"
