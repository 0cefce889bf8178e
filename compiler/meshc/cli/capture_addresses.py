"""What `meshc capture addresses` does: the addresses of a living control plane, as a change of mesh.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from meshc.capture.addresses import addresses, chosen
from meshc.cli.live import chosen as clusters_chosen
from meshc.cli.live import contexts_of, opened_api
from meshc.cli.progress import TERMINAL
from meshc.cli.report import say
from meshc.cli.written import show_or_write
from meshc.commands.opened import Opened, opened_for_writing
from meshc.errors import ToolError, UsageError
from meshc.mesh.parse import parse
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
    if cluster.attachment is not None:
        raise UsageError(f"{name} is a remote\n  hint: the control plane runs in a primary")
    mesh, _ = parse(opened.source.document)
    assert mesh is not None, "there is a plan of it"  # noqa: S101
    index, entry = next((i, one) for i, one in enumerate(mesh.spec.clusters) if one.name == name)
    recorded: dict[str, str] = dict(entry.control_plane.addresses.items()) if entry.control_plane else {}
    exposure = (entry.control_plane.exposure if entry.control_plane else None) or "load-balancer"
    values: dict[Steps, Any] = {}
    for part, found in addresses(opened_api(name, contexts, kubeconfig, timeout), plan, cluster, exposure).items():
        address = chosen(found, recorded.get(part))
        if address is not None:
            values["spec", "clusters", index, "controlPlane", "addresses", part] = address
        elif part not in _WHERE_IN_USE or part in recorded:
            say(f"  {part}: {found.missing}")
    if not values:
        raise ToolError(
            f"{name}: none of its addresses is known\n  hint: is exposure: {exposure} what its control plane has?"
        )
    show_or_write(opened, values, write)
