"""Reads the addresses of a live control plane, as a change of mesh.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshc.capture.addresses import addresses, chosen, exposure_of
from meshc.capture.recorded import recorded_addresses
from meshc.commands.clusters import named
from meshc.commands.edit import Edit, edited
from meshc.commands.live_clusters import Reach, live_clusters
from meshc.commands.opened import opened_for
from meshc.errors import ToolError, UsageError
from meshc.pipeline import plan_mesh

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.commands.listener import Listener
    from meshc.errors import Path as Steps

_WHERE_IN_USE = ("zipkin",)
"""Parts that a control plane may lack."""


def captured_addresses(file: Path, name: str, reach: Reach, listener: Listener, *, write: bool) -> tuple[Edit, ...]:
    """The edits of mesh.yaml: every address that changed or is missing.

    An address that can't be found stays as it is. Raises UsageError for a cluster without a control plane or gateway,
    ToolError if no address is known, and AskError.
    """
    opened = opened_for(file, listener, writes=write)
    plan = plan_mesh(opened.source)
    cluster = named(plan, name)
    clusters = live_clusters(file.parent, plan, [name], reach)
    recorded = recorded_addresses(plan, opened.source, cluster)
    if not recorded:
        raise UsageError(f"{name} has neither a control plane nor an east-west gateway", "name a primary")
    values: dict[Steps, Any] = {}
    there = addresses(clusters.api(name), plan, cluster)
    for part, known in recorded.items():
        address = chosen(there[part], known.value)
        if address is not None:
            values[known.path] = address
        elif part not in _WHERE_IN_USE or known.value:
            listener.note(f"  {part}: {there[part].missing}")
    if not values:
        how = exposure_of(cluster)
        raise ToolError(f"{name}: none of its addresses is known", f"is exposure: {how} what its control plane has?")
    return edited(opened, values, write=write)
