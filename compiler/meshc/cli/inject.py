"""`meshc inject`: sidecars by hand, for clusters where no webhook injects them."""

from __future__ import annotations

import sys
from pathlib import Path

from meshc.cli.opened import Opened
from meshc.errors import MeshcError, UsageError
from meshc.output.istioctl import configs_in, find, kube_inject
from meshc.output.render import render
from meshc.pipeline import Compiled, compile_mesh, stop_on_kustomize


def inject_command(manifest: Path, name: str, file: Path) -> None:
    """Prints the manifest with sidecars, as the cluster's injector would add them, the user's patches included.

    Raises MeshcError where the cluster has no ConfigMaps of meshc's.
    """
    opened = Opened(file)
    compiled = compile_mesh(opened.source, opened.repository, lambda: opened.kustomize)
    _stop_without_configs(compiled, name)
    program = find()
    stop_on_kustomize(compiled, opened.source, opened.kustomize)
    rendered = render(compiled.plan, compiled.layout, opened.kustomize, opened.repository, [name])
    injected = kube_inject(program, configs_in(rendered[name]), _read(manifest))
    sys.stdout.flush()
    sys.stdout.buffer.write(injected)


def _stop_without_configs(compiled: Compiled, name: str) -> None:
    clusters = [cluster.name for cluster in compiled.plan.clusters]
    if name not in clusters:
        raise UsageError(f'there is no cluster "{name}"\n  hint: clusters: {", ".join(clusters)}')
    if compiled.plan.generation == "istiod":
        raise MeshcError(
            f"{name}: istiod's injection template comes with its primary's chart, and is in that cluster alone"
            "\n  hint: let the webhook inject, or run istioctl kube-inject with the primary's own ConfigMaps"
        )
    if (cluster := compiled.plan.cluster(name)).role == "primary" and not cluster.charts:
        raise MeshcError(
            f"{name}: a primary's injection template comes with its chart, and mesh.yaml names none"
            "\n  hint: run istioctl kube-inject with that cluster's own ConfigMaps"
        )


def _read(manifest: Path) -> bytes:
    if manifest == Path("-"):
        return sys.stdin.buffer.read()
    try:
        return manifest.read_bytes()
    except OSError as error:
        raise UsageError(f'"{manifest}" can\'t be read: {error.strerror}') from None
