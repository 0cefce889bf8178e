"""`meshc inject`: sidecars by hand, for clusters where no webhook injects them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.cli.ca_commands import read_given
from meshc.cli.progress import TERMINAL
from meshc.cli.report import tell_bytes
from meshc.commands.opened import Opened
from meshc.errors import MeshcError, UsageError
from meshc.output.istioctl import configs_in, find, kube_inject
from meshc.output.render import render
from meshc.pipeline import Compiled, compile_mesh, stop_on_kustomize

if TYPE_CHECKING:
    from pathlib import Path


def inject_command(manifest: Path, name: str, file: Path) -> None:
    """Prints the manifest with sidecars, as the cluster's injector would add them, the user's patches included.

    Raises MeshcError where what it injects by isn't compiled here.
    """
    opened = Opened(file, listener=TERMINAL)
    compiled = compile_mesh(opened.source, opened.repository, lambda: opened.kustomize)
    holder = _holder(compiled, name)
    cluster = compiled.plan.cluster(name)
    program = find(compiled.plan.cluster(holder).istio)
    stop_on_kustomize(compiled, opened.source, opened.kustomize)
    rendered = render(
        compiled.plan, compiled.layout, opened.kustomize, opened.repository, [holder], settle=compiled.settle
    ).trees
    injected = kube_inject(program, configs_in(rendered[holder], cluster), cluster.revision, read_given(manifest))
    tell_bytes(injected)


def _holder(compiled: Compiled, name: str) -> str:
    """The cluster whose ConfigMaps hold the injection template: of classic Istio its own, of istiod its primary's."""
    clusters = [cluster.name for cluster in compiled.plan.clusters]
    if name not in clusters:
        raise UsageError(f'there is no cluster "{name}"\n  hint: clusters: {", ".join(clusters)}')
    cluster = compiled.plan.cluster(name)
    if compiled.plan.generation == "classic" and cluster.role == "remote":
        return name
    holder = cluster.attachment.primary if cluster.attachment else name
    if not any(one.chart in ("istio", "istiod") for one in compiled.plan.cluster(holder).charts):
        raise MeshcError(
            f"{name}: the injection template comes with the chart of primary {holder}, and mesh.yaml names none"
            "\n  hint: set istio.charts, or run istioctl kube-inject with that cluster's own ConfigMaps"
        )
    return holder
