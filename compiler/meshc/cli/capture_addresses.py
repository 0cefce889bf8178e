"""What `meshc capture addresses` does: the addresses of a living control plane, as a change of mesh.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from meshc.capture.addresses import addresses, chosen, exposure_of
from meshc.capture.recorded import recorded_addresses
from meshc.cli.live import chosen as clusters_chosen
from meshc.cli.live import contexts_of, opened_api
from meshc.cli.progress import TERMINAL
from meshc.cli.report import say
from meshc.cli.written import show_or_write
from meshc.commands.opened import Opened, opened_for_writing
from meshc.errors import ToolError, UsageError
from meshc.pipeline import plan_mesh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshc.errors import Path as Steps

_WHERE_IN_USE = ("zipkin",)
"""Parts that a control plane may lack."""


def addresses_command(
    file: Path, name: str, words: Sequence[str], kubeconfig: Path | None, timeout: float, write: bool
) -> None:
    """Every address that moved, or that mesh.yaml lacks. One that can't be told stays, and stops nothing."""
    opened = opened_for_writing(file, TERMINAL) if write else Opened(file, listener=TERMINAL)
    plan = plan_mesh(opened.source)
    contexts = contexts_of(file.parent, plan, clusters_chosen(plan, [name]), words, kubeconfig)
    cluster = plan.cluster(name)
    recorded = recorded_addresses(plan, opened.source, cluster)
    if not recorded:
        raise UsageError(f"{name} has neither a control plane nor an east-west gateway", "name a primary")
    values: dict[Steps, Any] = {}
    there = addresses(opened_api(name, contexts, kubeconfig, timeout), plan, cluster)
    for part, known in recorded.items():
        address = chosen(there[part], known.value)
        if address is not None:
            values[known.path] = address
        elif part not in _WHERE_IN_USE or known.value:
            say(f"  {part}: {there[part].missing}")
    if not values:
        how = exposure_of(cluster)
        raise ToolError(f"{name}: none of its addresses is known", f"is exposure: {how} what its control plane has?")
    show_or_write(opened, values, write)
